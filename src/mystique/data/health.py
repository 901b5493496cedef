"""The health data set: an invented trial with 480 community health workers and 15 households of each.

By lot, workers got sessions about the mission of their service (mission), pay for each household visited (bonus), both, or
neither. Real, after Khan (2020, 2025): these arms, that pay raised the rewarded task alone and mission also unrewarded tasks,
vaccination and child health, and three rough figures of an early conference draft: about 5 points more of the duty from
mission, nearly 10 from the bonus, and less from both together than from the bonus alone. Invented: everything else, among it
all numbers of workers and households, the levels in control, every size of an effect on a child, and the motivation scores.
"Visits up, health flat" is the bonus arm, whose extra visits are short; the warning is Lee's (2018), the numbers are not.

The calibration simulated again with the traps in: mean (standard deviation) over the seeds 0 to 199, in percentage points.
"The course's regression" has a term for a household far away, effects of the health centres, and errors clustered by worker.

    visited: mission, bonus, both            4.8 (2.0), 10.0 (2.1), 6.9 (1.8); its errors 2.0, not clustered 1.6
    unrewarded task                          6.1 (2.1), -0.2 (2.0), 3.0 (2.1)
    diarrhoea                                -4.1 (1.6), -1.0 (1.6), -2.1 (1.5)
    fully vaccinated                         5.0 (1.9), 0.0 (2.3), 2.8 (2.2)
    the bonus is best of the arms            at visits in 185 data sets of 200, at diarrhoea in 1
    false alarms among the eight others      1.2 (1.2) of 24
    households found                         94 of 100 in control and mission, 88 in bonus and both
    visited, bonus, without a term for far   11.3 (2.1): too high by 1.3 (0.4)
    visits by a session attended             2.8 (1.0) within the mission arm; as made 1.2
    motivation after less before             control 0.10 (0.05), mission 0.39 (0.05), bonus 0.00 (0.05), both 0.24 (0.05) points of the scale
"""

import numpy as np
import pandas as pd

from mystique.theory import logistic

from .package import LICENCE, DataSet, field, resource, tabulate

NAME = "health"
TITLE = "A trial of mission and bonuses with health workers (synthetic)"

# ---------------------------------------------------------------- parameters: each a choice of the course

ARMS = "control", "mission", "bonus", "both"
CENTRES, WORKERS_EACH_ARM = 24, 5     # 24 x 4 x 5 = 480 workers, lots drawn within each centre: four equal arms
HOUSEHOLDS = 15

# Shares: the level in control, what being far away adds, SD of lasting differences between workers, and which way a good
# worker moves it. Levels are invented, but for vaccination: 55 % is a published rate of the province of the trial.
MAIN = {
    "visited": (.62, -.25, .10, +1),
    "unrewarded_task": (.45, -.15, .10, +1),
    "diarrhoea": (.24, .10, .04, -1),          # a worker matters less for it than water does
    "fully_vaccinated": (.55, -.15, .10, +1),
}
# Shares that an arm adds. The bonus moves what it pays for, and no more than a hair of anything else.
EFFECT = {
    "visited": {"control": 0, "mission": .05, "bonus": .10, "both": .07},
    "unrewarded_task": {"control": 0, "mission": .06, "bonus": 0, "both": .03},
    "diarrhoea": {"control": 0, "mission": -.04, "bonus": -.01, "both": -.02},
    "fully_vaccinated": {"control": 0, "mission": .05, "bonus": 0, "both": .03},
}
# Asked because the team was there anyway; no arm changes them. 8 outcomes x 3 arms: about one false alarm a data set.
OTHERS = {
    "soap_at_basin": .48, "treats_water": .35, "latrine_used": .71, "birth_registered": .58,
    "iron_tablets": .42, "breastfed_six_months": .52, "bed_net_used": .28, "knows_danger_signs": .39,
}
OTHERS_SD = .08                # between workers
GOOD_WORKER = 0.5              # share of a worker's lasting difference in each main outcome that they have in common
CENTRE_SD = .03
MINUTES = {"control": 20, "mission": 22, "bonus": 13, "both": 17}   # medians; the bonus pays by the visit, not by its use
MINUTES_SPREAD, MINUTES_RANGE = 0.4, (2, 90)

# Households far from the worker's home: fewer visits, worse health. In the paid arms the survey's team relied on the worker
# to show the way, and missed many of them: few enough to look harmless, enough to flatter the bonus.
FAR = .30
NOT_FOUND, NOT_FOUND_FAR, NOT_FOUND_FAR_PAID = .05, .08, .30

