"""Grades from nbgrader's gradebook into the file that an instructor downloaded from her LMS.

    report = export_grades("canvas", "exercises", "ps1", "downloads/gradebook.csv", "ps1-for-canvas.csv")
    print(report.text())

Canvas: the exported gradebook. Moodle: an assignment's offline grading worksheet, or the exported gradebook; the header
tells which. Brightspace: the exported grades. In each only the cells of one column change. Everything else stays as it
was, byte for byte: order, columns, encoding, delimiter, line ends, quotation marks. One exception: a text that a
spreadsheet would run as a formula gets an apostrophe in front. The downloaded file itself is never written.

A cell is left as it is where there is nothing fair to write: no submission, work not graded, an excused student, a grade
that the LMS has locked. The report says which. Nothing is sent anywhere, and the gradebook is only read (a copy of it).

The formats are those of the LMS's own exports: github.com/instructure/canvas-lms lib/gradebook_exporter.rb;
github.com/moodle/moodle mod/assign/gradingtable.php and mod/assign/feedback/offline; D2L, "Importing grades".
"""

import codecs
import os
import re
import shutil
import tempfile
import unicodedata
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from .assign import AssignError, copy_of_gradebook, db_url, read_settings

BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
DELIMITERS = ",;\t:|"     # Moodle offers the first four
PLACES = 2                # decimal places written; Canvas and Brightspace show no more
FORMULA = "=+-@\t\r\n"    # a spreadsheet may run a cell that begins so ...
WIDE = "＝＋－＠"          # ... or with their full-width forms
NUMBER = re.compile(r"[+-]?(?=[^\d]*\d)[\d.,\s]*+(?:e[+-]?\d+)?%?", re.IGNORECASE)
EMPTY_MARKS = ("", "-", "–", "—")
CANVAS_TEST_STUDENT = "Student, Test"


class LmsError(ValueError):
    """Grades are not written; the message names the file and the row, what was found and what to do."""


@dataclass(frozen=True)
class Lms:
    """What is special about one LMS's file. Header names are compared without regard to case."""

    title: str
    ids: tuple                  # columns by which the LMS knows a student, the likeliest to hold nbgrader's id first
    marks: tuple                # header sets: a file with all names of one set is of this LMS
    column: str                 # matches a grade column; its group `name` is the assignment's name
    maximum_column: str = ""    # the column with the maximum
    keep: tuple = ()            # contents of a grade cell that are never overwritten
    locked: tuple = ("", "")    # (column, content) of a row whose grade cannot be changed
    feedback: str = ""          # the column for comments
    last: tuple = ("", "")      # (column, content) that must end every row


CANVAS = Lms(
    "Canvas gradebook", ("sis login id", "sis user id", "integration id", "id"), (("student", "id", "section"), ("lastname", "firstname", "id", "section")),
    r"(?P<name>.*) \(\d+\)", keep=("EX", "N/A"),
)
WORKSHEET = Lms(
    "Moodle grading worksheet", ("username", "email address", "id number", "identifier"), (("identifier", "grade"),),
    r"(?P<name>)grade", "maximum grade", locked=("grade can be changed", "no"), feedback="feedback comments",
)
GRADEBOOK = Lms(
    "Moodle gradebook", ("username", "email address", "id number"),
    (("email address", "last downloaded from this course"), ("first name", "email address"), ("id number", "email address")),
    r"(?:\w+: ?)?(?P<name>.*?)(?: \(real\))",
)
UNKNOWN = Lms("Moodle file with headers of its own", (), (), r"(?!)")   # its columns are named by the instructor
BRIGHTSPACE = Lms(
    "Brightspace grades", ("username", "orgdefinedid", "email"),
    (("orgdefinedid", "end-of-line indicator"), ("username", "end-of-line indicator"), ("orgdefinedid",)),
    r"(?P<name>.*) points grade(?: <[^>]*>)?", last=("End-of-Line Indicator", "#"),
)
SYSTEMS = {"canvas": (CANVAS,), "moodle": (WORKSHEET, GRADEBOOK), "brightspace": (BRIGHTSPACE,)}


