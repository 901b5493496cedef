"""The county data set: two invented counties whose workers must key homeless clients into one database.

In Juniper (45 workers) three actions start in month 12: infographics, a monthly committee, a monthly tip by e-mail.
In Larch (40 workers) nothing is done. The set echoes the shape of the opening case: about 45 users, seven months,
these three actions. The case gives no numbers, so every number here is the course's own choice, none is a finding.

What the traps do to completeness: mean (standard deviation) over the seeds 0 to 399, in points.

    true gain, mean of months 12-18                                   6.2; 6.06 after the limit of 100 %
    Juniper's mean before, after; Larch's                             75.1, 84.3; 75.7, 78.5
    before/after, all rows of Juniper                                 9.3 (0.5)
    before/after, only workers who stayed                             8.9 (0.5)
    last quarter before (months 9-11) against months 12-18            9.7 (0.7)
    difference in differences, all rows                               6.5 (0.7)
    difference in differences, terms for worker and month             6.06 (0.73)
    segmented regression of Juniper, terms for worker and month 9:    trend 0.25 (0.10), level 3.0 (0.9), slope 0.77 (0.20)
    the same, month 9 kept as an ordinary month:                      trend 0.09 (0.09), level 4.4 (0.9), slope 0.93 (0.20)
    the ten lowest of Larch in month 11, change to month 12           +2.7 (1.8), the ten highest -1.9 (1.6)
    the same ten lowest, change to the mean of months 12-18           +4.4 (1.6), of which the trend is 1.0
"""

import numpy as np
import pandas as pd

from mystique.theory import logistic

from .package import LICENCE, DataSet, field, resource, tabulate

NAME = "county"
TITLE = "Two counties' database of services for homeless people (synthetic)"

# ---------------------------------------------------------------- parameters: each a choice of the course

MONTHS = 18                    # 11 before and 7 after: the case speaks of seven months
ACTIONS_START = 12
FIRST_MONTH = "2023-01"        # month 1; dates only make the files look like files
EXTRACT = "2024-12-31"         # the day the records were copied out: 180 days after the last event, so no wait is cut short
SERVICE_WINDOW = 180           # days; a service that came later counts as not received

# Agencies: name and number of workers. Unequal, as in life, and none so small that its chart is pure noise.
AGENCIES = {
    "Juniper": [("Lantern House", 6), ("Juniper Street Outreach", 6), ("Cedar Row Family Shelter", 5), ("Fairwater Housing Aid", 5),
                ("Northgate Night Shelter", 5), ("Millbrook Health Van", 4), ("Two Rivers Youth Services", 4),
                ("Stonebridge Legal Help", 4), ("Ashford Veterans Center", 3), ("Orchard Lane Day Center", 3)],
    "Larch": [("Kestrel Hill Shelter", 7), ("Larch Valley Outreach", 6), ("Brightwell Housing Trust", 6), ("Quarry Street Clinic", 5),
              ("Elmfield Family Services", 5), ("Saltmarsh Road Shelter", 4), ("Pinecroft Day Center", 4), ("Westering Youth House", 3)],
}
ROLES = {"case manager": .40, "outreach worker": .25, "shelter worker": .20, "intake worker": .15}

# Quality: one hidden number a worker and month, in points of completeness. It drives monthly.csv and records.csv alike.
BASE = 74.8                    # puts Juniper's mean of months 1-11 near 75
TREND = 0.25                   # a month, in both counties: practice improves a little by itself
LEVEL = 3.0                    # Juniper, at once in month 12 ...
SLOPE = 0.8                    # ... and more each month (times 1 in month 12, 7 in month 18): mean gain 6.2 points
WORKER_SD = 7.0                # lasting differences between workers, of which ...
AGENCY_SD = 3.0                # ... this much between agencies
CASELOAD_SLOPE = -0.1          # points for each client above the mean caseload: more clients, less time for each record
NOISE_SD = 5.0                 # a worker's good and bad months: large enough for regression to the mean
NOISE_CARRIED = 0.4            # share of it carried to the next month (AR(1))
UPDATE_MONTH, UPDATE_DIP = 9, -6.0   # one month, both counties: both run the same system, so a comparison removes it, and the
                               # column system_update marks exactly what a regression must leave out
COMPLETENESS_RANGE = 40, 100

# Leavers: the weakest worker of each of two Juniper agencies, early after the start, so that the mean of those left flatters.
LEAVE_AFTER = 12, 14           # last month worked
# One Juniper agency (of 4 workers or more, so that it shows) keys its clients into a system of its own first.
DOUBLE_ENTRY_QUALITY = -6.0    # points: second-hand entry is less complete ...
DOUBLE_ENTRY_DAYS = 1.4        # ... and slower, beyond what its quality explains
DUPLICATED = 0.25              # share of its enrolments that its upload writes a second time, later and less complete
DUPLICATE_GAPS = 1.4           # times the chance of an answer without value

# What goes with quality. Each is set at quality 75, and the slope takes it to the planned value at 83.5.
DAYS, DAYS_SLOPE, DAYS_SPREAD, DAYS_MOST = 12.0, -0.064, 0.8, 120   # median 12 days falls to 7; log scale; 120 keeps entry before EXTRACT
ERRORS, ERRORS_SLOPE, ERRORS_SD = 14.0, -0.59, 2.5                  # 14 % falls to 9 %
LOGINS, LOGINS_SLOPE, LOGINS_ACTIONS = 4.0, 0.03, 0.30              # 4 rise to 7, part of it because tips remind; log scale
ENTERED, ENTERED_SLOPE = 0.89, 0.0045                               # share of due records that were entered
TIP_OPENED, COMMITTEE = 0.4, -0.9    # log odds for an average worker; +0.6 for each SD of lasting quality: the good ones come
TURNS_UP = 0.6
INFOGRAPHIC_MONTHS = 12, 15          # sent to all of Juniper, at the start and after a quarter

