"""Runs the cells of one submission after the other, each submission in a confined process of its own.

One warm process (`serve`) has imported pandas, Altair and IPython; it never sees a test. For each submission it makes a child:

    this process  --socket-->  warm process  --fork-->  keeper  --fork-->  the student's process
                  <------------ cells and answers, one JSON line each ------------>

Nothing is ever unpickled: an answer is JSON, at most so long, and carries a sign that only the process itself can give, or it is
not believed. A cell that ends or freezes the process gets an error, and the notebook is run again from the start without it: so
often, and so long. What ran keeps its result, what never could is said to be "not run". The engine says what came out; it gives
no scores.
"""

import contextlib
import hashlib
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from . import confine, inside
from .confine import Limits

WARM = ("numpy", "pandas", "altair", "vl_convert", "IPython.core.interactiveshell")
START_SECONDS = 180   # to import pandas and Altair from a cold disk
GRACE_SECONDS = 1     # from "interrupt" to "kill"
MOST_RUNS = 24        # of one notebook, each but the first without one more of its cells
ALL_RUNS = 3          # times the seconds of one run that all of them may take together
SECOND_CHANCES = 2    # that often a cell that ended its process is tried again: the system, short of memory, may have done it
INTERRUPTIONS = 6     # so many interrupted cells in a run don't use up the others' time
CHART_SECONDS = 15    # to draw the charts of one submission; others wait for the same process
MOST_HTML = 500_000   # characters of HTML in one submission; to clean it takes time that others wait for
LONGEST_ANSWER = 8_000_000
LONGEST_REQUEST = 20_000_000  # the largest file that a student may hand in, in hexadecimal digits, is half as long
LOOK_EVERY = 0.25     # seconds between two looks at what a long-running child uses
MOST_PROCESSES = 100  # more are ended, should the kernel's own limit (`Limits.processes`) not hold
ENDED = "ended the process it ran in"
NOT_RUN = "not run"


class EngineError(RuntimeError):
    """The engine itself does not work; the message says what happened."""


@dataclass(frozen=True)
class Cell:
    """One code cell to run. test: runs after the guard, apart from the student's names. twin: is also run without any answer."""

    name: str
    source: str
    test: bool = False
    twin: bool = False


@dataclass
class Result:
    """What a cell gave: outputs as in a notebook; `value` of a test's last line; `twin`, the same without any answer.

    failed: a test that ended with an error. doubts: why the value of a test is not to be believed. stopped: why the process had
    to be ended, or why the cell was never run.
    """

    outputs: list = field(default_factory=list)
    value: float | str | None = None
    twin: float | str | None = None
    failed: bool = False
    doubts: list = field(default_factory=list)
    interrupted: bool = False
    stopped: str = ""
    seconds: float = 0.0

    @property
    def not_run(self):
        return self.stopped.startswith(NOT_RUN)


@dataclass
class Run:
    """results: one for each cell. events: what a person may want to know. suspicions: what a person should look at."""

    results: list
    events: list
    suspicions: list
    seconds: float


class Stopped(Exception):
    """The student's process ended or had to be ended; the text says why."""


