"""The agencies data set: 200 invented agencies in five countries' surveys, ten years each (the type of Honig's Figure 1).

Published work holds over 2,000 agency observations; its coefficients are not printed here or anywhere in this course.
Every number is the course's own choice, none is a finding.

The question is whether an agency's mission motivation rises when its managers become more supportive. It does, by WITHIN.
Agencies with a mission of lasting appeal have both more support and more motivation, so a comparison of agencies shows
BETWEEN. Slope of motivation on support, mean (standard deviation) over the seeds 0 to 399:

    two-way fixed effects (agency and year): the effect, 0.40             0.402 (0.018)
        its standard error, clustered by agency; plain                    0.019; 0.016
    agency fixed effects, no years                                        0.523 (0.020)
    pooled, all rows; with the years                                      0.718 (0.026); 0.702 (0.026)
        standard error of pooled, clustered by agency; plain              0.026; 0.012
    agencies' means                                                       0.767 (0.032)
    the columns of one survey, two-way fixed effects                      0.619 (0.016)
        the same with new_director as a term                              0.565 (0.017)
    each practice beside the other two, two-way fixed effects             0.134 (0.016)
    points of motivation_pct, agencies below the median; above            5.4 (0.4); 3.0 (0.3)
        points of the index, the same agencies                            0.402 (0.026); 0.401 (0.026)
    mean of support_pct; motivation_pct (tenth to nine-tenths)            67; 83 (69 to 94)
    motivation_pct, easiest survey's mean above the hardest's             13.1 (1.8) points
"""

import numpy as np
import pandas as pd

from .package import LICENCE, DataSet, field, resource, tabulate

NAME = "agencies"
TITLE = "Support and motivation in 200 agencies over ten years (synthetic)"

# ---------------------------------------------------------------- parameters: each a choice of the course

# Five countries' surveys, as in the published database, 40 agencies each. Their questions differ: log odds by which a
# raw share is higher in a survey that asks an easier question. An index is made comparable, a raw share is not.
SURVEYS = {"Ardovia": 0.5, "Belmark": 0.2, "Corvane": 0.0, "Dalmora": -0.2, "Ellmere": -0.5}
YEARS = range(2010, 2020)

# Indices: 0 is the average of all agencies and years.
WITHIN = 0.40              # the effect: points of motivation that a point of support brings to an agency
BETWEEN = 0.80             # slope across agencies; twice the effect, so that nobody can take one for the other
SUPPORT_SD = 0.80          # lasting differences in support
APPEAL_CORRELATION = 0.7   # of lasting support with the mission's appeal: appealing missions get good managers, and money
APPEAL = (BETWEEN - WITHIN) * SUPPORT_SD / APPEAL_CORRELATION   # what appeal must do to motivation for BETWEEN to come out
SUPPORT_WITHIN_SD = 0.45   # an agency's own ups and downs in support, the only part that fixed effects use
MOTIVATION_NOISE_SD = 0.30
CARRIED = 0.5              # share of ups and downs carried to the next year (AR(1)): ten years are not ten agencies
SUPPORT_TREND, MOTIVATION_TREND = 0.05, 0.05   # a year, everywhere, motivation's besides what support brings
PRACTICE_SD = 0.35         # how far autonomy, competence and purpose stray from their mean, lastingly and again each year

# The second measurement, by one survey: the mood of the year colours what the staff say of both.
MOOD_SD = 0.25
DIRECTOR, HONEYMOON = 0.15, 0.5   # chance of a new director a year; what the first year adds to the mood, and to nothing else

# Raw shares: log odds at index 0, and for each point of the index. Motivation is near its ceiling, support is not.
SUPPORT_SHARE, MOTIVATION_SHARE = (0.75, 0.45), (1.75, 0.80)   # .68, and .85
CHECKLIST = 80             # practices on the visitors' list, so a share of it is a little rough
STAFF, STAFF_SPREAD, STAFF_RANGE = 900, 0.9, (150, 12_000)     # median, log spread, limits
ANSWERED = 0.55, 0.75      # share of the staff that answers, from year to year

