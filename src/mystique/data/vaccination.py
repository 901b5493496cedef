"""The vaccination data set: 60 vaccinators of an invented district and 20 parents in the area of each. OBSERVATIONAL.

Nothing here was drawn by lot: areas, workloads and trust came as they came, so no comparison shows a cause by itself.
Real, after Ali and Altaf (2021): that vaccination, though free and brought to the door, costs parents learning,
psychological strain and compliance, and that distrust and low capacity (overloaded staff, poor facilities, rushed
digitisation) multiply these burdens. Invented: all numbers, the areas, the people, that every vaccinator is willing, and that
her motivation makes no difference.

The calibration simulated again with the traps in: mean (standard deviation) over the seeds 0 to 199. "The course's
regressions" cluster their errors by vaccinator.

    burden by load, capacity, trust, load x trust     0.301 (0.044), -0.249 (0.042), -0.350 (0.028), -0.118 (0.030)
    errors of these, not clustered over clustered     0.68, 0.66, 0.93, 0.91
    complete, logit: at 0, by burden, by trust        1.10 (0.08), -0.56 (0.08), 0.36 (0.08); share complete 0.723 (0.013)
    the same with load and motivation in              load -0.01 (0.08), motivation 0.01 (0.19)
    share complete by one SD of workload              true -0.032; naive -0.064 (0.013); load x trust and capacity in -0.033 (0.014)
    correlation over areas: load with complete        -0.49 (0.09); load with trust -0.55 (0.04)
    burden of the worst-off that is missed without the product                0.29 (0.13) SD, about 41 parents
    silent parents 0.104 (0.009); mean of the answers less that of all: trust +0.078 (0.012), burden -0.035 (0.011)
    the best third of areas less the worst third      motivation 0.00 (0.12), workload ratio -0.41 (0.10)
"""

import numpy as np
import pandas as pd

from mystique.theory import logistic

from .package import LICENCE, DataSet, field, resource, tabulate

NAME = "vaccination"
TITLE = "Vaccinators' load and parents' burden (synthetic, observational)"

# ---------------------------------------------------------------- parameters: each a choice of the course

VACCINATORS, PARENTS = 60, 20

# Workload: children assigned for each child that could be reached in the working hours; 1.4 means 40 % too many.
LOAD_MEAN, LOAD_SD, LOAD_RANGE = 1.4, 0.4, (0.6, 2.6)
FEASIBLE = 22, 40              # children a week, evenly: depends on distances

# Trust: mean 0, SD 1 over parents. A quarter of its variance lies between areas, and distrustful areas get the overloaded
# vaccinators, since nobody stays there: trust is lower by 0.30 for each SD of workload. At 0.15 the confounding would be
# smaller than its own standard error; workload itself takes no trust away.
TRUST_BETWEEN = 0.5            # SD between areas
LOAD_BY_TRUST = -0.6           # correlation of workload with the area's trust; times 0.5 gives the -0.30

# Burden, in SDs. The product is the point: overload weighs most on those who distrust.
BURDEN = {"load": 0.30, "capacity": -0.25, "trust": -0.35, "load x trust": -0.12}
BURDEN_VACCINATOR_SD, BURDEN_PARENT_SD = 0.25, 0.76   # together 0.8; the first makes parents of one vaccinator alike
# Its three parts are scores from 1 to 5 whose mean is the burden: 0 is 2.6, one SD is 0.55.
PARTS = {"learning": -0.1, "psychological": 0.0, "compliance": 0.1}   # compliance (time, travel) costs most
PART_MEAN, PART_SD, PART_OWN_SD = 2.6, 0.55, 0.35

# All vaccinations due: log odds. 1.1 gives about 73 in 100.
COMPLETE, COMPLETE_BY_BURDEN, COMPLETE_BY_TRUST = 1.1, -0.55, 0.35

