"""The employees data set: 20,000 invented people in 60 agencies, one to three years each (the type of Honig's Figure 2).

Published work holds over 4 million people; its coefficients are not printed here or anywhere in this course. Every number is
the course's own choice, none is a finding. `at_scale.py` writes the same model for as many people as one likes.

Whether a person leaves is drawn with mystique.theory's chance_of_leaving, to which each agency adds an effect of its own.
Support matters most to the motivated, so tight control drives out the most motivated first: that is the selection to find.
Mean (standard deviation) over the seeds 0 to 99:

    rows; share who left; share who said they would                       36,800; .247 (.005); .368 (.006)
    logit with a term for each agency: support, -0.50                     -0.503 (0.016)
        motivation, -0.05; support x motivation, -0.20                    -0.050 (0.014); -0.202 (0.013)
        chances it predicts one SD either side: low support,
            low and high motivation; high support, low and high           .32 .39; .21 .14
    logit without the agencies: support, motivation, both                 -0.531 (0.020), -0.119 (0.020), -0.198 (0.015)
    linear with a term for each agency: support, motivation, both         -0.082, -0.000, -0.018 (0.003 each)
    intent, logit with agencies: pay satisfaction, tenure                 -0.501 (0.013), -0.031 (0.002)
        leaving, the same terms                                           0.001 (0.010), -0.001 (0.002)
    left, of those who said they would; of the others                     .405 (.006); .154 (.004)
        said they would, of those who left                                .605 (.006)
    asked first in 2017, third of highest support then: mean motivation
        of who is left in 2019, above 2017's; the same people's change    0.141 (0.032); 0.049 (0.030)
        third of lowest support                                           0.099 (0.041); 0.087 (0.035)
    motivation in 2017 of who then left less that of the others,
        third of highest support; of lowest                               -0.307 (0.051); 0.039 (0.040)
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..theory import chance_of_leaving
from ..theory.leaving import BY_BOTH, BY_MOTIVATION, BY_SUPPORT, CONSTANT
from .agencies import agency_id, develop, found, survey, who_they_are
from .package import LICENCE, DataSet, field, resource, tabulate

NAME = "employees"
TITLE = "Who leaves and who stays: employees of many agencies (synthetic)"

# ---------------------------------------------------------------- parameters: each a choice of the course

PEOPLE = 20_000                # enough for an interaction's standard error of .02, small enough for a spreadsheet
AGENCIES_A_SURVEY = 12         # 60 agencies in all
YEARS = range(2017, 2020)
WAVES = 3                      # years in a row that a person is asked, at most
BLOCK = 20_000                 # people drawn from one stream of chance; fixed, so that rows never depend on how they are written

# Support and motivation, in standard deviations among all people. A point of the agencies' indices is worth INDEX of one;
# what is left is the person's: a lasting part (variances below) and a part that passes within the year.
INDEX = 0.45                   # a sixth of the variance of support lies between agencies
LASTING, PASSING = {"support": .50, "motivation": .70}, {"support": .33, "motivation": .17}
TOGETHER = 0.56                # correlation of the lasting parts: makes that of support and motivation .45 in all

# Leaving: chance_of_leaving's coefficients, and the agency's own effect. An appealing mission holds people by itself, and it
# brings support and motivation too (see agencies.py): the confounder that comparing people across agencies cannot see.
HOLD = -0.30                   # log odds of leaving for each SD of the mission's appeal
AGENCY_SD = 0.15               # what else makes agencies differ: the local labour market, say

# Saying that one wants to leave: other coefficients, so that a lesson from intent is not one about leaving.
INTENT = {"constant": -0.45, "by_support": -0.55, "by_motivation": 0.10, "by_both": -0.30}
INTENT_PAY, INTENT_TENURE = -0.50, -0.03   # log odds a point of pay satisfaction, a year of tenure; on leaving: none
SAME_LUCK = 0.35               # share of people whose one stroke of luck decides both answer and deed

TENURE_SHAPE, TENURE_MEAN, TENURE_MOST = 1.4, 8, 40
GRADES = 5
PAY = 3.0                      # pay satisfaction, 1 to 5; the supported, and the senior, say more
PAY_SUPPORT, PAY_GRADE, PAY_SD = 0.4, 0.2, 0.9

# ---------------------------------------------------------------- making


@dataclass(frozen=True)
class Places:
    """The agencies that people work in. Arrays: one row an agency, one column a year."""

    agencies: pd.DataFrame
    years: range
    support: np.ndarray
    motivation: np.ndarray
    effect: np.ndarray         # on the log odds of leaving, one for each agency, 0 on average


def make(seed):
    """The employees data set from a seed."""
    places = settle(seed, AGENCIES_A_SURVEY, YEARS)
    people = employ(seed, places, 0, PEOPLE)
    raw = {"agencies": places.agencies, "employees": with_names(places, people)}
    fields = columns(AGENCIES_A_SURVEY, YEARS)
    tables = {name: tabulate(raw[name], fields[name]) for name in fields}
    return DataSet(NAME, TITLE, seed, tables, codebook(tables), truth(seed, PEOPLE, places))


def settle(seed, agencies_a_survey, years):
    """The agencies, with each year's support and motivation and the effect on leaving that is each one's own."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    agencies = found(agencies_a_survey)
    panel = develop(rng, agencies, years)
    support, motivation, appeal = (panel[name].to_numpy().reshape(len(agencies), len(years)) for name in ["support", "motivation", "appeal"])
    effect = HOLD * appeal[:, 0] + rng.normal(0, AGENCY_SD, len(agencies))
    return Places(agencies, years, support, motivation, effect - effect.mean())


