"""The needs data: the same from the same seed, as its codebook says, with every trap in it and the truth to be found.

Scales are scored here as the course teaches it, from the table of items. What depends on chance is tested as a mean over a
few fixed seeds, with a tolerance of about three standard errors of that mean (the module's docstring has the deviations).
"""

import json
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from mystique.data import needs

SEEDS = 2011, 7, 31
MANY_SEEDS = range(20)
NEEDS = ["autonomy", "competence", "relatedness"]
MOTIVES = ["external", "introjected", "identified", "intrinsic"]
REASONS = {"checked": "external", "conscience": "introjected", "convinced": "identified"}
CORRELATIONS = {"autonomy": .28, "competence": .37, "relatedness": .25}    # with performance: Cerasoli et al. 2016

made = lru_cache(maxsize=None)(needs.make)
over_seeds = pytest.mark.parametrize("seed", SEEDS)


def mean_over(seeds, figure):
    return np.mean([figure(seed) for seed in seeds])


def truth(seed):
    return made(seed).truth["true_effects"]


def items_of(seed, subscale):
    table = made(seed).tables["items"]
    return table.loc[table["subscale"] == subscale, "item"].tolist()


@lru_cache(maxsize=None)
def answers(seed):
    """The answers as ticked."""
    return made(seed).tables["answers"].astype({item: float for item in made(seed).tables["items"]["item"]})


@lru_cache(maxsize=None)
def turned(seed):
    """The answers with reversed items turned round."""
    rows = answers(seed).copy()
    for item in made(seed).tables["items"].query("reverse == 1").itertuples():
        rows[item.item] = item.lowest + item.highest - rows[item.item]
    return rows


@lru_cache(maxsize=None)
def scored(seed):
    """Each subscale's mean of the items answered, beside the rest."""
    rows = turned(seed)
    return rows.assign(**{subscale: rows[items_of(seed, subscale)].mean(axis=1) for subscale in NEEDS + MOTIVES})


def alpha(rows):
    """Cronbach's alpha, from rows without gaps."""
    rows = rows.dropna()
    count = rows.shape[1]
    return count / (count - 1) * (1 - rows.var().sum() / rows.sum(axis=1).var())


def straight(seed):
    """Whoever ticked one number all the way down."""
    ticked = answers(seed)[made(seed).tables["items"]["item"]]
    return ticked.nunique(axis=1) == 1


def few(seed):
    """The agency from which few answers came."""
    table = made(seed).tables["agencies"].set_index("agency_id")
    return (answers(seed).groupby("agency_id").size() / table["asked"]).idxmin()


def trap(seed, name):
    return {each["id"]: each for each in made(seed).truth["traps"]}[name]


# ---------------------------------------------------------------- from a seed, and as the codebook says


def test_the_package_tells_that_and_how_the_data_were_made():
    package = made(7).package
    assert package["name"] == "needs" and package["title"] == needs.TITLE and package["description"].startswith("SYNTHETIC")
    assert 3 <= len(package["how_made"]) <= 6
    assert all(set(arrow) == {"from", "to", "sign", "note"} and arrow["sign"] in "+-" for arrow in package["causal_diagram"])


def test_the_truth_names_its_traps_and_carries_the_canary():
    truth = json.loads(json.dumps(made(7).truth))
    assert truth["canary"] == "MYSTIQUE-CANARY-truth-needs" and truth["seed"] == 7
    assert len({each["id"] for each in truth["traps"]}) == len(truth["traps"]) == 8
    assert all(len(each[part]) > 10 for each in truth["traps"] for part in ["what", "where", "fools", "see_through"])


@over_seeds
def test_shape(seed):
    agencies, items, rows = made(seed).tables.values()
    assert len(agencies) == 8 and len(rows) == 300
    assert sorted(rows.groupby("agency_id").size()) == [7, 39, 40, 42, 42, 43, 43, 44]
    assert (rows.groupby("agency_id").size().to_numpy() < agencies["asked"]).all()
    assert items.groupby("subscale").size().to_dict() == dict.fromkeys(NEEDS + MOTIVES, 4)
    assert items.groupby("subscale")["reverse"].sum().to_dict() == {**dict.fromkeys(NEEDS + MOTIVES, 1), "introjected": 0}
    assert set(items.query("highest == 7")["subscale"]) == set(MOTIVES)
    missing = rows[items["item"]].isna()
    assert 0.02 < missing.to_numpy().mean() < 0.05 and missing.drop(columns="autonomy_2").mean().max() < 0.06


# ---------------------------------------------------------------- the truth can be found


@over_seeds
def test_scales_hold_together(seed):
    for subscale in NEEDS + MOTIVES:
        assert .72 < alpha(turned(seed)[items_of(seed, subscale)]) < .89, subscale


