"""For someone who learns alone: how did I do, one hint more, and the model answer after an attempt.

    report = check("ps1")                 # or the path of a notebook
    hint("ps1", "q4"), solution("ps1", "q4")     # `learner_report` puts all three into words, and a report onto a page

`check` puts the learner's answers into the set's source notebook, where that lies on the disk, so that all tests run;
elsewhere it runs her own notebook with the visible tests. The cells run in a child process with limits (`run_notebook`),
in a copy of the set's folder: what her code writes is thrown away. Her notebook is only read. There is no gradebook here;
what came of each check is kept by `learner_progress`. This is no grader for a class and no sandbox: her code is her own.
"""

import json
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import yaml

from . import learner_progress, reading, run_notebook
from .learner_progress import LearnerError

STUB = "# YOUR CODE HERE"              # as ClearSolutions.code_stub and text_stub in exercises/nbgrader_config.py
TEXT_STUB = "*Write your answer here.*"
CANARY = "MYSTIQUE-CANARY-"
BESIDE = {".py", ".csv", ".tsv", ".json", ".txt", ".xlsx", ".parquet"}  # what her code may need from her own folder,
MOST_BESIDE, LARGEST_BESIDE = 100, 5 << 20                              # so many files of so many bytes
SOLUTION = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n(.*?)^[ \t]*### END SOLUTION[ \t]*\n?", re.DOTALL | re.MULTILINE)
HIDDEN = re.compile(r"^[ \t]*### BEGIN HIDDEN TESTS\n(.*?)^[ \t]*### END HIDDEN TESTS[ \t]*\n?", re.DOTALL | re.MULTILINE)
SCHEME = re.compile(r"^### BEGIN MARK SCHEME\n(.*?)^### END MARK SCHEME", re.DOTALL | re.MULTILINE)
PLACEHOLDER = re.compile(r"^[ \t]*\w+ = (None|\.\.\.)[ \t]*#.*replace.*\n", re.MULTILINE)
NO_ANSWER = re.compile(r"is still empty|gives nothing back yet|does not exist yet|more checks? waits? ")  # how checks.py says it

ENDINGS = {
    "time": "It ran for more than {cell:g} seconds and was stopped. Is there a loop that never ends?",
    "output": "It printed more than {output:,} characters and was stopped. Does a print stand in a loop that never ends?",
    "memory": "It asked for more memory than a check may use ({memory:,} MB), and was stopped. Does a list or a table grow without end?",
    "died": "It ended the program that it ran in (a call such as os._exit, or a crash in a library). Take that line out.",
}


@dataclass(frozen=True)
class Question:
    """A question of a set's source. reference: the answer's cell with the solution; stub: as a learner gets it."""

    name: str
    points: float
    reference: str
    stub: str
    is_manual: bool = False
    rubric: str = ""

    @property
    def given(self):
        """The answer's cell as it was handed out."""
        return reading.Given("written" if self.is_manual else "answer", "markdown" if self.is_manual else "code", self.stub)


@dataclass(frozen=True)
class Result:
    """What came of one question. earned is None where no number can be said; messages are pairs (check, message)."""

    name: str
    state: str
    points: float | None
    earned: float | None = None
    messages: tuple = ()
    read_again: tuple = ()
    answer: str | None = None
    attempted: bool = False


@dataclass(frozen=True)
class Report:
    """What came of a check. is_full: all tests ran, not only the visible ones. notes: sentences about the notebook."""

    problem_set: str
    notebook: Path
    results: tuple
    notes: tuple
    is_full: bool
    when: datetime = field(default_factory=lambda: datetime.now().astimezone())

    @property
    def possible(self):
        return sum(each.points or 0 for each in self.results if each.state != "person")

    @property
    def earned(self):
        return sum(each.earned or 0 for each in self.results)


@dataclass(frozen=True)
class Hint:
    problem_set: str
    question: str
    number: int
    of: int
    texts: tuple   # the hints shown so far, this one last
    is_repeat: bool


@dataclass(frozen=True)
class Solution:
    problem_set: str
    question: str
    code: str
    why: str
    rubric: str = ""


