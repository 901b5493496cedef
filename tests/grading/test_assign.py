"""A set is released whole and proved, with a zip to hand out, or not at all; and nothing secret goes with it."""

import functools
import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import nbformat
import pytest

from mystique.grading import assign as module
from mystique.grading import proof
from mystique.grading.assign import REMEMBERED, AssignError, assign, leaks, source_of
from mystique.grading.cohort import problem_sets

EXERCISES = Path(__file__).resolve().parents[2] / "exercises"
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "small"
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE"}
c.ClearSolutions.text_stub = "*Write your answer here, please.*"
"""
ANSWER = """share = None    # replace None by a number
### BEGIN SOLUTION
# MYSTIQUE-CANARY-small-q1
share = 100 * statuses.count("valid") / len(statuses)
### END SOLUTION"""
TEST = """_got = share
print("" if isinstance(_got, (int, float)) else "share is no number")
_points = 0
### BEGIN HIDDEN TESTS
# MYSTIQUE-CANARY-small-q1
_right = 100 * sum(one == "valid" for one in statuses) / len(statuses)
_points = 2 * (isinstance(_got, (int, float)) and abs(_got - _right) < 0.05)
print("Refusals are no valid answers." if _got == 75 else "")
### END HIDDEN TESTS
float(_points)"""
ANSWERS = """
q1:
  right:
    - style: a loop
      code: |
        share = sum(100 for one_status in statuses if one_status == "valid") / len(statuses)
  wrong:
    - name: refusals
      misconception: A refusal is an answer.
      code: share = 75
      points: 0
      message: Refusals are no valid answers.
"""


def small_notebook(answer=ANSWER, test=TEST):
    def cell(kind, source, **grading):
        made = (nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell)(source, id=grading.get("grade_id", "given"))
        if grading:
            made.metadata["nbgrader"] = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False, **grading}
        return made

    return nbformat.v4.new_notebook(cells=[
        cell("code", 'statuses = open("statuses.csv").read().split()'),
        cell("code", answer, grade_id="small-q1", solution=True),
        cell("code", test, grade_id="small-q1-test", grade=True, locked=True, points=2),
        cell("markdown", "*Write your answer here, please.*", grade_id="small-q2", grade=True, solution=True, points=3),
    ], metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})


def make_set(home, notebook=None, answers=ANSWERS):
    (home / "source" / "small" / "more").mkdir(parents=True)
    (home / "answers").mkdir()
    nbformat.write(notebook or small_notebook(), home / "source" / "small" / "small.ipynb")
    (home / "source" / "small" / "statuses.csv").write_text("valid valid refused missing\n", encoding="utf-8")
    (home / "source" / "small" / "more" / "Übersicht.txt").write_text("more", encoding="utf-8")
    (home / "answers" / "small.yml").write_text(answers, encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
def light_trials():
    """The small set needs neither Altair nor pandas: the process that tries answers is not made to import them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proof, "Trial", functools.partial(proof.Trial, warm=()))
        yield


@pytest.fixture(scope="module")
def released_course(tmp_path_factory, light_trials):
    """A course whose set has been released, with a cache left in its source; and what was told meanwhile."""
    course = tmp_path_factory.mktemp("released") / "course"
    course.mkdir()
    (course / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    make_set(course)
    (course / "source" / "small" / "__pycache__").mkdir()
    (course / "source" / "small" / "__pycache__" / "checks.pyc").write_bytes(b"MYSTIQUE-CANARY")
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "/usr/bin" if os.name == "posix" else "")  # an environment that is not activated
        zipped = assign("small", course, progress=told.append)
    assert zipped == course / "release" / "small.zip"
    return course, told


@pytest.fixture
def course(tmp_path, released_course):
    """A copy of the released course, to change."""
    return Path(shutil.copytree(released_course[0], tmp_path / "course"))


def fast_proof(monkeypatch):
    """Leave the proof out where it is not what is looked at: it starts a process of its own."""
    monkeypatch.setattr(module, "_unproven", lambda *_: [])


def everything(folder):
    """{path: bytes} of all that a course holds, but the gradebook's file."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and "gradebook.db" not in path.name}


def grades(course):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "small") as gradebook:
        cells = {(cell.name, cell.max_score, cell.cell_type) for cell in gradebook.find_notebook("small", "small").grade_cells}
        return cells, {each.student.id: each.score for each in gradebook.assignment_submissions("small")}


# ------------------------------------------------------------------------------------------------------------ released


