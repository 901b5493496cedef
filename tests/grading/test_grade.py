"""A whole class through nbgrader's gradebook: honest scores, nothing stops it, nothing is lost, nothing is done twice."""

import csv
import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from make_class import EVERY, POINTS, Kind, at, hand_in, make_class, make_course, nbgrader, perfect

from mystique.grading import confine, grade as grading
from mystique.grading.engine import Limits, Result
from mystique.grading.grade import GradingError, Log, exit_status, grade, misplaced, score_of, table

confined = pytest.mark.skipif(not confine.available().enough, reason="submissions cannot be confined here")
LIMITS = Limits(cell_seconds=4)
KINDS = {kind.student: kind for kind in EVERY}
# In the default tier one of each sort; all of them with --full.
FEW = ["perfect", "blank", "wrong", "warns", "os-exit", "endless-in-function", "deleted-test", "duplicated-answer", "old-schema", "stripped", "cut-off", "linked",
       "merged-cells", "all-in-one", "split-function", "in-the-check", "essay-beside", "imports-above", "another-set", "zipped",
       "patches-checks", "empties-data", "empties-tests", "reads-source"]
ARE_ALL = pytest.param([kind.student for kind in EVERY], marks=pytest.mark.full, id="every-kind")


@pytest.fixture(scope="session")
def handed_out(tmp_path_factory):
    """A course with ps1 handed out and nothing handed in."""
    return make_course(tmp_path_factory.mktemp("handed-out"))


@pytest.fixture
def course(handed_out, tmp_path):
    return Path(shutil.copytree(handed_out, tmp_path / "course"))


@pytest.fixture(scope="session", params=[pytest.param(FEW, id="one-of-each"), ARE_ALL])
def graded(request, handed_out, tmp_path_factory):
    """(course, summary, kinds) of a class graded once."""
    course = Path(shutil.copytree(handed_out, tmp_path_factory.mktemp("class") / "course"))
    kinds = [KINDS[name] for name in request.param]
    make_class(course, kinds)
    os.environ["SECRET_OF_THE_INSTRUCTOR"] = "1"
    return course, grade("ps1", course, jobs=2, limits=LIMITS), kinds


