"""The page of common mistakes: every known mistake is there with its points, and no answer is."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from sphinx.errors import ExtensionError

from mystique.book.common_mistakes import common_mistakes, questions_of
from mystique.grading.answers import read_answers

ROOT = Path(__file__).parents[2]
EXERCISES = ROOT / "exercises"
SETS = sorted(file.parent.name for file in EXERCISES.glob("source/*/ps*.ipynb"))


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|") and not line.startswith(("|--", "| What students believe"))]


@pytest.mark.parametrize("name", SETS)
def test_every_known_mistake_has_a_row_with_what_it_costs(name):
    wrong = [answer for answer in read_answers(EXERCISES / "answers" / f"{name}.yml") if not answer.is_right]
    found = rows(common_mistakes(EXERCISES, name))
    assert len(found) == len(wrong) > 0
    titles = questions_of(EXERCISES / "source" / name / f"{name}.ipynb")
    for row, answer in zip(found, wrong):
        believed, costs, told = re.split(r"(?<!\\)\|", row)[1:-1]
        lost, of = map(float, costs.split("of"))
        assert of == titles[answer.question][1] and lost == of - answer.points and lost > 0, row
        assert believed.strip() and re.sub(r"\\(.)", r"\1", told.strip()).removeprefix("… ").removesuffix(" …") == " ".join(answer.message.split())


@pytest.mark.parametrize("name", SETS)
def test_no_answer_and_no_canary_is_told(name):
    text = common_mistakes(EXERCISES, name)
    assert "CANARY" not in text and "SOLUTION" not in text
    codes = [answer.code for answer in read_answers(EXERCISES / "answers" / f"{name}.yml")]
    cells = json.loads((EXERCISES / "source" / name / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    codes += [found for cell in cells for found in re.findall(r"BEGIN (?:SOLUTION|HIDDEN TESTS|MARK SCHEME)(.*?)### END", "".join(cell["source"]), re.DOTALL)]
    messages = {" ".join(answer.message.split()) for answer in read_answers(EXERCISES / "answers" / f"{name}.yml") if not answer.is_right}
    for line in {line.strip() for code in codes for line in code.splitlines() if len(line.strip()) >= 12 and re.search(r"[a-z]", line)}:
        assert line not in text or any(line in message for message in messages), line


def test_the_page_shows_every_set():
    page = (ROOT / "book" / "common-mistakes.md").read_text(encoding="utf-8")
    assert re.findall(r"^```\{common-mistakes\} (\S+)$", page, re.MULTILINE) == SETS


def test_a_set_without_its_files_or_headings_is_refused_with_the_reason(tmp_path):
    with pytest.raises(ExtensionError, match="no problem set 'ps1' here"):
        common_mistakes(tmp_path, "ps1")
    (tmp_path / "answers").mkdir()
    (tmp_path / "source" / "ps1").mkdir(parents=True)
    shutil.copy(EXERCISES / "answers" / "ps1.yml", tmp_path / "answers")
    (tmp_path / "source" / "ps1" / "ps1.ipynb").write_text('{"cells": []}', encoding="utf-8")
    with pytest.raises(ExtensionError, match="ps1.ipynb has no heading.*for q1"):
        common_mistakes(tmp_path, "ps1")
    (tmp_path / "answers" / "ps1.yml").write_text("q1: [", encoding="utf-8")
    with pytest.raises(ExtensionError, match="not readable as YAML"):
        common_mistakes(tmp_path, "ps1")


def test_the_built_page_has_a_table_for_each_question(built_book):
    html = (built_book / "book" / "common-mistakes.html").read_text(encoding="utf-8")
    assert html.count("What students believe") == sum(len(questions_of(EXERCISES / "source" / name / f"{name}.ipynb").keys() & {
        answer.question for answer in read_answers(EXERCISES / "answers" / f"{name}.yml")}) for name in SETS)
    for name in SETS:
        assert f'id="common-mistakes-{name}-q1"' in html
