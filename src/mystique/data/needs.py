"""The needs data set: a questionnaire among the employees of eight invented agencies that are managed differently.

It asks how far three needs are met at work (autonomy, competence, relatedness), and why people keep their records.
The items are the course's own. Correlations with rated performance echo a meta-analysis of mixed settings
(Cerasoli et al. 2016: .28, .37, .25); every other number is the course's own choice, none is a finding.

What students find, traps included: mean (standard deviation) over the seeds 0 to 399.

    alpha, reversed items turned round: autonomy, competence, relatedness     .81 (.02), .81 (.02), .82 (.02)
        external, introjected, identified, intrinsic                          .81 (.02), .84 (.02), .80 (.02), .80 (.02)
    alpha of a need without the straight-liners                               .84 (.02)
    alpha as ticked: needs; external, identified, intrinsic                   .17 to .22 (.07); .05 to .10 (.08)
    correlations of the needs: aut-com, aut-rel, com-rel                      .42 (.05), .56 (.04), .48 (.05)
    correlation with the supervisor's rating: aut, com, rel                   .27 (.06), .37 (.05), .27 (.05)
    correlation with one's own rating                                         .39 (.05), .46 (.04), .38 (.05)
    sum of the three slopes of the supervisor's, of one's own rating          .42 (.06), .71 (.07)
    an agency's mean of a need, error in points, the small one left out       .06 (.02)
    the agency with 7 answers: error in points; true and seen place of 8      +.52 (.18); 5.4 and 1.7
    answers missing: all items; the delicate one                              2.8 % (0.2); 14 % (2)
    autonomy when rows with a gap are dropped                                 +.10 (.03)
    autonomy by sum / 4, the most checked agency against the freest           -.12 (.07) beyond the true difference
    people whose kind the highest of three motives tells                      90 % (1.5)
    on time while reminded: external, introjected, identified                 86 % each (0.7)
    without reminders                                                         64 %, 78 %, 83 % (1)
"""

import numpy as np
import pandas as pd

from .package import LICENCE, DataSet, field, resource, tabulate
from .survey import Item, Scale, answer, answer_fields, leave_out, related, turn_round

NAME = "needs"
TITLE = "Needs and motives at work in eight agencies (synthetic)"

# ---------------------------------------------------------------- parameters: each a choice of the course

# The lot gives each agency one of the ways to manage below, so that a name tells nothing.
AGENCIES = {
    "Alder Falls Housing Office": "We find a decent home for everyone who cannot pay the market's rent.",
    "Brackwater Benefits Center": "We see that no household entitled to help goes without it.",
    "Cobb River Probation Service": "We supervise people after court and help them not to come back.",
    "Dunmore Flats Health Unit": "We prevent illness where people live, work and learn.",
    "Greywell Licensing Bureau": "We let honest trade open its doors and keep unsafe trade shut.",
    "Linden Vale Child Welfare": "We keep children safe, with their families wherever we can.",
    "Port Ellery Inspectorate": "We make sure that kitchens, lifts and harbours harm nobody.",
    "Tallow Ridge Job Center": "We bring people who look for work and work that looks for people together.",
}
# A way to manage: people asked, answers that came back, share of routine cases staff may decide (%), days of training a year,
# hours a month in which colleagues discuss cases, checks of each person's files a month.
# No practice goes with another throughout, so that an agency can be strong in one need and weak in the next.
WAYS = [
    (58, 44, 75, 8, 8, 1),   # supports throughout
    (61, 43, 15, 5, 3, 8),   # controls throughout
    (54, 40, 70, 1, 3, 1),   # free, but left untaught
    (57, 43, 25, 9, 4, 6),   # well taught, tightly held
    (52, 39, 50, 2, 8, 2),   # a close team that learns little
    (55, 42, 45, 5, 5, 3),   # in the middle
    (56, 42, 40, 6, 1, 7),   # targets, everyone for herself
    (30, 7, 35, 4, 4, 4),    # a little below the middle; few answered
]
FEW = 7                        # the place of that last one in WAYS
PRACTICES = ["local_decisions_pct", "training_days", "team_hours", "checks_a_month"]