def check_recovery(seeds, *, together, rated, agencies):
    """Tolerances are those of the mean over these seeds."""
    for subscale in NEEDS + MOTIVES:
        assert .75 < mean_over(seeds, lambda seed: alpha(turned(seed)[items_of(seed, subscale)])) < .88, subscale
    for one, other in [("autonomy", "competence"), ("autonomy", "relatedness"), ("competence", "relatedness")]:
        assert .4 - together < mean_over(seeds, lambda seed: scored(seed)[one].corr(scored(seed)[other])) < .6 + together
    for need, wanted in CORRELATIONS.items():
        found = mean_over(seeds, lambda seed: scored(seed)[need].corr(scored(seed)["performance_supervisor"]))
        assert found == pytest.approx(wanted, abs=rated), need
        assert mean_over(seeds, lambda seed: misplaced(seed, need)) < agencies


def misplaced(seed, need):
    """How far an agency's mean lies from what all its people would have answered, typically; the one with few answers left out."""
    true = pd.DataFrame(truth(seed)["mean_scores_if_all_had_answered"]).T[need]
    off = (scored(seed).groupby("agency_id")[need].mean() - true).drop(few(seed))
    return np.sqrt((off**2).mean())


def test_the_truth_is_recovered():
    check_recovery(SEEDS, together=.06, rated=.10, agencies=.10)


@pytest.mark.full
def test_the_truth_is_recovered_over_many_seeds():
    check_recovery(MANY_SEEDS, together=0, rated=.04, agencies=.08)


def gap(seed, need, practice):
    """Difference in a need between the agencies with much and with little of a practice, in points, by regression."""
    rows = scored(seed).merge(made(seed).tables["agencies"], on="agency_id")
    rows = rows.assign(practice=(rows[practice] - rows[practice].mean()) / rows[practice].std())
    return smf.ols(f"{need} ~ practice", rows).fit().params["practice"]


def test_practices_move_the_needs_that_they_should():
    assert mean_over(SEEDS, lambda seed: gap(seed, "autonomy", "local_decisions_pct")) > 0.25
    assert mean_over(SEEDS, lambda seed: gap(seed, "autonomy", "checks_a_month")) < -0.2
    assert mean_over(SEEDS, lambda seed: gap(seed, "competence", "training_days")) > 0.2
    assert mean_over(SEEDS, lambda seed: gap(seed, "relatedness", "team_hours")) > 0.2
    assert mean_over(SEEDS, lambda seed: gap(seed, "competence", "team_hours")) == pytest.approx(0, abs=0.15)


def test_latent_means_and_scores_tell_the_same():
    for need in NEEDS:
        def agreement(seed):
            latent = pd.DataFrame(truth(seed)["latent_need_means_sd"]).T[need]
            return latent.corr(pd.DataFrame(truth(seed)["mean_scores_if_all_had_answered"]).T[need])
        assert mean_over(SEEDS, agreement) > 0.9


@over_seeds
def test_needs_met_go_with_own_reasons(seed):
    rows = scored(seed)
    met = rows[NEEDS].mean(axis=1)
    assert met.corr(rows["identified"]) > 0.15 and met.corr(rows["intrinsic"]) > 0.3
    assert met.corr(rows["external"]) < -0.05


# ---------------------------------------------------------------- the traps are there


@over_seeds
def test_trap_reversed_items(seed):
    for subscale in NEEDS + MOTIVES:
        items = items_of(seed, subscale)
        ticked, right = alpha(answers(seed)[items]), alpha(turned(seed)[items])
        assert ticked == right if subscale == "introjected" else ticked < .45
    told = set(trap(seed, "reversed_items")["where"].removeprefix("answers.csv: ").split(", "))
    assert told == set(made(seed).tables["items"].query("reverse == 1")["item"])
    naive = answers(seed)[items_of(seed, "autonomy")].mean(axis=1)
    assert naive.std() < 0.75 * scored(seed)["autonomy"].std()


@over_seeds
def test_trap_two_scales(seed):
    for item in made(seed).tables["items"].itertuples():
        assert answers(seed)[item.item].dropna().between(item.lowest, item.highest).all()
    assert set(answers(seed)[items_of(seed, "external")].stack().dropna()) == set(range(1, 8))
    assert set(answers(seed)[items_of(seed, "autonomy")].stack().dropna()) == set(range(1, 6))
    assert (6 - answers(seed)["external_2"]).min() < 1


@over_seeds
def test_trap_straight_lining(seed):
    found = answers(seed).loc[straight(seed), "employee_id"]
    assert trap(seed, "straight_lining")["where"] == "answers.csv: " + ", ".join(found)
    assert len(found) == 8 and few(seed) not in set(answers(seed).loc[straight(seed), "agency_id"])
    for need in NEEDS:
        rows = turned(seed)[items_of(seed, need)]
        assert alpha(rows[~straight(seed)]) > alpha(rows) + 0.01


@over_seeds
def test_trap_few_answers(seed):
    agency = few(seed)
    assert trap(seed, "few_answers")["where"].startswith(agency)
    asked = made(seed).tables["agencies"].set_index("agency_id")["asked"]
    spread = scored(seed).groupby("agency_id")["autonomy"].agg(["size", "sem"])
    assert spread.loc[agency, "size"] == 7 and 7 < 0.25 * asked[agency]
    assert (spread["size"].drop(agency) > 0.65 * asked.drop(agency)).all()
    assert scored(seed)["autonomy"].std() / np.sqrt(7) > 2 * spread["sem"].drop(agency).max()


