"""What the tests of the problem sets share, and the table of answers that they report at the end."""

from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REPORT = pytest.StashKey()


@pytest.fixture(scope="session")
def exercises():
    return ROOT / "exercises"


@pytest.fixture(scope="session")
def report(pytestconfig):
    """{(problem set, question): {"right": [tried, accepted], "wrong": [tried, caught, told]}} for the closing table."""
    return pytestconfig.stash.setdefault(REPORT, defaultdict(lambda: {"right": [0, 0], "wrong": [0, 0, 0]}))


def pytest_terminal_summary(terminalreporter, config):
    found = config.stash.get(REPORT, None)
    if not found:
        return
    write = terminalreporter.write_line
    terminalreporter.section("answers to the problem sets")
    write(f"{'question':<10}{'right answers accepted':>24}{'mistakes caught':>18}{'messages matched':>18}")
    total = {"right": [0, 0], "wrong": [0, 0, 0]}
    for (problem_set, question), counts in found.items():
        write(_line(f"{problem_set} {question}", counts))
        for kind, numbers in counts.items():
            total[kind] = [one + other for one, other in zip(total[kind], numbers)]
    write(_line("all", total))


def _line(name, counts):
    (tried, accepted), (mistakes, caught, told) = counts["right"], counts["wrong"]
    return f"{name:<10}{f'{accepted} of {tried}':>24}{f'{caught} of {mistakes}':>18}{f'{told} of {mistakes}':>18}"
