"""Bad explorers are refused when the book is built: the build fails, and says on which page and which explorer."""

from __future__ import annotations

import importlib.util
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
        ('explore(view, name="many", a=(0, 99), b=(0, 99))', "many", "10,000 combinations"),
        (HEAVY, "noise", "the limit is 70 KB a page"),
        (BROKEN, "shares", "KeyError: 'month' for a=3"),
        (RETITLED, "titled", "differs in more than its data"),
        ('explore(view, name="words", a=widgets.Text())', "words", "a page can't show"),
    ],
    ids=["too many", "too heavy", "raises", "encodings change", "unknown control"],
)
def test_a_bad_explorer_fails_the_build_by_name(tmp_path, code, named, said):
    done = built(tmp_path, code)
    text = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert "apage" in text and f"'{named}'" in text and said in text
    assert not (tmp_path / "out/_build/html/apage.html").exists()


def test_a_good_explorer_is_built(tmp_path):
    """The page above is sound, so the failures above are the explorers' own."""
    done = built(tmp_path, 'explore(view, name="good", a=(0, 5), b=True)')
    assert done.returncode == 0, done.stdout[-3000:]
    assert 'id="explorer-good"' in (tmp_path / "out/_build/html/apage.html").read_text(encoding="utf-8")
