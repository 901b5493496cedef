"""Grades go into the instructor's own file: only the cells of one column change, and nobody gets another's points."""

import csv
import io
import os
import shutil
import sys
from pathlib import Path

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import given, settings

from mystique.grading import lms
from mystique.grading.lms import LmsError, Sheet, export_grades, is_formula

# id, first name, last name, e-mail, points for q1 (of 34), points for q10 (of 6; None: still to be graded)
CLASS = [
    ("aobrien", "Anna", 'O"Brien, Jr.', "anna.obrien@example.edu", 30, 4),
    ("bjorn", "Björn", "Ångström", "bjorn@example.edu", 8.5, 0),
    ("chen", "陈", "小明", "chen@example.edu", 34, 6),
    ("evil", "Eve", '=HYPERLINK("http://example.com";"x")', "eve@example.edu", 0, 0),
]
NO_SUBMISSION = ("dora", "Dora", "Diaz", "dora@example.edu")
NAME = {each[0]: f"{each[2]}, {each[1]}" for each in (*CLASS, NO_SUBMISSION)}
POINTS = {"aobrien": "34", "bjorn": "8.5", "chen": "40", "evil": "0"}


@pytest.fixture(scope="module")
def class_graded(tmp_path_factory):
    """An nbgrader course with ps1 (40 points) and the class in it, all graded. nbgrader asks the program alembic to make a gradebook."""
    from nbgrader.api import Gradebook

    folder = tmp_path_factory.mktemp("class") / "course"
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'course'\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "course") as gradebook:
            gradebook.add_assignment("ps1")
            gradebook.add_notebook("ps1", "ps1")
            gradebook.add_grade_cell("ps1-q1-test", "ps1", "ps1", max_score=34, cell_type="code")
            gradebook.add_grade_cell("ps1-q10", "ps1", "ps1", max_score=6, cell_type="markdown")
            gradebook.add_solution_cell("ps1-q10", "ps1", "ps1")
    for each in CLASS:
        hand_in(folder, *each)
    with gradebook_of(folder) as gradebook:
        gradebook.add_student(NO_SUBMISSION[0], first_name=NO_SUBMISSION[1], last_name=NO_SUBMISSION[2], email=NO_SUBMISSION[3])
    return folder


@pytest.fixture
def course(tmp_path, class_graded):
    """A copy of the course, to change."""
    return Path(shutil.copytree(class_graded, tmp_path / "course"))


def gradebook_of(course):
    from nbgrader.api import Gradebook

    return Gradebook(f"sqlite:///{course / 'gradebook.db'}", "course")


def hand_in(course, student, first, last, email, q1, q10, lms_user_id=None, comment=None):
    with gradebook_of(course) as gradebook:
        gradebook.add_student(student, first_name=first, last_name=last, email=email, lms_user_id=lms_user_id)
        gradebook.add_submission("ps1", student)
        test, essay = (gradebook.find_grade(name, "ps1", "ps1", student) for name in ("ps1-q1-test", "ps1-q10"))
        test.auto_score, test.needs_manual_grade = q1, q1 is None
        essay.manual_score, essay.needs_manual_grade = q10, q10 is None
        if comment:
            gradebook.find_comment("ps1-q10", "ps1", "ps1", student).manual_comment = comment
        gradebook.db.commit()


def table(rows, delimiter=",", ends="\r\n", **how):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=ends, **how).writerows(rows)
    return text.getvalue()


def save(folder, text, name="downloaded.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def read(path, delimiter=",", encoding="utf-8"):
    with open(path, encoding=encoding, newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def canvas(extra=(), header=("Reading quiz (811)", "Problem set 1: The County's Data (812)"), maximum="40.00", points="    Points Possible"):
    rows = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *header, "Final Score"]]
    rows.append(["", "", "", "", "", "", "Manual Posting", ""])
    rows.append([points, "", "", "", "", "5.00", maximum, "(read only)"])
    for number, student in enumerate(("chen", "bjorn", "aobrien", "dora", "evil")):
        rows.append([NAME[student], str(9001 + number), f"00{4321 + number}", student, "MPA 501, Section 2", "-1.5", "", "71.20"])
    rows.append(["Student, Test", "9999", "", "6d1f0c", "MPA 501", "", "", ""])
    return [*rows, *extra]