# Needs: hidden scores. What a step of one standard deviation (over the agencies) in a practice adds to the agency's mean score.
NEEDS = {
    "autonomy": {"local_decisions_pct": .35, "checks_a_month": -.20},
    "competence": {"training_days": .45},
    "relatedness": {"team_hours": .45},
}
LUCK = 0.12                    # SD of what agencies differ by beyond their practices
NEEDS_TOGETHER = 0.65          # correlation of two needs within an agency; the answers then correlate .4 to .6
MOOD = 0.35                    # what one SD of the day's mood adds to a person's answers about her needs ...
MOOD_SELF = 1.0               # ... and to her rating of her own work: the common source

# Performance: what one SD of a need adds. Its correlations with the answers then come near .28, .37 and .25.
PERFORMANCE = {"autonomy": .15, "competence": .42, "relatedness": .06}
PERFORMANCE_OWN = 0.82         # SD of what needs do not explain
RATING, RATING_SD = 3.3, 0.60  # scale of 1 to 5: points for average performance, and for one SD more
RATING_NOISE = 0.75            # SD of what each rating holds of chance, in SD of performance
UNRATED = 0.04                 # supervisors' ratings that are missing, by chance

# Three kinds of people: why they keep their records. Mean score of each motive, in SD of the answers; then the fall in records
# kept on time, in points, while nobody is reminded. All three keep 86 % while reminded: the same behaviour, other reasons.
KINDS = {
    "checked": ({"external": 1.1, "introjected": -0.5, "identified": -0.9, "intrinsic": -0.4}, 24),
    "conscience": ({"external": -0.3, "introjected": 1.3, "identified": -0.3, "intrinsic": -0.3}, 8),
    "convinced": ({"external": -0.7, "introjected": -0.5, "identified": 0.9, "intrinsic": 0.5}, 2),
}
MET, CHECKS = 1.0, 0.3         # log odds of being "convinced" for an SD of needs met, and of "checked" for an SD of checks
MOTIVE_SD = 0.5               # how people of one kind differ
INTEREST = 0.45                # what needs met add to interest, whatever the kind
ON_TIME, ON_TIME_SD, UNREMINDED_SD = 86, 7, 5

# Missing and careless answers
SKIPPED = 0.025                # an item left out by chance
DELICATE = "autonomy_2"        # the item on contradicting one's supervisor ...
DELICATE_ODDS = -2.9           # ... log odds of leaving it out, for a person of average autonomy in an average agency
DELICATE_LESS, DELICATE_MORE = -1.3, 0.6   # what an SD of autonomy and an SD of checks add: the least free and most watched keep silent
CAREFREE = 1.5                 # log odds, for an SD of needs met, of being among the few who answer in the one agency
STRAIGHT = 8                   # people who tick the same number all the way down: 3 in 100, enough to hurt

