"""Puts the submissions that an LMS gave out in one zip where `mystique grade` looks for them: submitted/STUDENT/ps1/ps1.ipynb.

    report = collect("canvas", "cohorts/fall-2027/course", "ps1", "submissions.zip", "gradebook.csv")
    print(report.text())

STUDENT is the id by which `mystique export` finds the student again (`lms.read_class` knows it). What each LMS calls a file:

- Canvas: `lindqvistben_LATE_9001_55123_ps1-1.ipynb`: name, late or not, the gradebook's ID, the file's number, the file.
  Documented by its source, github.com/instructure/canvas-lms lib/content_zipper.rb.
- Moodle: `Ben Lindqvist_72_assignsubmission_file_/ps1.ipynb` (from 4.1 on without the last underscore): full name, the
  participant's number, which the grading worksheet has too; without folders the file follows the underscore.
  Documented by its source, github.com/moodle/moodle mod/assign/classes/downloader.php and feedback/file/importziplib.php.
- Brightspace: `12345-67890 - Ben Lindqvist - Nov 28, 2026 1044 AM/ps1.ipynb`, with index.html beside the folders: the
  user's number (which no grades file has), the assignment's, name, time. Not documented by D2L as far as we found; public
  programs that read such zips agree on it. Some have the login before the name, some no folders.

Only Brightspace tells when work came in. No live LMS was tried.

A zip is not trusted: nothing is unpacked by the names in it, links are not followed, sizes are bounded. Whatever is written
goes into a temporary folder, which is then renamed. A submission that is replaced is moved to replaced/, outside submitted/,
where nobody grades it. It does not look into notebooks: `mystique grade` does.
"""

import io
import re
import shutil
import stat
import unicodedata
import uuid
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath

from .grade import handed_in_at, printable
from .lms import SYSTEMS, Listed, names_set, other_set, problem_sets_of, read_class, read_gradebook
from .reading import LARGEST_FILE, LARGEST_NOTEBOOK, MOST_FILES, NAME, Unreadable, read_bytes

NAMES = {
    "canvas": re.compile(r"(?P<name>.+?)(?P<late>_LATE)?_(?P<number>\d+)_(?:(?P<order>\d+)_)?(?P<path>.+)"),
    "moodle": re.compile(r"(?P<name>[^_]+)_(?P<number>\d+)_assignsubmission_[a-z]+(?:_(?P<path>.*))?"),
    "brightspace": re.compile(r"(?P<number>\d+)-\d+ - (?P<name>.+?) - (?P<when>[A-Za-z]{3,9}\.? \d{1,2}, \d{4} \d{3,4} [AP]M)(?: - (?P<path>.+))?"),
}
MOST_MEMBERS = 20_000
LARGEST_ZIP = 50 << 20     # of a student's own
MOST_IN_ZIP = 1_000
MOST_ALIKE = 10            # notebooks of one student that are compared
NOBODY_WROTE = ("__MACOSX", "__pycache__", ".ipynb_checkpoints", "Thumbs.db", "desktop.ini")
OF_OURS = ("timestamp.txt", "submission_secret.txt")
STUDENT = re.compile(r"\w(?:[\w.@+' -]{0,98}[\w+'-])?")
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)  # what zipfile raises for a member


class CollectError(ValueError):
    """Nothing is collected; the message names the file, what was found and what to do."""


class NotUnderstood(ValueError):
    """One student's files, or one of them, cannot be collected; the text says why and what to do."""


@dataclass(frozen=True)
class File:
    """A file that a student uploaded. shown: its name in the LMS's zip. order: the LMS's number of it, 0 if it has none."""

    path: PurePosixPath
    shown: str
    order: int
    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    def read(self, most):
        """Its bytes; no header is believed. Raises NotUnderstood."""
        if self.info.flag_bits & 1:
            raise NotUnderstood("is encrypted. Ask the student for it without a password.")
        try:
            with self.archive.open(self.info) as file:
                content = file.read(most + 1)
        except DAMAGED as problem:
            raise NotUnderstood(f"is damaged in the zip ({problem or type(problem).__name__}). Download the zip again.") from None
        if len(content) > most:
            raise NotUnderstood(f"is larger than {most >> 20} MB. Ask the student to clear the outputs and to hand in again.")
        return content


