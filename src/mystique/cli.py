"""The `mystique` command: reads the words given, calls what does the work, and says what came of it. No logic here."""

from __future__ import annotations

import argparse
import sys

from . import data


def main(words: list[str] | None = None) -> int:
    """Run the command; return its exit status (0 done, 1 refused with a message on standard error)."""
    given = parser().parse_args(words)
    try:
        return given.run(given)
    except (data.DataError, OSError) as error:
        print(f"mystique: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """All commands and their words."""
    top = argparse.ArgumentParser(prog="mystique", description="Mission mystique and managing for mission: the course's tools.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    make = commands.add_parser("data", help="make a synthetic data set from a seed")
    make.add_argument("name", choices=data.NAMES, help="the data set: " + ", ".join(data.NAMES), metavar="NAME")
    make.add_argument("--seed", type=int, default=data.REFERENCE_SEED, help=f"a whole number, 0 or more (the book's: {data.REFERENCE_SEED})")
    make.add_argument("--out", default="datasets", metavar="DIR", help="the folder to write DIR/NAME/ into (default: datasets)")
    make.set_defaults(run=run_data)
    return top


def run_data(given: argparse.Namespace) -> int:
    folder = data.write(data.make(given.name, given.seed), given.out)
    print(f"Wrote the synthetic data set '{given.name}' (seed {given.seed}) to {folder}.")
    return 0
