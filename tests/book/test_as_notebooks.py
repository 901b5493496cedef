"""A reader with code opens a chapter in JupyterLab as a notebook and runs it from top to bottom: each in a fresh kernel."""

from __future__ import annotations


import jupytext
import nbclient
import pytest

import chapter as chapters


@pytest.mark.parametrize("page", [
    each if each.stem == "the-database-nobody-wanted" else pytest.param(each, marks=pytest.mark.full) for each in chapters.notebooks()
], ids=lambda page: page.stem)
def test_a_chapter_runs_as_a_notebook(page):
    notebook = jupytext.read(page)
    assert sum(cell.cell_type == "code" for cell in notebook.cells) >= 2
    done = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(page.parent)}}).execute()
    outputs = [output for cell in done.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    widgets = [output for output in outputs if "application/vnd.jupyter.widget-view+json" in output.get("data", {})]
    assert len(widgets) == sum("\nexplore(" in cell.source or cell.source.startswith("explore(") for cell in notebook.cells if cell.cell_type == "code")
