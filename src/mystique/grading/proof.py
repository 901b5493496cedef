"""Proves a problem set before it is handed out: the reference earns everything, the stub nothing, every known right
answer all of its points, and every known mistake just its points, with its message.

It runs what the course's authors wrote (see `mystique.grading.trial`), on the data that lie beside the notebook.
"""

import re
from dataclasses import dataclass

from .answers import read_answers
from .trial import Trial


@dataclass(frozen=True)
class Outcome:
    """One answer tried: what it should have earned, what it earned, and what is wrong with that (empty if nothing)."""

    question: str
    answer: str
    expected: float
    score: float
    fault: str


def prove(notebook, answers):
    """Try every answer of the file `answers` on a source notebook; a list of `Outcome`, the reference's and stub's first."""
    with Trial(notebook) as trial:
        outcomes = [
            _outcome(name, "reference", trial.questions[name].points, result, "") for name, result in trial.run().items()
        ]
        stubs = {name: question.stub for name, question in trial.questions.items()}
        outcomes += [_outcome(name, "stub", 0, result, "") for name, result in trial.run(stubs).items()]
        for answer in read_answers(answers):
            question = trial.questions[answer.question]
            result = trial.run({answer.question: f"{question.stub}\n{answer.code}"}, only=answer.question)[answer.question]
            expected = question.points if answer.is_right else answer.points
            outcomes.append(_outcome(answer.question, answer.name, expected, result, answer.message or ""))
    return outcomes


def _outcome(question, answer, expected, result, message):
    said = " ".join(result.output.split())
    fault = ""
    if result.score != expected:
        fault = f"{result.score:g} points in place of {expected:g}: {said}{result.error}"
    elif re.sub(r"\s+", " ", message) not in said:
        fault = f"the message '{message}' is missing: {said}"
    return Outcome(question, answer, expected, result.score, fault)
