"""The employees data: as the codebook says, the logit with agencies finds the truth, and every short cut is fooled as planned."""

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from mystique.data import employees
from mystique.theory import chance_of_leaving

from over_seeds import SEEDS, mean_over, over_many, over_seeds

SUPPORT, MOTIVATION, BOTH, CONSTANT = -0.50, -0.05, -0.20, -1.10

made = lru_cache(maxsize=None)(employees.make)


def rows_of(seed):
    return made(seed).tables["employees"]


@lru_cache(maxsize=None)
def logit(seed, outcome="left", more=(), agencies=True):
    """statsmodels' logit: support, motivation, both, `more`, then a constant for each agency (or one for all)."""
    rows = rows_of(seed)
    terms = rows[["support", "motivation"]].assign(both=rows["support"] * rows["motivation"], **{name: rows[name] for name in more})
    constants = pd.get_dummies(rows["agency_id"], dtype=float) if agencies else pd.DataFrame({"constant": 1.0}, rows.index)
    return sm.Logit(rows[outcome], terms.join(constants)).fit(disp=False).params


# ---------------------------------------------------------------- from a seed; codebook and data agree


def test_the_truth_says_what_was_put_in():
    truth = made(7).truth
    assert truth["canary"] == "MYSTIQUE-CANARY-truth-employees" and truth["seed"] == 7
    assert truth["true_effects"]["leaving_log_odds"] == {
        "constant": CONSTANT, "support": SUPPORT, "motivation": MOTIVATION, "support_x_motivation": BOTH}
    assert list(truth["true_effects"]["chance_of_leaving_one_sd_either_side"].values()) == pytest.approx([.32, .39, .21, .14], abs=.006)
    assert len(truth["agency_effects_log_odds"]) == 60
    assert [trap["id"] for trap in truth["traps"]] == [
        "tiny_interaction", "intent_is_not_leaving", "agency_confounding", "leavers_are_missing", "colleagues_are_alike"]
    assert all(len(trap[part]) > 10 for trap in truth["traps"] for part in ["what", "where", "fools", "see_through"])


# ---------------------------------------------------------------- shape


@over_seeds
def test_counts(seed):
    agencies, rows = made(seed).tables.values()
    assert len(agencies) == agencies["agency"].nunique() == 60 and set(agencies["survey"].value_counts()) == {12}
    assert rows["person_id"].nunique() == 20_000 and rows["agency_id"].nunique() == 60
    years = rows.groupby("person_id")["year"].agg(["min", "max", "size"])
    assert set(years["size"]) == {1, 2, 3} and (years["max"] - years["min"] + 1 == years["size"]).all()    # years in a row
    assert (rows.groupby("person_id")["agency_id"].nunique() == 1).all()
    assert (rows["survey"] == rows["agency_id"].map(agencies.set_index("agency_id")["survey"])).all()
    same = rows.sort_values(["person_id", "year"]).groupby("person_id")
    assert same["tenure_years"].diff().dropna().round(1).isin([0.9, 1.0, 1.1]).all() and (same["grade"].nunique() == 1).all()


@over_seeds
def test_support_and_motivation_are_scores(seed):
    rows = rows_of(seed)
    assert rows["support"].std() == pytest.approx(1, abs=0.06) and rows["motivation"].std() == pytest.approx(1, abs=0.06)
    assert abs(rows["support"].mean()) < 0.25 and abs(rows["motivation"].mean()) < 0.25
    assert rows["support"].corr(rows["motivation"]) == pytest.approx(0.45, abs=0.05)
    assert 0.22 < rows["left"].mean() < 0.28


# ---------------------------------------------------------------- the truth can be found


@over_many(few=0.028, many=0.011)
def test_the_logit_with_agencies_finds_the_truth(seeds, tolerance):
    found = mean_over(seeds, lambda seed: logit(seed)[["support", "motivation", "both"]].to_numpy())
    assert found == pytest.approx([SUPPORT, MOTIVATION, BOTH], abs=tolerance)
    assert mean_over(seeds, lambda seed: logit(seed)["A001":].mean()) == pytest.approx(CONSTANT, abs=tolerance)
    by_agency = mean_over(seeds, lambda seed: np.corrcoef(logit(seed)["A001":], list(made(seed).truth["agency_effects_log_odds"].values()))[0, 1])
    assert by_agency > 0.9


@over_many(few=0.02, many=0.01)
def test_predicted_chances_show_the_groups(seeds, tolerance):
    def chances(seed):
        found = logit(seed)
        return [float(chance_of_leaving(*scores, found["A001":].mean(), *found[["support", "motivation", "both"]]))
                for scores in employees.GROUPS.values()]

    assert mean_over(seeds, chances) == pytest.approx([.321, .389, .206, .136], abs=tolerance)


# ---------------------------------------------------------------- the traps are there


def linear(seed):
    """Support, motivation, both: least squares on left, agencies' means taken out."""
    rows = rows_of(seed)
    values = rows[["left", "support", "motivation"]].assign(both=rows["support"] * rows["motivation"])
    values = values - values.groupby(rows["agency_id"]).transform("mean")
    return sm.OLS(values["left"], values[["support", "motivation", "both"]]).fit().params.to_numpy()


