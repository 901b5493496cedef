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
WHERE_A_NAME_ENDS = re.compile(r"(?<=[\w)\]])(?=\.[A-Za-z_])|(?<=[\[(,/\\])(?=[^\s\])/\\])")  # before a dot; after a bracket, comma or slash
IN_A_LONG_NAME = re.compile(r"(?<=[a-z0-9]_)(?=[a-z0-9])")


def setup(app) -> None:
    app.connect("html-page-context", repair)


def repair(app, pagename, templatename, context, doctree) -> None:
    """Mend a page's body in place."""
    body = context.get("body", "")
    for fault, cure in REPAIRS.items():
        body = body.replace(fault, cure)
    context["body"] = re.sub(r"<td.*?</td>", breakable, body, flags=re.DOTALL)


def breakable(cell: re.Match) -> str:
    """A table's cell whose code may go on in the next line where a name ends. A name that stands alone may do so after an underscore,
    or a codebook would not fit a phone."""
    return CODE_IN_A_CELL.sub(lambda code: (IN_A_LONG_NAME if code[0].isidentifier() else WHERE_A_NAME_ENDS).sub("<wbr>", code[0]), cell[0])
