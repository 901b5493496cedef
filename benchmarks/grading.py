"""How many submissions a minute: `nbgrader autograde` and our grader on the same class, in the same run.

    python benchmarks/grading.py [--students 100] [--jobs 2]

Prints what each took, where ours spends its time, and its memory. The last line is JSON: `ratio` is how many times as many
submissions a minute ours grades. Feedback isn't counted. The class: perfect, wrong and blank notebooks of ps1 by turns.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from make_class import HONEST, Kind, hand_in, make_course, nbgrader, perfect  # noqa: E402

from mystique.grading.engine import family, private_memory  # noqa: E402
from mystique.grading.grade import grade  # noqa: E402

BY_TURNS = ("perfect", "perfect", "wrong", "perfect", "blank")


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
        book = (course / "gradebook.db").read_bytes()
        memory = Memory()
        with memory:
            start = time.perf_counter()
            summary = grade("ps1", course, jobs=chosen.jobs, progress=lambda *_: None)
            ours = time.perf_counter() - start
        scores = {result.student: sum(filter(None, result.scores.values())) for result in summary.results}
        start = time.perf_counter()
        grade("ps1", course, jobs=chosen.jobs, progress=lambda *_: None)
        again = time.perf_counter() - start
        (course / "gradebook.db").write_bytes(book)
        start = time.perf_counter()
        nbgrader(course, "autograde", "ps1", "--force")
        theirs = time.perf_counter() - start
        differ = [student for student, score in nbgraders_scores(course).items() if score != scores[student]]

    number = chosen.students
    print(f"{number} submissions of ps1, {chosen.jobs} at once")
    print(f"{'':<26}{'seconds':>10}{'s each':>10}{'a minute':>10}")
    for name, seconds in (("nbgrader autograde", theirs), ("mystique grade", ours), ("  nothing has changed", again)):
        print(f"{name:<26}{seconds:>10.1f}{seconds / number:>10.3f}{60 * number / seconds:>10.0f}")
    spent = summary.stages
    print("where ours spends its time (start and write: one after the other; read and run: at the same time for several submissions)")
    for stage, seconds in spent.items():
        print(f"  {stage:<24}{seconds:>10.1f}{100 * seconds / sum(spent.values()):>9.0f} %")
    print(f"memory at most: {memory.most >> 20} MB of its own in all processes; scores that differ from nbgrader's: {len(differ)} of {number}")
    print(json.dumps({"benchmark": "grading", "students": number, "jobs": chosen.jobs, "nbgrader_seconds": round(theirs, 1), "seconds": round(ours, 1),
                      "unchanged_seconds": round(again, 1), "ratio": round(theirs / ours, 1), "memory_mb": memory.most >> 20, "scores_differ": len(differ)}))
    return 1 if differ else 0


def nbgraders_scores(course):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "mystique") as book:
        return {each.student.id: each.score for each in book.assignment_submissions("ps1")}


class Memory:
    """The most memory that this process and all it starts have of their own, looked at five times a second."""

    def __enter__(self):
        import os

        self.most, self._on = 0, True
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
