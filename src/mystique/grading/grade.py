"""Grades a whole class: reads, runs and scores every submission of a problem set into nbgrader's own gradebook.

    grade("ps1", "cohorts/fall-2027/course", jobs=2)

nbgrader stays the gradebook: formgrader, generate_feedback and export go on from what is written here. Only this process writes
the gradebook and the log; submitted code runs in processes of the engine. Each submission is written in this order: the
graded notebook (one rename), its grades (one transaction), one line of the log. Whatever is cut off is done again by the
next run, and what is in the log and has not changed is left alone. Grades that a person gave are never touched.
"""

import ast
import contextlib
import copy
import hashlib
import json
import os
import random
import re
import shutil
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from . import confine, reading
from .engine import WARM, Cell, Engine, EngineError, Limits
from .plain import plain_html, plain_markdown
from .reading import NOT_GRADED, Unreadable
from .suspect import suspicions as read_code
from .unconfined import Unconfined

ON_LINUX = sys.platform.startswith("linux")
LOG = "grade_log.jsonl"
WORK = ".grading"
WAITS = 10    # times that a gradebook in use is tried again; SQLite itself waits five seconds each time
ATTEMPTS = 4  # somebody may end the warm process; it is started anew each time
GRADER_FILES = ("grade.py", "engine.py", "inside.py", "reading.py", "confine.py", "unconfined.py")
SHOWN = ("text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg", "image/gif", "image/svg+xml")
UNREADABLE_TEXT = f"""{NOT_GRADED}

{{why}}

This is not a judgement of your answers: nobody has seen them yet. Open the problem set where you work on it, save it, download it as a notebook
(a file that ends in `.ipynb`) and hand it in again. If that does not help, write to your instructor.
"""


class GradingError(RuntimeError):
    """The class cannot be graded; the message says what was found and what to do."""


@dataclass
class Graded:
    """One submission's outcome. state: "graded", "unreadable", "failed" (a fault of the grader) or "unchanged".

    scores: {grade id: points, or None if a person must give them}. needs: why a person should look, in words.
    """

    student: str
    state: str
    scores: dict = field(default_factory=dict)
    needs: list = field(default_factory=list)
    manual: list = field(default_factory=list)
    remarks: list = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Summary:
    """What a run over a class came to. layers: the sentence on confinement. misplaced: (what was not graded, where it must go)."""

    problem_set: str
    results: list
    layers: str
    seconds: float
    stages: dict
    misplaced: list = field(default_factory=list)


def exit_status(summary):
    """0 all graded, 3 some submissions need a person, 1 some could not be graded through a fault of the grader."""
    if any(result.state == "failed" for result in summary.results):
        return 1
    return 3 if summary.misplaced or any(result.needs or result.manual for result in summary.results) else 0


def table(summary):
    """The summary in words, for a terminal."""
    results = summary.results
    new = [each for each in results if each.state != "unchanged"]
    counts = f"{len(results)} submissions, {len(new)} graded now, {len(results) - len(new)} unchanged"
    lines = [f"{summary.problem_set}: {counts}, in {summary.seconds:.1f} s.", summary.layers]
    if not results:
        lines.append(f"Nobody has handed in {summary.problem_set}: there is no folder submitted/STUDENT/{summary.problem_set}/.")
    if summary.misplaced:
        lines.append("Not graded, because it lies in the wrong place:")
        lines += [f"  {printable(f'{what}: {cure}')}" for what, cure in summary.misplaced]
    manual = {}
    for result in results:
        for grade_id in result.manual:
            manual.setdefault(grade_id, []).append(result.student)
    for grade_id, students in manual.items():
        lines.append(f"To be read and graded in the formgrader: {grade_id} of {len(students)} student{'s' if len(students) != 1 else ''}.")
    looked_at = [each for each in results if each.needs]
    if looked_at:
        lines.append("These need a person:")
        width = max(len(each.student) for each in looked_at)
        for result in looked_at:
            for place, why in enumerate(result.needs[:6]):
                lines.append(f"  {result.student if place == 0 else '':<{width}}  {printable(why)}")
    elif results:
        lines.append(f"No submission needs a person{' for any other reason' if manual else ''}.")
    return "\n".join(lines)


