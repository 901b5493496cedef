"""Puts an answer into a source notebook and runs the real test cells on it: how a problem set is tested.

It is for answers that the course's authors wrote (`exercises/answers/`): they run in a child process of its own, so that
an endless loop or a crash stops nothing, but WITHOUT any confinement. Never run a student's submission with it.

The child is started once and stays warm (importing Altair takes longer than a hundred answers). Each run gets a fresh
namespace. The score of a test cell is nbgrader's own `determine_grade` over the cell's outputs.

    with Trial("exercises/source/ps1/ps1.ipynb") as trial:
        result = trial.run({"q1": "share = 12"}, only="q1")["q1"]
        result.score, result.output
"""

import ast
import builtins
import contextlib
import io
import json
import logging
import os
import queue
import re
import subprocess
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

TIME_LIMIT = 60     # seconds for one run of a whole notebook; the slowest real one takes two
START_LIMIT = 120   # seconds for the child to import what the notebook imports, on a cold disk
WARM = ("numpy", "pandas", "altair")


class TrialError(Exception):
    """A notebook cannot be tried; the message says which cell and why."""


@dataclass(frozen=True)
class Question:
    """One auto-graded question of a source notebook. `stub` is the answer cell as the student gets it."""

    name: str
    points: float
    reference: str
    stub: str
    test: str


@dataclass(frozen=True)
class Result:
    """What one test cell gave: the score that nbgrader would give, what it printed, and an error of the cell itself."""

    score: float
    output: str
    error: str
    seconds: float


class Trial:
    """A source notebook ready to be run with other answers. Use it as a context; it holds a child process."""

    def __init__(self, notebook, folder=None, stub="# YOUR CODE HERE", time_limit=TIME_LIMIT, warm=WARM):
        """folder: where the cells run, with the data (by default the notebook's). stub: the course's ClearSolutions stub.
        warm: modules that the child imports before the first run."""
        self.path = Path(notebook)
        self.folder = Path(folder or self.path.parent)
        self.cells, self.questions = read_questions(self.path, stub)
        self._time_limit = time_limit
        self._warm = warm
        self._child = None
        self._answers = queue.Queue()

    def __enter__(self):
        self._start()
        return self

    def __exit__(self, *_):
        self._stop()

    def run(self, answers=None, only=None):
        """Run the notebook with `answers` ({question: code}) in place of the reference; {question: Result}.

        only: one question's name: the cells of the other questions are left out, with those that give them their data.
        """
        answers = answers or {}
        unknown = sorted(set(answers) - set(self.questions))
        if unknown:
            raise TrialError(f"{self.path.name} has no question {', '.join(unknown)}; it has {', '.join(self.questions)}")
        job = []
        for kind, name, source in self.cells:
            if only and name not in (None, only):
                continue
            job.append([kind, name, answers.get(name, source) if kind == "answer" else source])
        outputs = self._ask(job)
        results = {}
        for name, (found, seconds) in outputs.items():
            streams = "".join(output["text"] for output in found if output["output_type"] == "stream")
            errors = [f"{output['ename']}: {output['evalue']}" for output in found if output["output_type"] == "error"]
            results[name] = Result(grade(found, self.questions[name].points), streams, "; ".join(errors), seconds)
        return results

    def _start(self):
        code = f"from mystique.grading.trial import _serve; _serve({list(self._warm)!r})"
        self._child = subprocess.Popen(
            [sys.executable, "-c", code], cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            env={**os.environ, "NBGRADER_EXECUTION": "autograde", "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self._answers = queue.Queue()
        threading.Thread(target=_pump, args=(self._child.stdout, self._answers), daemon=True).start()
        self._receive(START_LIMIT)

    def _stop(self):
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            child.stdin.close()

    def _ask(self, job):
        if self._child is None or self._child.poll() is not None:
            self._start()
        self._child.stdin.write(json.dumps(job) + "\n")
        self._child.stdin.flush()
        return self._receive(self._time_limit)

    def _receive(self, limit):
        try:
            line = self._answers.get(timeout=limit)
        except queue.Empty:
            self._stop()
            raise TrialError(f"{self.path.name}: no end after {limit} s; the process was stopped") from None
        if line is None:
            self._stop()
            raise TrialError(f"{self.path.name}: an answer ended the process it ran in")
        return json.loads(line)


def _pump(stream, answers):
    with stream:
        for line in stream:
            answers.put(line)
    answers.put(None)


# ------------------------------------------------------------------------------------------ reading a source notebook


def read_questions(path, stub):
    """([kind, question, source] of every code cell, {name: Question}) of a source notebook.

    A question is a pair of cells with grade ids like `ps1-q3` (the answer) and `ps1-q3-test`; before them may stand
    `ps1-q3-given`, with what it starts from. Any other cell of code is given for all questions: its question is None.
    """
    import nbformat
    from nbgrader import utils

    notebook = nbformat.read(path, as_version=4)
    cells, answers, tests = [], {}, {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        if utils.is_grade(cell) and not utils.is_solution(cell):
            name = _question_name(cell, "-test")
            tests[name] = cell
            cells.append(("test", name, cell.source))
        elif utils.is_solution(cell):
            name = _question_name(cell, "")
            answers[name] = cell
            cells.append(("answer", name, cell.source))
        else:
            given = re.fullmatch(r"\w+-(q\d+)-given", cell.metadata.get("nbgrader", {}).get("grade_id", ""))
            cells.append(("given", given and given[1], cell.source))
    if set(answers) != set(tests):
        raise TrialError(f"{path}: answers without a test or tests without an answer: {', '.join(sorted(set(answers) ^ set(tests)))}")
    questions = {
        name: Question(name, float(cell.metadata.nbgrader.points), answers[name].source, released(answers[name].source, stub), cell.source)
        for name, cell in tests.items()
    }
    return cells, questions


def _question_name(cell, ending):
    grade_id = cell.metadata.nbgrader.grade_id
    found = re.fullmatch(r"\w+-(q\d+)" + ending, grade_id)
    if not found:
        raise TrialError(f"cell {grade_id}: a grade id like ps1-q3{ending} was expected")
    return found[1]


def released(source, stub):
    """An answer's source as the student gets it: solution regions replaced by the stub."""
    from nbformat.v4 import new_code_cell
    from nbgrader.preprocessors import ClearSolutions

    cell = new_code_cell(source)
    ClearSolutions(code_stub={"python": stub})._replace_solution_region(cell, "python")
    return cell.source


def grade(outputs, points):
    """The score that nbgrader gives a test cell with these outputs, in a course whose IgnorePattern drops every warning."""
    from nbformat.notebooknode import from_dict
    from nbformat.v4 import new_code_cell
    from nbgrader.utils import determine_grade

    cell = new_code_cell("", metadata={"nbgrader": {"grade": True, "solution": False, "points": points, "grade_id": "trial"}})
    cell.outputs = [from_dict(output) for output in outputs if not (output["output_type"] == "stream" and output["name"] == "stderr")]
    score, _ = determine_grade(cell, logging.getLogger(__name__))
    return score


# ------------------------------------------------------------------------------------------------- in the child process


def _serve(warm):
    """Say "ready", then answer jobs, one JSON line each, until the parent ends."""
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever a cell writes past sys.stdout must not get among the answers
    sys.path.insert(0, os.getcwd())
    for module in warm:
        with contextlib.suppress(ImportError):
            __import__(module)
    print(json.dumps("ready"), file=protocol, flush=True)
    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line))), file=protocol, flush=True)


