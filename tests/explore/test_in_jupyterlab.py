"""In a running notebook an explorer is ipywidgets: a real JupyterLab, a real browser, the function called live."""

from __future__ import annotations


import nbformat
import pytest

from lab import jupyterlab, opened

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
    with jupyterlab(folder) as address:
        yield address


def test_moving_a_slider_calls_the_function_and_changes_the_chart(lab, browser):
    page = opened(browser, lab, "live.ipynb")
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