def printable(text):
    """What students wrote may steer a terminal, or be no text at all."""
    return "".join(each if each.isprintable() else "?" for each in text)


# ------------------------------------------------------------------------------------------------------ the whole class


def grade(problem_set, course_dir=".", jobs=None, trust_submissions=False, *, limits=Limits(), students=None, layers=None, progress=None):
    """Grade every submission of a problem set in an nbgrader course; `Summary`. Raises GradingError.

    jobs: how many at once (default: one for each processor). trust_submissions: go on where a layer of confinement is missing.
    students: only these. layers: for trying what happens where a layer is missing. progress(done, all, needing a person)
    is called after each; by default a bar on a terminal.
    """
    start = time.monotonic()
    course = Path(course_dir).resolve()
    jobs = jobs or os.cpu_count() or 1
    layers = confine.available() if layers is None else layers
    check_confinement(layers, course, trust_submissions)
    kind_of_engine = Engine if ON_LINUX else Unconfined
    release_folder, source_folder = _course_folders(course, problem_set)
    clock = Clock()
    progress = progress or (bar if sys.stderr.isatty() else lambda *_: None)
    warm = (*WARM, *imported_modules(release_folder / f"{problem_set}.ipynb"))
    with alone(course), kind_of_engine(source_folder, limits, layers, warm) as engine:
        log = Log(course / LOG)
        with clock("look for changes"):
            handed_in = [(student, folder, folder_hash(folder)) for student, folder in submissions(course, problem_set, students)]
        if any(log.answers(problem_set, student) != digest for student, _, digest in handed_in):
            engine.start()  # it warms up while nbgrader is imported here
        with clock("start"):
            book = Book(course, problem_set)
        try:
            release = Release(release_folder, problem_set, book, source_folder)
            results = _grade_all(handed_in, release, _grader_hash(limits), engine, log, book, jobs, clock, progress, course)
        except EngineError as problem:
            raise GradingError(f"{problem} Nothing is lost: run the command again.") from problem
        finally:
            book.close()
        shutil.rmtree(course / WORK, ignore_errors=True)
    results = sorted(results, key=lambda each: each.student)
    return Summary(problem_set, results, layers.sentence(), time.monotonic() - start, clock.spent, misplaced(course, problem_set))


@contextlib.contextmanager
def alone(course):
    """See to it that one run at a time grades a course. The lock ends with the process, however that ends."""
    with open(course / LOG, "ab") as file:
        try:
            if os.name == "nt":
                import msvcrt

                file.seek(1 << 40)  # far behind what is written: a lock there keeps nobody from the log itself
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise GradingError(f"{course}: is being graded by another run. Wait until it ends.") from None
        yield


def _grade_all(handed_in, release, grader, engine, log, book, jobs, clock, progress, course):
    results, waiting = [], []
    known = book.submitted()
    for student, folder, digest in handed_in:
        key = f"{digest}-{release.hash}-{grader}"
        entry = log.last.get((release.name, student))
        is_done = entry and entry["key"] == key and entry["state"] != "failed" and student in known
        if is_done and release.is_in_place(course, student, entry["notebook"]):
            manual = [] if entry["state"] == "unreadable" else book.manual(student)  # there is no text to read
            results.append(Graded(student, "unchanged", entry["scores"], entry["needs"], manual, entry["remarks"]))
        else:
            waiting.append((student, folder, key))
    progress(len(results), len(handed_in), sum(bool(each.needs) for each in results))
    if not waiting:
        return results
    pool = ThreadPoolExecutor(jobs)
    try:
        baseline = pool.submit(blank_run, engine, release, clock)
        working = [pool.submit(_grade_one, student, folder, key, release, baseline, engine, clock) for student, folder, key in waiting]
        baseline.result()  # if that fails, nobody can be graded
        for done in as_completed(working):
            result, notebook, key, stamp = done.result()
            notebook_hash = ""
            if result.state != "failed":
                with clock("write"):
                    before = written_before(course, release, result.student, log.last.get((release.name, result.student)))
                    result, notebook_hash = _write(course, release.name, result, notebook, stamp, book, before)
            log.add(release.name, key, notebook_hash, result)
            results.append(result)
            progress(len(results), len(handed_in), sum(bool(each.needs) for each in results))
    finally:
        pool.shutdown(cancel_futures=True)
    return results


