"""The audit data set: twelve invented agencies rated on nine beliefs, 0 to 4, by six raters who are not alike.

The nine beliefs are those of Goodsell's template. How he rated real agencies is not known to the course, and nothing
here is taken from him but the idea: agencies, ratings and every number are the course's own choice, none is a finding.

What students find, traps included: mean (standard deviation) over the seeds 0 to 199.

    severity (severe, lenient, link pair), put in                    -0.74, +0.67, +0.07
        found by agency + belief + rater, least squares              -0.72 (.08), +0.65 (.08), +0.07 (.06)
    mean rating, severe panel's and lenient panel's agencies, error  -0.35 (.03), +0.35 (.03)
        with severity taken out                                       0.00 (.04),  0.00 (.04)
    an agency's level, typical error: mean rating; severity out      0.36 (.03); 0.09 (.02)
    rank correlation with the truth: mean rating; severity out       .82 (.06); .94 (.04)
    the truly second agency's place: mean rating; severity out       4.7; 2.0
    agreement (Krippendorff's alpha), seven calm beliefs, mean       .62 (.04); severity out .73 (.03)
        severity out, no halo rater: calm; contested; within a camp  .76 (.03); .54 (.09); .76 (.08)
    spread of the nine ratings of one agency: halo rater; others     0.31 (.09); 0.77 (.03)
    agencies with one place by any weights; that move 3 or more      2.7 (0.5); 7.0 (0.6)
"""

import numpy as np
import pandas as pd

from .package import LICENCE, DataSet, field, resource, tabulate
from .survey import Scale, tick

NAME = "audit"
TITLE = "Twelve agencies rated on nine beliefs (synthetic)"

# ---------------------------------------------------------------- parameters: each a choice of the course

# Name: type, staff, mission. The lot gives each one of the profiles below, so that a name tells nothing.
AGENCIES = {
    "Amberline River Patrol": ("environment", 140, "We keep the river fit to drink, to fish and to swim in."),
    "Bellhaven Veterans Office": ("social services", 85, "We bring those who served to what they were promised."),
    "Carrow Mountain Rescue Service": ("public safety", 210, "We bring home whoever the mountain would keep."),
    "Dunlin Coast Pilots": ("transport", 65, "We take every ship past the sands and back to sea."),
    "Fernleigh Public Libraries": ("culture", 320, "We put every book within reach of every reader."),
    "Garnet Valley Soil Board": ("agriculture", 45, "We hand on the valley's soil no poorer than we found it."),
    "Hollin Dam Authority": ("infrastructure", 260, "We hold back the water so that nobody downstream need think of it."),
    "Kestrel Plains Weather Desk": ("science", 120, "We tell people of the storm while there is time to act."),
    "Marrow Street Clinics": ("health", 430, "We treat whoever comes through the door, and ask about money later."),
    "Saltwick Probation Service": ("justice", 175, "We help people leave court for the last time."),
    "Tern Quay Heritage Trust": ("culture", 30, "We keep the harbour town's memory in the buildings that made it."),
    "Umber County Roads": ("infrastructure", 540, "We get everyone home on a road that is safe and open."),
}
# The template. Wording: "exact" or "short form" where the opening case gives it, "recall" where the course only remembers the
# belief and words it itself. Contestable: how far apart insiders and outsiders see it (SD over the agencies, in points).
BELIEFS = [  # short name, label, wording, contestable
    ("Central purpose", "One public purpose runs through the whole agency", "recall", 0),
    ("Urgent need", "The societal need met by the mission is seen as urgent", "exact", 0),
    ("Earned reputation", "The agency is known for what it has achieved", "recall", 0),
    ("Intrinsic motivation", "Agency personnel are intrinsically motivated", "exact", 0),
    ("Carrying culture", "The agency's culture passes the beliefs on", "recall", 0),
    ("Living history", "The agency's history is known and kept alive", "recall", 0),
    ("Open to challenge", "Dissent and criticism are heard and answered", "recall", 1.2),
    ("Bounded autonomy", "The agency may change its policies, within limits", "recall", 1.0),
    ("Ongoing learning", "Learning/ renewal is ongoing", "short form", 0),
]
COLUMN_NAMES = ["A purposive aura", "Internal commitment", "Sustaining features"]
ROW_NAMES = ["prime quality", "essential requirement", "tie to time"]

