"""ps1 through nbgrader's own commands, as its documentation says: release, grade, feedback, export."""

import csv
import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from mystique.grading.answers import read_answers
from mystique.grading.trial import Trial

ROOT = Path(__file__).resolve().parents[2]
POINTS = {"q1": 2, "q2": 4, "q3": 4, "q4": 5, "q5": 4, "q6": 3, "q7": 4, "q8": 4, "q9": 4}
MISTAKES = {
    "q1": "counts-every-row", "q2": "refusals-are-answers", "q3": "last-day-left-out", "q4": "sums", "q5": "changes-the-table",
    "q6": "small-numbers-judged", "q7": "half-of-all-who-ask", "q8": "leavers-kept", "q9": "ticks-everything",
}
CANARY = "MYSTIQUE-CANARY-"
NOSY = """
import warnings
warnings.warn("nothing is wrong")
def completeness_of(statuses):
    warnings.warn("still nothing is wrong")
from IPython.display import HTML, Javascript, display
display(HTML("<p>mine</p><script>alert('from a student')</script><img src=x onerror=alert(1)>"), Javascript("alert('from a student')"))
print(open("ps1.ipynb", encoding="utf-8").read())   # the hidden tests and the rubric lie in the folder where the code runs
"""


def nbgrader(course, *arguments):
    """Run one of nbgrader's commands in the course folder; its output if it ends well."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])  # nbgrader calls alembic
    done = subprocess.run([sys.executable, "-m", "nbgrader", *arguments], cwd=course, env={**os.environ, "PATH": path},
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"nbgrader {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def answered(release, answers, written="*Write your answer here.*"):
    notebook = nbformat.reads(nbformat.writes(release), as_version=4)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if grade_id.removeprefix("ps1-") in answers:
            cell.source = answers[grade_id.removeprefix("ps1-")]
        if grade_id == "ps1-q10":
            cell.source = written
    return notebook


@pytest.fixture(scope="session")
def trial():
    with Trial(ROOT / "exercises" / "source" / "ps1" / "ps1.ipynb") as trial:
        yield trial


@pytest.fixture(scope="session")
def wrong(trial):
    """A known mistake for each question: its code, and what Trial says of it."""
    answers = {answer.name: answer for answer in read_answers(ROOT / "exercises" / "answers" / "ps1.yml") if MISTAKES.get(answer.question) == answer.name}
    code = {answer.question: f"{trial.questions[answer.question].stub}\n{answer.code}" for answer in answers.values()}
    return {answer.question: answer for answer in answers.values()}, code


@pytest.fixture(scope="session")
def course(tmp_path_factory, trial, wrong):
    """A graded course: four submissions, feedback and the export."""
    course = tmp_path_factory.mktemp("course") / "exercises"
    shutil.copytree(ROOT / "exercises", course, ignore=shutil.ignore_patterns("gradebook.db", "release", "submitted", "autograded", "feedback", "__pycache__"))
    nbgrader(course, "generate_assignment", "ps1")
    release = nbformat.read(course / "release" / "ps1" / "ps1.ipynb", as_version=4)

    right = {name: re.sub(rf"(?m)^\s*#.*({CANARY}|(BEGIN|END) SOLUTION).*\n?", "", question.reference) for name, question in trial.questions.items()}
    odd = answered(release, {**right, "q2": right["q2"].replace("    percent =", "    import warnings; warnings.warn('odd')\n    percent =", 1)},
                   written="<script>alert('from a student')</script> I *wrote* this.")
    odd.cells = [cell for cell in odd.cells if cell.metadata.get("nbgrader", {}).get("grade_id") != "ps1-q3-test"]
    odd.cells.insert(len(odd.cells) - 1, nbformat.v4.new_code_cell(NOSY))
    submissions = {
        "perfect": answered(release, right, written="Both counties changed, and I have a figure for it."),
        "untouched": release,
        "wrong": answered(release, wrong[1]),
        "odd": odd,
    }
    for student, notebook in submissions.items():
        folder = course / "submitted" / student / "ps1"
        shutil.copytree(course / "release" / "ps1", folder)
        nbformat.write(notebook, folder / "ps1.ipynb")
    nbgrader(course, "autograde", "ps1")
    nbgrader(course, "generate_feedback", "ps1")
    nbgrader(course, "export")
    return course


@pytest.fixture(scope="session")
def scores(course):
    """{student: {question: points}} from the gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mystique") as gradebook:
        return {
            student: {grade.name.removeprefix("ps1-").removesuffix("-test"): grade.score for grade in gradebook.find_submission_notebook("ps1", "ps1", student).grades}
            for student in ("perfect", "untouched", "wrong", "odd")
        }


@pytest.fixture(scope="session")
def pages(course):
    return {path.parent.parent.name: path.read_text(encoding="utf-8") for path in course.glob("feedback/*/ps1/ps1.html")}


