"""The `mystique` command: reads the words given, calls what does the work, and says what came of it. No logic here."""

from __future__ import annotations

import argparse
import sys

from . import data
from .grading.cohort import CohortError, make_cohort


def main(words: list[str] | None = None) -> int:
    """Run the command; return its exit status (0 done, 1 refused with a message on standard error)."""
    given = parser().parse_args(words)
    try:
        return given.run(given)
    except (data.DataError, CohortError, OSError) as error:
        print(f"mystique: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """All commands and their words."""
    top = argparse.ArgumentParser(prog="mystique", description="Mission mystique and managing for mission: the course's tools.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    make = commands.add_parser("data", help="make a synthetic data set from a seed")
    make.add_argument("name", choices=(*data.NAMES, "all"), help="the data set: " + ", ".join(data.NAMES) + "; or all of them", metavar="NAME")
    make.add_argument("--seed", type=int, default=data.REFERENCE_SEED, help=f"a whole number, 0 or more (the book's: {data.REFERENCE_SEED})")
    make.add_argument("--out", default="datasets", metavar="DIR", help="the folder to write DIR/NAME/ into (default: datasets)")
    make.set_defaults(run=run_data)

    cohort = commands.add_parser("cohort", help="make a class's own data and nbgrader course, from a secret seed")
    cohort.add_argument("name", help="the cohort's name, for example fall-2027", metavar="NAME")
    cohort.add_argument("--seed", type=int, help="a whole number, 0 or more (default: a random one, kept in the cohort's folder)")
    cohort.add_argument("--out", default="cohorts", metavar="DIR", help="the folder to write DIR/NAME/ into (default: cohorts)")
    cohort.add_argument("--exercises", default="exercises", metavar="DIR", help="the course's problem sets (default: exercises)")
    cohort.add_argument("--replace", action="store_true", help="make it anew if it is there and has no submissions")
    cohort.set_defaults(run=run_cohort)
    return top


def run_data(given: argparse.Namespace) -> int:
    for name in data.NAMES if given.name == "all" else (given.name,):
        folder = data.write(data.make(name, given.seed), given.out)
        print(f"Wrote the synthetic data set '{name}' (seed {given.seed}) to {folder}.", flush=True)
    return 0


def run_cohort(given: argparse.Namespace) -> int:
    made = make_cohort(given.name, given.out, given.exercises, given.seed, given.replace, lambda what: print(f"  {what}", flush=True))
    print(f"Made the cohort {made}. Its nbgrader course is in {made / 'course'}; hand out what nbgrader writes into release/ there.")
    return 0
