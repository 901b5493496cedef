"""No small slip in a right answer goes unnoticed: every machine-made one loses points, or is known to mean the same."""

from pathlib import Path

import pytest
import yaml

from mystique.grading.cohort import problem_sets
from mystique.grading.mutants import mutants
from mystique.grading.trial import Trial, TrialError

EXERCISES = Path(__file__).resolve().parents[2] / "exercises"


@pytest.mark.full
@pytest.mark.parametrize("name", problem_sets(EXERCISES))
def test_every_slip_is_caught_or_known_to_mean_the_same(name):
    equivalent = yaml.safe_load((EXERCISES / "answers" / f"{name}-equivalent.yml").read_text(encoding="utf-8"))
    survived, tried = {}, 0
    with Trial(EXERCISES / "source" / name / f"{name}.ipynb") as trial:
        for question in trial.questions.values():
            for slip, code in mutants(question.reference).items():
                tried += 1
                try:
                    score = trial.run({question.name: code}, only=question.name)[question.name].score
                except TrialError:
                    continue  # it ended or froze its process: noticed
                if score == question.points:
                    survived.setdefault(question.name, set()).add(slip)
    assert tried > 8 * len(trial.questions)
    assert survived == {question: set(slips) for question, slips in equivalent.items()}
    assert all(len(reason) > 20 for slips in equivalent.values() for reason in slips.values())
