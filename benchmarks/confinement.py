"""What shutting in one submission costs: bubblewrap and a fresh Python for each, against a child of a warm process.

    python benchmarks/confinement.py [--submissions 20]

The reason why bubblewrap builds one wall for the class, and our own calls to the kernel shut in each submission behind it.
Prints milliseconds a submission; each submission runs one cell that does nothing. The last line is JSON: `ratio` is how many
times longer bubblewrap and a fresh Python take for each submission than a child of the warm process behind one wall.
"""

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mystique.grading import confine
from mystique.grading.engine import WARM, Cell, Engine

LOAD = "import " + ", ".join(WARM)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=20)
    number = parser.parse_args().submissions
    layers = confine.available()
    print(layers.sentence())
    if not (layers.bubblewrap and layers.enough):
        sys.exit("This benchmark needs bubblewrap (`apt install bubblewrap`) and the other layers.")
    with tempfile.TemporaryDirectory() as folder:
        release = Path(folder, "release")
        release.mkdir()
        Path(folder, "work").mkdir()
        wall = confine.wall(confine.readable_places(), folder, own_disks=True)
        rows = {
            "bubblewrap and an empty program": each(number, lambda: run([*wall, "/bin/true"])),
            "fresh Python, no confinement": each(max(3, number // 4), lambda: run([sys.executable, "-I", "-c", LOAD])),
            "bubblewrap and a fresh Python": each(max(3, number // 4), lambda: run([*wall, sys.executable, "-I", "-c", LOAD])),
            "child of a warm process, no confinement": warm(number, release, confine.Layers()),
            "the same, with our own layers": warm(number, release, dataclasses.replace(layers, bubblewrap=False)),
            "the same, behind one bubblewrap": warm(number, release, layers),
        }
    print(f"{'milliseconds a submission':<44}{'once a class':>14}{'each':>10}")
    for name, (once, seconds) in rows.items():
        print(f"{name:<44}{1000 * once:>14.0f}{1000 * seconds:>10.1f}")
    fresh, ours = (rows[name][1] for name in ("bubblewrap and a fresh Python", "the same, behind one bubblewrap"))
    print(json.dumps({"benchmark": "confinement", "submissions": number, "fresh_ms": round(1000 * fresh, 1), "warm_ms": round(1000 * ours, 1), "ratio": round(fresh / ours, 1)}))


def run(command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def each(number, do):
    """(0, mean seconds) of doing something so many times, after once to warm the disk."""
    do()
    start = time.perf_counter()
    for _ in range(number):
        do()
    return 0.0, (time.perf_counter() - start) / number


def warm(number, release, layers):
    """(seconds until the warm process is ready, mean seconds a submission)."""
    start = time.perf_counter()
    with Engine(release, layers=layers) as engine:
        engine.run([Cell("a", "1")])
        once = time.perf_counter() - start
        return once, each(number, lambda: engine.run([Cell("a", "1")]))[1]


if __name__ == "__main__":
    main()