# Enrolments. An element's gaps: how its answers without value compare with the mean, and which kind they are.
ENROLMENTS = 0.10              # a month for each client of the caseload: about 2.7 a worker, 4,000 in all
RETURNING = 0.12               # share of enrolments of a client whom the agency knows: a repeated client_id is no mistake
STAY_MONTHS = 8                # mean length of an enrolment: many of the last are still enrolled, their destination not due
ELEMENTS = {                   # gaps, then shares of: doesn't know, refused, not collected
    "date_of_birth": (0.4, (.25, .25, .50)),
    "race_ethnicity": (0.8, (.10, .50, .40)),
    "veteran_status": (0.9, (.40, .10, .50)),
    "disabling_condition": (1.2, (.25, .35, .40)),
    "prior_living_situation": (0.9, (.30, .20, .50)),
    "destination": (1.8, (.20, .05, .75)),   # the hardest element: people leave without an exit talk
}
REFUSAL_SD = 0.7               # how much agencies differ in writing "refused" (log odds): counting it as valid changes their order
STATUSES = ("valid", "doesn't know", "refused", "not collected")

# Services: share of those asking, share received, median wait in days. Housing: asked most, met least, and getting worse.
SERVICES = {
    "housing": (.36, .40, 45), "shelter": (.22, .72, 2), "health care": (.14, .66, 12),
    "income support": (.13, .62, 28), "employment": (.08, .55, 24), "legal advice": (.07, .50, 32),
}
HOUSING_RECEIVED_TREND = -0.0106     # a month: .40 in month 1, .22 in month 18
HOUSING_WAIT_TREND = 2.06            # days a month: 45 in month 1, 80 in month 18
SERVICE_AGENCY_SD, WAIT_SPREAD = 0.03, 0.4

# The questionnaire, months 11 and 18. One hidden contentment a worker and wave; means on the scale of 1 to 7.
WAVES = 11, 18
USEFULNESS = {("Juniper", 11): 2.75, ("Juniper", 18): 4.15, ("Larch", 11): 2.75, ("Larch", 18): 2.85}  # answers then average 2.9, 4.4
SUPPORT = {("Juniper", 11): 2.9, ("Juniper", 18): 4.7, ("Larch", 11): 2.9, ("Larch", 18): 3.0}
OURS = {("Juniper", 11): (.10, .65), ("Juniper", 18): (.42, .33), ("Larch", 11): (.10, .65), ("Larch", 18): (.12, .62)}  # "ours", "theirs"
NO_ANSWER = {11: -2.2, 18: -1.4}     # log odds for a worker of average contentment: fewer answer the second time ...
NO_ANSWER_SLOPE = -1.3               # ... and the least content least of all
SKIPPED = 0.03                       # single questions left out, by chance
# Needs go with lasting quality as meta-analyses of other settings found for performance (Cerasoli et al. 2016),
# before agency and caseload come in, and with each other at .5.
NEEDS = {"autonomy": .28, "competence": .37, "relatedness": .25}

# ---------------------------------------------------------------- making


def make(seed):
    """The county data set from a seed. Each step draws from a stream of its own, so that changing one leaves the others."""
    streams = [np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(8)]
    staff = hire(streams[0])
    panel = follow(streams[1], staff)
    panel = panel.assign(**report(streams[2], panel))
    enrolments = ask_for_services(streams[3], enrol(streams[4], panel))
    records = fill_in(streams[5], upload_again(streams[6], enrolments))
    answers = ask_workers(streams[7], staff)

    raw = {"workers": staff.merge(usefulness(answers), on="worker_id", how="left"), "monthly": panel, "records": records, "voice": answers}
    tables = {name: tabulate(raw[name], COLUMNS[name]) for name in COLUMNS}
    return DataSet(NAME, TITLE, seed, tables, codebook(tables), truth(seed, staff, panel, records, answers))


