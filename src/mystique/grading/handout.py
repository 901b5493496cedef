"""What lies beside a released notebook: the data of one seed, the case drawn from it, and the checks module.

    write_handout("ps1", seed=PRACTICE_SEED, folder="exercises/source/ps1")

writes `county/*.csv` and `county/datapackage.json` (the tables that the set needs, never truth.json), `case.json` (which
agency, which months, which threshold ...) and `checks.py`. The same seed gives the same bytes. All of it is written, or
nothing. The case is drawn by lot among those in which the mistakes that the set looks for really give other answers.

From a terminal: `python -m mystique.grading.handout ps1 exercises/source/ps1 [--seed N]`.
"""

import argparse
import hashlib
import json
import shutil
import tempfile
import uuid
from pathlib import Path

import numpy as np

from mystique import data

# The sets that lie in exercises/ work on these data. Not the book's seed: a set asks for transfer, and a reader of the
# book must not find its answers there. One year later than the book's, so that nobody takes one for the other.
PRACTICE_SEED = data.REFERENCE_SEED + 1

CHECKS = Path(__file__).with_name("checks.py")


class HandoutError(ValueError):
    """A handout cannot be made; the message says why and what to do."""


def write_handout(problem_set, seed, folder):
    """Write what lies beside `problem_set`'s notebook into `folder` (it may hold the notebook); return the written paths."""
    if problem_set not in HANDOUTS:
        raise HandoutError(f"There is no handout for {problem_set!r}. There is one for: {', '.join(HANDOUTS)}.")
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
    draw, tables = HANDOUTS[problem_set]
    dataset = data.make("county", seed)
    with tempfile.TemporaryDirectory() as scratch:
        made = data.write(dataset, scratch)
        codebook = json.loads((made / "datapackage.json").read_text(encoding="utf-8"))
        codebook["resources"] = [each for each in codebook["resources"] if each["name"] in tables]
        files = {f"county/{name}.csv": (made / f"{name}.csv").read_bytes() for name in tables}
    files["county/datapackage.json"] = _json(codebook)
    files["case.json"] = _json(draw(dataset.tables, seed))
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


# ------------------------------------------------------------------------------------------------------- ps1: the case

ELEMENTS = {
    "race_ethnicity": "race and ethnicity", "veteran_status": "veteran status",
    "disabling_condition": "disabling condition", "prior_living_situation": "prior living situation",
}
MEASURES = {
    "error_rate_pct": "error rate (percent)", "median_days_to_entry": "median days to entry", "logins": "logins a month",
}
DAYS = (3, 7, 10, 14)                 # not 5: the book's monthly reports count entries within 5 days
LONGEST_PERIOD = 4                    # months; shorter ones leave small agencies with a handful of answers
CLEAR = 0.6                           # percentage points that keep an agency's figure off the threshold, whatever the rounding


def draw_ps1(tables, seed):
    """The case of ps1. Raises HandoutError if no case of these data tells right answers from the known mistakes."""
    rng = np.random.default_rng([seed, int(hashlib.sha256(b"ps1").hexdigest()[:8], 16)])
    workers, monthly = tables["workers"], tables["monthly"]
    records = tables["records"].query("county == 'Juniper'")
    names = workers.drop_duplicates("agency_id").set_index("agency_id")["agency"]
    double = workers.loc[workers["double_entry"] == 1, "agency_id"].iloc[0]

    periods = [(first, first + more) for more in range(1, LONGEST_PERIOD) for first in range(1, 19 - more)]
    agencies = [each for each in sorted(records["agency_id"].unique()) if each != double]
    bars = [(element, threshold, least) for element in ELEMENTS for threshold in range(60, 96, 5) for least in range(15, 41, 5)]
    for first, last in (periods[place] for place in rng.permutation(len(periods))):
        rows = records[records["month"].between(first, last)]
        days_taken = (rows["entry_date"] - rows["event_date"]).dt.days
        agency = _draw(rng, agencies, lambda pick: _due_is_telling(rows.loc[rows["agency_id"] == pick, "destination"]))
        bar = _draw(rng, bars, lambda pick: _visits_are_telling(rows, names, *pick))
        days = _draw(rng, DAYS, lambda limit: (days_taken == limit).sum() >= 3 and abs((days_taken <= limit).mean() - 0.5) > 0.02)
        if agency and bar and days:
            break
    else:
        _refuse("months, agency and threshold")
    element, threshold, least = bar
    services = sorted(set(records["service_asked"]) - {"housing"})  # the book's own example of a service gap
    service = _draw(rng, services, lambda name: _gap_is_telling(tables["records"], name)) or _refuse("service")
    measure = _draw(rng, list(MEASURES), lambda name: _change_is_telling(monthly, workers, name)) or _refuse("measure")
    return {
        "county": "Juniper",
        "comparison_county": "Larch",
        "agency_id": agency,
        "agency": str(names[agency]),
        "first_month": int(first),
        "last_month": int(last),
        "days": int(days),
        "element": element,
        "element_words": ELEMENTS[element],
        "threshold": int(threshold),
        "least_due": int(least),
        "service": service,
        "measure": measure,
        "measure_words": MEASURES[measure],
        "double_agency": str(names[double]),
        "double_agency_id": double,
        "actions_start": int(monthly.loc[monthly["period"] == "after", "month"].min()),
    }