# --------------------------------------------------------------------------------------------------------------- check


def check(notebook, exercises=None, progress=None, limits=run_notebook.Limits(), told=lambda done, of: None):
    """Check a notebook: a path, or a set's name ("ps1"). Returns a `Report`, and keeps what came of it.

    exercises: the folder of the problem sets (default: looked for here and above). progress: the file of the learner's
    progress (default: see `learner_progress.default_path`). told: is called with the cells done, and how many there are.
    """
    folder = find_exercises(exercises, notebook)
    path = find_notebook(notebook, folder)
    hers = read_cells(path)
    source = _source_of(path, hers, folder)
    with tempfile.TemporaryDirectory(prefix="mystique-", ignore_cleanup_errors=True) as scratch:
        notes = _copy_beside(path.parent, source, Path(scratch))
        if source:
            name, questions = source.stem, read_questions(source)
            cells, answers, more = put_in(read_cells(source), hers)
        else:
            name, questions = _prefix(hers) or re.sub(r"[^\w-]+", "-", path.stem), None
            if any(map(_tested, hers)) and not (path.parent / "checks.py").is_file():
                raise LearnerError(f"{path}: lies without what was handed out beside it (checks.py and the data). Put it back into the set's folder, and check it there.")
            cells, answers, more = as_it_is(hers)
            more.append("The course's own tests of this set are not on this disk, so only the visible checks of your notebook ran.")
        try:
            rans = run_notebook.run(cells, scratch, limits, told)
        except run_notebook.RunError as problem:
            raise LearnerError(f"The notebook could not be run: {problem}") from problem
    more += _notes_on(cells, rans, limits)
    report = Report(name, path, tuple(_results(cells, rans, answers, questions, hers, limits)), tuple(notes + more), source is not None)
    kept = learner_progress.record(report, progress)
    return Report(report.problem_set, path, report.results, report.notes + ((kept,) if kept else ()), report.is_full, report.when)


def find_exercises(exercises=None, notebook=""):
    """The folder of the problem sets: the one named, or the nearest above the notebook, or here or above. None if none."""
    if exercises is not None:
        if not Path(exercises).is_dir():
            raise LearnerError(f"There is no folder {exercises}. Name the folder that holds source/ or release/.")
        return Path(exercises)
    near = Path(notebook).resolve()
    here = Path.cwd()
    for place in (*(near.parents if near.exists() else ()), here, *here.parents):
        for folder in (place / "exercises", place):
            if (folder / "nbgrader_config.py").is_file():
                return folder
    return None


def find_notebook(notebook, exercises):
    """The learner's notebook: a path to it or to its folder, or a set's name: work/NAME/ first, then release/NAME/."""
    path = Path(notebook)
    if path.is_file():
        return path
    if path.is_dir() and (path / f"{path.name}.ipynb").is_file():
        return path / f"{path.name}.ipynb"
    if path.suffix == ".ipynb" or len(path.parts) != 1:
        raise LearnerError(f"{notebook}: there is no such notebook. Name a file that ends in .ipynb, or a set such as ps1.")
    if exercises is None:
        raise LearnerError(f"{notebook}: the problem sets are not in this folder or above it. Go to the whole course's folder first, or name the notebook's file.")
    for folder in (exercises / "work" / notebook, exercises / "release" / notebook):
        if (folder / f"{notebook}.ipynb").is_file():
            return folder / f"{notebook}.ipynb"
        others = sorted(folder.glob("*.ipynb"), key=lambda each: each.stat().st_mtime)  # "ps1 (1).ipynb"
        if others:
            return others[-1]
    if (exercises / "source" / notebook).is_dir():
        raise LearnerError(
            f"There is no copy of {notebook} to work in yet. In the folder {exercises}, make one with\n    nbgrader generate_assignment {notebook}\n"
            f"and open release/{notebook}/{notebook}.ipynb. Or put your notebook into {exercises / 'work' / notebook}."
        )
    sets = sorted(each.name for each in (exercises / "source").glob("*") if each.is_dir())
    raise LearnerError(f"There is no problem set {notebook}. There are: {', '.join(sets) or 'none in ' + str(exercises)}.")