def hire(rng):
    """One row a worker: who she is, her lasting quality, her needs, whether her agency double-enters, when she leaves."""
    places = [
        (county, f"{county[0]}{number:02d}", agency)
        for county, agencies in AGENCIES.items() for number, (agency, size) in enumerate(agencies, start=1) for _ in range(size)
    ]
    staff = pd.DataFrame(places, columns=["county", "agency_id", "agency"])
    size = len(staff)
    staff.insert(0, "worker_id", [f"W{number:03d}" for number in range(1, size + 1)])
    staff["role"] = rng.choice(list(ROLES), size, p=list(ROLES.values()))
    staff["tenure_years"] = rng.gamma(1.6, 4.0, size).clip(0.3, 20)
    staff["caseload"] = rng.normal(27, 7, size).round().clip(10, 45)
    days_ago = rng.uniform(20, 1 + 365 * staff["tenure_years"].clip(upper=5))
    staff["training_date"] = pd.Timestamp("2022-12-31") - pd.to_timedelta(days_ago.round(), unit="D")

    # Lasting quality and needs: own parts correlated as NEEDS says, plus what the agency's workers share.
    correlation = np.full((4, 4), 0.5)
    correlation[0, 1:] = correlation[1:, 0] = list(NEEDS.values())
    np.fill_diagonal(correlation, 1)
    own = rng.multivariate_normal(np.zeros(4), correlation, size, method="cholesky")
    shared = pd.Series(rng.normal(0, AGENCY_SD, staff["agency_id"].nunique()), staff["agency_id"].unique())
    staff["ability"] = shared[staff["agency_id"]].to_numpy() + own[:, 0] * np.sqrt(WORKER_SD**2 - AGENCY_SD**2)
    eligible = [f"J{number:02d}" for number, (_, workers) in enumerate(AGENCIES["Juniper"], start=1) if workers >= 4]
    double = rng.choice(eligible)
    staff["double_entry"] = (staff["agency_id"] == double).astype(int)
    # The counties start alike, and double entry shows as what it is, whatever the seed.
    staff["ability"] -= staff.groupby(["county", "double_entry"])["ability"].transform("mean")

    for need, score in zip(NEEDS, own[:, 1:].T):
        staff[need] = np.where(rng.random(size) < SKIPPED, np.nan, (3.1 + 0.7 * score).clip(1, 5))
    staff["content"] = 0.4 * own[:, 0] + 0.4 * own[:, 3] + rng.normal(0, 0.75, size)  # variance about 1

    staff["level"] = BASE + staff["ability"] + CASELOAD_SLOPE * (staff["caseload"] - 27) + DOUBLE_ENTRY_QUALITY * staff["double_entry"]
    weakest = staff[staff["agency_id"].isin(eligible) & (staff["agency_id"] != double)].sort_values("level").drop_duplicates("agency_id")
    staff["left_month"] = pd.Series(LEAVE_AFTER, index=weakest.index[:2])
    return staff


def follow(rng, staff):
    """One row a worker and month worked, with the hidden quality, and the part of it that the actions gave."""
    noise = np.empty((len(staff), MONTHS))
    noise[:, 0] = rng.normal(0, NOISE_SD, len(staff))
    for month in range(1, MONTHS):
        noise[:, month] = NOISE_CARRIED * noise[:, month - 1] + rng.normal(0, NOISE_SD * np.sqrt(1 - NOISE_CARRIED**2), len(staff))
    panel = staff.loc[staff.index.repeat(MONTHS)].reset_index(drop=True)
    panel["month"] = np.tile(np.arange(1, MONTHS + 1), len(staff))
    panel["period"] = np.where(panel["month"] < ACTIONS_START, "before", "after")
    panel["acted_on"] = (panel["county"] == "Juniper") & (panel["period"] == "after")
    panel["gain"] = np.where(panel["acted_on"], gain(panel["month"]), 0.0)
    panel["system_update"] = (panel["month"] == UPDATE_MONTH).astype(int)
    panel["quality"] = panel["level"] + TREND * panel["month"] + panel["gain"] + UPDATE_DIP * panel["system_update"] + noise.ravel()
    leaving = panel[panel["month"] == panel["left_month"]]
    panel["staff_turnover"] = pd.MultiIndex.from_frame(panel[["agency_id", "month"]]).isin(
        pd.MultiIndex.from_frame(leaving[["agency_id", "month"]])).astype(int)
    return panel[panel["month"] <= panel["left_month"].fillna(MONTHS)].reset_index(drop=True)


def gain(month):
    """What the actions add to quality, in points of completeness, from month 12 on."""
    return LEVEL + SLOPE * (month - ACTIONS_START + 1)


def report(rng, panel):
    """The columns of the database's monthly report over each worker's whole open caseload."""
    better, size = panel["quality"] - 75, len(panel)
    due = rng.poisson(panel["caseload"]).clip(min=1)
    entered = rng.binomial(due, (ENTERED + ENTERED_SLOPE * better).clip(0.5, 0.99)).clip(min=1)
    waits = [days_to_entry(rng, pace, n) for pace, n in zip(pace_of_entry(panel), entered)]
    turns_up = TURNS_UP * panel["ability"] / WORKER_SD
    return {
        "records_due": due,
        "records_entered": entered,
        "completeness_pct": panel["quality"].clip(*COMPLETENESS_RANGE),
        "median_days_to_entry": [np.median(days) for days in waits],
        "pct_within_5_days": [100 * np.mean(days <= 5) for days in waits],
        "error_rate_pct": (ERRORS + ERRORS_SLOPE * better + rng.normal(0, ERRORS_SD, size)).clip(0, 60),
        "logins": rng.poisson(LOGINS * np.exp(LOGINS_SLOPE * better + LOGINS_ACTIONS * panel["acted_on"])),
        "tip_opened": (panel["acted_on"] & (rng.random(size) < logistic(TIP_OPENED + turns_up))).astype(int),
        "committee_attended": (panel["acted_on"] & (rng.random(size) < logistic(COMMITTEE + turns_up))).astype(int),
        "infographic_sent": (panel["acted_on"] & panel["month"].isin(INFOGRAPHIC_MONTHS)).astype(int),
    }


def pace_of_entry(panel):
    """The median days to entry that a worker's quality that month leads to."""
    return DAYS * np.exp(DAYS_SLOPE * (panel["quality"] - 75)) * np.where(panel["double_entry"] == 1, DOUBLE_ENTRY_DAYS, 1)


def days_to_entry(rng, pace, size=None):
    """Whole days from event to entry, 0 to DAYS_MOST."""
    return np.minimum(np.round(pace * np.exp(rng.normal(0, DAYS_SPREAD, size))), DAYS_MOST)


