"""The problem sets through nbgrader's own commands, as its documentation says: release, grade, feedback, export.

A perfect and a wrong submission of each set; of ps1 also one left untouched and one with oddities. In the default tier
one set without a text that a person reads, and one with; all of them with --full.
"""

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
from nbgrader.api import Gradebook

from mystique.grading.answers import read_answers
from mystique.grading.cohort import problem_sets
from mystique.grading.trial import Trial

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ("ps1", "ps2")
EVERY = problem_sets(ROOT / "exercises")
STUDENTS = {name: ("perfect", "wrong") for name in EVERY} | {"ps1": ("perfect", "wrong", "untouched", "odd")}
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


def question_of(name, grade_id):
    return grade_id.removeprefix(f"{name}-").removesuffix("-test")


def read(course, step, name):
    """A notebook of the source, the release, or a student's graded copy (`autograded/STUDENT`)."""
    return nbformat.read(course / step / name / f"{name}.ipynb", as_version=4)


def by_hand(notebook):
    """The grade ids of what a person reads."""
    return {cell.metadata.nbgrader.grade_id for cell in notebook.cells
            if cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("grade")}


def answered(name, release, answers, written="*Write your answer here.*"):
    """A released notebook with these answers, and `written` where a person reads."""
    notebook, read_by_hand = nbformat.reads(nbformat.writes(release), as_version=4), by_hand(release)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if grade_id.removeprefix(f"{name}-") in answers:
            cell.source = answers[grade_id.removeprefix(f"{name}-")]
        if grade_id in read_by_hand:
            cell.source = written
    return notebook


def without_marks(reference):
    """A model answer without the lines that mark it as one."""
    return re.sub(rf"(?m)^\s*#.*({CANARY}|(BEGIN|END) SOLUTION).*\n?", "", reference)


@pytest.fixture(scope="session")
def sets(pytestconfig):
    """The sets that this tier tries."""
    return EVERY if pytestconfig.getoption("--full") else list(DEFAULT)


@pytest.fixture(scope="session")
def graded(sets):
    """(set, student) for each submission."""
    return [(name, student) for name in sets for student in STUDENTS[name]]