def worksheet(maximum="40.00", locked=()):
    rows = [["Identifier", "Full name", "Email address", "Status", "Grade", "Maximum grade", "Grade can be changed", "Last modified (submission)",
             "Online text", "Last modified (grade)", "Feedback comments"]]
    for number, (student, first, last, email, *_) in enumerate((*CLASS, NO_SUBMISSION)):
        rows.append([f"Participant {710 + number}", f"{first} {last}", email, "Submitted for grading", "", maximum, "No" if student in locked else "Yes",
                     "Monday, 3 May 2027, 9:15 AM", "@SUM(A1)\nsecond line, with a comma", "-", ""])
    return rows


def gradebook_csv():
    rows = [["First name", "Last name", "ID number", "Institution", "Department", "Email address", "Quiz: Reading (Real)",
             "Assignment: PS1 (Real)", "Assignment: PS1 (Percentage)", "Assignment: PS1 (Feedback)", "Course total (Real)", "Last downloaded from this course"]]
    return rows + [[first, last, "", "", "", email.upper(), "-", "-", "-", " ", "-", "1804665600"] for _, first, last, email, *_ in (*CLASS, NO_SUBMISSION)]


def brightspace(header="PS 1 Points Grade <Numeric MaxPoints:40 Weight:10 Category:Problem sets CategoryWeight:40>"):
    rows = [["OrgDefinedId", "Username", "Last Name", "First Name", "Email", "Essay Points Grade <Numeric MaxPoints:10>", header, "End-of-Line Indicator"]]
    return rows + [[f"#1000{number}", f"#{student}", last, first, email, "7", "", "#"] for number, (student, first, last, email, *_) in enumerate((*CLASS, NO_SUBMISSION))]


# ------------------------------------------------------------------------------------------------- the three systems


@pytest.mark.parametrize("delimiter, encoding, ends", [(",", "utf-8", "\n"), (",", "utf-8-sig", "\r\n"), (";", "utf-8-sig", "\r\n"), ("\t", "utf-16", "\n")])
def test_canvas(course, tmp_path, delimiter, encoding, ends):
    before = canvas()
    if encoding == "utf-16":
        downloaded = tmp_path / "downloaded.csv"
        downloaded.write_bytes(b"\xff\xfe" + table(before, delimiter, ends).encode("utf-16-le"))
    else:
        downloaded = save(tmp_path, table(before, delimiter, ends), encoding=encoding)
    bytes_before = downloaded.read_bytes()
    report = export_grades("canvas", course, "ps1", downloaded, tmp_path / "out.csv")

    assert downloaded.read_bytes() == bytes_before
    after = read(tmp_path / "out.csv", delimiter, encoding)
    expected = [list(row) for row in before]
    for row in expected[3:]:
        row[6] = POINTS.get(row[3], "")
    expected[7][0] = "'" + expected[7][0]
    assert after == expected
    raw = (tmp_path / "out.csv").read_bytes()
    assert raw[:3] == bytes_before[:3] and raw.count(b"\r") == bytes_before.count(b"\r")
    frame = pd.read_csv(tmp_path / "out.csv", sep=delimiter, encoding=encoding, skiprows=[1, 2], dtype={"SIS User ID": str})
    assert dict(zip(frame["SIS Login ID"], frame["Problem set 1: The County's Data (812)"].fillna(-1))) == {
        "chen": 40, "bjorn": 8.5, "aobrien": 34, "dora": -1, "evil": 0, "6d1f0c": -1}
    assert list(frame["SIS User ID"][:2]) == ["004321", "004322"]
    assert report.only_in_file == [(9, "Student, Test, 9999, 6d1f0c")]
    assert report.only_in_course == []
    assert report.kept == [(7, "dora", "no submission")]
    assert report.defused == [(8, "Student")]
    assert "SIS Login ID" in report.matched_by