FIVE, SEVEN = Scale(1, 5, 0.95), Scale(1, 7, 1.45)
# Loadings of .65 to .80 give alpha of about .75 to .85. The place of the reversed item differs, so that the table must be read.
ITEMS = {
    "autonomy": (FIVE, "", [
        Item("autonomy_1", "I can stand behind the way my cases are handled.", 3.4, .78),
        Item("autonomy_2", "When I see a case differently from my supervisor, I say so.", 2.9, .76),
        Item("autonomy_3", "I often have to act against my own judgement.", 3.2, .76, reverse=True),
        Item("autonomy_4", "There is room here for my own way of doing things.", 3.3, .78),
    ]),
    "competence": (FIVE, "", [
        Item("competence_1", "I know what to do when a case turns difficult.", 3.4, .78),
        Item("competence_2", "By Friday I often doubt that I am up to this job.", 3.3, .74, reverse=True),
        Item("competence_3", "I can handle cases today that I could not have handled a year ago.", 3.5, .74),
        Item("competence_4", "I am good at the parts of this job that matter.", 3.5, .76),
    ]),
    "relatedness": (FIVE, "", [
        Item("relatedness_1", "Somebody here would notice if I had a bad week.", 3.3, .78),
        Item("relatedness_2", "I look forward to seeing the people I work with.", 3.5, .76),
        Item("relatedness_3", "With my colleagues I can talk about what went wrong.", 3.4, .78),
        Item("relatedness_4", "Even in a full office I am mostly on my own.", 3.3, .74, reverse=True),
    ]),
    "external": (SEVEN, "I keep my records up to date ", [
        Item("external_1", "because they are checked.", 4.1, .78),
        Item("external_2", "even in weeks when nobody looks.", 3.6, .74, reverse=True),
        Item("external_3", "because whoever falls behind gets into trouble.", 3.9, .76),
        Item("external_4", "because my appraisal depends on it.", 3.8, .78),
    ]),
    "introjected": (SEVEN, "I keep my records up to date ", [
        Item("introjected_1", "because a gap in my files would shame me.", 3.8, .76),
        Item("introjected_2", "because a late record spoils my evening.", 3.4, .78),
        Item("introjected_3", "to prove to myself that I can be relied on.", 4.0, .76),
        Item("introjected_4", "because I would think less of myself if I let it slide.", 3.8, .78),
    ]),
    "identified": (SEVEN, "I keep my records up to date ", [
        Item("identified_1", "because the next colleague who sees the client needs them.", 4.4, .76),
        Item("identified_2", "because they show where help is lacking.", 4.2, .76),
        Item("identified_3", "because that is what doing this job well means to me.", 4.3, .78),
        Item("identified_4", "though I cannot see whom they help.", 4.2, .74, reverse=True),
    ]),
    "intrinsic": (SEVEN, "I keep my records up to date ", [
        Item("intrinsic_1", "though it bores me.", 3.0, .74, reverse=True),
        Item("intrinsic_2", "because I like to see a case take shape in writing.", 3.1, .76),
        Item("intrinsic_3", "because I enjoy getting them exactly right.", 3.2, .78),
        Item("intrinsic_4", "because it is a part of the day that I like.", 2.8, .78),
    ]),
}
MOTIVES = [subscale for subscale in ITEMS if subscale not in NEEDS]

# ---------------------------------------------------------------- making


def make(seed):
    """The needs data set from a seed. Each step draws from a stream of its own, so that changing one leaves the others."""
    streams = [np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(8)]
    agencies = manage(streams[0])
    staff = feel(streams[1], employ(streams[2], agencies))
    staff = rate(streams[3], keep_records(streams[4], staff))
    complete = ask(streams[5], staff)
    staff["answered"] = return_questionnaire(streams[6], staff)
    ticked = straight_line(streams[7], staff, hold_back(streams[7], staff, complete))

    answers = pd.concat([staff, ticked], axis=1)[staff["answered"]].reset_index(drop=True)
    answers["employee_id"] = [f"E{number:03d}" for number in range(1, len(answers) + 1)]
    raw = {"agencies": agencies, "items": list_items(), "answers": answers}
    tables = {name: tabulate(raw[name], COLUMNS[name]) for name in COLUMNS}
    return DataSet(NAME, TITLE, seed, tables, codebook(tables), truth(seed, agencies, staff, complete, answers))


def manage(rng):
    """One row an agency: its mission, its way to manage, and what that does to its people's mean scores."""
    names = list(AGENCIES)
    ways = pd.DataFrame(WAYS, columns=["asked", "returned", *PRACTICES])
    drawn = ways.assign(agency=rng.permutation(names), few=ways.index == FEW)
    agencies = drawn.sort_values("agency", ignore_index=True)
    agencies.insert(0, "agency_id", [f"A{number}" for number in range(1, len(names) + 1)])
    agencies["mission"] = agencies["agency"].map(AGENCIES)
    steps = (agencies[PRACTICES] - agencies[PRACTICES].mean()) / agencies[PRACTICES].std()
    for need, effects in NEEDS.items():
        agencies[f"{need}_mean"] = sum(effect * steps[practice] for practice, effect in effects.items()) + rng.normal(0, LUCK, len(names))
    return agencies.assign(checks=steps["checks_a_month"])


def employ(rng, agencies):
    """One row a person asked, with her agency's facts."""
    staff = agencies.loc[agencies.index.repeat(agencies["asked"])].reset_index(drop=True)
    return staff.assign(tenure_years=rng.gamma(1.8, 4.0, len(staff)).clip(0.3, 35))