def _draw(rng, candidates, is_telling):
    """One candidate by lot among those that are telling, or None."""
    for place in rng.permutation(len(candidates)):
        if is_telling(candidates[place]):
            return candidates[place]
    return None


def _refuse(what):
    raise HandoutError(f"ps1: in this seed's data no choice of {what} tells the known mistakes from a right answer. Use another seed.")


def _due_is_telling(statuses):
    counts = statuses.value_counts()
    kinds = {kind: int(counts.get(kind, 0)) for kind in ("valid", "doesn't know", "refused", "not collected", "not due")}
    due = sum(kinds.values()) - kinds["not due"]
    if due < 15 or min(kinds.values()) == 0:
        return False
    answers = {due, due + kinds["not due"], kinds["valid"], due - kinds["refused"], due - kinds["doesn't know"],
               due - kinds["not collected"], due - kinds["doesn't know"] - kinds["refused"]}
    return len(answers) == 7


def _visits_are_telling(rows, names, element, threshold, least):
    valid = (rows[element] == "valid").groupby(rows["agency_id"]).mean() * 100
    lenient = rows[element].isin(["valid", "refused"]).groupby(rows["agency_id"]).mean() * 100
    due = rows.groupby("agency_id").size()
    low, enough = valid < threshold, due >= least
    visit = valid[low & enough].sort_values()
    return bool(
        3 <= len(visit) <= 5
        and (valid - threshold).abs().min() > CLEAR
        and visit.diff().abs().min() > CLEAR
        and (low & ~enough).any()                                              # too few answers is not the same as poor
        and 2 <= ((lenient < threshold) & enough).sum() < len(visit)               # counting refusals as valid shows
        and list(visit.index) != sorted(visit.index)
        and [names[each] for each in visit.index] != sorted(names[each] for each in visit.index)
        and (valid[enough] >= threshold).sum() >= 2
    )


def _gap_is_telling(records, service):
    def gap(rows):
        return 100 * (rows["service_received"] == 0).mean()

    ours, both = records[records["county"] == "Juniper"], records[records["service_asked"] == service]
    mine = gap(ours[ours["service_asked"] == service])
    others = [100 - mine, gap(both), gap(ours)]
    return all(abs(mine - other) > 0.3 for other in others)


def _change_is_telling(monthly, workers, measure):
    def change(rows):
        means = rows.groupby("period")[measure].mean()
        return means["after"] - means["before"]

    juniper = monthly[monthly["county"] == "Juniper"]
    left = workers.loc[workers["left_month"].notna(), "worker_id"]
    everybody, stayers = change(juniper), change(juniper[~juniper["worker_id"].isin(left)])
    return abs(everybody - stayers) > 0.03 and abs(everybody - change(monthly)) > 0.03


HANDOUTS = {"ps1": (draw_ps1, ("workers", "monthly", "records"))}


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m mystique.grading.handout", description="Write what lies beside a problem set's notebook.")
    parser.add_argument("problem_set", choices=sorted(HANDOUTS))
    parser.add_argument("folder", help="the notebook's folder")
    parser.add_argument("--seed", type=int, default=PRACTICE_SEED, help=f"default: {PRACTICE_SEED}, the practice data")
    chosen = parser.parse_args(arguments)
    for path in write_handout(chosen.problem_set, chosen.seed, chosen.folder):
        print(path)


if __name__ == "__main__":
    main()
