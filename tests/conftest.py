"""What all tests share: the two tiers, the built book, and a real browser."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Each worker has a core. With threads of its own NumPy's linear algebra waits for cores that others use, and takes many times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="also the long sweeps and many seeds (under 60 minutes)")


# The files that take longest, longest first. Side by side, a file's tests stay together and files are handed out in this order,
# so that at the end no worker is left with a long one. The first builds the book, meanwhile the second does not need it.
LONGEST = [
    "explore/test_book_explorers.py", "grading/test_grade.py", "book/test_pages.py", "exercises/test_nbgrader.py", "book/test_guide.py", "grading/test_cohort.py",
    "exercises/test_sets.py", "grading/test_engine.py", "explore/test_one_page_books.py", "explore/test_in_the_page.py", "exercises/test_in_jupyterlab.py",
    "grading/test_unconfined.py", "data/test_employees.py",
]


def pytest_collection_modifyitems(config, items):
    """The longest files come first. Without --full, tests marked `full` are left out of the run, and counted as deselected."""
    places = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
    if config.getoption("--full"):
        return
    long = [item for item in items if item.get_closest_marker("full")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def program(name: str) -> str:
    """A program of this Python's own environment."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    assert found, f"{name} is not installed beside {sys.executable}"
    return found


def build(source: Path, out: Path, *options: str) -> subprocess.CompletedProcess:
    """Build a book as a reader of jupyter-book's documentation would; stdout and stderr come back together."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        [program("jupyter-book"), "build", str(source), "--path-output", str(out), *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", env=environment, cwd=source,
    )


@pytest.fixture(scope="session")
def built_book(tmp_path_factory) -> Path:
    """The folder of the built book's pages; any warning fails it. The worker that needs it first builds it for all of them."""
    own = tmp_path_factory.getbasetemp()
    out = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "built"
    outcome = out / "outcome.json"
    try:
        out.mkdir()  # only one worker can
    except FileExistsError:
        until = time.monotonic() + 900
        while not outcome.exists():
            assert time.monotonic() < until, "the worker that builds the book did not come to an end"
            time.sleep(0.2)
    else:
        done = build(ROOT, out, "-W", "-n", "--keep-going")
        (out / "outcome").write_text(json.dumps([done.returncode, done.stdout[-6000:]]), encoding="utf-8")
        (out / "outcome").rename(outcome)  # at once there, and whole
    status, said = json.loads(outcome.read_text(encoding="utf-8"))
    assert status == 0, said
    return out / "_build" / "html"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def site(built_book):
    """The address of the built book, served on this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(built_book)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="session")
def browser():
    """A real Chromium, Chrome or Edge; `course.py test` finds or installs one and names it in MYSTIQUE_BROWSER."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("MYSTIQUE_BROWSER") or next(
        (found for found in map(shutil.which, ("chromium", "google-chrome", "chromium-browser", "microsoft-edge", "msedge")) if found), None
    )
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        )
        yield started
        started.close()