FIELDS = {
    "Land Registry": "Keep every title to land certain and open to see.",
    "Flood Warning Office": "Warn people in time, and tell them where to go.",
    "School Meals Board": "See that no child learns hungry.",
    "Food Safety Office": "Keep what people eat and drink safe.",
    "Rural Roads Agency": "Keep every village within reach all year.",
    "Blood Service": "Have the right blood ready wherever it is needed.",
    "Probation Service": "Help people who broke the law to live within it.",
    "Forest Service": "Hand the forests on in better health than we found them.",
    "Labour Inspectorate": "Bring every worker home unhurt, and paid.",
    "Passport Office": "Let every citizen travel, and no impostor.",
    "National Archive": "Keep the record of what government did, and open it.",
    "Water Quality Agency": "Make every tap safe to drink from.",
    "Tax Office": "Collect what is due, no more, from everyone alike.",
    "Child Protection Office": "Find children in danger and make them safe.",
    "Harbour Authority": "Bring ships and crews safely in and out.",
    "Pensions Office": "Pay every pensioner the right sum on the right day.",
    "Fire Research Station": "Learn why fires kill, and stop it.",
    "Disability Support Agency": "Let disabled people live the lives they choose.",
    "Customs Office": "Let trade pass and contraband not.",
    "Public Libraries Board": "Put any book in any reader's hands.",
    "Vaccination Programme": "Reach every child with every dose.",
    "Mine Safety Office": "Let no miner die at work.",
    "Census Office": "Count everyone once, and keep their answers secret.",
    "Housing Standards Office": "Make every rented home fit to live in.",
    "Fisheries Office": "Leave enough fish in the sea for those who come after.",
    "Legal Aid Office": "Let nobody lose a case for want of money.",
    "Energy Regulator": "Keep power on and prices fair.",
    "Refugee Reception Agency": "Receive those who flee, and decide fairly and soon.",
    "Agricultural Advice Service": "Bring what is known to every farm.",
    "Air Traffic Office": "Keep aircraft apart and on their way.",
    "Job Centre Network": "Match people who want work with work worth doing.",
    "Animal Health Office": "Stop disease before it leaves the farm.",
    "Patent Office": "Reward what is new, and only that.",
    "Health Inspection Office": "Know which clinics are unsafe, and say so.",
    "Student Grants Office": "Let talent study, whatever its parents earn.",
    "Earthquake Institute": "Know where the ground will shake, and build for it.",
    "Consumer Complaints Office": "Put right what a trader will not.",
    "Prison Service": "Hold people safely and send them home better.",
    "Ambulance Control": "Send help within minutes to whoever calls.",
    "Heritage Office": "Keep old places standing and in use.",
}

# ---------------------------------------------------------------- making


def make(seed):
    """The agencies data set from a seed. Each step draws from a stream of its own, so that changing one leaves the others."""
    streams = [np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(4)]
    agencies = found(len(FIELDS))
    agencies["staff"] = (STAFF * np.exp(streams[0].normal(0, STAFF_SPREAD, len(agencies)))).round().clip(*STAFF_RANGE)
    panel = develop(streams[1], agencies, YEARS)
    panel = panel.assign(**ask_in_one_survey(streams[2], panel))
    panel = panel.assign(**count_shares(streams[3], panel))
    tables = {"agencies": tabulate(agencies, COLUMNS["agencies"]), "panel": tabulate(panel, COLUMNS["panel"])}
    return DataSet(NAME, TITLE, seed, tables, codebook(tables), truth(seed))


def found(agencies_a_survey):
    """One row an agency: its number, name, mission and country."""
    rows = [(f"{field} of {survey}", mission, survey) for survey in SURVEYS for field, mission in list(FIELDS.items())[:agencies_a_survey]]
    agencies = pd.DataFrame(rows, columns=["agency", "mission", "survey"])
    agencies.insert(0, "agency_id", [f"A{number:03d}" for number in range(1, len(agencies) + 1)])
    return agencies