def feel(rng, staff):
    """Add the hidden scores: needs, the day's mood, the kind of person and her motives."""
    size = len(staff)
    own = related(rng, size, np.full((3, 3), NEEDS_TOGETHER) + (1 - NEEDS_TOGETHER) * np.eye(3))
    for need, scores in zip(NEEDS, own.T):
        staff[need] = staff[f"{need}_mean"] + np.sqrt(1 - MOOD**2) * scores
    staff["mood"] = rng.normal(size=size)
    staff["met"] = staff[list(NEEDS)].mean(axis=1) / staff[list(NEEDS)].mean(axis=1).std()
    odds = {"checked": CHECKS * staff["checks"], "conscience": 0 * staff["checks"], "convinced": MET * staff["met"]}
    luck = rng.gumbel(size=(size, len(KINDS)))          # the largest of odds plus such noise: a draw with just these odds
    staff["kind"] = np.array(list(odds))[np.argmax(np.column_stack(list(odds.values())) + luck, axis=1)]
    for motive in MOTIVES:
        staff[motive] = staff["kind"].map({kind: means[motive] for kind, (means, _) in KINDS.items()}) + rng.normal(0, MOTIVE_SD, size)
    staff["intrinsic"] += INTEREST * staff["met"]
    return staff


def keep_records(rng, staff):
    """Add the share of records kept on time: while reminded the same for all kinds, without reminders not."""
    usual = rng.normal(ON_TIME, ON_TIME_SD, len(staff))
    fall = staff["kind"].map({kind: fall for kind, (_, fall) in KINDS.items()}) + rng.normal(0, UNREMINDED_SD, len(staff))
    return staff.assign(on_time_pct=usual.clip(0, 100).round(), on_time_unreminded_pct=(usual - fall).clip(0, 100).round())


def rate(rng, staff):
    """Add performance, rated by the supervisor and by the person herself, whose mood speaks too."""
    size = len(staff)
    performance = sum(weight * staff[need] for need, weight in PERFORMANCE.items()) + rng.normal(0, PERFORMANCE_OWN, size)
    seen = performance + rng.normal(0, RATING_NOISE, size)
    felt = performance + rng.normal(0, RATING_NOISE, size) + MOOD_SELF * staff["mood"]
    supervisor, own = ((RATING + RATING_SD * each).clip(1, 5) for each in (seen, felt))
    return staff.assign(performance_supervisor=supervisor.mask(rng.random(size) < UNRATED), performance_self=own)


def ask(rng, staff):
    """What everybody would tick, a column an item. Mood colours the answers about needs, not the reasons for keeping records."""
    blocks = []
    for subscale, (scale, _, items) in ITEMS.items():
        coloured = staff[subscale] + (MOOD * staff["mood"] if subscale in NEEDS else 0)
        blocks.append(answer(rng, coloured, items, scale))
    return pd.concat(blocks, axis=1)


def return_questionnaire(rng, staff):
    """Who sends the questionnaire back: by chance, but in the one agency rather those whose needs are met."""
    wish = rng.gumbel(size=len(staff)) + CAREFREE * staff["met"] * staff["few"]
    place = wish.groupby(staff["agency_id"]).rank(ascending=False)
    return place <= staff["returned"]


def hold_back(rng, staff, complete):
    """The answers with gaps: a few by chance, and one item that the least free and most watched leave out."""
    ticked = leave_out(rng, complete, SKIPPED)
    odds = DELICATE_ODDS + DELICATE_LESS * staff["autonomy"] + DELICATE_MORE * staff["checks"]
    ticked[DELICATE] = ticked[DELICATE].mask(rng.random(len(staff)) < 1 / (1 + np.exp(-odds)))
    return ticked


def straight_line(rng, staff, ticked):
    """Some people tick 4, or 5, all the way down."""
    eligible = staff.index[staff["answered"] & ~staff["few"]]
    lazy = rng.choice(eligible, STRAIGHT, replace=False)
    ticked.loc[lazy] = rng.choice([4, 5], (STRAIGHT, 1)).repeat(ticked.shape[1], axis=1)
    staff["straight"] = staff.index.isin(lazy)
    return ticked


def list_items():
    """One row an item."""
    rows = [
        (item.name, lead + item.text, subscale, int(item.reverse), scale.low, scale.high)
        for subscale, (scale, lead, items) in ITEMS.items() for item in items
    ]
    return pd.DataFrame(rows, columns=["item", "text", "subscale", "reverse", "lowest", "highest"])


# ---------------------------------------------------------------- columns: exactly these, in this order, are in the files

GAP = "Empty if the item was not answered."