def enrol(rng, panel):
    """One row an enrolment, in the order of the events."""
    rows = panel.loc[panel.index.repeat(rng.poisson(ENROLMENTS * panel["caseload"]))].reset_index(drop=True)
    starts = pd.Series(pd.period_range(FIRST_MONTH, periods=MONTHS, freq="M").to_timestamp())[rows["month"] - 1].reset_index(drop=True)
    rows["event_date"] = starts + pd.to_timedelta(np.floor(rng.random(len(rows)) * starts.dt.days_in_month), unit="D")
    rows["entry_date"] = rows["event_date"] + pd.to_timedelta(days_to_entry(rng, pace_of_entry(rows), len(rows)), unit="D")
    stay = pd.to_timedelta(np.ceil(rng.exponential(30.4 * STAY_MONTHS, len(rows))), unit="D")
    rows["destination_due"] = rows["event_date"] + stay <= pd.Timestamp(EXTRACT)
    rows = rows.sort_values(["event_date", "worker_id"], kind="stable", ignore_index=True)
    return rows.assign(client_id=number_clients(rng, rows))


def number_clients(rng, rows):
    """A client for each enrolment: mostly a new one, sometimes one whom the agency enrolled on an earlier day."""
    known, last_day, clients = {}, {}, []
    returns, picks = rng.random(len(rows)) < RETURNING, rng.random(len(rows))
    for agency_id, day, again, pick in zip(rows["agency_id"], rows["event_date"], returns, picks):
        before = known.setdefault(agency_id, [])
        client = before[int(pick * len(before))] if again and before else None
        if client is None or last_day[client] == day:
            client = f"C{len(clients) + 1:05d}"
        before.append(client)
        last_day[client] = day
        clients.append(client)
    return clients


def upload_again(rng, rows):
    """Some enrolments of the double-entering agency come a second time from its own system: same client, same day, entered later."""
    again = rows[(rows["double_entry"] == 1) & (rng.random(len(rows)) < DUPLICATED)]
    later = np.minimum((again["entry_date"] - again["event_date"]).dt.days + rng.integers(3, 21, len(again)), DAYS_MOST)
    again = again.assign(entry_date=again["event_date"] + pd.to_timedelta(later, unit="D"))
    both = pd.concat([rows.assign(duplicate=False), again.assign(duplicate=True)])
    return both.sort_values(["event_date", "worker_id", "client_id", "duplicate"], kind="stable", ignore_index=True)


def fill_in(rng, rows):
    """Add a status for each element: valid, or one of the three ways of having no answer, or not due."""
    gaps = (1 - rows["quality"].clip(*COMPLETENESS_RANGE) / 100) * np.where(rows["duplicate"], DUPLICATE_GAPS, 1)
    agency_ids = sorted(rows["agency_id"].unique())
    habit = pd.Series(np.exp(rng.normal(0, REFUSAL_SD, len(agency_ids))), agency_ids)[rows["agency_id"]].to_numpy()
    statuses = {}
    for element, (weight, kinds) in ELEMENTS.items():
        kinds = np.array([np.full(len(rows), kinds[0]), kinds[1] * habit, np.full(len(rows), kinds[2])])
        missing = (weight * gaps).clip(upper=0.98).to_numpy() * kinds / kinds.sum(axis=0)
        steps = np.cumsum(np.vstack([1 - missing.sum(axis=0), missing]), axis=0)
        statuses[element] = np.array(STATUSES)[(rng.random(len(rows)) > steps[:-1]).sum(axis=0)]
    statuses["destination"] = np.where(rows["destination_due"], statuses["destination"], "not due")
    return rows.assign(record_id=[f"R{number:05d}" for number in range(1, len(rows) + 1)], **statuses)


def ask_for_services(rng, rows):
    """Add the service asked for, whether it came, and after how many days."""
    names, numbers = list(SERVICES), np.array(list(SERVICES.values()))
    asked = rng.choice(len(names), len(rows), p=numbers[:, 0])
    housing, months = asked == names.index("housing"), rows["month"].to_numpy() - 1
    agency_ids = sorted(rows["agency_id"].unique())
    luck = pd.Series(rng.normal(0, SERVICE_AGENCY_SD, len(agency_ids)), agency_ids)[rows["agency_id"]].to_numpy()
    received = rng.random(len(rows)) < numbers[asked, 1] + luck + np.where(housing, HOUSING_RECEIVED_TREND * months, 0)
    median = numbers[asked, 2] + np.where(housing, HOUSING_WAIT_TREND * months, 0)
    wait = np.minimum(np.round(median * np.exp(rng.normal(0, WAIT_SPREAD, len(rows)))), SERVICE_WINDOW)
    return rows.assign(
        service_asked=np.array(names)[asked], service_received=received.astype(int), wait_days=np.where(received, wait, np.nan))