class Engine:
    """The warm process and what talks with it; a context. Several threads may call `run` at the same time.

    release: folder with the files that lie beside the notebook. layers: `confine.available()`, or a part of it.
    """

    def __init__(self, release, limits=Limits(), layers=None, warm=WARM):
        self.limits = limits
        self.layers = confine.available() if layers is None else layers
        self._release = Path(release)
        self._warm = list(warm)
        self._lock, self._chart_lock = threading.Lock(), threading.Lock()
        self._charts = None
        self._process = None

    def __enter__(self):
        self._folder = Path(tempfile.mkdtemp(prefix="grading-"))
        shutil.copytree(self._release, self._folder / "release", ignore=shutil.ignore_patterns("*.ipynb", "__pycache__", ".ipynb_checkpoints"))
        (self._folder / "work").mkdir()
        return self

    def start(self):
        """Start the warm process, without waiting for it. (The first `run` does it otherwise.)"""
        self._said = (self._folder / "said").open("w+b")
        self._control, theirs = socket.socketpair()
        self._ready = False
        code = f"from mystique.grading.engine import serve; serve({theirs.fileno()})"
        wall = confine.wall(confine.readable_places(confine.PACKAGE), self._folder, self.layers.disk) if self.layers.bubblewrap else []
        with theirs:
            self._process = subprocess.Popen(
                [*wall, sys.executable, "-I", "-B", "-c", code], pass_fds=[theirs.fileno()], cwd=self._folder / "work",
                env=_environment(self._folder / "work"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._said,
            )
        send(self._control, {"warm": self._warm, "folder": str(self._folder), "layers": vars(self.layers), "limits": vars(self.limits)})

    def _wait_until_ready(self):
        """Wait for the warm process; start it if there is none, or if somebody ended it. Raises EngineError."""
        if self._process is not None and self._ready and self._process.poll() is not None:
            self._stop()
        if self._process is None:
            self.start()
        if self._ready:
            return
        try:
            Lines(self._control).get(START_SECONDS)
            self._ready = True
        except (Stopped, TimeoutError) as problem:
            said = (self._folder / "said").read_text(errors="replace")[-2000:]
            raise EngineError(f"The process that runs submissions did not start: {said.strip() or problem}") from None

    def _stop(self):
        if self._process is None:
            return
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        self._process.kill()
        self._process.wait()
        self._said.close()
        self._process = None

    def __exit__(self, *_):
        if self._charts is not None:
            self._charts.end()
        self._stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def pid(self):
        """The warm process, or None before it is needed."""
        return self._process and self._process.pid

    def run(self, cells, files=None):
        """Run the cells in order; `Run`. files: {name: bytes} that the student handed in beside the notebook."""
        start = time.monotonic()
        latest = _Latest(ALL_RUNS * self.limits.notebook_seconds)
        chances = set()
        not_run = f"{NOT_RUN}: the notebook had used its {self.limits.notebook_seconds:g} seconds"
        for _ in range(MOST_RUNS):
            try:
                self._once(cells, files or {}, latest)
                break
            except _CellStopped as problem:
                place = problem.place
                if problem.why == ENDED and place not in chances and len(chances) < SECOND_CHANCES:
                    chances.add(place)
                    continue
                latest.stopped[place] = problem.why
                latest.events[f"{cells[place].name}: {problem.why}; the rest was run again without it"] = None
        else:
            not_run = f"{NOT_RUN}: too many cells before it had to be stopped"
        results = [_stopped_result(latest.stopped[place]) if place in latest.stopped else latest.results.get(place) or _stopped_result(not_run)
                   for place in range(len(cells))]
        self._draw(results, latest.events)
        _leave_out_html(results, latest.events)
        return Run(results, list(latest.events), list(latest.suspicions), time.monotonic() - start)

    def _once(self, cells, files, latest):
        """Run the notebook once, without the cells that were stopped. What comes out goes into `latest`."""
        spent, interruptions = 0.0, 0
        child = self._child("student", files)
        try:
            for place, cell in enumerate(cells):
                if place in latest.stopped:
                    continue
                left = min(self.limits.notebook_seconds - spent, latest.seconds)
                if left <= 0:
                    return
                began = time.monotonic()
                try:
                    answer = child.ask({"do": "test" if cell.test else "cell", "source": cell.source, "name": cell.name, "twin": cell.twin},
                                       min(self.limits.cell_seconds, left), self.limits.memory)
                except Stopped as problem:
                    raise _CellStopped(place, str(problem)) from None
                finally:
                    latest.seconds -= time.monotonic() - began
                result = latest.results[place] = _result(answer, time.monotonic() - began)
                if child.received > 2 * self.limits.notebook_output:  # its own count, of half as much, was tampered with
                    child.events.append(f"{cell.name}: gave more output than a notebook may, which was left out")
                    result.outputs = []
                    result.doubts.append("more output came out than a notebook may give")
                if result.interrupted:
                    interruptions += 1
                    child.events.append(f"{cell.name}: took longer than {self.limits.cell_seconds:g} seconds and was interrupted")
                    _explain_interruption(result, self.limits.cell_seconds)
                if not result.interrupted or interruptions > INTERRUPTIONS:
                    spent += result.seconds
        finally:
            latest.events.update(dict.fromkeys(child.events))
            latest.suspicions.update(dict.fromkeys(child.suspicions))
            child.end()

    def _child(self, role, files):
        ours, theirs = socket.socketpair()
        work = tempfile.mkdtemp(prefix="work-", dir=self._folder)
        job = {"role": role, "work": work}
        with theirs, self._lock:
            self._wait_until_ready()
            try:
                socket.send_fds(self._control, [(json.dumps(job) + "\n").encode()], [theirs.fileno()])
            except OSError as problem:
                raise EngineError(f"The process that runs submissions has ended: {problem}") from None
        child = Child(ours, work, self.limits.processes)
        return child.with_files(files, self.limits.memory)

    def _draw(self, results, events):
        """Add a picture to every chart among the outputs, drawn by a confined process that stays warm for the whole class."""
        left = CHART_SECONDS
        for output in (output for result in results for output in result.outputs):
            data = output.get("data", {})
            kind = next((kind for kind in data if kind.startswith(inside.CHART)), None)
            if kind is None:
                continue
            spec = data.pop(kind)  # a text in its place is no chart; it cannot be drawn
            if left > 0:
                picture, seconds = self._picture(spec, left)
                left -= seconds
                if picture:
                    data["image/svg+xml"] = picture
            else:
                events[f"some charts were not drawn: those before them had taken {CHART_SECONDS} seconds"] = None

    def _picture(self, spec, seconds):
        """(a chart as SVG or None, how many seconds it took)."""
        picture = None
        with self._chart_lock:
            start = time.monotonic()
            try:
                if self._charts is None:
                    self._charts = self._child("charts", {})
                picture = self._charts.ask({"do": "chart", "spec": spec}, seconds, self.limits.memory).get("svg")
            except Stopped:
                self._charts.end()
                self._charts = None
            except RecursionError:  # nested just so deep that it could be read and cannot be sent
                pass
            return picture if isinstance(picture, str) else None, time.monotonic() - start


@dataclass
class _Latest:
    """What is known of a notebook after some runs. seconds: that are left to its cells in all further runs.

    results: {place: `Result`}, of the last run that came so far. stopped: {place: why}. events, suspicions: their keys, each once
    however many runs there were."""

    seconds: float
    results: dict = field(default_factory=dict)
    stopped: dict = field(default_factory=dict)
    events: dict = field(default_factory=dict)
    suspicions: dict = field(default_factory=dict)


class _CellStopped(Exception):
    def __init__(self, place, why):
        self.place, self.why = place, why


class Child:
    """This side of one student's process."""

    _channel, _group = None, None

    def __init__(self, channel, work, most_processes):
        self._channel, self._work = channel, work
        self.suspicions, self.events = [], []
        self._pidfd, self._pid = None, None
        ready, _, _ = select.select([channel], [], [], 60)
        fds = socket.recv_fds(channel, 64, 1)[1] if ready else []
        if not fds:
            self.end()
            raise EngineError("A process for a submission could not be made.")
        self._pidfd, self._pid = fds[0], _process_of(fds[0])
        self._group = confine.count_processes(self._pid, most_processes)
        self._lines = Lines(channel)
        try:
            hello = self._lines.get(60)
        except (Stopped, TimeoutError) as problem:
            self.end()
            raise EngineError(f"A process for a submission did not start: {problem}") from None
        if "failed" in hello:
            self.end()
            raise EngineError(f"A submission could not be confined: {hello['failed']}")
        self._secret = hello["ready"]

    def with_files(self, files, memory):
        """This child, with the student's files laid beside the notebook."""
        try:
            for name, content in files.items():
                self.ask({"do": "file", "name": name, "content": content.hex()}, 30, memory)
        except Stopped as problem:
            self.end()
            raise EngineError(f"A process for a submission could not be given its files: it {problem}.") from None
        return self

    @property
    def received(self):
        """How many bytes have come from it."""
        return self._lines.received

    def ask(self, request, seconds, memory):
        """Send a request and return its answer. Raises Stopped if there is none in time, or too much memory is used."""
        if self._lines.waiting():
            self.suspicions.append("an answer was there before the question: something wrote into the grader's channel")
            raise Stopped("wrote into the grader's channel")
        request["ticket"] = secrets.token_hex(8)
        try:
            self._channel.settimeout(seconds + GRACE_SECONDS)  # whoever doesn't listen must not keep the grader waiting
            send(self._channel, request)
            self._channel.settimeout(None)
            answer = self._patiently(seconds, memory)
        except TimeoutError:
            raise Stopped("no longer listened to the grader") from None
        except OSError:
            raise Stopped(ENDED) from None
        if "internal" in answer:  # a fault of the grader's own part in there, or made to look so
            raise Stopped(f"broke the process it ran in ({str(answer['internal']).strip().splitlines()[-1:]})")
        if answer.get("ticket") != hashlib.blake2b(request["ticket"].encode(), key=self._secret.encode()).hexdigest():
            self.suspicions.append("an answer did not belong to its question: something wrote into the grader's channel")
            raise Stopped("wrote into the grader's channel")
        self.suspicions += [str(each)[:200] for each in _listed(answer, "suspicions")][:20]
        self.events += [str(each)[:200] for each in _listed(answer, "events")][:20]
        return answer

    def _patiently(self, seconds, memory):
        start = time.monotonic()
        interrupted = False
        while True:
            passed = time.monotonic() - start
            if not interrupted and passed >= seconds:
                interrupted = True
                self._signal(signal.SIGINT)
            if passed >= seconds + GRACE_SECONDS:
                self._signal(signal.SIGKILL)
                raise Stopped(f"did not end within {seconds:g} seconds, nor when it was interrupted")
            left = seconds + (GRACE_SECONDS if interrupted else 0) - passed
            try:
                return {**self._lines.get(min(LOOK_EVERY, max(0.01, left))), "interrupted": interrupted}
            except TimeoutError:
                pass
            processes = self._family(MOST_PROCESSES + 1)
            if len(processes) > MOST_PROCESSES:  # before memory is counted: that takes long among thousands
                self._signal(signal.SIGKILL)
                raise Stopped("started too many processes")
            if self._memory(processes) > memory + (300 << 20):  # what the warm process shares with its child counts too
                self._signal(signal.SIGKILL)
                raise Stopped(f"used more than {memory >> 20} MB of memory")

    def _family(self, most):
        return family(self._pid, most)

    def _memory(self, processes):
        return private_memory(processes)

    def _signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, number)

    def end(self):
        if self._pidfd is not None:
            self._signal(signal.SIGKILL)
            os.close(self._pidfd)
            self._pidfd = None
        self._leave()

    def _leave(self):
        if self._group is not None:
            confine.remove_group(self._group)
        if self._channel is not None:
            self._channel.close()
        shutil.rmtree(self._work, ignore_errors=True)