@pytest.mark.parametrize("delimiter, encoding", [(",", "utf-8"), (";", "utf-8-sig")])
def test_moodle_worksheet(course, tmp_path, delimiter, encoding):
    downloaded = save(tmp_path, table(worksheet(locked=["chen"]), delimiter, quoting=csv.QUOTE_ALL), encoding=encoding)
    report = export_grades("moodle", course, "ps1", downloaded, tmp_path / "out.csv")
    after = read(tmp_path / "out.csv", delimiter, encoding)
    assert [row[4] for row in after] == ["Grade", "34", "8.5", "", "0", ""]
    assert [row[8] for row in after[1:]] == ["'@SUM(A1)\nsecond line, with a comma"] * 5
    assert [row[:4] + row[5:8] + row[9:] for row in after] == [row[:4] + row[5:8] + row[9:] for row in worksheet(locked=["chen"])]
    assert [row for row, _, why in report.kept if "cannot be changed" in why] == [4]
    assert report.kind == "Moodle grading worksheet" and "Email address" in report.matched_by
    frame = pd.read_csv(tmp_path / "out.csv", sep=delimiter, encoding=encoding)
    assert frame["Grade"].tolist()[:2] == [34, 8.5] and frame["Full name"][2] == "陈 小明"


def test_moodle_gradebook(course, tmp_path):
    report = export_grades("moodle", course, "ps1", save(tmp_path, table(gradebook_csv(), ends="\n")), tmp_path / "out.csv")
    after = read(tmp_path / "out.csv")
    assert [row[7] for row in after[1:]] == ["34", "8.5", "40", "0", "-"]
    assert {cell for row in after[1:] for cell in (row[6], row[8], row[10])} == {"-"}, "an empty mark is no formula"
    assert after[4][1] == "'" + CLASS[3][2]
    assert report.kind == "Moodle gradebook"
    assert report.column == "Assignment: PS1 (Real)"


def test_brightspace(course, tmp_path):
    report = export_grades("brightspace", course, "ps1", save(tmp_path, table(brightspace()), encoding="utf-8-sig"), tmp_path / "out.csv")
    frame = pd.read_csv(tmp_path / "out.csv", encoding="utf-8-sig", dtype=str, keep_default_na=False)
    assert frame.columns.tolist() == brightspace()[0]
    assert frame.iloc[:, 6].tolist() == ["34", "8.5", "40", "0", ""]
    assert set(frame["End-of-Line Indicator"]) == {"#"}
    assert frame["OrgDefinedId"].tolist() == [f"#1000{number}" for number in range(5)]
    assert frame["Last Name"].tolist() == [CLASS[0][2], CLASS[1][2], CLASS[2][2], "'" + CLASS[3][2], "Diaz"]
    assert report.scaling == "Points were written as they are, out of 40."


def test_only_changed_cells_differ_byte_for_byte(course, tmp_path):
    """Odd but legal quoting, other spaces, a missing last line end: all of it stays."""
    text = ('"Student",ID,SIS User ID,"SIS Login ID",Section,PS1 (7),Notes \n'
            '    Points Possible,,,,,40,\n'
            '"陈, ""Ming""",  9001,0043,"chen",,"",  spaced \n'
            'Björn,9002,,bjorn,"A;B", ,"two\nlines"')
    export_grades("canvas", course, "ps1", save(tmp_path, text), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes().decode() == text.replace('"chen",,"",', '"chen",,"40",').replace('"A;B", ,', '"A;B",8.5,')


cell = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=8)


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(cell, cell, cell), max_size=4), delimiter=st.sampled_from(",;\t"),
       how=st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]))