def ask_workers(rng, staff):
    """One row a worker and wave: the answers, and the contentment behind them. Whoever has left is not asked."""
    waves = [staff.assign(month=month) for month in WAVES]
    asked = pd.concat(waves).query("left_month.isna() or left_month >= month").reset_index(drop=True)
    size, key = len(asked), list(zip(asked["county"], asked["month"]))
    mood = (0.85 * asked["content"] + rng.normal(0, 0.5, size)).to_numpy()
    silent = rng.random(size) < logistic(asked["month"].map(NO_ANSWER) + NO_ANSWER_SLOPE * mood)

    def scale(means):
        exact = np.array([means[each] for each in key]) + 1.1 * mood + rng.normal(0, 0.6, size)
        return np.round(exact).clip(1, 7)

    def left_out(answers):
        return pd.Series(answers).mask(silent | (rng.random(size) < SKIPPED))

    owning = 0.8 * mood + rng.normal(0, 0.6, size)
    rank = pd.Series(owning).groupby([asked["county"], asked["month"]]).rank(pct=True).to_numpy()
    ours, theirs = np.array([OURS[each] for each in key]).T
    belongs = np.select([rank > 1 - ours, rank <= theirs], ["ours", "theirs"], "neither")
    complete = {"usefulness_all": scale(USEFULNESS), "support_all": scale(SUPPORT), "ours_all": belongs}
    return asked.assign(
        **complete, silent=silent, usefulness=left_out(complete["usefulness_all"]),
        support=left_out(complete["support_all"]), ours_or_theirs=left_out(belongs),
    )


def usefulness(answers):
    """The two waves' usefulness side by side, one row a worker."""
    wide = answers.pivot(index="worker_id", columns="month", values="usefulness")
    return wide.set_axis(["usefulness_before", "usefulness_after"], axis=1).reset_index()


# ---------------------------------------------------------------- columns: exactly these, in this order, are in the files

COUNTIES, PERIODS, YES_NO = list(AGENCIES), ["before", "after"], [0, 1]
EMPTY_IF_SILENT = "Empty if the worker did not answer."


def _worker_id(**constraints):
    return field("worker_id", "string", "The worker. The same person has the same identifier in every table.", unit="identifier",
                 construction="Numbered by county and agency; says nothing else.", pattern="W[0-9]{3}", **constraints)


def _county():
    return field("county", "string", "The invented county. The actions were taken in Juniper; Larch is there to compare with.",
                 unit="category", enum=COUNTIES,
                 construction="Fixed: 45 workers in Juniper, 40 in Larch.")


def _agency_id():
    return field("agency_id", "string", "The agency that employs the worker: J01 to J10 in Juniper, L01 to L08 in Larch.",
                 unit="identifier", pattern="J(0[1-9]|10)|L0[1-8]",
                 construction="Fixed: the number of workers of each agency is the same in every version of the data.")


def _month(description, construction, **limits):
    return field("month", "integer", description, unit="month number; month 1 is January 2023", construction=construction, **limits)


def _flag(name, description, construction):
    return field(name, "integer", description, unit="1 = yes, 0 = no", construction=construction, enum=YES_NO)


def _need(name, meaning):
    return field(name, "number", f"How far the worker feels {meaning}; mean of a short questionnaire before the actions.",
                 unit="score from 1 to 5", minimum=1, maximum=5, decimals=2,
                 missing="Empty if left out, by chance: about 3 in 100.",
                 construction="Drawn around 3.1, with standard deviation 0.7; workers of better lasting quality score "
                              "somewhat higher, and the three needs go together (correlation 0.5).")


def _usefulness(name, month):
    return field(name, "integer", f"'The database is useful for my work', asked in month {month}.",
                 unit="score from 1 (not at all) to 7 (very)", minimum=1, maximum=7,
                 missing=EMPTY_IF_SILENT + (" Empty for a worker who had left." if month == WAVES[1] else ""),
                 construction="The county's mean at that time, plus the worker's contentment, plus chance; rounded.")


def _status(name, meaning, extra=()):
    return field(name, "string",
                 f"What the record holds for the client's {meaning}: a valid answer, or why there is none. The answer itself is left out."
                 + (" 'not due': the client is still enrolled, so no answer is needed yet." if extra else ""),
                 unit="category", enum=[*STATUSES, *extra],
                 construction="Valid with a chance that follows the worker's quality that month, harder for some elements than for "
                              "others; the other statuses share what is left. Agencies differ in how readily they write 'refused'."
                 + (" Not due if the enrolment, of random length, went on after the day of the extract." if extra else ""))