@dataclass
class Person:
    """Whoever handed in, as the zip calls her. uploads: [(when or None, File)]."""

    number: str
    name: str
    is_late: bool = False
    uploads: list = field(default_factory=list)


@dataclass
class Work:
    """What is put in place for a student. files: {path: bytes}. when: in UTC without a zone, or None. remarks: what was done with her upload."""

    files: dict
    when: datetime | None
    remarks: list


@dataclass
class Collected:
    """What came of a zip. not_understood: (file, why). without: how those are called who have no work in the course."""

    problem_set: str
    zip_file: Path
    listed_in: str
    collected: list = field(default_factory=list)        # (student, remarks)
    replaced: list = field(default_factory=list)         # (student, where the earlier one is, remarks)
    unchanged: list = field(default_factory=list)        # student
    left: list = field(default_factory=list)             # (student, why what is there was not replaced)
    not_understood: list = field(default_factory=list)
    without: list = field(default_factory=list)

    def text(self):
        """The report as a person reads it."""
        counts = f"{len(self.collected)} collected, {len(self.replaced)} replaced, {len(self.unchanged)} unchanged, {len(self.not_understood)} not understood"
        lines = [f"{self.problem_set} from {self.zip_file}: {counts}."]
        for title, entries in (
            ("Collected", [f"{student}: {'; '.join(remarks)}" if remarks else student for student, remarks in self.collected]),
            ("Replaced", [f"{student}: {'; '.join([f'the earlier one is now in {place}', *remarks])}" for student, place, remarks in self.replaced]),
            ("Unchanged", self.unchanged),
            ("Not replaced", [f"{student}: {why}" for student, why in self.left]),
            ("Not understood", [f"{name}: {why}" for name, why in self.not_understood]),
            (f"In {self.listed_in}, without work in submitted/", self.without),
        ):
            if entries:
                lines += [f"{title} ({len(entries)}):", *(f"  {printable(entry)}" for entry in entries)]
        return "\n".join(lines)

    def exit_status(self):
        """0 all collected, 3 something needs a person."""
        return 3 if self.not_understood or self.left else 0


def collect(lms, course_dir, problem_set, zip_file, grades_file=None, replace=False, match=None):
    """Put every submission of an LMS's zip into the course; `Collected`.

    lms: canvas, moodle or brightspace. grades_file: the file that `mystique export` is to fill, by which students are
    known. Without it they are looked for in the gradebook, by Canvas's ID or by their names. replace: also what is not
    known to be older. match: the file's column with the students' ids, as for the export. Raises CollectError, LmsError.
    """
    course, zip_file = Path(course_dir).resolve(), Path(zip_file)
    if lms not in SYSTEMS:
        raise CollectError(f"There is no collecting from {lms!r}. There is from: {', '.join(SYSTEMS)}.")
    earned = read_gradebook(course, problem_set)
    listed = read_class(lms, grades_file, earned, match) if grades_file else _in_gradebook(earned)
    report = Collected(problem_set, zip_file, Path(grades_file).name if grades_file else "the gradebook")
    sets = problem_sets_of(course)
    with _opened(zip_file) as archive:
        people, report.not_understood = people_of(lms, archive)
        if not people:
            seen = ", ".join(f"'{printable(name)}'" for name in archive.namelist()[:3]) or "nothing"
            raise CollectError(f"{zip_file}: no file in it has a name as {lms} gives them; found {seen}. Was it made by another LMS, or for anonymous grading?")
        for person, student, why in _who_is_who(lms, people, listed, earned, bool(grades_file)):
            try:
                if why:
                    raise NotUnderstood(why)
                work = work_of(person, problem_set, sets, course / "release" / problem_set)
                put(course, problem_set, student, work, replace, report)
            except NotUnderstood as problem:
                shown = person.uploads[0][1].shown + (f" and {len(person.uploads) - 1} more" if len(person.uploads) > 1 else "")
                report.not_understood.append((shown, str(problem)))
    idle = [each for each in listed if not each.student or not (course / "submitted" / each.student / problem_set).is_dir()]
    report.without = [f"row {each.row}: {each.who}" if each.row else each.who for each in idle]
    return report


# ------------------------------------------------------------------------------------------------------------ the zip


