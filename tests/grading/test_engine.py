"""One confined process a submission: what cells may do, what stops them, and that tests can't be fooled the easy ways."""

import dataclasses
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mystique.grading import confine
from mystique.grading.engine import Cell, Engine, Limits, family

pytestmark = pytest.mark.skipif(not confine.available().enough, reason="submissions cannot be confined here")
BY_FRAMES = """
import sys
def climb():
    frame = sys._getframe()
    while frame:
        names, lines = frame.f_globals, frame.f_locals.get("lines")
        if "run_test" in names and lines:
            {}
            print("reached")
        frame = frame.f_back
climb()
"""
HELPER = """
import csv

def points(right):
    return 2.0 if right else 0.0

class Question:
    def __init__(self, right):
        self.right = right

    def score(self):
        rows = [row["a"] for row in csv.DictReader(open("data.csv"))]
        return float(min(max(2.0 if self.right or rows == ["9"] else 0.0, 0.0), 2.0))
"""
LIMITS = Limits(cell_seconds=3, notebook_seconds=12, memory=400 << 20)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    release = tmp_path_factory.mktemp("release")
    (release / "helper.py").write_text(HELPER)
    (release / "data.csv").write_text("a\n1\n2\n")
    (release / "more").mkdir()
    (release / "more" / "rows.csv").write_text("a\n1\n")
    with Engine(release, LIMITS) as engine:
        yield engine


def run(engine, *sources, **options):
    """Run cells; a source that starts with #test is a test."""
    return engine.run([Cell(f"c{place}", source, source.startswith("#test"), "#twin" in source) for place, source in enumerate(sources)], **options)


def texts(result):
    return [output.get("text") or output.get("evalue") or output.get("data", {}).get("text/plain", "") for output in result.outputs]


def test_cells_run_as_in_a_notebook(engine):
    found = run(engine, "x = 20\nprint('hi')\nx + 1", "!echo from the shell", "import asyncio\nawait asyncio.sleep(0)\n7", "display(x)", "1/0", "quit()", "x")
    assert [texts(each) for each in found.results] == [["hi\n", "21"], ["from the shell\n"], ["7"], ["20"], ["division by zero"], [], ["20"]]
    assert found.results[4].outputs[0]["ename"] == "ZeroDivisionError"
    assert (found.events, found.suspicions) == ([], [])


@pytest.mark.parametrize("wall", [True, False], ids=["behind the outer wall", "without it"])
def test_a_notebook_runs_with_bubblewrap_and_without(wall, tmp_path):
    """The other tests take what this machine has."""
    there = confine.available()
    if wall and not there.bubblewrap:
        pytest.skip("bubblewrap is not on this machine")
    with Engine(tmp_path, LIMITS, dataclasses.replace(there, bubblewrap=wall), warm=()) as engine:
        found = run(engine, "import socket\nx = 1", "socket.socket()", f"open({str(Path(__file__))!r})", "#test\nfloat(x)")
    assert found.results[3].value == 1.0
    assert {found.results[place].outputs[-1]["ename"] for place in (1, 2)} <= {"PermissionError", "FileNotFoundError", "OSError"}


def test_a_chart_becomes_a_picture(engine):
    found = run(engine, "import altair as alt, pandas as pd\nalt.renderers.enable('svg')\nalt.Chart(pd.DataFrame({'a': [1, 2]})).mark_point().encode(x='a:Q')")
    data = found.results[0].outputs[-1]["data"]
    assert data["image/svg+xml"].startswith("<svg") and not [kind for kind in data if "vega" in kind]


def test_a_chart_may_be_saved(engine):
    found = run(engine, "import altair as alt, pandas as pd\nalt.Chart(pd.DataFrame({'a': [1, 2]})).mark_point().encode(x='a:Q').save('x.svg')\nopen('x.svg').read()[:4]")
    assert texts(found.results[0]) == ["'<svg'"]