# Motivation, a scale from 1 to 5. All invented; the bonus's sign follows crowding out, which this course discusses.
MOTIVATION_MEAN, MOTIVATION_SD, MOTIVATION_STAYS = 3.4, 0.6, 0.6
MOTIVATION_GOOD_WORKER = 0.5   # correlation with what makes a good worker
DRIFT = 0.10                   # everybody answers a little higher the second time: fools before/after
MOTIVATION_EFFECT = {"control": 0, "mission": .30, "bonus": -.10, "both": .15}
NO_ANSWER = .03                # second questionnaire, by chance

# Sessions of the mission arms: six, attended more by the motivated, who visit more anyway.
SESSIONS, ATTENDS, ATTENDS_MOTIVATED = 6, 0.9, 0.8   # log odds: 4.2 of 6 on average; for each SD of motivation before

# ---------------------------------------------------------------- making


def make(seed):
    """The health data set from a seed. Each step draws from a stream of its own, so that changing one leaves the others."""
    streams = [np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(4)]
    workers = ask_again(streams[1], hire(streams[0]))
    raw = {"workers": workers, "households": interview(streams[3], live(streams[2], workers))}
    tables = {name: tabulate(raw[name], COLUMNS[name]) for name in COLUMNS}
    return DataSet(NAME, TITLE, seed, tables, codebook(tables), truth(seed, raw["households"]))


def hire(rng):
    """One row a worker: centre, arm by lot within the centre, motivation, sessions attended, lasting goodness at each outcome."""
    lots = np.repeat(ARMS, WORKERS_EACH_ARM)
    size = CENTRES * len(lots)
    good, centre = rng.normal(0, 1, size), np.repeat(np.arange(CENTRES), len(lots))
    motivated = MOTIVATION_GOOD_WORKER * good + np.sqrt(1 - MOTIVATION_GOOD_WORKER**2) * rng.normal(0, 1, size)
    workers = pd.DataFrame({
        "worker_id": [f"H{number:03d}" for number in range(1, size + 1)],
        "centre_id": [f"C{number:02d}" for number in centre + 1],
        "arm": np.concatenate([rng.permutation(lots) for _ in range(CENTRES)]),
        "years_in_post": rng.gamma(2.0, 3.5, size).clip(0.5, 30),
        "motivated": motivated,
        "motivation_before": (MOTIVATION_MEAN + MOTIVATION_SD * motivated).clip(1, 5),
    })
    for outcome, (_, _, spread, sign) in MAIN.items():
        lasting = sign * np.sqrt(GOOD_WORKER) * good + np.sqrt(1 - GOOD_WORKER) * rng.normal(0, 1, size)
        workers[f"{outcome}_lasting"] = spread * lasting + rng.normal(0, CENTRE_SD, CENTRES)[centre]
    invited = workers["arm"].isin(["mission", "both"])
    attended = rng.binomial(SESSIONS, logistic(ATTENDS + ATTENDS_MOTIVATED * motivated))
    workers["sessions_attended"] = pd.Series(attended).where(invited)
    # Who comes twice as often gains twice as much; the arm's mean is the effect that was set.
    workers["dose"] = (workers["sessions_attended"] / workers.groupby("arm")["sessions_attended"].transform("mean")).fillna(1)
    return workers


def ask_again(rng, workers):
    """Add the answers to the second questionnaire."""
    size = len(workers)
    kept = MOTIVATION_STAYS * workers["motivated"] + np.sqrt(1 - MOTIVATION_STAYS**2) * rng.normal(0, 1, size)
    after = MOTIVATION_MEAN + DRIFT + MOTIVATION_SD * kept + workers["arm"].map(MOTIVATION_EFFECT) * workers["dose"]
    return workers.assign(motivation_after=after.clip(1, 5).mask(rng.random(size) < NO_ANSWER))


def live(rng, workers):
    """One row a household: where it is, and what would be found in it by anyone who asked."""
    rows = workers.loc[workers.index.repeat(HOUSEHOLDS)].reset_index(drop=True)
    size, worker = len(rows), np.repeat(np.arange(len(workers)), HOUSEHOLDS)
    rows["household_id"] = [f"F{number:04d}" for number in range(1, size + 1)]
    rows["far"] = (rng.random(size) < FAR).astype(int)
    for outcome, (level, far, _, _) in MAIN.items():
        share = level + far * (rows["far"] - FAR) + rows[f"{outcome}_lasting"] + rows["arm"].map(EFFECT[outcome]) * rows["dose"]
        rows[outcome] = (rng.random(size) < share).astype(int)
    for outcome, level in OTHERS.items():
        rows[outcome] = (rng.random(size) < level + rng.normal(0, OTHERS_SD, len(workers))[worker]).astype(int)
    minutes = rows["arm"].map(MINUTES) * np.exp(rng.normal(0, MINUTES_SPREAD, size))
    return rows.assign(visit_minutes=minutes.round().clip(*MINUTES_RANGE).where(rows["visited"] == 1))