def test_the_few_are_the_content():
    def flattery(seed):
        true = pd.Series(truth(seed)["mean_scores_if_all_had_answered"][few(seed)])[NEEDS]
        return (scored(seed).groupby("agency_id")[NEEDS].mean().loc[few(seed)] - true).mean()

    def places_gained(seed):
        true = pd.DataFrame(truth(seed)["mean_scores_if_all_had_answered"]).T[NEEDS].mean(axis=1)
        seen = scored(seed).groupby("agency_id")[NEEDS].mean().mean(axis=1)
        return (true.rank(ascending=False) - seen.rank(ascending=False))[few(seed)]

    assert mean_over(SEEDS, flattery) > 0.2
    assert mean_over([*SEEDS, 1, 2, 3], places_gained) >= 1.5


@over_seeds
def test_trap_delicate_item(seed):
    rows = turned(seed).assign(gap=answers(seed)["autonomy_2"].isna())
    others = rows[["autonomy_1", "autonomy_3", "autonomy_4"]].mean(axis=1)
    assert rows["gap"].mean() > 0.07
    assert others[rows["gap"]].mean() < others[~rows["gap"]].mean() - 0.4


def test_the_other_gaps_are_by_chance():
    def difference(seed):
        items = [item for subscale in ["competence", *MOTIVES] for item in items_of(seed, subscale)]
        gap = answers(seed)[items].isna().any(axis=1)
        return scored(seed).loc[gap, "autonomy"].mean() - scored(seed).loc[~gap, "autonomy"].mean()

    assert mean_over([*SEEDS, 1, 2, 3], difference) == pytest.approx(0, abs=0.12)


def test_dropping_rows_with_a_gap_flatters_autonomy():
    def flattery(seed):
        rows, items = turned(seed), items_of(seed, "autonomy")
        return rows[items].dropna().mean(axis=1).mean() - scored(seed)["autonomy"].mean()

    assert mean_over(SEEDS, flattery) > 0.05
    assert all(flattery(seed) > 0.02 for seed in SEEDS)


@over_seeds
def test_trap_sum_of_items(seed):
    items = items_of(seed, "autonomy")
    rows = turned(seed)
    total, mean = rows[items].sum(axis=1) / 4, rows[items].mean(axis=1)
    gapped = rows[items].isna().any(axis=1)
    assert (total[~gapped] == mean[~gapped]).all() and (total[gapped] < mean[gapped] - 0.2).all()


def test_sums_mark_tightly_held_agencies_down_once_more():
    def unfair(seed):
        """What the agency with most checks loses by the sum, beyond the agency with most room to decide."""
        items, agencies = items_of(seed, "autonomy"), made(seed).tables["agencies"].set_index("agency_id")
        rows = turned(seed)
        loss = (rows[items].mean(axis=1) - rows[items].sum(axis=1) / 4).groupby(rows["agency_id"]).mean()
        return loss[agencies["checks_a_month"].idxmax()] - loss[agencies["local_decisions_pct"].idxmax()]

    assert mean_over([*SEEDS, 1, 2, 3], unfair) > 0.04


def check_common_source(seeds, more):
    for need in NEEDS:
        own = mean_over(seeds, lambda seed: scored(seed)[need].corr(scored(seed)["performance_self"]))
        other = mean_over(seeds, lambda seed: scored(seed)[need].corr(scored(seed)["performance_supervisor"]))
        assert own > other + more, need

    def slope(seed, by):
        return smf.ols(f"{by} ~ autonomy + competence + relatedness + C(agency_id)", scored(seed)).fit().params[NEEDS].sum()

    true = mean_over(seeds, lambda seed: slope(seed, "performance_supervisor"))
    assert mean_over(seeds, lambda seed: slope(seed, "performance_self")) > 1.3 * true > 0


def test_trap_common_source():
    check_common_source(SEEDS, 0.04)


@pytest.mark.full
def test_trap_common_source_over_many_seeds():
    check_common_source(MANY_SEEDS, 0.08)


@over_seeds
def test_trap_same_behaviour(seed):
    kind = {worker: kind for kind, workers in made(seed).truth["kinds_of_people"].items() for worker in workers.split()}
    rows = scored(seed).assign(kind=scored(seed)["employee_id"].map(kind))
    assert set(kind) == set(rows["employee_id"]) and rows["kind"].value_counts(normalize=True).min() > 0.2
    guess = rows[list(REASONS.values())].idxmax(axis=1)
    assert (guess == rows["kind"].map(REASONS)).mean() > 0.84
    while_reminded, unreminded = (rows.groupby(guess)[share].mean() for share in ["on_time_pct", "on_time_unreminded_pct"])
    assert while_reminded.max() - while_reminded.min() < 4
    assert unreminded["external"] < unreminded["introjected"] - 8 < unreminded["identified"] - 10
    for share, wanted in {"on_time_pct": False, "on_time_unreminded_pct": True}.items():
        fit = smf.ols(f"{share} ~ C(kind)", rows).fit()
        assert (fit.rsquared > 0.3) == wanted
