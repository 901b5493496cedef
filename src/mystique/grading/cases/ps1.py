"""ps1: the county's data. The case is drawn so that each known mistake gives another answer than a right one."""

from .lots import first_telling, lot, no_case, rounding_shows

DATASET = "county"
TABLES = ("workers", "monthly", "records")

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


def draw(tables, seed):
    """The case of ps1: an agency, months, a threshold, a service and a measure of the county's data."""
    rng = lot("ps1", seed)
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
        agency = first_telling(rng, agencies, lambda pick: _due_is_telling(rows.loc[rows["agency_id"] == pick, "destination"]))
        bar = first_telling(rng, bars, lambda pick: _visits_are_telling(rows, names, *pick))
        days = first_telling(rng, DAYS, lambda limit: (days_taken == limit).sum() >= 3 and abs((days_taken <= limit).mean() - 0.5) > 0.02)
        if agency and bar and days and rows.duplicated(["client_id", "event_date"]).any():
            break
    else:
        no_case("ps1", "months, agency and threshold")
    element, threshold, least = bar
    services = sorted(set(records["service_asked"]) - {"housing"})  # the book's own example of a service gap
    service = first_telling(rng, services, lambda name: _gap_is_telling(tables["records"], name)) or no_case("ps1", "service")
    measure = first_telling(rng, list(MEASURES), lambda name: _change_is_telling(monthly, workers, name)) or no_case("ps1", "measure")
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


def _due_is_telling(statuses):
    counts = statuses.value_counts()
    kinds = {kind: int(counts.get(kind, 0)) for kind in ("valid", "doesn't know", "refused", "not collected", "not due")}
    due = sum(kinds.values()) - kinds["not due"]
    if due < 15 or min(kinds.values()) == 0:
        return False
    answers = {due, due + kinds["not due"], kinds["valid"], due - kinds["refused"], due - kinds["doesn't know"],
               due - kinds["not collected"], due - kinds["doesn't know"] - kinds["refused"], kinds["not due"], due - kinds["valid"]}
    return len(answers) == 9


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
    asking = ours[ours["service_asked"] == service]
    mine = gap(asking)
    without = (asking["service_received"] == 0).sum()
    others = [100 - mine, gap(both), gap(ours), 100 * without / len(ours), without]
    return all(abs(mine - other) > 0.3 for other in others) and 2 * without != len(asking) and rounding_shows(mine, 1)


def _change_is_telling(monthly, workers, measure):
    start = monthly.loc[monthly["period"] == "after", "month"].min()

    def change(rows, start=start):
        means = rows.groupby(rows["month"] >= start)[measure].mean()
        return means[True] - means[False]

    juniper = monthly[monthly["county"] == "Juniper"]
    left = workers.loc[workers["left_month"].notna(), "worker_id"]
    everybody, stayers = change(juniper), change(juniper[~juniper["worker_id"].isin(left)])
    late = [(change(rows), change(rows, start + 1)) for rows in (juniper, juniper[~juniper["worker_id"].isin(left)])]    # its first month taken as before
    return abs(everybody - stayers) > 0.03 and abs(everybody - change(monthly)) > 0.03 and all(abs(one - other) > 0.012 for one, other in late)
