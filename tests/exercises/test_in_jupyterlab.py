"""A student opens a released set in JupyterLab, works, and presses Validate: real JupyterLab, real browser, nbgrader's own button."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from lab import jupyterlab, opened

ROOT = Path(__file__).parents[2]
NOTEBOOK = "ps1.ipynb"


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory):
    """The folder that a student gets: ps1 as nbgrader releases it."""
    course = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "exercises" / "nbgrader_config.py", course)
    shutil.copytree(ROOT / "exercises" / "source" / "ps1", course / "source" / "ps1")
    subprocess.run([sys.executable, "-m", "nbgrader", "generate_assignment", "ps1"], cwd=course, check=True, capture_output=True)
    return course / "release" / "ps1"


@pytest.fixture(scope="module")
def lab(handed_out):
    with jupyterlab(handed_out) as address:
        yield address


def write_answers(folder, wanted):
    """Put model answers into the released notebook, and a text where a person reads, for the questions that are wanted."""
    source = nbformat.read(ROOT / "exercises" / "source" / "ps1" / NOTEBOOK, as_version=4)
    right = {cell.metadata.nbgrader.grade_id: cell.source for cell in source.cells if cell.metadata.get("nbgrader", {}).get("solution")}
    notebook = nbformat.read(folder / NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if cell.cell_type == "code" and grade_id in right and wanted(grade_id):
            cell.source = right[grade_id]
        elif cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("solution") and wanted(grade_id):
            cell.source = "Both counties changed, and I have a figure for it."
    nbformat.write(notebook, folder / NOTEBOOK)


def validated(browser, address):
    """What nbgrader says after its button was pressed."""
    page = opened(browser, address, NOTEBOOK)
    page.get_by_role("button", name="Validate").first.click()
    dialog = page.locator(".jp-Dialog, .nbgrader-ValidationMessage").first
    dialog.wait_for()
    page.wait_for_function("() => !/Validating/.test(document.querySelector('.jp-Dialog')?.innerText || 'Validating')")
    said = re.sub(r"\s+", " ", dialog.inner_text())
    page.close()
    return said


def test_validate_names_what_is_not_done_and_then_is_content(lab, browser, handed_out):
    write_answers(handed_out, lambda grade_id: grade_id != "ps1-q2")
    said = validated(browser, lab)
    assert "The following cell failed" in said and "Traceback" not in said
    assert re.findall(r'Question\("(q\d)"', said) == ["q2"]
    write_answers(handed_out, lambda grade_id: True)
    assert "Success" in validated(browser, lab)
