"""The reader shows what a person should look at, and leaves honest code alone."""

from pathlib import Path

import pytest

from mystique.grading.answers import read_answers
from mystique.grading.suspect import suspicions

ANSWERS = Path(__file__).resolve().parents[2] / "exercises" / "answers"


@pytest.mark.parametrize("code, sign", [
    ("import socket", "network"), ("from urllib.request import urlopen", "network"), ("import sqlite3", "databases"),
    ("import sys\nsys._getframe(1).f_globals", "who called"), ("get_ipython().ast_transformers.append(x)", "changes cells"),
    ("class E:\n    def __eq__(self, other): return True", "equals what it likes"), ("import numpy as np\nnp.isclose = lambda *a: True", "module that the tests use"),
    ("open('../../../source/ps1/ps1.ipynb')", "outside"), ("f.__globals__['x'] = 1", "other code's names"), ("exec('x')", "made-up code"),
    ("!true\nimport socket", "network"), ("if True:\n    !true\nimport socket", "network"), ("x = '\u2028'\nimport socket", "network"),
    ("%time import socket", "network"), ("%%time\nx = 1\nimport socket", "network"), ("%run helper.pyc", "runs other code"),
    ("%%bash\ncat x", "runs other code"), ("!python x.py", "starts programs"), ("files = !cat /etc/passwd", "starts programs"),
    ("!ls; cat x", "starts programs"), ("get_ipython().run_line_magic('ru' + 'n', 'x')", "how cells are run"),
    ("!ls\n" * 20_000, "too long to be read"), ("np.x[0x" + "f" * 6_000 + "].y = 1", "too long a number"), ("import gc\ngc.get_objects()", "other code's objects"), ("import checks\nchecks.Question.score = 3", "module that the tests use"),
])
def test_signs_are_found_with_their_line(code, sign):
    found = suspicions(code, "ps1-q1")
    assert found and sign in " ".join(found) and all(each.startswith("ps1-q1, line ") or "too long" in each for each in found)
    assert len(found) < 3


@pytest.mark.parametrize("path", sorted(ANSWERS.glob("ps[0-9].yml")), ids=lambda path: path.stem)
def test_no_known_answer_is_suspicious(path):
    assert [found for answer in read_answers(path) for found in suspicions(answer.code, answer.name)] == []


@pytest.mark.parametrize("code", ["import pandas as pd\npd.options.display.max_rows = 5", "events = 3\nmodules = [events]", "%matplotlib inline\n!ls\nx = 1", "!pip install statsmodels", "%%time\nrecords.head()",
                                  "rows = (", "x = \x00", "(" * 5_000, "open('data.csv').read()", "class A:\n    def __init__(self): self.x = 1"])
def test_honest_and_broken_code_is_left_alone(code):
    assert suspicions(code, "q") == []
