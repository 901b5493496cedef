"""What pages with explorers need besides their own HTML: scripts on just those pages, and a limit on their weight."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.errors import ExtensionError

from ..explore.answers import gzipped_size

PAGE_LIMIT = 70_000  # bytes of explorer data on one page, gzipped: a second on a slow phone connection

_FIGURE = re.compile(
    r'<figure class="explorer[^"]*" id="explorer-[^"]*" data-name="([^"]*)">.*?'
    r'<script type="application/json" class="explorer-data">(.*?)</script>',
    re.DOTALL,
)


def setup(app) -> None:
    app.connect("doctree-resolved", check_page)
    app.connect("html-page-context", add_scripts)


def found_in(doctree: nodes.document) -> list[tuple[str, str]]:
    """Name and data of each explorer and still figure of a page, in order."""
    return [pair for raw in doctree.findall(nodes.raw) for pair in _FIGURE.findall(raw.astext())]


def check_page(app, doctree, docname: str) -> None:
    """Refuse two explorers of one name on a page, and more explorer data than a page should weigh."""
    found = found_in(doctree)
    names = [name for name, _ in found]
    for name in names:
        if names.count(name) > 1:
            raise ExtensionError(f"{docname}: two explorers are called '{name}'; give each a name of its own.")
    sizes = {name: gzipped_size(data) for name, data in found}
    if sum(sizes.values()) > PAGE_LIMIT:
        each = ", ".join(f"'{name}' {size / 1000:.0f} KB" for name, size in sizes.items())
        raise ExtensionError(
            f"{docname}: its explorers hold {sum(sizes.values()) / 1000:.0f} KB of data gzipped ({each}); the limit "
            f"is {PAGE_LIMIT / 1000:.0f} KB a page. Use fewer steps, fewer rows, or let the page compute (`twin=`)."
        )


def add_scripts(app, pagename, templatename, context, doctree) -> None:
    """Vega, the explorers' script and the twins, on pages that have something to draw."""
    if doctree is None:
        return
    found = found_in(doctree)
    if not found:
        return
    app.add_js_file("vendor/vega/vega.min.js")
    app.add_js_file("explorer.js")
    for twin in sorted({name for _, data in found for name in re.findall(r'"twin":"(\w+)"', data)}):
        app.add_js_file(f"twins/{twin}.js")