# True level of each column, in points, and the panel that rates: "severe" or "lenient". Middling agencies sit near each other,
# strong in different columns, so that weights decide; the severe panel has the better ones, so that its severity hides them.
PROFILES = [
    ((3.6, 3.5, 3.5), "severe"),     # first by any weights
    ((2.9, 2.9, 2.8), "severe"),     # better than the next, and marked down
    ((2.5, 2.6, 2.4), "lenient"),
    ((3.3, 2.7, 1.0), "lenient"),    # a believing agency that hears no dissent and learns nothing
    ((1.2, 2.0, 3.3), "severe"),     # learns and listens, for no purpose that anyone feels
    ((1.5, 3.3, 1.7), "lenient"),    # a guild: committed to one another
    ((3.2, 1.4, 1.7), "severe"),     # a name in the world, little behind it
    ((2.0, 2.1, 2.0), "lenient"),    # in the middle everywhere
    ((1.8, 1.7, 2.4), "lenient"),
    ((2.4, 1.6, 2.3), "severe"),
    ((1.3, 1.2, 1.3), "severe"),
    ((0.5, 0.6, 0.5), "lenient"),    # last by any weights
]
CELL_SD = 0.25                 # how single beliefs differ from their column's level
FEWER = 8                      # the place in PROFILES of the agency that only two people rated

# Raters: two of each sort, one an insider, one an outsider; the lot says who. The links rate everybody, and so tie the panels together.
BACKGROUNDS = {
    "inside": ["retired agency director", "front-line supervisor", "staff representative"],
    "outside": ["auditor", "client advocate", "local reporter"],
}
SORTS = {"link": 0.0, "severe": -0.8, "lenient": 0.6}    # points added to every rating
SEVERITY_SD = 0.08             # how the two of a sort differ
ERROR_SD = 0.45                # chance in a single rating
HALO = 0.85                    # the halo rater's share of a general impression in each rating ...
HALO_ERROR_SD = 0.25           # ... and how little chance there is in the rest
LEFT_OUT = 0.03                # ratings missing by chance
HIDDEN_FROM_OUTSIDERS = 0.15   # belief 4: outsiders say "cannot judge" so often

POINTS = Scale(0, 4, 1)

# ---------------------------------------------------------------- making


def make(seed):
    """The audit data set from a seed. Each step draws from a stream of its own, so that changing one leaves the others."""
    streams = [np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(4)]
    agencies = found(streams[0])
    raters = appoint(streams[1])
    levels = set_levels(streams[2], agencies)
    ratings = rate(streams[3], assign(agencies, raters), levels)

    raw = {"agencies": agencies, "beliefs": list_beliefs(), "raters": raters, "ratings": ratings}
    tables = {name: tabulate(raw[name], COLUMNS[name]) for name in COLUMNS}
    return DataSet(NAME, TITLE, seed, tables, codebook(tables), truth(seed, agencies, raters, levels))


def found(rng):
    """One row an agency, with its drawn profile and the panel that rates it."""
    agencies = pd.DataFrame([(name, *facts) for name, facts in AGENCIES.items()], columns=["agency", "type", "staff", "mission"])
    agencies.insert(0, "agency_id", [f"G{number:02d}" for number in range(1, len(agencies) + 1)])
    agencies["profile"] = rng.permutation(len(PROFILES))
    return agencies.assign(panel=[PROFILES[each][1] for each in agencies["profile"]], fewer=agencies["profile"] == FEWER)


def appoint(rng):
    """One row a rater: background, viewpoint, sort, severity. The halo rater is one of the lenient."""
    raters = pd.DataFrame([
        {"background": background, "viewpoint": viewpoint, "sort": sort}
        for viewpoint, backgrounds in BACKGROUNDS.items() for background, sort in zip(rng.permutation(backgrounds), SORTS)
    ]).sample(frac=1, random_state=rng, ignore_index=True)
    raters.insert(0, "rater_id", [f"R{number}" for number in range(1, len(raters) + 1)])
    raters["severity"] = raters["sort"].map(SORTS) + rng.normal(0, SEVERITY_SD, len(raters))
    raters["halo"] = raters.index == rng.choice(raters.index[raters["sort"] == "lenient"])
    return raters


