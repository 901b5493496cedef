"""What every chapter must have, by its source and by its built page."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

import chapter as chapters

from mystique import data

BOOK = chapters.BOOK
PAGES = sorted(BOOK.glob("*.md"))
CHAPTERS = chapters.chapters()
LEAST_CHECKS = 3


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def without_code(text: str) -> str:
    """A page's source without its head, code cells and other fenced blocks, whose words are not the chapter's prose."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    return re.sub(r"^(`{3,})[^`].*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)


def sections(page: Path) -> dict[str, str]:
    """The text of each labelled section, code included."""
    parts = re.split(r"^\(([\w-]+)\)=\n", text_of(page), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def test_there_are_chapters():
    assert CHAPTERS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_section_has_a_label_and_no_heading_jumps(page):
    lines = without_code(text_of(page)).splitlines()
    level = 0
    for before, line in zip(["", *lines], lines):
        heading = re.match(r"(#+) ", line)
        if heading:
            assert re.fullmatch(r"\([\w-]+\)=", before), f"no label before {line!r}"
            assert len(heading[1]) <= level + 1, f"{line!r} jumps from level {level}"
            level = len(heading[1])
    assert level


def test_labels_are_used_once():
    labels = [label for page in PAGES for label in re.findall(r"^\(([\w-]+)\)=$", text_of(page), flags=re.MULTILINE)]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_a_chapter_has_what_readers_expect(page):
    text = text_of(page)
    assert text.count("```{selfcheck}") >= LEAST_CHECKS
    assert "```{synthetic}" in text
    assert "you will be able to" in text.lower()
    found = list(sections(page))
    for ending in ("-what-this-does-not-show", "-monday", "-summary", "-discussion", "-further-reading", "-references"):
        assert any(label.endswith(ending) for label in found), f"no section {ending}"
    question = re.search(r"^# .*\n\n(.*)", without_code(text), flags=re.MULTILINE)[1]
    assert question.endswith("?"), "a chapter starts with its question"


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_a_chapter_takes_an_evening_and_no_more(page):
    prose = re.sub(r"^\|.*\|$", "", without_code(text_of(page)), flags=re.MULTILINE)
    words = re.findall(r"[A-Za-z’'-]{2,}", re.sub(r"\{[\w:]+\}`[^`]*`", " word ", prose))
    assert 1_500 <= len(words) <= 2_650, f"{len(words)} words of prose"


def test_every_source_of_the_bibliography_is_cited_and_every_citation_resolves():
    entries = set(re.findall(r"^@\w+\{([\w-]+),", text_of(BOOK / "references.bib"), flags=re.MULTILINE))
    cited = {
        key.strip() for page in PAGES for keys in re.findall(r"\{cite:\w+\}`([^`]+)`", text_of(page)) for key in keys.split(",")
    }
    assert entries == cited


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_a_section_that_leans_on_an_author_cites(page):
    bibliography = text_of(BOOK / "references.bib")
    authors = {name for name in re.findall(r"author\s*=\s*\{+(\w+),", bibliography)}
    assert "Honig" in authors
    for label, text in sections(page).items():
        prose = without_code(text)
        named = {author for author in authors if re.search(rf"\b{author}\b", prose)}
        told_about = re.search(r"\b(study|studies|experiment|meta-analys\w+|standard in)\b", prose) and "{cite" not in prose
        assert not told_about, f"{label} speaks of studies and cites none"
        if named and not label.endswith(("-does-not-show", "-monday", "-summary", "-discussion", "-which-first", "-data")):
            assert "{cite" in prose, f"{label} names {', '.join(sorted(named))} and cites nothing"


@pytest.mark.parametrize("page", chapters.notebooks(), ids=lambda page: page.stem)
def test_no_figure_from_our_data_is_typed_by_hand(page, monkeypatch):
    """A number that the chapter computes must come from `glue`; typed, it would be wrong for other data."""
    made = chapters.run(page, monkeypatch)
    used = re.findall(r"\{glue:?\w*\}`([\w-]+)(?::([^`]+))?`", text_of(page))
    assert {name for name, _ in used} <= made.glued.keys()
    assert made.glued.keys() <= {name for name, _ in used}, "glued and never shown"
    shown = {format(made.glued[name], form) if form else str(made.glued[name]) for name, form in used}
    telling = {text for text in shown if "." in text and re.fullmatch(r"[\d.]+", text) or not re.search(r"\d", text)}
    prose = without_code(text_of(page))
    typed = {text for text in telling if re.search(rf"(?<![\w.]){re.escape(text)}(?![\w.]*\d)", re.sub(r"\{glue[^`]*`[^`]*`", "", prose))}
    allowed = set(made.glued[name] for name, _ in used if isinstance(made.glued[name], str) and made.glued[name] in SERVICES)
    assert not typed - allowed, f"typed by hand: {typed - allowed}"


SERVICES = {"housing", "shelter", "health care", "income support", "employment", "legal advice"}  # words of everyday prose too


@pytest.mark.full
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_a_chapter_runs_on_other_data_and_says_other_numbers(page, seed, tmp_path, monkeypatch):
    book = tmp_path / "book"
    shutil.copytree(BOOK, book)
    for name in data.NAMES:
        data.write(data.make(name, seed), tmp_path / "datasets")
    here = chapters.run(page, monkeypatch).glued
    there = chapters.run(book / page.name, monkeypatch).glued
    numbers = [name for name, value in here.items() if not isinstance(value, str) and isinstance(float(value), float)]
    changed = [name for name in numbers if here[name] != there[name]]
    assert len(changed) >= len(numbers) / 2, "figures that do not depend on the data are not figures of the data"


@pytest.mark.full
@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_a_chapter_runs_as_a_notebook_in_a_fresh_kernel(page):
    """As a reader who opens it in JupyterLab: live widgets, top to bottom, no error."""
    from myst_nb.core.read import read_myst_markdown_notebook
    from nbclient import NotebookClient

    notebook = read_myst_markdown_notebook(text_of(page))
    for cell in notebook.cells:
        cell.metadata.pop("_source_lines", None)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(BOOK)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert any("application/vnd.jupyter.widget-view+json" in output["data"] for output in shown)


# The built pages ---------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """The ids, links and pictures of a page."""

    def __init__(self, html: str):
        super().__init__()
        self.ids, self.links, self.pictures = set(), [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if found.get("id"):
            self.ids.add(found["id"])
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag == "img":
            self.pictures.append((found.get("src"), found.get("alt")))


@pytest.fixture(scope="module")
def site_pages(built_book) -> dict[Path, Page]:
    return {file.resolve(): Page(file.read_text(encoding="utf-8")) for file in built_book.rglob("*.html")}


def test_no_link_inside_the_book_is_dead(site_pages):
    dead = []
    for file, page in site_pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or link.startswith("//"):
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if not target.is_file():
                dead.append(f"{file.name}: {link}")
            elif parts.fragment and target in site_pages and unquote(parts.fragment) not in site_pages[target].ids:
                dead.append(f"{file.name}: {link} (no such section)")
    assert not dead, "\n".join(dead)


def test_every_picture_says_what_it_shows(site_pages):
    for file, page in site_pages.items():
        for source, alternative in page.pictures:
            assert alternative and len(alternative) > 15 and not alternative.endswith((".svg", ".png")), f"{file.name}: {source}"


@pytest.mark.parametrize("chapter", chapters.notebooks(), ids=lambda page: page.stem)
def test_every_chart_has_a_description_and_a_table(chapter, built_book):
    html = (built_book / "book" / f"{chapter.stem}.html").read_text(encoding="utf-8")
    figures = re.findall(r'<figure class="explorer.*?</figure>', html, flags=re.DOTALL)
    assert figures
    for figure in figures:
        assert len(re.search(r'class="explorer-picture" role="img" aria-label="([^"]*)"', figure)[1]) > 30
        assert len(re.search(r'class="explorer-sentence">(.*?)</p>', figure, flags=re.DOTALL)[1]) > 30
        assert figure.count("<td>") >= 4


def test_exercises_link_to_sections_that_are_there():
    """A message that says where to look again must lead somewhere."""
    labels = {label for page in PAGES for label in sections(page)}
    for file in [*(chapters.ROOT / "exercises" / "source").rglob("*.ipynb"), *(chapters.ROOT / "exercises" / "answers").glob("*")]:
        text = file.read_text(encoding="utf-8")
        for label in re.findall(r"section=\\?[\"']([\w-]+)", text) + re.findall(r"wanted\.html#([\w-]+)", text):
            assert label in labels, f"{file.name}: {label}"


def test_question_banks_belong_to_chapters():
    for file in (BOOK / "checks").glob("*.yml"):
        assert (BOOK / f"{file.stem}.md") in CHAPTERS, file.name
        assert yaml.safe_load(file.read_text(encoding="utf-8"))
