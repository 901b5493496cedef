"""For someone who learns alone: how did I do, one hint more, and the model answer after an attempt.

    report = check("ps1")                 # or the path of a notebook
    print(format_report(report))
    print(format_hint(hint("ps1", "q4")))
    print(format_solution(solution("ps1", "q4")))

`check` puts the learner's answers into the set's source notebook, where that lies on the disk, so that all tests run;
elsewhere it runs her own notebook with the visible tests. The cells run in a child process with limits (`run_notebook`),
in a copy of the set's folder: what her code writes is thrown away. Her notebook is only read. There is no gradebook here;
what came of each check is kept by `learner_progress`. This is no grader for a class and no sandbox: her code is her own.
"""

import ast
import json
import re
import shutil
import tempfile
import textwrap
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from pathlib import Path

import yaml

from . import learner_progress, run_notebook
from .learner_progress import LearnerError

STUB = "# YOUR CODE HERE"              # as ClearSolutions.code_stub and text_stub in exercises/nbgrader_config.py
TEXT_STUB = "*Write your answer here.*"
CANARY = "MYSTIQUE-CANARY-"
LARGEST = 50 << 20                     # bytes of a notebook: a larger one holds outputs that nobody can read
BESIDE = {".py", ".csv", ".tsv", ".json", ".txt", ".xlsx", ".parquet"}  # what her code may need from her own folder,
MOST_BESIDE, LARGEST_BESIDE = 100, 5 << 20                              # so many files of so many bytes
SOLUTION = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n(.*?)^[ \t]*### END SOLUTION[ \t]*\n?", re.DOTALL | re.MULTILINE)
SCHEME = re.compile(r"^### BEGIN MARK SCHEME\n(.*?)^### END MARK SCHEME", re.DOTALL | re.MULTILINE)
PLACEHOLDER = re.compile(r"^[ \t]*\w+ = (None|\.\.\.)[ \t]*#.*replace.*\n", re.MULTILINE)
NO_ANSWER = re.compile(r"is still empty|gives nothing back yet|does not exist yet|more checks? waits? ")  # how checks.py says it

STATES = {
    "right": "right", "partly": "partly right", "wrong": "not right yet", "form": "the form is right", "empty": "no answer yet",
    "error": "your cell ends with an error", "stopped": "your cell was stopped", "gone": "the answer's cell is gone",
    "unknown": "could not be checked", "person": "for you to judge",
}
ENDINGS = {
    "time": "It ran for more than {cell:g} seconds and was stopped. Is there a loop that never ends?",
    "output": "It printed more than {output:,} characters and was stopped. Does a print stand in a loop that never ends?",
    "memory": "It asked for more memory than a check may use ({memory:,} MB), and was stopped. Does a list or a table grow without end?",
    "died": "It ended the program that it ran in (a call such as os._exit, or a crash in a library). Take that line out.",
}


@dataclass(frozen=True)
class Piece:
    """A cell of a notebook's file, whatever is missing in it. key: its grade id, or else its cell's id."""

    is_code: bool
    source: str
    key: str = ""
    points: float | None = None
    is_manual: bool = False

    @property
    def question(self):
        """("q3", "answer"), ("q3", "test") or ("", "")."""
        found = re.fullmatch(r"\w+?-(q\d+)(-test)?", self.key)
        return (found[1], "test" if found[2] else "answer") if found else ("", "")


@dataclass(frozen=True)
class Question:
    """A question of a set's source. reference: the answer's cell with the solution; stub: as a learner gets it."""

    name: str
    points: float
    reference: str
    stub: str
    is_manual: bool = False
    rubric: str = ""


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
    hers = read_pieces(path)
    source = _source_of(path, hers, folder)
    with tempfile.TemporaryDirectory(prefix="mystique-", ignore_cleanup_errors=True) as scratch:
        notes = _copy_beside(path.parent, source, Path(scratch))
        if source:
            name, questions = source.stem, read_questions(source)
            cells, answers, more = put_in(read_pieces(source), questions, hers)
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
        raise LearnerError(f"{notebook}: the problem sets are not in this folder or above it. Go to the course's folder first, or name the notebook's file.")
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


def read_pieces(path):
    """The cells of a notebook's file. Only what cannot be read at all is refused."""
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise LearnerError(f"{path}: is larger than {LARGEST >> 20} MB. In JupyterLab: Edit, Clear Outputs of All Cells, save, and check again.")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        if "cells" not in content and "worksheets" in content:
            import nbformat

            content = nbformat.convert(nbformat.from_dict(content), 4)
        return [_piece(cell) for cell in content["cells"]]
    except OSError as problem:
        raise LearnerError(f"{path}: cannot be read ({problem.strerror}).") from problem
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise LearnerError(f"{path}: this file is damaged or is no notebook. In JupyterLab: File, Revert Notebook to Checkpoint. Or take a fresh copy of the set.") from problem