def test_any_table_is_read_as_the_csv_module_reads_it_and_written_back_unchanged(tmp_path_factory, rows, delimiter, how):
    ends, quoting = how
    text = table([("Identifier", "Full name", "Grade"), *rows], delimiter, ends, quoting=quoting)
    path = save(tmp_path_factory.getbasetemp(), text, "any.csv")
    sheet = Sheet(path)
    assert [sheet.values(row) for row in sheet.rows()] == [list(row) for row in rows if any(row)]
    sheet.write(path.with_name("same.csv"), path)
    assert path.with_name("same.csv").read_bytes() == path.read_bytes()
    for row in sheet.rows():
        sheet.set(row, 2, 'new "value"' + delimiter)
    sheet.write(path.with_name("same.csv"), path)
    assert [row[2] for row in read(path.with_name("same.csv"), delimiter) if any(row)][1:] == ['new "value"' + delimiter] * len(sheet.rows())


# ----------------------------------------------------------------------------------------------- who gets which points


def test_students_are_found_by_the_column_that_finds_most(course, tmp_path):
    rows = canvas()
    for row in rows[3:]:
        row[3] = f"{row[3]}@campus.example.edu"  # the LMS's logins are addresses, nbgrader's ids are what stands before the @
    report = export_grades("canvas", course, "ps1", save(tmp_path, table(rows)), tmp_path / "out.csv")
    assert [row[6] for row in read(tmp_path / "out.csv")[3:]] == ["40", "8.5", "34", "", "0", ""]
    assert "before the @" in report.matched_by


def test_students_can_be_found_by_the_lms_id_of_the_gradebook(course, tmp_path):
    hand_in(course, "zoe", "Zoe", "Zed", None, 20, 1, lms_user_id="9005")
    rows = canvas()
    rows = rows[:3] + [row for row in rows[3:] if row[3] == "evil"]
    rows[3][3] = "someone"
    export_grades("canvas", course, "ps1", save(tmp_path, table(rows)), tmp_path / "out.csv", match="ID")
    assert read(tmp_path / "out.csv")[3][6] == "21"


def test_two_columns_that_disagree_are_refused(course, tmp_path):
    rows = canvas()
    rows[3][2], rows[4][2] = "bjorn", "chen"  # the SIS ids of two students are each other's login
    with pytest.raises(LmsError, match="row 4: column 'SIS Login ID'.* says chen.* says bjorn.*--match"):
        export_grades("canvas", course, "ps1", save(tmp_path, table([row for row in rows if row[3] != "dora"])), tmp_path / "out.csv")
    report = export_grades("canvas", course, "ps1", tmp_path / "downloaded.csv", tmp_path / "out.csv", match="SIS User ID")
    assert {student: row for row, student, _ in report.written} == {"bjorn": 4, "chen": 5}


