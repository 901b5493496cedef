"""Explorers in a book of one page: bad ones fail the build by name, and every kind of control works."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

CONFIG = """\
title: A book
author: Nobody
only_build_toc_files: true
execute:
  execute_notebooks: force
bibtex_bibfiles: []
sphinx:
  extra_extensions: [mystique.book]
  config:
    nb_execution_raise_on_error: true
    bibtex_bibfiles: [empty.bib]
"""

PAGE = """\
---
jupytext:
  text_representation: {{extension: .md, format_name: myst}}
kernelspec: {{name: python3, display_name: Python 3}}
---
# A page

A share is $v / d$, and

$$
c = 100 \\frac{{v}}{{d}}
$$

```{{code-cell}} ipython3
import altair as alt, ipywidgets as widgets, pandas as pd, random
from mystique.explore import explore

def view(a, b=0):
    frame = pd.DataFrame({{"x": range(3), "y": [a, b, 1]}})
    return alt.Chart(frame).mark_bar().encode(x="x:O", y="y:Q"), f"{{a}} and {{b}}."
```

```{{code-cell}} ipython3
{code}
```
"""

HEAVY = """\
draw = random.Random(1)
noise = [[draw.random() * 1000 for _ in range(200)] for _ in range(300)]
def heavy(a):
    return alt.Chart(pd.DataFrame({"x": range(200), "y": noise[a]})).mark_bar().encode(x="x:O", y="y:Q"), "Noise."
explore(heavy, name="noise", a=(0, 299))
"""

BROKEN = """\
def broken(a):
    if a == 3:
        raise KeyError("month")
    return view(a)
explore(broken, name="shares", a=(0, 5))
"""

RETITLED = """\
def retitled(a):
    chart, sentence = view(a)
    return chart.properties(title=f"Month {a}"), sentence
explore(retitled, name="titled", a=(0, 5))
"""

spec = importlib.util.spec_from_file_location("shared", Path(__file__).parents[1] / "conftest.py")
shared = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shared)


def built(folder: Path, code: str):
    """Build a book of one page with this code in its second cell."""
    (folder / "_config.yml").write_text(CONFIG, encoding="utf-8")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: apage\n", encoding="utf-8")
    (folder / "empty.bib").write_text("", encoding="utf-8")
    (folder / "apage.md").write_text(PAGE.format(code=code), encoding="utf-8")
    return shared.build(folder, folder / "out")


@pytest.mark.parametrize(
    "code, named, said",
    [
        pytest.param(HEAVY, "noise", "the limit is 70 KB a page", id="too heavy"),
        pytest.param(BROKEN, "shares", "KeyError: 'month' for a=3", id="raises"),
        # the same way into an error of the build; test_answers.py and test_controls.py try them without one
        pytest.param('explore(view, name="many", a=(0, 99), b=(0, 99))', "many", "10,000 combinations", id="too many", marks=pytest.mark.full),
        pytest.param(RETITLED, "titled", "differs in more than its data", id="encodings change", marks=pytest.mark.full),
        pytest.param('explore(view, name="words", a=widgets.Text())', "words", "a page can't show", id="unknown control", marks=pytest.mark.full),
    ],
)
def test_a_bad_explorer_fails_the_build_by_name(tmp_path, code, named, said):
    done = built(tmp_path, code)
    text = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert "apage" in text and f"'{named}'" in text and said in text
    assert not (tmp_path / "out/_build/html/apage.html").exists()


ALL_CONTROLS = """\
def every(whole, part, step, pick, press, tick):
    chart, _ = view(whole, 10 * part)
    return chart, f"{whole}, {part:.1f}, {step}, {pick}, {press}, {tick}"
explore(every, name="every",
        whole=widgets.IntSlider(value=2, min=1, max=3, description="Whole steps"),
        part=widgets.FloatSlider(value=0.3, min=0.1, max=0.4, step=0.1),
        step=widgets.SelectionSlider(options=["low", "high"], value="high"),
        pick=widgets.Dropdown(options=[("First", 1), ("Second", 2)]),
        press=widgets.ToggleButtons(options=["yes", "no"], value="no"),
        tick=widgets.Checkbox(value=True))
"""


def test_every_kind_of_control_has_its_native_twin(tmp_path, browser):
    """Same labels, ranges and starting values as in a notebook; the page above is sound, so failures are explorers' own."""
    done = built(tmp_path, ALL_CONTROLS)
    assert done.returncode == 0, done.stdout[-3000:]
    html = (tmp_path / "out/_build/html/apage.html").read_text(encoding="utf-8")
    assert html.count("<math") == 2 and "<mfrac>" in html and not re.search(r'<script[^>]*mathjax', html.lower()), "equations are MathML"
    page = browser.new_page()
    page.goto((tmp_path / "out/_build/html/apage.html").as_uri())
    form = page.locator("#explorer-every form")
    said = page.locator("#explorer-every .explorer-sentence")
    assert said.inner_text() == "2, 0.3, high, 1, no, True"
    page.locator("#explorer-every[data-live=yes]").wait_for()

    assert form.get_by_label("Whole steps").get_attribute("max") == "2"
    form.get_by_label("Whole steps").press("End")
    form.get_by_label("Part").press("Home")
    assert form.locator("output").all_inner_texts() == ["3", "0.1", "high"]
    assert form.get_by_label("Step", exact=True).get_attribute("aria-valuetext") == "high"
    form.get_by_label("Step", exact=True).press("ArrowLeft")
    form.get_by_label("Pick").select_option(label="Second")
    form.get_by_role("group", name="Press").get_by_label("yes").check()
    form.get_by_label("Tick").uncheck()
    assert said.inner_text() == "3, 0.1, low, 2, yes, False"
    for _ in range(2):
        form.get_by_label("Part").press("ArrowRight")
    assert said.inner_text() == "3, 0.3, low, 2, yes, False", "the third step of 0.1 is 0.3"
    page.close()
