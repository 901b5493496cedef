"""Leaves out what Jupyter Book and its theme load without need: a kernel client that is never started (it names
another host in every page), and an icon library of which a dozen icons are used.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import quote

import pydata_sphinx_theme

TEMPLATES = Path(__file__).parent / "templates"
FONT_AWESOME = "vendor/fontawesome"

# Every icon that the theme's templates use on our pages; a test looks for others.
ICONS = (
    "angle-left", "angle-right", "arrow-up", "bars", "chevron-down", "chevron-right", "circle-half-stroke", "download",
    "expand", "file", "file-pdf", "list", "magnifying-glass", "moon", "sun",
)


def setup(app) -> None:
    app.connect("config-inited", use_templates)
    app.connect("builder-inited", silence_thebe)
    app.connect("build-finished", drop_unused)


def use_templates(app, config) -> None:
    config.templates_path.append(str(TEMPLATES))


def silence_thebe(app) -> None:
    """Jupyter Book always loads sphinx-thebe; without its listeners it adds nothing to a page."""
    for name, listeners in app.events.listeners.items():
        app.events.listeners[name] = [one for one in listeners if not one.handler.__module__.startswith("sphinx_thebe")]


def drop_unused(app, error) -> None:
    """The icon library, and the theme's macros, which it copies beside its styles as if they were pages."""
    if error is None and app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        shutil.rmtree(static / FONT_AWESOME, ignore_errors=True)
        for macros in static.glob("*webpack-macros.html"):
            macros.unlink()


def icon_css() -> str:
    """The icons in use as style rules, drawn from the theme's copy of Font Awesome Free (icons: CC BY 4.0)."""
    theme = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static" / FONT_AWESOME
    (library,) = theme.glob("*/js/all.min.js")
    drawings = library.read_text(encoding="utf-8")
    rules = "\n".join(f'.fa-{name}{{--icon:url("{_svg(name, drawings)}")}}' for name in ICONS)
    return (
        "/* Icons: Font Awesome Free by Fonticons, Inc., CC BY 4.0. */\n"
        ".fa-solid,.fas{display:inline-block;width:1em;height:1em;vertical-align:-.125em;background:currentColor;"
        "-webkit-mask:var(--icon) center/contain no-repeat;mask:var(--icon) center/contain no-repeat}\n" + rules + "\n"
    )


def _svg(name: str, drawings: str) -> str:
    """A solid icon as a data address; the library lists brands and outlines before the solid ones."""
    found = re.findall(rf'[,{{]"?{re.escape(name)}"?:\[(\d+),(\d+),\[[^\]]*\],"[^"]*","([^"]*)"\]', drawings)
    width, height, path = found[-1]
    return "data:image/svg+xml," + quote(
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}'><path d='{path}'/></svg>", safe=" '=/:"
    )