# Capacity: three conditions rated 1 to 5; their standardised mean is the index.
CAPACITY = {"cold_chain": 3.4, "transport": 2.9, "app_reliability": 2.7}
CAPACITY_SHARED = 0.5          # share of an item's variance that the three have in common

# Willing staff: high everywhere, unrelated to workload, and without effect in these data.
MOTIVATION_MEAN, MOTIVATION_SD = 4.2, 0.4

# Who does not answer the questions: log odds at mean trust, and for each SD of trust. About 1 in 10; vaccination comes from the register.
SILENT, SILENT_BY_TRUST = -2.4, -0.8

# ---------------------------------------------------------------- making


def make(seed):
    """The vaccination data set from a seed. Each step draws from a stream of its own, so that changing one leaves the others."""
    streams = [np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(3)]
    vaccinators = assign_areas(streams[0])
    parents = ask(streams[2], bring_up(streams[1], vaccinators))
    raw = {"vaccinators": vaccinators, "parents": parents}
    tables = {name: tabulate(raw[name], COLUMNS[name]) for name in COLUMNS}
    return DataSet(NAME, TITLE, seed, tables, codebook(tables), truth(seed, parents))


def assign_areas(rng):
    """One row a vaccinator and area: the area's trust, workload, working conditions, motivation."""
    size = VACCINATORS
    trusting, other = unrelated(rng.normal(0, 1, (2, size)))   # so that the confounding is there whatever the seed
    load = LOAD_BY_TRUST * trusting + np.sqrt(1 - LOAD_BY_TRUST**2) * other
    feasible = rng.integers(*FEASIBLE, size, endpoint=True)
    assigned = np.round(feasible * (LOAD_MEAN + LOAD_SD * load).clip(*LOAD_RANGE))
    shared = rng.normal(0, 1, size)
    items = {
        item: (mean + np.sqrt(CAPACITY_SHARED) * shared + np.sqrt(1 - CAPACITY_SHARED) * rng.normal(0, 1, size)).round().clip(1, 5)
        for item, mean in CAPACITY.items()
    }
    mean = sum(items.values()) / len(items)
    return pd.DataFrame({
        "vaccinator_id": [f"V{number:02d}" for number in range(1, size + 1)],
        "children_assigned": assigned, "children_feasible": feasible, "workload_ratio": (assigned / feasible).round(2),
        **items, "capacity": ((mean - mean.mean()) / mean.std(ddof=1)).round(2),
        "motivation": (MOTIVATION_MEAN + MOTIVATION_SD * rng.normal(0, 1, size)).clip(1, 5),
        "area_trust": TRUST_BETWEEN * trusting, "own": rng.normal(0, BURDEN_VACCINATOR_SD, size),
    })


def unrelated(scores):
    """The two rows of scores with mean 0, SD 1 and correlation 0, exactly."""
    first, second = scores - scores.mean(axis=1, keepdims=True)
    second = second - first * (first @ second) / (first @ first)
    return first / first.std(), second / second.std()


def bring_up(rng, vaccinators):
    """One row a parent: trust, the burden felt, and whether the child has all vaccinations due."""
    rows = vaccinators.loc[vaccinators.index.repeat(PARENTS)].reset_index(drop=True)
    size, load = len(rows), (rows["workload_ratio"] - LOAD_MEAN) / LOAD_SD
    trust = rows["area_trust"] + rng.normal(0, np.sqrt(1 - TRUST_BETWEEN**2), size)
    burden = (
        BURDEN["load"] * load + BURDEN["capacity"] * rows["capacity"] + BURDEN["trust"] * trust + BURDEN["load x trust"] * load * trust
        + rows["own"] + rng.normal(0, BURDEN_PARENT_SD, size)
    )
    likely = logistic(COMPLETE + COMPLETE_BY_BURDEN * burden + COMPLETE_BY_TRUST * trust)
    return rows.assign(
        parent_id=[f"P{number:04d}" for number in range(1, size + 1)], child_age_months=rng.integers(15, 35, size, endpoint=True),
        trust=trust, load=load, burden=burden, likely=likely, child_complete=(rng.random(size) < likely).astype(int))