def test_charts_of_one_submission_take_only_so_long(engine, monkeypatch):
    asked = []
    monkeypatch.setattr(engine, "_picture", lambda spec, seconds: asked.append(seconds) or ("<svg/>", 10))
    chart = "import altair as alt, pandas as pd\nalt.Chart(pd.DataFrame({'a': [1, 2]})).mark_point().encode(x='a:Q')"
    found = run(engine, *[chart] * 4)
    assert asked == [15, 5] and found.events == ["some charts were not drawn: those before them had taken 15 seconds"]
    assert ["image/svg+xml" in each.outputs[-1]["data"] for each in found.results] == [True, True, False, False]
    assert not [mime for each in found.results for mime in each.outputs[-1]["data"] if "vega" in mime]


def test_too_much_html_is_left_out_and_its_text_stays(engine):
    found = run(engine, *["from IPython.display import HTML\nHTML('<b>' + 'y' * 90_000)"] * 7)
    assert ["text/html" in each.outputs[-1]["data"] for each in found.results] == [True] * 5 + [False] * 2
    assert texts(found.results[-1]) == ["<IPython.core.display.HTML object>"] and found.events == ["some HTML was left out: there was too much of it"]


def test_a_raised_room_for_output_is_cut_on_this_side(engine):
    raised = BY_FRAMES.format("names['LONGEST_TEXT'] = 10**9; frame.f_locals['student']._room = 10**9")
    found = run(engine, raised, *["import sys\nsys.stdout._recorder._room = 10**9\nprint('x' * 3_000_000)"] * 4, "#test\n2.0")
    assert sum(len(str(each.outputs)) for each in found.results) < 2.1 * LIMITS.notebook_output
    assert found.results[-1].doubts and "more output than a notebook may" in " ".join(found.events)


@pytest.mark.parametrize("killer", ["import os\nos._exit(1)", "import ctypes\nctypes.string_at(0)", "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
                                    "sum(range(10**13))", "b = []\nwhile True: b.append(bytearray(20 << 20))"])
def test_a_cell_that_ends_or_freezes_the_process_costs_only_itself(engine, killer):
    found = run(engine, "x = 1", killer, "#test\nx + 1")
    assert found.results[2].value == 2.0
    assert "error" in [output["output_type"] for output in found.results[1].outputs]
    assert found.events


@pytest.mark.parametrize("bomb", ["while True: os.fork()", "while True:\n    try: os.fork()\n    except OSError: pass"])
def test_a_fork_bomb_stays_small(engine, bomb):
    if not engine.layers.processes:
        pytest.skip("this machine has no limit of processes for root: no control group can be made")
    most, ended = 0, threading.Event()

    def count():
        nonlocal most
        while not ended.wait(0.05):
            most = max(most, len(family(engine.pid, 5_000)))

    looking = threading.Thread(target=count)
    looking.start()
    found = run(engine, "x = 1", f"import os\n{bomb}", "#test\nx + 1")
    ended.set()
    looking.join()
    assert found.results[2].value == 2.0 and 2 < most < 150


def test_whoever_no_longer_listens_is_ended(engine):
    deaf = BY_FRAMES.format("lines.get = lambda *_: __import__('time').sleep(1e6)")
    found = run(engine, "x = 1", deaf, "y = '" + "a" * 900_000 + "'")
    assert found.results[2].stopped == "no longer listened to the grader"


def test_a_test_leaves_the_student_in_her_folder(engine):
    found = run(engine, "import os\nos.mkdir('mine')\nos.chdir('mine')", "#test\n1", "os.path.basename(os.getcwd())")
    assert texts(found.results[2]) == ["'mine'"]
    gone = run(engine, "import os\nos.mkdir('gone')\nos.chdir('gone')\nos.rmdir('../gone')", "#test\n1", "os.path.exists('data.csv')")
    assert gone.results[1].value == 1.0 and texts(gone.results[2]) == ["True"]


