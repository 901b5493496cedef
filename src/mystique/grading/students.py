"""Enters a class list into nbgrader's gradebook, whatever program saved it: with commas, semicolons or tabs, with or without
the mark that "CSV UTF-8" puts in front.

    enter_students("cohorts/fall-2027/course", "students.csv")

Columns: id, first_name, last_name, email, lms_user_id; others are passed over. A student who is there keeps what the list
does not say. Nobody is taken out.
"""

from pathlib import Path

from .assign import AssignError, db_url, programs_of_this_python, read_settings
from .lms import LmsError, Sheet

COLUMNS = ("first_name", "last_name", "email", "lms_user_id")


class StudentsError(ValueError):
    """Nobody is entered; the message names the file and the row, what was found and what to do."""


def enter_students(course_dir, path):
    """(ids that are new, ids that were there). All are entered, or none. Raises StudentsError."""
    from nbgrader.api import Gradebook, MissingEntry
    from nbgrader.coursedir import CourseDirectory

    listed = read_class_list(path)
    try:
        settings = read_settings(course_dir)
    except AssignError as problem:
        raise StudentsError(str(problem)) from problem
    new, known = [], []
    with programs_of_this_python(), Gradebook(db_url(settings), CourseDirectory(config=settings).course_id) as gradebook:
        for student, about in listed.items():
            try:
                gradebook.find_student(student)
                known.append(student)
            except MissingEntry:
                new.append(student)
            gradebook.update_or_create_student(student, **about)
    return new, known


def read_class_list(path):
    """{student id: {column: text}} of a class list. Raises StudentsError."""
    if not Path(path).is_file():
        raise StudentsError(f"{path}: is not there. Name the file with your students.")
    try:
        sheet = Sheet(path)
    except LmsError as problem:
        raise StudentsError(str(problem)) from problem
    names = [name.replace(" ", "_") for name in sheet.names]
    if "id" not in names:
        raise StudentsError(f"{path}, row 1: found the columns {', '.join(sheet.header)}; one of them must be called id. The others: {', '.join(COLUMNS)}.")
    listed, rows = {}, {}
    for row in sheet.rows():
        cells = dict(zip(names, (cell.strip() for cell in sheet.values(row))))
        student = cells["id"]
        if not student or "/" in student or student.startswith("."):
            raise StudentsError(f"{path}, row {row}: the id is {student!r}. It is to be the name of the student's folder. Nobody was entered.")
        if student in listed:
            raise StudentsError(f"{path}, row {row}: the id '{student}' stands in row {rows[student]} already. Nobody was entered.")
        listed[student], rows[student] = {name: cells[name] for name in COLUMNS if cells.get(name)}, row
    if not listed:
        raise StudentsError(f"{path}: has a header, but no student.")
    return listed