def _in_use():
    return GradingError("The gradebook is used by another program. Close it, and run the command again: nothing is lost.")


def written_before(course, release, student, entry):
    """{grade id: the written answer} of the notebook that a student's grades belong to; {} if that is not certain.

    entry: her last line in the log. A run may have been cut off after it wrote the notebook and before it wrote the grades."""
    if not entry or not release.is_in_place(course, student, entry["notebook"]):
        return {}
    notebook = json.loads((course / "autograded" / student / release.name / f"{release.name}.ipynb").read_text(encoding="utf-8"))
    return written_answers(notebook["cells"])


def written_answers(cells):
    """{grade id: text} of a graded notebook's answers that a person grades."""
    settings = [(cell["metadata"].get("nbgrader", {}), cell["source"]) for cell in cells]
    return {nbgrader["grade_id"]: reading.plain(reading.text_of(source)) for nbgrader, source in settings if nbgrader.get("grade") and nbgrader.get("solution")}


def _write(course, name, result, notebook, stamp, book, before):
    """Write a graded notebook and its scores; (the result, the notebook's hash). A gradebook in use is waited for.

    before: the written answers that the grades in the gradebook belong to."""
    for patience in range(WAITS, -1, -1):
        try:
            notebook_hash = write_notebook(course, name, result.student, notebook)
            book.save(result, notebook, stamp, before)
            return result, notebook_hash
        except Exception as problem:
            book.undo()
            if "database is locked" not in str(problem):  # one odd student must not stop the class
                return Graded(result.student, "failed", needs=[f"could not be written ({type(problem).__name__}: {problem})"]), ""
            if not patience:
                raise _in_use() from problem
            time.sleep(1)


def _grade_one(student, folder, key, release, baseline, engine, clock):
    """(Graded, the graded notebook, key, the time it was handed in): everything but writing. Never raises for what a submission does."""
    start = time.monotonic()
    stamp, remarks = handed_in_at(folder)
    for _ in range(ATTEMPTS):
        try:
            result, notebook = grade_folder(student, folder, release, baseline, engine, clock)
            break
        except EngineError as problem:
            result, notebook = Graded(student, "failed", needs=[f"the grader could not run it: {problem} Run the command again."]), None
        except Exception as problem:  # a fault of ours must not stop the class either
            fault = f"a fault of the grader ({type(problem).__name__}: {problem}). Please report it."
            result, notebook = Graded(student, "failed", needs=[fault]), None
            break
    result.remarks[:0] = remarks
    result.seconds = time.monotonic() - start
    return result, notebook, key, stamp


def grade_folder(student, folder, release, baseline, engine, clock):
    """Read, run and score one submission: (Graded, the graded notebook). baseline: a future of what `blank_run` gives."""
    try:
        with clock("read"):
            found = reading.read_submission(folder, release.name, release.given, release.files)
    except (Unreadable, OSError) as problem:
        result = Graded(student, "unreadable", {grade_id: None for grade_id in release.points}, [f"unreadable: {problem}"])
        return result, release.unreadable(str(problem))
    with clock("read"):
        suspected = [each for name, source in _code_of(found, release) for each in read_code(source, name)]
    cells, spots = release.cells(found)
    tests = [place for place, cell in enumerate(cells) if cell.test]
    twins = set(tests) if suspected else {random.SystemRandom().choice(tests)} if tests else set()
    with clock("run"):
        run = engine.run([Cell(cell.name, cell.source, cell.test, place in twins) for place, cell in enumerate(cells)], found.files)
    scores, needs = {}, []
    for place in tests:
        score, why = score_of(run.results[place], release.points[cells[place].name], baseline.result()[cells[place].name], place in twins)
        scores[cells[place].name] = score
        needs += [f"{cells[place].name}: {each}" for each in why]
    manual = []
    for grade_id, given in release.by_hand.items():
        answer = found.answers.get(given)
        written = answer is not None and reading.plain(answer) != reading.plain(release.given[given].source)
        scores[grade_id] = None if written else 0.0
        manual += [grade_id] if written else []
    needs += found.guessed + [f"please look: {each}" for each in reading.shortened(suspected + run.suspicions, 8)]
    result = Graded(student, "graded", scores, needs, manual, found.undone + found.moved + run.events)
    return result, release.graded(found, spots, run.results)


