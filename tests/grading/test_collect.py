"""An LMS's zip comes apart into submitted/STUDENT/ps1/, each work under the id by which the export finds its student again."""

import csv
import io
import os
import shutil
import stat
import sys
import time
import zipfile
from pathlib import Path

import pytest

from mystique.grading import collect as collecting
from mystique.grading.collect import CollectError, collect
from mystique.grading.grade import handed_in_at, misplaced, submissions
from mystique.grading.lms import LmsError, export_grades
from mystique.grading.students import StudentsError, enter_students

AMARA, BEN = b'{"cells": ["Amara"]}', b'{"cells": ["Ben"]}'
CANVAS = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "PS1 (812)"], ["    Points Possible", "", "", "", "", "40"],
          ["Osei, Amara", "9000", "", "amara", "501", ""], ["Lindqvist, Ben", "9001", "", "ben", "501", ""], ["Student, Test", "9999", "", "", "501", ""]]
MOODLE = [["Identifier", "Full name", "Email address", "Status", "Grade", "Maximum grade"],
          ["Participant 71", "Amara Osei", "amara@example.edu", "Submitted", "", "40"], ["Participant 72", "Ben Lindqvist", "ben@example.edu", "Submitted", "", "40"]]
GERMAN = [["ID", "Vollständiger Name", "E-Mail-Adresse", "Bewertung"], ["Teilnehmer/in 71", "Amara Osei", "amara@example.edu", ""],
          ["Teilnehmer/in 72", "Ben Lindqvist", "ben@example.edu", ""]]
MOODLE_GRADEBOOK = [["First name", "Last name", "Email address", "Assignment: PS1 (Real)", "Last downloaded from this course"],
                    ["Amara", "Osei", "amara@example.edu", "-", "1"], ["Ben", "Lindqvist", "ben@example.edu", "-", "1"]]
BRIGHTSPACE = [["OrgDefinedId", "Username", "Last Name", "First Name", "PS1 Points Grade <Numeric MaxPoints:40>", "End-of-Line Indicator"],
               ["#1", "#amara", "Osei", "Amara", "", "#"], ["#2", "#ben", "Lindqvist", "Ben", "", "#"]]
