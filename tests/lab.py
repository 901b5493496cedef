"""Starts a real JupyterLab on a folder, for tests that press its buttons in a real browser."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path


@contextlib.contextmanager
def jupyterlab(folder: Path):
    """The address of a JupyterLab that shows a folder, with settings of its own outside it."""
    own = folder.parent / f"{folder.name}-jupyterlab"
    own.mkdir()
    scripts = str(Path(sys.executable).parent)
    with (own / "lab.log").open("w+", encoding="utf-8") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0",
             "--IdentityProvider.token=course", "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
             f"--ServerApp.root_dir={folder}"],
            stdout=log, stderr=subprocess.STDOUT, cwd=folder,
            env={**os.environ, "PATH": scripts + os.pathsep + os.environ["PATH"], "JUPYTER_CONFIG_DIR": str(own / "config"),
                 "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces")},
        )
        try:
            yield address_of(server, own / "lab.log")
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:  # on a busy machine it waits long for its kernels
                server.kill()
                server.wait(30)


def address_of(server, log: Path) -> str:
    """Wait until the server answers; fail with its own words if it stops."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        text = log.read_text(encoding="utf-8")
        assert server.poll() is None, text[-2000:]
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", text)
        if found:
            try:
                urllib.request.urlopen(f"{found[0]}api?token=course", timeout=5).close()
                return found[0]
            except OSError:
                pass
        time.sleep(0.3)
    raise AssertionError(f"JupyterLab did not answer in time:\n{log.read_text(encoding='utf-8')[-2000:]}")


def opened(browser, address: str, notebook: str):
    """A page with a notebook open and its kernel ready."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(90_000)
    page.goto(f"{address}lab/tree/{notebook}?token=course&reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()  # the status bar: the kernel is ready
    return page