def score_of(result, points, baseline, has_twin):
    """(points for a test cell, why a person must look). Full points never come about by accident; a warning costs nothing.

    baseline: the `Result` of the same test in the notebook as it was handed out.
    """
    if result.doubts:
        return 0.0, result.doubts
    if has_twin and result.twin != baseline.twin and not result.stopped and not result.interrupted:
        return 0.0, [f"the test gave {result.twin!r} without any answer, where {baseline.twin!r} was expected: it was interfered with"]
    if result.not_run:
        return 0.0, [f"was {result.stopped}; it could not be graded"]
    if result.stopped or result.failed:
        return 0.0, []
    if result.value is None:
        return (0.0, ["the test gave no points where it always does"]) if isinstance(baseline.value, float) else (points, [])
    if isinstance(result.value, (int, float)) and not isinstance(result.value, bool) and 0 <= result.value <= points:
        return float(result.value), []
    return 0.0, [f"the test gave {str(result.value)[:40]!r}, which is not a number of points between 0 and {points:g}"]


def blank_run(engine, release, clock):
    """{test: its `Result`} for the notebook as it was handed out: what a test gives where there is no answer."""
    cells, _ = release.cells(reading.Reading(answers={place: given.source for place, given in enumerate(release.given) if given.is_answer}))
    with clock("run"):
        run = engine.run([Cell(cell.name, cell.source, cell.test, cell.test) for cell in cells])
    stopped = [f"{cell.name} {result.stopped}" for cell, result in zip(cells, run.results) if result.stopped]
    if stopped:
        raise GradingError(f"The notebook as it was handed out does not run to its end ({stopped[0]}). Mend the problem set before grading.")
    return {cell.name: result for cell, result in zip(cells, run.results) if cell.test}


def check_confinement(layers, course, trust):
    """Raise GradingError unless submissions can be shut in (or are trusted)."""
    if trust:
        return
    if not ON_LINUX:
        raise GradingError("Submissions can be confined on Linux only: on macOS use Docker, on Windows WSL2, as the guide shows. "
                           "Or say --trust-submissions: then their code runs under your name, with nothing between it and your files.")
    if not layers.enough:
        raise GradingError(f"{layers.sentence()} That is too little to run other people's code. See the guide, or say --trust-submissions.")
    place = confine.exposed(course, confine.readable_places())
    if place:
        raise GradingError(f"{course}: lies in {place}, which submitted code must be able to read. Move it, or say --trust-submissions.")


class Clock:
    """Seconds spent in each stage, over all threads."""

    def __init__(self):
        self.spent = {}

    def __call__(self, stage):
        return _Stage(self, stage)


class _Stage:
    def __init__(self, clock, stage):
        self._clock, self._stage = clock, stage

    def __enter__(self):
        self._start = time.monotonic()

    def __exit__(self, *_):
        self._clock.spent[self._stage] = self._clock.spent.get(self._stage, 0.0) + time.monotonic() - self._start