def read_cells(path):
    """The cells of a notebook's file, `reading.Handed`. Only what cannot be read at all is refused."""
    path = Path(path)
    try:
        cells = reading.plain_cells(reading.load(path), path)
    except OSError as problem:
        raise LearnerError(f"{path}: cannot be read ({problem.strerror}).") from problem
    except reading.Unreadable as problem:
        if "larger than" in str(problem):
            raise LearnerError(f"{path}: {problem}. In JupyterLab: Edit, Clear Outputs of All Cells, save, and check again.") from problem
        cells = []
    if not cells:
        raise LearnerError(f"{path}: this file is damaged or is no notebook. In JupyterLab: File, Revert Notebook to Checkpoint. Or take a fresh copy of the set.")
    return cells


def read_questions(source):
    """{name: Question} of a source notebook, in its order."""
    cells = read_cells(source)
    points = {name: each.settings.get("points") for each in cells for name, kind in [each.question] if kind == "test"}
    questions = {}
    for place, each in enumerate(cells):
        name, kind = each.question
        if kind == "answer":
            rubric = SCHEME.search(cells[place - 1].source) if each.is_written and place else None
            most = each.settings.get("points") if each.is_written else points.get(name)
            questions[name] = Question(name, float(most or 0), each.source, as_released(each).source, each.is_written, _clean(rubric[1]) if rubric else "")
    return questions


def as_released(cell):
    """A cell of a source notebook as nbgrader hands it out, `reading.Given`: no solution, no hidden test, no mark scheme."""
    name, kind = cell.question
    text = cell.source
    if kind == "answer":
        stub = STUB if cell.is_code else TEXT_STUB
        text = SOLUTION.sub(lambda found: f"{found[1]}{stub}\n", text + "\n").removesuffix("\n")
    elif kind == "test":
        text = HIDDEN.sub("", text)
    kinds = {"answer": "written" if cell.is_written else "answer", "test": "test", "": "text"}
    return reading.Given(kinds[kind], cell.cell_type, SCHEME.sub("", text), cell.grade_id or (cell.cell_id if name else ""), cell.cell_id)


def put_in(source, hers):
    """Her answers in the source notebook's cells: (cells to run, {question: her answer or None}, notes).

    An answer is known again as in grading (`reading`). Of several copies the last one that was worked on counts. Her other
    code cells stay where they are.
    """
    found = reading.put_into([as_released(each) for each in source], hers)
    names = {place: each.question[0] for place, each in enumerate(source) if each.question[1] == "answer"}
    answers = {name: found.answers.get(place) for place, name in names.items()}
    moved = [names[place] for place, how in found.known_by.items() if how in ("names", "text", "place") and source[place].is_code]
    notes = [f"The answer's cell was known by what it says, not by its label, for {', '.join(moved)}. An editor or a copy of the cell may have lost the label."] if moved else []
    notes += [f"{names[place]}: there are {many} cells with an answer; the last whole one counts." for place, many in found.copies.items()]
    notes += [f"{each[0].upper()}{each[1:]}." for each in found.moved]

    def own(place):
        return [run_notebook.Cell("own", each.source) for each in found.extras.get(place, ()) if each.is_code]

    cells = own(-1)
    for place, each in enumerate(source):
        name, kind = each.question
        if each.is_code and not each.is_written:
            cells.append(run_notebook.Cell(kind or "given", (answers[name] or "") if kind == "answer" else each.source, name))
        cells += own(place)
    return cells, answers, notes


def as_it_is(hers):
    """Her own notebook with its visible tests: (cells to run, {question: answer or None}, notes)."""
    cells, answers = [], {}
    for each in hers:
        name, kind = each.question
        if each.is_code and (kind == "test" or not kind and _tested(each)):
            name = name or _tested(each)
            before = next((cell for cell in reversed(cells) if cell.kind in ("own", "answer")), None)
            if name not in answers and before and before.kind == "own":  # no metadata: the cell above the test is the answer
                cells[cells.index(before)] = run_notebook.Cell("answer", before.source, name)
                answers[name] = before.source
            answers.setdefault(name, None)
            cells.append(run_notebook.Cell("test", each.source, name))
        elif kind == "answer":
            answers[name] = each.source
            if each.is_code and not each.is_written:
                cells.append(run_notebook.Cell("answer", each.source, name))
        elif each.is_code:
            cells.append(run_notebook.Cell("own", each.source))
    if not answers:
        raise LearnerError("No question of a problem set was found in this notebook. Is it the right file?")
    return cells, answers, []


