"""In a running notebook an explorer is ipywidgets: a real JupyterLab, a real browser, the function called live."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

CELL = """\
import altair as alt, pandas as pd
from mystique.explore import explore

def view(agency, month):
    frame = pd.DataFrame({"part": ["month", "rest"], "length": [month, 18 - month]})
    chart = alt.Chart(frame).mark_bar().encode(x="length:Q", y="part:N")
    return chart, f"{agency} in month {month}: computed live."

explore(view, name="lab", agency=["North", "South"], month=(1, 18))
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab that holds one notebook with an explorer."""
    folder = tmp_path_factory.mktemp("lab")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "live.ipynb")
    log = (folder / "lab.log").open("w+", encoding="utf-8")
    scripts = str(Path(sys.executable).parent)
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0",
         "--IdentityProvider.token=course", "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
         f"--ServerApp.root_dir={folder}"],
        stdout=log, stderr=subprocess.STDOUT, cwd=folder,
        env={**os.environ, "PATH": scripts + os.pathsep + os.environ["PATH"], "JUPYTER_CONFIG_DIR": str(folder / "config"),
             "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")},
    )
    try:
        yield address_of(server, folder / "lab.log")
    finally:
        server.terminate()
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


def test_moving_a_slider_calls_the_function_and_changes_the_chart(lab, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(90_000)
    page.goto(f"{lab}lab/tree/live.ipynb?token=course&reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()  # the status bar: the kernel is ready
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    output = page.locator(".jp-OutputArea-output")
    output.get_by_text("North in month 9: computed live.").wait_for()
    before = output.locator("svg.marks").inner_html()
    output.locator(".widget-slider .noUi-handle").focus()
    page.keyboard.press("ArrowRight")
    output.get_by_text("North in month 10: computed live.").wait_for()
    assert output.locator("svg.marks").inner_html() != before
    output.locator(".widget-dropdown select").select_option("South")
    output.get_by_text("South in month 10: computed live.").wait_for()
    page.close()