@dataclass
class Report:
    """What was written, what was not, and why. Rows are counted as a spreadsheet counts them: the header is row 1."""

    out_file: Path
    kind: str
    column: str
    matched_by: str
    scaling: str
    written: list = field(default_factory=list)             # (row, student, what stands there now)
    replaced: list = field(default_factory=list)            # (row, student, what stood there)
    kept: list = field(default_factory=list)                # (row, student, why the cell was left as it was)
    open: list = field(default_factory=list)                # (student, what of it is not graded)
    only_in_file: list = field(default_factory=list)        # (row, how the file calls her)
    only_in_course: list = field(default_factory=list)      # (student, "34 points" or "no submission")
    defused: list = field(default_factory=list)             # (row, column)
    notes: list = field(default_factory=list)

    def text(self):
        """The report as a person reads it."""
        lines = [f"{self.kind}: {len(self.written)} grade(s) written into column '{self.column}' of {self.out_file}.",
                 f"Students were found by {self.matched_by}. {self.scaling}"]
        lines += self.notes
        for title, entries in (
            ("Written although not all is graded", [f"{student}: {what}" for student, what in self.open]),
            ("Another value stood there before", [f"row {row}, {student}: {old}" for row, student, old in self.replaced]),
            ("Left as it was", [f"row {row}, {student}: {why}" for row, student, why in self.kept]),
            ("In the file, not in the gradebook", [f"row {row}: {who}" for row, who in self.only_in_file]),
            ("In the gradebook, not in the file", [f"{student}: {what}" for student, what in self.only_in_course]),
            ("An apostrophe keeps a spreadsheet from running these texts", [f"row {row}, {column}" for row, column in self.defused]),
        ):
            if entries:
                lines += [f"{title} ({len(entries)}):", *(f"  {entry}" for entry in entries)]
        return "\n".join(lines)


def export_grades(lms, course_dir, problem_set, downloaded_file, out_file, allow_ungraded=False, *,
                  match=None, column=None, scale=False, maximum=None, comments=False, anyway=False):
    """Write `out_file`: the downloaded file with the points of a problem set in it; a `Report`.

    lms: canvas, moodle or brightspace. allow_ungraded: write although a person has still to grade something.
    match: the file's column with nbgrader's student ids or e-mail addresses (default: the one that finds most students).
    column: the grade column (default: the one named like the problem set). With both named, a Moodle file may have its
    headers in any language. scale: convert points to the LMS's maximum; maximum: that, where the file does not say it.
    comments: Moodle's worksheet only: write the graders' comments into empty feedback cells.
    anyway: write although the file seems to be of another problem set, or has another maximum.
    An earlier `out_file` is replaced; the downloaded file never. Raises LmsError.
    """
    downloaded_file, out_file = Path(downloaded_file), Path(out_file)
    if lms not in SYSTEMS:
        raise LmsError(f"There is no export for {lms!r}. There is one for: {', '.join(SYSTEMS)}.")
    _refuse_to_overwrite(downloaded_file, out_file)
    sheet = Sheet(downloaded_file)
    kind = _kind(sheet, lms, named=bool(match and column))
    place = _grade_column(sheet, kind, problem_set, column)
    rows = _student_rows(sheet, kind, place)
    earned = read_gradebook(course_dir, problem_set)
    _refuse_open_work(earned, problem_set, allow_ungraded)
    found, matched_by = _match(sheet, kind, rows, earned, match)
    maxima = _maxima(sheet, kind, rows, place, maximum)
    if not anyway:
        _refuse_another_set(sheet, kind, place, problem_set, problem_sets_of(course_dir))
        _refuse_another_maximum(sheet, place, problem_set, earned[0].maximum, maxima, scale)
    scaling = _scaling(sheet, earned, maxima, scale)
    report = Report(out_file, kind.title, sheet.header[place], matched_by, scaling)

    students = {each.student: each for each in earned}
    comma = _has_decimal_comma(sheet)
    for row in rows:
        if row not in found:
            report.only_in_file.append((row, _who(sheet, kind, row)))
            continue
        _fill(sheet, kind, place, row, students[found[row]], maxima.get(row) if scale else None, comma, report)
        if comments and kind.feedback:
            _comment(sheet, kind, row, students[found[row]], report)
    there = set(found.values())
    report.only_in_course = [(each.student, each.in_words()) for each in earned if each.student not in there]
    if over := [row for row, _, points in report.written if maxima.get(row) is not None and _number(points) > maxima[row]]:
        report.notes.append(f"{len(over)} grade(s) are above the LMS's maximum (row {over[0]} first). Some LMS refuse those: say --scale, or change the maximum there.")
    if comments and not kind.feedback:
        report.notes.append("Comments were asked for, but this kind of file has no column for them.")
    if kind is UNKNOWN:
        report.notes.append("The headers are not Moodle's English ones: which grades it has locked, and its maximum, were not looked at.")
    _defuse(sheet, kind, place, match, report)
    sheet.write(out_file, downloaded_file)
    return report


# -------------------------------------------------------------------------------------------------------- the gradebook


@dataclass(frozen=True)
class Earned:
    """One student of the course and what she earned. points is None without a submission, or if nothing of it is graded."""

    student: str
    email: str
    lms_id: str
    points: float | None
    maximum: float
    open: str           # what still waits to be graded, in words; "" if nothing
    comments: tuple     # (question, text) by graders
    name: str = ""      # first and last name

    def in_words(self):
        if self.points is not None:
            return f"{_decimal(self.points)} points"
        return self.open or "no submission"


