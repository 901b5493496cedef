"""The engine for trusted submissions on systems without confinement, as far as Linux can show it: macOS and Windows were not tried."""

import psutil
import pytest

from mystique.grading.confine import Limits
from mystique.grading.engine import Cell
from mystique.grading.unconfined import Unconfined

LIMITS = Limits(cell_seconds=3, notebook_seconds=12, memory=400 << 20)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    release = tmp_path_factory.mktemp("release")
    (release / "helper.py").write_text("def points(right):\n    return 2.0 if right else 0.0\n")
    with Unconfined(release, LIMITS, warm=["numpy"]) as engine:
        yield engine


def run(engine, *sources):
    return engine.run([Cell(f"c{place}", source, source.startswith("#test")) for place, source in enumerate(sources)])


def test_cells_and_tests_run(engine):
    found = run(engine, "x = 20\nprint('hi')\nx + 1", "#test\nimport helper\nhelper.points(x == 20)")
    assert [output.get("text") or output["data"]["text/plain"] for output in found.results[0].outputs] == ["hi\n", "21"]
    assert found.results[1].value == 2.0 and not found.events and not found.suspicions


@pytest.mark.parametrize("killer, said", [
    ("import os\nos._exit(1)", "ended the process"), ("while True: pass", ""),
    ("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass", "did not end within"),
    ("b = []\nwhile True: b.append(bytearray(20 << 20))", "MB of memory"),
])
def test_a_cell_that_ends_or_freezes_the_process_costs_only_itself(engine, killer, said):
    found = run(engine, "x = 1", killer, "#test\nx + 1")
    assert found.results[2].value == 2.0 and said in found.results[1].stopped
    assert "error" in [output["output_type"] for output in found.results[1].outputs]


def test_nothing_is_left(engine):
    run(engine, "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(98.765)'])")
    assert not [each for each in psutil.process_iter(["cmdline"]) if any("98.765" in word for word in each.info["cmdline"] or [])]
    assert sorted(path.name for path in engine._folder.iterdir()) == ["release", "work"]