@pytest.mark.parametrize("code", ["os.memfd_create('x')", "ctypes.CDLL(None, use_errno=True).shmget(0, 1 << 20, 0o1600)"])
def test_memory_beside_the_limits_is_refused(engine, code):
    [found] = run(engine, f"import ctypes, os\ntry:\n    got = {code}\nexcept PermissionError:\n    got = -1\ngot").results
    assert texts(found) == ["-1"]


@pytest.mark.full
def test_many_endless_cells_do_not_use_up_the_others_time(engine):
    found = run(engine, *["while True: pass"] * 6, "import time\ntime.sleep(1)", "#test\n1")
    assert found.results[-1].value == 1.0 and not any(each.stopped for each in found.results)


def test_an_interrupted_cell_says_why(engine):
    found = run(engine, "while True: pass", "#test\n1")
    why = "This cell took longer than 3 seconds and was interrupted."
    assert texts(found.results[0]) == [why] and found.results[1].value == 1.0
    traceback = found.results[0].outputs[-1]["traceback"]
    assert "while True: pass" in "".join(traceback) and traceback[-1] == f"KeyboardInterrupt: {why}"


def test_a_test_that_a_students_function_ends_costs_only_itself(engine):
    found = run(engine, "import os\ndef f(): os._exit(0)", "#test\nf()\n2", "#test\n3")
    assert [each.value for each in found.results] == [None, None, 3.0]


@pytest.fixture
def children(engine, monkeypatch):
    """The roles of the children that the engine has made."""
    made, make = [], engine._child
    monkeypatch.setattr(engine, "_child", lambda role, files: made.append(role) or make(role, files))
    return made


def test_eight_cells_that_end_their_process_cost_themselves_alone(engine, children):
    found = run(engine, "x = 1", "#test\nx", *["import os; os._exit(1)"] * 8, "y = 2", "#test\nx + y")
    assert [each.stopped for each in found.results] == ["", "", *["ended the process it ran in"] * 8, "", ""]
    assert (found.results[1].value, found.results[-1].value) == (1.0, 3.0) and not found.suspicions
    assert len(children) <= 11  # each cell once, two of them twice, and the run without them


def test_too_many_stops_keep_what_ran_and_say_what_did_not(engine, children, monkeypatch):
    monkeypatch.setattr("mystique.grading.engine.MOST_RUNS", 5)
    found = run(engine, "#test\n1", *["import os; os._exit(1)"] * 8, "#test\n1")
    assert found.results[0].value == 1.0 and len(children) == 5
    assert [each.not_run for each in found.results] == [False] * 4 + [True] * 6
    assert "too many cells before it had to be stopped" in texts(found.results[-1])[0]
    assert run(engine, "#test\n1").results[0].value == 1.0


def test_all_runs_together_have_one_clock(engine, children, monkeypatch):
    monkeypatch.setattr(engine, "limits", replace(LIMITS, notebook_seconds=1))
    found = run(engine, "import time\ntime.sleep(0.6)", "#test\n1", *["import os; os._exit(1)"] * 20, "#test\n1")
    assert found.results[1].value == 1.0 and found.results[-1].not_run and len(children) <= 5


def test_output_is_cut(engine):
    found = run(engine, "print('x' * 200_000_000)", "for i in range(200_000): print(i)", "from IPython.display import HTML\nHTML('y' * 30_000_000)")
    for result in found.results:
        assert len(str(result.outputs)) < 210_000
        assert "left out" in str(result.outputs)


def test_nothing_lives_on_and_nobody_else_is_seen(engine):
    found = run(engine, "import subprocess, os\nsubprocess.Popen('setsid sleep 98765 &', shell=True)\nos.getpid()", "open('mine', 'w').write('x')")
    assert texts(found.results[0])[-1] == "1"
    time.sleep(0.3)
    running = [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"98765" in _bytes(path)]
    assert running == []
    assert texts(run(engine, "import os\nsorted(os.listdir('.'))").results[0]) == ["['data.csv', 'helper.py', 'more']"]