def read_gradebook(course_dir, problem_set):
    """Every student of an nbgrader course, with what she earned for a problem set (less the penalty for a late one)."""
    from nbgrader.api import Gradebook, MissingEntry
    from nbgrader.coursedir import CourseDirectory
    from sqlalchemy.exc import SQLAlchemyError

    try:
        settings = read_settings(course_dir)
        directory = CourseDirectory(config=settings)
        url = db_url(settings)
        with tempfile.TemporaryDirectory(prefix="grades-") as scratch:
            if url.startswith("sqlite"):
                if not Path(url.removeprefix("sqlite:///")).is_file():
                    raise LmsError(f"{url.removeprefix('sqlite:///')}: there is no gradebook yet. Run `mystique assign {problem_set}` first.")
                url = copy_of_gradebook(settings, scratch)
            with Gradebook(url, directory.course_id) as gradebook:
                try:
                    assignment = gradebook.find_assignment(problem_set)
                except MissingEntry:
                    known = ", ".join(sorted(each.name for each in gradebook.assignments)) or "nothing"
                    raise LmsError(f"{course_dir}: the gradebook has no {problem_set}; it has {known}. Run `mystique assign {problem_set}` first.") from None
                submissions = {each.student.id: each for each in assignment.submissions}
                handed_in, maximum = _handed_in(directory, problem_set), float(assignment.max_score)
                earned = [_earned(each, submissions.get(each.id), each.id in handed_in, maximum) for each in gradebook.students]
    except AssignError as problem:
        raise LmsError(str(problem)) from problem
    except SQLAlchemyError as problem:
        said = str(problem).splitlines()[0]
        raise LmsError(f"{course_dir}: the gradebook cannot be read: {said}. If an older nbgrader made it, run: nbgrader db upgrade") from problem
    unknown = sorted(handed_in - {each.student for each in earned})
    earned += [Earned(student, "", "", None, maximum, "handed in, but never graded", ()) for student in unknown]
    return sorted(earned, key=lambda each: each.student)


def _handed_in(directory, problem_set):
    """Students with a submission on the disk; grading may never have got as far as the gradebook."""
    folder = Path(directory.root) / directory.submitted_directory
    return {each.parent.name for each in folder.glob(f"*/{problem_set}") if each.is_dir()}


def _earned(student, submission, handed_in, maximum):
    points, waiting, comments = None, "", ()
    if submission is None:
        waiting = "handed in, but never graded" if handed_in else ""
    else:
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        if not grades or all(grade.auto_score is None and grade.manual_score is None for grade in grades):
            waiting = "nothing of it is graded"
        else:
            points = max(0.0, float(submission.score) - float(submission.late_submission_penalty or 0))
            left = [grade.name for grade in grades if grade.needs_manual_grade]
            waiting = f"to be graded by a person: {', '.join(left)}" if left else ""
        comments = tuple((each.name, each.manual_comment) for notebook in submission.notebooks for each in notebook.comments if each.manual_comment)
    name = f"{student.first_name or ''} {student.last_name or ''}".strip()
    return Earned(student.id, student.email or "", student.lms_user_id or "", points, maximum, waiting, comments, name)


def _refuse_open_work(earned, problem_set, allow_ungraded):
    waiting = [f"  {each.student}: {each.open}" for each in earned if each.open]
    if waiting and not allow_ungraded:
        raise LmsError(
            f"{problem_set}: {len(waiting)} submission(s) are not graded to the end, so nothing was written:\n" + "\n".join(waiting)
            + "\nGrade them in the formgrader, or say --allow-ungraded: then the points so far are written, and a cell stays as it is where nothing is graded."
        )


# ------------------------------------------------------------------------------------------------------------ the file