def bar(done, number, needing):
    """A progress bar on standard error."""
    width = 30
    filled = width * done // max(number, 1)
    text = f"\r[{'#' * filled}{'.' * (width - filled)}] {done} of {number}" + (f", {needing} need a person" if needing else "")
    print(text, end="\n" if done == number else "", file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------------------- the course's files


def _course_folders(course, problem_set):
    if not re.fullmatch(r"[\w-]+", problem_set):
        raise GradingError(f"{problem_set!r} is no name of a problem set; ps1 is one.")
    source, release = course / "source" / problem_set, course / "release" / problem_set
    if not (course / "nbgrader_config.py").is_file():
        raise GradingError(f"{course}: is no nbgrader course (it has no nbgrader_config.py). Name the class's folder with --course.")
    if not (source / f"{problem_set}.ipynb").is_file():
        raise GradingError(f"{course}: has no problem set {problem_set} (source/{problem_set}/{problem_set}.ipynb was expected).")
    if not (release / f"{problem_set}.ipynb").is_file() or not (course / "gradebook.db").is_file():
        raise GradingError(f"{course}: {problem_set} was not handed out yet. Run `mystique assign {problem_set}` there first.")
    return release, source


def imported_modules(notebook):
    """Modules that a released notebook imports, so that the warm process can import them once for the whole class."""
    found = set()
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        with contextlib.suppress(SyntaxError):
            for node in ast.walk(ast.parse("".join(cell["source"]))) if cell["cell_type"] == "code" else ():
                found |= {each.name for each in node.names} if isinstance(node, ast.Import) else set()
                found |= {node.module} if isinstance(node, ast.ImportFrom) and node.module and not node.level else set()
    return sorted(found)


def submissions(course, problem_set, students=None):
    """[(student, folder)] of all that was handed in."""
    folders = [each / problem_set for each in sorted((course / "submitted").glob("*")) if not each.name.startswith(".")]
    return [(each.parent.name, each) for each in folders if each.is_dir() and (students is None or each.parent.name in students)]


def misplaced(course, problem_set):
    """[(a place in submitted/ where work of a problem set lies and is not looked for, what to do)]."""
    submitted, found = course / "submitted", []
    students = [each for each in _folders(submitted) if not _spelled_like(each.name, problem_set)]
    for swapped in (each for each in _folders(submitted) if each not in students):
        found += [(f"submitted/{swapped.name}/{each.name}/", f"move it to submitted/{each.name}/{problem_set}/")
                  for each in _folders(swapped) if each.name != problem_set and _notebooks(each)]
        found += [(f"submitted/{swapped.name}/{name}", f"whose is it? Move it to submitted/STUDENT/{problem_set}/") for name in _notebooks(swapped)]
    found += [(f"submitted/{name}", f"whose is it? Move it to submitted/STUDENT/{problem_set}/") for name in _notebooks(submitted)]
    sets = {each.name for each in _folders(course / "source")}
    for student in students:
        place = f"submitted/{student.name}/"
        found += [(f"{place}{each.name}/", f"call that folder {problem_set}") for each in _folders(student)
                  if each.name not in sets and _spelled_like(each.name, problem_set)]
        found += [(f"{place}{name}", f"move it to {place}{problem_set}/") for name in _notebooks(student)
                  if not any(_spelled_like(Path(name).stem, other) for other in sets - {problem_set})]
        if not _notebooks(student / problem_set):
            found += [(f"{place}{problem_set}/{each.name}/{name}", f"move it to {place}{problem_set}/")
                      for each in _folders(student / problem_set) for name in _notebooks(each)]
    return found


def _folders(folder):
    return sorted(each for each in folder.glob("*") if each.is_dir() and not each.name.startswith("."))


def _notebooks(folder):
    return sorted(each.name for each in folder.glob("*.ipynb") if not each.name.startswith("."))


def _spelled_like(name, problem_set):
    """Whether a name is a problem set's but for case, signs, noughts and a copy's number: PS1, ps 01 and "ps1 (2)" are."""
    def bare(text):
        text = re.sub(r"\s*\(\d+\)$", "", text.casefold())
        return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"[\W_]+", "", text))

    return bare(name) == bare(problem_set)


