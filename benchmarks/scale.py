"""What it takes to write millions of people and to estimate on them.

    python benchmarks/scale.py [--people 4000000] [--seconds 120]

Writing: `write_at_scale` against the obvious way with pandas, the same draws in one frame and one `to_parquet`.
Estimating: the linear regression of Figure 2, fixed effects of agency and year, errors clustered by agency, by pyfixest and by
statsmodels with a dummy for each. statsmodels' rows double until a fit takes longer than `--seconds` or the next would not fit
into memory; the two are compared at the largest size that it held.
Each measurement runs in a process of its own, so that a peak of memory is its own. A fit's seconds leave out the reading of the
file and a first, small fit, in which libraries load. Prints a table; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

SEED = 2011
SMALLEST = 25_000            # rows of statsmodels' first fit
GIGABYTE = 1e9
FORMULA = "left ~ support * motivation"


# ---------------------------------------------------------------- what is measured: each in a process of its own


def write_pieces(folder: str, people: int) -> dict:
    from mystique.data.at_scale import write_at_scale

    start = time.perf_counter()
    made = write_at_scale(people, SEED, folder)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "rows": _rows(made / "employees.parquet"), "file_bytes": (made / "employees.parquet").stat().st_size}


def write_one_frame(folder: str, people: int) -> dict:
    from mystique.data import at_scale, employees

    start = time.perf_counter()
    employees.BLOCK = people     # all people in one piece
    places = employees.settle(SEED, at_scale.AGENCIES_A_SURVEY, at_scale.YEARS)
    frame = employees.with_names(places, employees.employ(SEED, places, 0, people))
    names = [field["name"] for field in employees.columns(at_scale.AGENCIES_A_SURVEY, at_scale.YEARS)["employees"]]
    frame[names].to_parquet(Path(folder) / "one.parquet")
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "rows": _rows(Path(folder) / "one.parquet")}


def fit_pyfixest(file: str, rows: int) -> dict:
    import pyfixest

    def fit(people):
        return pyfixest.feols(f"{FORMULA} | agency_id + year", people, vcov={"CRV1": "agency_id"}, copy_data=False, store_data=False, lean=True)

    return _fit(file, rows, fit, lambda done: done.coef()["support:motivation"])


def fit_statsmodels(file: str, rows: int) -> dict:
    import pandas
    import statsmodels.formula.api as smf

    def fit(people):
        groups = pandas.factorize(people["agency_id"])[0]
        return smf.ols(f"{FORMULA} + C(agency_id) + C(year)", people).fit(cov_type="cluster", cov_kwds={"groups": groups})

    return _fit(file, rows, fit, lambda done: done.params["support:motivation"])


def _fit(file, rows, fit, both) -> dict:
    import pyarrow
    import pyarrow.parquet as pq

    warnings.simplefilter("ignore")
    pieces, read = [], 0
    for piece in pq.ParquetFile(file).iter_batches(columns=["agency_id", "year", "support", "motivation", "left"]):
        pieces.append(piece)
        read += piece.num_rows
        if read >= rows:
            break
    people = pyarrow.Table.from_batches(pieces)[:rows].to_pandas()
    fit(people.head(5000).copy())
    start = time.perf_counter()
    done = fit(people)
    return {"seconds": time.perf_counter() - start, "rows": len(people), "support_x_motivation": float(both(done))}


def _rows(file: Path) -> int:
    import pyarrow.parquet as pq

    return pq.ParquetFile(file).metadata.num_rows


def _peak() -> int:
    """The most memory that this process has held, in bytes."""
    try:
        import resource
    except ImportError:   # Windows
        import psutil

        return psutil.Process().memory_info().peak_wset
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


TASKS = {task.__name__: task for task in (write_pieces, write_one_frame, fit_pyfixest, fit_statsmodels)}


# ---------------------------------------------------------------- measuring and telling


def measure(task: str, *words: object) -> dict | None:
    """What a task found in a process of its own, with its peak of memory; None if it died, of too little memory say."""
    done = subprocess.run([sys.executable, __file__, "--task", task, *map(str, words)], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        return None
    found = json.loads(done.stdout.splitlines()[-1])
    show(task, found)
    return found


def show(task: str, found: dict) -> None:
    speed, peak = found["rows"] / found["seconds"], found["peak"] / GIGABYTE
    print(f"{task:<18}{found['rows']:>12,}{found['seconds']:>10.1f}{speed:>14,.0f}{peak:>10.2f}", flush=True)


def largest_statsmodels(file: str, most: int, seconds: float) -> dict | None:
    """The largest fit that statsmodels holds: rows double until time or memory would run out."""
    import psutil

    best, rows = None, min(SMALLEST, most)
    while True:
        found = measure("fit_statsmodels", file, rows)
        if found is None:
            return best
        best = found
        no_room = 2.2 * found["peak"] > psutil.virtual_memory().available
        if rows == most or found["seconds"] > seconds or no_room:
            return best
        rows = min(2 * rows, most)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--people", type=int, default=4_000_000)
    words.add_argument("--seconds", type=float, default=120, help="statsmodels' rows stop doubling after a fit that took longer")
    words.add_argument("--task", nargs=3, help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.task:
        task, place, number = given.task
        found = TASKS[task](place, int(number))
        print(json.dumps({**found, "peak": _peak()}))
        return

    print(f"{'':<18}{'rows':>12}{'seconds':>10}{'rows a second':>14}{'peak GB':>10}")
    with tempfile.TemporaryDirectory() as folder:
        ours = measure("write_pieces", folder, given.people)
        plain = measure("write_one_frame", folder, given.people)
        (Path(folder) / "one.parquet").unlink(missing_ok=True)
        file = str(Path(folder) / "employees_at_scale" / "employees.parquet")
        everyone = ours and measure("fit_pyfixest", file, ours["rows"])
        theirs = ours and largest_statsmodels(file, ours["rows"], given.seconds)
        if not (ours and everyone and theirs):
            sys.exit("A measurement failed; its message is above.")
        same = measure("fit_pyfixest", file, theirs["rows"])

    def ratio(name, of, to):
        return round(of[name] / to[name], 2) if of and to else None

    print(json.dumps({
        "people": given.people,
        "rows": ours["rows"],
        "write_rows_a_second": round(ours["rows"] / ours["seconds"]),
        "write_peak_gb": round(ours["peak"] / GIGABYTE, 2),
        "write_file_mb": round(ours["file_bytes"] / 1e6),
        "one_frame_peak_gb": round(plain["peak"] / GIGABYTE, 2) if plain else None,
        "speed_ratio_to_one_frame": ratio("seconds", plain, ours),
        "memory_ratio_to_one_frame": ratio("peak", plain, ours),
        "pyfixest_seconds": round(everyone["seconds"], 1),
        "pyfixest_peak_gb": round(everyone["peak"] / GIGABYTE, 2),
        "statsmodels_rows": theirs["rows"],
        "statsmodels_seconds": round(theirs["seconds"], 1),
        "statsmodels_peak_gb": round(theirs["peak"] / GIGABYTE, 2),
        "speed_ratio_to_statsmodels": ratio("seconds", theirs, same),
        "memory_ratio_to_statsmodels": ratio("peak", theirs, same),
        "difference_of_estimates": abs(theirs["support_x_motivation"] - same["support_x_motivation"]),
    }))


if __name__ == "__main__":
    main()