def _opened(path):
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise CollectError(f"{path}: is not there. Name the zip with all submissions that you downloaded from the LMS.") from None
    except (zipfile.BadZipFile, OSError) as problem:
        raise CollectError(f"{path}: cannot be read as a zip ({problem}). Download all submissions from the LMS again.") from problem
    if len(archive.infolist()) > MOST_MEMBERS:
        archive.close()
        raise CollectError(f"{path}: holds {len(archive.infolist()):,} files; at most {MOST_MEMBERS:,} are read. Is it the right zip?")
    return archive


def people_of(lms, archive):
    """([Person], [(file, why it was not understood)]) of an LMS's zip."""
    people, odd = {}, []
    for info in archive.infolist():
        name = info.filename
        if info.is_dir() or _nobody_wrote(name) or (lms == "brightspace" and PurePosixPath(name).name == "index.html" and not NAMES[lms].match(name)):
            continue
        try:
            found, path = _parsed(lms, _plain_path(info))
        except NotUnderstood as problem:
            odd.append((name, str(problem)))
            continue
        about = found.groupdict()
        person = people.setdefault((about["number"], folded(about["name"])), Person(about["number"], about["name"]))
        person.is_late |= bool(about.get("late"))
        person.uploads.append((_time(about.get("when")), File(path, name, int(about.get("order") or 0), archive, info)))
    return list(people.values()), odd


def _parsed(lms, path):
    """(what the LMS's part of a name says, the path that the student gave). A folder around it all, from zipping anew, does no harm."""
    for place, part in enumerate(path.parts):
        found = NAMES[lms].fullmatch(part)
        if found:
            rest = [*filter(None, [found["path"]]), *path.parts[place + 1:]]
            if lms == "canvas" and found["name"].split("_")[0] == "anon":
                raise NotUnderstood("was handed in for anonymous grading, so nobody can tell whose it is. Switch that off in Canvas, and download again.")
            if rest:
                return found, PurePosixPath(*rest)
    raise NotUnderstood(f"has no name as {lms} gives them. If it is a student's work, put it into submitted/STUDENT/ by hand.")