def _agency_id(**constraints):
    return field("agency_id", "string", "The agency.", unit="identifier", pattern="A[1-8]",
                 construction="Numbered in the order of the alphabet; says nothing else.", **constraints)


def _practice(name, description, unit, most):
    return field(name, "integer", description, unit=unit, minimum=0, maximum=most,
                 construction="One of eight ways to manage, each a row of fixed numbers; the lot says which agency has which.")


def _share(name, description, construction):
    return field(name, "integer", description, unit="percent", minimum=0, maximum=100, construction=construction)


def _rating(name, who, construction, **missing):
    return field(name, "number", f"How well the person does her whole job, rated by {who}.", unit="score from 1 (poorly) to 5 (very well)",
                 minimum=1, maximum=5, decimals=1, construction=construction, **missing)


def _answers(subscale):
    scale, lead, items = ITEMS[subscale]
    score, extra = (f"need for {subscale}", ", coloured by the day's mood") if subscale in NEEDS else (f"{subscale} motive", "")
    return answer_fields(items, scale, lead=lead, missing=GAP, construction=(
        f"The person's hidden score of the {score}{extra}, plus chance; rounded. See items.csv for the direction of the wording."))


COLUMNS = {
    "agencies": [
        _agency_id(unique=True),
        field("agency", "string", "The agency's name, invented.", unit="name", enum=list(AGENCIES), construction="Fixed list."),
        field("mission", "string", "What the agency says it is for.", unit="one sentence", enum=list(AGENCIES.values()),
              construction="Fixed list."),
        field("asked", "integer", "Employees who were sent the questionnaire: all of them.", unit="people", minimum=1, maximum=100,
              construction="Goes with the way to manage; fixed."),
        _practice("local_decisions_pct", "Routine cases that staff may decide without asking.", "percent of routine cases", 100),
        _practice("training_days", "Days of training for each employee.", "days a year", 30),
        _practice("team_hours", "Hours in which colleagues discuss cases together.", "hours a month", 40),
        _practice("checks_a_month", "Checks of each employee's files.", "checks a month", 30),
    ],
    "items": [
        field("item", "string", "The item: the name of its column in answers.csv.", unit="name", pattern="[a-z]+_[1-4]", unique=True,
              construction="Subscale and place on the form."),
        field("text", "string", "What the form says. The items are the course's own, not those of a published scale.", unit="one sentence",
              pattern="[A-Z].+\\.", construction="Fixed."),
        field("subscale", "string", "The need or the motive that the item asks about.", unit="category", enum=list(ITEMS),
              construction="Fixed."),
        field("reverse", "integer", "Is the item worded the other way round, so that agreeing speaks against the need or motive?",
              unit="1 = yes, 0 = no", enum=[0, 1], construction="Fixed: one item of each need, and of three motives."),
        field("lowest", "integer", "The lowest number that can be ticked: not at all true.", unit="score", minimum=1, maximum=1,
              construction="Fixed."),
        field("highest", "integer", "The highest number that can be ticked: fully true.", unit="score", enum=[5, 7],
              construction="Fixed: 5 for needs, 7 for motives, as the two forms were printed."),
    ],
    "answers": [
        field("employee_id", "string", "One employee who sent the questionnaire back.", unit="identifier", pattern="E[0-9]{3}", unique=True,
              construction="Numbered by agency; says nothing else."),
        _agency_id(),
        field("tenure_years", "number", "Years in the job.", unit="years", minimum=0, maximum=35, decimals=1,
              construction="Drawn from a gamma distribution with mean 7, limited to 0.3 to 35; unrelated to anything else."),
        *(column for subscale in ITEMS for column in _answers(subscale)),
        _rating("performance_supervisor", "her supervisor", "Performance, which rises with the needs met, plus chance.",
                missing="Empty if the supervisor did not rate her, by chance: about 4 in 100."),
        _rating("performance_self", "herself, on the same form", "The same performance, plus the day's mood, plus chance."),
        _share("on_time_pct", "Her records that were up to date on the day due, in the last quarter, with a weekly reminder.",
               "Drawn around 86, with standard deviation 7; the same for every kind of person."),
        _share("on_time_unreminded_pct", "The same in the six weeks when no reminder was sent, since the mail server had failed.",
               "The share with reminders, less a fall that depends on why the person keeps her records, less or more by chance."),
    ],
}