def _piece(cell):
    source = cell.get("source") or ""
    meta = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
    grade = meta.get("nbgrader") if isinstance(meta.get("nbgrader"), dict) else {}
    points = grade.get("points")
    return Piece(
        cell.get("cell_type") == "code", ("".join(source) if isinstance(source, list) else str(source)).replace("\r\n", "\n"),
        str(grade.get("grade_id") or cell.get("id") or ""), float(points) if isinstance(points, (int, float)) else None,
        bool(grade.get("grade") and grade.get("solution")),
    )


def read_questions(source):
    """{name: Question} of a source notebook, in its order."""
    pieces = read_pieces(source)
    points = {name: each.points for each in pieces for name, kind in [each.question] if kind == "test"}
    questions = {}
    for place, each in enumerate(pieces):
        name, kind = each.question
        if kind == "answer":
            rubric = SCHEME.search(pieces[place - 1].source) if each.is_manual and place else None
            stub = STUB if each.is_code else TEXT_STUB
            questions[name] = Question(
                name, (each.points if each.is_manual else points.get(name)) or 0.0, each.source, released(each.source, stub),
                each.is_manual, _clean(rubric[1]) if rubric else "",
            )
    return questions


def released(source, stub=STUB):
    """An answer's cell as nbgrader hands it out: the stub in the place of each solution."""
    return SOLUTION.sub(lambda found: f"{found[1]}{stub}\n", source + "\n").removesuffix("\n")


def put_in(source, questions, hers):
    """Her answers in the source notebook's cells: (cells to run, {question: her answer or None}, notes).

    An answer is known by its cell's id, else by the names it gives (no other question gives them), else by its place
    below the question. Of several copies the last one that was worked on counts. Her other code cells stay where they are.
    """
    places = {each.key: place for place, each in enumerate(source) if each.key}
    texts = {SCHEME.sub("", each.source).strip(): place for place, each in enumerate(source) if each.source.strip()}
    texts.update({questions[name].stub.strip(): place for place, each in enumerate(source) for name, kind in [each.question] if kind == "answer" and each.is_code})
    tests = {name: place for place, each in enumerate(source) for name, kind in [each.question] if kind == "test"}
    own_names = _own_names(questions)
    claims, after, loose, moved, found, here = {}, {}, [], {}, [], -1
    for each in hers:
        place = places.get(each.key, texts.get(each.source.strip(), tests.get(_tested(each))))
        if place is not None:
            here = place
            name, kind = source[place].question
            if kind == "answer":
                claims.setdefault(name, []).append(each)
            continue
        loose.append((here, each))
    for here, each in loose:
        gives = _names(each.source) if each.is_code else set()
        name = next((name for name, names in own_names.items() if names and names <= gives), None)
        if name is None and here >= 0:
            name = _answered_below(source, here, each)
            name = None if name in claims else name
        if name and not any(_differs(claim.source, questions[name]) for claim in claims.get(name, ())):
            claims.setdefault(name, []).append(each)
            moved[here] = next(place for place, other in enumerate(source) if other.question == (name, "answer"))
            found.append(name)
        elif each.is_code:
            after.setdefault(moved.get(here, here), []).append(each.source)
    notes = [f"The answer's cell was known by what it says, not by its label, for {', '.join(found)}. An editor or a copy of the cell may have lost the label."] if found else []
    answers = {}
    for name, question in questions.items():
        mine = claims.get(name, [])
        worked_on = [each for each in mine if _differs(each.source, question)]
        answers[name] = (worked_on or mine)[-1].source if mine else None
        if len(worked_on) > 1:
            notes.append(f"{name}: there are {len(worked_on)} cells with an answer; the last one counts.")
    cells = [run_notebook.Cell("own", text) for text in after.get(-1, ())]
    for place, each in enumerate(source):
        name, kind = each.question
        if each.is_code and not each.is_manual:
            text = (answers[name] or "") if kind == "answer" else each.source
            cells.append(run_notebook.Cell(kind or "given", text, name))
        cells += [run_notebook.Cell("own", text) for text in after.get(place, ())]
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
            if each.is_code and not each.is_manual:
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
        pieces = read_pieces(source)
        ids, texts = {each.key for each in pieces}, {each.source.strip() for each in pieces}
        found = sum(bool(each.key) and each.key in ids or each.source.strip() in texts for each in hers if each.source.strip())
        if found > most and found >= min(len(pieces), max(len(hers), 6)) / 3:
            best, most = source, found
    return best