class Sheet:
    """A delimited text file whose cells can be changed one by one; all that is not changed is written back as it was."""

    def __init__(self, path):
        self.path = Path(path)
        try:
            content = self.path.read_bytes()
        except OSError as problem:
            raise LmsError(f"{path}: cannot be read ({problem.strerror or problem}). Name the file that you downloaded from the LMS.") from problem
        self._bom, self._encoding = next((mark for mark in BYTE_ORDER_MARKS if content.startswith(mark[0])), (b"", "utf-8"))
        text = self._decoded(content[len(self._bom):])
        self.delimiter = self._delimiter_of(text)
        self._cells, self._ends = self._split(text, self.delimiter)
        self.header = self.values(1)
        self.names = [name.strip().casefold() for name in self.header]
        for row in range(2, len(self._cells) + 1):
            width = len(self._cells[row - 1])
            if width != len(self.header) and not self.is_blank(row):
                raise LmsError(f"{self.path}, row {row}: has {width} cells, the header has {len(self.header)}. Was it changed by hand? Download the file again.")

    def rows(self):
        """The numbers of the rows below the header that are not blank."""
        return [row for row in range(2, len(self._cells) + 1) if not self.is_blank(row)]

    def is_blank(self, row):
        return not any(self.values(row))

    def values(self, row):
        return [_unquoted(cell) for cell in self._cells[row - 1]]

    def value(self, row, place):
        return _unquoted(self._cells[row - 1][place])

    def place(self, name):
        """Where a column is, or None. Raises LmsError if there are two."""
        places = [place for place, each in enumerate(self.names) if each == name.strip().casefold()]
        if len(places) > 1:
            raise LmsError(f"{self.path}, row 1: the column '{name}' is there {len(places)} times. Download the file again, or rename the one that is yours.")
        return places[0] if places else None

    def set(self, row, place, value):
        before = self._cells[row - 1][place]
        needs = any(sign in value for sign in (self.delimiter, '"', "\r", "\n")) or value != value.strip()
        self._cells[row - 1][place] = '"' + value.replace('"', '""') + '"' if needs or before.startswith('"') else value

    def write(self, path, like):
        """Write all at once: a file of that name is whole and old, or whole and new."""
        text = "".join(self.delimiter.join(cells) + end for cells, end in zip(self._cells, self._ends))
        try:
            content = self._bom + text.encode(self._encoding)
        except UnicodeEncodeError as problem:
            sign = problem.object[problem.start:problem.end]
            raise LmsError(
                f"{self.path}: its encoding, {self._encoding}, has no sign for {sign!r}, which stands in a comment. "
                "Leave the comments out, or save the file as UTF-8."
            ) from problem
        try:
            handle, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                shutil.copymode(like, made)
                os.replace(made, path)
            except BaseException:
                os.unlink(made)
                raise
        except OSError as problem:
            raise LmsError(f"{path}: cannot be written ({problem.strerror or problem}). Nothing was changed.") from problem

    def _decoded(self, content):
        if content.startswith(b"PK\x03\x04") or content.startswith(b"\xd0\xcf\x11\xe0"):
            raise LmsError(f"{self.path}: this is a workbook, not a CSV. Download the CSV from the LMS, or save the sheet as 'CSV UTF-8'.")
        try:
            text = content.decode(self._encoding)
        except UnicodeDecodeError:
            try:
                text, self._encoding = content.decode("cp1252"), "cp1252"  # what Excel on Windows saves by default
            except UnicodeDecodeError:
                raise LmsError(f"{self.path}: this is not text, so not a CSV. Download the CSV from the LMS again.") from None
        if not text.strip():
            raise LmsError(f"{self.path}: the file is empty. Download it from the LMS again.")
        if "\0" in text or text.lstrip().lower().startswith(("<!doctype", "<html", "<?xml")):
            what = "a web page" if "<" in text[:100] else "it holds binary data"
            raise LmsError(f"{self.path}: this is no CSV ({what}). Log in to the LMS and download the CSV again.")
        return text

    def _delimiter_of(self, text):
        known = {name for kinds in SYSTEMS.values() for kind in kinds for names in (*kind.marks, kind.ids) for name in names}
        first = text.lstrip("\r\n").split("\n")[0]

        def fit(delimiter):
            names = [_unquoted(cell.strip()).strip().casefold() for cell in first.split(delimiter)]
            return (len(known & set(names)), len(names), -DELIMITERS.index(delimiter))

        best = max(DELIMITERS, key=fit)
        if fit(best)[1] < 2:
            raise LmsError(
                f"{self.path}, row 1: found {first.strip()[:80]!r}; a header with names between commas, semicolons or tabs was expected. "
                "This is no CSV: download it from the LMS again."
            )
        return best

    def _split(self, text, delimiter):
        """([cells as they stand] of each row, the line end of each row)."""
        mark = re.escape(delimiter)
        cell = re.compile(rf'("[^"]*(?:""[^"]*)*"|[^{mark}\r\n]*)({mark}|\r\n|\n|\r|\Z)')
        rows, ends, position = [[]], [], 0
        while position < len(text) or rows[-1]:
            found = cell.match(text, position)
            if found is None or (found[1].startswith('"') and _is_broken(found[1])):
                shown = text[position:position + 40].splitlines()[0]
                raise LmsError(f"{self.path}, row {len(rows)}: a quotation mark in '{shown}' does not fit. Was the file changed by hand? Download it again.")
            rows[-1].append(found[1])
            position = found.end()
            if found[2] != delimiter:
                ends.append(found[2])
                rows.append([])
        return rows[:-1], ends


def _unquoted(cell):
    return cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def _is_broken(cell):
    return len(cell) < 2 or not cell.endswith('"') or '"' in cell[1:-1].replace('""', "")


def _refuse_to_overwrite(downloaded, out):
    if out.is_dir():
        raise LmsError(f"{out}: is a folder. Name the file to write.")
    if downloaded.exists() and (out.resolve() == downloaded.resolve() or (out.exists() and out.samefile(downloaded))):
        raise LmsError(f"{out}: is the downloaded file itself, which is never changed. Name another file to write.")


