"""What the tests of the problem sets share, and the table of answers that they report at the end."""

from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRIED = "known answer"  # the property of a test that tried one


@pytest.fixture(scope="session")
def exercises():
    return ROOT / "exercises"


@pytest.fixture
def report(record_property):
    """Called with (set, question, kind, how many of its promises held): a row's worth for the closing table."""
    return lambda *row: record_property(TRIED, list(row))


def pytest_terminal_summary(terminalreporter):
    found = defaultdict(lambda: {"right": [0, 0], "wrong": [0, 0, 0]})
    for each in (each for reports in terminalreporter.stats.values() for each in reports if getattr(each, "when", "") == "call"):
        # what was said last holds: a test says more as its promises come true
        for problem_set, question, kind, held in [value for name, value in each.user_properties if name == TRIED][-1:]:
            counts = found[problem_set, question][kind]
            for place in range(held + 1):
                counts[place] += 1
    if not found:
        return
    write = terminalreporter.write_line
    terminalreporter.section("answers to the problem sets")
    write(f"{'question':<10}{'right answers accepted':>24}{'mistakes caught':>18}{'messages matched':>18}")
    total = {"right": [0, 0], "wrong": [0, 0, 0]}
    for (problem_set, question), counts in sorted(found.items()):
        write(_line(f"{problem_set} {question}", counts))
        for kind, numbers in counts.items():
            total[kind] = [one + other for one, other in zip(total[kind], numbers)]
    write(_line("all", total))


def _line(name, counts):
    (tried, accepted), (mistakes, caught, told) = counts["right"], counts["wrong"]
    return f"{name:<10}{f'{accepted} of {tried}':>24}{f'{caught} of {mistakes}':>18}{f'{told} of {mistakes}':>18}"