COLUMNS = {
    "workers": [
        _worker_id(unique=True),
        _county(),
        _agency_id(),
        field("agency", "string", "The agency's name, invented.", unit="name",
              enum=[name for agencies in AGENCIES.values() for name, _ in agencies],
              construction="Fixed list."),
        field("role", "string", "The worker's job.", unit="category", enum=list(ROLES),
              construction="Drawn: 40, 25, 20 and 15 in 100, in the order of the categories; unrelated to anything else."),
        field("tenure_years", "number", "Years in the job at the start of month 1.", unit="years", minimum=0, maximum=20,
              decimals=1,
              construction="Drawn from a gamma distribution with mean 6.4, limited to 0.3 to 20."),
        field("caseload", "integer", "Clients whom the worker looks after at one time.", unit="clients", minimum=10, maximum=45,
              construction="Drawn around 27, with standard deviation 7, limited to 10 to 45. More clients go with slightly "
                           "lower quality."),
        field("training_date", "date", "Last training in the use of the database.", unit="date", minimum="2017-12-01",
              maximum="2022-12-31",
              construction="Drawn evenly between being hired (at most 5 years ago) and the end of 2022."),
        _flag("double_entry",
              "Does the worker's agency key its clients into a system of its own first, and then into the county's?",
              "One agency of Juniper, drawn by lot. It changes how fast and how fully its workers enter."),
        _need("autonomy", "free to do the work in her own way"),
        _need("competence", "able to do the work well"),
        _need("relatedness", "close to the people she works with"),
        _usefulness("usefulness_before", 11),
        _usefulness("usefulness_after", 18),
        field("left_month", "integer", "The last month that the worker worked; she was not replaced in these data.",
              unit="month number", minimum=1, maximum=MONTHS, missing="Empty if the worker stayed to the end.",
              construction="Two workers of Juniper leave."),
    ],
    "monthly": [
        _worker_id(),
        _county(),
        _agency_id(),
        _month("The month of the report.", "Every month from 1 to 18 in which the worker worked.", minimum=1, maximum=MONTHS),
        field("period", "string", "Before or after the start of the actions, in either county: months 1-11 or 12-18.",
              unit="category", enum=PERIODS,
              construction="From the month."),
        field("records_due", "integer", "Records of the worker's open caseload that needed a new or changed entry that month.",
              unit="records", minimum=1, maximum=120,
              construction="Drawn around the caseload (Poisson), at least 1."),
        field("records_entered", "integer", "Those of them that were entered.", unit="records", minimum=1, maximum=120,
              construction="Drawn (binomial): nearly nine in ten due records, more where quality is high; at least 1."),
        field("completeness_pct", "number",
              "Valid answers as a share of the answers due, over all records of the worker's open caseload. 'Doesn't know', "
              "'refused' and 'not collected' are due and not valid.",
              unit="percent", minimum=40, maximum=100, decimals=1,
              construction="The worker's quality that month: her lasting level, plus a slow common trend, plus a passing "
                           "disturbance, less the trouble of the system update, plus what the actions add; limited to 40 to "
                           "100. Not the mean of records.csv, which holds only new enrolments."),
        field("median_days_to_entry", "number", "Median days between an event and its entry.", unit="days", minimum=0,
              maximum=DAYS_MOST, decimals=1,
              construction="Median of the days drawn for that month's entries (log-normal); better quality is faster."),
        field("pct_within_5_days", "number", "Entries made within 5 days, as a share of that month's entries.", unit="percent",
              minimum=0, maximum=100, decimals=1,
              construction="From the same drawn days as the median."),
        field("error_rate_pct", "number",
              "Entered answers that break a rule, for instance a birth date in the future, as a share of those checked. A "
              "missing answer is not counted here.",
              unit="percent", minimum=0, maximum=60, decimals=1,
              construction="Falls as quality rises, plus chance; limited to 0 to 60."),
        field("logins", "integer", "Times that the worker opened the database.", unit="logins a month", minimum=0, maximum=100,
              construction="Drawn (Poisson); rises with quality, and a little with the monthly tip."),
        _flag("tip_opened", "Did the worker open that month's tip?",
              "Drawn from month 12 on, in Juniper; better workers open it more often."),
        _flag("committee_attended", "Did the worker come to that month's committee?",
              "Drawn from month 12 on, in Juniper; better workers come more often."),
        _flag("infographic_sent", "Was an infographic sent to the worker that month?",
              "Juniper, months 12 and 15, to everybody."),
        _flag("system_update", "Was the database updated that month?", "Month 9, in both counties: they run the same system."),
        _flag("staff_turnover", "Did somebody at the worker's agency leave at the end of that month?",
              "From left_month in workers.csv."),
    ],
    "records": [
        field("record_id", "string", "One row of the database: one enrolment, as somebody entered it.", unit="identifier",
              pattern="R[0-9]{5}", unique=True,
              construction="Numbered in the order of the events."),
        field("client_id", "string",
              "The client. May appear again: some clients come back on a later day, and some enrolments were written twice "
              "(same client, same event_date).",
              unit="identifier", pattern="C[0-9]{5}",
              construction="About one enrolment in eight is of a client whom the agency enrolled before. The double-entering "
                           "agency's upload writes about a quarter of its enrolments a second time."),
        _worker_id(),
        _county(),
        _agency_id(),
        _month("The month of the enrolment.", "From event_date.", minimum=1, maximum=MONTHS),
        field("event_date", "date", "The day on which the client was enrolled.", unit="date", minimum="2023-01-01",
              maximum="2024-06-30",
              construction="Drawn evenly within the month; about one enrolment a month for every ten clients of the caseload."),
        field("entry_date", "date", "The day on which the record was entered.", unit="date", minimum="2023-01-01",
              maximum=EXTRACT,
              construction=f"event_date plus drawn days (log-normal; better quality is faster; at most {DAYS_MOST}). A record "
                           "written twice was entered later the second time."),
        _status("date_of_birth", "date of birth"),
        _status("race_ethnicity", "race and ethnicity"),
        _status("veteran_status", "status as a veteran"),
        _status("disabling_condition", "disabling condition"),
        _status("prior_living_situation", "living situation before enrolment"),
        _status("destination", "destination on leaving", extra=("not due",)),
        field("service_asked", "string", "The service that the client asked for most urgently.", unit="category",
              enum=list(SERVICES),
              construction="Drawn with a fixed share for each service."),
        _flag("service_received", f"Did the client receive it within {SERVICE_WINDOW} days?",
              "Drawn with a chance for each service, which differs a little between agencies; for one service it changes over "
              "the months."),
        field("wait_days", "integer", "Days from asking to receiving.", unit="days", minimum=0, maximum=SERVICE_WINDOW,
              missing="Empty if the service was not received.",
              construction="Drawn (log-normal) around a median for each service; for one service the median changes over the "
                           "months."),
    ],
    "voice": [
        _worker_id(),
        _county(),
        _agency_id(),
        _month("The month of the questionnaire.", "Fixed: before the actions and at their end, for everyone then at work.",
               enum=list(WAVES)),
        field("support", "integer", "'I support the database and its use.'", unit="score from 1 (not at all) to 7 (fully)",
              minimum=1, maximum=7, missing=EMPTY_IF_SILENT,
              construction="The county's mean at that time, plus the worker's contentment, plus chance; rounded."),
        field("ours_or_theirs", "string", "'Whose project is the database?'", unit="category",
              enum=["ours", "theirs", "neither"], missing=EMPTY_IF_SILENT,
              construction="A set share of each county and wave for each answer; the more content a worker, the likelier "
                           "'ours'."),
    ],
}