def _bytes(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_the_instructors_environment_is_not_there(engine, monkeypatch):
    found = run(engine, "import os\nsorted(os.environ)")
    assert not {"VIRTUAL_ENV", "USER", "SSH_AUTH_SOCK"} & set(eval(texts(found.results[0])[0]))
    assert "NBGRADER_EXECUTION" in texts(found.results[0])[0]


def test_a_forked_cell_answers_once(engine):
    assert [texts(each) for each in run(engine, "import os\n_ = os.fork()\n1", "2").results] == [["1"], ["2"]]


@pytest.mark.parametrize("trick", [
    "import helper\nhelper.points = lambda right: 2.0", "import sys\nsys.modules['helper'] = type(sys)('helper')\nsys.modules['helper'].points = lambda right: 2.0",
    "open('helper.py', 'w').write('def points(right): return 2.0')", "import builtins\nbuiltins.float = builtins.len = lambda *a: 2.0",
    "get_ipython().input_transformers_cleanup.append(lambda lines: ['2.0'])", "import sys\nsys.displayhook = lambda v: print('2.0')",
    "import numpy as np\nnp.isclose = lambda *a: True", "list = bool = str = isinstance = 3", "import sys\nsys.path.insert(0, '.')",
])
def test_tricks_earn_nothing_and_cost_nothing(engine, trick):
    test = "#test\nimport helper, numpy\nassert len([1]) == 1 and list((1,)) == [1]\nhelper.points({} and bool(numpy.isclose(1, 1)))"
    found = run(engine, trick, test.format("False"), test.format("True"))
    assert [each.value for each in found.results] == [None, 0.0, 2.0]


NEXT_ROW = "import csv\ndef next_row(self):\n    self.rows = getattr(self, 'rows', 0) + 1\n    if self.rows > 1: raise StopIteration\n    return {'a': '9'}\n"
ALL_FDS = "[int(fd) for fd in range(3, 200)]"


@pytest.mark.parametrize("trick", [
    "import sys\nsys.__dict__['modules']['mystique.grading.inside'].run_test = lambda *a: (2.0, False)",
    "import mystique.grading.inside as inside\ninside.run_test = lambda *a: (2.0, False)",
    BY_FRAMES.format("names['run_test'] = lambda *a: (2.0, False)"),
    BY_FRAMES.format("names['run_test'].__code__ = (lambda source, name, names, recorder: (2.0, False)).__code__"),
    BY_FRAMES.format("names['put_back'] = lambda *a: []; names['_Student'].do_test = lambda *a: {'value': 2.0, 'outputs': []}"),
    NEXT_ROW + "csv.DictReader.__next__ = next_row",
    NEXT_ROW + "csv.DictReader.__next__.__code__ = next_row.__code__",
    "import json\nold = json.JSONEncoder.encode\njson.JSONEncoder.encode = lambda self, reply: old(self, {**reply, 'value': 2.0} if 'value' in reply else reply)",
    "import json\nold = json.dumps\njson.dumps = lambda reply, **k: old({**reply, 'value': 2.0} if 'value' in reply else reply, **k)",
    "import threading, time, sys\ndef patch():\n    while True:\n        if 'helper' in sys.modules: sys.modules['helper'].Question.score = lambda self: 2.0\n"
    "        time.sleep(0.001)\nthreading.Thread(target=patch, daemon=True).start()",
    "import _thread, time, sys\ndef patch():\n    while True:\n        if 'helper' in sys.modules: sys.modules['helper'].Question.score = lambda self: 2.0\n"
    "        time.sleep(0.001)\n_thread.start_new_thread(patch, ())",
    "import signal, sys\ndef patch(*_): sys.modules['helper'].Question.score = lambda self: 2.0\nsignal.signal(signal.SIGALRM, patch)\nsignal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)",
    "import gc, sys\ndef patch(*_): 'helper' in sys.modules and setattr(sys.modules['helper'].Question, 'score', lambda self: 2.0)\ngc.callbacks.append(patch)\ngc.set_threshold(1)",
    "def answer():\n    import helper\n    helper.Question.score = lambda self: 2.0",
    "def answer():\n    import builtins\n    builtins.min = lambda *a: 2.0",
    NEXT_ROW + "def answer():\n    csv.DictReader.__next__.__code__ = next_row.__code__",
    "def answer():\n    import helper\n    helper.Question.__init__.__code__ = (lambda self, right: setattr(self, 'right', True)).__code__",
    "import sys\nforged = type(sys)('helper')\nforged.Question = type('Q', (), {'__init__': lambda *a: None, 'score': lambda self: 2.0})\n"
    "sys.modules['helper'] = forged\nsys.modules = dict(sys.modules)",
    "import sys\nsys.stdout._recorder.error = lambda *a: None",
    "import sys\ntype(sys.stdout._recorder).error = lambda *a: None",
    "import sys\nsys.settrace = lambda *a: None\nsys.setprofile = lambda *a: None",
    f"import json, os\nif os.fork() == 0:\n    while True:\n        for fd in {ALL_FDS}:\n            try:\n                asked = json.loads(os.read(fd, 100_000))\n"
    "                os.write(fd, json.dumps({'ticket': asked['ticket'], 'value': 2.0, 'outputs': []}).encode() + b'\\n')\n            except (OSError, ValueError): pass",
    f"import json, os, threading\ndef steal():\n    while True:\n        for fd in {ALL_FDS}:\n            try:\n                asked = json.loads(os.read(fd, 100_000))\n"
    "                os.write(fd, json.dumps({'ticket': asked['ticket'], 'value': 2.0, 'outputs': []}).encode() + b'\\n')\n            except (OSError, ValueError): pass\n"
    "for _ in range(9): threading.Thread(target=steal, daemon=True).start()",
])
def test_no_score_is_forged_in_silence(engine, trick):
    """A wrong answer gets nothing, or its points are not to be believed, or a person is asked to look."""
    test = "#test\nimport helper, time\ntime.sleep(0.01)\n'answer' in globals() and answer()\nhelper.Question(False).score()"
    found = run(engine, trick, test)
    assert "climb" not in trick or texts(found.results[0]) == ["reached\n"]
    assert found.results[1].value in (0.0, None) or found.results[1].doubts or "threads" in " ".join(found.suspicions)
    assert not found.results[1].value or found.suspicions or found.results[1].doubts
    failing = run(engine, trick, "#test\nassert 1 == 2").results[1]
    assert failing.failed or failing.doubts or failing.stopped


def test_only_what_is_a_number_counts_as_one(engine):
    lies = "class Lie(float):\n    __module__, ndim = 'numpy', 0\n    def __float__(self): return 2.0\n    def item(self): return 2.0"
    assert run(engine, lies, "#test\nLie('nan')").results[1].value == "nan"
    meta = "class Meta(type):\n    def __eq__(self, other): return True\n    def __hash__(self): return hash(float)\nclass Lie(metaclass=Meta):\n    def __float__(self): return 2.0"
    assert "Lie" in run(engine, meta, "#test\nLie()").results[1].value
    numbers = ["np.float64(1.5)", "np.int32(2)", "np.array(2.5)", "3"]
    assert [each.value for each in run(engine, *(f"#test\nimport numpy as np\n{each}" for each in numbers)).results] == [1.5, 2.0, 2.5, 3.0]


INNOCENT = """
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
import collections, csv, functools, json, logging, random, sys, time, warnings
try:
    import matplotlib.pyplot as plt
except ImportError:
    pass
with ThreadPoolExecutor(2) as pool:
    print(list(pool.map(str, range(3))))
for step in range(3):
    print(f"\\r{step}/3", end="", file=sys.stderr)
@dataclass
class Agency:
    name: str
class Rows(list):
    def total(self): return sum(self)
class Encoder(json.JSONEncoder):
    def default(self, value): return str(value)
@functools.cache
def answer():
    warnings.filterwarnings("ignore")
    pd.set_option("display.precision", 3)
    alt.renderers.enable("default")
    alt.data_transformers.disable_max_rows()
    alt.theme.enable("dark") if hasattr(alt, "theme") else None
    sys.setrecursionlimit(5_000)
    random.seed(1)
    with open("mine.csv", "w", newline="") as file:
        csv.writer(file).writerows([[1, 2]])
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(str, range(3)))
    pd.DataFrame.top = lambda self: self.head(1)
    return json.dumps({"a": Agency("x")}, cls=Encoder), pd.DataFrame({"a": [1]}).to_string(), collections.Counter("aa")
answer()
"""


def test_what_honest_notebooks_change_is_no_suspicion(engine):
    innocent = run(engine, "import pandas as pd, altair as alt", INNOCENT, "#test #twin\nfloat('answer' in globals() and len(answer()))")
    assert [output for each in innocent.results for output in each.outputs if output["output_type"] == "error"] == []
    assert (innocent.results[2].value, innocent.results[2].twin) == (3.0, 0.0)
    assert (innocent.suspicions, innocent.events, innocent.results[2].doubts) == ([], [], [])
    settings = ("import warnings, os, numpy as np, pandas as pd, altair as alt\nwarnings.filterwarnings('ignore')\nnp.random.seed(1)\n"
                "np.set_printoptions(precision=2)\npd.set_option('display.max_rows', 5)\npd.options.mode.copy_on_write = True\n"
                "alt.data_transformers.disable_max_rows()\nos.environ['A'] = '1'\nos.makedirs('mine')\nos.chdir('mine')\nfrom math import *")
    found = run(engine, settings, "#test\nlen(open('data.csv').read())")
    assert found.results[1].value == 6.0 and found.results[0].outputs == []
    assert (found.suspicions, found.events) == ([], [])


@pytest.mark.parametrize("odd", [
    "class X:\n    def __repr__(self): raise BaseException('x')\nX()", "class X:\n    def __repr__(self): return 5\nX()", "10 ** 6000",
    "import sys\nsys.set_int_max_str_digits(0)\ndisplay({'application/vnd.vegalite.v6+json': {'a': 10 ** 6000}, 'text/plain': 10 ** 6000}, raw=True)",
    "x = []\nfor _ in range(100_000): x = [x]\ndisplay({'application/json': x, 'application/vnd.vegalite.v6+json': {'a': x}}, raw=True)",
    "display({5: 'x', 'text/plain': float('nan'), 'text/html': '\ud800', 'image/png': b'x'}, raw=True)",
    "class E(SystemExit):\n    def __str__(self): raise ValueError\nraise E()", "class M(type):\n    __name__ = property(lambda s: 1 / 0)\nclass E(Exception, metaclass=M): pass\nraise E()",
    "import os\nos.closerange(0, 1000)", "import os\nos.mkdir('data'); os.chmod('.', 0)", "import os\nos.remove('data.csv'); os.mkdir('data.csv'); open('data.csv/x', 'w').close()",
    "import shutil, os\nshutil.rmtree('more'); os.symlink('/usr/lib', 'more')", "import os\nos.chmod('more', 0)", "import sys\nsys.path = None", "import sys\ndel sys.modules",
    "import sys\nfor limit in range(10, 300):\n    try:\n        sys.setrecursionlimit(limit)\n        break\n    except RecursionError: pass",
    "import sys\nsys.stdout = sys.stderr = None", "import sys\ndel sys.stdout", "import gc\ngc.disable()", "import sys\nfor name in ('os', 'json', 'signal', 'helper'): sys.modules[name] = None",
    "%%bash\necho hello", "import sys\nfor _ in range(20_000): print(1); print(2, file=sys.stderr)", "for _ in range(3_000): display(1)",
    "for _ in range(300):\n    try: 1 / 0\n    except Exception: get_ipython().showtraceback()",
])
def test_odd_cells_cost_at_most_themselves(engine, odd):
    test = "#test\nimport helper\nassert open('data.csv').read() and open('more/rows.csv').read()\nhelper.points(y == 5)"
    found = run(engine, "x = 2\nfrom IPython.display import display", odd, "y = 5", test)
    assert found.results[3].value == 2.0 and not found.results[3].doubts
    assert "threads" not in " ".join(found.suspicions) and len(str(found.results[1].outputs)) < 250_000


def test_odd_files_cost_nothing(engine):
    files = {"data.csv/x": b"1", "more": b"1", "helper.py/y.py": b"1", "/".join(["deep"] * 1_500): b"1", "large.csv": bytes(5 << 20), "mine.csv": b"ab"}
    found = run(engine, "import os\nlen(open('mine.csv').read()), os.path.getsize('large.csv')", "#test\nimport helper\nhelper.points(len(open('data.csv').read()) == 6)", files=files)
    assert texts(found.results[0]) == [f"(2, {5 << 20})"] and found.results[1].value == 2.0
    assert [each.split(" could")[0][:20] for each in found.events] == ["the file data.csv/x", "the file helper.py/y", "the file deep/deep/d"]


def test_data_are_put_back_before_a_test(engine):
    found = run(engine, "open('data.csv', 'w').write('a\\n9\\n')\nimport os\nos.utime('data.csv', (0, 0))", "#test\nlen(open('data.csv').readlines())")
    assert found.results[1].value == 3.0 and "changed data.csv, which was put back before the test" in found.events


def test_tests_do_not_leave_their_names_to_the_student(engine):
    found = run(engine, "#test\n_secret = 42\n_secret", "[name for name in dir() if 'secret' in name]", "#test\n_secret")
    assert texts(found.results[1]) == ["[]"] and found.results[2].value == 42.0


def test_a_twin_runs_without_the_answer(engine):
    found = run(engine, "x = 2", "#test #twin\nfloat(globals().get('x', 0))", "#test #twin\nx\nNone")
    assert [(each.value, each.twin) for each in found.results[1:]] == [(2.0, 0.0), (None, "error")]


def test_a_warning_is_no_error(engine):
    found = run(engine, "def f():\n    import warnings, sys\n    warnings.warn('x')\n    print('y', file=sys.stderr)", "#test\nf()\n2")
    assert found.results[1].value == 2.0 and not [output for output in found.results[1].outputs if output["output_type"] == "error"]


@pytest.mark.parametrize("source, value", [("float('nan')", "nan"), ("float('inf')", "inf"), ("'4.0'", "'4.0'"), ("True", "True"), ("None", None), ("-1", -1.0)])
def test_only_a_finite_number_is_a_number_of_points(engine, source, value):
    assert run(engine, f"#test\n{source}").results[0].value == value


def test_writing_into_the_channel_is_noticed(engine):
    found = run(engine, "import os\nfor fd in range(3, 60):\n    try: os.write(fd, b'{\"ticket\": 1, \"value\": 2.0}\\n')\n    except OSError: pass", "#test\n0")
    assert found.results[1].value == 0.0 and "channel" in " ".join(found.suspicions)


def test_files_of_the_student_can_be_used_but_come_last(engine):
    files = {"mine.py": b"x = 5", "json.py": b"raise SystemExit", "helper.py": b"points = 99"}
    found = run(engine, "import mine, json, helper\nmine.x, helper.points(True)", files=files)
    assert texts(found.results[0]) == ["(5, 2.0)"]


def test_several_at_once_do_not_mix(engine):
    seen = {}

    def one(number):
        seen[number] = run(engine, f"x = {number}", "import time; time.sleep(0.05)", "#test\nx").results[2].value
    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert seen == {number: float(number) for number in range(8)}


def test_the_warm_process_may_be_killed(engine):
    run(engine, "1")
    os.kill(engine.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert run(engine, "#test\n1").results[0].value == 1.0


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_nothing_is_left_when_the_engine_ends(tmp_path):
    (tmp_path / "data.csv").write_text("a")
    with Engine(tmp_path, LIMITS, warm=()) as engine:
        run(engine, "1")
        pid, folder = engine.pid, engine._folder
    assert not Path(f"/proc/{pid}").exists() and not folder.exists()
