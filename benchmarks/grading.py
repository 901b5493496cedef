"""How many submissions a minute: `nbgrader autograde` and our grader on the same class, in the same run.

    python benchmarks/grading.py [--students 100] [--jobs 2]

Prints what each took, where ours spends its time, and its memory. The last line is JSON: `ratio` is how many times as many
submissions a minute ours grades. Feedback isn't counted. The class: perfect, wrong and blank notebooks of ps1 by turns.
nbgrader takes minutes, ours seconds, and many a machine is now slower, now faster: so ours grades the whole class several times,
before nbgrader and after it, and its mean counts.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from make_class import HONEST, Kind, hand_in, make_course, nbgrader, perfect  # noqa: E402

from mystique.grading.engine import family, private_memory  # noqa: E402

BY_TURNS = ("perfect", "perfect", "wrong", "perfect", "blank")
ROUNDS = 2  # of ours before nbgrader, and as many after it


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        course = make_course(folder)
        base = perfect(course)
        changes = {kind.student: kind.change for kind in HONEST}
        for number in range(chosen.students):
            hand_in(course, Kind(f"student-{number:03}", changes[BY_TURNS[number % len(BY_TURNS)]]), base)
        memory = Memory()
        rounds = [graded(course, chosen.jobs, memory) for _ in range(ROUNDS)]
        start = time.perf_counter()
        nbgrader(course, "autograde", "ps1", "--force")
        theirs = time.perf_counter() - start
        scores = nbgraders_scores(course)
        rounds += [graded(course, chosen.jobs, memory) for _ in range(ROUNDS)]

    number = chosen.students
    ours, again = (statistics.mean(getattr(each, name) for each in rounds) for name in ("seconds", "unchanged"))
    differ = {student for each in rounds for student, score in each.scores.items() if score != scores[student]}
    print(f"{number} submissions of ps1, {chosen.jobs} at once; {' '.join(f'{each.seconds:.1f}' for each in rounds)} seconds in {len(rounds)} rounds of ours")
    print(f"{'':<26}{'seconds':>10}{'s each':>10}{'a minute':>10}")
    for name, seconds in (("nbgrader autograde", theirs), ("mystique grade", ours), ("  nothing has changed", again)):
        print(f"{name:<26}{seconds:>10.1f}{seconds / number:>10.3f}{60 * number / seconds:>10.0f}")
    print("where ours spends its time (start and write: one after the other; read and run: at the same time for several submissions)")
    spent = {stage: statistics.mean(each.stages[stage] for each in rounds) for stage in rounds[0].stages}
    for stage, seconds in spent.items():
        print(f"  {stage:<24}{seconds:>10.1f}{100 * seconds / sum(spent.values()):>9.0f} %")
    print(f"memory at most: {memory.most >> 20} MB of its own in all processes; scores that differ from nbgrader's: {len(differ)} of {number}")
    print(json.dumps({"benchmark": "grading", "students": number, "jobs": chosen.jobs, "nbgrader_seconds": round(theirs, 1), "seconds": round(ours, 1),
                      "unchanged_seconds": round(again, 1), "ratio": round(theirs / ours, 1), "memory_mb": memory.most >> 20, "scores_differ": len(differ)}))
    return 1 if differ else 0


@dataclass
class Round:
    """One grading of the whole class by ours. seconds: from the start of a new Python to its end; unchanged: the same, once more."""

    seconds: float
    unchanged: float
    stages: dict
    scores: dict


def graded(course, jobs, memory):
    """Grade a copy of the course, in a Python of its own as the command does; `Round`."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        copy = shutil.copytree(course, Path(folder) / "course")
        start = time.perf_counter()
        with memory:
            stages, scores = in_a_new_python(copy, jobs)
        middle = time.perf_counter()
        in_a_new_python(copy, jobs)
        return Round(middle - start, time.perf_counter() - middle, stages, scores)


def in_a_new_python(course, jobs):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(grade_all, (course, jobs))


def grade_all(course, jobs):
    """({stage: seconds}, {student: points})."""
    from mystique.grading.grade import grade

    summary = grade("ps1", course, jobs=jobs, progress=lambda *_: None)
    return summary.stages, {result.student: sum(filter(None, result.scores.values())) for result in summary.results}


def nbgraders_scores(course):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mystique") as book:
        return {each.student.id: each.score for each in book.assignment_submissions("ps1")}


class Memory:
    """The most memory that this process and all it starts have of their own, looked at five times a second."""

    most = 0

    def __enter__(self):
        self._on = True
        self._thread = threading.Thread(target=self._look, args=(os.getpid(),), daemon=True)
        self._thread.start()

    def __exit__(self, *_):
        self._on = False
        self._thread.join()

    def _look(self, pid):
        while self._on:
            self.most = max(self.most, private_memory(family(pid, 200)))
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
