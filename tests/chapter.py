"""Runs a chapter's code cells as its notebook would, and notes every explorer that it makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import yaml
from myst_nb.core.read import read_myst_markdown_notebook

from mystique import explore
from mystique.explore.controls import Control, describe, widget_for

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"


@dataclass
class Made:
    """An explorer as its chapter made it."""

    name: str
    function: Callable
    controls: list[Control]
    twin: str | None


@dataclass
class Chapter:
    """A chapter after its code has run: its explorers, and the numbers that it glued."""

    file: Path
    explorers: list[Made] = field(default_factory=list)
    glued: dict = field(default_factory=dict)


def notebooks() -> list[Path]:
    """The pages of the book that run code."""
    return sorted(file for file in BOOK.glob("*.md") if file.read_text(encoding="utf-8").startswith("---\njupytext:"))


def chapters() -> list[Path]:
    """The notebooks in the numbered parts of the contents."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    numbered = [chapter["file"] for part in toc["parts"] if part.get("numbered") for chapter in part["chapters"]]
    return [file for file in notebooks() if f"book/{file.stem}" in numbered]


_ran: dict[Path, Chapter] = {}


def run(file: Path, monkeypatch) -> Chapter:
    """Run all code cells of a chapter in this process, from the book's folder; once, however many tests ask."""
    import myst_nb

    if file in _ran:
        return _ran[file]
    chapter = Chapter(file)

    def note(function, *, name=None, twin=None, data=None, **given):
        name = name or function.__name__.replace("_", "-")
        controls = [describe(name, key, widget_for(name, key, value)) for key, value in given.items()]
        chapter.explorers.append(Made(name, function, controls, twin))

    monkeypatch.setattr(explore, "explore", note)
    monkeypatch.setattr(myst_nb, "glue", lambda name, value, display=True: chapter.glued.__setitem__(name, value))
    monkeypatch.chdir(file.parent)
    space: dict = {"__name__": "__main__"}
    for cell in read_myst_markdown_notebook(file.read_text(encoding="utf-8")).cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, str(file), "exec"), space)
    _ran[file] = chapter
    return chapter
