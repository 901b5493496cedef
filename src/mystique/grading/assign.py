"""Releases a problem set: proves it, makes the students' version with nbgrader, looks for leaks, and zips it.

    assign("ps1", "exercises")  ->  exercises/release/ps1/ and exercises/release/ps1.zip, the file to hand out

All or nothing: when the proof fails, or anything in the release would give the answers away, nothing is released and the
error lists every fault. Submissions, grades and feedback are never touched; the gradebook is changed by nbgrader only.

The sets of a public repository are public, solutions and all. With `answers_dir` the sources and the known answers lie
in a private folder instead (`source/PS/`, `answers/PS.yml`), and the course uses that folder from then on.

It does not hand the zip to anybody, and it does not read submissions.
"""

import contextlib
import copy
import fnmatch
import io
import json
import logging
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import uuid
import zipfile
from pathlib import Path

from . import checks
from .answers import AnswersError, read_answers
from .proof import prove
from .trial import TrialError

CANARY_WORD = re.compile(r"MYSTIQUE-CANARY[\w-]*")
REMEMBERED = ".answers-folder"  # in the course: one line, the private folder that it uses
SHORTEST = 20        # characters; a shorter secret line, or a shorter seed than SHORTEST_SEED, may stand in a file by chance
SHORTEST_SEED = 6
FIRST_DAY = (1980, 1, 1, 0, 0, 0)   # the earliest date that a zip can hold: the same release gives the same zip
LEFT_BEHIND = ("__pycache__", "*.pyc", ".ipynb_checkpoints", ".handout-*", ".DS_Store", "Thumbs.db")  # never copied
FORBIDDEN = ("truth.json", "cohort.json", "traps.md", "answers", "answers.*", "nbgrader_config.py", "gradebook.db*", "grades.csv",
             "__pycache__", "*.pyc", ".*")
REGION = re.compile(r"BEGIN (HIDDEN TESTS|MARK SCHEME|SOLUTION)\b(.*?)END \1", re.DOTALL)
REMARK = re.compile(r"\s{2,}#.*")
MARKER = re.compile(r"(?:BEGIN|END) (?:HIDDEN TESTS|MARK SCHEME|SOLUTION)\b")


class AssignError(ValueError):
    """A problem set is not released; the message lists every fault, and where it is."""


def assign(problem_set, course_dir, answers_dir=None, progress=lambda text: None):
    """Prove, release and zip a problem set; the path of the zip.

    course_dir: an nbgrader course. answers_dir: a private folder with `source/PS/` and `answers/PS.yml`; the course
    remembers it. The course's own folder ends that; left out, the remembered one or else the course's own is used.
    progress: is told what is being done, and what the instructor should know. Raises AssignError.
    """
    course = Path(course_dir).resolve()
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", problem_set):
        raise AssignError(f"A problem set's name has letters, digits and _ . - only; found {problem_set!r}. For example: ps1.")
    settings = read_settings(course)
    home = _home(course, answers_dir)
    notebook = home / "source" / problem_set / f"{problem_set}.ipynb"
    answers = home / "answers" / f"{problem_set}.yml"
    for path, what in ((notebook, "the instructor's notebook"), (answers, "the known answers that prove it")):
        if not path.is_file():
            raise AssignError(f"{path}: {what} is not there. Nothing was released. Name a set that has both, or the folder that holds them.")
    _tell(course, home, problem_set, progress)

    with tempfile.TemporaryDirectory(prefix="assign-") as scratch:  # private to this user: it holds the solutions
        stage = Path(scratch).resolve()
        faults = _copy_source(notebook.parent, stage / "source" / problem_set)
        progress(f"proving {problem_set}: every known answer is tried")
        faults += _unproven(stage / "source" / problem_set / notebook.name, answers)
        progress("making the students' version")
        try:
            make_release(problem_set, stage, settings, copy_of_gradebook(settings, stage))
        except AssignError as problem:
            faults.append(str(problem))
        released = stage / "release" / problem_set
        if released.is_dir():
            progress("looking for leaks")
            faults += leaks(released, notebook, answers, _secrets(course, home), _stubs(settings))
        if faults:
            listed = "\n".join(f"  - {fault}" for fault in dict.fromkeys(faults))
            raise AssignError(f"{problem_set} is not released, nothing was changed. {len(set(faults))} fault(s) in {home}:\n{listed}")
        progress("writing the cells into the gradebook")
        again = stage / "again"
        shutil.copytree(stage / "source", again / "source")
        make_release(problem_set, again, settings, db_url(settings))
        try:
            return _put_in_place(released, _release_folder(settings, problem_set), course, home)
        except OSError as problem:
            why = problem.strerror or problem
            raise AssignError(f"{course}: the release could not be written ({why}). The earlier one, if any, is back in its place.") from problem