def interview(rng, rows):
    """Empty the answers of the households that the survey's team did not find."""
    paid = rows["arm"].isin(["bonus", "both"])
    lost = np.select([(rows["far"] == 1) & paid, rows["far"] == 1], [NOT_FOUND_FAR_PAID, NOT_FOUND_FAR], NOT_FOUND)
    found = rng.random(len(rows)) >= lost
    answers = [*MAIN, *OTHERS, "visit_minutes"]
    return rows.assign(interviewed=found.astype(int), **rows[answers].where(pd.Series(found)))


# ---------------------------------------------------------------- columns: exactly these, in this order, are in the files

EMPTY_IF_NOT_FOUND = "Empty if the household was not interviewed."


def _worker_id(**constraints):
    return field("worker_id", "string", "The health worker. The same person has the same identifier in both tables.", unit="identifier",
                 construction="Numbered by health centre; says nothing else.", pattern="H[0-9]{3}", **constraints)


def _flag(name, description, construction, missing=None):
    return field(name, "integer", description, unit="1 = yes, 0 = no", construction=construction, missing=missing, enum=[0, 1])


def _motivation(name, when, construction, missing=None):
    return field(name, "number", f"How much the worker works for the sake of the mission; mean of a short questionnaire {when}.",
                 unit="score from 1 to 5", minimum=1, maximum=5, decimals=2, construction=construction, missing=missing)


def _main(name, description):
    made = "Drawn with a chance made of a level, the arm, the worker, her centre, and whether the household is far."
    return _flag(name, description, made, EMPTY_IF_NOT_FOUND)


def _other(name, description):
    return _flag(name, description, "Drawn with a chance of its own, which differs a little between workers.", EMPTY_IF_NOT_FOUND)


COLUMNS = {
    "workers": [
        _worker_id(unique=True),
        field("centre_id", "string", "The health centre to which the worker belongs.", unit="identifier", pattern="C(0[1-9]|1[0-9]|2[0-4])",
              construction="24 centres with 20 workers each."),
        field("arm", "string", "What the worker was given by lot: nothing new (control), six sessions about the mission of the service (mission), "
                               "pay for each household visited (bonus), or both.", unit="category", enum=list(ARMS),
              construction="Lots drawn within each centre, five for each arm. Whatever the worker then did, this is her arm."),
        field("years_in_post", "number", "Years in the job before the trial.", unit="years", minimum=0, maximum=30, decimals=1,
              construction="Drawn from a gamma distribution with mean 7; unrelated to anything else."),
        _motivation("motivation_before", "before the trial", "Drawn around 3.4 with standard deviation 0.6; better workers score somewhat higher."),
        _motivation("motivation_after", "at the end", "The score before, partly kept, plus chance, plus what a second questionnaire and the arm do.",
                    "Empty if left out, by chance: about 3 in 100."),
        field("sessions_attended", "integer", "How many of the six sessions the worker came to.", unit="sessions", minimum=0, maximum=SESSIONS,
              missing="Empty if the worker's arm had no sessions.",
              construction="Drawn (binomial); those more motivated before the trial come more often. Not drawn by lot."),
    ],
    "households": [
        field("household_id", "string", "One household with a child under three.", unit="identifier", pattern="F[0-9]{4}", unique=True,
              construction="Fifteen for each worker, drawn from her register before the trial."),
        _worker_id(),
        _flag("far", "Is the household more than half an hour's walk from the worker's home? Known before the trial.",
              "Drawn: about 3 in 10."),
        _flag("interviewed", "Did the survey's team find the household at the end of the trial?",
              "Drawn; households far away were found less often, how much less depends on how the team went about it in each arm."),
        _main("visited", "Did the worker visit last month, as the family says? The bonus pays for this."),
        field("visit_minutes", "integer", "How long the last visit took.", unit="minutes",
              minimum=MINUTES_RANGE[0], maximum=MINUTES_RANGE[1], missing="Empty if the household was not interviewed or not visited.",
              construction="Drawn (log-normal) around a median for each arm."),
        _main("unrewarded_task", "Did the worker, in the last three months, help the family with a clinic, a certificate or clean water? "
                                 "No bonus pays for this."),
        _main("diarrhoea", "Has the youngest child had diarrhoea in the past two weeks?"),
        _main("fully_vaccinated", "Has the youngest child all the vaccinations due at that age, by the card?"),
        _other("soap_at_basin", "Is there soap where hands are washed?"),
        _other("treats_water", "Is drinking water boiled or filtered?"),
        _other("latrine_used", "Does everyone in the family use a latrine?"),
        _other("birth_registered", "Is the youngest child's birth registered?"),
        _other("iron_tablets", "Did the mother take iron tablets in her last pregnancy?"),
        _other("breastfed_six_months", "Was the youngest child breastfed for six months?"),
        _other("bed_net_used", "Did the youngest child sleep under a net last night?"),
        _other("knows_danger_signs", "Can the mother name three danger signs of a sick child?"),
    ],
}