def develop(rng, agencies, years):
    """One row an agency and year: support, its three practices, and motivation, as they really are."""
    size, length = len(agencies), len(years)
    appeal = rng.normal(0, 1, size)
    lasting = SUPPORT_SD * (APPEAL_CORRELATION * appeal + np.sqrt(1 - APPEAL_CORRELATION**2) * rng.normal(0, 1, size))
    time = np.arange(length) - (length - 1) / 2
    support = lasting[:, None] + SUPPORT_TREND * time + SUPPORT_WITHIN_SD * ups_and_downs(rng, size, length)
    own = APPEAL * appeal[:, None] + MOTIVATION_TREND * time + MOTIVATION_NOISE_SD * ups_and_downs(rng, size, length)
    stray = rng.normal(0, PRACTICE_SD, (size, 1, 3)) + rng.normal(0, PRACTICE_SD, (size, length, 3))
    practices = (support[:, :, None] + stray - stray.mean(axis=2, keepdims=True)).reshape(-1, 3)   # their mean is support

    panel = agencies.loc[agencies.index.repeat(length)].reset_index(drop=True)
    return panel.assign(
        year=np.tile(years, size), appeal=np.repeat(appeal, length), support=support.ravel(), motivation=(WITHIN * support + own).ravel(),
        autonomy=practices[:, 0], competence=practices[:, 1], purpose=practices[:, 2])


def ups_and_downs(rng, size, length):
    """Passing deviations, one row an agency: mean 0, standard deviation 1, partly carried to the next year."""
    deviations = rng.normal(0, 1, (size, length))
    for year in range(1, length):
        deviations[:, year] = CARRIED * deviations[:, year - 1] + np.sqrt(1 - CARRIED**2) * deviations[:, year]
    return deviations


def ask_in_one_survey(rng, panel):
    """The same two things as the staff describe them on one day, in the mood of that year."""
    size = len(panel)
    new_director = (rng.random(size) < DIRECTOR).astype(int)
    mood = rng.normal(0, MOOD_SD, size) + HONEYMOON * (new_director - DIRECTOR)
    return {
        "new_director": new_director,
        "support_one_survey": panel["support"] + mood,
        "motivation_one_survey": panel["motivation"] + mood,
    }


def count_shares(rng, panel):
    """What the indices are made from: shares of a checklist and of the answers, squeezed as they near 100 %."""
    ease = panel["survey"].map(SURVEYS)

    def chance(index, share):
        return 1 / (1 + np.exp(-(share[0] + share[1] * index + ease)))

    answers = rng.binomial(panel["staff"].astype(int), rng.uniform(*ANSWERED, len(panel)))
    return {
        "answers": answers,
        "support_pct": 100 * rng.binomial(CHECKLIST, chance(panel["support"], SUPPORT_SHARE)) / CHECKLIST,
        "motivation_pct": 100 * rng.binomial(answers, chance(panel["motivation"], MOTIVATION_SHARE)) / answers,
    }


# ---------------------------------------------------------------- columns: exactly these, in this order, are in the files

POINTS = "points of an index; 0 is the average of all agencies and years"


def agency_id(agencies_a_survey=len(FIELDS), **constraints):
    return field("agency_id", "string", "The agency. The same agency has the same identifier in every table.", unit="identifier",
                 pattern="A[0-9]{3}", construction=f"Numbered by country, {agencies_a_survey} each; says nothing else.", **constraints)


def survey():
    return field("survey", "string", "The invented country whose survey the agency takes part in.", unit="category", enum=list(SURVEYS),
                 construction="Fixed.")


def who_they_are(agencies_a_survey):
    """The columns that tell agencies apart: also those of the employees data."""
    return [
        agency_id(agencies_a_survey, unique=True),
        field("agency", "string", "The agency's name, invented.", unit="name", pattern=".+ of [A-Z][a-z]+", unique=True,
              construction="Fixed list, the same in every country."),
        field("mission", "string", "Its mission in a sentence, invented.", unit="text", pattern=r"[A-Z].+\.",
              construction="Fixed list, the same in every country."),
        survey(),
    ]


def _index(name, description, construction):
    return field(name, "number", description, unit=POINTS, minimum=-8, maximum=8, decimals=3, construction=construction)


def _practice(name, meaning):
    return _index(name, f"How far managers {meaning}, from the visitors' checklist.",
                  "Support, and the practice's own lasting and yearly deviations; the three deviations add up to zero.")


def _percent(name, description, construction):
    return field(name, "number", description, unit="percent", minimum=0, maximum=100, decimals=1, construction=construction)