def set_levels(rng, agencies):
    """One row an agency and belief: the true level, and how much higher insiders see it than outsiders."""
    levels = agencies.loc[agencies.index.repeat(len(BELIEFS)), ["agency_id", "profile"]].reset_index(drop=True)
    levels["belief"] = np.tile(np.arange(1, len(BELIEFS) + 1), len(agencies))
    column = (levels["belief"] - 1) // 3
    centre = np.array([PROFILES[profile][0][place] for profile, place in zip(levels["profile"], column)])
    levels["level"] = (centre + rng.normal(0, CELL_SD, len(levels))).clip(POINTS.low, POINTS.high)
    apart = rng.normal(size=len(levels)) * levels["belief"].map({n: each[3] for n, each in enumerate(BELIEFS, start=1)})
    levels["insiders_see_more"] = apart - apart.groupby(levels["belief"]).transform("mean")    # neither camp is the severer one
    return levels


def assign(agencies, raters):
    """One row a rating to be given: the links rate everybody, the others their panel; of one agency, two raters came."""
    pairs = agencies.merge(raters, how="cross")
    pairs = pairs[(pairs["sort"] == "link") | (pairs["sort"] == pairs["panel"])]
    came = (pairs["sort"] != "link") == (pairs["viewpoint"] == "inside")    # one link and one of the panel, of different camps
    return pairs[~pairs["fewer"] | came].reset_index(drop=True)


def rate(rng, pairs, levels):
    """Each pair's nine ratings."""
    rows = pairs.merge(levels.drop(columns="profile"), on="agency_id")
    rows = rows.sort_values(["agency_id", "rater_id", "belief"], ignore_index=True)
    seen = rows["level"] + rows["insiders_see_more"] / 2 * np.where(rows["viewpoint"] == "inside", 1, -1)
    impression = seen.groupby([rows["agency_id"], rows["rater_id"]]).transform("mean")
    seen = seen.where(~rows["halo"], HALO * impression + (1 - HALO) * seen)
    exact = seen + rows["severity"] + rng.normal(size=len(rows)) * np.where(rows["halo"], HALO_ERROR_SD, ERROR_SD)
    unseen = np.where((rows["belief"] == 4) & (rows["viewpoint"] == "outside"), HIDDEN_FROM_OUTSIDERS, LEFT_OUT)
    return rows.assign(rating=pd.Series(tick(exact, POINTS)).mask(rng.random(len(rows)) < unseen))