def employ(seed, places, block, people):
    """Block number `block` of the people (BLOCK of them, fewer if `people`, the whole number wanted, ends within it).

    {column: array}, one row a person and year asked; person, agency and year as numbers. A person who leaves is not asked again.
    The rows depend on the seed, the places and the block only.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, block)))
    home = rng.integers(0, len(places.agencies), BLOCK)
    start = rng.integers(-1, len(places.years), BLOCK).clip(min=0)    # twice as many in the first year, when everybody is new
    year = start[:, None] + np.arange(WAVES)
    asked_in = home[:, None], year.clip(max=len(places.years) - 1)

    own = rng.multivariate_normal([0, 0], [[1, TOGETHER], [TOGETHER, 1]], BLOCK, method="cholesky")
    tenure = np.minimum(rng.gamma(TENURE_SHAPE, TENURE_MEAN / TENURE_SHAPE, BLOCK), TENURE_MOST)[:, None] + np.arange(WAVES)
    grade = np.round(1.2 + 0.1 * tenure[:, 0] + rng.normal(0, 0.9, BLOCK)).clip(1, GRADES)[:, None]

    def felt(name, lasting, of_agency):
        passing = np.sqrt(PASSING[name]) * rng.normal(0, 1, year.shape)
        return np.round(INDEX * of_agency[asked_in] + np.sqrt(LASTING[name]) * lasting[:, None] + passing, 2)

    support = felt("support", own[:, 0], places.support)
    motivation = felt("motivation", own[:, 1], places.motivation)
    pay = np.round(PAY + PAY_SUPPORT * own[:, :1] + PAY_GRADE * (grade - 2) + rng.normal(0, PAY_SD, year.shape)).clip(1, 5)

    luck = rng.random(year.shape)
    left = luck < chance_of_leaving(support, motivation, constant=CONSTANT + places.effect[home][:, None])
    luck = np.where(rng.random(year.shape) < SAME_LUCK, luck, rng.random(year.shape))
    constant = INTENT["constant"] + INTENT_PAY * (pay - PAY) + INTENT_TENURE * (tenure - TENURE_MEAN)
    intends = luck < chance_of_leaving(support, motivation, **{**INTENT, "constant": constant})

    person = block * BLOCK + np.arange(BLOCK)
    gone = np.cumsum(left, axis=1) - left > 0
    asked = ~gone & (year < len(places.years)) & (person < people)[:, None]
    values = {
        "person": person[:, None], "agency": home[:, None], "year": year, "grade": grade, "tenure_years": np.round(tenure, 1), "support": support,
        "motivation": motivation, "pay_satisfaction": pay, "intends_to_leave": intends, "left": left,
    }
    return {name: np.broadcast_to(value, year.shape)[asked] for name, value in values.items()}


def with_names(places, people):
    """The same rows as a frame, with identifiers, countries and calendar years in place of numbers."""
    agencies = places.agencies.loc[people["agency"], ["agency_id", "survey"]].reset_index(drop=True)
    frame = pd.DataFrame(people).assign(agency_id=agencies["agency_id"], survey=agencies["survey"], year=people["year"] + places.years[0])
    return frame.assign(person_id=[f"P{number:07d}" for number in people["person"] + 1])


# ---------------------------------------------------------------- columns: exactly these, in this order, are in the files


def _score(name, description, construction):
    return field(name, "number", description, unit="standard deviations; 0 is the average of all", minimum=-8, maximum=8, decimals=2,
                 construction=construction)


def _flag(name, description, construction):
    return field(name, "integer", description, unit="1 = yes, 0 = no", enum=[0, 1], construction=construction)


def columns(agencies_a_survey, years):
    """{table: its fields}, for so many agencies of each country and these years."""
    return {
        "agencies": who_they_are(agencies_a_survey),
        "employees": [
            field("person_id", "string", "The person. Appears once for each year in which she answered.", unit="identifier",
                  pattern="P[0-9]{7}", construction="Numbered; says nothing else."),
            agency_id(agencies_a_survey),
            survey(),
            field("year", "integer", "The year of the survey.", unit="year", minimum=years[0], maximum=years[-1],
                  construction="A person is asked from her first year on, up to three years in a row, until she leaves or the data end."),
            field("grade", "integer", "Grade, from 1 (lowest) to 5.", unit="grade", minimum=1, maximum=GRADES,
                  construction="Rises with tenure, plus chance; does not change while the person is asked."),
            field("tenure_years", "number", "Years in the agency.", unit="years", minimum=0, maximum=TENURE_MOST + WAVES, decimals=1,
                  construction=f"Drawn from a gamma distribution with mean {TENURE_MEAN} for the first year, then one more each year."),
            _score("support", "Support by managers as the person meets it: autonomy, competence and purpose.",
                   "The agency's support that year, plus the person's lasting part, plus a passing one."),
            _score("motivation", "The person's mission motivation.",
                   "The agency's motivation that year, plus the person's lasting part, plus a passing one. The lasting parts of "
                   "support and motivation go together."),
            field("pay_satisfaction", "integer", "'I am satisfied with my pay.'", unit="score from 1 (not at all) to 5 (fully)",
                  minimum=1, maximum=5, construction="Higher for those who meet lasting support, and in higher grades; plus chance; rounded."),
            _flag("intends_to_leave", "'I want to leave this agency within a year', as answered in the survey.",
                  "Drawn with a chance of its own, from support, motivation, pay satisfaction and tenure."),
            _flag("left", "Did the person leave the agency within the year after the survey? From personnel records.",
                  "Drawn with a chance that depends on support, on motivation, on both together, and on the agency."),
        ],
    }


ARROWS = [  # from, to, sign, note
    ("support by managers", "leaving", "-", "how strongly depends on motivation"),
    ("mission motivation", "leaving", "", "which way depends on support"),
    ("appeal of the mission", "support by managers", "+", "lasting, not measured"),
    ("appeal of the mission", "mission motivation", "+", "lasting, not measured"),
    ("appeal of the mission", "leaving", "-", "the same for all people of an agency"),
    ("support by managers", "mission motivation", "+", "through the agency, year by year"),
    ("support by managers", "intent to leave", "-", "how strongly depends on motivation"),
    ("pay satisfaction", "intent to leave", "-", ""),
    ("tenure", "intent to leave", "-", ""),
    ("leaving", "missing from the next survey", "+", "whoever left is not asked"),
]
HOW_MADE = [
    "Each agency has a mission of more or less appeal, which no column shows; it brings support and motivation, and holds people.",
    "A person's support and motivation are the agency's that year, plus a lasting part of her own, plus a passing one.",
    "Whether she leaves is drawn with a chance that depends on her support, her motivation, both together, and her agency.",
    "What she says in the survey about leaving is drawn with a chance of its own; for some people the same luck decides both.",
    "Whoever leaves is not asked again; those who stay are asked for up to three years.",
]


def describe(people, agencies, first, last):
    """The codebook's description of so much data."""
    return (
        "SYNTHETIC data, made for teaching: no person, agency or country in it is real, and no number is a finding. "
        f"{people:,} invented people in {agencies} agencies, surveyed in one to three years from {first} to {last}: support, "
        "motivation, intent to leave, and whether they left. 'construction' tells how each column was made. Agencies bear the names "
        "of the data set 'agencies', but were drawn anew: do not join the two."
    )