def ask(rng, rows):
    """Add the three parts of the burden, and empty the answers of those who did not want to be asked."""
    own = rng.normal(0, PART_OWN_SD, (len(rows), len(PARTS)))
    own -= own.mean(axis=1, keepdims=True)      # so that the mean of the three parts is the burden
    parts = {
        f"{part}_cost": (PART_MEAN + PART_SD * rows["burden"] + extra + noise).clip(1, 5)
        for (part, extra), noise in zip(PARTS.items(), own.T)
    }
    silent = rng.random(len(rows)) < logistic(SILENT + SILENT_BY_TRUST * rows["trust"])
    answers = {"trust": rows["trust"].clip(-3, 3), **parts}
    return rows.assign(
        trust_of_all=rows["trust"], burden_of_all=rows["burden"], answered=(~silent).astype(int),
        **{name: values.mask(silent) for name, values in answers.items()})


# ---------------------------------------------------------------- columns: exactly these, in this order, are in the files

EMPTY_IF_SILENT = "Empty if the parent did not answer."


def _vaccinator_id(**constraints):
    return field("vaccinator_id", "string", "The vaccinator, who alone serves her area. The same person has the same identifier in both tables.",
                 unit="identifier", construction="Numbered; says nothing else.", pattern="V[0-9]{2}", **constraints)


def _condition(name, description):
    return field(name, "integer", description, unit="score from 1 (poor) to 5 (good)", minimum=1, maximum=5,
                 construction="Drawn around a mean for each condition; where one is good the others tend to be.")


def _cost(part, description):
    return field(f"{part}_cost", "number", description, unit="score from 1 (none) to 5 (very high)", minimum=1, maximum=5, decimals=2,
                 missing=EMPTY_IF_SILENT,
                 construction="The parent's burden (0 is put at 2.6, a standard deviation is 0.55), plus a deviation of its own; the "
                              "deviations of the three costs cancel out, so their mean is the burden.")


COLUMNS = {
    "vaccinators": [
        _vaccinator_id(unique=True),
        field("children_assigned", "integer", "Children a week that the vaccinator is to reach.", unit="children a week", minimum=10, maximum=120,
              construction="The workload times what is feasible. Overloaded vaccinators are found where trust is low: not drawn by lot."),
        field("children_feasible", "integer", "Children a week that could be reached in her working hours, given the distances.",
              unit="children a week", minimum=FEASIBLE[0], maximum=FEASIBLE[1], construction="Drawn evenly."),
        field("workload_ratio", "number", "Assigned over feasible: above 1 is more than can be done.", unit="ratio",
              minimum=0.5, maximum=2.7, decimals=2,
              construction=f"From the two columns before; about {LOAD_MEAN:g} on average, with standard deviation {LOAD_SD:g}."),
        _condition("cold_chain", "Do the refrigerator and the cool boxes work?"),
        _condition("transport", "Is there a motorcycle, and fuel?"),
        _condition("app_reliability", "Does the registration app work in the field?"),
        field("capacity", "number", "Index of the three conditions.", unit="standard deviations from the average vaccinator",
              minimum=-5, maximum=5, decimals=2,
              construction="Mean of the three, less the mean of all vaccinators, divided by their standard deviation."),
        field("motivation", "number", "How much the vaccinator works for the sake of the mission; mean of a short questionnaire.",
              unit="score from 1 to 5", minimum=1, maximum=5, decimals=2,
              construction="Drawn around 4.2 with standard deviation 0.4; unrelated to anything else."),
    ],
    "parents": [
        field("parent_id", "string", "One parent of a child on the register.", unit="identifier", pattern="P[0-9]{4}", unique=True,
              construction="Twenty for each vaccinator, drawn from the register."),
        _vaccinator_id(),
        field("child_age_months", "integer", "The child's age.", unit="months", minimum=15, maximum=35,
              construction="Drawn evenly; unrelated to anything else."),
        field("answered", "integer", "Did the parent answer the questions?", unit="1 = yes, 0 = no", enum=[0, 1],
              construction="Drawn; the less a parent trusts, the likelier silence."),
        field("trust", "number", "Trust in those who offer the vaccination; index of several questions.",
              unit="standard deviations from the average parent", minimum=-3, maximum=3, decimals=2, missing=EMPTY_IF_SILENT,
              construction="Drawn around a mean of the area; a quarter of the variance lies between areas. Limited to -3 to 3."),
        _cost("learning", "Learning costs: finding out what is due, when and where."),
        _cost("psychological", "Psychological costs: fear, being scolded, being looked down on."),
        _cost("compliance", "Compliance costs: time, travel, papers, coming again."),
        field("child_complete", "integer", "Has the child all the vaccinations due at that age? From the register, so never empty.",
              unit="1 = yes, 0 = no", enum=[0, 1],
              construction="Drawn with a chance that falls with the parent's burden and rises with trust."),
    ],
}