def _source_of(path, hers, exercises):
    """The source notebook that her notebook was made from, or None if it is not on the disk."""
    best, most = None, 0
    for source in sorted(exercises.glob("source/*/*.ipynb")) if exercises else ():
        if source.stem != source.parent.name:
            continue
        if source.resolve() == path.resolve():
            raise LearnerError(f"{path}: this is the course's source with the solutions. Work in a copy: see release/.")
        cells = read_cells(source)
        ids = {each.grade_id or each.cell_id for each in cells} - {""}
        texts = {each.source.strip() for each in cells}
        found = sum((each.grade_id or each.cell_id) in ids or each.source.strip() in texts for each in hers if each.source.strip())
        if found > most and found >= min(len(cells), max(len(hers), 6)) / 3:
            best, most = source, found
    return best


def _prefix(hers):
    return next(((each.grade_id or each.cell_id).split("-")[0] for each in hers if each.question[0]), "")


def _tested(cell):
    """The question that a cell tests, by its text; "" if it is no test."""
    found = re.search(r"\b_checks\.Question\(\s*['\"](q\d+)['\"]", cell.source) if cell.is_code else None
    return found[1] if found else ""


def _copy_beside(hers, source, scratch):
    """Fill the folder that the notebook runs in; notes on what was left out.

    The set's files come from the source, as in grading. Where hers tell another case (a class has data of its own), hers
    stay, but for the checks.
    """
    left_out = 0
    for path in sorted(each for depth in ("*", "*/*") for each in hers.glob(depth)):
        if path.is_file() and path.suffix in BESIDE and not any(part.startswith(".") for part in path.relative_to(hers).parts):
            if path.stat().st_size > LARGEST_BESIDE or sum(each.is_file() for each in scratch.rglob("*")) >= MOST_BESIDE:
                left_out += 1
                continue
            target = scratch / path.relative_to(hers)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, target)
    notes = [f"{left_out} large or many files beside your notebook were not copied for the check."] if left_out else []
    if source is None:
        return notes
    given = [each.relative_to(source.parent) for each in source.parent.rglob("*") if each.is_file() and each.suffix in BESIDE and "__pycache__" not in each.parts]
    has_own = all((scratch / each).is_file() for each in given) and _case(scratch) not in (None, _case(source.parent))
    for each in given:
        if not has_own or each.name == "checks.py":
            (scratch / each).parent.mkdir(exist_ok=True, parents=True)
            shutil.copyfile(source.parent / each, scratch / each)
    return notes + (["Your folder holds data of its own (a class's, for example); the check ran on these."] if has_own else [])


