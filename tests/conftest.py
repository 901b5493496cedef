"""What all tests share: the two tiers, the built book, and a real browser."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="also the long sweeps and many seeds (under 60 minutes)")


def pytest_xdist_make_scheduler(config, log):
    """Side by side, the tests of a file stay together, and so do all files that need the built book: it is built once."""
    from xdist.scheduler import LoadScopeScheduling

    class ByWhatTheyShare(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            return "the built book" if needs_the_book(file) else file

    return ByWhatTheyShare(config, log)


@functools.cache
def needs_the_book(file: str) -> bool:
    return re.search(r"\b(built_book|site)\b", (ROOT / file).read_text(encoding="utf-8")) is not None


def pytest_collection_modifyitems(config, items):
    """Without --full, tests marked `full` are left out of the run, and counted as deselected."""
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
    """The folder of the built book's pages; any warning fails it."""
    out = tmp_path_factory.mktemp("built")
    done = build(ROOT, out, "-W", "-n", "--keep-going")
    assert done.returncode == 0, done.stdout[-6000:]
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