def test_a_student_twice_in_the_file_is_refused_with_both_rows(course, tmp_path):
    extra = [["Chen again", "9300", "", "CHEN", "", "", "", ""]]
    with pytest.raises(LmsError, match="downloaded.csv, row 10: 'CHEN' stands in column 'SIS Login ID' already in row 4"):
        export_grades("canvas", course, "ps1", save(tmp_path, table(canvas(extra))), tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_who_is_in_one_and_not_in_the_other_is_listed(course, tmp_path):
    rows = [row for row in canvas() if row[3] not in ("aobrien", "dora")]
    report = export_grades("canvas", course, "ps1", save(tmp_path, table(rows)), tmp_path / "out.csv")
    assert report.only_in_course == [("aobrien", "34 points"), ("dora", "no submission")]
    assert [who for _, who in report.only_in_file] == ["Student, Test, 9999, 6d1f0c"]
    text = report.text()
    assert "In the gradebook, not in the file (2):\n  aobrien: 34 points" in text and "row 7: Student, Test" in text


def test_nobody_found_is_refused_with_examples_of_both(course, tmp_path):
    rows = canvas()
    for row in rows[3:]:
        row[3] = f"x{row[1]}"
    with pytest.raises(LmsError, match="no student of the gradebook.*'x9001'.*'aobrien'.*mystique students FILE.*--match"):
        export_grades("canvas", course, "ps1", save(tmp_path, table(rows)), tmp_path / "out.csv")


def test_an_anonymous_worksheet_is_matched_by_the_participants_number(course, tmp_path):
    hand_in(course, "719", "", "", None, 10, 2)
    rows = [["Identifier", "Status", "Grade", "Maximum grade", "Last modified (grade)"], ["Participant 719", "", "", "40", "-"]]
    export_grades("moodle", course, "ps1", save(tmp_path, table(rows)), tmp_path / "out.csv")
    assert read(tmp_path / "out.csv")[1][2] == "12"


# --------------------------------------------------------------------------------------------------- what is not ready


def test_open_manual_grading_is_refused_by_number_and_name_unless_told(course, tmp_path):
    hand_in(course, "fay", "Fay", "F", "fay@example.edu", 20, None)
    hand_in(course, "gus", "Gus", "G", "gus@example.edu", None, None)  # the autograder gave nothing
    (course / "submitted" / "hal" / "ps1").mkdir(parents=True)         # never got as far as the gradebook
    (course / "submitted" / "bjorn" / "ps1").mkdir(parents=True)
    extra = [[name, str(number), "", name, "", "", "", ""] for number, name in enumerate(("fay", "gus", "hal"), start=1)]
    downloaded = save(tmp_path, table(canvas(extra)))
    with pytest.raises(LmsError, match="3 submission.*not graded to the end(?s:.*)--allow-ungraded") as refused:
        export_grades("canvas", course, "ps1", downloaded, tmp_path / "out.csv")
    assert "fay: to be graded by a person: ps1-q10" in str(refused.value) and "hal: handed in, but never graded" in str(refused.value)
    assert "bjorn" not in str(refused.value)
    assert not (tmp_path / "out.csv").exists()

    report = export_grades("canvas", course, "ps1", downloaded, tmp_path / "out.csv", allow_ungraded=True)
    assert {row[3]: row[6] for row in read(tmp_path / "out.csv")[9:]} == {"fay": "20", "gus": "", "hal": ""}
    assert report.open == [("fay", "to be graded by a person: ps1-q10")]


def test_what_the_lms_holds_is_kept_or_reported(course, tmp_path):
    rows = canvas()
    for row, held in zip(rows[3:7], ("EX", "N/A", "12.00", "5.00")):
        row[6] = held
    report = export_grades("canvas", course, "ps1", save(tmp_path, table(rows)), tmp_path / "out.csv")
    assert [row[6] for row in read(tmp_path / "out.csv")[3:7]] == ["EX", "N/A", "34", "5.00"]
    assert [(row, student) for row, student, _ in report.kept] == [(4, "chen"), (5, "bjorn"), (7, "dora")]
    assert report.replaced == [(6, "aobrien", "12.00")]


def test_a_late_penalty_counts_as_in_nbgraders_export(course, tmp_path):
    with gradebook_of(course) as gradebook:
        gradebook.find_submission_notebook("ps1", "ps1", "chen").late_submission_penalty = 10
        gradebook.db.commit()
    export_grades("canvas", course, "ps1", save(tmp_path, table(canvas())), tmp_path / "out.csv")
    assert read(tmp_path / "out.csv")[3][6] == "30"


# -------------------------------------------------------------------------------------------------------------- points


@pytest.mark.parametrize("system, rows, expected", [
    ("canvas", canvas(maximum="10"), {"chen": "10", "bjorn": "2.13"}),
    ("moodle", worksheet(maximum="100.00"), {"chen@example.edu": "100", "bjorn@example.edu": "21.25"}),
    ("moodle", worksheet(maximum="100,00"), {"chen@example.edu": "100", "bjorn@example.edu": "21,25"}),
    ("brightspace", brightspace("PS1 Points Grade <Numeric MaxPoints:100>"), {"#chen": "100", "#bjorn": "21.25"}),
])
def test_another_maximum_is_refused_and_points_are_scaled_only_when_asked(course, tmp_path, system, rows, expected):
    downloaded = save(tmp_path, table(rows))
    with pytest.raises(LmsError, match=r"downloaded.csv, row \d: the LMS has a maximum of 100? .* ps1 has 40 points.* --scale .* --anyway "):
        export_grades(system, course, "ps1", downloaded, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    plain = export_grades(system, course, "ps1", downloaded, tmp_path / "plain.csv", anyway=True)
    scaled = export_grades(system, course, "ps1", downloaded, tmp_path / "scaled.csv", scale=True)
    assert "as they are, out of 40" in plain.scaling and "scaled from 40 to the LMS's" in scaled.scaling
    place = rows[0].index(scaled.column)
    found = {cell: row[place] for row in read(tmp_path / "scaled.csv") for cell in row if cell in expected}
    assert found == expected
    above = [note for note in plain.notes if "above the LMS's maximum" in note]
    assert bool(above) == (system == "canvas")


def test_a_file_of_another_set_is_refused_unless_told(course, tmp_path):
    """Moodle names the assignment of a worksheet in the file's name alone; with --column the header must fit."""
    for name in ("ps1", "ps3"):
        (course / "source" / name).mkdir(parents=True)
    other = save(tmp_path, table(worksheet()), "Grades-MPA 501-Problem set 3-2214.csv")
    with pytest.raises(LmsError, match="Problem set 3-2214.csv: the file is named like ps3, and the points are of ps1.*--anyway"):
        export_grades("moodle", course, "ps1", other, tmp_path / "out.csv")
    header = ("Problem set 3 (811)", "PS1 (812)")
    with pytest.raises(LmsError, match=r"downloaded.csv: the column 'Problem set 3 \(811\)' is named like ps3.*--anyway"):
        export_grades("canvas", course, "ps1", save(tmp_path, table(canvas(header=header))), tmp_path / "out.csv", column="Problem set 3")
    assert not (tmp_path / "out.csv").exists()
    assert len(export_grades("moodle", course, "ps1", other, tmp_path / "out.csv", anyway=True).written) == 4
    export_grades("moodle", course, "ps1", save(tmp_path, table(worksheet()), "Grades-MPA 501-Problem set 1-2213.csv"), tmp_path / "out.csv")


def test_a_maximum_that_the_file_does_not_say_can_be_named(course, tmp_path):
    downloaded = save(tmp_path, table(gradebook_csv()))
    with pytest.raises(LmsError, match="does not say the LMS's maximum.*Name it with --maximum"):
        export_grades("moodle", course, "ps1", downloaded, tmp_path / "out.csv", scale=True)
    export_grades("moodle", course, "ps1", downloaded, tmp_path / "out.csv", scale=True, maximum=20)
    assert [row[7] for row in read(tmp_path / "out.csv")[1:3]] == ["17", "4.25"]


def test_graders_comments_go_into_empty_feedback_cells_when_asked(course, tmp_path):
    hand_in(course, "ida", "Ida", "I", "ida@example.edu", 1, 1, comment="=a < b\nand more")
    hand_in(course, "jon", "Jon", "J", "jon@example.edu", 1, 1, comment="new")
    rows = worksheet() + [["Participant 1", "Ida", "ida@example.edu", "", "", "40", "Yes", "-", "", "-", ""],
                          ["Participant 2", "Jon", "jon@example.edu", "", "", "40", "Yes", "-", "", "-", "mine"]]
    downloaded = save(tmp_path, table(rows))
    export_grades("moodle", course, "ps1", downloaded, tmp_path / "out.csv")
    assert [row[-1] for row in read(tmp_path / "out.csv")[-2:]] == ["", "mine"]
    report = export_grades("moodle", course, "ps1", downloaded, tmp_path / "out.csv", comments=True)
    assert [row[-1] for row in read(tmp_path / "out.csv")[-2:]] == ["ps1-q10: =a &lt; b<br>and more", "mine"]
    assert any("row 8, jon" in note.lower() for note in report.notes)


@pytest.mark.parametrize("text", ["=1+1", "+SUM(A1)", "-2+3", "@x", "\t=1", "\r=1", " =1", "＝1", "- a list", '=cmd|"/C calc"!A0', "-1\n=2"])
def test_formulas_are_known(text):
    assert is_formula(text)


@pytest.mark.parametrize("text", ["", "-", "-3", "+4.5", "-1,5", "-1e-5", "- 5 %", "–", "Ann-Marie", "a=b", "1-2", "#1", "-" + "1" * 50_000])
def test_numbers_and_plain_texts_are_none(text):
    assert not is_formula(text)


def test_an_id_that_looks_like_a_formula_stays_and_is_told(course, tmp_path):
    rows = canvas()
    rows[8][2] = "=1+1"
    report = export_grades("canvas", course, "ps1", save(tmp_path, table(rows)), tmp_path / "out.csv")
    assert read(tmp_path / "out.csv")[8][2] == "=1+1"
    assert any("Row 9" in note and "Do not open" in note for note in report.notes)


# --------------------------------------------------------------------------------------------------------- what is wrong


def without(rows, column):
    place = rows[0].index(column)
    return [row[:place] + row[place + 1:] for row in rows]


@pytest.mark.parametrize("system, text, said", [
    ("canvas", table(worksheet()), "row 1: looks like a Moodle grading worksheet.*Say moodle"),
    ("moodle", table(canvas()), "row 1: looks like a Canvas gradebook.*Say canvas"),
    ("canvas", table(brightspace()), "Say brightspace"),
    ("brightspace", table(gradebook_csv()), "Say moodle"),
    ("canvas", table(without(canvas(), "ID")), "row 1: found the columns 'Student', 'SIS User ID'.*canvas was said, with columns such as student, id, section"),
    ("canvas", table(without(canvas(), "Problem set 1: The County's Data (812)")), r"no grade column for ps1; grade columns found: 'Reading quiz \(811\)'"),
    ("canvas", table(canvas(header=("Problem Set 01 (2)", "PS1 (1)"))), ""),
    ("canvas", table(canvas(header=("PS1 draft (1)", "Problem Set 01 (2)"))), r"2 columns may be meant for ps1: 'PS1 draft \(1\)', 'Problem Set 01 \(2\)'. Name one of them with --column"),
    ("moodle", table(without(gradebook_csv(), "Assignment: PS1 (Real)")), "no grade column for ps1.*display type 'Real'"),
    ("brightspace", table(without(brightspace(), "End-of-Line Indicator")), "row 1: the column 'End-of-Line Indicator' is missing"),
    ("brightspace", table(brightspace()).replace("7,,#", "7,#,", 1), "row 2: ends with '' where '#' must stand.*shifted"),
    ("moodle", table([["Identifier", "Email address", "Grade", "Scale"], ["Participant 1", "chen@example.edu", "", "Good"]]), "scale of words"),
    ("canvas", table(canvas()) + "one,two\r\n", "row 10: has 2 cells, the header has 8"),
    ("canvas", table(canvas()) + 'a,"b"c,,,,,,\r\n', "row 10: a quotation mark"),
    ("canvas", table(canvas()) + '"never closed,,,,,,\r\n', "row 10: a quotation mark"),
    ("canvas", table(canvas()[:3]), "has a header, but no student"),
    ("canvas", "", "the file is empty"),
    ("canvas", "hello\nworld\n", "row 1: found 'hello'.*no CSV"),
    ("canvas", "<!DOCTYPE html><html><body>Log in, please</body></html>", "a web page.*Log in"),
    ("blackboard", table(canvas()), "no export for 'blackboard'.*canvas, moodle, brightspace"),
])
def test_errors_say_what_was_found_and_what_to_do(course, tmp_path, system, text, said):
    downloaded = save(tmp_path, text)
    if not said:
        assert export_grades(system, course, "ps1", downloaded, tmp_path / "out.csv").column == "PS1 (1)"
        return
    with pytest.raises(LmsError, match=said) as refused:
        export_grades(system, course, "ps1", downloaded, tmp_path / "out.csv")
    assert system == "blackboard" or "downloaded.csv" in str(refused.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["course", "downloaded.csv"]


@pytest.mark.parametrize("content, said", [(b"PK\x03\x04....", "a workbook, not a CSV"), (b"\x81\x8d\x8f\xff,\x00", "not text"), (b"a\0b,c", "no CSV")])
def test_files_that_are_no_text_are_refused(course, tmp_path, content, said):
    (tmp_path / "downloaded.csv").write_bytes(content)
    with pytest.raises(LmsError, match=said):
        export_grades("canvas", course, "ps1", tmp_path / "downloaded.csv", tmp_path / "out.csv")


def test_a_file_that_excel_saved_in_its_own_encoding_is_read_and_written_so(course, tmp_path):
    downloaded = save(tmp_path, table([row for row in canvas() if row[3] != "chen"]), encoding="cp1252")
    export_grades("canvas", course, "ps1", downloaded, tmp_path / "out.csv")
    assert read(tmp_path / "out.csv", encoding="cp1252")[3][0] == NAME["bjorn"]


def test_a_moodle_file_in_another_language_needs_its_columns_named(course, tmp_path):
    rows = [["ID", "Vollständiger Name", "E-Mail-Adresse", "Bewertung", "Bestwertung"], ["Teilnehmer/in 710", "Björn", "bjorn@example.edu", "", "100,00"]]
    downloaded = save(tmp_path, table(rows))
    with pytest.raises(LmsError, match="another language.*--match.*--column"):
        export_grades("moodle", course, "ps1", downloaded, tmp_path / "out.csv")
    export_grades("moodle", course, "ps1", downloaded, tmp_path / "out.csv", match="E-Mail-Adresse", column="Bewertung")
    assert read(tmp_path / "out.csv")[1][3] == "8,5"


def test_the_downloaded_file_is_never_written(course, tmp_path):
    downloaded = save(tmp_path, table(canvas()))
    before = downloaded.read_bytes()
    for out in (downloaded, tmp_path / "course" / ".." / "downloaded.csv"):
        with pytest.raises(LmsError, match="never changed"):
            export_grades("canvas", course, "ps1", downloaded, out)
    if hasattr(os, "link"):
        os.link(downloaded, tmp_path / "same.csv")
        with pytest.raises(LmsError, match="never changed"):
            export_grades("canvas", course, "ps1", downloaded, tmp_path / "same.csv")
    assert downloaded.read_bytes() == before


def test_a_failed_write_leaves_the_earlier_file(course, tmp_path, monkeypatch):
    downloaded, out = save(tmp_path, table(canvas())), tmp_path / "out.csv"
    out.write_text("earlier", encoding="utf-8")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lms.os, "replace", full)
    with pytest.raises(LmsError, match="out.csv: cannot be written.*No space left"):
        export_grades("canvas", course, "ps1", downloaded, out)
    assert out.read_text(encoding="utf-8") == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["course", "downloaded.csv", "out.csv"]


def test_the_gradebook_is_only_read(course, tmp_path):
    before = (course / "gradebook.db").read_bytes()
    export_grades("canvas", course, "ps1", save(tmp_path, table(canvas())), tmp_path / "out.csv")
    assert (course / "gradebook.db").read_bytes() == before
    assert sorted(path.name for path in course.iterdir() if path.name != "__pycache__") == ["gradebook.db", "nbgrader_config.py"]


def test_a_course_without_grades_is_told_so(course, tmp_path):
    downloaded = save(tmp_path, table(canvas()))
    with pytest.raises(LmsError, match="the gradebook has no ps7; it has ps1"):
        export_grades("canvas", course, "ps7", downloaded, tmp_path / "out.csv", column="Reading quiz")
    (course / "gradebook.db").unlink()
    with pytest.raises(LmsError, match="no gradebook yet. Run `mystique assign ps1` first"):
        export_grades("canvas", course, "ps1", downloaded, tmp_path / "out.csv")
    with pytest.raises(LmsError, match="no nbgrader course"):
        export_grades("canvas", tmp_path / "nowhere", "ps1", downloaded, tmp_path / "out.csv")
