"""The Sphinx extension that makes the book: its assets, directives and checks, so that plain `jupyter-book build .`
needs no step before it.

`setup` is all that Sphinx sees. The parts: `directives` (synthetic-data box, codebook), `selfcheck` (questions with
feedback), `common_mistakes` (what the problem sets' checks know), `explorers` (what pages with explorers need, and their
weight), `equations` (MathML), `lean` (what is left out), `access` (repairs for keyboards and screen readers).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from .. import charts
from ..explore import BUILDING
from . import access, common_mistakes, directives, equations, explorers, lean, selfcheck

PACKAGE = Path(__file__).parents[1]
ASSETS = PACKAGE / "assets"


def setup(app):
    """Register everything with Sphinx."""
    os.environ[BUILDING] = "1"  # kernels that run the chapters inherit it
    app.connect("config-inited", add_static_files)
    app.connect("env-get-outdated", outdated)
    app.add_css_file("mystique-colours.css")
    app.add_css_file("mystique-icons.css")
    app.add_css_file("mystique.css")
    for part in (access, common_mistakes, directives, equations, explorers, lean, selfcheck):
        part.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def add_static_files(app, config) -> None:
    """Ship the package's own assets, and the palette and icons as CSS, in `_static/`."""
    made = Path(app.doctreedir) / "mystique"
    made.mkdir(parents=True, exist_ok=True)
    (made / "mystique-colours.css").write_text(charts.colour_css(), encoding="utf-8")
    (made / "mystique-icons.css").write_text(lean.icon_css(), encoding="utf-8")
    config.html_static_path += [str(ASSETS), str(made)]


def outdated(app, env, added, changed, removed) -> list[str]:
    """All pages, if the package or the data changed since the last build: any chapter may show either."""
    now = digest([*PACKAGE.rglob("*.py"), *(Path(app.srcdir) / "datasets").rglob("*.csv")])
    before, env.mystique_digest = getattr(env, "mystique_digest", None), now
    return [] if before == now else sorted(env.found_docs)


def digest(files: list[Path]) -> str:
    """One fingerprint for the contents of several files."""
    parts = (hashlib.sha256(file.read_bytes()).digest() for file in sorted(files))
    return hashlib.sha256(b"".join(parts)).hexdigest()