HOW_MADE = [
    "Areas came first, some trusting and some not; the overloaded vaccinators were put where trust is low.",
    "A parent's burden is made of the vaccinator's load, her working conditions, the parent's trust, the product of load and trust, and chance; "
    "it is told in three costs.",
    "The chance that a child has all vaccinations falls with the burden and rises with trust. Load acts through the burden only.",
    "The vaccinator's motivation is high nearly everywhere and acts on nothing.",
    "Parents with little trust answered the questions less often; the register holds every child.",
    "That distrust and low capacity multiply burdens echoes a published study; every number is invented. Nothing was drawn by lot.",
]
ARROWS = [  # from, to, sign, note
    ("trust in the area", "vaccinator's workload", "-", "nobody stays where people distrust"),
    ("trust in the area", "parent's trust", "+", ""),
    ("vaccinator's workload", "parent's burden", "+", "most for those who distrust"),
    ("working conditions", "parent's burden", "-", "cold chain, transport, app"),
    ("parent's trust", "parent's burden", "-", "most where the load is heavy"),
    ("parent's burden", "learning, psychological, compliance costs", "+", ""),
    ("parent's burden", "child fully vaccinated", "-", ""),
    ("parent's trust", "child fully vaccinated", "+", ""),
    ("parent's trust", "answers at all", "+", "the distrustful keep silent"),
]


def codebook(tables):
    """The Frictionless Data Package. The seed is not in it: that of a cohort is a secret."""
    return {
        "name": NAME,
        "title": TITLE,
        "description": "SYNTHETIC data, made for teaching: no vaccinator, parent or area in it is real, and no number is a finding. "
                       "OBSERVATIONAL: nothing was drawn by lot, so no comparison shows a cause by itself. The idea that distrust and low capacity "
                       "multiply parents' burdens is that of a published study (Ali and Altaf 2021); all numbers are invented. "
                       "'construction' tells how each column was made.",
        "keywords": ["synthetic", "observational", "teaching", "public administration", "administrative burden"],
        "how_made": HOW_MADE,
        "causal_diagram": [dict(zip(("from", "to", "sign", "note"), arrow)) for arrow in ARROWS],
        "licenses": [LICENCE],
        "resources": [
            resource("vaccinators", "One row a vaccinator and her area.", tables["vaccinators"], COLUMNS["vaccinators"], key=["vaccinator_id"]),
            resource("parents", "One row a parent.", tables["parents"], COLUMNS["parents"], key=["parent_id"],
                     refers_to={"vaccinator_id": ("vaccinators", "vaccinator_id")}),
        ],
    }


# ---------------------------------------------------------------- the truth, for the teacher