# What moves what: the book draws it.
DIAGRAM = [
    ("checks of files", "autonomy", "-", "being watched feels like being steered"),
    ("room to decide", "autonomy", "+", "people who may decide routine cases feel freer"),
    ("training", "competence", "+", "people who are taught feel able"),
    ("time together", "relatedness", "+", "colleagues who discuss cases feel close"),
    ("autonomy", "own reasons for keeping records", "+", "the more needs are met, the likelier a person is convinced of the records' use"),
    ("competence", "own reasons for keeping records", "+", ""),
    ("relatedness", "own reasons for keeping records", "+", ""),
    ("checks of files", "own reasons for keeping records", "-", "where files are often checked, more people keep them for that reason"),
    ("own reasons for keeping records", "records kept without reminders", "+", "the convinced carry on"),
    ("autonomy", "performance", "+", ""),
    ("competence", "performance", "+", "the strongest of the three"),
    ("relatedness", "performance", "+", ""),
    ("performance", "supervisor's rating", "+", ""),
    ("performance", "own rating", "+", ""),
    ("autonomy", "answers about needs", "+", "the items measure the needs, with error"),
    ("competence", "answers about needs", "+", ""),
    ("relatedness", "answers about needs", "+", ""),
    ("mood of the day", "answers about needs", "+", "who is in a good mood ticks higher ..."),
    ("mood of the day", "own rating", "+", "... and judges her own work more kindly, on the same form"),
]
HOW_MADE = [
    "The lot gave each of the eight agencies one of eight ways to manage: room to decide, training, time together, checks.",
    "These practices set how far an agency's people find their needs met on average; around that average people differ.",
    "Each person keeps her records for one main reason; which one depends partly on her needs and on how often files are checked.",
    "With a weekly reminder all keep the same share of their records on time; without it they do not.",
    "Every item's answer is the hidden score plus chance, rounded to what can be ticked; some items are worded the other way round.",
    "As in any survey, some people did not answer, some left items out, not always by chance, and some did not read the items.",
]


def codebook(tables):
    """The Frictionless Data Package. The seed is not in it: that of a cohort is a secret."""
    return {
        "name": NAME,
        "title": TITLE,
        "description": "SYNTHETIC data, made for teaching: no person or agency in it is real, and no number is a finding. The employees "
                       "of eight invented agencies say how far three needs are met at work, and why they keep their records.",
        "keywords": ["synthetic", "teaching", "public administration", "motivation", "questionnaire"],
        "licenses": [LICENCE],
        "how_made": HOW_MADE,
        "causal_diagram": [dict(zip(("from", "to", "sign", "note"), arrow)) for arrow in DIAGRAM],
        "resources": [
            resource("agencies", "One row an agency: its mission and how it is managed.", tables["agencies"], COLUMNS["agencies"],
                     key=["agency_id"]),
            resource("items", "One row an item of the questionnaire: what it says, what it asks about, and which way it is worded.",
                     tables["items"], COLUMNS["items"], key=["item"]),
            resource("answers", "One row an employee who answered: the numbers as ticked, reversed items not turned round; then ratings, "
                                "and records from the agency's files.",
                     tables["answers"], COLUMNS["answers"], key=["employee_id"], refers_to={"agency_id": ("agencies", "agency_id")}),
        ],
    }


# ---------------------------------------------------------------- the truth, for the teacher