# ---------------------------------------------------------------------------------------- which file, column and rows


def _kind(sheet, lms, named):
    for kind in SYSTEMS[lms]:
        if _looks_like(sheet, kind):
            return kind
    for other, kinds in SYSTEMS.items():
        for kind in kinds:
            if other != lms and _looks_like(sheet, kind):
                raise LmsError(f"{sheet.path}, row 1: looks like a {kind.title}, not one of {lms}. Say {other}, or name the other file.")
    if named and lms == "moodle":
        return UNKNOWN
    wanted = "; or ".join(", ".join(names) for kind in SYSTEMS[lms] for names in kind.marks[:1])
    more = (" Are its headers in another language? Then say --match, the column with the students' ids or addresses, "
            "and for the export also --column, the one to fill.") if lms == "moodle" else ""
    raise LmsError(
        f"{sheet.path}, row 1: found the columns {_listed(sheet.header)}; {lms} was said, with columns such as {wanted}. "
        f"Download the file from {lms} again.{more}"
    )


def _looks_like(sheet, kind):
    return any(set(names) <= set(sheet.names) for names in kind.marks)


def _grade_column(sheet, kind, problem_set, column):
    """Where the grades go. A name given counts as the whole header or as the assignment's name in it."""
    titles = {}
    for place, header in enumerate(sheet.header):
        found = re.fullmatch(kind.column, header.strip(), re.IGNORECASE)
        if found and sheet.names[place] not in kind.ids:
            titles[place] = found["name"]
    if column is not None:
        wanted = column.strip().casefold()
        places = [place for place, name in enumerate(sheet.names) if name == wanted] or [
            place for place, title in titles.items() if title.strip().casefold() == wanted]
    elif kind is WORKSHEET:
        places = list(titles)
    else:
        places = [place for place, title in titles.items() if title.strip().casefold() == problem_set.casefold()] or [
            place for place, title in titles.items() if names_set(title, problem_set)]
    offered = _listed([sheet.header[place] for place in titles]) if titles else "none"
    if not places:
        what = f"no column '{column}'" if column is not None else f"no grade column for {problem_set}"
        real = " Moodle's gradebook must be exported with the grade display type 'Real'." if kind is GRADEBOOK else ""
        raise LmsError(
            f"{sheet.path}, row 1: {what}; grade columns found: {offered}. "
            f"Make the assignment in the LMS and download again, or name the column with --column.{real}"
        )
    if len(places) > 1:
        meant = _listed([sheet.header[place] for place in places])
        raise LmsError(f"{sheet.path}, row 1: {len(places)} columns may be meant for {column or problem_set}: {meant}. Name one of them with --column.")
    if kind is WORKSHEET and "scale" in sheet.names:
        raise LmsError(f"{sheet.path}, row 1: this assignment is graded by a scale of words. Set it to points in Moodle, and download the worksheet again.")
    return places[0]


def names_set(title, problem_set):
    """Whether an assignment's title names a problem set: ps1 is also PS 1, PS-01 and Problem set 1."""
    parts = re.fullmatch(r"(\D+?)[\s_-]*0*(\d+)", problem_set)
    if not parts:
        return re.search(rf"(?<!\w){re.escape(problem_set)}(?!\w)", title, re.IGNORECASE) is not None
    word = r"(?:ps|problem\s*set)" if parts[1].casefold() == "ps" else re.escape(parts[1])
    return re.search(rf"(?<!\w){word}[\s_-]*0*{parts[2]}(?!\w)", title, re.IGNORECASE) is not None


def other_set(title, problem_set, known):
    """The problem set that a title names, if it is another one than this; else None."""
    return None if names_set(title, problem_set) else next((each for each in known if names_set(title, each)), None)


def problem_sets_of(course_dir):
    """The names of a course's problem sets."""
    return sorted(each.name for each in (Path(course_dir) / "source").glob("*") if each.is_dir() and not each.name.startswith("."))


def _refuse_another_set(sheet, kind, place, problem_set, known):
    """Moodle's worksheet names its assignment in the file's name alone, the others in the header of the column."""
    title = sheet.path.stem if kind is WORKSHEET else sheet.header[place]
    if other := other_set(title, problem_set, known):
        what = "the file" if kind is WORKSHEET else f"the column '{title}'"
        raise LmsError(f"{sheet.path}: {what} is named like {other}, and the points are of {problem_set}. "
                       f"Download the file of {problem_set}; or say --anyway, if it is the right one.")


