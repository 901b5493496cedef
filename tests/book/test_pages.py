"""Every built page, in a real browser: it is there, whole, asks no other host, and can be used by everyone."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe

ROOT = Path(__file__).parents[2]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
# Told that only faults are wanted, axe does not describe every sound element as well, which takes it as long as looking for faults.
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], "resultTypes": ["violations"]}


def contents() -> list[str]:
    """Every page that _toc.yml names, without ending."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter["file"] for part in toc.get("parts", []) for chapter in part["chapters"]]
    return [toc["root"], *chapters]


@pytest.fixture(scope="module")
def pages(built_book) -> list[str]:
    """Every HTML page of the site, as its address."""
    return sorted(file.relative_to(built_book).as_posix() for file in built_book.rglob("*.html"))


def test_each_page_of_the_contents_is_built_without_a_traceback(built_book):
    for page in contents():
        html = (built_book / f"{page}.html").read_text(encoding="utf-8")
        assert "Traceback (most recent call last)" not in html, page
        assert "<h1" in html, page


def test_every_text_of_the_book_is_in_the_contents():
    """A page that nobody can reach is a page that nobody reads."""
    written = {file.relative_to(ROOT).with_suffix("").as_posix() for file in (ROOT / "book").rglob("*.md")}
    assert written == set(contents())


def test_no_page_holds_widget_state_or_another_hosts_script(built_book):
    for file in built_book.rglob("*.html"):
        html = file.read_text(encoding="utf-8")
        assert "jupyter.widget" not in html, file.name
        assert not re.search(r'<(?:script|img|iframe|source)[^>]+src="(?:https?:)?//', html), file.name
        assert not re.search(r'<link[^>]+rel="(?:stylesheet|preload|preconnect|icon)"[^>]+href="(?:https?:)?//', html), file.name


def test_every_page_has_the_books_own_icon(built_book):
    """Without one, browsers ask the site's root for a file that is not there."""
    for page in contents():
        icon = re.search(r'<link rel="icon" href="([^"]+)"', (built_book / f"{page}.html").read_text(encoding="utf-8"))
        assert icon and ((built_book / page).parent / icon[1].partition("?")[0]).resolve().is_file(), page


def dropped_icon(request) -> bool:
    """The browser drops its request for the icon when the next page is opened. That the icon is there is tested above."""
    return request.url.endswith("/favicon.svg") and request.failure == "net::ERR_ABORTED"


@pytest.mark.parametrize("start", ["served", "file"])
def test_no_page_asks_another_host_or_complains(start, pages, site, built_book, browser):
    """All other hosts are blocked: an attempt, an error in the console, a failed request or a broken picture fails."""
    home = site if start == "served" else built_book.as_uri()
    context = browser.new_context(viewport=DESK)
    faults: list[str] = []

    def watch(route):
        if not route.request.url.startswith((home, "data:", "blob:")):
            faults.append(f"{page.url} asked for {route.request.url}")
            route.abort()
        else:
            route.continue_()

    context.route("**/*", watch)
    page = context.new_page()
    page.on("console", lambda message: faults.append(f"{page.url}: {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    page.on("requestfailed", lambda request: dropped_icon(request) or faults.append(f"{page.url}: no {request.url}"))
    page.on("response", lambda answer: faults.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    for name in pages:
        page.goto(f"{home}/{name}", wait_until="load")
        if name == "index.html":  # the site's root sends the reader on to the welcome page
            page.wait_for_url("**/book/index.html")
        page.evaluate("Promise.all(Array.from(document.querySelectorAll('figure.explorer'), f => f.mystiqueDraw()))")
        broken = page.evaluate("Array.from(document.images).filter(i => i.complete && !i.naturalWidth).map(i => i.src)")
        faults += [f"{name}: broken picture {source}" for source in broken]
    context.close()
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("size, scheme", [
    pytest.param(DESK, "light", id="desk-light"), pytest.param(PHONE, "dark", id="phone-dark"),
    pytest.param(DESK, "dark", id="desk-dark", marks=pytest.mark.full), pytest.param(PHONE, "light", id="phone-light", marks=pytest.mark.full),
])
def test_axe_finds_nothing_and_no_page_moves_sideways(size, scheme, site, browser):
    context = browser.new_context(viewport=size, color_scheme=scheme)
    page = context.new_page()
    faults = []
    for name in contents():
        page.goto(f"{site}/{name}.html")
        page.evaluate("Promise.all(Array.from(document.querySelectorAll('figure.explorer'), f => f.mystiqueDraw()))")
        found = Axe().run(page, options=AXE)
        for fault in found.response["violations"]:
            nodes = "; ".join(node["html"][:150] for node in fault["nodes"][:3])
            faults.append(f"{name}: {fault['id']}: {fault['help']} ({len(fault['nodes'])}): {nodes}")
        sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if sideways > 0:
            faults.append(f"{name} moves sideways by {sideways} pixels")
    context.close()
    assert not faults, "\n".join(faults)


def test_every_icon_is_drawn(built_book):
    """Icons come from our style sheet, not from a library; a theme with a new icon must not show a blot."""
    drawn = set(re.findall(r"\.fa-([a-z-]+)\{", (built_book / "_static" / "mystique-icons.css").read_text(encoding="utf-8")))
    sizes = {"solid", "lg", "fw"}
    for file in built_book.rglob("*.html"):
        for classes in re.findall(r'class="([^"]*\bfa[sbr]?[ -][^"]*)"', file.read_text(encoding="utf-8")):
            used = {name.removeprefix("fa-") for name in classes.split() if name.startswith("fa-")} - sizes
            assert used <= drawn, f"{file.name}: {used - drawn}"


def test_no_canary_reaches_the_book(built_book):
    for file in built_book.rglob("*"):
        if file.is_file():
            assert b"MYSTIQUE-CANARY" not in file.read_bytes(), file


def test_vendored_code_is_what_its_manifest_says():
    """Licence, version and checksum of all code of others that the repository ships."""
    import hashlib

    import vl_convert

    vendor = ROOT / "src" / "mystique" / "assets" / "vendor"
    manifest = json.loads((vendor / "manifest.json").read_text(encoding="utf-8"))
    listed = {name: digest for package in manifest["packages"] for name, digest in package["sha256"].items()}
    there = {file.relative_to(vendor).as_posix() for file in vendor.rglob("*") if file.is_file()} - {"manifest.json"}
    assert listed.keys() == there
    for name, digest in listed.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest, name
    vega = next(package for package in manifest["packages"] if package["name"] == "vega")
    assert vega["version"] == vl_convert.get_vega_version(), "pages must run the Vega that vl-convert compiles for"
    assert f'version="{vega["version"]}"' in (vendor / "vega/vega.min.js").read_text(encoding="utf-8")
    assert all(package["licence"] and package["source"] for package in manifest["packages"])


def test_the_theme_is_the_one_that_looks_right():
    """Newer themes show a second search header and a theme-mode error with Jupyter Book 1."""
    assert version("sphinx-book-theme") == "1.1.4"
    assert version("jupyter-book").startswith("1.")