def in_gradebook(course):
    """{student: {question: score}}, and {student: whether it needs a person}, from nbgrader's own gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mystique") as book:
        found = {each.student.id: each for each in book.assignment_submissions("ps1")}
        scores = {student: {grade.name[4:-5]: grade.auto_score for grade in each.notebooks[0].grades if grade.name.endswith("-test")} for student, each in found.items()}
        return scores, {student: each.needs_manual_grade for student, each in found.items()}


def add_manual_grade(course, student, points):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mystique") as book:
        given = book.find_grade("ps1-q10", "ps1", "ps1", student)
        given.manual_score, given.needs_manual_grade = points, False
        book.find_comment("ps1-q10", "ps1", "ps1", student).manual_comment = "well said"
        book.db.commit()


def manual_grade(course, student):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mystique") as book:
        return book.find_grade("ps1-q10", "ps1", "ps1", student).manual_score, book.find_comment("ps1-q10", "ps1", "ps1", student).manual_comment


def log_lines(course):
    return [json.loads(line) for line in (course / grading.LOG).read_text(encoding="utf-8").splitlines()]


@confined
def test_every_kind_gets_its_honest_score(graded):
    course, summary, kinds = graded
    scores, _ = in_gradebook(course)
    honest = {kind.student: kind.honest if kind.state == "graded" else dict.fromkeys(POINTS) for kind in kinds}
    assert {student: scores.get(student) for student in honest} == honest


@confined
def test_those_who_need_a_person_are_shown_and_no_others(graded):
    _, summary, kinds = graded
    found = {result.student: (result.state, bool(result.needs)) for result in summary.results}
    assert found == {kind.student: (kind.state, kind.looks) for kind in kinds}
    assert exit_status(summary) == 3
    for kind in kinds:
        assert (f"\n  {kind.student} " in table(summary)) == kind.looks


@confined
def test_the_log_has_one_line_for_each(graded):
    course, summary, kinds = graded
    lines = log_lines(course)
    assert sorted(line["student"] for line in lines) == sorted(kind.student for kind in kinds)
    assert all(re.fullmatch(r"[0-9a-f]{32}-[0-9a-f]{32}-[0-9a-f]{16}", line["key"]) and line["when"] for line in lines)


@confined
def test_what_was_undone_is_reported(graded):
    _, summary, kinds = graded
    remarks = {result.student: " ".join(result.remarks) for result in summary.results}
    assert "ps1-q1-test was missing and was put back" in remarks["deleted-test"]
    assert "other settings" in remarks["old-schema"] and "2 times" in remarks["duplicated-answer"] and "lost its id" in remarks["stripped"]
    assert "ended the process" in remarks["os-exit"] and "interrupted" in remarks["endless-in-function"]
    assert remarks["perfect"] == ""


@confined
def test_submitted_code_saw_and_left_nothing(graded):
    course, _, kinds = graded
    for kind in kinds:
        text = (course / "autograded" / kind.student / "ps1" / "ps1.ipynb").read_text(encoding="utf-8")
        assert "MYSTIQUE-CANARY-ps1-answers" not in text and "root:x:" not in text
    if any(kind.student == "reads-environment" for kind in kinds):
        assert "leak" not in json.dumps([each for each in _outputs(course, "reads-environment") if each["output_type"] == "error"])
    assert not Path("/", "tmp", "mystique-left-behind").exists() and not Path("/", "var", "tmp", "left").exists()
    assert not list((course / "source").rglob("big"))


def _outputs(course, student):
    notebook = json.loads((course / "autograded" / student / "ps1" / "ps1.ipynb").read_text(encoding="utf-8"))
    return [output for cell in notebook["cells"] for output in cell.get("outputs", [])]


@confined
def test_graded_notebooks_are_valid_and_hold_the_full_tests(graded):
    course, _, kinds = graded
    for kind in kinds:
        notebook = nbformat.read(course / "autograded" / kind.student / "ps1" / "ps1.ipynb", as_version=4)
        nbformat.validate(notebook)
        assert sum("BEGIN HIDDEN TESTS" in cell.source for cell in notebook.cells) == len(POINTS)
        assert {path.name for path in (course / "autograded" / kind.student / "ps1").iterdir()} == {"ps1.ipynb"}


@confined
def test_nbgrader_goes_on_from_there(graded):
    """Feedback pages tell "could not be graded" from "wrong"; the export holds everybody; nothing secret is in a page."""
    course, _, kinds = graded
    nbgrader(course, "generate_feedback", "ps1")
    nbgrader(course, "export")
    with open(course / "grades.csv", encoding="utf-8", newline="") as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert exported == {kind.student: sum(kind.honest.values()) if kind.state == "graded" else 0.0 for kind in kinds}
    pages = {kind.student: html.unescape(BeautifulSoup((course / "feedback" / kind.student / "ps1" / "ps1.html").read_text(encoding="utf-8"), "html.parser").get_text())
             for kind in kinds}
    assert "This submission could not be graded" in pages["cut-off"] and "hand it in again" in pages["cut-off"]
    assert "Score" not in pages["cut-off"] and "Ask the student" not in pages["cut-off"]
    assert "Score so far: 34.0 / 40.0" in pages["perfect"] and "not read yet" in pages["perfect"]
    assert "could not be graded" not in pages["wrong"] and "0 of 4 points" not in pages["perfect"] and "0 of 4 points" in pages["wrong"]
    assert "This cell was stopped: it ended the process it ran in." in pages["os-exit"]
    assert not [student for student, page in pages.items() if "MYSTIQUE-CANARY" in page]
    assert not [student for student in ("perfect", "blank", "wrong", "patches-checks", "cut-off") if "Traceback" in pages[student] or "checks.py" in pages[student]]


@confined
def test_a_second_run_says_the_same_of_who_needs_a_person(course):
    for name in ("perfect", "cut-off"):
        hand_in(course, KINDS[name])
    first, second = (table(grade("ps1", course)).partition("\n")[2] for _ in range(2))
    assert "ps1-q10 of 1 student." in first and "unreadable" in first and second == first


@pytest.mark.parametrize("place, cure", [
    ("ps1/amara/ps1.ipynb", "submitted/ps1/amara/: move it to submitted/amara/ps1/"),
    ("PS1/amara/ps1.ipynb", "submitted/PS1/amara/: move it to submitted/amara/ps1/"),
    ("ps1/ps1.ipynb", "submitted/ps1/ps1.ipynb: whose is it? Move it to submitted/STUDENT/ps1/"),
    ("ps1.ipynb", "submitted/ps1.ipynb: whose is it? Move it to submitted/STUDENT/ps1/"),
    ("amara/ps1.ipynb", "submitted/amara/ps1.ipynb: move it to submitted/amara/ps1/"),
    ("amara/PS1/ps1.ipynb", "submitted/amara/PS1/: call that folder ps1"),
    ("amara/ps 01/ps1.ipynb", "submitted/amara/ps 01/: call that folder ps1"),
    ("amara/ps1/ps1/ps1.ipynb", "submitted/amara/ps1/ps1/ps1.ipynb: move it to submitted/amara/ps1/"),
    ("amara/ps2.ipynb", None), ("amara/ps2/ps2.ipynb", None), ("amara/ps1/ps1.ipynb", None), ("ps2/amara/ps2.ipynb", None), ("amara/ps10/ps10.ipynb", None),
])
def test_work_in_a_wrong_place_is_told_with_the_right_one(tmp_path, place, cure):
    for name in ("source/ps1", "source/ps2", "source/ps10", f"submitted/{Path(place).parent}"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "submitted" / place).write_text("{}")
    assert [": ".join(each) for each in misplaced(tmp_path, "ps1")] == ([cure] if cure else [])


@confined
def test_a_class_that_has_handed_in_nothing_or_elsewhere_is_told_so(course):
    nobody = grade("ps1", course)
    assert "Nobody has handed in ps1: there is no folder submitted/STUDENT/ps1/." in table(nobody) and exit_status(nobody) == 0
    (course / "submitted" / "ps1" / "amara").mkdir(parents=True)
    (course / "submitted" / "ps1" / "amara" / "ps1.ipynb").write_text("{}")
    elsewhere = grade("ps1", course)
    assert "wrong place:\n  submitted/ps1/amara/: move it to submitted/amara/ps1/" in table(elsewhere) and exit_status(elsewhere) == 3


@confined
def test_odd_names_and_markdown_stop_nobody_and_run_nowhere(course):
    base = perfect(course)
    for name in ("perfect", "odd"):
        hand_in(course, Kind(name, lambda notebook, folder: None), base)
    folder = course / "submitted" / "odd" / "ps1"
    os.symlink("nowhere", os.fsencode(folder) + b"/Stra\xdfe.txt")
    notebook = json.loads((folder / "ps1.ipynb").read_text())
    for each in notebook["cells"]:
        if each["metadata"].get("nbgrader", {}).get("grade_id") == "ps1-q10":
            each["source"] = "Mine <img src=x onerror=alert(1)> [see](javascript:alert(1))"
    notebook["cells"].append({"cell_type": "markdown", "metadata": {}, "id": "extra", "source": "<svg onload=alert(1)>"})
    notebook["cells"].append({"cell_type": "code", "metadata": {}, "id": "path", "outputs": [], "execution_count": None, "source": "p = '\\ud800/etc/passwd\\x1b[2K'"})
    (folder / "ps1.ipynb").write_text(json.dumps(notebook))
    summary = grade("ps1", course)
    assert sorted((each.student, each.state) for each in summary.results) == [("odd", "graded"), ("perfect", "graded")]
    table(summary).encode("utf-8")
    assert "\x1b" not in table(summary)
    shown = (course / "autograded" / "odd" / "ps1" / "ps1.ipynb").read_text()
    assert "Mine &lt;img" in shown and "<svg onload" not in shown and "](javascript" not in shown


@confined
def test_nothing_unchanged_is_done_again_and_manual_grades_stay(course):
    base = perfect(course)
    for name in ("perfect", "wrong"):
        hand_in(course, KINDS[name], base)
    summary = grade("ps1", course, jobs=2)
    assert exit_status(summary) == 3 and "ps1-q10 of 2 students" in table(summary)
    for student in ("perfect", "wrong"):
        add_manual_grade(course, student, 5)
    summary = grade("ps1", course, jobs=2)
    assert {result.state for result in summary.results} == {"unchanged"} and exit_status(summary) == 0 and len(log_lines(course)) == 2

    def again(notebook):
        """(who waits for a person after another version was handed in, the table)."""
        (course / "submitted" / "wrong" / "ps1" / "ps1.ipynb").write_text(json.dumps(notebook))
        summary = grade("ps1", course, jobs=2)
        assert {result.student: result.state for result in summary.results} == {"perfect": "unchanged", "wrong": "graded"}
        scores, needs = in_gradebook(course)
        assert {student: manual_grade(course, student) for student in scores} == {student: (5, "well said") for student in scores}
        return needs, table(summary), exit_status(summary)

    needs, said, status = again(base)
    assert in_gradebook(course)[0]["wrong"] == KINDS["perfect"].honest
    assert needs == {"perfect": False, "wrong": False} and "To be read" not in said and status == 0, "what she wrote is as it was read"
    memo = json.loads(json.dumps(base))
    at(memo, "q10")["source"] = "I have another figure for it."
    needs, said, status = again(memo)
    assert needs == {"perfect": False, "wrong": True} and "ps1-q10 of 1 student." in said and status == 3, "another text is to be read once more"
    at(memo, "q1")["source"] = "answers_due = 0"
    assert again(memo)[0] == {"perfect": False, "wrong": True}, "and is still to be read when something else changes"


@confined
def test_a_written_answer_counts_as_changed_where_its_grade_may_be_of_another(course, monkeypatch):
    """A run that ends between the notebook and the gradebook leaves a notebook that nobody has graded."""
    hand_in(course, KINDS["perfect"])
    grade("ps1", course)
    add_manual_grade(course, "perfect", 5)
    notebook = perfect(course)
    at(notebook, "q10")["source"] = "Another text."
    (course / "submitted" / "perfect" / "ps1" / "ps1.ipynb").write_text(json.dumps(notebook))
    with monkeypatch.context() as patch:
        patch.setattr(grading.Book, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            grade("ps1", course)
    assert "Another text." in (course / "autograded" / "perfect" / "ps1" / "ps1.ipynb").read_text()
    assert grade("ps1", course).results[0].manual == ["ps1-q10"]
    assert in_gradebook(course)[1] == {"perfect": True} and manual_grade(course, "perfect") == (5, "well said")


@confined
@pytest.mark.parametrize("victim", ["grader", pytest.param("warm process", marks=pytest.mark.full)])
def test_a_killed_run_is_gone_on_with(course, victim):
    base = perfect(course)
    names = [f"student-{number}" for number in range(8)]
    for name in names:
        hand_in(course, type(KINDS["perfect"])(name, KINDS["perfect"].change), base)
    code = f"from mystique.grading.grade import grade; grade('ps1', {str(course)!r}, jobs=2)"
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    _wait_for(lambda: (course / grading.LOG).exists() and len(log_lines_so_far(course)) >= 2, running)
    if victim == "grader":
        running.kill()
    else:
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        [os.kill(int(child), signal.SIGKILL) for child in children]
    running.communicate()
    assert not [line["needs"] for line in log_lines_so_far(course) if line["state"] == "failed"]
    before = log_lines_so_far(course)
    with open(course / grading.LOG, "ab") as file:
        file.write(b'{"problem_set": "ps1", "student": "stu')  # a write that was cut off
    summary = grade("ps1", course, jobs=2)
    states = {result.student: result.state for result in summary.results}
    assert [student for student, state in states.items() if state == "unchanged"] == sorted(line["student"] for line in before)
    assert set(states) == set(names) and exit_status(summary) == 3
    scores, _ = in_gradebook(course)
    assert scores == {name: KINDS["perfect"].honest for name in names}
    assert {result.state for result in grade("ps1", course).results} == {"unchanged"}


def log_lines_so_far(course):
    found = []
    for line in (course / grading.LOG).read_bytes().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            pass
    return found


def _wait_for(holds, running):
    end = time.monotonic() + 120
    while not holds():
        assert running.poll() is None, running.stderr.read().decode()
        assert time.monotonic() < end
        time.sleep(0.02)


@confined
def test_what_was_lost_is_done_again_and_dated_and_one_run_at_a_time(course):
    from nbgrader.api import Gradebook

    hand_in(course, KINDS["perfect"])
    grade("ps1", course)
    (course / "autograded" / "perfect" / "ps1" / "ps1.ipynb").unlink()
    (course / "submitted" / "perfect" / "ps1" / "timestamp.txt").write_text("2027-02-03 10:11:12 UTC")
    with grading.alone(course), pytest.raises(GradingError, match="another run"):
        grade("ps1", course)
    assert [result.state for result in grade("ps1", course).results] == ["graded"]
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mystique") as book:
        assert book.find_submission("ps1", "perfect").timestamp.isoformat() == "2027-02-03T10:11:12"


@confined
@pytest.mark.parametrize("lock", ["IMMEDIATE", pytest.param("EXCLUSIVE", marks=pytest.mark.full)])
def test_a_gradebook_in_use_loses_nothing(course, monkeypatch, lock):
    import sqlite3

    hand_in(course, KINDS["perfect"])
    monkeypatch.setattr(grading, "WAITS", 0)
    with sqlite3.connect(course / "gradebook.db") as other:
        other.execute(f"BEGIN {lock}")
        with pytest.raises(GradingError, match="used by another program"):
            grade("ps1", course)
    other.close()
    monkeypatch.undo()
    assert [result.state for result in grade("ps1", course).results] == ["graded"]


def test_it_refuses_to_run_unconfined_unless_told(course, monkeypatch):
    monkeypatch.setattr(grading, "ON_LINUX", True)
    with pytest.raises(GradingError, match="nothing active.*--trust-submissions"):
        grade("ps1", course, layers=confine.Layers())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="grades on Linux only")
def test_trusted_submissions_run_without_any_layer(course):
    hand_in(course, KINDS["os-exit"])
    summary = grade("ps1", course, layers=confine.Layers(), trust_submissions=True, limits=LIMITS)
    assert in_gradebook(course)[0]["os-exit"] == KINDS["os-exit"].honest and "nothing active" in table(summary)


def test_other_systems_are_told_what_to_use(course, monkeypatch):
    monkeypatch.setattr(grading, "ON_LINUX", False)
    with pytest.raises(GradingError, match="Docker.*WSL2.*--trust-submissions"):
        grade("ps1", course)


def test_other_systems_grade_trusted_submissions(course, monkeypatch):
    """With the engine of macOS and Windows, on this system."""
    monkeypatch.setattr(grading, "ON_LINUX", False)
    kinds = [KINDS[name] for name in ("perfect", "wrong", "os-exit", "endless-in-function", "old-schema")]
    make_class(course, kinds)
    summary = grade("ps1", course, jobs=2, layers=confine.Layers(), trust_submissions=True, limits=LIMITS)
    assert in_gradebook(course)[0] == {kind.student: kind.honest for kind in kinds}
    assert "nothing active" in table(summary)


@pytest.mark.parametrize("folder, name, said", [("", "ps9", "has no problem set ps9"), ("", "../x", "is no name"), ("nowhere", "ps1", "is no nbgrader course.*Name the class's folder with --course")])
def test_a_wrong_place_or_name_is_said(handed_out, folder, name, said):
    with pytest.raises(GradingError, match=said):
        grade(name, handed_out / folder, trust_submissions=True)


def test_a_set_that_was_not_handed_out_is_said(course):
    shutil.rmtree(course / "release")
    with pytest.raises(GradingError, match="was not handed out yet. Run `mystique assign ps1`"):
        grade("ps1", course, trust_submissions=True)


@pytest.mark.parametrize("value, score, looks", [
    (0.0, 0.0, False), (1.5, 1.5, False), (2.0, 2.0, False), (2.1, 0.0, True), (-1.0, 0.0, True), ("nan", 0.0, True), ("'2.0'", 0.0, True), (None, 0.0, True),
    (True, 0.0, True),
])
def test_full_points_never_come_by_accident(value, score, looks):
    found, why = score_of(Result(value=value), 2.0, Result(value=0.0), False)
    assert (found, bool(why)) == (score, looks)


def test_a_test_of_assertions_gives_all_or_nothing():
    assert score_of(Result(), 2.0, Result(failed=True), False) == (2.0, [])
    assert score_of(Result(failed=True), 2.0, Result(failed=True), False) == (0.0, [])


def test_what_was_never_run_is_not_called_wrong():
    score, [why] = score_of(Result(stopped="not run: too many cells before it had to be stopped"), 2.0, Result(value=0.0), False)
    assert score == 0.0 and why.endswith("it could not be graded")
    assert score_of(Result(stopped="ended the process it ran in"), 2.0, Result(value=0.0), False) == (0.0, [])


def test_a_twin_that_does_not_fail_is_shown_to_a_person():
    score, why = score_of(Result(value=2.0, twin=2.0), 2.0, Result(value=0.0, twin=0.0), True)
    assert score == 0.0 and "interfered" in why[0]


def test_what_a_notebook_imports_is_known_beforehand(tmp_path):
    cells = [{"cell_type": "code", "source": ["import pandas as pd\n", "from statsmodels.formula import api"]}, {"cell_type": "code", "source": "%x ("},
             {"cell_type": "markdown", "source": "import this"}]
    (tmp_path / "set.ipynb").write_text(json.dumps({"cells": cells}))
    assert grading.imported_modules(tmp_path / "set.ipynb") == ["pandas", "statsmodels.formula"]


def test_a_torn_log_is_read_as_far_as_it_goes(tmp_path):
    path = tmp_path / "log"
    log = Log(path)
    log.add("ps1", "a-b-c", "n", grading.Graded("one", "graded", {"q1": 1.0}))
    path.write_bytes(path.read_bytes() + b'{"problem_set": "ps')
    log = Log(path)
    assert log.answers("ps1", "one") == "a" and log.answers("ps1", "two") is None
    log.add("ps1", "d-b-c", "n", grading.Graded("two", "graded"))
    assert Log(path).answers("ps1", "two") == "d" and Log(path).answers("ps1", "one") == "a"