def test_a_good_set_is_released_and_zipped(released_course):
    course, told = released_course
    with zipfile.ZipFile(course / "release" / "small.zip") as archive:
        entries = archive.infolist()
        content = {entry.filename: archive.read(entry) for entry in entries}
    assert [entry.filename for entry in entries] == sorted(content) == ["small/more/Übersicht.txt", "small/small.ipynb", "small/statuses.csv"]
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    folder = course / "release" / "small"
    assert content == {f"small/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    text = content["small/small.ipynb"].decode()
    assert "YOUR CODE HERE" in text and "share is no number" in text
    assert "CANARY" not in text and "SOLUTION" not in text and "HIDDEN" not in text
    assert grades(course) == ({("small-q1-test", 2, "code"), ("small-q2", 3, "markdown")}, {})
    assert [line for line in told if "proving" in line] and [line for line in told if "leaks" in line]
    assert sorted(path.name for path in (course / "release").iterdir()) == ["small", "small.zip"]
    assert not [path for path in course.iterdir() if path.name.startswith(".")]


def test_the_same_set_gives_the_same_zip(course, monkeypatch):
    before = (course / "release" / "small.zip").read_bytes()
    fast_proof(monkeypatch)
    (course / "source" / "small" / "statuses.csv").touch()
    assign("small", course)
    assert (course / "release" / "small.zip").read_bytes() == before


def test_existing_submissions_and_grades_are_safe(course, monkeypatch):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "small") as gradebook:
        gradebook.add_student("ann")
        gradebook.add_submission("small", "ann")
        gradebook.find_grade("small-q1-test", "small", "small", "ann").auto_score = 2
        gradebook.find_grade("small-q2", "small", "small", "ann").manual_score = 1.5
        gradebook.db.commit()
    work = course / "submitted" / "ann" / "small" / "small.ipynb"
    work.parent.mkdir(parents=True)
    work.write_text("hers", encoding="utf-8")
    fast_proof(monkeypatch)
    told = []
    assign("small", course, progress=told.append)
    assert work.read_text(encoding="utf-8") == "hers"
    assert grades(course)[1] == {"ann": 3.5}
    assert any("1 submission(s) of small are there already" in line for line in told)

    notebook = small_notebook()
    del notebook.cells[3]  # a question less: her grade for it would be gone
    nbformat.write(notebook, course / "source" / "small" / "small.ipynb")
    before = everything(course)
    with pytest.raises(AssignError, match="nbgrader could not make the students' version: .*(add or remove|submissions)"):
        assign("small", course)
    assert everything(course) == before
    assert grades(course)[1] == {"ann": 3.5}


# ------------------------------------------------------------------------------------------------------------- refused


def test_a_set_that_is_not_proved_is_refused_with_each_fault(course):
    """The reference looks for a wrong word, and the hidden test lets any number pass."""
    notebook = small_notebook(answer=ANSWER.replace('"valid"', '"walid"'), test=TEST.replace("abs(_got - _right) < 0.05", "_got != 0"))
    nbformat.write(notebook, course / "source" / "small" / "small.ipynb")
    shutil.rmtree(course / "release")
    before = everything(course)
    with pytest.raises(AssignError) as refused:
        assign("small", course)
    text = str(refused.value)
    assert "small is not released, nothing was changed. 2 fault(s)" in text
    assert re.search(r"q1, answer 'reference': 0 points in place of 2", text)
    assert re.search(r"q1, answer 'refusals': 2 points in place of 0", text)
    assert everything(course) == before and not (course / "release").exists()


def test_a_missing_message_and_a_question_without_mistakes_are_faults(course):
    answers, before = course / "answers" / "small.yml", everything(course)
    answers.write_text(ANSWERS.replace("message: Refusals are", "message: Refusals may be"), encoding="utf-8")
    with pytest.raises(AssignError, match="the message 'Refusals may be no valid answers.' is missing"):
        assign("small", course)
    answers.write_text("q1: {right: [], wrong: []}", encoding="utf-8")
    with pytest.raises(AssignError, match="q1: small.yml has no known mistake"):
        assign("small", course)
    answers.write_text(ANSWERS.replace("q1:", "q7:"), encoding="utf-8")
    with pytest.raises(AssignError, match="small.yml: has answers to q7"):
        assign("small", course)
    answers.write_text("q1: [", encoding="utf-8")
    with pytest.raises(AssignError, match="not readable as YAML"):
        assign("small", course)
    answers.write_text(ANSWERS, encoding="utf-8")
    assert everything(course) == before


def plant_file(name, content):
    def plant(source):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    return plant


def plant_zip(source):
    with zipfile.ZipFile(source / "tables.xlsx", "w", zipfile.ZIP_DEFLATED) as workbook:
        workbook.writestr("xl/sheet1.xml", "<c>MYSTIQUE-CANARY-traps</c>")