def _plain_path(info):
    """The path of a member, if it is a file's and stays in its place. Raises NotUnderstood."""
    parts = info.filename.split("/")
    if "\\" in info.filename or any(part in ("", ".", "..") or ":" in part or not part.isprintable() for part in parts):
        raise NotUnderstood("has an odd name, which could lead out of its folder. It was left out.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise NotUnderstood("is a link and no file. Ask the student for the file itself.")
    return PurePosixPath(*parts)


def _nobody_wrote(name):
    return any(part in NOBODY_WROTE or part.startswith(".") and part not in (".", "..") for part in name.split("/"))


def _time(text):
    """Brightspace's time in UTC, without a zone, as nbgrader keeps it; it is taken for this computer's time. 105 AM is five past one."""
    found = re.fullmatch(r"([A-Za-z]{3})[a-z]*\.? (\d+), (\d+) (\d{1,2})(\d\d) ([AP]M)", text or "")
    if not found:
        return None
    month, day, year, hour, minute, half = found.groups()
    try:
        local = datetime.strptime(f"{month} {day} {year} {hour}:{minute} {half}", "%b %d %Y %I:%M %p")
    except ValueError:
        return None
    return local.astimezone(timezone.utc).replace(tzinfo=None)


# ---------------------------------------------------------------------------------------------------------- who is who


def folded(name):
    """A name for comparing: letters and digits alone, without accents."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", name).casefold() if sign.isalnum())


def _in_gradebook(earned):
    """Who is in the gradebook, as if a file listed them."""
    return [Listed(0, ", ".join(filter(None, [each.student, each.name])), each.student, each.lms_id or each.student, (each.name,)) for each in earned]


def _who_is_who(lms, people, listed, earned, from_file):
    """[(Person, student id, why it cannot be told or "")]."""
    found = [_student(lms, person, listed, earned, from_file) for person in people]
    times = Counter(student for student, _ in found if student)
    twice = "{0} of the zip seem to be {1}, so none was collected. Put the right one into submitted/{1}/ by hand."
    return [(person, student, twice.format(times[student], student) if times[student] > 1 else why) for person, (student, why) in zip(people, found)]


def _student(lms, person, listed, earned, from_file):
    """(student id, "") or ("", why it cannot be told)."""
    by_number = [each for each in listed if lms != "brightspace" and each.number == person.number]
    by_name = [each for each in listed if folded(person.name) in map(folded, each.names)]
    has_numbers = lms != "brightspace" and any(each.number for each in listed) and (from_file or lms == "canvas")
    if lms == "canvas" and not from_file and not by_number and all(each.student.isdigit() for each in earned):
        return person.number, ""  # nobody in the course has another kind of id
    matches = by_number if has_numbers else by_name
    where = "the file with grades" if from_file else "the gradebook"
    if len(matches) != 1:
        whom = f"number {person.number} ({person.name})" if has_numbers else f"{person.name}"
        cure = "Is it the file of this class?" if not matches else "Put the work into submitted/STUDENT/ by hand."
        more = cure if from_file else "Name the LMS's file with grades as well."
        return "", f"{whom} is {'nobody' if not matches else f'{len(matches)} people'} in {where}. {more}"
    [each] = matches
    if lms == "moodle" and has_numbers and each.names and each not in by_name:
        return "", f"the zip has the number {person.number} for {person.name}, {where} (row {each.row}) for {each.who}. Is it the worksheet of another assignment?"
    if not each.student:
        return "", (f"row {each.row}, {each.who}: is not in the gradebook, where the others are found by their addresses. "
                    "Enter her first (mystique students FILE).")
    if not STUDENT.fullmatch(each.student):
        return "", f"'{each.student}' cannot be a folder's name. Enter her with another id first (mystique students FILE), or name another column with --match."
    return each.student, ""


# ------------------------------------------------------------------------------------------------ what she handed in


def work_of(person, problem_set, sets, release):
    """The newest of a person's uploads that has a notebook, as `Work`. sets: the course's. Raises NotUnderstood."""
    times = sorted({when for when, _ in person.uploads}, key=lambda when: when or datetime.min, reverse=True)
    why = ""
    for when in times:
        files, unopened = _with_opened_zips([file for at, file in person.uploads if at == when])
        notebooks = [file for file in files if file.path.suffix.lower() == ".ipynb"]
        if notebooks:
            chosen = _chosen(notebooks, problem_set, sets, person)
            remarks = ["late"] if person.is_late else []
            remarks += [f"the newest of {len(times)}"] if len(times) > 1 else []
            remarks += [f"was called {chosen.path.name}"] if chosen.path.name != f"{problem_set}.ipynb" else []
            beside, left_out = _beside(files, chosen, release)
            return Work({f"{problem_set}.ipynb": chosen.read(LARGEST_NOTEBOOK), **beside}, when, remarks + unopened + left_out)
        why = why or "; ".join(unopened)
    raise NotUnderstood((why + "; " if why else "") + f"{person.name} handed in no notebook. Ask for {problem_set}.ipynb.")


def _with_opened_zips(files):
    """(a student's files with those in her own zips, which are opened one level deep; remarks on what could not be opened)."""
    found, remarks = [], []
    for file in files:
        if file.path.suffix.lower() != ".zip":
            found.append(file)
            continue
        try:
            archive = zipfile.ZipFile(io.BytesIO(file.read(LARGEST_ZIP)))
        except (NotUnderstood, zipfile.BadZipFile) as problem:
            remarks.append(f"{file.path.name} {problem if isinstance(problem, NotUnderstood) else 'is no zip, or a damaged one'}")
            continue
        members = [info for info in archive.infolist() if not info.is_dir() and not _nobody_wrote(info.filename)]
        if len(members) > MOST_IN_ZIP:
            remarks.append(f"{file.path.name} holds {len(members):,} files; only the first {MOST_IN_ZIP:,} were looked at")
        for info in members[:MOST_IN_ZIP]:
            try:
                found.append(File(_plain_path(info), f"{file.shown}/{info.filename}", file.order, archive, info))
            except NotUnderstood as problem:
                remarks.append(f"in {file.path.name}, {info.filename} {problem}")
    return found, remarks


def _chosen(notebooks, problem_set, sets, person):
    """The one notebook that counts. Raises NotUnderstood if that is not certain."""
    def title(file):
        return file.path.stem.replace("_", " ")

    likely = [file for file in notebooks if not other_set(title(file), problem_set, sets)]
    if not likely:
        other = other_set(title(notebooks[0]), problem_set, sets)
        raise NotUnderstood(f"{notebooks[0].path.name} is named like another set, {other}. Ask {person.name} for {problem_set}.ipynb.")
    likely = [file for file in likely if names_set(title(file), problem_set)] or likely
    newest = max(file.order for file in likely)
    likely = [file for file in likely if file.order == newest]
    if len(likely) > MOST_ALIKE or len({file.read(LARGEST_NOTEBOOK) for file in likely}) > 1:
        names = ", ".join(str(file.path) for file in likely[:MOST_ALIKE])
        raise NotUnderstood(f"{len(likely)} notebooks of {person.name} may be meant: {names}. "
                            f"Put the one that counts into submitted/STUDENT/{problem_set}/ by hand.")
    return likely[0]


def _beside(files, notebook, release):
    """({path: bytes} of what else lay beside the notebook and was not handed out with it, remarks on what was left out)."""
    found, remarks, home = {}, [], notebook.path.parent
    for file in files:
        if file.path.suffix.lower() in (".ipynb", ".zip"):
            continue
        path = file.path.relative_to(home) if file.path.is_relative_to(home) else PurePosixPath(file.path.name)
        if path.name in OF_OURS or (release / path).is_file():
            continue
        try:
            if not all(NAME.fullmatch(part) for part in path.parts):
                raise NotUnderstood("has an odd name")
            if len(found) >= MOST_FILES or sum(map(len, found.values())) > 4 * LARGEST_FILE:
                raise NotUnderstood("is one too many beside the notebook")
            found[path.as_posix()] = file.read(LARGEST_FILE)
        except NotUnderstood as problem:
            remarks.append(f"left out: {path} {problem}")
    return found, remarks


# --------------------------------------------------------------------------------------------------------- in its place


def put(course, problem_set, student, work, replace, report):
    """Put a student's work into submitted/ by one rename, and say so in the report. What was there goes to replaced/."""
    target = course / "submitted" / student / problem_set
    earlier = files_of(target)
    if earlier == work.files:
        report.unchanged.append(student)
        return
    if earlier and not replace:
        before, _ = handed_in_at(target)
        if not before or not work.when:
            report.left.append((student, "another version is there, and the zip does not tell which one is newer. To take the zip's: --replace"))
            return
        if work.when <= before:
            report.left.append((student, f"what is there is from {before:%Y-%m-%d %H:%M} UTC, the zip's is not newer. To take the zip's all the same: --replace"))
            return
    stage = course / "submitted" / f".collect-{uuid.uuid4().hex[:8]}"  # the grader passes over names with a dot
    try:
        for path, content in work.files.items():
            (stage / path).parent.mkdir(parents=True, exist_ok=True)
            (stage / path).write_bytes(content)
        if work.when:
            (stage / "timestamp.txt").write_text(f"{work.when:%Y-%m-%d %H:%M:%S} UTC\n", encoding="utf-8")
        aside = _swap(stage, target, course / "replaced" / student, problem_set)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    if aside:
        report.replaced.append((student, aside.relative_to(course).as_posix(), work.remarks))
    else:
        report.collected.append((student, work.remarks))


def files_of(folder):
    """{path: bytes} of a submission without its time; a file that cannot be read counts as b"". Raises NotUnderstood for what is no folder."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise NotUnderstood(f"{folder} is no folder, so nothing was put there. Move it away.")
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and not path.is_symlink() or path.name == "timestamp.txt":
            continue
        try:
            found[path.relative_to(folder).as_posix()] = read_bytes(path, LARGEST_NOTEBOOK)
        except (Unreadable, OSError):
            found[path.relative_to(folder).as_posix()] = b""
    return found


def _swap(stage, target, aside, problem_set):
    """Rename stage to target; where target's earlier content lies now, or None. Should it fail, that is back in its place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    moved = None
    if not files_of(target):
        shutil.rmtree(target, ignore_errors=True)
    else:
        aside.mkdir(parents=True, exist_ok=True)
        moved = next(place for number in range(1, 10_000) if not (place := aside / f"{problem_set}-{number}").exists())
        target.rename(moved)
    try:
        stage.rename(target)
    except BaseException:
        if moved:
            moved.rename(target)
        raise
    return moved