def _run(job):
    names = {"__name__": "__main__", "__builtins__": __builtins__, "display": lambda *_: None}
    results = {}
    for kind, question, source in job:
        start = time.perf_counter()
        outputs = _execute(source, _without_hidden_builtins(names) if kind == "test" else names, f"<{question or 'given'} {kind}>")
        if kind == "test":
            results[question] = [outputs, time.perf_counter() - start]
        elif kind == "given" and any(output["output_type"] == "error" for output in outputs):
            raise RuntimeError("a given cell fails: " + outputs[-1]["evalue"])
    return results


def _without_hidden_builtins(names):
    """The names as a test sees them when work is graded (see `inside`): whoever called her answer `sum` has not taken the test's own."""
    return {key: value for key, value in names.items() if key not in vars(builtins)} | {"__name__": "__main__"}


def _execute(source, names, title):
    """Run a cell as a notebook does; its outputs in the notebook format."""
    printed, warned = io.StringIO(), io.StringIO()
    outputs, value = [], None
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(warned):
        try:
            tree = ast.parse(source, title)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, title, "exec"), names)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), title, "eval"), names)
        except BaseException as error:  # sys.exit in a cell is an error of that cell, in a notebook too
            outputs.append({"output_type": "error", "ename": type(error).__name__, "evalue": str(error), "traceback": traceback.format_exc().splitlines()})
    for name, stream in (("stdout", printed), ("stderr", warned)):
        if stream.getvalue():
            outputs.insert(0, {"output_type": "stream", "name": name, "text": stream.getvalue()})
    if value is not None and not hasattr(value, "_ipython_display_"):
        outputs.append({"output_type": "execute_result", "data": {"text/plain": repr(value)}, "metadata": {}, "execution_count": 1})
    return outputs
