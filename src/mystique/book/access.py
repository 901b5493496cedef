"""Small repairs for readers who use a keyboard, a screen reader or a phone, where the theme, docutils or pandas falls short of WCAG.

Each of `REPAIRS` is found by axe when it is missing (`tests/book/test_pages.py`); `breakable` is tested in
`tests/book/test_python_and_pandas.py`.
"""

from __future__ import annotations

import re

REPAIRS = {
    # A wide table scrolls inside its own box: the box must take the keyboard's focus.
    '<div class="pst-scrollable-table-container">': '<div class="pst-scrollable-table-container" tabindex="0">',
    # docutils marks bibliography entries with a role that ARIA has withdrawn; their parent is a list.
    'role="doc-biblioentry"': 'role="listitem"',
    # pandas heads the column of row names with an empty heading.
    "<th></th>": "<td></td>",
}

CODE_IN_A_CELL = re.compile(r'(?<=<span class="pre">)[^<]+(?=</span>)')
BEFORE_A_DOT_OR_AFTER_A_BRACKET = re.compile(r"(?<=[\w)\]])(?=\.[A-Za-z_])|(?<=[\[(/\\])(?=[^\s\])/\\])")


def setup(app) -> None:
    app.connect("html-page-context", repair)


def repair(app, pagename, templatename, context, doctree) -> None:
    """Mend a page's body in place."""
    body = context.get("body", "")
    for fault, cure in REPAIRS.items():
        body = body.replace(fault, cure)
    context["body"] = re.sub(r"<td.*?</td>", breakable, body, flags=re.DOTALL)


def breakable(cell: re.Match) -> str:
    """A table's cell whose code may go on in the next line where a name ends, and nowhere inside one."""
    return CODE_IN_A_CELL.sub(lambda code: BEFORE_A_DOT_OR_AFTER_A_BRACKET.sub("<wbr>", code[0]), cell[0])