def _refuse_another_maximum(sheet, place, problem_set, ours, maxima, scale):
    row = next((row for row, theirs in maxima.items() if theirs != ours), None)
    if row is not None and not scale:
        raise LmsError(
            f"{sheet.path}, row {row}: the LMS has a maximum of {_decimal(maxima[row])} in the column '{sheet.header[place]}', and {problem_set} has {_decimal(ours)} points. "
            f"Is it the file of another problem set? If not, say --scale to convert the points, or --anyway to write them as they are."
        )


def _student_rows(sheet, kind, place=None):
    """The rows of students. Canvas puts up to two rows of its own before them. place: the column to fill, if one is."""
    rows = sheet.rows()
    if kind is CANVAS:
        id_place = _needed(sheet, "ID")
        points = _points_possible(sheet)
        if None not in (points, place) and "read only" in sheet.value(points, place):
            raise LmsError(f"{sheet.path}, row {points}: Canvas marks the column '{sheet.header[place]}' as read only. Name an assignment's column with --column.")
        rows = [row for row in rows if row != points and sheet.value(row, id_place).strip()]
    if kind.last[0]:
        name, content = kind.last
        last = sheet.place(name)
        if last is None:
            raise LmsError(f"{sheet.path}, row 1: the column '{name}' is missing; without it {kind.title.split()[0]} refuses the file. Export the grades again.")
        for row in rows:
            if sheet.value(row, last).strip() != content:
                found = sheet.value(row, last)
                raise LmsError(f"{sheet.path}, row {row}: ends with {found!r} where {content!r} must stand. The row has been shifted: export the grades again.")
    if not rows:
        raise LmsError(f"{sheet.path}: has a header, but no student. Download the file again, for all students.")
    return rows


def _points_possible(sheet):
    return next((row for row in sheet.rows()[:3] if sheet.value(row, 0).strip().casefold() == "points possible"), None)


def _needed(sheet, name):
    place = sheet.place(name)
    if place is None:
        raise LmsError(f"{sheet.path}, row 1: the column '{name}' is missing; found {_listed(sheet.header)}. "
                       "Download the file again, or name one of these with --match.")
    return place


def _listed(names, most=12):
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


# ------------------------------------------------------------------------------------------------------ who is who


def _match(sheet, kind, rows, earned, match):
    """({row: student}, how they were found). Raises LmsError if that is not certain."""
    places = _id_places(sheet, kind, match)
    ways = _ways(sheet, rows, places, earned)
    best = max(ways, key=lambda way: (way.found, -len(way.twice)))  # of equals the first: columns and kinds stand in the order of their worth
    if not best.found:
        seen = _listed([sheet.value(row, places[0]) for row in rows], 3)
        there = _listed([each.student for each in earned], 3) if earned else "nobody"
        columns = _listed([sheet.header[place] for place in places])
        raise LmsError(
            f"{sheet.path}: no student of the gradebook is in {columns}. The file has {seen} ..., the gradebook {there}. Is it another course's file? "
            "Else put the LMS's ids or e-mail addresses into the gradebook (mystique students FILE), or name the column with --match."
        )
    if best.twice:
        raise LmsError(f"{sheet.path}, {best.twice[0]}. Take out the one that is wrong, or name another column with --match.")
    for other in ways:
        differs = [row for row in best.pairs if other.pairs.get(row, best.pairs[row]) != best.pairs[row]]
        if differs and (other.found == best.found or best.found < len(earned)):
            row = differs[0]
            raise LmsError(f"{sheet.path}, row {row}: {best.title} says {best.pairs[row]}, {other.title} says {other.pairs[row]}. Name the column to match by with --match.")
    return best.pairs, best.title


@dataclass
class Way:
    """One way to find students: a column of the file against one kind of id in the gradebook.

    id_of: makes a student's id from a cell of the column, where the gradebook's kind of id is just that; else None."""

    title: str
    pairs: dict
    found: int
    twice: list
    place: int
    id_of: object


def _id_places(sheet, kind, match):
    places = [_needed(sheet, match)] if match is not None else [place for name in kind.ids if (place := sheet.place(name)) is not None]
    if not places:
        raise LmsError(f"{sheet.path}, row 1: no column to find students by; one of {_listed([name for name in kind.ids])} was expected. "
                       "Export with these columns, or name another one with --match.")
    return places


def _ways(sheet, rows, places, earned):
    return [_way(sheet, rows, place, earned, *how) for place in places for how in (
        ("student id", lambda each: each.student, _key), ("LMS id", lambda each: each.lms_id, _key), ("e-mail address", lambda each: each.email, _key),
        ("student id, before the @", lambda each: each.student, _local), ("e-mail address, before the @", lambda each: each.email.partition("@")[0], _key),
    )]