IN_CANVAS = {"oseiamara_9000_55123_ps1.ipynb": AMARA, "lindqvistben_LATE_9001_55124_ps1-1.ipynb": BEN}
IN_MOODLE = {"Amara Osei_71_assignsubmission_file_/ps1.ipynb": AMARA, "Ben Lindqvist_72_assignsubmission_file/ps1 (1).ipynb": BEN}
IN_BRIGHTSPACE = {"index.html": b"<html>", "311-67 - Amara Osei - Nov 28, 2026 1044 AM/ps1.ipynb": AMARA, "312-67 - Ben Lindqvist - Dec 1, 2026 105 AM/ps1.ipynb": BEN}


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A course in which ps1 was released and nobody has handed in."""
    from nbgrader.api import Gradebook

    folder = tmp_path_factory.mktemp("released") / "course"
    for name in ("source/ps1", "source/ps2", "release/ps1"):
        (folder / name).mkdir(parents=True)
    (folder / "release" / "ps1" / "checks.py").write_text("handed out", encoding="utf-8")
    (folder / "nbgrader_config.py").write_text("c = get_config()\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
            gradebook.add_assignment("ps1")
            gradebook.add_notebook("ps1", "ps1")
            gradebook.add_grade_cell("ps1-q1-test", "ps1", "ps1", max_score=40, cell_type="code")
    return folder


@pytest.fixture
def course(tmp_path, released):
    return Path(shutil.copytree(released, tmp_path / "course"))


def sheet(course, rows):
    with open(course / "grades.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return course / "grades.csv"


def zipped(course, members, name="submissions.zip"):
    with zipfile.ZipFile(course / name, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return course / name


def inner(members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    return content.getvalue()


def handed_in(course):
    """{path in submitted/: content} without the times."""
    files = sorted(each for each in (course / "submitted").rglob("*") if each.is_file() and each.name != "timestamp.txt")
    return {each.relative_to(course / "submitted").as_posix(): each.read_bytes() for each in files}


BOTH = {"amara/ps1/ps1.ipynb": AMARA, "ben/ps1/ps1.ipynb": BEN}


@pytest.mark.parametrize("lms, rows, members, match", [
    ("canvas", CANVAS, IN_CANVAS, None),
    ("moodle", MOODLE, IN_MOODLE, None),
    ("moodle", MOODLE, {"Amara Osei_71_assignsubmission_file_ps1.ipynb": AMARA, "Ben Lindqvist_72_assignsubmission_file_ps1.ipynb": BEN}, None),
    ("moodle", MOODLE_GRADEBOOK, IN_MOODLE, None),
    ("moodle", GERMAN, IN_MOODLE, "E-Mail-Adresse"),
    ("brightspace", BRIGHTSPACE, IN_BRIGHTSPACE, None),
    ("brightspace", BRIGHTSPACE, {"311-67 - amara Amara Osei - Nov 28, 2026 1044 AM/ps1.ipynb": AMARA, "312-67 - Ben Lindqvist - Nov 28, 2026 1044 AM - ps1.ipynb": BEN},
     None),
    ("canvas", CANVAS, {f"submissions/{name}": content for name, content in IN_CANVAS.items()}, None),
])
def test_everybody_is_put_where_the_grader_looks_and_the_export_finds_her(course, lms, rows, members, match):
    grades = sheet(course, rows)
    report = collect(lms, course, "ps1", zipped(course, members), grades, match=match)
    assert handed_in(course) == BOTH and report.exit_status() == 0, report.text()
    assert [student for student, _ in submissions(course, "ps1")] == ["amara", "ben"] and misplaced(course, "ps1") == []
    assert not list((course / "submitted").glob(".*")) and report.without == []
    column = {"E-Mail-Adresse": "Bewertung"}.get(match)
    exported = export_grades(lms, course, "ps1", grades, course / "out.csv", allow_ungraded=True, match=match, column=column)
    assert exported.only_in_course == [] and [student for _, student, _ in exported.kept] == ["amara", "ben"]


@pytest.fixture
def five_hours_behind(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "EST5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows keeps its zone")
def test_times_are_kept_where_the_zip_tells_them(course, five_hours_behind):
    collect("brightspace", course, "ps1", zipped(course, IN_BRIGHTSPACE), sheet(course, BRIGHTSPACE))
    found = {student: f"{handed_in_at(folder)[0]:%Y-%m-%d %H:%M}" for student, folder in submissions(course, "ps1")}
    assert found == {"amara": "2026-11-28 15:44", "ben": "2026-12-01 06:05"}, "in UTC, as nbgrader has it"
    shutil.rmtree(course / "submitted")
    report = collect("canvas", course, "ps1", zipped(course, IN_CANVAS), sheet(course, CANVAS))
    assert not list(course.rglob("timestamp.txt")) and "ben: late; was called ps1-1.ipynb" in report.text()


def test_canvas_needs_no_other_file_and_names_students_by_its_number(course):
    archive = zipped(course, IN_CANVAS)
    collect("canvas", course, "ps1", archive)
    assert sorted(handed_in(course)) == ["9000/ps1/ps1.ipynb", "9001/ps1/ps1.ipynb"]
    exported = export_grades("canvas", course, "ps1", sheet(course, CANVAS), course / "out.csv", allow_ungraded=True)
    assert exported.only_in_course == []
    shutil.rmtree(course / "submitted")
    enter(course, "id,lms_user_id\namara,9000\n")
    report = collect("canvas", course, "ps1", archive)
    assert sorted(handed_in(course)) == ["amara/ps1/ps1.ipynb"]
    assert "lindqvistben_LATE_9001_55124_ps1-1.ipynb: number 9001 (lindqvistben) is nobody in the gradebook. Name the LMS's file with grades as well." in report.text()


def enter(course, text):
    (course / "students.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return enter_students(course, course / "students.csv")


def test_who_is_in_the_gradebook_keeps_her_id(course):
    enter(course, "id,first_name,last_name,email\ns1,Amara,Osei,amara@example.edu\ns2,Ben,Lindqvist,ben@example.edu\n")
    for members, rows in ((IN_MOODLE, MOODLE), (IN_MOODLE, None)):  # without a file by their names
        report = collect("moodle", course, "ps1", zipped(course, members), rows and sheet(course, rows))
        assert sorted(handed_in(course)) == ["s1/ps1/ps1.ipynb", "s2/ps1/ps1.ipynb"], report.text()
        shutil.rmtree(course / "submitted")
    zoe = [*MOODLE, ["Participant 73", "Zoe Zed", "zoe@example.edu", "", "", "40"]]
    report = collect("moodle", course, "ps1", zipped(course, {"Zoe Zed_73_assignsubmission_file_/ps1.ipynb": BEN}), sheet(course, zoe))
    assert handed_in(course) == {} and "Zoe Zed" in report.text() and "Enter her first (mystique students FILE)" in report.text()
    assert "In grades.csv, without work in submitted/ (3):\n  row 2: " in report.text() and report.exit_status() == 3


def test_nobody_gets_the_id_that_somebody_else_has(course):
    enter(course, "id,email\nben,lindqvist@example.edu\n")
    other_ben = [MOODLE[0], ["Participant 72", "Ben Lindqvist", "lindqvist@example.edu", "", "", "40"], ["Participant 73", "Ben Zed", "ben@example.edu", "", "", "40"]]
    report = collect("moodle", course, "ps1", zipped(course, {"Ben Zed_73_assignsubmission_file_/ps1.ipynb": AMARA}), sheet(course, other_ben))
    assert handed_in(course) == {} and "Ben Zed, ben@example.edu" in report.text() and "Enter her first" in report.text()


def test_a_later_zip_replaces_what_is_older_and_loses_nothing(course):
    grades = sheet(course, BRIGHTSPACE)
    collect("brightspace", course, "ps1", zipped(course, IN_BRIGHTSPACE), grades)
    again = {**IN_BRIGHTSPACE, "311-67 - Amara Osei - Nov 29, 2026 900 AM/ps1.ipynb": b"{}", "311-67 - Amara Osei - Nov 30, 2026 900 AM/notes.pdf": b"%PDF"}
    report = collect("brightspace", course, "ps1", zipped(course, again), grades)
    assert handed_in(course) == {**BOTH, "amara/ps1/ps1.ipynb": b"{}"}, "the newest that holds a notebook"
    assert (course / "replaced" / "amara" / "ps1-1" / "ps1.ipynb").read_bytes() == AMARA
    assert "1 replaced, 1 unchanged" in report.text() and "amara: the earlier one is now in replaced/amara/ps1-1; the newest of 3" in report.text()
    report = collect("brightspace", course, "ps1", zipped(course, IN_BRIGHTSPACE), grades)
    assert handed_in(course)["amara/ps1/ps1.ipynb"] == b"{}" and "amara: what is there is from" in report.text() and report.exit_status() == 3
    collect("brightspace", course, "ps1", zipped(course, IN_BRIGHTSPACE), grades, replace=True)
    assert handed_in(course) == BOTH and (course / "replaced" / "amara" / "ps1-2" / "ps1.ipynb").read_bytes() == b"{}"


def test_another_version_of_unknown_age_is_told_and_replaced_when_asked(course):
    grades = sheet(course, CANVAS)
    collect("canvas", course, "ps1", zipped(course, IN_CANVAS), grades)
    later = zipped(course, {"oseiamara_9000_56000_ps1-1.ipynb": b"{}"})
    report = collect("canvas", course, "ps1", later, grades)
    assert handed_in(course) == BOTH and "Not replaced (1):\n  amara: another version is there" in report.text() and "--replace" in report.text()
    collect("canvas", course, "ps1", later, grades, replace=True)
    assert handed_in(course)["amara/ps1/ps1.ipynb"] == b"{}" and (course / "replaced" / "amara" / "ps1-1" / "ps1.ipynb").read_bytes() == AMARA


def test_a_failed_rename_leaves_what_was_there(course, monkeypatch):
    grades = sheet(course, CANVAS)
    collect("canvas", course, "ps1", zipped(course, IN_CANVAS), grades)
    rename = Path.rename

    def full(path, target):
        if path.name.startswith(".collect-"):
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="No space"):
        collect("canvas", course, "ps1", zipped(course, {"oseiamara_9000_56000_ps1.ipynb": b"{}"}), grades, replace=True)
    assert handed_in(course) == BOTH


def amaras(course, members):
    """(what was put in place of hers, the report)."""
    named = {f"oseiamara_9000_{number}_{name}": content for number, (name, content) in enumerate(members.items(), 1)}
    report = collect("canvas", course, "ps1", zipped(course, named), sheet(course, CANVAS))
    return handed_in(course), report.text()


def test_a_zip_in_the_zip_is_opened_one_level(course):
    hers = inner({"ps1/ps1.ipynb": AMARA, "ps1/helper.py": b"x = 1", "ps1/checks.py": b"mine", "ps1/.ipynb_checkpoints/ps1-checkpoint.ipynb": BEN,
                  "__MACOSX/ps1/._ps1.ipynb": BEN,
                  "ps1/timestamp.txt": b"1999-01-01", "../../out.py": b"x"})
    found, said = amaras(course, {"ps1.zip": hers})
    assert found == {"amara/ps1/ps1.ipynb": AMARA, "amara/ps1/helper.py": b"x = 1"} and not list(course.rglob("timestamp.txt"))
    assert "in ps1.zip, ../../out.py has an odd name" in said
    assert not list(course.parent.rglob("out.py"))


@pytest.mark.parametrize("members, said", [
    ({"ps1.zip": inner({"deeper.zip": inner({"ps1.ipynb": AMARA})})}, "handed in no notebook"),
    ({"ps1.zip": b"PK\x03\x04 cut off"}, "ps1.zip is no zip, or a damaged one; oseiamara handed in no notebook"),
    ({"ps1.pdf": b"%PDF"}, "oseiamara handed in no notebook. Ask for ps1.ipynb."),
    ({"ps2.ipynb": AMARA}, "ps2.ipynb is named like another set, ps2"),
    ({"ps1.zip": inner({"a/ps1.ipynb": AMARA, "b/ps1.ipynb": BEN})}, "2 notebooks of oseiamara may be meant: a/ps1.ipynb, b/ps1.ipynb"),
    ({"ps1.ipynb": b" " * 2_000}, "is larger than"),
])
def test_what_is_not_clear_is_left_to_a_person(course, monkeypatch, members, said):
    monkeypatch.setattr(collecting, "LARGEST_NOTEBOOK", 1_000)
    found, text = amaras(course, members)
    assert found == {} and f"{said}" in text and "Not understood (1):\n  oseiamara_9000_1_" in text


@pytest.mark.parametrize("members, wanted", [
    ({"ps1.ipynb": BEN, "ps1-1.ipynb": AMARA}, AMARA),                      # Canvas counts its files: the later one
    ({"ps1-1.ipynb": AMARA, "notes.ipynb": BEN}, AMARA),                    # of two, the one that is named like the set
    ({"my answers.ipynb": AMARA, "ps2.ipynb": BEN}, AMARA),
    ({"PS_1_final.IPYNB": AMARA}, AMARA),
    ({"ps1.zip": inner({"a/ps1.ipynb": AMARA, "b/ps1.ipynb": AMARA})}, AMARA),
])
def test_the_notebook_that_counts(course, members, wanted):
    assert amaras(course, members)[0]["amara/ps1/ps1.ipynb"] == wanted


def link(name):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize("name, why", [
    ("../oseiamara_9000_1_ps1.ipynb", "odd name"), ("/etc/oseiamara_9000_1_ps1.ipynb", "odd name"), ("oseiamara_9000_1_..\\ps1.ipynb", "odd name"),
    ("oseiamara_9000_1_\x1b[2Kps1.ipynb", "odd name"), ("C:/oseiamara_9000_1_ps1.ipynb", "odd name"), (link("oseiamara_9000_1_ps1.ipynb"), "a link"),
    ("oseiamara.ipynb", "no name as canvas gives them"), ("anon_x7Yz_9000_ps1.ipynb", "anonymous"),
])
def test_odd_members_are_refused_and_the_others_collected(course, name, why):
    with zipfile.ZipFile(course / "submissions.zip", "w") as archive:
        archive.writestr(name, "/etc/passwd")
        archive.writestr("lindqvistben_9001_2_ps1.ipynb", BEN)
    before = {each for each in course.parent.rglob("*")}
    report = collect("canvas", course, "ps1", course / "submissions.zip", sheet(course, CANVAS))
    assert handed_in(course) == {"ben/ps1/ps1.ipynb": BEN} and len(report.not_understood) == 1 and why in report.text() and "\x1b" not in report.text()
    assert {each.name for each in set(course.parent.rglob("*")) - before} == {"submitted", "ben", "ps1", "ps1.ipynb", "grades.csv"}


def test_a_bomb_and_a_lock_cost_their_own_student_only(course, monkeypatch):
    monkeypatch.setattr(collecting, "LARGEST_NOTEBOOK", 1_000)
    archive = zipped(course, {"oseiamara_9000_1_ps1.ipynb": b"0" * 2_000, "lindqvistben_9001_2_ps1.ipynb": BEN})
    content = archive.read_bytes()
    size = (2_000).to_bytes(4, "little")
    archive.write_bytes(content.replace(size, (10).to_bytes(4, "little")))  # its header tells a lie
    report = collect("canvas", course, "ps1", archive, sheet(course, CANVAS))
    assert handed_in(course) == {"ben/ps1/ps1.ipynb": BEN} and len(report.not_understood) == 1
    archive.write_bytes(content.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00", 1))
    assert "is encrypted. Ask the student for it without a password." in collect("canvas", course, "ps1", archive, sheet(course, CANVAS)).text()


def test_sizes_are_bounded(course, monkeypatch):
    monkeypatch.setattr(collecting, "MOST_IN_ZIP", 1)
    found, said = amaras(course, {"ps1.zip": inner({"ps1.ipynb": AMARA, "helper.py": b"x"})})
    assert found == {"amara/ps1/ps1.ipynb": AMARA} and "ps1.zip holds 2 files; only the first 1 were looked at" in said
    monkeypatch.setattr(collecting, "MOST_MEMBERS", 1)
    with pytest.raises(CollectError, match="submissions.zip: holds 2 files; at most 1 are read"):
        collect("canvas", course, "ps1", zipped(course, IN_CANVAS))


@pytest.mark.parametrize("login", ["../amara", ".amara", "a/b", "amara:x"])
def test_an_id_that_could_lead_elsewhere_is_no_folder(course, login):
    rows = [CANVAS[0], [*CANVAS[2][:3], login, "501", ""], CANVAS[3]]
    report = collect("canvas", course, "ps1", zipped(course, IN_CANVAS), sheet(course, rows))
    assert handed_in(course) == {"ben/ps1/ps1.ipynb": BEN} and f"'{login}' cannot be a folder's name" in report.text()


def test_people_who_cannot_be_told_apart_are_left_to_a_person(course):
    twins = [*BRIGHTSPACE, ["#3", "#ben2", "Lindqvist", "Ben", "", "#"]]
    report = collect("brightspace", course, "ps1", zipped(course, IN_BRIGHTSPACE), sheet(course, twins))
    assert sorted(handed_in(course)) == ["amara/ps1/ps1.ipynb"] and "Ben Lindqvist is 2 people in the file with grades" in report.text()
    shutil.rmtree(course / "submitted")
    two = {**IN_BRIGHTSPACE, "399-67 - Ben Lindqvist - Dec 1, 2026 105 AM/ps1.ipynb": AMARA}
    report = collect("brightspace", course, "ps1", zipped(course, two), sheet(course, BRIGHTSPACE))
    assert sorted(handed_in(course)) == ["amara/ps1/ps1.ipynb"] and "2 of the zip seem to be ben" in report.text()


def test_a_worksheet_of_another_assignment_gives_nobody_anothers_work(course):
    other = [MOODLE[0], ["Participant 72", *MOODLE[1][1:]], ["Participant 71", *MOODLE[2][1:]]]
    report = collect("moodle", course, "ps1", zipped(course, IN_MOODLE), sheet(course, other))
    assert handed_in(course) == {} and report.text().count("Is it the worksheet of another assignment?") == 2


@pytest.mark.parametrize("lms, content, said", [
    ("canvas", None, "submissions.zip: is not there. Name the zip"),
    ("canvas", b"<html>", "submissions.zip: cannot be read as a zip.*Download all submissions"),
    ("canvas", inner({}), "no file in it has a name as canvas gives them; found nothing"),
    ("moodle", inner(IN_CANVAS), "no file in it has a name as moodle gives them; found 'oseiamara_9000"),
    ("blackboard", inner(IN_CANVAS), "no collecting from 'blackboard'.*canvas, moodle, brightspace"),
])
def test_a_wrong_zip_is_refused(course, lms, content, said):
    if content is not None:
        (course / "submissions.zip").write_bytes(content)
    with pytest.raises(CollectError, match=said):
        collect(lms, course, "ps1", course / "submissions.zip")


def test_a_set_that_was_not_released_is_refused(course):
    with pytest.raises(LmsError, match="the gradebook has no ps2; it has ps1"):
        collect("canvas", course, "ps2", zipped(course, IN_CANVAS))


# ------------------------------------------------------------------------------------------------------ the class list


@pytest.mark.parametrize("content", [
    b"id,first_name,last_name,email\nzoe,Zo\xc3\xab,Zed,zoe@example.edu\n", b"\xef\xbb\xbfid;first_name;last_name;email\r\nzoe;Zo\xc3\xab;Zed;zoe@example.edu\r\n",
    "id\tFirst name\tLast name\tEmail\tNotes\nzoe\tZoë\tZed\tzoe@example.edu\tx\n".encode("utf-16"),
    "ID;first_name;last_name;email\r\nzoe;Zoë;Zed;zoe@example.edu\r\n".encode("cp1252"),
])
def test_a_class_list_is_read_as_any_program_saves_it(course, content):
    from nbgrader.api import Gradebook

    assert enter(course, content) == (["zoe"], [])
    assert enter(course, "id,last_name,email\nzoe,Zett,\n") == ([], ["zoe"])
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        zoe = gradebook.find_student("zoe")
        assert (zoe.first_name, zoe.last_name, zoe.email) == ("Zoë", "Zett", "zoe@example.edu")


@pytest.mark.parametrize("text, said", [
    ("login,email\nzoe,z\n", "students.csv, row 1: found the columns login, email; one of them must be called id"),
    ("id,email\nzoe,z\n,y\n", "row 3: the id is ''"), ("id,email\nzoe,z\n../x,y\n", "row 3: the id is '../x'"),
    ("id,email\nzoe,z\nzoe,y\n", "row 3: the id 'zoe' stands in row 2 already. Nobody was entered"), ("id,email\n", "no student"), ("", "empty"),
])
def test_a_class_list_with_a_fault_enters_nobody(course, text, said):
    with pytest.raises(StudentsError, match=said):
        enter(course, text)
    with pytest.raises(StudentsError, match="nowhere.csv: is not there"):
        enter_students(course, course / "nowhere.csv")