HOW_MADE = [
    "Workers came first, each with a lasting goodness at her job that shows in visits, help, vaccination and, less, in diarrhoea; "
    "the motivated tend to be good.",
    "Then the arms were drawn by lot within each health centre.",
    "The chance of each main outcome in a household is a sum: a level, the worker, her centre, whether the household is far away, "
    "and what the arm adds; sessions add in proportion to those attended.",
    "The study's plan named four outcomes: visits, the unrewarded task, diarrhoea and full vaccination. "
    "Eight more were asked since the team was there anyway.",
    "At the end not every household was found.",
    "The arms and the direction of the main effects follow published work; numbers of workers and households, levels and nearly all "
    "sizes are invented.",
]
ARROWS = [  # from, to, sign, note
    ("lots", "mission sessions", "", "nothing else decides the arm"),
    ("lots", "bonus for visits", "", "nothing else decides the arm"),
    ("goodness of the worker", "motivation before", "+", ""),
    ("motivation before", "sessions attended", "+", "the motivated come more often"),
    ("mission sessions", "sessions attended", "+", ""),
    ("sessions attended", "visits", "+", ""),
    ("sessions attended", "unrewarded task", "+", ""),
    ("sessions attended", "child health", "+", "by other ways than the number of visits"),
    ("bonus for visits", "visits", "+", ""),
    ("bonus for visits", "length of visits", "-", "paid by the visit, not by its use"),
    ("sessions attended", "motivation after", "+", ""),
    ("motivation before", "motivation after", "+", ""),
    ("bonus for visits", "motivation after", "-", "the course's own choice: the reward crowds out"),
    ("goodness of the worker", "visits", "+", ""),
    ("goodness of the worker", "unrewarded task", "+", ""),
    ("goodness of the worker", "child health", "+", ""),
    ("household far away", "visits", "-", ""),
    ("household far away", "unrewarded task", "-", ""),
    ("household far away", "child health", "-", ""),
    ("household far away", "found by the survey", "-", ""),
    ("bonus for visits", "found by the survey", "", "the team relied on the worker to show the way"),
]


def codebook(tables):
    """The Frictionless Data Package. The seed is not in it: that of a cohort is a secret."""
    return {
        "name": NAME,
        "title": TITLE,
        "description": "SYNTHETIC data, made for teaching: no worker, household or centre in it is real, and no number is a finding. "
                       "The arms and the direction of the main effects are those of a published trial (Khan 2025) and its early drafts; "
                       "the data are not that trial's, and numbers of workers and households, levels and most sizes are invented. "
                       "'construction' tells how each column was made.",
        "keywords": ["synthetic", "teaching", "public administration", "health workers", "trial"],
        "how_made": HOW_MADE,
        "causal_diagram": [dict(zip(("from", "to", "sign", "note"), arrow)) for arrow in ARROWS],
        "licenses": [LICENCE],
        "resources": [
            resource("workers", "One row a health worker.", tables["workers"], COLUMNS["workers"], key=["worker_id"]),
            resource("households", "One row a household that was to be interviewed at the end of the trial.", tables["households"],
                     COLUMNS["households"], key=["household_id"], refers_to={"worker_id": ("workers", "worker_id")}),
        ],
    }


# ---------------------------------------------------------------- the truth, for the teacher


