"""What lies beside a released notebook: the data of one seed, the case drawn from it, and the checks module.

    write_handout("ps1", seed=PRACTICE_SEED, folder="exercises/source/ps1")

writes `county/*.csv` and `county/datapackage.json` (the tables that the set needs, never truth.json), `case.json` (drawn
by the set's module in `cases/`) and `checks.py`. The same seed gives the same bytes. All of it is written, or nothing.

From a terminal: `python -m mystique.grading.handout ps1 exercises/source/ps1 [--seed N]`.
"""

import argparse
import json
import shutil
import tempfile
import uuid
from pathlib import Path

from mystique import data

from .cases import CASES, NoCase

# The sets that lie in exercises/ work on these data. Not the book's seed: a set asks for transfer, and a reader of the
# book must not find its answers there. One year later than the book's, so that nobody takes one for the other.
PRACTICE_SEED = data.REFERENCE_SEED + 1

CHECKS = Path(__file__).with_name("checks.py")


def write_handout(problem_set, seed, folder):
    """Write what lies beside `problem_set`'s notebook into `folder` (it may hold the notebook); return the written paths.

    Raises NoCase if there is no such set, or if this seed's data hold no case for it."""
    if problem_set not in CASES:
        raise NoCase(f"There is no handout for {problem_set!r}. There is one for: {', '.join(CASES)}.")
    folder = Path(folder)
    files = contents(problem_set, seed)  # everything that can go wrong with the data goes wrong before a file is touched
    folder.mkdir(parents=True, exist_ok=True)
    stage = folder / f".handout-{uuid.uuid4().hex[:8]}"
    try:
        for name, content in files.items():
            path = stage / "new" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (stage / "old").mkdir()
        _swap(stage, folder, sorted({name.split("/")[0] for name in files}))
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return [folder / name for name in files]


def contents(problem_set, seed):
    """{path relative to the notebook: bytes}."""
    case = CASES[problem_set]
    dataset = data.make(case.DATASET, seed)
    with tempfile.TemporaryDirectory() as scratch:
        made = data.write(dataset, scratch)
        codebook = json.loads((made / "datapackage.json").read_text(encoding="utf-8"))
        codebook["resources"] = [each for each in codebook["resources"] if each["name"] in case.TABLES]
        files = {f"{case.DATASET}/{name}.csv": (made / f"{name}.csv").read_bytes() for name in case.TABLES}
    files[f"{case.DATASET}/datapackage.json"] = _json(codebook)
    files["case.json"] = _json(case.draw(dataset.tables, seed))
    files["checks.py"] = CHECKS.read_bytes()
    return files


def _json(value):
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def _swap(stage, folder, names):
    """Put each new file or folder in its place; if one fails, every old one comes back."""
    moved = []
    try:
        for name in names:
            if (folder / name).exists():
                (folder / name).rename(stage / "old" / name)
                moved.append((stage / "old" / name, folder / name))
            (stage / "new" / name).rename(folder / name)
            moved.append((folder / name, stage / "new" / name))
    except BaseException:
        for now, before in reversed(moved):
            now.rename(before)
        raise


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m mystique.grading.handout", description="Write what lies beside a problem set's notebook.")
    parser.add_argument("problem_set", choices=sorted(CASES))
    parser.add_argument("folder", help="the notebook's folder")
    parser.add_argument("--seed", type=int, default=PRACTICE_SEED, help=f"default: {PRACTICE_SEED}, the practice data")
    chosen = parser.parse_args(arguments)
    for path in write_handout(chosen.problem_set, chosen.seed, chosen.folder):
        print(path)


if __name__ == "__main__":
    main()
