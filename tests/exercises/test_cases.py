"""A case tells each known mistake from a right answer and from the others: seeds on which an answer once earned something else."""

import re
import shutil
from pathlib import Path

import pytest

from mystique.grading.answers import read_answers
from mystique.grading.handout import write_handout
from mystique.grading.trial import Trial

EXERCISES = Path(__file__).resolve().parents[2] / "exercises"


@pytest.mark.parametrize("name, seed, question, known", [
    ("ps2", 56194573939236, "q3", "item-dropped"),          # alpha of three items was that of all four, turned
    ("ps3", 10033299373523, "q3", "uses-the-notebook"),     # a rater's mean was the right answer on another table
    ("ps3", 14731352446175, "q4", "a loop over the agencies, places counted"),    # right, and a tie once rounded as the question allows
])
def test_an_answer_earns_what_it_should(name, seed, question, known, tmp_path):
    shutil.copytree(EXERCISES / "source" / name, tmp_path / name)
    write_handout(name, seed, tmp_path / name)
    answer = next(each for each in read_answers(EXERCISES / "answers" / f"{name}.yml") if (each.question, each.name) == (question, known))
    with Trial(tmp_path / name / f"{name}.ipynb", warm=("numpy", "pandas")) as trial:
        result = trial.run({question: f"{trial.questions[question].stub}\n{answer.code}"}, only=question)[question]
    assert result.score == (trial.questions[question].points if answer.is_right else answer.points), result.output
    assert (answer.message or "") in re.sub(r"\s+", " ", result.output), result.output