COLUMNS = {
    "agencies": [
        *who_they_are(len(FIELDS)),
        field("staff", "integer", "People employed; the same number in every year.", unit="people", minimum=STAFF_RANGE[0],
              maximum=STAFF_RANGE[1], construction=f"Drawn (log-normal) around {STAFF}; goes with nothing else but the number of answers."),
    ],
    "panel": [
        agency_id(),
        survey(),
        field("year", "integer", "The year of both measurements.", unit="year", minimum=YEARS[0], maximum=YEARS[-1],
              construction="Every agency, every year."),
        field("new_director", "integer", "Did a new director take over that year?", unit="1 = yes, 0 = no", enum=[0, 1],
              construction="Drawn, the same chance for every agency and year."),
        field("answers", "integer", "Staff who answered the outside team's question on motivation.", unit="people", minimum=1,
              maximum=STAFF_RANGE[1], construction="Drawn: 55 to 75 in 100 of the staff."),
        _practice("autonomy", "allow people to decide and act on their own judgement"),
        _practice("competence", "help people to be good at the work and feel so"),
        _practice("purpose", "let people see what the work achieves"),
        _index("support", "Support by managers: the mean of autonomy, competence and purpose. From visitors' checklists, not from what "
               "the staff say.", "The agency's lasting level, plus a common trend, plus its own ups and downs, partly carried to the next year."),
        _index("motivation", "Mission motivation of the staff, asked by an outside team on a day of its own.",
               "What that year's support brings, plus what the lasting appeal of the mission brings, plus a common trend, plus ups and "
               "downs, partly carried to the next year."),
        _index("support_one_survey", "Support by managers, from the agency's yearly staff survey.",
               "support, plus the mood of that year in that agency."),
        _index("motivation_one_survey", "Mission motivation, from the same yearly staff survey: same people, same day.",
               "motivation, plus the same mood. A new director lifts the mood in the first year."),
        _percent("support_pct", f"Share of the {CHECKLIST} practices on the checklist that the visitors found; support before it is made comparable.",
                 "Drawn (binomial) with a chance that rises with support; lists differ among the countries, some are easier to meet."),
        _percent("motivation_pct", "Share of the answers that say the work is done because it matters; motivation before it is made comparable.",
                 "Drawn (binomial) with a chance that rises with motivation, ever less as it nears 100 %; some countries' "
                 "questions are easier to agree with."),
    ],
}

HOW_MADE = [
    "Each agency has a mission of more or less appeal, which lasts, and which no column shows.",
    "An appealing mission brings an agency both more supportive managers and a more motivated staff.",
    "Support then moves up and down from year to year, and motivation follows it within the same year.",
    "Both rise slowly everywhere, as time passes.",
    "Visitors measure support and an outside team measures motivation. Apart from that, one yearly staff survey asks "
    "about both, and the mood of the year colours both answers.",
    "Raw shares are worked out from the indices, with questions of different difficulty in each country.",
]
ARROWS = [  # from, to, sign, note
    ("support by managers", "mission motivation", "+", "the effect in question, within an agency"),
    ("appeal of the mission", "support by managers", "+", "lasting, not measured"),
    ("appeal of the mission", "mission motivation", "+", "lasting, not measured"),
    ("passing time", "support by managers", "+", "the same in every agency"),
    ("passing time", "mission motivation", "+", "the same in every agency"),
    ("new director", "mood of the year", "+", "in the first year"),
    ("support by managers", "support, as one survey says", "+", ""),
    ("mood of the year", "support, as one survey says", "+", "not measured"),
    ("mission motivation", "motivation, as one survey says", "+", ""),
    ("mood of the year", "motivation, as one survey says", "+", "not measured"),
    ("mission motivation", "share who say the work matters", "+", "less and less as it nears 100 %"),
    ("wording of the question", "share who say the work matters", "", "differs among countries"),
]


def codebook(tables):
    """The Frictionless Data Package. The seed is not in it: that of a cohort is a secret."""
    return {
        "name": NAME,
        "title": TITLE,
        "description": "SYNTHETIC data, made for teaching: no agency or country in it is real, and no number is a finding. Support by "
                       "managers and mission motivation of 200 invented agencies over ten years, each measured in two ways. "
                       "'construction' tells how each column was made.",
        "keywords": ["synthetic", "teaching", "public administration", "mission motivation", "panel data"],
        "licenses": [LICENCE],
        "how_made": HOW_MADE,
        "causal_diagram": [dict(zip(("from", "to", "sign", "note"), arrow)) for arrow in ARROWS],
        "resources": [
            resource("agencies", "One row an agency.", tables["agencies"], COLUMNS["agencies"], key=["agency_id"]),
            resource("panel", "One row an agency and year.", tables["panel"], COLUMNS["panel"], key=["agency_id", "year"],
                     refers_to={"agency_id": ("agencies", "agency_id")}),
        ],
    }