# ---------------------------------------------------------------------------------------------------- an nbgrader course


def read_settings(course):
    """nbgrader's settings of a course, from its nbgrader_config.py if it has one. The root is always the folder itself."""
    from traitlets.config import Config, PyFileConfigLoader

    course = Path(course).resolve()
    file = course / "nbgrader_config.py"
    if not file.is_file() and not (course / "source").is_dir() and not (course / "gradebook.db").is_file():
        raise AssignError(f"{course}: no nbgrader course is here (no nbgrader_config.py, no source/). Go to the class's folder, or name it with --course.")
    settings = Config()
    if file.is_file():
        try:
            settings.merge(PyFileConfigLoader(file.name, path=str(course)).load_config())
        except Exception as problem:  # the file is a program: it can raise anything
            raise AssignError(f"{file}: these settings cannot be read: {type(problem).__name__}: {problem}") from problem
    settings.CourseDirectory.root = str(course)
    return settings


def db_url(settings):
    """The address of the course's gradebook."""
    return _course_directory(settings).db_url


def copy_of_gradebook(settings, folder):
    """The address of a copy of the gradebook in `folder`, or of a new one there: to look at or to try on, at no risk.

    The copy is whole even while somebody grades. A gradebook that is no SQLite file is not copied: a new one it is.
    """
    from sqlalchemy.engine import make_url

    url, target = make_url(db_url(settings)), Path(folder) / "gradebook.db"
    if url.get_backend_name() == "sqlite" and url.database and Path(url.database).is_file():
        with contextlib.closing(sqlite3.connect(url.database, timeout=30)) as source, contextlib.closing(sqlite3.connect(target)) as made:
            try:
                source.backup(made)
            except sqlite3.Error as problem:
                raise AssignError(f"{url.database}: the gradebook cannot be read ({problem}). Close what has it open, or restore it from a copy.") from problem
    return f"sqlite:///{target}"


def make_release(problem_set, root, settings, gradebook):
    """Run nbgrader's generate_assignment on root/source/PS into root/release/PS. Raises AssignError with what it said.

    The root is always a staging folder: nbgrader removes an old release before it knows that the new one can be made,
    and it cannot read a source outside its root when that path holds a sign such as + or a bracket.
    """
    from nbgrader.converters import GenerateAssignment
    from nbgrader.utils import capture_log

    settings = copy.deepcopy(settings)
    for name in ("source_directory", "release_directory", "directory_structure"):
        settings.CourseDirectory.pop(name, None)
    settings.CourseDirectory.root, settings.CourseDirectory.db_url = str(root), gradebook
    coursedir = _course_directory(settings)
    coursedir.assignment_id = problem_set
    with programs_of_this_python():
        made = GenerateAssignment(coursedir=coursedir, config=settings)
        made.force, made.create_assignment = True, True
        with _quiet(made.log):
            done = capture_log(made)
    if not done["success"]:
        raise AssignError(f"nbgrader could not make the students' version: {_what_it_said(done)}")


