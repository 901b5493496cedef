"""What a student wrote or put out, as what may be shown: text and tables, and nothing that a browser would run or fetch.

The formgrader shows it with the instructor's rights, the feedback to the student.
"""

import collections
import html
import re

import bleach

# What a pandas table and plain text need. nbconvert's own list knows no th, thead or tbody and shows them as text.
ALLOWED_TAGS = ["a", "b", "blockquote", "br", "code", "div", "em", "i", "li", "ol", "p", "pre", "span", "strong",
                "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "ul"]
ALLOWED_ATTRIBUTES = {
    "table": lambda tag, name, value: (name, value) == ("class", "dataframe"),  # pandas' own; a page's classes are nbgrader's and Jupyter's
    "a": ["href", "title"], "td": ["colspan", "rowspan"], "th": ["colspan", "rowspan", "scope"],
}
WITH_CONTENT = re.compile(r"<(script|style|iframe|object|template)\b.*?(</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
TAG = re.compile(r"<(/?)([A-Za-z]?)([^\s/<>]*)[^<>]*")
LONGEST_TAG = 2_000
MOST_WORK = 200_000  # a table of 100,000 characters is about 50,000: its tags, each with those that are open around it
OPENS_TAG = re.compile(r"<(?=[A-Za-z/!?])")
OTHER_LINK = re.compile(r"\](?=[ \t\n]*[(\[:])(?![ \t\n]*\([ \t\n]*(https?://|mailto:|#))", re.IGNORECASE)


def plain_markdown(text):
    """A student's Markdown without HTML, and with links only to web pages, mail addresses and places in the same page.

    The formgrader runs what stands in a cell with the instructor's rights."""
    return OTHER_LINK.sub("&#93;", OPENS_TAG.sub("&lt;", text))


def plain_html(text):
    """An HTML output with tables and text only: no script, no style, no picture from elsewhere.

    What is nested so deeply that reading it would take minutes is shown as the text that it is."""
    text = WITH_CONTENT.sub("", text.decode() if isinstance(text, bytes) else str(text))
    if not _is_soon_read(text):
        return f"<pre>{html.escape(text)}</pre>"
    return bleach.clean(text, tags=ALLOWED_TAGS, attributes=ALLOWED_ATTRIBUTES, strip=True)


def _is_soon_read(text):
    """Whether an HTML parser is soon done with a text: at each tag it may look at all that are open, and at all attributes of its own."""
    opened, depth, work = collections.Counter(), 0, 0
    for tag in TAG.finditer(text):
        closes, name = tag[1], (tag[2] + tag[3]).lower()
        if not tag[2]:  # no tag, but it must be looked at more closely than text
            work += 10
        elif not closes:
            opened[name] += 1
            depth += 1
        elif opened[name]:
            opened[name] -= 1
            depth -= 1
        work += depth + 1
        if work > MOST_WORK or tag.end() - tag.start() > LONGEST_TAG and tag[2]:
            return False
    return True
