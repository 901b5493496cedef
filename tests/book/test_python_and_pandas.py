"""The appendix on pandas has a spreadsheet counterpart for whatever the problem sets' model answers use."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from pandas.api.typing import DataFrameGroupBy

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book" / "python-and-pandas.md").read_text(encoding="utf-8")
SETS = sorted(folder.name for folder in (ROOT / "exercises" / "source").glob("ps*"))
OF_PANDAS = (pd, pd.DataFrame, pd.Series, DataFrameGroupBy)
OF_PYTHON = {"get"}  # in the model answers it is a dict's


def model_answers(name: str) -> list[str]:
    notebook = json.loads((ROOT / "exercises" / "source" / name / f"{name}.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [cell for cell in cells if "### BEGIN SOLUTION" in cell]


def operations(code: str) -> set[str]:
    """The words after a dot that pandas knows."""
    words = {node.attr for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Attribute)}
    return {word for word in words - OF_PYTHON if any(hasattr(one, word) for one in OF_PANDAS)}


def in_tables() -> set[str]:
    """The words after a dot in the second column of the page's tables."""
    rows = re.findall(r"^\| .+? \| (.+) \|$", PAGE, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"\.([a-z_A-Z]+)", " ".join(re.findall(r"`([^`]+)`", row)))}


@pytest.mark.parametrize("name", SETS)
def test_every_operation_of_a_model_answer_stands_beside_a_spreadsheets(name):
    needed = {word for code in model_answers(name) for word in operations(code)}
    assert len(needed) > 5
    assert not needed - in_tables()


def test_code_in_tables_never_breaks_inside_a_name_on_a_phone(site, browser):
    """"ps0" in two lines, or "cou" above "nt()", is no name any more; and neither page nor table must move sideways for it."""
    page = browser.new_page(viewport={"width": 390, "height": 844})
    for name in ("python-and-pandas", "self-learners", "codebook-county"):
        page.goto(f"{site}/book/{name}.html")
        broken = page.evaluate("""() => Array.from(document.querySelectorAll('article td code')).flatMap(code => {
            const broken = [], texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
            for (let text; (text = texts.nextNode());)
                for (const word of text.data.matchAll(/[A-Za-z0-9]+/g)) {
                    const range = document.createRange();
                    range.setStart(text, word.index);
                    range.setEnd(text, word.index + word[0].length);
                    if (new Set(Array.from(range.getClientRects(), box => Math.round(box.top))).size > 1) broken.push(word[0]);
                }
            return broken;
        })""")
        assert not broken, name
        boxes = "[document.documentElement, ...document.querySelectorAll('.pst-scrollable-table-container')]"
        assert page.evaluate(f"{boxes}.every(box => box.scrollWidth <= box.clientWidth)"), name
    page.close()