class Lines:
    """JSON lines from a socket, none longer than `longest`."""

    def __init__(self, channel, longest=LONGEST_ANSWER):
        self._channel, self._longest, self._rest, self.received = channel, longest, bytearray(), 0

    def waiting(self):
        return bool(self._rest) or bool(select.select([self._channel], [], [], 0)[0] and self._peek())

    def _peek(self):
        try:
            return self._channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:
            return b""

    def get(self, seconds):
        """The next line's dict. Raises TimeoutError, or Stopped if the other side has ended or talks nonsense."""
        end = time.monotonic() + seconds
        while b"\n" not in self._rest:
            if not select.select([self._channel], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("no answer")
            try:
                more = self._channel.recv(1 << 16)
            except OSError:
                more = b""
            if not more:
                raise Stopped(ENDED)
            self._rest += more
            self.received += len(more)
            if len(self._rest) > self._longest:
                raise Stopped("gave too long an answer")
        line, _, self._rest = self._rest.partition(b"\n")
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            raise Stopped("wrote into the grader's channel") from None
        if not isinstance(answer, dict):
            raise Stopped("wrote into the grader's channel")
        return answer


def send(channel, message):
    channel.sendall(json.dumps(message).encode() + b"\n")


def _result(answer, seconds):
    """An answer as a `Result`. It came from a process in which submitted code runs: nothing in it is taken for granted."""
    outputs = [_output(each) for each in _listed(answer, "outputs") if isinstance(each, dict)]
    doubts = [str(each)[:200] for each in _listed(answer, "doubts")][:10]
    return Result(outputs, answer.get("value"), answer.get("twin"), bool(answer.get("failed")), doubts, bool(answer.get("interrupted")), seconds=seconds)


def _output(found):
    """An output with the fields that one may have: texts, and under `data` texts and charts."""
    output = {name: found[name] for name in ("output_type", "name", "text", "ename", "evalue") if isinstance(found.get(name), str)}
    output["traceback"] = [line for line in _listed(found, "traceback") if isinstance(line, str)]
    if isinstance(found.get("data"), dict):
        output["data"] = {mime: content for mime, content in found["data"].items()
                          if isinstance(content, str) or mime.startswith(inside.CHART) and isinstance(content, dict)}
    return output


def _listed(answer, name):
    return answer[name] if isinstance(answer.get(name), list) else []


def _leave_out_html(results, events):
    """Leave out the HTML of outputs once there is too much of it; the same as plain text stays."""
    left = MOST_HTML
    for output in (output for result in results for output in result.outputs):
        data = output.get("data", {})
        if "text/html" in data:
            left -= len(data["text/html"])
            if left < 0:
                del data["text/html"]
                events["some HTML was left out: there was too much of it"] = None


def _explain_interruption(result, seconds):
    why = f"This cell took longer than {seconds:g} seconds and was interrupted."
    for output in result.outputs:
        if output.get("output_type") == "error" and output.get("ename") == "KeyboardInterrupt":
            output["evalue"] = why
            output["traceback"] = [*_listed(output, "traceback")[:-1], f"KeyboardInterrupt: {why}"]  # Jupyter shows these lines alone


def _stopped_result(why):
    message = f"This cell was {why}." if why.startswith(NOT_RUN) else f"This cell was stopped: it {why}."
    return Result([{"output_type": "error", "ename": "Stopped", "evalue": message, "traceback": [f"Stopped: {message}"]}], stopped=why)


def _process_of(handle):
    """The number of the process behind a handle, as it is called on this side of all walls; 0 if it has ended."""
    lines = Path(f"/proc/self/fdinfo/{handle}").read_text().splitlines()
    return max(0, next(int(line.split()[1]) for line in lines if line.startswith("Pid:")))


def family(pid, most):
    """The numbers of a process and of all that came from it, `most` at most. From /proc, so on Linux only."""
    found, waiting = [], [pid]
    while waiting and len(found) < most:
        each = waiting.pop()
        found.append(each)
        with contextlib.suppress(OSError, ValueError):
            for task in Path(f"/proc/{each}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
    return found


def private_memory(processes):
    """Bytes of memory that these processes have for themselves."""
    used = 0
    for each in processes:
        with contextlib.suppress(OSError, ValueError):
            for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Private_Dirty:", "Pss_Shmem:")):
                    used += int(line.split()[1]) * 1024
    return used


def _environment(home):
    """What the student's process sees of the environment: nothing of the instructor's."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
        "NBGRADER_EXECUTION": "autograde", "IPYTHONDIR": str(home / ".ipython"), "TMPDIR": str(home), "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1",
    }


# --------------------------------------------------------------------------------------------------- the warm process


def serve(control_fd):
    """The warm process: import, then make a child for each job until the other side ends."""
    confine.die_with_parent()
    control = socket.socket(fileno=control_fd)
    setting = Lines(control).get(60)
    folder = Path(setting["folder"])
    limits, layers = Limits(**setting["limits"]), confine.Layers(**setting["layers"])
    warm = inside.warm_up(setting["warm"], folder / "release")
    read = confine.readable_places(folder / "release")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    send(control, {"ready": True})
    while True:
        message, fds, _, _ = socket.recv_fds(control, 4096, 1)
        if not message:
            return
        job = json.loads(message)
        if os.fork() == 0:
            control.close()
            _keep(job, fds[0], warm, layers, limits, read, folder / "release")
        os.close(fds[0])


def _keep(job, channel_fd, warm, layers, limits, read, release):
    """The keeper: makes the student's process, hands out a handle on it, and stays until nothing of it is left."""
    confine.die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    channel = socket.socket(fileno=channel_fd)
    failed = ""
    try:
        if layers.namespaces:
            confine.enter_namespaces()
        if layers.disk:
            confine.mount_disk(job["work"], limits.disk)
    except OSError as problem:
        failed = str(problem)
    confine.adopt_orphans()
    gate, opened = os.pipe()
    child = os.fork()
    if child == 0:
        confine.die_with_parent()
        os.read(gate, 1)
        os.closerange(gate, opened + 1)
        with contextlib.suppress(BaseException):
            try:
                _be_a_student(job, channel, warm, layers, limits, read, release, failed)
            except BaseException:
                send(channel, {"internal": traceback.format_exc()[-2_000:]})
        os._exit(0)
    handle = os.pidfd_open(child)
    socket.send_fds(channel, [b"x"], [handle])
    os.close(handle)
    channel.close()
    os.write(opened, b"x")
    os.waitpid(child, 0)
    _end_orphans()
    os._exit(0)


def _end_orphans():
    """End what a student's process left behind (in a namespace of processes nothing can be left)."""
    while True:
        children = Path(f"/proc/self/task/{os.getpid()}/children")
        for each in children.read_text().split() if children.exists() else []:
            with contextlib.suppress(OSError):
                os.kill(int(each), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _be_a_student(job, channel, warm, layers, limits, read, release, failed):
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    for each in (3, channel.fileno() + 1):  # nothing stays open but the channel
        os.closerange(each, channel.fileno() if each == 3 else limits.open_files)
    work = Path(job["work"])
    try:
        if failed:
            raise OSError(failed)
        inside.lay_out(release, work)
        confine.shut_in(layers, [*read, str(work)], [str(work)], limits)
    except OSError as problem:
        send(channel, {"failed": str(problem)})
        return
    secret = secrets.token_hex(16)
    send(channel, {"ready": secret})
    inside.answer(channel, Lines(channel, LONGEST_REQUEST), warm, limits, work, secret)
