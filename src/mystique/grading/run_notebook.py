"""Runs the cells of a learner's own notebook in a child process, one after the other, with limits.

What a cell may use: time, characters of output, memory, size of a file. A cell that uses more, or ends its process, is
left out and the notebook is run again without it: so it costs what it computes, and nothing else.

    Time and output are limited on every system. Memory: on Linux by the system; on macOS and Windows a thread looks
    four times a second, if psutil is there. Files: on Linux and macOS.

This is not a security sandbox. The code runs under its owner's name, with her files and her network, as it does in
JupyterLab; what is kept small here are accidents. Never run a stranger's notebook with it.

    for ran in run([Cell("given", "x = 1"), Cell("test", "2.0 if x else 0.0")], folder):
        ran.ending, ran.value, ran.printed
"""

import ast
import builtins
import contextlib
import functools
import io
import json
import linecache
import math
import numbers
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

WARM = ("numpy", "pandas", "altair")  # imported before the first cell if one names them: not her time, not her memory
MOST_REMARK = 200                     # characters of an error's own text that are handed on
TOO_MUCH_MEMORY = 77                  # exit status of a child that the watching thread ended


@dataclass(frozen=True)
class Limits:
    """What a run may use. Seconds, characters, bytes."""

    cell: float = 20          # as ExecutePreprocessor.timeout in exercises/nbgrader_config.py
    start: float = 120        # for the imports, and for a cell that the course's authors wrote: a cold disk is slow
    run: float = 300
    output: int = 200_000
    memory: int = 1 << 30     # above what the imports take
    file: int = 200 << 20


@dataclass(frozen=True)
class Cell:
    """kind: "given" (the course's), "answer", "own" (the learner's, beside the answers) or "test" (its last value counts)."""

    kind: str
    source: str
    question: str = ""


@dataclass(frozen=True)
class Ran:
    """What became of a cell.

    ending: "" (well), "error", "time", "output", "memory", "died" (the process ended), "left out" (the test of an answer
    that was stopped) or "not reached". value: a test's points, or None.
    """

    ending: str = ""
    error: str = ""           # "NameError: name 'x' is not defined"
    line: int | None = None   # of the cell, from 1, where the error is
    code: str = ""            # that line
    printed: str = ""
    value: float | None = None


class RunError(Exception):
    """Nothing could be run; the message says why."""


def run(cells, folder, limits=Limits(), progress=lambda done, of: None):
    """Run the cells in `folder`; a list of `Ran`, one for each cell. progress: is told how many cells have run."""
    left = limits.run
    lost = {}  # place: Ran of a cell that is not run again
    while True:
        found, place, ending, left = _attempt(cells, lost, folder, limits, left, progress)
        if place is None:
            break
        if ending == "not reached":
            lost.update({later: Ran("not reached") for later in range(place, len(cells)) if later not in lost})
            break
        lost[place] = Ran(ending)
        if cells[place].kind == "answer":
            same = (each for each, cell in enumerate(cells) if cell.kind == "test" and cell.question == cells[place].question)
            lost.update({each: Ran("left out") for each in same})
    return [lost.get(place) or found.get(place) or Ran("not reached") for place in range(len(cells))]


def _attempt(cells, lost, folder, limits, left, progress):
    """Run the cells that are not lost in a new child: ({place: Ran}, the place that stopped it or None, how, seconds left).

    left: seconds for the cells; what the child's imports take is not counted.
    """
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        child = _start(folder, errors, scratch)
        answers = queue.Queue()
        threading.Thread(target=_pump, args=(child.stdout, answers), daemon=True).start()
        try:
            warm = [name for name in WARM if any(name in cell.source for cell in cells)]
            job = {"limits": asdict(limits), "warm": warm, "cells": [[place, cell.kind, cell.source] for place, cell in enumerate(cells) if place not in lost]}
            with contextlib.suppress(OSError):  # a child that is gone already is told below
                child.stdin.write(json.dumps(job).encode())
                child.stdin.close()
            line = _next(answers, limits.start)
            if line in (None, "late"):
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip().splitlines()
                raise RunError(said[-1] if said else f"Python did not start within {limits.start:g} s.")
            found, deadline = {}, time.monotonic() + left
            for place, cell in enumerate(cells):
                if place in lost:
                    continue
                own = limits.start if cell.kind == "given" else limits.cell
                left = deadline - time.monotonic()
                line = _next(answers, min(own, max(left, 0)))
                if line == "late":
                    return found, place, "time" if left > own else "not reached", deadline - time.monotonic()
                if line is None:
                    with contextlib.suppress(subprocess.TimeoutExpired):  # closed its output, and lives on
                        child.wait(timeout=1)
                    return found, place, "memory" if child.returncode == TOO_MUCH_MEMORY else "died", deadline - time.monotonic()
                found[place] = Ran(**json.loads(line))
                progress(place + 1, len(cells))
            return found, None, "", 0
        finally:
            end_with_all_it_started(child)


def _start(folder, errors, scratch):
    apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {"start_new_session": True}
    environment = {
        **os.environ, "NBGRADER_EXECUTION": "autograde", "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "agg",
        "IPYTHONDIR": scratch,
    }
    # -P: a file of hers named like a module (statistics.py) must not be taken for it before her code has begun.
    return subprocess.Popen(
        [sys.executable, "-P", "-c", "from mystique.grading.run_notebook import serve; serve()"], cwd=folder,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment, **apart,
    )


def _next(answers, limit):
    """The child's next line; None if it is gone, "late" if there is none in time."""
    try:
        return answers.get(timeout=limit)
    except queue.Empty:
        return "late"


def _pump(stream, answers):
    with contextlib.suppress(OSError, ValueError), stream:
        for line in stream:
            answers.put(line)
    answers.put(None)