def source_of(course):
    """What nbgrader's `CourseDirectory.source_directory` should be: "source", or that of the remembered private folder."""
    remembered = _remembered(Path(course).resolve())
    return str(remembered / "source") if remembered else "source"


def _course_directory(settings):
    from nbgrader.coursedir import CourseDirectory

    return CourseDirectory(config=settings)


def _release_folder(settings, problem_set):
    directory = _course_directory(settings)
    return Path(os.path.normpath(directory.format_path(directory.release_directory, ".", problem_set)))


def _stubs(settings):
    """What nbgrader writes in place of solutions."""
    from nbgrader.preprocessors import ClearSolutions

    clear = ClearSolutions(config=settings)
    return "\n".join([*clear.code_stub.values(), clear.text_stub])


@contextlib.contextmanager
def programs_of_this_python():
    """nbgrader calls the program `alembic` to make a gradebook: found also when the environment is not activated."""
    before = os.environ.get("PATH")
    os.environ["PATH"] = os.pathsep.join(filter(None, [str(Path(sys.executable).parent), before]))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PATH"]
        else:
            os.environ["PATH"] = before


@contextlib.contextmanager
def _quiet(log):
    """What nbgrader logs goes into the error, if there is one, and not also past the progress on the screen."""
    before, level = log.propagate, log.level
    log.propagate = False
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.propagate = before
        log.setLevel(level)


def _what_it_said(done):
    log = re.sub(r"\x1b\[[0-9;]*m", "", done.get("log", ""))
    raised = re.findall(r"^\s+(?:[\w.]+\.)?(\w*(?:Error|Exception|Entry|Invalid\w*): .+)$", log, re.MULTILINE)
    said = raised or [line.removeprefix("[ERROR]").strip() for line in log.splitlines() if line.startswith("[ERROR]")]
    return "; ".join(dict.fromkeys(said)) or done["error"].strip().splitlines()[-1]


# ------------------------------------------------------------------------------------------------- the private folder


def _home(course, answers_dir):
    """The folder with source/ and answers/. A private one inside the course's own repository would not be private."""
    if answers_dir is None:
        return _remembered(course) or course
    home = Path(answers_dir).resolve()
    if not home.is_dir():
        raise AssignError(f"{home}: this folder for sources and answers is not there. Make it, with source/PS/PS.ipynb and answers/PS.yml in it.")
    repository = _repository_of(course)
    if home != course and repository is not None and _repository_of(home) == repository and not _is_ignored(home, repository):
        raise AssignError(f"{home}: lies in the same repository as the course, so whoever reads that reads the answers. Choose a folder outside {repository}.")
    return home


def _remembered(course):
    file = course / REMEMBERED
    if not file.is_file():
        return None
    home = Path(file.read_text(encoding="utf-8").strip())
    if not home.is_dir():
        raise AssignError(f"{file}: names {home}, which is not there. Name the private folder again, or delete this file to use the course's own sets.")
    return home


def _repository_of(folder):
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)


def _is_ignored(folder, repository):
    try:
        return subprocess.run(["git", "-C", str(repository), "check-ignore", "-q", str(folder)], capture_output=True).returncode == 0
    except OSError:
        return False


def _tell(course, home, problem_set, progress):
    """What the instructor should know before she waits."""
    if home != course:
        progress(f"sources and answers come from {home}")
        public = course / "source" / problem_set / f"{problem_set}.ipynb"
        if public.is_file() and public.read_bytes() == (home / "source" / problem_set / public.name).read_bytes():
            progress(f"note: {public} is the same notebook. Where the course is public, its solutions are, too: change the private one")
    waiting = len(list((course / "submitted").glob(f"*/{problem_set}")))
    if waiting:
        progress(f"note: {waiting} submission(s) of {problem_set} are there already. They are left alone, but these students have the earlier release")


# ------------------------------------------------------------------------------------------------------- what is wrong