# ---------------------------------------------------------------- the truth, for the teacher


def truth(seed):
    """What was put in, so that what students find can be judged. Never handed out."""
    return {
        "canary": f"MYSTIQUE-CANARY-truth-{NAME}",
        "name": NAME,
        "seed": seed,
        "parameters": {
            "within_slope": WITHIN, "between_slope": BETWEEN, "appeal_on_motivation": round(APPEAL, 3),
            "appeal_correlation_with_support": APPEAL_CORRELATION, "support_sd_between": SUPPORT_SD, "support_sd_within": SUPPORT_WITHIN_SD,
            "motivation_noise_sd": MOTIVATION_NOISE_SD, "carried": CARRIED, "support_trend_a_year": SUPPORT_TREND,
            "motivation_trend_a_year": MOTIVATION_TREND, "practice_sd": PRACTICE_SD, "mood_sd": MOOD_SD, "new_director_chance": DIRECTOR,
            "honeymoon": HONEYMOON, "support_share_log_odds": SUPPORT_SHARE, "motivation_share_log_odds": MOTIVATION_SHARE,
            "ease_of_the_questions_log_odds": SURVEYS,
        },
        "true_effects": {
            "support_on_motivation": WITHIN,
            "each_practice_on_motivation_the_others_held": round(WITHIN / 3, 4),
            "new_director_on_support": 0, "new_director_on_motivation": 0, "survey_on_either_index": 0, "staff_on_either_index": 0,
        },
        "traps": [
            {
                "id": "lasting_differences",
                "what": f"The mission's appeal raises both support and motivation: the slope across agencies is near {BETWEEN}, "
                        f"the effect is {WITHIN}.",
                "where": "panel.csv, support and motivation",
                "fools": "Whoever pools all rows, or compares agencies with one another.",
                "see_through": "Compare each agency with itself: agency fixed effects.",
            },
            {
                "id": "trend",
                "what": "Support and motivation both rise as time passes, in every agency.",
                "where": "panel.csv, support and motivation, over the years",
                "fools": "Whoever compares each agency with itself but leaves the years out.",
                "see_through": "Add year fixed effects; or look at what agencies did whose support did not change.",
            },
            {
                "id": "one_survey",
                "what": f"One passing mood (standard deviation {MOOD_SD}, more with a new director) colours both answers.",
                "where": "panel.csv, support_one_survey and motivation_one_survey",
                "fools": "Everybody, fixed effects included: the mood differs from year to year within an agency.",
                "see_through": "Take the two things from different sources, as support and motivation do.",
            },
            {
                "id": "new_director",
                "what": f"A new director lifts the mood by {HONEYMOON} in the first year, and neither support nor motivation.",
                "where": "panel.csv, new_director = 1, columns of the one survey",
                "fools": "Whoever praises new directors; and whoever thinks that adding this column mends the survey.",
                "see_through": "Compare with the columns of the separate measurements. Adding the column takes out only the "
                               "part of the mood that somebody wrote down.",
            },
            {
                "id": "ceiling",
                "what": "Near 100 % a share can hardly rise: the same effect looks smaller where motivation is high.",
                "where": "panel.csv, motivation_pct",
                "fools": "Whoever finds that support helps only unmotivated agencies.",
                "see_through": "Use the index, or log odds of the share; plot share against index.",
            },
            {
                "id": "wording",
                "what": "Countries' questions and lists are not equally easy.",
                "where": "panel.csv, motivation_pct and support_pct, by survey",
                "fools": "Whoever ranks countries, or agencies of several countries, by raw shares.",
                "see_through": "Compare within a survey, or use the indices.",
            },
            {
                "id": "few_agencies_many_rows",
                "what": f"A share of {CARRIED} of each deviation is carried to the next year.",
                "where": "panel.csv, all indices",
                "fools": "Whoever takes 2,000 rows for 2,000 independent observations: the standard error of the pooled slope comes out at "
                         "less than half of what it is, that of the fixed effects a little too small.",
                "see_through": "Cluster the standard errors by agency.",
            },
        ],
    }
