"""Hints lead, and do not tell: every question has three or more, and none holds a line of the model answer."""

import re
from pathlib import Path

import pytest

from mystique.grading.learner import CANARY, SOLUTION, read_hints, read_questions

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "exercises" / "hints").glob("*.yml"))
LEAST = 12  # characters of a right side that are no answer by themselves


def source(path):
    return ROOT / "exercises" / "source" / path.stem / f"{path.stem}.ipynb"


def close(text):
    return re.sub(r"\s+", "", text)


def test_there_are_hints():
    assert ROOT / "exercises" / "hints" / "ps1.yml" in FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_question_has_hints_and_a_why(path):
    hints, questions = read_hints(path), read_questions(source(path))
    assert list(hints) == list(questions)
    for name, each in hints.items():
        assert len(each["hints"]) >= 3 and len(set(each["hints"])) == len(each["hints"]), name
        assert len(each["why"].split()) >= 8, name
    assert CANARY not in path.read_text(encoding="utf-8"), "hints are public"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_hint_holds_the_answer(path):
    questions = read_questions(source(path))
    for name, each in read_hints(path).items():
        regions = "".join(found[2] for found in SOLUTION.finditer(questions[name].reference + "\n"))
        lines = [line.strip() for line in regions.splitlines() if len(line.strip()) > 2 and CANARY not in line]
        assert lines, name
        for text in [*each["hints"], each["why"]]:
            for line in lines:
                assert close(line) not in close(text), f"{name}: {line}"
                right_side = line.partition(" = ")[2]
                if len(right_side) >= LEAST:
                    assert close(right_side) not in close(text), f"{name}: {right_side}"
            for letters in re.findall(r'^(\w+) = ("[A-Z]"|\[.*\])$', "\n".join(lines), re.MULTILINE):
                assert not re.search(rf"\b(answer|letter|{letters[0]})`? (is|=|are) {re.escape(letters[1])}", text), name
                assert not re.search(r"\b[B-H]\b", text), f"{name}: a letter in a hint says too much: {text}"