def _copy_source(source, target):
    """Copy the set to where nothing changes it while it is proved; faults that the copy shows."""
    faults = [f"{each.relative_to(source)}: a link to {os.readlink(each)}. Put the file itself there." for each in sorted(source.rglob("*")) if each.is_symlink()]
    shutil.copytree(source, target, ignore=lambda folder, names: [
        name for name in names if any(fnmatch.fnmatch(name, pattern) for pattern in LEFT_BEHIND) or (Path(folder) / name).is_symlink()
    ])
    others = sorted(each.relative_to(target).as_posix() for each in target.rglob("*.ipynb") if each != target / f"{target.name}.ipynb")
    faults += [f"{each}: a second notebook, which nothing here proves. A set has one, {target.name}.ipynb." for each in others]
    return faults


def _unproven(notebook, answers):
    """What the proof finds wrong with a set, a line for each fault."""
    try:
        known = read_answers(answers)
        outcomes = prove(notebook, answers)
    except (AnswersError, TrialError) as problem:
        return [str(problem)]
    except KeyError as problem:
        return [f"{answers.name}: has answers to {problem.args[0]}, a question that {notebook.name} does not have."]
    except Exception as problem:  # a damaged notebook: whatever nbformat says of it
        return [f"{notebook.name}: cannot be read as an instructor's notebook: {type(problem).__name__}: {problem}"]
    faults = [f"{one.question}, answer '{one.answer}': {one.fault}" for one in outcomes if one.fault]
    questions = dict.fromkeys(one.question for one in outcomes)
    if not questions:
        faults.append(f"{notebook.name}: has no question with a test cell, so nothing is proved.")
    caught = {answer.question for answer in known if not answer.is_right}
    return faults + [f"{name}: {answers.name} has no known mistake to try on it." for name in questions if name not in caught]


def leaks(released, notebook, answers, secrets=(), visible=""):
    """What a released folder gives away, a line for each leak.

    notebook, answers: the instructor's, which tell what is secret. secrets: (what it is, text) that may stand nowhere.
    visible: more text that students may see, such as the course's stubs.
    """
    released = Path(released)
    lines = _secret_lines(Path(notebook), Path(answers), visible)
    found = []
    for path in sorted(released.rglob("*")):
        name = path.relative_to(released).as_posix()
        if path.is_symlink():
            found.append(f"{name}: a link. Put the file itself there.")
            continue
        if not _is_a_table(path) and any(fnmatch.fnmatch(path.name.lower(), each) for each in (*FORBIDDEN, Path(answers).name)):
            found.append(f"{name}: must not be handed out. Take it out of the set's source folder.")
        if path.is_file():
            found += [f"{name}: {leak}" for leak in _leaks_of(path, lines, secrets)]
    return found


def _is_a_table(path):
    """Whether the codebook beside a file names it as one of its tables: a table may be called answers.csv."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        codebook = json.loads((path.parent / "datapackage.json").read_text(encoding="utf-8"))
        return path.suffix == ".csv" and path.name in [table["path"] for table in codebook["resources"]]
    return False


def _leaks_of(path, lines, secrets):
    for text in _texts(path):
        if canary := CANARY_WORD.search(text):
            yield f"holds the canary '{canary[0]}', which marks what no student may see."
        for what, secret in secrets:
            if secret in text:
                yield f"tells {what}."
        told = [line for line in lines if line in text]
        if told:
            yield f"repeats {len(told)} line(s) of solutions, hidden tests or rubrics, the first of them: {told[0]}"
    if path.suffix == ".json" and _has_seed(path):
        yield "has a field 'seed': whoever has it can make the data and their truth anew."
    if path.suffix == ".ipynb":
        yield from _leaks_of_notebook(path)


def _leaks_of_notebook(path):
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"], start=1):
        source = "".join(cell["source"])
        if MARKER.search(source):
            yield f"cell {number} still has the line '{MARKER.search(source)[0]}'. Its begin and end marks do not match."
        if cell.get("outputs"):
            yield f"cell {number} still has an output."


def _texts(path):
    """What can be read in a file: as it stands, in a notebook's cells, in the members of a zip (a workbook is one)."""
    content = path.read_bytes()
    texts = [content.decode("utf-8", errors="replace")]
    if path.suffix == ".ipynb":
        texts += ["".join(cell["source"]) for cell in json.loads(texts[0])["cells"]]
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            texts += [archive.read(name).decode("utf-8", errors="replace") for name in archive.namelist()]
    return texts