def _way(sheet, rows, place, earned, what, of_student, of_cell):
    in_file, in_course = {}, {}
    for row in rows:
        in_file.setdefault(of_cell(sheet.value(row, place)), []).append(row)
    for each in earned:
        in_course.setdefault(_key(of_student(each)), []).append(each.student)
    both = [key for key in in_file if key and key in in_course]
    name = sheet.header[place].strip()
    twice = []
    for key in both:
        first, *more = in_file[key]
        if more:
            twice.append(f"row {more[0]}: '{sheet.value(more[0], place)}' stands in column '{name}' already in row {first}")
        if len(in_course[key]) > 1:
            twice.append(f"row {first}: '{sheet.value(first, place)}' in column '{name}' fits {' and '.join(in_course[key])} of the gradebook")
    pairs = {in_file[key][0]: in_course[key][0] for key in both if len(in_file[key]) == len(in_course[key]) == 1}
    return Way(f"column '{name}' (the gradebook's {what})", pairs, len(both), twice, place, of_cell if what.startswith("student id") else None)


def _key(text):
    """An id without what files add to it: Brightspace's #, Moodle's word before a participant's number, case, spaces."""
    text = unicodedata.normalize("NFC", str(text)).strip().casefold().lstrip("#")
    return re.sub(r"^participant (?=\d+$)", "", text)


def _local(text):
    name, at, _ = _key(text).partition("@")
    return name if at else ""


@dataclass(frozen=True)
class Listed:
    """A student as a file of the LMS lists her.

    student: her id in the course, "" if it cannot be told. number: by which the LMS's other files know her. names: how they may call her."""

    row: int
    who: str
    student: str
    number: str
    names: tuple


def read_class(lms, path, earned, match=None):
    """Everybody in a file with grades, as `Listed`. earned: who is in the course. match: as in `export_grades`. Raises LmsError.

    Who is in the course keeps her id there. Another one gets the id by which the export will find her in this file.
    """
    sheet = Sheet(path)
    kind = _kind(sheet, lms, named=match is not None)
    is_test = sheet.place("student") if kind is CANVAS else None
    rows = [row for row in _student_rows(sheet, kind) if is_test is None or sheet.value(row, is_test).strip() != CANVAS_TEST_STUDENT]
    ids = _ids_of_rows(sheet, kind, rows, earned, match)
    return [Listed(row, _who(sheet, kind, row), ids.get(row, ""), *_known_as(sheet, kind, row)) for row in rows]


def _ids_of_rows(sheet, kind, rows, earned, match):
    """{row: student id}. All come from one column: the export looks into one only."""
    places = _id_places(sheet, kind, match)
    ways = _ways(sheet, rows, places, earned)
    most = max(way.found for way in ways)
    pairs, place, id_of = {}, None, None
    if most:
        pairs, _ = _match(sheet, kind, rows, earned, match)
        place, id_of = next(((way.place, way.id_of) for way in ways if way.id_of and way.found == most), (None, None))
    else:
        place, id_of = _column_for_ids(sheet, rows, places)
    made = {row: id_of(sheet.value(row, place)) for row in rows if row not in pairs} if id_of else {}
    others = {_key(each.student) for each in earned}  # somebody else has this id already
    return {**{row: student for row, student in made.items() if student not in others}, **pairs}


def _column_for_ids(sheet, rows, places):
    """(the first column that tells all students apart, how it does)."""
    for place in places:
        for id_of in (_local, _key):
            ids = [id_of(sheet.value(row, place)) for row in rows]
            if all(ids) and len(set(ids)) == len(ids):
                return place, id_of
    raise LmsError(f"{sheet.path}: in none of the columns {_listed([sheet.header[place] for place in places])} has every student an id of her own. "
                   "Export the file with such a column, or name another one with --match.")


def _known_as(sheet, kind, row):
    """(the number that the LMS's other files have for a student, the ways in which they may write her name)."""
    cells = dict(zip(sheet.names, (cell.strip() for cell in sheet.values(row))))
    if kind is UNKNOWN:
        number = re.search(r"\d+$", sheet.value(row, 0).strip())
        return number[0] if number else "", tuple(cells.values())
    first, last = cells.get("first name", ""), cells.get("last name", cells.get("surname", ""))
    names = (cells.get("student", ""), cells.get("full name", ""), f"{first} {last}", f"{last} {first}", f"{cells.get('username', '')} {first} {last}")
    return _key(cells.get("id", "") if kind is CANVAS else cells.get("identifier", "")), tuple(name for name in names if name.strip())


def _who(sheet, kind, row):
    """A row as a person knows it: its first cells that say who."""
    names = ("student", "lastname", "firstname", "full name", "last name", "first name", "surname", *kind.ids)
    cells = [sheet.value(row, place).strip() for place, name in enumerate(sheet.names) if name in names]
    return ", ".join(cell for cell in cells if cell) or "(no name)"


# ------------------------------------------------------------------------------------------------------------- points