@pytest.fixture(scope="session")
def points(sets):
    """{set: {question: points}} of the automatic questions."""
    found = {}
    for name in sets:
        cells = read(ROOT / "exercises", "source", name).cells
        found[name] = {question_of(name, cell.metadata.nbgrader.grade_id): cell.metadata.nbgrader.points
                       for cell in cells if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")}
    return found


@pytest.fixture(scope="session")
def mistakes(sets):
    """{set: {question: its first known mistake}}."""
    found = {}
    for name in sets:
        wrong = [answer for answer in read_answers(ROOT / "exercises" / "answers" / f"{name}.yml") if not answer.is_right]
        found[name] = {answer.question: answer for answer in reversed(wrong)}
    return found


@pytest.fixture(scope="session")
def said(sets, mistakes):
    """{set: ({question: code of its mistake}, {question: what Trial says of it})}, and the model answers."""
    codes, results, models = {}, {}, {}
    for name in sets:
        with Trial(ROOT / "exercises" / "source" / name / f"{name}.ipynb") as trial:
            codes[name] = {question: f"{trial.questions[question].stub}\n{mistake.code}" for question, mistake in mistakes[name].items()}
            results[name] = {question: result.score for question, result in trial.run(codes[name]).items()}
            models[name] = {question: without_marks(each.reference) for question, each in trial.questions.items()}
    return codes, results, models


@pytest.fixture(scope="session")
def course(tmp_path_factory, sets, said):
    """A graded course: released, submitted, graded, with feedback and the export."""
    codes, _, models = said
    course = tmp_path_factory.mktemp("course") / "exercises"
    shutil.copytree(ROOT / "exercises", course, ignore=shutil.ignore_patterns("gradebook.db", "release", "submitted", "autograded", "feedback", "__pycache__"))
    for name in sets:
        nbgrader(course, "generate_assignment", name)
        release = read(course, "release", name)
        submissions = {
            "perfect": answered(name, release, models[name], written="Both counties changed, and I have a figure for it."),
            "wrong": answered(name, release, codes[name]),
        }
        if name == "ps1":
            submissions |= {"untouched": release, "odd": with_oddities(release, models[name])}
        for student, notebook in submissions.items():
            folder = course / "submitted" / student / name
            shutil.copytree(course / "release" / name, folder)
            nbformat.write(notebook, folder / f"{name}.ipynb")
        nbgrader(course, "autograde", name)
        nbgrader(course, "generate_feedback", name)
    nbgrader(course, "export")
    return course


def with_oddities(release, right):
    """Right, with warnings, a deleted test cell, a script and a print of the tests themselves."""
    odd = answered("ps1", release, {**right, "q2": right["q2"].replace("    percent =", "    import warnings; warnings.warn('odd')\n    percent =", 1)},
                   written="<script>alert('from a student')</script> I *wrote* this.")
    odd.cells = [cell for cell in odd.cells if cell.metadata.get("nbgrader", {}).get("grade_id") != "ps1-q3-test"]
    odd.cells.insert(len(odd.cells) - 1, nbformat.v4.new_code_cell(NOSY))
    return odd


@pytest.fixture(scope="session")
def scores(course, graded, points):
    """{(set, student): {question: points}} from the gradebook, automatic questions only."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mystique") as gradebook:
        return {
            (name, student): {question_of(name, grade.name): grade.score for grade in gradebook.find_submission_notebook(name, name, student).grades
                              if question_of(name, grade.name) in points[name]}
            for name, student in graded
        }


@pytest.fixture(scope="session")
def pages(course):
    """{(set, student): feedback page}."""
    return {(path.parent.name, path.parent.parent.name): path.read_text(encoding="utf-8") for path in course.glob("feedback/*/*/*.html")}


def secret_lines(course, name):
    """Lines of 20 characters or more that stand in a secret region of the source, and nowhere in the release."""
    region = re.compile(r"BEGIN (HIDDEN TESTS|MARK SCHEME)(.*?)END \1", re.DOTALL)
    release = {line.strip() for cell in read(course, "release", name).cells for line in cell.source.splitlines()}
    lines = {line.strip() for cell in read(course, "source", name).cells for _, text in region.findall(cell.source) for line in text.splitlines()}
    return {line for line in lines - release if len(line) >= 20}


def in_tier(name, *values):
    return pytest.param(name, *values, marks=[] if name in DEFAULT else pytest.mark.full)


each_set = pytest.mark.parametrize("name", [in_tier(name) for name in EVERY])
each_page = pytest.mark.parametrize("name, student", [in_tier(name, student) for name in EVERY for student in STUDENTS[name]])


@each_set
def test_perfect_submission_gets_everything(scores, points, name):
    assert scores[name, "perfect"] == points[name]


def test_untouched_submission_gets_nothing(scores):
    assert set(scores["ps1", "untouched"].values()) == {0}


@each_set
def test_released_notebook_runs_without_an_error(course, name, tmp_path):
    """As the student first opens it: every cell runs, and no stub stops the rest."""
    folder = tmp_path / name
    shutil.copytree(course / "release" / name, folder)
    done = subprocess.run([sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", f"{name}.ipynb"],
                          cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    outputs = [output for cell in nbformat.read(folder / f"{name}.ipynb", as_version=4).cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]


@each_set
def test_wrong_submission_gets_what_the_trial_says(scores, said, mistakes, name):
    assert scores[name, "wrong"] == said[1][name] == {question: mistake.points for question, mistake in mistakes[name].items()}


def test_deleted_test_is_restored_and_warnings_cost_nothing(scores, points):
    assert scores["ps1", "odd"] == points["ps1"]


def test_an_unwritten_reflection_needs_nobody(course, graded):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mystique") as gradebook:
        for name, student in graded:
            written = bool(by_hand(read(course, "release", name))) and student in ("perfect", "odd")
            assert gradebook.find_submission(name, student).needs_manual_grade == written, (name, student)


@each_set
def test_graders_see_the_rubric(course, name):
    graded = read(course, "autograded/perfect", name)
    assert any("BEGIN MARK SCHEME" in cell.source for cell in graded.cells) == bool(by_hand(graded))


def test_release_holds_no_secret(course, sets):
    for path in (course / "release").rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert CANARY not in text, path
            assert "truth" not in path.name
    for name in sets:
        release = read(course, "release", name)
        text = "\n".join(cell.source for cell in release.cells)
        assert "HIDDEN TESTS" not in text and "SOLUTION" not in text and "MARK SCHEME" not in text
        assert all(not cell.get("outputs") for cell in release.cells)


def test_students_copy_says_that_hidden_checks_wait(course):
    release = read(course, "release", "ps1")
    with Trial(course / "source" / "ps1" / "ps1.ipynb") as trial:
        tests = {cell.metadata.nbgrader.grade_id: cell.source for cell in release.cells if cell.metadata.get("nbgrader", {}).get("grade")}
        trial.cells = [(kind, name, tests[f"ps1-{name}-test"] if kind == "test" else source) for kind, name, source in trial.cells]
        result = trial.run(only="q7")["q7"]
    assert "visible checks: 3 of 6; the others run when your work is graded." in result.output


@each_page
def test_feedback_gives_nothing_away(course, pages, name, student):
    page = pages[name, student]
    text = html.unescape(BeautifulSoup(page, "html.parser").get_text())
    lines = secret_lines(course, name)
    assert len(lines) > 50
    assert [line for line in lines if line in text or line in page] == []
    assert CANARY not in page and CANARY not in text
    assert "Traceback" not in text and "checks.py" not in text
    assert "<script" not in page and "onerror" not in re.sub(r"&lt;.*?&gt;", "", page)
    assert not re.search(r"(?:src|href)=[\"']https?:", page), "feedback asks another host"


@each_set
def test_feedback_says_what_is_wrong_and_where_to_read(pages, mistakes, points, name):
    text = re.sub(r"\s+", " ", BeautifulSoup(pages[name, "wrong"], "html.parser").get_text())
    for mistake in mistakes[name].values():
        assert mistake.message in text, mistake.name
    assert re.search(r"Read again: \S*[\w-]+\.html#[\w-]+", text)
    assert "Checks of question 1" in text and f"of {points[name]['q1']:g} points" in text


@each_set
def test_feedback_shows_scores_and_the_students_chart(course, pages, points, name):
    total = sum(points[name].values())
    source = read(course, "source", name)
    to_read = [cell.metadata.nbgrader.points for cell in source.cells if cell.metadata.get("nbgrader", {}).get("grade_id") in by_hand(source)]
    score = "Score so far" if to_read else "Score"
    assert f"({score}: {total:.1f} / {total + sum(to_read):.1f})" in pages[name, "perfect"]
    assert "data:image/svg+xml" in pages[name, "perfect"], "the student's chart should be seen"


def test_output_that_repeats_the_tests_is_left_out(pages):
    text = BeautifulSoup(pages["ps1", "odd"], "html.parser").get_text()
    assert "An output was left out here" in text
    assert "mine" in text


def test_feedback_folder_holds_only_pages(course, sets):
    assert {path.name for path in (course / "feedback").glob("*/*/*")} == {f"{name}.html" for name in sets}


def test_export(course, points, sets):
    with open(course / "grades.csv", encoding="utf-8", newline="") as file:
        grades = {(row["assignment"], row["student_id"]): float(row["score"]) for row in csv.DictReader(file) if row["score"]}
    for name in sets:
        assert grades[name, "perfect"] == sum(points[name].values()) > grades[name, "wrong"]
    assert grades["ps1", "untouched"] == 0 and grades["ps1", "odd"] == grades["ps1", "perfect"]