def truth(seed, households):
    """What was put in, so that what students find can be judged. Never handed out."""
    found = households.groupby("arm")["interviewed"].mean()
    return {
        "canary": f"MYSTIQUE-CANARY-truth-{NAME}",
        "name": NAME,
        "seed": seed,
        "parameters": {
            "workers_each_arm": CENTRES * WORKERS_EACH_ARM, "households_each_worker": HOUSEHOLDS,
            "outcomes": {name: dict(zip(("level_in_control", "far_adds", "worker_sd"), numbers)) for name, numbers in MAIN.items()},
            "median_minutes": MINUTES, "far_share": FAR,
            "not_found": {"near": NOT_FOUND, "far": NOT_FOUND_FAR, "far, bonus or both": NOT_FOUND_FAR_PAID},
            "motivation_drift": DRIFT, "motivation_correlation_with_goodness": MOTIVATION_GOOD_WORKER,
        },
        "true_effects": {
            **{name: {arm: EFFECT[name][arm] for arm in ARMS[1:]} for name in MAIN},
            "motivation": {arm: MOTIVATION_EFFECT[arm] for arm in ARMS[1:]},
            **dict.fromkeys(OTHERS, 0), "years_in_post": 0,
        },
        "real_and_invented": {
            "real": "The arms; that pay raised the rewarded task only, mission also unrewarded tasks, vaccination and child health; "
                    "in an early draft about +5 points of the duty from mission, nearly +10 from the bonus, less from both than "
                    "from the bonus alone.",
            "invented": "All numbers of workers and households, levels, spreads, sizes of effects on children, motivation scores, minutes, "
                        "attendance, attrition and the eight further outcomes.",
        },
        "traps": [
            {
                "id": "multiple_outcomes",
                "what": "Eight of the twelve outcomes are moved by no arm. With 24 comparisons about one comes out 'significant' at 5 % by chance. "
                        f"In these data: {', '.join(false_alarms(households)) or 'none'}.",
                "where": "households.csv, soap_at_basin to knows_danger_signs",
                "fools": "Whoever tries all outcomes and reports the ones that worked.",
                "see_through": "Keep to the four that the plan named; correct the rest for their number (Holm).",
            },
            {
                "id": "activity_without_outcome",
                "what": "The bonus gives the most visits, and they are short; children are hardly better off for them.",
                "where": "bonus: visited and visit_minutes against diarrhoea and fully_vaccinated",
                "fools": "Whoever counts visits as health and calls the bonus the best arm.",
                "see_through": "Lay visits, the unrewarded task and the child's outcomes side by side for each arm.",
            },
            {
                "id": "clustered_sampling",
                "what": "Households of one worker resemble each other, and the lots were drawn for workers.",
                "where": "households.csv, 15 rows a worker",
                "fools": "Whoever counts 7,200 households as 7,200 lots: standard errors come out too small by a fifth.",
                "see_through": "Cluster the errors by worker, or work with one mean a worker.",
            },
            {
                "id": "attrition",
                "what": "In the paid arms households far away were missed more often: they are visited less and their children are less healthy. "
                        "Found: " + ", ".join(f"{arm} {found[arm]:.0%}" for arm in ARMS) + ".",
                "where": "households.csv, interviewed by arm and far",
                "fools": "Whoever drops the empty rows unseen: the bonus is flattered by more than a point of visits.",
                "see_through": "Compare interviewed between arms, then within far and near; put far in, or weight; show the worst case.",
            },
            {
                "id": "attendance_was_not_drawn_by_lot",
                "what": "Those motivated before the trial came to more sessions, and would have visited more anyway.",
                "where": "workers.csv, sessions_attended, arms mission and both",
                "fools": "Whoever compares those who came often with those who did not, or with control: the sessions look too good.",
                "see_through": "Compare arms as drawn (intention to treat).",
            },
            {
                "id": "second_questionnaire",
                "what": f"Everybody answers {DRIFT:g} higher the second time.",
                "where": "workers.csv, motivation_before and motivation_after",
                "fools": "Whoever compares before and after within mission; and the bonus seems to do no harm to motivation.",
                "see_through": "Compare the change with control's.",
            },
        ],
    }


def false_alarms(households):
    """The further outcomes and arms whose difference from control is 'significant' at 5 % (worker means, t above 1.96)."""
    means = households.groupby(["arm", "worker_id"])[list(OTHERS)].mean()
    by_arm = means.groupby("arm").agg(["mean", "var", "count"])
    alarms = []
    for outcome in OTHERS:
        mean, error = by_arm[outcome]["mean"], by_arm[outcome]["var"] / by_arm[outcome]["count"]
        alarms += [f"{outcome} ({arm})" for arm in ARMS[1:] if abs(mean[arm] - mean["control"]) > 1.96 * np.sqrt(error[arm] + error["control"])]
    return alarms