def _prefix(hers):
    return next((each.key.split("-")[0] for each in hers if each.question[0]), "")


def _tested(piece):
    """The question that a cell tests, by its text; "" if it is no test."""
    found = re.search(r"\b_checks\.Question\(\s*['\"](q\d+)['\"]", piece.source) if piece.is_code else None
    return found[1] if found else ""


def _answered_below(source, here, piece):
    """The question whose answer should stand next after place `here` of the source, if the kind of cell fits."""
    following = source[here + 1] if here + 1 < len(source) else None
    if following is None or following.question[1] != "answer" or following.is_code != piece.is_code:
        return None
    return following.question[0]


def _own_names(questions):
    """{question: the names that its answer gives and no other question's}."""
    given = {name: _names(question.stub) if not question.is_manual else set() for name, question in questions.items()}
    return {name: names - set().union(*(others for other, others in given.items() if other != name)) for name, names in given.items()}


def _names(code):
    """The names that a cell gives at its top level, also of code that does not parse."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return {one or other for one, other in re.findall(r"^(?:def\s+(\w+)|(\w+)\s*=[^=])", code, re.MULTILINE)}
    names = {each.name for each in tree.body if isinstance(each, (ast.FunctionDef, ast.ClassDef))}
    for each in tree.body:
        if isinstance(each, (ast.Assign, ast.AnnAssign)):
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            names |= {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    return names


def _differs(answer, question):
    """Whether an answer is more than what was handed out; comments and blank lines do not count."""
    if question.is_manual:
        return bool(answer.strip()) and answer.strip() != question.stub.strip()
    try:
        return ast.dump(ast.parse(answer)) != ast.dump(ast.parse(question.stub))
    except (SyntaxError, ValueError):
        return True


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
        which = "The set's first cells" if cell.kind == "given" else f"A cell of your own, \"{cell.source.strip().splitlines()[0][:50]}\","
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
    points = {name: each.points for each in hers for name, kind in [each.question] if kind == "test"}
    for name, answer in answers.items():
        question = questions[name] if questions else None
        most = question.points if question else points.get(name)
        attempted = answer is not None and (_differs(answer, question) if question else bool(answer.strip()))
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
        raise LearnerError("The problem sets are not in this folder or above it. Go to the course's folder first.")
    path = Path(notebook)
    if path.suffix != ".ipynb" and (folder / "source" / path.name).is_dir() or (folder / "hints" / f"{notebook}.yml").is_file():
        return path.name, folder
    path = find_notebook(notebook, folder)
    pieces = read_pieces(path)
    source = _source_of(path, pieces, folder)
    return (source.stem if source else _prefix(pieces) or path.stem), folder


def _question_name(question):
    found = re.fullmatch(r"(?:\w+?-)?[qQ]?(\d+)", str(question).strip())
    if not found:
        raise LearnerError(f"{question}: a question such as q4 was expected.")
    return f"q{int(found[1])}"


def _clean(text):
    """A text of the course's authors as a learner may read it."""
    lines = [line for line in text.splitlines() if CANARY not in line]
    return re.sub(r"\n{3,}", "\n\n\n", "\n".join(lines)).strip("\n")


# ------------------------------------------------------------------------------------------------------ what is shown


def summary(report):
    """One sentence: how did I do?"""
    if not report.is_full:
        passed = sum(each.state in ("form", "right") for each in report.results)
        return f"{report.problem_set}: {passed} of {len(report.results)} answers have the right form. What they say was not checked."
    waiting = sum(each.points or 0 for each in report.results if each.state == "person")
    more = f" {waiting:g} more are for you to judge." if waiting else ""
    return f"{report.problem_set}: {report.earned:g} of {report.possible:g} points.{more}"


def _score_of(result):
    if result.points is None:
        return "-"
    return f"{'-' if result.earned is None else format(result.earned, 'g')} of {result.points:g}"


def format_report(report, width=None):
    """The report as a table for the terminal; width: columns of the terminal (default: as wide as it is, at most 100)."""
    width = width or min(shutil.get_terminal_size((80, 24)).columns, 100)
    rows = [("question", "points", ["what to look at again"])]
    rows += [(each.name, _score_of(each), list(_lines(each))) for each in report.results]
    first, second = (max(len(row[place]) for row in rows) + 2 for place in (0, 1))
    lines = [summary(report), ""]
    for name, points, texts in rows:
        wrapped = [part for text in texts for part in textwrap.wrap(text, max(width - first - second, 20), break_long_words=False, break_on_hyphens=False)]
        for number, part in enumerate(wrapped):
            start = name.ljust(first) + points.ljust(second) if number == 0 else " " * (first + second)
            lines.append(start + part)
    lines += [""] + [part for note in report.notes for part in textwrap.wrap(f"Note: {note}", width, subsequent_indent="  ", break_long_words=False)]
    stuck = next((each for each in report.results if each.state in ("wrong", "partly", "empty")), None)
    if stuck and report.is_full:
        lines.append(f"Stuck? mystique check {report.problem_set} --hint {stuck.name}")
    return "\n".join(lines).rstrip() + "\n"