def plant_link(source):
    (source / "more.csv").symlink_to(source.parent.parent / "gradebook.db")


def plant_in_notebook(change):
    def plant(source):
        notebook = nbformat.read(source / "small.ipynb", as_version=4)
        change(notebook)
        nbformat.write(notebook, source / "small.ipynb")
    return plant


def say_the_solution(notebook):
    notebook.cells[0].source += '\n# Hint: share = 100 * statuses.count("valid") / len(statuses)'


def say_a_hidden_test(notebook):
    notebook.cells[3].source = "The check is `_right = 100 * sum(one == \"valid\" for one in statuses) / len(statuses)`."
    notebook.cells[3].metadata["nbgrader"].update(solution=False, grade=False, locked=True)
    del notebook.cells[3].metadata["nbgrader"]["points"]


def forget_a_mark(notebook):
    notebook.cells[2].source = notebook.cells[2].source.replace("### END HIDDEN TESTS", "")


@pytest.mark.parametrize("plant, said", [
    (plant_file("notes.txt", b"see MYSTIQUE-CANARY-county"), "notes.txt: holds the canary 'MYSTIQUE-CANARY-county'"),
    (plant_file("county/truth.json", b"{}"), "county/truth.json: must not be handed out"),
    (plant_file("small.yml", b"q1:"), "small.yml: must not be handed out"),
    (plant_file("answers/q1.txt", b"75"), "answers: must not be handed out"),
    (plant_file("county/answers.csv", b"q1,75"), "county/answers.csv: must not be handed out"),
    (plant_file(".env", b"x"), r"\.env: must not be handed out"),
    (plant_file("case.json", b'{"made": [{"seed": 7}]}'), "case.json: has a field 'seed'"),
    (plant_file("case.txt", b"made from 918273645546"), "case.txt: tells the cohort's secret seed"),
    (plant_file("run.py", b'share = sum(100 for one_status in statuses if one_status == "valid") / len(statuses)'), r"run.py: repeats 1 line\(s\) of solutions"),
    (plant_file("old.ipynb", nbformat.writes(nbformat.v4.new_notebook()).encode()), "old.ipynb: a second notebook"),
    (plant_zip, "tables.xlsx: holds the canary"),
    (plant_in_notebook(say_the_solution), r"small.ipynb: repeats 1 line\(s\) of solutions.*share = 100"),
    (plant_in_notebook(say_a_hidden_test), r"small.ipynb: repeats 1 line\(s\).*_right"),
    (plant_in_notebook(forget_a_mark), "nbgrader could not make the students' version: .*[Nn]o end hidden tests"),
    pytest.param(plant_link, "more.csv: a link to", marks=pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")),
])
def test_a_leak_is_refused_and_named(course, monkeypatch, plant, said):
    fast_proof(monkeypatch)
    (course.parent / "cohort.json").write_text(json.dumps({"name": "x", "seed": 918273645546}), encoding="utf-8")
    plant(course / "source" / "small")
    before, cells = everything(course), grades(course)
    with pytest.raises(AssignError, match=said):
        assign("small", course)
    assert everything(course) == before and grades(course) == cells


@pytest.mark.parametrize("name", problem_sets(EXERCISES))
def test_each_set_of_the_course_can_be_assigned(name, tmp_path, monkeypatch):
    """Nothing that a set needs is taken for a leak. That its answers hold is tried in tests/exercises."""
    fast_proof(monkeypatch)
    for part in (f"source/{name}", "answers"):
        shutil.copytree(EXERCISES / part, tmp_path / "course" / part)
    shutil.copy(EXERCISES / "nbgrader_config.py", tmp_path / "course")
    made = assign(name, tmp_path / "course")
    with zipfile.ZipFile(made) as archive:
        assert f"{name}/{name}.ipynb" in archive.namelist() and f"{name}/case.json" in archive.namelist()


def test_a_path_of_this_machine_is_a_leak(course, monkeypatch):
    fast_proof(monkeypatch)
    (course / "source" / "small" / "readme.txt").write_text(f"made in {course}", encoding="utf-8")
    with pytest.raises(AssignError, match="readme.txt: tells the folder .*course of your machine"):
        assign("small", course)


def test_leaks_sees_outputs_and_caches_of_any_release(course):
    folder = course / "release" / "small"
    notebook = nbformat.read(folder / "small.ipynb", as_version=4)
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="x")]
    nbformat.write(notebook, folder / "small.ipynb")
    (folder / "__pycache__").mkdir()
    found = leaks(folder, course / "source" / "small" / "small.ipynb", course / "answers" / "small.yml", visible="*Write your answer here, please.*")
    assert [fault.split(":")[0] for fault in found] == ["__pycache__", "small.ipynb"] and "cell 1 still has an output" in found[1]