def secret_lines(course):
    """Lines of 20 characters or more that stand in a secret region of the source, and nowhere in the release."""
    region = re.compile(r"BEGIN (HIDDEN TESTS|MARK SCHEME)(.*?)END \1", re.DOTALL)
    source = nbformat.read(course / "source" / "ps1" / "ps1.ipynb", as_version=4)
    release = {line.strip() for cell in nbformat.read(course / "release" / "ps1" / "ps1.ipynb", as_version=4).cells for line in cell.source.splitlines()}
    lines = {line.strip() for cell in source.cells for _, text in region.findall(cell.source) for line in text.splitlines()}
    return {line for line in lines - release if len(line) >= 20}


def test_perfect_submission_gets_everything(scores):
    assert {name: scores["perfect"][name] for name in POINTS} == POINTS


def test_untouched_submission_gets_nothing(scores):
    assert set(scores["untouched"].values()) == {0}


def test_released_notebook_runs_without_an_error(course):
    graded = nbformat.read(course / "autograded" / "untouched" / "ps1" / "ps1.ipynb", as_version=4)
    assert not [output for cell in graded.cells for output in cell.get("outputs", []) if output.output_type == "error" or output.get("name") == "stderr"]


def test_wrong_submission_gets_what_the_trial_says(scores, trial, wrong):
    answers, code = wrong
    expected = {name: result.score for name, result in trial.run(code).items()}
    assert {name: scores["wrong"][name] for name in POINTS} == expected == {name: answer.points for name, answer in answers.items()}


def test_deleted_test_is_restored_and_warnings_cost_nothing(scores):
    assert {name: scores["odd"][name] for name in POINTS} == POINTS


def test_an_unwritten_reflection_needs_nobody(course):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mystique") as gradebook:
        needs = {student: gradebook.find_submission("ps1", student).needs_manual_grade for student in ("perfect", "untouched", "odd")}
    assert needs == {"perfect": True, "untouched": False, "odd": True}


def test_graders_see_the_rubric(course):
    graded = nbformat.read(course / "autograded" / "perfect" / "ps1" / "ps1.ipynb", as_version=4)
    assert any("BEGIN MARK SCHEME" in cell.source for cell in graded.cells)


def test_release_holds_no_secret(course):
    for path in (course / "release").rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert CANARY not in text, path
            assert "truth" not in path.name
    release = nbformat.read(course / "release" / "ps1" / "ps1.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in release.cells)
    assert "HIDDEN TESTS" not in text and "SOLUTION" not in text and "MARK SCHEME" not in text
    assert all(not cell.get("outputs") for cell in release.cells)


def test_students_copy_says_that_hidden_checks_wait(course):
    release = nbformat.read(course / "release" / "ps1" / "ps1.ipynb", as_version=4)
    with Trial(course / "source" / "ps1" / "ps1.ipynb") as trial:
        tests = {cell.metadata.nbgrader.grade_id: cell.source for cell in release.cells if cell.metadata.get("nbgrader", {}).get("grade")}
        trial.cells = [(kind, name, tests[f"ps1-{name}-test"] if kind == "test" else source) for kind, name, source in trial.cells]
        result = trial.run(only="q7")["q7"]
    assert "visible checks: 3 of 6; the others run when your work is graded." in result.output


@pytest.mark.parametrize("student", ["perfect", "untouched", "wrong", "odd"])
def test_feedback_gives_nothing_away(course, pages, student):
    page = pages[student]
    text = html.unescape(BeautifulSoup(page, "html.parser").get_text())
    lines = secret_lines(course)
    assert len(lines) > 100
    assert [line for line in lines if line in text or line in page] == []
    assert CANARY not in page and CANARY not in text
    assert "Traceback" not in text and "checks.py" not in text
    assert "<script" not in page and "onerror" not in re.sub(r"&lt;.*?&gt;", "", page)
    assert not re.search(r"(?:src|href)=[\"']https?:", page), "feedback asks another host"


def test_feedback_says_what_is_wrong_and_where_to_read(pages, wrong):
    text = re.sub(r"\s+", " ", BeautifulSoup(pages["wrong"], "html.parser").get_text())
    for answer in wrong[0].values():
        assert answer.message in text, answer.name
    assert "the-database-nobody-wanted.html#county-which-counts" in text
    assert "Checks of question 1" in text and "2 of 4 points" in text


def test_feedback_shows_scores_and_the_students_chart(pages):
    total = sum(POINTS.values())
    assert f"Score: {total:.1f} / {total + 6:.1f}" in pages["perfect"]
    assert "data:image/svg+xml" in pages["perfect"], "the chart of question 4 should be seen"


def test_output_that_repeats_the_tests_is_left_out(pages):
    text = BeautifulSoup(pages["odd"], "html.parser").get_text()
    assert "An output was left out here" in text
    assert "mine" in text


def test_feedback_folder_holds_only_pages(course):
    assert {path.name for path in (course / "feedback").glob("*/ps1/*")} == {"ps1.html"}


def test_export(course):
    with open(course / "grades.csv", encoding="utf-8", newline="") as file:
        grades = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert grades["perfect"] == sum(POINTS.values()) and grades["untouched"] == 0
    assert grades["odd"] == grades["perfect"] > grades["wrong"] > 0