HOW_MADE = [
    "Every worker has a lasting quality of her own, part of which her agency's workers share; a large caseload and keying everything twice lower it.",
    "Each month adds a slow trend, chance that fades from month to month, and, where the actions were taken, their gain.",
    "That hidden quality of a worker and month drives all columns of the monthly report, and the gaps and delays of the records alike.",
    "What clients ask for and whether they receive it does not depend on the worker.",
    "The questionnaire comes from a second hidden number, a worker's contentment, and the least content answer least.",
]
ARROWS = [  # from, to, sign, note
    ("lasting quality of the worker", "quality that month", "+", "differs between workers and a little between agencies"),
    ("caseload", "quality that month", "-", "less time for each record"),
    ("double entry", "quality that month", "-", "second-hand entry is less complete"),
    ("system update", "quality that month", "-", "one month, both counties"),
    ("trend and chance", "quality that month", "", "in both counties"),
    ("the three actions", "quality that month", "+", "in one county, from month 12 on"),
    ("quality that month", "completeness", "+", ""),
    ("quality that month", "days to entry", "-", ""),
    ("quality that month", "errors", "-", ""),
    ("quality that month", "logins", "+", ""),
    ("lasting quality of the worker", "contentment", "+", ""),
    ("the three actions", "contentment", "+", "as answered in month 18"),
    ("contentment", "support and ownership", "+", ""),
    ("contentment", "answers at all", "+", "the least content keep silent"),
]


def codebook(tables):
    """The Frictionless Data Package. The seed is not in it: that of a cohort is a secret."""
    of_worker = {"worker_id": ("workers", "worker_id")}
    return {
        "name": NAME,
        "title": TITLE,
        "description": "SYNTHETIC data, made for teaching: no person, agency or county in it is real, and no number is a finding. "
                       "Two invented counties use one database for services to homeless people. In Juniper, actions to win the "
                       "workers over start in month 12; in Larch there are none. 'construction' tells how each column was made.",
        "keywords": ["synthetic", "teaching", "public administration", "data quality"],
        "how_made": HOW_MADE,
        "causal_diagram": [dict(zip(("from", "to", "sign", "note"), arrow)) for arrow in ARROWS],
        "licenses": [LICENCE],
        "resources": [
            resource("workers", "One row a worker.", tables["workers"], COLUMNS["workers"], key=["worker_id"]),
            resource("monthly", "One row a worker and month worked: the database's monthly report over the worker's whole open caseload.",
                     tables["monthly"], COLUMNS["monthly"], key=["worker_id", "month"], refers_to=of_worker),
            resource("records", f"One row a record of a new enrolment, as the database held it on {EXTRACT}.",
                     tables["records"], COLUMNS["records"], key=["record_id"], refers_to=of_worker),
            resource("voice", "One row a worker and questionnaire: what users say of the database.",
                     tables["voice"], COLUMNS["voice"], key=["worker_id", "month"], refers_to=of_worker),
        ],
    }


# ---------------------------------------------------------------- the truth, for the teacher