def _has_seed(path):
    try:
        waiting = [json.loads(path.read_text(encoding="utf-8"))]
    except ValueError:
        return False
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if any(key.lower() == "seed" for key in each):
                return True
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return False


def _secret_lines(notebook, answers, visible):
    """Lines that only the instructor's files hold."""
    secret = [answer.code for answer in _known(answers) if answer.is_right]
    shown = [visible, Path(checks.__file__).read_text(encoding="utf-8")]  # what lies beside every notebook is no secret
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError):
        cells = []  # the proof says that it is damaged
    for cell in cells:
        source = "".join(cell["source"])
        regions = [text for _, text in REGION.findall(source)]
        if not regions and cell.get("metadata", {}).get("nbgrader", {}).get("solution"):
            regions, source = [source], ""  # without marks, all of an answer cell is the solution
        secret += regions
        shown.append(REGION.sub("", source))
    # a given line may be used again in a solution, without the comment behind it
    shown = {part.strip() for text in shown for line in text.splitlines() for part in (line, REMARK.sub("", line))}
    lines = dict.fromkeys(line.strip() for text in secret for line in text.splitlines())
    return [line for line in lines if len(line) >= SHORTEST and line not in shown]


def _known(answers):
    try:
        return read_answers(answers)
    except AnswersError:
        return []  # the proof says that it is damaged


def _secrets(course, home):
    """(what it is, text) of what may stand in no released file: this machine's folders, and a cohort's seed."""
    secrets = [(f"the folder {folder} of your machine", str(folder)) for folder in {course, home, Path.home()} if len(str(folder)) >= SHORTEST_SEED]
    cohort = course.parent / "cohort.json"
    if cohort.is_file():
        seed = str(json.loads(cohort.read_text(encoding="utf-8")).get("seed", ""))
        if len(seed) >= SHORTEST_SEED:
            secrets.append(("the cohort's secret seed", seed))
    return secrets


# --------------------------------------------------------------------------------------------------------- in its place


def _put_in_place(released, target, course, home):
    """Move the release, its zip and the remembered folder into place; should one fail, what was there comes back."""
    target.parent.mkdir(parents=True, exist_ok=True)
    archive = target.with_name(f"{target.name}.zip")
    stage = target.with_name(f".{target.name}-{uuid.uuid4().hex[:8]}")
    try:
        shutil.copytree(released, stage / "new")
        zip_folder(stage / "new", stage / "zip", target.name)
        new = {stage / "new": target, stage / "zip": archive}
        if home != course:
            (stage / "home").write_text(f"{home}\n", encoding="utf-8")
            new[stage / "home"] = course / REMEMBERED
        _swap(new, [course / REMEMBERED] if home == course else [], stage)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return archive


def _swap(new, gone, stage):
    moved = []
    try:
        for number, place in enumerate([*new.values(), *gone]):
            if place.exists():
                place.rename(stage / f"old-{number}")
                moved.append((stage / f"old-{number}", place))
        for made, place in new.items():
            made.rename(place)
            moved.append((place, made))
    except BaseException:
        for now, before in reversed(moved):
            now.rename(before)
        raise


def zip_folder(folder, archive, top):
    """Zip a folder's files under one top folder: names in order and dates fixed, so that equal files give an equal zip."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for path in sorted((each for each in Path(folder).rglob("*") if each.is_file()), key=lambda each: each.relative_to(folder).as_posix()):
            entry = zipfile.ZipInfo(f"{top}/{path.relative_to(folder).as_posix()}", FIRST_DAY)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
            made.writestr(entry, path.read_bytes())
