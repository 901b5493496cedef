"""A trial scores as nbgrader does, survives what an answer does, and starts each run afresh."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from mystique.grading.answers import AnswersError, read_answers
from mystique.grading.trial import Trial, TrialError, grade


def cell(grade_id, source, points=None):
    locked = points is not None or grade_id.endswith("-given")
    meta = {"grade": points is not None, "solution": not locked, "locked": locked, "task": False, "grade_id": grade_id, "schema_version": 3}
    return new_code_cell(source, metadata={"nbgrader": {**meta, **({"points": points} if points is not None else {})}})


@pytest.fixture
def notebook(tmp_path):
    path = tmp_path / "ps9.ipynb"
    nbformat.write(new_notebook(cells=[
        new_code_cell("start = 10"),
        cell("ps9-q1-given", "more = 1"),
        cell("ps9-q1", "x = None\n### BEGIN SOLUTION\nx = start + more\n### END SOLUTION"),
        cell("ps9-q1-test", "print('x is', x)\n2.0 if x == 11 else 0.5", 2),
        cell("ps9-q2", "y = None\n### BEGIN SOLUTION\ny = 2\n### END SOLUTION"),
        cell("ps9-q2-test", "assert y == 2, 'y is not 2'", 3),
    ]), path)
    return path


def test_scores_output_and_errors(notebook):
    with Trial(notebook, warm=()) as trial:
        assert {name: result.score for name, result in trial.run().items()} == {"q1": 2, "q2": 3}
        results = trial.run({"q1": "x = 5", "q2": "y = 5"})
    assert results["q1"].score == 0.5 and "x is 5" in results["q1"].output
    assert results["q2"].score == 0 and results["q2"].error == "AssertionError: y is not 2"


def test_stub_is_what_a_student_gets(notebook):
    with Trial(notebook, warm=()) as trial:
        assert trial.questions["q1"].stub == "x = None\n# YOUR CODE HERE"


def test_only_leaves_the_other_questions_out(notebook):
    with Trial(notebook, warm=()) as trial:
        assert list(trial.run(only="q2")) == ["q2"]
        assert trial.run({"q2": "y = start - 8"}, only="q2")["q2"].score == 3
        assert trial.run({"q2": "y = more + 1"})["q2"].score == 3
        assert trial.run({"q2": "y = more + 1"}, only="q2")["q2"].score == 0, "what is given for q1 was there"


def test_each_run_starts_afresh(notebook):
    with Trial(notebook, warm=()) as trial:
        trial.run({"q1": "start = 99\nx = 11\nleft = 1"})
        results = trial.run({"q2": "y = left"})
    assert results["q1"].score == 2 and results["q2"].score == 0


def test_names_that_hide_built_ins_are_the_answers_own(notebook):
    """As when work is graded: the tests keep their own `print`, while a later answer meets what an earlier one did."""
    with Trial(notebook, warm=()) as trial:
        results = trial.run({"q1": "x = 11\nprint = sum = 3", "q2": "y = sum - 1"})
    assert results["q1"].score == 2 and "x is 11" in results["q1"].output and results["q2"].score == 3


def test_warnings_cost_nothing_and_exit_costs_its_cell(notebook):
    with Trial(notebook, warm=()) as trial:
        results = trial.run({"q1": "import warnings; warnings.warn('odd'); x = 11", "q2": "import sys; sys.exit()"})
    assert results["q1"].score == 2 and results["q2"].score == 0


def test_an_endless_answer_is_stopped_and_the_next_one_runs(notebook):
    with Trial(notebook, time_limit=2, warm=()) as trial:
        trial.run()
        with pytest.raises(TrialError, match="no end"):
            trial.run({"q1": "while True: pass"})
        with pytest.raises(TrialError, match="ended the process"):
            trial.run({"q1": "import os; os._exit(1)"})
        assert trial.run()["q1"].score == 2


def test_unknown_question_is_refused(notebook):
    with Trial(notebook, warm=()) as trial, pytest.raises(TrialError, match="no question q7"):
        trial.run({"q7": "x = 1"})


@pytest.mark.parametrize("outputs, score", [
    ([], 4),
    ([new_output("stream", name="stdout", text="hello")], 4),
    ([new_output("stream", name="stderr", text="a warning")], 4),
    ([new_output("error", ename="E", evalue="", traceback=[])], 0),
    ([new_output("execute_result", data={"text/plain": "1.5"})], 1.5),
    ([new_output("execute_result", data={"text/plain": "0.0"})], 0),
    ([new_output("execute_result", data={"text/plain": "None"})], 4),
])
def test_grade_is_nbgraders(outputs, score):
    assert grade(outputs, 4) == score


@pytest.mark.parametrize("text, message", [
    ("q1: [", "not readable as YAML"), ("- 1", "questions such as q1"), ("q1: {right: []}", "`right` and `wrong`"),
    ("q1: {right: [{style: a}], wrong: []}", "q1, right answer 1"),
])
def test_damaged_answers_say_where(text, message, tmp_path):
    path = tmp_path / "ps9.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AnswersError, match=message):
        read_answers(path)