def folder_hash(folder):
    """A hash of all that a student handed in. What is no file counts by its name and kind, and what is huge by its size."""
    digest = hashlib.sha256()
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            digest.update(os.fsencode(path.relative_to(folder)) + b"\0")
            try:
                digest.update(reading.read_bytes(path, reading.LARGEST_NOTEBOOK))
            except (Unreadable, OSError) as problem:
                digest.update(f"{problem} {path.lstat().st_size if os.path.lexists(path) else 0}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]


def handed_in_at(folder):
    """(when it was handed in, or None; remarks), from timestamp.txt, which is not to be trusted either."""
    from nbgrader.utils import parse_utc

    try:
        text = reading.read_bytes(folder / "timestamp.txt", 1_000).decode("utf-8").strip()
        return (parse_utc(text) if text else None), []
    except FileNotFoundError:
        return None, []
    except Exception:
        return None, ["timestamp.txt could not be read; it counts as handed in in time"]


def _grader_hash(limits):
    digest = hashlib.sha256(repr(limits).encode())
    for name in GRADER_FILES:
        digest.update((Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()[:16]


def _code_of(found, release):
    """(name, source) of everything a student wrote that is code."""
    for place, source in found.answers.items():
        if release.given[place].kind == "answer":
            yield release.given[place].grade_id, source
    for place, cells in found.extras.items():
        for cell in cells:
            if cell.cell_type == "code":
                yield "an extra cell", cell.source
    for name, content in found.files.items():
        if name.endswith(".py"):
            yield name, content.decode("utf-8", "replace")


def write_notebook(course, problem_set, student, notebook):
    """Put a graded notebook into autograded/ by one rename; the hash of its text."""
    text = json.dumps(notebook, ensure_ascii=False).encode("utf-8", "replace")
    folder = course / "autograded" / student / problem_set
    work = course / WORK
    work.mkdir(exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    for each in folder.iterdir():  # files of an earlier run by nbgrader itself
        if each.name != f"{problem_set}.ipynb":
            shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
    partial = work / hashlib.sha256(student.encode()).hexdigest()[:16]
    partial.write_bytes(text)
    partial.replace(folder / f"{problem_set}.ipynb")
    return hashlib.sha256(text).hexdigest()[:32]


# ---------------------------------------------------------------------------------------------------------- the release


class Release:
    """The notebook that was handed out, with the full tests as the gradebook keeps them."""

    def __init__(self, folder, name, book, source):
        self.name = name
        self._notebook = json.loads((folder / f"{name}.ipynb").read_text(encoding="utf-8"))
        self.given = reading.read_release(self._notebook)
        self.files = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
        self.points = {grade_id: points for grade_id, points in book.points.items()}
        self._tests = book.sources
        missing = [given.grade_id for given in self.given if given.kind == "test" and given.grade_id not in self._tests]
        if missing:
            raise GradingError(f"release/{name} and the gradebook do not fit together ({missing[0]}). Run `mystique assign {name}` again.")
        self.by_hand = {given.grade_id: place for place, given in enumerate(self.given) if given.kind == "written" and given.grade_id in self.points}
        digest = hashlib.sha256(json.dumps([self._notebook, self._tests, self.points], sort_keys=True, default=str).encode())
        for each in sorted(self.files):
            digest.update(each.encode() + b"\0" + (source / each).read_bytes())
        self.hash = digest.hexdigest()[:32]

    def cells(self, found):
        """(the code cells to run, where each belongs): the release's, with a student's answers and extra cells."""
        cells, spots = [], []
        for place in range(-1, len(self.given)):
            if place >= 0 and self.given[place].cell_type == "code":
                given = self.given[place]
                source = found.answers.get(place, given.source) if given.is_answer else self._tests.get(given.grade_id, given.source)
                cells.append(Cell(given.grade_id or given.cell_id or f"cell {place + 1}", source, given.kind == "test"))
                spots.append((place, None))
            for number, extra in enumerate(found.extras.get(place, [])):
                if extra.cell_type == "code":
                    cells.append(Cell("an extra cell", extra.source))
                    spots.append((place, number))
        return cells, spots

    def graded(self, found, spots, results):
        """The graded notebook: the release's cells with full tests, the student's answers and extra cells, and all outputs."""
        outputs = {spot: [clean for each in result.outputs if (clean := clean_output(each))] for spot, result in zip(spots, results)}
        cells = []
        for place in range(-1, len(self.given)):
            if place >= 0:
                cells.append(self._cell(place, found.answers.get(place), outputs.get((place, None), [])))
            for number, extra in enumerate(found.extras.get(place, [])):
                cells.append(_new_cell(extra.cell_type, extra.source, outputs.get((place, number), [])))
        return self._with(_with_ids(cells))

    def unreadable(self, why):
        """The notebook in place of one that could not be read: it says so, and how to mend it."""
        cells = [_new_cell("markdown", UNREADABLE_TEXT.format(why=why.partition(" Ask the student")[0]), [])] + [self._cell(place, None, []) for place in range(len(self.given))]
        return self._with(_with_ids(cells))

    def _cell(self, place, answer, outputs):
        from nbformat.notebooknode import from_dict
        from nbgrader.utils import compute_checksum

        given, cell = self.given[place], copy.deepcopy(self._notebook["cells"][place])
        cell["source"] = answer if answer is not None else self._tests.get(given.grade_id, given.source) if not given.is_answer else given.source
        if answer is not None and given.cell_type != "code":
            cell["source"] = plain_markdown(answer)
        if given.cell_type == "code":
            cell["outputs"], cell["execution_count"] = outputs, None
        if given.grade_id and not given.is_answer:
            cell["metadata"]["nbgrader"]["checksum"] = compute_checksum(from_dict(cell))
        return cell

    def _with(self, cells):
        return {"cells": cells, "metadata": self._notebook["metadata"], "nbformat": 4, "nbformat_minor": 5}

    def is_in_place(self, course, student, notebook_hash):
        path = course / "autograded" / student / self.name / f"{self.name}.ipynb"
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest()[:32] == notebook_hash


def _new_cell(kind, source, outputs):
    cell = {"cell_type": kind, "metadata": {}, "source": source if kind == "code" else plain_markdown(source)}
    return {**cell, "outputs": outputs, "execution_count": None} if kind == "code" else cell


def _with_ids(cells):
    """Every cell needs an id of its own in format 4.5."""
    seen = set()
    for place, cell in enumerate(cells):
        name = cell.get("id")
        if not name or name in seen:
            name = f"cell-{place}"
        seen.add(name)
        cell["id"] = name
    return cells


def clean_output(output):
    """An output with the fields that a notebook may have, and no others; None if it is none. It came from submitted code."""
    kind = output.get("output_type")
    if kind == "stream":
        return {"output_type": kind, "name": "stderr" if output.get("name") == "stderr" else "stdout", "text": str(output.get("text", ""))}
    if kind == "error":
        trace = output.get("traceback")
        return {"output_type": kind, "ename": re.sub(r"[^\w.]", "", str(output.get("ename", "")))[:60], "evalue": str(output.get("evalue", "")),
                "traceback": [str(line) for line in trace] if isinstance(trace, list) else []}
    if kind in ("display_data", "execute_result") and isinstance(output.get("data"), dict):
        data = {mime: _clean_content(mime, str(content)) for mime, content in output["data"].items() if mime in SHOWN}
        clean = {"output_type": kind, "data": data, "metadata": {}}
        return {**clean, "execution_count": None} if kind == "execute_result" else clean
    return None


def _clean_content(mime, content):
    """What may be shown in the formgrader, where a script would run with the instructor's rights."""
    return plain_html(content) if mime == "text/html" else plain_markdown(content) if mime == "text/markdown" else content


# -------------------------------------------------------------------------------------------------- the log and the book


class Log:
    """grade_log.jsonl: one JSON line a graded submission, only ever added to."""

    def __init__(self, path):
        self._path = path
        self.last = {}
        self._torn = False
        text = path.read_bytes() if path.exists() else b""
        self._torn = bool(text) and not text.endswith(b"\n")  # the last write was cut off in the middle
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                kept = {name: entry[name] for name in ("state", "key", "scores", "needs", "remarks", "notebook")}
                self.last[entry["problem_set"], entry["student"]] = kept
            except (ValueError, KeyError, TypeError):
                continue

    def answers(self, problem_set, student):
        """The hash of what a student had handed in when she was graded last, or None."""
        entry = self.last.get((problem_set, student))
        return entry["key"].split("-")[0] if entry and entry["state"] != "failed" else None

    def add(self, problem_set, key, notebook, result):
        when = datetime.now(timezone.utc).isoformat(timespec="seconds")
        entry = {"problem_set": problem_set, "student": result.student, "when": when, "state": result.state, "key": key, "notebook": notebook,
                 "scores": result.scores, "manual": result.manual, "needs": result.needs, "remarks": result.remarks,
                 "seconds": round(result.seconds, 3)}
        line = ("\n" if self._torn else "") + json.dumps(entry, ensure_ascii=False) + "\n"
        self._torn = False
        with open(self._path, "ab") as file:
            file.write(line.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())


class Book:
    """nbgrader's gradebook: what it knows of the problem set, and how a submission's grades are written into it."""

    def __init__(self, course, problem_set):
        from nbgrader.api import Gradebook, MissingEntry
        from nbgrader.preprocessors import AssignLatePenalties
        from sqlalchemy.exc import OperationalError, SAWarning

        warnings.filterwarnings("ignore", category=SAWarning)  # nbgrader's own way of making a submission gives three each time

        config = _config(course)
        self._name = problem_set
        self._late = AssignLatePenalties(config=config)
        self._late.init_plugin()
        url = config.CourseDirectory.get("db_url") or f"sqlite:///{course / 'gradebook.db'}"
        try:
            self._book = Gradebook(url, config.CourseDirectory.get("course_id") or "default_course")
        except OperationalError as problem:
            raise _in_use() from problem
        try:
            assignment = self._book.find_assignment(problem_set)
        except MissingEntry:
            self.close()
            missing = f"{course}: the gradebook does not know {problem_set}. Run `mystique assign {problem_set}` there first."
            raise GradingError(missing) from None
        if [each.name for each in assignment.notebooks] != [problem_set]:
            self.close()
            found = ", ".join(each.name for each in assignment.notebooks)
            raise GradingError(f"{course}: {problem_set} must have one notebook, {problem_set}.ipynb; the gradebook has {found}.")
        # The problem set's cells are the same for the whole class: not to be read again after each student.
        self._book.db().expire_on_commit = False
        notebook = assignment.notebooks[0]
        self.points = {cell.name: float(cell.max_score) for cell in [*notebook.grade_cells, *notebook.task_cells]}
        self.sources = {cell.name: reading.text_of(cell.source) for cell in notebook.source_cells if cell.locked}

    def close(self):
        self._book.close()

    def undo(self):
        """Forget what was not committed."""
        self._book.db.rollback()

    def submitted(self):
        """Students whose submission is in the gradebook."""
        return {each.student.id for each in self._book.assignment_submissions(self._name)}

    def manual(self, student):
        """Grade ids of a student that wait for a person."""
        notebook = self._book.find_submission_notebook(self._name, self._name, student)
        return [grade.name for grade in notebook.grades if grade.needs_manual_grade]

    def save(self, result, notebook, stamp, before):
        """Write a submission's automatic scores, in one transaction, and tell the result what waits for a person.

        What a person gave stays. It is marked for a second look, unless it is for a written answer that has not changed since `before`."""
        book = self._book
        book.update_or_create_student(result.student)
        submission = book.update_or_create_submission(self._name, result.student, **({"timestamp": stamp} if stamp else {}))
        saved = next(each for each in submission.notebooks if each.name == self._name)
        doubted = {need.split(":")[0] for need in result.needs}
        same = {grade_id for grade_id, text in written_answers(notebook["cells"]).items() if before.get(grade_id) == text}
        for grade in saved.grades:
            grade.auto_score = result.scores.get(grade.name)
            if grade.manual_score is None:
                grade.needs_manual_grade = grade.auto_score is None or grade.name in doubted
            elif grade.name not in same:  # where it is the same, a second look that was asked for and not taken is still asked for
                grade.needs_manual_grade = True
        solutions = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")]
        answers = {cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in solutions}
        for comment in saved.comments:
            cell = answers.get(comment.name)
            comment.auto_comment = "No response." if cell is not None and result.state == "graded" and _is_untouched(cell) else None
        saved.late_submission_penalty = None
        if result.state == "graded":
            result.manual = [grade.name for grade in saved.grades if grade.needs_manual_grade]
        book.db.commit()
        for each in (submission, saved):  # how late it came and what it scores is worked out by the gradebook
            book.db.expire(each)
        if submission.total_seconds_late > 0:
            penalty = self._late.plugin_inst.late_submission_penalty(result.student, saved.score, submission.total_seconds_late)
            if penalty is not None:
                saved.late_submission_penalty = self._late._check_late_penalty(saved, penalty)
                book.db.commit()


def _is_untouched(cell):
    from nbformat.notebooknode import from_dict
    from nbgrader.utils import compute_checksum

    return cell["metadata"]["nbgrader"].get("checksum") == compute_checksum(from_dict(cell))


def _config(course):
    from traitlets.config import PyFileConfigLoader

    return PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