@over_many(few=0.006, many=0.003)
def test_trap_tiny_interaction(seeds, tolerance):
    found = mean_over(seeds, linear)
    assert found == pytest.approx([-0.082, 0, -0.018], abs=tolerance)
    # Its reader would expect the motivated to gain 7 points more from support than the unmotivated. They gain 14 more.
    assert abs(4 * found[2]) < 0.09
    low_low, low_high, high_low, high_high = made(7).truth["true_effects"]["chance_of_leaving_one_sd_either_side"].values()
    assert (low_high - high_high) - (low_low - high_low) > 0.13


@over_many(few=0.03, many=0.012)
def test_trap_intent_is_not_leaving(seeds, tolerance):
    shares = mean_over(seeds, lambda seed: rows_of(seed)[["intends_to_leave", "left"]].mean())
    assert shares[0] > shares[1] + 0.08
    agree = mean_over(seeds, lambda seed: rows_of(seed).groupby("intends_to_leave")["left"].mean())
    assert agree == pytest.approx([.154, .405], abs=tolerance)
    for outcome, pay, tenure in [("intends_to_leave", -0.50, -0.03), ("left", 0, 0)]:
        found = mean_over(seeds, lambda seed: logit(seed, outcome, ("pay_satisfaction", "tenure_years"))[["pay_satisfaction", "tenure_years"]])
        assert found == pytest.approx([pay, tenure], abs=tolerance / 1.3)
    # Pay satisfaction goes with support, so that on its own it seems to keep people.
    alone = mean_over(seeds, lambda seed: rows_of(seed).groupby("pay_satisfaction")["left"].mean())
    assert alone[0] > alone[-1] + 0.03


@over_many(few=0.035, many=0.015)
def test_trap_agency_confounding(seeds, tolerance):
    found = mean_over(seeds, lambda seed: logit(seed, agencies=False)[["support", "motivation"]])
    assert found == pytest.approx([-0.531, -0.119], abs=tolerance)
    assert found[1] < MOTIVATION - 0.03, "whoever leaves the agencies out is not fooled"


def thirds(seed):
    """People first asked in 2017: their rows, with what they first said of motivation, and the third of first support."""
    rows = rows_of(seed)
    rows = rows[rows.groupby("person_id")["year"].transform("min") == 2017]
    first = rows[rows["year"] == 2017].set_index("person_id")
    third = pd.qcut(first["support"], 3, labels=["low", "middle", "high"]).astype(str)
    return rows.assign(third=rows["person_id"].map(third), at_first=rows["person_id"].map(first["motivation"]))


def test_trap_leavers_are_missing():
    def rise(seed):
        """Motivation of those who are left in 2019, above everybody's in 2017, and the change of the same people."""
        rows = thirds(seed)
        late = rows[rows["year"] == 2019]
        whole = late.groupby("third")["motivation"].mean() - rows[rows["year"] == 2017].groupby("third")["motivation"].mean()
        same = (late["motivation"] - late["at_first"]).groupby(late["third"]).mean()
        return [whole["low"], whole["high"], same["low"], same["high"]]

    def gone_less_others(seed):
        first = thirds(seed).query("year == 2017")
        means = first.groupby(["third", "left"])["motivation"].mean().unstack()
        return (means[1] - means[0])[["low", "high"]].to_numpy()

    low, high, same_low, same_high = mean_over(SEEDS, rise)
    assert high > same_high + 0.05              # under high support those who are left rise, and few did
    assert high - low > same_high - same_low + 0.04
    low, high = mean_over(SEEDS, gone_less_others)
    assert high < -0.2 and low > high + 0.2
    for seed in SEEDS:                          # nobody is asked again after leaving, everybody else is, to the end
        rows = rows_of(seed).sort_values(["person_id", "year"])
        last = ~rows.duplicated("person_id", keep="last")
        assert not rows.loc[~last, "left"].any()
        others = rows[last & (rows["left"] == 0)]
        full = rows.groupby("person_id")["year"].transform("size")[others.index] == 3
        assert ((others["year"] == 2019) | full).all()


@over_seeds
def test_trap_colleagues_are_alike(seed):
    rows = rows_of(seed)
    groups = {"cov_type": "cluster", "cov_kwds": {"groups": pd.factorize(rows["agency_id"])[0]}}
    right = sm.add_constant(rows.groupby("agency_id")["support"].transform("mean"))
    plain, clustered = (sm.OLS(rows["left"], right).fit(**how).bse["support"] for how in [{}, groups])
    assert clustered > 2 * plain


def test_people_depend_on_the_seed_the_places_and_the_block_only():
    places = employees.settle(7, 12, employees.YEARS)
    whole, fewer = (employees.employ(7, places, 1, people) for people in [40_000, 25_000])
    rows = len(fewer["person"])
    assert 0 < rows < len(whole["person"]) and fewer["person"].max() == 24_999
    assert all((fewer[name] == whole[name][:rows]).all() for name in whole)
    assert not np.array_equal(employees.employ(8, places, 1, 25_000)["support"], fewer["support"])