def truth(seed, agencies, staff, complete, answers):
    """What was put in, so that what students find can be judged. Never handed out."""
    scores = pd.concat([staff["agency_id"], score_all(complete)], axis=1).groupby("agency_id").mean()
    latent = agencies.set_index("agency_id")[[f"{need}_mean" for need in NEEDS]].set_axis(list(NEEDS), axis=1)
    of_kind = answers.groupby("kind")["employee_id"].agg(" ".join)
    few = agencies.loc[agencies["few"]].iloc[0]
    straight = ", ".join(answers.loc[answers["straight"], "employee_id"])
    reversed_items = ", ".join(item.name for _, _, items in ITEMS.values() for item in items if item.reverse)
    return {
        "canary": "MYSTIQUE-CANARY-truth-needs",
        "name": NAME,
        "seed": seed,
        "parameters": {
            "effect_of_a_practice_on_the_mean_need": NEEDS, "luck_sd": LUCK, "correlation_of_needs_within": NEEDS_TOGETHER,
            "mood_in_needs": MOOD, "mood_in_own_rating": MOOD_SELF, "performance_from_needs": PERFORMANCE,
            "kinds": {kind: {"motives": means, "fall_without_reminders": fall} for kind, (means, fall) in KINDS.items()},
            "skipped_share": SKIPPED, "straight_liners": STRAIGHT,
            "loadings": {item.name: item.loading for _, _, items in ITEMS.values() for item in items},
        },
        "true_effects": {
            "latent_need_means_sd": latent.round(2).to_dict("index"),
            "mean_scores_if_all_had_answered": scores.round(2).to_dict("index"),
            "on_time_difference_between_kinds": 0,
            "fall_without_reminders": {kind: fall for kind, (_, fall) in KINDS.items()},
        },
        "kinds_of_people": of_kind.to_dict(),
        "traps": [
            {
                "id": "reversed_items",
                "what": "One item of each need and of three motives is worded the other way round, each time at another place.",
                "where": f"answers.csv: {reversed_items}",
                "fools": "Whoever averages the columns as they are: alpha falls below .45, and people differ less than they do.",
                "see_through": "Read items.csv; look at the correlations of the items; turn round with lowest + highest - answer.",
            },
            {
                "id": "two_scales",
                "what": "Needs were ticked on 1 to 5, motives on 1 to 7.",
                "where": "items.csv, highest",
                "fools": "Whoever turns every reversed item round with 6 - answer, or compares a need's mean with a motive's.",
                "see_through": "Take lowest and highest from the table; nothing may fall outside them.",
            },
            {
                "id": "straight_lining",
                "what": f"{STRAIGHT} people ticked one number all the way down, on both forms.",
                "where": f"answers.csv: {straight}",
                "fools": "Whoever trusts every row: alpha of the needs is lower than it is among those who read the items.",
                "see_through": "Find rows without spread over the items as ticked: nobody who reads agrees with an item and its reverse.",
            },
            {
                "id": "few_answers",
                "what": f"In one agency {few['returned']} of {few['asked']} answered, rather the content ones.",
                "where": f"{few['agency_id']}, {few['agency']}",
                "fools": "Whoever ranks agencies by their means: it looks better than it is, and seven others might say something else.",
                "see_through": "Show asked and answered beside each mean, and an interval; say what is not known about the silent.",
            },
            {
                "id": "delicate_item",
                "what": "The less free and the more watched people are, the likelier they skip the item on contradicting their supervisor.",
                "where": f"answers.csv, {DELICATE}: {int(answers[DELICATE].isna().sum())} gaps of {len(answers)}",
                "fools": "Whoever drops rows with a gap: the least free go, most of all where control is tight, and autonomy looks better.",
                "see_through": "Count gaps by item and agency; compare the other autonomy items of those who left it out with the others'.",
            },
            {
                "id": "sum_of_items",
                "what": "A sum counts a gap as nothing.",
                "where": "answers.csv, every row with a gap; autonomy above all",
                "fools": "Whoever adds up the items: people with a gap seem to have less of the need, and so do agencies with many gaps.",
                "see_through": "Take the mean of the items answered, and ask for at least three of the four.",
            },
            {
                "id": "common_source",
                "what": "The day's mood raises both the answers about needs and the rating of one's own work.",
                "where": "answers.csv, performance_self",
                "fools": "Whoever takes the correlation of needs with performance_self for the strength of the tie.",
                "see_through": "Compare with performance_supervisor, which comes from another person.",
            },
            {
                "id": "same_behaviour",
                "what": "People keep their records for three different reasons, and while they are reminded all do it equally well.",
                "where": "answers.csv: the highest of external, introjected and identified; on_time_pct, on_time_unreminded_pct",
                "fools": "Whoever infers motives from behaviour, or takes a good quarter for commitment.",
                "see_through": "Ask for the reasons; look at what happens when nobody reminds.",
            },
        ],
    }


def score_all(complete):
    """Each subscale's mean of items, reversed ones turned round, from answers without gaps."""
    return pd.DataFrame({
        subscale: sum(turn_round(complete[item.name], scale) if item.reverse else complete[item.name] for item in items) / len(items)
        for subscale, (scale, _, items) in ITEMS.items()
    })