def _maxima(sheet, kind, rows, place, maximum):
    """{row: the LMS's maximum} as far as it is known."""
    if maximum is not None:
        return dict.fromkeys(rows, float(maximum))
    if kind is CANVAS and (points := _points_possible(sheet)) is not None:
        found = dict.fromkeys(rows, _number(sheet.value(points, place)))
    elif kind.maximum_column and (where := sheet.place(kind.maximum_column)) is not None:
        found = {row: _number(sheet.value(row, where)) for row in rows}
    else:
        said = re.search(r"maxpoints:\s*([\d.,]+)", sheet.header[place], re.IGNORECASE)
        found = dict.fromkeys(rows, _number(said[1]) if said else None)
    return {row: value for row, value in found.items() if value is not None}


def _scaling(sheet, earned, maxima, scale):
    """What is done to the points, in words."""
    ours, theirs = earned[0].maximum, sorted(set(maxima.values()))
    if scale:
        if not maxima:
            raise LmsError(f"{sheet.path}: does not say the LMS's maximum, so points cannot be scaled to it. Name it with --maximum.")
        if ours <= 0 or theirs[0] <= 0:
            raise LmsError(f"{sheet.path}: points cannot be scaled from a maximum of {_decimal(ours)} to one of {_decimal(theirs[0])}.")
        return f"Points were scaled from {_decimal(ours)} to the LMS's {' or '.join(map(_decimal, theirs))}, and rounded to {PLACES} decimal places."
    if theirs and theirs != [ours]:
        return f"Points were written as they are, out of {_decimal(ours)}; the LMS has a maximum of {' or '.join(map(_decimal, theirs))}."
    return f"Points were written as they are, out of {_decimal(ours)}."


def _fill(sheet, kind, place, row, student, maximum, comma, report):
    before = sheet.value(row, place).strip()
    lock = sheet.place(kind.locked[0]) if kind.locked[0] else None
    if student.points is None:
        report.kept.append((row, student.student, student.in_words()))
    elif before in kind.keep:
        report.kept.append((row, student.student, f"Canvas says {before} ({'excused' if before == 'EX' else 'not assigned to her'}); she has {student.in_words()}"))
    elif lock is not None and sheet.value(row, lock).strip().casefold() == kind.locked[1]:
        report.kept.append((row, student.student, f"Moodle says that this grade cannot be changed; she has {student.in_words()}"))
    else:
        points = student.points if maximum is None else student.points * maximum / student.maximum
        after = _decimal(points)
        if before not in EMPTY_MARKS and _number(before) != _number(after):
            report.replaced.append((row, student.student, before))
        sheet.set(row, place, after.replace(".", ",") if comma else after)
        report.written.append((row, student.student, after))
        if student.open:
            report.open.append((student.student, student.open))


def _comment(sheet, kind, row, student, report):
    place = _needed(sheet, kind.feedback.capitalize())
    if not student.comments:
        return
    if sheet.value(row, place).strip():
        report.notes.append(f"Row {row}, {student.student}: has a comment in the file already; the gradebook's was left out.")
        return
    escaped = [f"{name}: {text}".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for name, text in student.comments]
    sheet.set(row, place, "<br>".join("<br>".join(each.splitlines()) for each in escaped))  # Moodle reads HTML there


def _decimal(points):
    rounded = Decimal(repr(float(points))).quantize(Decimal(1).scaleb(-PLACES), ROUND_HALF_UP)
    return format(rounded.normalize() if rounded != rounded.to_integral() else rounded.to_integral(), "f")


def _number(text):
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None


def _has_decimal_comma(sheet):
    """Whether the file's own numbers are written with a decimal comma."""
    cells = [cell.strip() for row in sheet.rows() for cell in sheet.values(row)]
    return any(re.fullmatch(r"\d+,\d+", cell) for cell in cells) and not any(re.fullmatch(r"\d+\.\d+", cell) for cell in cells)


# ----------------------------------------------------------------------------------------------------------- formulas


def _defuse(sheet, kind, place, match, report):
    """Put an apostrophe before texts that a spreadsheet would run. Ids stay: the LMS would not know the student again."""
    ids = kind.ids or [sheet.names[sheet.place(match)]]
    for row in sheet.rows():
        for column, value in enumerate(sheet.values(row)):
            if column == place or not is_formula(value):
                continue
            if sheet.names[column] in ids:
                report.notes.append(
                    f"Row {row}: the {sheet.header[column]} {value!r} looks like a formula and was left as it is, because the LMS finds the student "
                    "by it. Do not open this file in a spreadsheet."
                )
            else:
                sheet.set(row, column, "'" + value)
                report.defused.append((row, sheet.header[column]))


def is_formula(text):
    """Whether a spreadsheet may take a text for a formula. A number, with a sign or a percent, is none."""
    bare = text.lstrip(" \u00a0\ufeff")
    return bool(bare) and bare[0] in FORMULA + WIDE and bare.strip() not in EMPTY_MARKS and not NUMBER.fullmatch(bare.strip())