def end_with_all_it_started(child):
    """End the child and what it started."""
    if os.name == "nt":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(child.pid)], capture_output=True)
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()
    with contextlib.suppress(OSError):
        child.stdin.close()


# ------------------------------------------------------------------------------------------------- in the child process


class _Flood(BaseException):
    """More output than a cell may make."""


class _Capped(io.TextIOBase):
    """A stream that takes so many characters, then stops the cell once; what is written after that is dropped."""

    def __init__(self, limit):
        self._parts, self._left, self.flooded = [], limit, False

    def writable(self):
        return True

    def write(self, text):
        if not self.flooded:
            self._parts.append(text[:self._left])
            self._left -= len(text)
            if self._left < 0:
                self.flooded = True
                raise _Flood
        return len(text)

    def text(self):
        return "".join(self._parts)


def serve():
    """Read one job from standard input, run its cells, answer with one line of JSON for each."""
    job = json.load(sys.stdin)
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8")
    if hasattr(os, "register_at_fork"):  # a process that a cell makes must not answer too
        os.register_at_fork(after_in_child=functools.partial(os.close, protocol.fileno()))
    nothing = os.open(os.devnull, os.O_RDWR)
    folder = os.getcwd()
    for module in job["warm"]:
        with contextlib.suppress(ImportError):
            __import__(module)
    shell = _shell()
    sys.path.append(folder)
    if Path("checks.py").is_file():
        import checks  # noqa: F401  before the learner's code can put another in its place
    _limit(job["limits"])
    for stream in (0, 1, 2):  # what goes past sys.stdout must not get among the answers, or onto her screen
        os.dup2(nothing, stream)
    sys.stdin = open(os.devnull, encoding="utf-8")
    builtins.input = _no_input
    print("ready", file=protocol, flush=True)
    for place, kind, source in job["cells"]:
        os.chdir(folder)
        ran = _run_cell(shell, kind, source, job["limits"]["output"])
        print(json.dumps({name: _shown(value) for name, value in asdict(ran).items()}), file=protocol, flush=True)
    os._exit(0)  # no waiting for threads that a cell left behind


def _shown(value):
    """A text without the half characters that no terminal and no file can take; anything else as it is."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _no_input(prompt="", /):
    raise EOFError("nobody can type while the notebook is checked; put the value into the code in the place of input()")


def _shell():
    """IPython as in a notebook (magics, top-level await), that shows nothing by itself."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    settings = Config()
    settings.HistoryManager.enabled = False
    settings.InteractiveShell.ast_node_interactivity = "none"  # drawing a chart takes longer than all checks
    shell = InteractiveShell.instance(config=settings)
    for name in ("showtraceback", "showsyntaxerror", "showindentationerror"):
        setattr(shell, name, lambda *_, **__: None)
    shell.ask_exit = lambda: None  # quit() in a cell: the other cells still run
    return shell


def _limit(limits):
    if sys.platform == "linux":
        import resource

        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        _lower(resource, resource.RLIMIT_AS, used + limits["memory"])
    else:
        threading.Thread(target=_watch_memory, args=(limits["memory"],), daemon=True).start()
    if os.name != "nt":
        import resource

        _lower(resource, resource.RLIMIT_FSIZE, limits["file"])
        _lower(resource, resource.RLIMIT_CORE, 0)


def _lower(resource, kind, limit):
    _, hard = resource.getrlimit(kind)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _watch_memory(limit, pause=0.25):
    try:
        import psutil
    except ImportError:
        return
    process = psutil.Process()
    most = process.memory_info().rss + limit
    while process.memory_info().rss < most:
        time.sleep(pause)
    os._exit(TOO_MUCH_MEMORY)


def _run_cell(shell, kind, source, most_output):
    printed, warned = _Capped(most_output), _Capped(most_output)
    value, error = None, None
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(warned):
        if kind == "test":
            try:
                value = _last_value(source, shell.user_ns)
            except BaseException as problem:
                error = problem
        else:
            done = shell.run_cell(source)
            error = done.error_before_exec or done.error_in_exec
    if printed.flooded or warned.flooded:
        return Ran("output", printed=printed.text()[:1000])
    if error is None:
        return Ran(value=value, printed=printed.text())
    if kind == "test":  # where in the test is not for showing
        return Ran("memory" if isinstance(error, MemoryError) else "error", _in_words(error), printed=printed.text())
    line, code = _where(error)
    return Ran("memory" if isinstance(error, MemoryError) else "error", _in_words(error), line, code, printed.text())


def _last_value(source, learners):
    """Run a test over a copy of the learner's names: what it defines is not left to her next cell, and a built-in that
    she gave another meaning (`list = ...`) is itself again. Its last value, if that is a number."""
    names = {name: value for name, value in learners.items() if not (hasattr(builtins, name) and not name.startswith("_"))}
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<test>", "exec"), names)
    value = eval(compile(ast.Expression(last.value), "<test>", "eval"), names) if last is not None else None
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return float(value) if math.isfinite(value) else 0.0
    return None


def _in_words(error):
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # an error of the learner's own may fail to say what it is
        lines = []
    text = (error.msg or "") if isinstance(error, SyntaxError) else lines[0] if lines else ""
    text = text if len(text) <= MOST_REMARK else text[:MOST_REMARK] + " ..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _where(error):
    """(line of the cell, its text) of an error; (None, "") if unknown."""
    if isinstance(error, SyntaxError):
        return error.lineno, (error.text or "").strip()[:MOST_REMARK]
    place = (None, "")
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith("<ipython-input"):
            place = trace.tb_lineno, linecache.getline(file, trace.tb_lineno).strip()[:MOST_REMARK]
        trace = trace.tb_next
    return place