def truth(seed, staff, panel, records, answers):
    """What was put in, so that what students find can be judged. Never handed out."""
    acted_on = panel[panel["acted_on"]]
    limited = acted_on["quality"].clip(*COMPLETENESS_RANGE) - (acted_on["quality"] - acted_on["gain"]).clip(*COMPLETENESS_RANGE)
    leavers = staff[staff["left_month"].notna()]
    double = staff.loc[staff["double_entry"] == 1, "agency_id"].iloc[0]
    return {
        "canary": "MYSTIQUE-CANARY-truth-county",
        "name": NAME,
        "seed": seed,
        "parameters": {
            "actions_start_month": ACTIONS_START, "trend_a_month": TREND, "level": LEVEL, "slope_a_month": SLOPE,
            "worker_sd": WORKER_SD, "agency_sd": AGENCY_SD, "noise_sd": NOISE_SD, "noise_carried": NOISE_CARRIED,
            "update_month": UPDATE_MONTH, "update_dip": UPDATE_DIP, "double_entry_quality": DOUBLE_ENTRY_QUALITY,
            "double_entry_days_ratio": DOUBLE_ENTRY_DAYS, "duplicated_share": DUPLICATED, "caseload_slope": CASELOAD_SLOPE,
            "days_slope_log": DAYS_SLOPE, "error_slope": ERRORS_SLOPE,
            "logins_slope_log": LOGINS_SLOPE, "logins_actions_log": LOGINS_ACTIONS,
            "needs_correlation_with_quality": NEEDS,
            "services": {
                name: dict(zip(("asked_share", "received_share", "median_wait_days"), numbers)) for name, numbers in SERVICES.items()},
            "housing_received_trend_a_month": HOUSING_RECEIVED_TREND, "housing_wait_trend_a_month": HOUSING_WAIT_TREND,
        },
        "true_effects": {
            "completeness_points_by_month": {str(month): round(gain(month), 2) for month in range(ACTIONS_START, MONTHS + 1)},
            "completeness_points_average": round(float(np.mean([gain(month) for month in range(ACTIONS_START, MONTHS + 1)])), 2),
            "completeness_points_average_after_the_limit_of_100": round(float(limited.mean()), 2),
            "usefulness_points": _difference_of_changes(USEFULNESS),
            "support_points": _difference_of_changes(SUPPORT),
            "ours_share": _difference_of_changes({each: ours for each, (ours, _) in OURS.items()}),
            "opening_a_tip": 0, "attending_the_committee": 0, "larch": 0,
        },
        "if_all_had_answered": {
            f"{county}, month {month}": {
                "usefulness": round(float(part["usefulness_all"].mean()), 2), "support": round(float(part["support_all"].mean()), 2),
                "ours_share": round(float((part["ours_all"] == "ours").mean()), 3), "share_silent": round(float(part["silent"].mean()), 3),
            } for (county, month), part in answers.groupby(["county", "month"])
        },
        "traps": [
            {
                "id": "trend",
                "what": f"Completeness rises by {TREND} points a month everywhere, actions or not.",
                "where": "monthly.csv, both counties",
                "fools": "Whoever compares the mean before with the mean after: nine months lie between the middles, worth "
                         "2.25 points.",
                "see_through": "Plot the months; fit the trend before month 12; look at Larch.",
            },
            {
                "id": "regression_to_the_mean",
                "what": "A worker's bad month is partly chance, and passes.",
                "where": "monthly.csv: the workers with the lowest completeness in month 11, in both counties",
                "fools": "Whoever singles out the worst and watches them improve.",
                "see_through": "Do the same in Larch; or choose them by one month and measure from another.",
            },
            {
                "id": "system_update",
                "what": f"The update lowered quality by {-UPDATE_DIP:g} points in month {UPDATE_MONTH}, for that month only.",
                "where": "monthly.csv, system_update = 1, both counties",
                "fools": "Whoever compares before with after, above all the last quarter before; and a segmented regression "
                         "that keeps the month, since it pulls the trend before month 12 down.",
                "see_through": "Plot the months; leave the month out or give it a term of its own; compare with Larch, which "
                               "was updated too.",
            },
            {
                "id": "leavers",
                "what": "Two weak workers of Juniper leave and are not replaced.",
                "where": "; ".join(
                    f"{row.worker_id} of {row.agency_id}, last month {row.left_month:.0f}" for row in leavers.itertuples()),
                "fools": "Whoever compares the means of whoever is there: the mean after rises without anybody's improving.",
                "see_through": "Compare the same workers before and after, or give each worker a term of her own.",
            },
            {
                "id": "double_entry",
                "what": f"One agency enters everything twice: {-DOUBLE_ENTRY_QUALITY:g} points less complete, and {DOUBLE_ENTRY_DAYS:g} "
                        "times as slow as that alone explains.",
                "where": f"{double}, double_entry = 1",
                "fools": "Whoever ranks agencies and blames its workers' motivation.",
                "see_through": "Look at double_entry before judging; compare the agency with itself.",
            },
            {
                "id": "duplicates",
                "what": "The same agency's upload writes some enrolments a second time, later and less complete.",
                "where": f"records.csv, {double}: {int(records['duplicate'].sum())} records repeat client_id and event_date",
                "fools": "Whoever counts rows as clients or enrolments. Also whoever keeps one row a client: returning "
                         "clients are real.",
                "see_through": "Count distinct pairs of client_id and event_date.",
            },
            {
                "id": "missing_answers",
                "what": "The least content answer least, and fewer answer the second time.",
                "where": "workers.csv (usefulness_before, usefulness_after), voice.csv",
                "fools": "Whoever takes the mean of the answers for the mean of the workers.",
                "see_through": "Say how many did not answer; compare their completeness with the others'; work out the worst "
                               "and the best case.",
            },
            {
                "id": "refused_is_not_valid",
                "what": "Agencies differ in how readily they write 'refused'.",
                "where": "records.csv, the six elements",
                "fools": "Whoever counts every filled-in answer as complete: all agencies look better, and their order "
                         "changes.",
                "see_through": "Use the definition: valid answers over answers due.",
            },
            {
                "id": "not_due",
                "what": "The later an enrolment, the likelier it goes on, so that no destination is due yet.",
                "where": "records.csv, destination",
                "fools": "Whoever counts 'not due' as a gap: completeness seems to fall in the last months.",
                "see_through": "Leave 'not due' out of both counts.",
            },
            {
                "id": "good_workers_attend",
                "what": "Workers of better lasting quality open the tips and come to the committee more often; doing so adds "
                        "nothing.",
                "where": "monthly.csv, tip_opened and committee_attended",
                "fools": "Whoever compares those who came with those who did not.",
                "see_through": "Compare the two groups in the months before month 12.",
            },
            {
                "id": "waits_of_the_served",
                "what": "wait_days exists only for those who received the service.",
                "where": "records.csv, housing above all",
                "fools": "Whoever reads the mean wait as what somebody who asks must expect.",
                "see_through": "Show the share that received nothing beside the wait.",
            },
        ],
    }


def _difference_of_changes(means):
    before, after = WAVES
    return round(means["Juniper", after] - means["Juniper", before] - means["Larch", after] + means["Larch", before], 2)