def test_what_is_missing_is_named_with_what_to_do(course, tmp_path):
    with pytest.raises(AssignError, match=r"ps9.ipynb: the instructor's notebook is not there"):
        assign("ps9", course)
    (course / "answers" / "small.yml").unlink()
    with pytest.raises(AssignError, match=r"small.yml: the known answers that prove it is not there|small.yml: the known answers"):
        assign("small", course)
    with pytest.raises(AssignError, match="no nbgrader course is here.*the class's folder.*--course"):
        assign("small", tmp_path)
    with pytest.raises(AssignError, match="name has letters"):
        assign("../small", course)
    (course / "nbgrader_config.py").write_text("c = get_config(\n", encoding="utf-8")
    with pytest.raises(AssignError, match="nbgrader_config.py: these settings cannot be read: SyntaxError"):
        assign("small", course)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_swap_brings_the_earlier_release_back(course, monkeypatch, error):
    fast_proof(monkeypatch)
    (course / "source" / "small" / "statuses.csv").write_text("valid valid refused valid\n", encoding="utf-8")
    before = everything(course)
    real = Path.rename

    def rename(self, target):
        if self.name == "zip":
            raise error
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises((AssignError, KeyboardInterrupt)):
        assign("small", course)
    assert everything(course) == before


# -------------------------------------------------------------------------------------------------- the private folder


@pytest.fixture
def private(tmp_path):
    home = tmp_path / "private (mine+)"
    make_set(home, small_notebook(answer=ANSWER.replace("share = 100 *", "share = 100.0 *")))
    return home


def test_a_private_folder_holds_sources_and_answers(course, private, monkeypatch):
    """The course works on with the private folder: nbgrader too, whose settings ask `source_of`."""
    fast_proof(monkeypatch)
    shutil.rmtree(course / "source")
    shutil.rmtree(course / "answers")
    (private / "source" / "small" / "statuses.csv").write_text("valid refused\n", encoding="utf-8")
    assert source_of(course) == "source"
    told = []
    assign("small", course, private, progress=told.append)
    assert any(str(private) in line for line in told)
    assert (course / "release" / "small" / "statuses.csv").read_text(encoding="utf-8") == "valid refused\n"
    assert source_of(course) == str(private / "source")

    (private / "source" / "small" / "statuses.csv").write_text("valid valid\n", encoding="utf-8")
    assign("small", course)
    assert (course / "release" / "small" / "statuses.csv").read_text(encoding="utf-8") == "valid valid\n"
    held = everything(course)
    assert not [name for name, content in held.items() if b"CANARY" in content], "nothing of the private folder comes into the course"

    shutil.rmtree(private)
    with pytest.raises(AssignError, match=f"{re.escape(REMEMBERED)}: names .*which is not there"):
        assign("small", course)


def test_the_courses_own_folder_ends_the_private_one(course, private, monkeypatch):
    fast_proof(monkeypatch)
    told = []
    shutil.copy(course / "source" / "small" / "small.ipynb", private / "source" / "small")
    assign("small", course, private, progress=told.append)
    assert any("is the same notebook" in line for line in told)
    assign("small", course, course)
    assert not (course / REMEMBERED).exists() and source_of(course) == "source"


def test_a_private_folder_in_the_courses_repository_is_refused(course, monkeypatch):
    fast_proof(monkeypatch)
    subprocess.run(["git", "init", "-q", str(course.parent)], check=True)
    make_set(course.parent / "secret")
    with pytest.raises(AssignError, match="lies in the same repository as the course"):
        assign("small", course, course.parent / "secret")
    assert not (course / REMEMBERED).exists()
    with pytest.raises(AssignError, match="this folder for sources and answers is not there"):
        assign("small", course, course.parent / "nowhere")
    (course.parent / ".gitignore").write_text("/secret/\n", encoding="utf-8")
    assign("small", course, course.parent / "secret")


@pytest.mark.full
def test_ps1_is_released(tmp_path):
    course = Path(shutil.copytree(EXERCISES, tmp_path / "exercises", ignore=shutil.ignore_patterns("gradebook.db", "release", "submitted", "autograded", "feedback", "__pycache__")))
    with zipfile.ZipFile(assign("ps1", course)) as archive:
        names = archive.namelist()
        assert not [name for name in names if b"MYSTIQUE-CANARY" in archive.read(name)]
    assert names == ["ps1/case.json", "ps1/checks.py", "ps1/county/datapackage.json", "ps1/county/monthly.csv", "ps1/county/records.csv", "ps1/county/workers.csv", "ps1/ps1.ipynb"]
