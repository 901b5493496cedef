"""Known answers to a problem set, as data: `exercises/answers/NAME.yml`.

For each question: `right`, answers in other styles that must earn all points, and `wrong`, known mistakes with the
misconception, the points that they must earn and (a part of) the message that the student must get. The tests run them
through the real checks, and an instructor's list of common mistakes is made from the same file.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml


class AnswersError(ValueError):
    """A file of answers is damaged; the message says which question and answer, and what is wanted."""


@dataclass(frozen=True)
class Answer:
    """One known answer. points and message are None for a right one."""

    question: str
    name: str
    code: str
    misconception: str = ""
    points: float | None = None
    message: str | None = None

    @property
    def is_right(self):
        return self.points is None


def read_answers(path):
    """All answers of a file, in its order."""
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as problem:
        raise AnswersError(f"{path}: not readable as YAML: {problem}") from problem
    if not isinstance(content, dict):
        raise AnswersError(f"{path}: questions such as q1, each with `right` and `wrong`, were expected")
    answers = []
    for question, groups in content.items():
        for each in _entries(path, question, groups, "right", {"style", "code"}):
            answers.append(Answer(question, each["style"], each["code"]))
        for each in _entries(path, question, groups, "wrong", {"name", "misconception", "code", "points", "message"}):
            answers.append(Answer(question, each["name"], each["code"], each["misconception"], float(each["points"]), each["message"]))
    return answers


def _entries(path, question, groups, kind, fields):
    if not isinstance(groups, dict) or set(groups) != {"right", "wrong"}:
        raise AnswersError(f"{path}: {question}: `right` and `wrong` were expected, and nothing else")
    for place, each in enumerate(groups[kind], start=1):
        if not isinstance(each, dict) or set(each) != fields:
            raise AnswersError(f"{path}: {question}, {kind} answer {place}: the fields {', '.join(sorted(fields))} were expected")
        yield each