def list_beliefs():
    """One row a belief, with its place in the template: numbered down the columns."""
    rows = [
        (n, COLUMN_NAMES[(n - 1) // 3], ROW_NAMES[(n - 1) % 3], short, label, wording)
        for n, (short, label, wording, _) in enumerate(BELIEFS, start=1)
    ]
    return pd.DataFrame(rows, columns=["belief", "column", "row", "short", "label", "wording"])


# ---------------------------------------------------------------- columns: exactly these, in this order, are in the files


def _agency_id(**constraints):
    return field("agency_id", "string", "The agency.", unit="identifier", pattern="G(0[1-9]|1[0-2])",
                 construction="Numbered in the order of the alphabet; says nothing else.", **constraints)


def _rater_id(**constraints):
    return field("rater_id", "string", "The rater.", unit="identifier", pattern="R[1-6]",
                 construction="Numbered by lot; says nothing else.", **constraints)


def _belief(**constraints):
    return field("belief", "integer", "The belief's number in the template, counted down the columns.", unit="number",
                 minimum=1, maximum=len(BELIEFS), construction="Fixed. The order is from memory.", **constraints)


def _text(name, description, values, construction="Fixed list.", unit="category"):
    return field(name, "string", description, unit=unit, enum=list(dict.fromkeys(values)), construction=construction)


COLUMNS = {
    "agencies": [
        _agency_id(unique=True),
        _text("agency", "The agency's name, invented.", AGENCIES, unit="name"),
        _text("type", "What kind of work it does.", [kind for kind, _, _ in AGENCIES.values()]),
        field("staff", "integer", "People who work there.", unit="people", minimum=1, maximum=1000,
              construction="Fixed; unrelated to the ratings."),
        _text("mission", "What the agency says it is for.", [mission for _, _, mission in AGENCIES.values()], unit="one sentence"),
    ],
    "beliefs": [
        _belief(unique=True),
        _text("column", "The template's column. The name is from memory.", COLUMN_NAMES),
        _text("row", "The template's row, in the course's own words.", ROW_NAMES),
        _text("short", "The course's own short name, for charts.", [short for short, *_ in BELIEFS], unit="name"),
        _text("label", "The belief in a sentence or phrase.", [label for _, label, *_ in BELIEFS], unit="label"),
        _text("wording", "Whose words the label is in. 'exact' and 'short form': as the opening case quotes the template, in full or "
                         "shortened. 'recall': the belief is remembered, not checked, and the words are the course's own.",
              ["exact", "short form", "recall"]),
    ],
    "raters": [
        _rater_id(unique=True),
        _text("background", "What the rater does or did.", [each for group in BACKGROUNDS.values() for each in group],
              "Three insiders and three outsiders; the lot says who rates how."),
        _text("viewpoint", "Does the rater know agencies from inside or from outside?", BACKGROUNDS, "From the background."),
    ],
    "ratings": [
        _agency_id(),
        _rater_id(),
        _belief(),
        field("rating", "integer", "How far the belief is alive in the agency, in this rater's judgement.",
              unit="points from 0 (no sign of it) to 4 (plain to anyone who looks)", minimum=POINTS.low, maximum=POINTS.high,
              missing="Empty if the rater said 'cannot judge'.",
              construction="The agency's true level for this belief, as the rater's side sees it, plus how severe or lenient the rater "
                           "is, plus chance; rounded, and limited to 0 to 4."),
    ],
}

# What moves what: the book draws it.
DIAGRAM = [
    ("rater's viewpoint", "what the rater sees", "", "on some beliefs those inside and those outside see different things"),
    ("true level of a belief", "what the rater sees", "+", ""),
    ("true level of a belief", "general impression", "+", "an agency that is strong in most beliefs seems strong in all"),
    ("which panel came", "severity of the raters", "", "not every rater rated every agency"),
    ("what the rater sees", "cannot judge", "-", "from outside some things cannot be seen"),
    ("what the rater sees", "rating", "+", "what the rating is meant to show"),
    ("general impression", "rating", "+", "one rater lets it colour every belief"),
    ("severity of the raters", "rating", "-", "a severe rater gives fewer points to everybody, a lenient one more"),
]
HOW_MADE = [
    "The lot gave each of the twelve agencies a profile: a true level for each column of the template, and around it for each belief.",
    "Two raters rated every agency; two more rated one half of the agencies, and two others the other half.",
    "Raters differ in severity: some give fewer points to everybody, some more.",
    "On some beliefs those who know agencies from inside and those who see them from outside really disagree.",
    "Each rating is what the rater sees, plus her severity, plus chance, rounded to 0 to 4.",
    "Some ratings are missing, most of them where a rater could not see what she was asked to judge.",
]


def codebook(tables):
    """The Frictionless Data Package. The seed is not in it: that of a cohort is a secret."""
    of_all_three = {"agency_id": ("agencies", "agency_id"), "rater_id": ("raters", "rater_id"), "belief": ("beliefs", "belief")}
    return {
        "name": NAME,
        "title": TITLE,
        "description": "SYNTHETIC data, made for teaching: no person or agency in it is real, and no number is a finding. Six raters judge "
                       "how far nine beliefs are alive in twelve invented agencies. The nine beliefs are those of Goodsell's template; "
                       "beliefs.csv says of each label whether its wording could be checked.",
        "keywords": ["synthetic", "teaching", "public administration", "mission", "raters"],
        "licenses": [LICENCE],
        "how_made": HOW_MADE,
        "causal_diagram": [dict(zip(("from", "to", "sign", "note"), arrow)) for arrow in DIAGRAM],
        "resources": [
            resource("agencies", "One row an agency.", tables["agencies"], COLUMNS["agencies"], key=["agency_id"]),
            resource("beliefs", "One row a belief of the template.", tables["beliefs"], COLUMNS["beliefs"], key=["belief"]),
            resource("raters", "One row a rater.", tables["raters"], COLUMNS["raters"], key=["rater_id"]),
            resource("ratings", "One row a rating that was asked for: an agency, a rater, a belief.", tables["ratings"], COLUMNS["ratings"],
                     key=["agency_id", "rater_id", "belief"], refers_to=of_all_three),
        ],
    }


# ---------------------------------------------------------------- the truth, for the teacher


def truth(seed, agencies, raters, levels):
    """What was put in, so that what students find can be judged. Never handed out."""
    by_column = levels.assign(column=(levels["belief"] - 1) // 3).pivot_table(index="agency_id", columns="column", values="level")
    ranks = rank_by_weights(by_column)
    steady = ", ".join(ranks.index[ranks.nunique(axis=1) == 1])
    severe, lenient, links = (", ".join(raters.loc[raters["sort"] == sort, "rater_id"]) for sort in ("severe", "lenient", "link"))
    [halo] = raters.loc[raters["halo"], "rater_id"]
    [fewer] = agencies.loc[agencies["fewer"], "agency_id"]
    insiders = ", ".join(raters.loc[raters["viewpoint"] == "inside", "rater_id"])
    contested = [n for n, belief in enumerate(BELIEFS, start=1) if belief[3]]

    def by_agency(column, beliefs):
        wide = levels[levels["belief"].isin(beliefs)].pivot(index="agency_id", columns="belief", values=column).round(2)
        return {agency: {str(belief): value for belief, value in row.items()} for agency, row in wide.iterrows()}

    return {
        "canary": "MYSTIQUE-CANARY-truth-audit",
        "name": NAME,
        "seed": seed,
        "parameters": {
            "severity_by_sort": SORTS, "severity_sd": SEVERITY_SD, "error_sd": ERROR_SD, "halo": HALO, "cell_sd": CELL_SD,
            "camps_apart_sd": {str(n): BELIEFS[n - 1][3] for n in contested},
            "left_out": LEFT_OUT, "hidden_from_outsiders": HIDDEN_FROM_OUTSIDERS,
        },
        "true_effects": {
            "level": by_agency("level", range(1, len(BELIEFS) + 1)),
            "insiders_see_more_than_outsiders": by_agency("insiders_see_more", contested),
            "mean_level": by_column.mean(axis=1).round(2).to_dict(),
            "rank_by_equal_weights": ranks[0].to_dict(),
            "best_and_worst_rank_by_any_weights": {agency: [int(row.min()), int(row.max())] for agency, row in ranks.iterrows()},
            "severity": dict(zip(raters["rater_id"], (raters["severity"] - raters["severity"].mean()).round(2))),
        },
        "traps": [
            {
                "id": "severity",
                "what": "Two raters are severe and two lenient, and each pair rated only one half of the agencies.",
                "where": f"severe: {severe}; lenient: {lenient}; rated everybody: {links}",
                "fools": "Whoever ranks agencies by their mean rating: those whom the severe pair rated look worse than they are.",
                "see_through": "Compare raters on the same agencies; fit a term for each rater beside one for each agency.",
            },
            {
                "id": "halo",
                "what": "One rater lets a general impression decide all nine beliefs.",
                "where": f"{halo}, a lenient one",
                "fools": "Whoever reads that rater's profile of an agency, or takes nine equal ratings for nine observations.",
                "see_through": "Look at the spread of the nine ratings that a rater gives one agency.",
            },
            {
                "id": "contested_beliefs",
                "what": "On two beliefs insiders and outsiders see different things. Neither is in error.",
                "where": f"beliefs {' and '.join(map(str, contested))}; insiders: {insiders}",
                "fools": "Whoever averages it away, or puts all disagreement down to careless raters.",
                "see_through": "Measure agreement belief by belief, with severity taken out; then within each camp.",
            },
            {
                "id": "fewer_raters",
                "what": "One agency was rated by two people only, and one of them is lenient.",
                "where": fewer,
                "fools": "Whoever gives its place in the ranking the same trust as the others'.",
                "see_through": "Show the number of raters beside the mean, and an interval.",
            },
            {
                "id": "cannot_judge",
                "what": "Outsiders often cannot judge belief 4; a few other ratings are missing by chance.",
                "where": "ratings.csv, empty cells",
                "fools": "Whoever counts 'cannot judge' as 0, or adds up points: the agency that is hard to see into looks bad.",
                "see_through": "Count empty cells by belief and viewpoint; average what was rated.",
            },
            {
                "id": "weights",
                "what": "Some agencies are strong in one column and weak in another, others alike in all.",
                "where": f"the same place by any weights: {steady}",
                "fools": "Whoever publishes one ranking by one set of weights.",
                "see_through": "Try other weights, and say whose place survives them.",
            },
        ],
    }


def rank_by_weights(by_column):
    """Places (1 is best) by true level, a column for each set of weights: first equal ones, then from 10 to 80 % a column."""
    tenths = range(1, 9)
    weights = [(1 / 3, 1 / 3, 1 / 3)] + [(a / 10, b / 10, (10 - a - b) / 10) for a in tenths for b in tenths if a + b < 10]
    return pd.DataFrame({n: by_column.dot(np.array(each)).rank(ascending=False).astype(int) for n, each in enumerate(weights)})