def truth(seed, parents):
    """What was put in, so that what students find can be judged. Never handed out."""
    steepness = parents["likely"] * (1 - parents["likely"]) * COMPLETE_BY_BURDEN
    by_load = BURDEN["load"] + BURDEN["load x trust"] * parents["trust_of_all"]
    return {
        "canary": f"MYSTIQUE-CANARY-truth-{NAME}",
        "name": NAME,
        "seed": seed,
        "parameters": {
            "burden": BURDEN, "burden_sd_between_vaccinators": BURDEN_VACCINATOR_SD, "burden_sd_within": BURDEN_PARENT_SD,
            "burden_zero_on_the_scale": PART_MEAN, "burden_sd_on_the_scale": PART_SD,
            "complete_log_odds": {"at 0": COMPLETE, "burden": COMPLETE_BY_BURDEN, "trust": COMPLETE_BY_TRUST},
            "workload_mean_and_sd": [LOAD_MEAN, LOAD_SD], "trust_by_sd_of_workload": round(LOAD_BY_TRUST * TRUST_BETWEEN, 2),
            "silent_log_odds": {"at 0": SILENT, "trust": SILENT_BY_TRUST},
        },
        "true_effects": {
            "share_complete_by_one_sd_of_workload_all_else_the_same": round(float((steepness * by_load).mean()), 4),
            "burden_by_one_sd_of_workload_at_trust": {str(t): round(BURDEN["load"] + BURDEN["load x trust"] * t, 2) for t in (-1, 0, 1)},
            "motivation_of_the_vaccinator": 0, "child_age_months": 0, "workload_on_trust": 0,
        },
        "if_all_had_answered": {
            "mean_trust": round(float(parents["trust_of_all"].mean()), 3), "mean_burden": round(float(parents["burden_of_all"].mean()), 3),
            "share_silent": round(float(1 - parents["answered"].mean()), 3),
        },
        "real_and_invented": {
            "real": "That parents bear learning, psychological and compliance costs, and that distrust and low capacity multiply them.",
            "invented": "All numbers, and that the vaccinator's motivation makes no difference.",
        },
        "traps": [
            {
                "id": "confounding",
                "what": "Distrustful areas have the overloaded vaccinators, and distrust keeps children away by itself.",
                "where": "workload_ratio against child_complete",
                "fools": "Whoever reads the correlation of workload with vaccination as what a lighter load would bring: it shows about twice "
                         "as much.",
                "see_through": "Put trust in; say that what was not measured may still confound: the data are observational.",
            },
            {
                "id": "multiplied_burdens",
                "what": "Load and distrust do not add up, they multiply: overload weighs most on those who distrust.",
                "where": "parents.csv, the three costs, by workload_ratio and trust",
                "fools": "Whoever fits load and trust without their product: the worst-off come out better than they are.",
                "see_through": "Put the product in; show predicted burdens of the four corners.",
            },
            {
                "id": "blaming_the_willing",
                "what": "Vaccinators' motivation is high nearly everywhere and explains nothing; load, conditions and distrust do.",
                "where": "vaccinators.csv, motivation; the areas with the fewest complete children",
                "fools": "Whoever ranks vaccinators by complete children and sends the last to a motivation course.",
                "see_through": "Compare motivation, workload and capacity of the first and the last ten.",
            },
            {
                "id": "silent_parents",
                "what": "Parents with little trust answer less often.",
                "where": "parents.csv, answered; trust and the three costs",
                "fools": "Whoever takes the mean of the answers for the mean of the parents: trust too high, burden too low.",
                "see_through": "child_complete is there for all: compare those who answered with those who did not.",
            },
            {
                "id": "clustered_sampling",
                "what": "Parents of one vaccinator share her load, her conditions and their area.",
                "where": "parents.csv, 20 rows a vaccinator",
                "fools": "Whoever counts 1,200 parents as 1,200 independent cases: errors of load and capacity come out a third too small.",
                "see_through": "Cluster the errors by vaccinator: there are 60 loads, not 1,200.",
            },
        ],
    }