def _case(folder):
    try:
        return json.loads((folder / "case.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _notes_on(cells, rans, limits):
    notes = []
    for number, (cell, ran) in enumerate((pair for pair in zip(cells, rans) if pair[0].kind in ("own", "given")), start=1):
        if ran.ending in ("", "not reached"):
            continue
        which = "A cell that was given with the set" if cell.kind == "given" else f"A cell of your own, \"{cell.source.strip().splitlines()[0][:50]}\","
        notes.append(f"{which} did not run to the end. {_why(ran, limits)}")
    if any(ran.ending == "not reached" for ran in rans):
        notes.append(f"The check took more than {limits.run:g} seconds, so the last questions were not reached. Mend the cells that were stopped first.")
    return notes


def _why(ran, limits):
    """What happened to a cell that did not run to its end, in words."""
    if ran.ending in ENDINGS:
        return ENDINGS[ran.ending].format(cell=limits.cell, output=limits.output, memory=limits.memory >> 20)
    where = f" (line {ran.line}: {ran.code})" if ran.line and ran.code else ""
    return f"{ran.error}{where}"


def _results(cells, rans, answers, questions, hers, limits):
    """A `Result` for each question."""
    by_question = {}
    for cell, ran in zip(cells, rans):
        if cell.question:
            by_question.setdefault(cell.question, {})[cell.kind] = ran
    points = {name: each.settings.get("points") for each in hers for name, kind in [each.question] if kind == "test"}
    for name, answer in answers.items():
        question = questions[name] if questions else None
        most = question.points if question else points.get(name)
        attempted = answer is not None and (reading.differs(answer, question.given) if question else bool(answer.strip()))
        ran = by_question.get(name, {})
        if "test" not in ran:
            yield Result(name, "person", most, None, (("", _for_a_person(attempted)),), (), answer, attempted)
        else:
            yield _result(name, most, answer, attempted, ran.get("answer", run_notebook.Ran()), ran["test"], limits, questions is not None)


def _for_a_person(attempted):
    return "Compare your words with the rubric and the model answer." if attempted else "There is no text yet."


def _result(name, most, answer, attempted, ran, test, limits, is_full):
    if answer is None:
        text = "The answer's cell is not in your notebook. Add a cell below the question, or take a fresh copy of the set."
        return Result(name, "gone", most, 0.0 if most is not None else None, (("", text),))
    if ran.ending in ENDINGS:
        return Result(name, "stopped", most, 0.0, (("", _why(ran, limits)),), (), answer, True)
    if test.ending in ENDINGS:
        text = f"Your answer was stopped while the checks tried it. {_why(test, limits)}"
        return Result(name, "stopped", most, 0.0, (("", text),), (), answer, True)
    if test.ending == "not reached":
        return Result(name, "unknown", most, None, (("", "The check did not get as far as this question."),), (), answer, attempted)
    messages, read_again, visible_only = read_output(test.printed)
    if test.ending == "error":
        asserted = test.error.removeprefix("AssertionError").removeprefix(": ") if test.error.startswith("AssertionError") else None
        messages += (("", f"could not be checked: {test.error}" if asserted is None else asserted or "This is not what the question asks."),)
    earned = (0.0 if is_full else None) if test.ending == "error" else score(test.value, most)
    if ran.ending == "error":
        messages = (("", f"Mend this first: {_why(ran, limits)}"), *messages)
    if visible_only:
        if messages and all(NO_ANSWER.search(text) for _, text in messages):
            attempted = False
        state, earned = "wrong" if messages else "form", None
    else:
        state = "right" if earned == most else "partly" if earned else "wrong"
    if ran.ending == "error" and state != "right":
        state = "error"
    elif not attempted and state not in ("right", "form"):
        state = "empty"
    return Result(name, state, most, earned, messages, read_again, answer, attempted)


def score(value, most):
    """The points of a test cell from its last value: what nbgrader gives, and 0 for a number that cannot be a score."""
    if value is None:
        return most
    return float(value) if value >= 0 and (most is None or value <= most) else 0.0


def read_output(printed):
    """What a test cell printed, in parts: ((check, message), ...), (sections to read again), only visible checks ran?"""
    lines = printed.splitlines()
    messages, read_again, failed, visible_only = [], [], "", False
    for line in lines:
        if re.match(r"\w+: visible checks:", line):
            visible_only = True
        elif line.startswith("  [--] "):
            failed = re.sub(r" \(0 of [\d.]+ points?\)$", "", line[7:])
        elif line.startswith("       ") and failed:
            if line.strip() != "(for the same reason)":
                messages.append((failed, line.strip()))
            failed = ""
        elif line.startswith("  Read again: "):
            read_again.append(line.removeprefix("  Read again: "))
        elif re.match(r"  (Another check waits|\d+ more checks wait) ", line):
            messages.append(("", line.strip()))
        elif not re.match(r"  \[ok\] |\w+: [\d.]+ of [\d.]+ points", line) and line.strip():
            messages.append(("", line.strip()))
    return tuple(messages), tuple(read_again), visible_only


# ----------------------------------------------------------------------------------------------- hints and model answers


def hint(notebook, question, exercises=None, progress=None):
    """The next `Hint` for a question; how many were shown is remembered. After the last one, all of them again."""
    name, folder = _set_of(notebook, exercises)
    question = _question_name(question)
    texts = _texts(name, question, folder)["hints"]
    number, is_repeat = learner_progress.next_hint(name, question, len(texts), progress)
    return Hint(name, question, number, len(texts), tuple(texts[:number]), is_repeat)


def solution(notebook, question, anyway=False, exercises=None, progress=None):
    """The model answer (`Solution`), after a check in which the question had an answer of the learner's own, or `anyway`."""
    name, folder = _set_of(notebook, exercises)
    question = _question_name(question)
    source = folder / "source" / name / f"{name}.ipynb"
    if not source.is_file():
        raise LearnerError(f"The model answers of {name} are not on this disk. Your instructor may keep them.")
    questions = read_questions(source)
    if question not in questions:
        raise LearnerError(f"{name} has no question {question}. It has: {', '.join(questions)}.")
    if not anyway and not learner_progress.tries(name, question, progress):
        raise LearnerError(
            f"Try {question} once yourself: write an answer, however rough, save the notebook, and run mystique check {name}. Then the model answer is yours.\n"
            f"A hint may be enough: mystique check {name} --hint {question}\nTo see the model answer all the same: mystique solution {name} {question} --anyway"
        )
    learner_progress.saw_solution(name, question, progress)
    chosen = questions[question]
    code = _clean(SOLUTION.sub(lambda found: found[2], PLACEHOLDER.sub("", chosen.reference + "\n")))
    return Solution(name, question, code, _texts(name, question, folder).get("why", ""), chosen.rubric)


def read_hints(path):
    """{question: {"hints": [text, ...], "why": text}} of a set's file of hints."""
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, yaml.YAMLError) as problem:
        raise LearnerError(f"{path}: the hints cannot be read: {problem}") from problem
    for question, each in content.items() if isinstance(content, dict) else [("the file", None)]:
        sound = isinstance(each, dict) and set(each) == {"hints", "why"} and isinstance(each["why"], str)
        if not sound or not isinstance(each["hints"], list) or not each["hints"] or not all(isinstance(text, str) for text in each["hints"]):
            raise LearnerError(f"{path}: {question}: `hints` (a list of texts) and `why` (a text) were expected, and nothing else.")
    return {question: {"hints": [" ".join(text.split()) for text in each["hints"]], "why": " ".join(each["why"].split())} for question, each in content.items()}


def _texts(name, question, folder):
    known = read_hints(folder / "hints" / f"{name}.yml")
    if not known:
        raise LearnerError(f"There are no hints for {name} on this disk. The messages of mystique check {name} say which section to read again.")
    if question not in known:
        raise LearnerError(f"{name} has no question {question}. It has: {', '.join(known)}.")
    return known[question]


def _set_of(notebook, exercises):
    """(the set's name, the folder of the problem sets) for a set's name or a notebook's path."""
    folder = find_exercises(exercises, notebook)
    if folder is None:
        raise LearnerError("The problem sets are not in this folder or above it. Go to the whole course's folder first.")
    path = Path(notebook)
    if path.suffix != ".ipynb" and (folder / "source" / path.name).is_dir() or (folder / "hints" / f"{notebook}.yml").is_file():
        return path.name, folder
    path = find_notebook(notebook, folder)
    hers = read_cells(path)
    source = _source_of(path, hers, folder)
    return (source.stem if source else _prefix(hers) or path.stem), folder


def _question_name(question):
    found = re.fullmatch(r"(?:\w+?-)?[qQ]?(\d+)", str(question).strip())
    if not found:
        raise LearnerError(f"{question}: a question such as q4 was expected.")
    return f"q{int(found[1])}"


def _clean(text):
    """A text of the course's authors as a learner may read it."""
    lines = [line for line in text.splitlines() if CANARY not in line]
    return re.sub(r"\n{3,}", "\n\n\n", "\n".join(lines)).strip("\n")
