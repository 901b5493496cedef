"""ps0: first steps, in the county's comparison half. The case is drawn so that each known mistake gives another answer."""

from .lots import first_telling, lot, no_case, rounding_shows

DATASET = "county"
TABLES = ("workers", "monthly")

COUNTY = "Larch"                      # ps1 is about Juniper
SCORES = {"usefulness_before": "asked in month 11", "usefulness_after": "asked in month 18"}
FEWEST = 3                            # people or rows: fewer tell nothing, and a mistake could agree by chance


def draw(tables, seed):
    """The case of ps0: months, limits, a role and a question of the county's workers and monthly reports."""
    rng = lot("ps0", seed)
    workers, monthly = tables["workers"], tables["monthly"]
    months = range(2, 19)
    quiet = [(month, logins) for month in months for logins in range(2, 6)]
    month, logins = first_telling(rng, quiet, lambda pick: _logins_are_telling(monthly, *pick)) or no_case("ps0", "month and number of logins")
    few = [(role, years) for role in sorted(workers["role"].unique()) for years in range(2, 9)]
    role, years = first_telling(rng, few, lambda pick: _count_is_telling(workers, *pick)) or no_case("ps0", "role and years")
    score = first_telling(rng, list(SCORES), lambda name: _score_is_telling(workers, name)) or no_case("ps0", "questionnaire")
    if not _caseloads_are_telling(workers):
        no_case("ps0", "agencies")
    late = first_telling(rng, list(months), lambda pick: _days_are_telling(monthly, pick)) or no_case("ps0", "month of entries")
    return {
        "county": COUNTY,
        "month": int(month),
        "logins": int(logins),
        "role": str(role),
        "years": int(years),
        "score": score,
        "score_words": SCORES[score],
        "due_month": int(rng.choice(months)),
        "late_month": int(late),
    }


def _logins_are_telling(monthly, month, logins):
    here, then = monthly["county"] == COUNTY, monthly["month"] == month
    below, up_to = monthly["logins"] < logins, monthly["logins"] <= logins
    sizes = [(here & then & below).sum(), (here & then & up_to).sum(), (here & then & ~below).sum(), (then & below).sum(), (here & below).sum(),
             (here & then).sum()]
    return sizes[0] >= FEWEST and (here & then & (monthly["logins"] == logins)).sum() >= 2 and len(set(sizes)) == len(sizes)


def _count_is_telling(workers, role, years):
    here, ours, new = workers["county"] == COUNTY, workers["role"] == role, workers["tenure_years"] < years
    if (here & ours & new).sum() < FEWEST or (here & ours & (workers["tenure_years"] == years)).any():
        return False
    counts = [(here & ours & new).sum(), (here & (ours | new)).sum(), (ours & new).sum(), (here & new).sum(), (here & ours & ~new).sum()]
    part = counts[0]
    wrong = [part / here.sum(), part / (here & new).sum(), (here & ours & ~new).sum() / (here & ours).sum(), (ours & new).sum() / ours.sum()]
    right = part / (here & ours).sum()
    return len(set(counts)) == len(counts) and _apart([100 * share for share in [right, *wrong]], 0.15) and rounding_shows(100 * right, 1)


def _score_is_telling(workers, name):
    ours = workers.loc[workers["county"] == COUNTY, name]
    counts = [ours.count(), len(ours), ours.isna().sum(), workers[name].count()]
    wrong = [ours.fillna(0).mean(), workers[name].mean()]
    return ours.isna().sum() >= FEWEST and len(set(counts)) == len(counts) and all(abs(ours.mean() - mean) > 0.012 for mean in wrong)


def _caseloads_are_telling(workers):
    means = workers[workers["county"] == COUNTY].groupby("agency")["caseload"].mean()
    in_order = list(means.sort_values(ascending=False).index)
    return in_order not in (sorted(in_order), sorted(in_order, reverse=True))


def _days_are_telling(monthly, month):
    """A few slow ones pull the mean above what is typical; other rows have another mean and median."""
    here, then = monthly["county"] == COUNTY, monthly["month"] == month
    mine, both, ever = (monthly.loc[rows, "median_days_to_entry"] for rows in (here & then, then, here))
    half_way = (mine.min() + mine.max()) / 2
    return ((mine < mine.mean()).mean() > 0.55 and _apart([mine.mean(), mine.median()], 1) and rounding_shows(mine.mean(), 1)
            and _apart([mine.mean(), mine.median(), both.mean()], 0.11) and _apart([mine.median(), mine.mean(), both.median(), half_way], 0.11)
            and abs(mine.mean() - ever.mean()) > 0.11 and abs(mine.median() - ever.median()) > 0.11)


def _apart(values, least):
    values = sorted(values)
    return all(after - before > least for before, after in zip(values, values[1:]))
