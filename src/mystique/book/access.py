"""Small repairs for readers who use a keyboard or a screen reader, where the theme, docutils or pandas falls short of WCAG.

Each is found by axe when it is missing (`tests/book/test_pages.py`).
"""

from __future__ import annotations

REPAIRS = {
    # A wide table scrolls inside its own box: the box must take the keyboard's focus.
    '<div class="pst-scrollable-table-container">': '<div class="pst-scrollable-table-container" tabindex="0">',
    # docutils marks bibliography entries with a role that ARIA has withdrawn; their parent is a list.
    'role="doc-biblioentry"': 'role="listitem"',
    # pandas heads the column of row names with an empty heading.
    "<th></th>": "<td></td>",
}


def setup(app) -> None:
    app.connect("html-page-context", repair)


def repair(app, pagename, templatename, context, doctree) -> None:
    """Mend a page's body in place."""
    body = context.get("body", "")
    for fault, cure in REPAIRS.items():
        body = body.replace(fault, cure)
    context["body"] = body
