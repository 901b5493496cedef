"""Runs submissions where no system call can shut them in (macOS, Windows), for an instructor who trusts them.

Each submission gets a Python of its own, with limits of time and memory and nothing else: what it writes there can read, change
and send whatever the instructor can. `mystique grade` uses it outside Linux, after `--trust-submissions` only. The cells, the
guard before each test and the replay without a cell that stopped everything are those of `engine` and `inside`.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from .confine import Limits
from .engine import LONGEST_REQUEST, START_SECONDS, Child, Engine, EngineError, Lines, Stopped, send
from .run_notebook import end_with_all_it_started

HERE = "127.0.0.1"


class Unconfined(Engine):
    """An `Engine` without a warm process: nothing is forked, so it works on every system, and takes seconds a submission."""

    def start(self):
        """Nothing is kept warm."""

    def _child(self, role, files):
        work = tempfile.mkdtemp(prefix="work-", dir=self._folder)
        setting = {"warm": self._warm, "release": str(self._folder / "release"), "work": work, "limits": vars(self.limits)}
        return _OwnPython(setting, work).with_files(files, self.limits.memory)


class _OwnPython(Child):
    """This side of a submission's Python."""

    def __init__(self, setting, work):
        self._work = work
        self.suspicions, self.events = [], []
        self._secret = secrets.token_hex(16)
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {"start_new_session": True}
        with socket.create_server((HERE, 0)) as server:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-c", "from mystique.grading.unconfined import serve; serve()"], cwd=work,
                env={**os.environ, "NBGRADER_EXECUTION": "autograde", "MPLBACKEND": "agg", "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **apart,
            )
            server.settimeout(START_SECONDS)
            try:
                with self._process.stdin as job:
                    job.write(json.dumps({**setting, "port": server.getsockname()[1], "secret": self._secret}).encode())
                self._channel = server.accept()[0]
                self._lines = Lines(self._channel)
                is_ours = self._lines.get(START_SECONDS).get("ready") == self._secret
            except (OSError, Stopped) as problem:
                self.end()
                raise EngineError(f"A Python for a submission did not start: {problem}") from None
        if not is_ours:
            self.end()
            raise EngineError("Another program answered in place of the Python for a submission.")

    def _family(self, most):
        try:
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)][:most]
        except psutil.Error:
            return []

    def _memory(self, processes):
        used = 0
        for each in processes:
            with contextlib.suppress(psutil.Error):
                used += each.memory_info().rss
        return used

    def _signal(self, number):
        if number == signal.SIGINT and os.name != "nt":
            self._process.send_signal(number)
        elif number != signal.SIGINT:  # Windows can't interrupt another program's Python: it is ended a second later
            end_with_all_it_started(self._process)

    def end(self):
        end_with_all_it_started(self._process)
        self._leave()


def serve():
    """The submission's Python: import, say so, then do what is asked until the other side ends."""
    from . import inside

    setting = json.load(sys.stdin)
    channel = socket.create_connection((HERE, setting["port"]))
    work, release = Path(setting["work"]), Path(setting["release"])
    warm = inside.warm_up(setting["warm"], release)
    inside.lay_out(release, work)
    send(channel, {"ready": setting["secret"]})
    inside.answer(channel, Lines(channel, LONGEST_REQUEST), warm, Limits(**setting["limits"]), work, setting["secret"])