def codebook(tables):
    """The Frictionless Data Package. The seed is not in it: that of a cohort is a secret."""
    fields = columns(AGENCIES_A_SURVEY, YEARS)
    return {
        "name": NAME,
        "title": TITLE,
        "description": describe(PEOPLE, len(tables["agencies"]), YEARS[0], YEARS[-1]),
        "keywords": ["synthetic", "teaching", "public administration", "mission motivation", "turnover"],
        "licenses": [LICENCE],
        "how_made": HOW_MADE,
        "causal_diagram": [dict(zip(("from", "to", "sign", "note"), arrow)) for arrow in ARROWS],
        "resources": [
            resource("agencies", "One row an agency.", tables["agencies"], fields["agencies"], key=["agency_id"]),
            resource("employees", "One row a person and year asked.", tables["employees"], fields["employees"], key=["person_id", "year"],
                     refers_to={"agency_id": ("agencies", "agency_id")}),
        ],
    }


# ---------------------------------------------------------------- the truth, for the teacher

GROUPS = {
    "low support, low motivation": (-1, -1), "low support, high motivation": (-1, 1),
    "high support, low motivation": (1, -1), "high support, high motivation": (1, 1),
}


def truth(seed, people, places):
    """What was put in, so that what students find can be judged. Never handed out."""
    return {
        "canary": f"MYSTIQUE-CANARY-truth-{NAME}",
        "name": NAME,
        "seed": seed,
        "parameters": {
            "people": people, "agencies": len(places.agencies), "years": len(places.years), "index_worth": INDEX, "lasting_variance": LASTING,
            "passing_variance": PASSING, "correlation_of_lasting_parts": TOGETHER, "appeal_on_leaving_log_odds": HOLD,
            "other_agency_sd_log_odds": AGENCY_SD, "intent_log_odds": INTENT, "pay_on_intent_log_odds": INTENT_PAY,
            "tenure_on_intent_log_odds": INTENT_TENURE, "same_luck_share": SAME_LUCK,
        },
        "true_effects": {
            "leaving_log_odds": {"constant": CONSTANT, "support": BY_SUPPORT, "motivation": BY_MOTIVATION, "support_x_motivation": BY_BOTH},
            "chance_of_leaving_one_sd_either_side": {
                name: round(float(chance_of_leaving(*scores)), 3) for name, scores in GROUPS.items()},
            "pay_satisfaction_on_leaving": 0, "tenure_on_leaving": 0, "grade_on_leaving": 0, "survey_on_leaving": 0, "year_on_leaving": 0,
            "leaving_of_colleagues_on_motivation": 0,
        },
        "agency_effects_log_odds": dict(zip(places.agencies["agency_id"], places.effect.round(3).tolist())),
        "traps": [
            {
                "id": "tiny_interaction",
                "what": "In a linear regression the product term looks negligible; the groups' chances of leaving differ by up to 25 points.",
                "where": "employees.csv, left on support x motivation",
                "fools": "Whoever reads the product term alone, in points for one SD of each.",
                "see_through": "Work out predicted chances for the four groups, one SD either side, and plot them.",
            },
            {
                "id": "intent_is_not_leaving",
                "what": "More people say that they will leave than leave, and they are not the same people. Pay satisfaction and tenure "
                        "move what is said, not what is done.",
                "where": "employees.csv, intends_to_leave and left",
                "fools": "Whoever takes the survey's answer for the deed, and would raise pay to keep people.",
                "see_through": "Cross the two columns; run the same regression on each.",
            },
            {
                "id": "agency_confounding",
                "what": f"The mission's appeal holds people ({HOLD} log odds for each SD) and brings support and motivation.",
                "where": "employees.csv, support and motivation, across agencies",
                "fools": "Whoever leaves the agencies out: motivation then seems to keep people by itself.",
                "see_through": "Compare colleagues: a term for each agency.",
            },
            {
                "id": "leavers_are_missing",
                "what": "Whoever left is not asked again. Under high support it is the less motivated who leave, under low support it is "
                        "not: the means of those who are left drift apart, and nobody has changed.",
                "where": "employees.csv, year by year, people first asked in the first year",
                "fools": "Whoever reads motivation that rises more under high support as an effect on people.",
                "see_through": "Follow the same people; compare the first answers of those who left with those of the others.",
            },
            {
                "id": "colleagues_are_alike",
                "what": "People of one agency share its support, its motivation and its effect on leaving.",
                "where": "employees.csv, agency_id",
                "fools": "Whoever takes people for independent observations when comparing agencies.",
                "see_through": "Cluster the standard errors by agency.",
            },
        ],
    }