def _lines(result):
    yield STATES[result.state] + ("" if result.state == "right" and not result.messages else ".")
    for _, message in result.messages:
        yield message
    for section in result.read_again:
        yield f"Read again: {section}"


def format_hint(given):
    """A hint as text; the earlier ones too when there is no new one."""
    if given.is_repeat:
        shown = [f"You have seen all {given.of} hints for {given.question}:"] + [f"{number}. {text}" for number, text in enumerate(given.texts, start=1)]
        shown.append(f"The model answer, after a try of your own: mystique solution {given.problem_set} {given.question}")
    else:
        shown = [f"{given.problem_set} {given.question}, hint {given.number} of {given.of}:", given.texts[-1]]
    return "\n".join(textwrap.fill(text, 80, break_long_words=False, break_on_hyphens=False) for text in shown) + "\n"


def format_solution(given):
    """A model answer as text: one way, why it is so, and the rubric where a person judges."""
    parts = [f"{given.problem_set} {given.question}, one good answer:", textwrap.indent(given.code, "    ")]
    if given.why:
        parts.append(textwrap.fill(f"Why: {given.why}", 80, break_long_words=False, break_on_hyphens=False))
    if given.rubric:
        parts.append("How a reader would give the points:\n\n" + "\n".join(_plain_rubric(given.rubric)))
    return "\n\n".join(parts) + "\n"


def _plain_rubric(rubric):
    """The lines of a rubric in Markdown: a table's rows as "2: what for"."""
    for line in re.sub(r"(?<=[^\n|])\n(?=[^\n|])", " ", rubric).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells and not cells[0].isdigit():
            continue  # the table's head
        yield textwrap.fill(": ".join(cells) if cells else line, 80, initial_indent="    ", subsequent_indent="       " if cells else "    ")


STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --line: #c8c8c8; --quiet: #555; --code: #f3f3f3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --paper: #151515; --line: #4a4a4a; --quiet: #b0b0b0; --code: #242424; } }
body { color: var(--ink); background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.1rem; margin: 0; }
section { border-top: 1px solid var(--line); padding: .8rem 0; }
p, ul, pre { margin: .4rem 0; } ul { padding-left: 1.2rem; } .quiet { color: var(--quiet); }
pre { background: var(--code); padding: .6rem; white-space: pre-wrap; font-size: .875rem; } summary { cursor: pointer; padding: .3rem 0; }
a { color: inherit; }
"""


def page(report, book=""):
    """The report as one HTML page: no script, nothing from elsewhere. book: address of the book, for links to its sections."""
    parts = [f"<h1>{escape(summary(report))}</h1>", f'<p class="quiet">Checked on {report.when:%Y-%m-%d} at {report.when:%H:%M}: {escape(report.notebook.name)}</p>']
    for each in report.results:
        score_text = f"{_score_of(each)} points, " if each.points is not None else ""
        parts.append(f'<section id="{escape(each.name)}"><h2>Question {escape(each.name.removeprefix("q"))}</h2><p>{score_text}{escape(STATES[each.state])}</p>')
        if each.messages:
            told = "".join(f"<li>{f'<strong>{_html(check)}.</strong> ' if check else ''}{_html(message)}</li>" for check, message in each.messages)
            parts.append(f"<ul>{told}</ul>")
        for section in each.read_again:
            where = f'<a href="{escape(book.rstrip("/"))}/{escape(section)}">{escape(section)}</a>' if book else escape(section)
            parts.append(f"<p>Read again: {where}</p>")
        if each.answer and each.answer.strip():
            parts.append(f"<details><summary>your answer to question {escape(each.name.removeprefix('q'))}</summary><pre>{escape(each.answer)}</pre></details>")
        parts.append("</section>")
    if report.notes:
        parts.append("<section><h2>About your notebook</h2><ul>" + "".join(f"<li>{_html(note)}</li>" for note in report.notes) + "</ul></section>")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(report.problem_set)}: how did I do?</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )


def _html(text):
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def write_page(report, target, book=""):
    """Write the page of a report; the path written."""
    target = Path(target)
    if target.suffix.lower() not in (".html", ".htm"):
        raise LearnerError(f"{target}: a file that ends in .html was expected.")
    learner_progress.write(target, page(report, book))
    return target
