"""The agencies data: as the codebook says, the effect found by two-way fixed effects, and everyone else fooled as planned."""

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from mystique.data import agencies
from mystique.data.package import DataError, read, write

from over_seeds import SEEDS, mean_over, over_many, over_seeds

EFFECT, ACROSS = 0.40, 0.80
PRACTICES = ["autonomy", "competence", "purpose"]
TABLES = ["agencies", "panel"]

made = lru_cache(maxsize=None)(agencies.make)


def panel(seed):
    return made(seed).tables["panel"]


def fit(rows, outcome, terms, within=("agency_id", "year"), clustered=True):
    """Least squares after taking out the means of each column in `within`: the same as a dummy for each, in a full panel."""
    values = rows[[outcome, *terms]].astype(float)
    for column in within:
        values = values - values.groupby(rows[column]).transform("mean")
    right = values[list(terms)] if within else sm.add_constant(values[list(terms)])
    how = {"cov_type": "cluster", "cov_kwds": {"groups": pd.factorize(rows["agency_id"])[0]}} if clustered else {}
    return sm.OLS(values[outcome], right).fit(**how)


def slope(seed, outcome="motivation", term="support", within=("agency_id", "year"), rows=None):
    return fit(panel(seed) if rows is None else rows, outcome, [term], within).params[term]


# ---------------------------------------------------------------- from a seed; codebook and data agree


@pytest.mark.parametrize("table, old, new", [("agencies", ",Ardovia,", ",Atlantis,"), ("panel", "A001,Ardovia,2010", "A001,Ardovia,1910")])
def test_damage_is_seen(tmp_path, table, old, new):
    path = write(made(7), tmp_path) / f"{table}.csv"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8", newline="\n")
    with pytest.raises(DataError, match=f"{table}.csv.*row 2"):
        read(path.parent)


def test_the_truth_says_what_was_put_in():
    truth = made(7).truth
    assert truth["canary"] == "MYSTIQUE-CANARY-truth-agencies" and truth["seed"] == 7
    assert truth["true_effects"]["support_on_motivation"] == EFFECT and truth["parameters"]["between_slope"] == ACROSS
    assert [trap["id"] for trap in truth["traps"]] == [
        "lasting_differences", "trend", "one_survey", "new_director", "ceiling", "wording", "few_agencies_many_rows"]
    assert all(len(trap[part]) > 10 for trap in truth["traps"] for part in ["what", "where", "fools", "see_through"])


def test_the_codebook_does_not_tell_the_effect():
    text = str(made(7).package)
    assert "0.4" not in text and "0.8" not in text


# ---------------------------------------------------------------- shape


@over_seeds
def test_counts(seed):
    who, rows = made(seed).tables.values()
    assert len(who) == who["agency"].nunique() == 200 and set(who["survey"].value_counts()) == {40}
    assert len(rows) == 2000 and rows.groupby("agency_id")["year"].nunique().eq(10).all()
    assert (rows["survey"] == rows["agency_id"].map(who.set_index("agency_id")["survey"])).all()
    assert (rows["answers"] <= rows["agency_id"].map(who.set_index("agency_id")["staff"])).all()


@over_seeds
def test_support_is_the_mean_of_the_three_practices(seed):
    np.testing.assert_allclose(panel(seed)[PRACTICES].mean(axis=1), panel(seed)["support"], atol=0.002)
    assert panel(seed)[PRACTICES].corr().to_numpy().min() < 0.9    # and yet they are three things


def test_the_ranges_are_as_planned():
    for column, middle, low, high in [("support_pct", 67, 60, 75), ("motivation_pct", 83, 75, 92)]:
        assert mean_over(SEEDS, lambda seed: panel(seed)[column].mean()) == pytest.approx(middle, abs=2)
        inside = mean_over(SEEDS, lambda seed: panel(seed)[column].between(low - 10, high + 5).mean())
        assert inside > 0.75


# ---------------------------------------------------------------- the truth can be found


@over_many(few=0.032, many=0.013)
def test_two_way_fixed_effects_find_the_effect(seeds, tolerance):
    assert mean_over(seeds, slope) == pytest.approx(EFFECT, abs=tolerance)


def test_dummies_say_the_same_as_taking_out_means():
    rows = panel(7)[panel(7)["survey"] == "Ardovia"]
    dummies = smf.ols("motivation ~ support + C(agency_id) + C(year)", rows).fit().params["support"]
    assert slope(7, rows=rows) == pytest.approx(dummies, abs=1e-10)


@over_many(few=0.029, many=0.012)
def test_the_three_practices_do_equally_much(seeds, tolerance):
    found = mean_over(seeds, lambda seed: fit(panel(seed), "motivation", PRACTICES).params.to_numpy())
    assert found == pytest.approx(EFFECT / 3, abs=tolerance)


@pytest.mark.full
def test_the_clustered_standard_error_is_honest():
    fits = [fit(panel(seed), "motivation", ["support"]) for seed in range(100)]
    inside = [abs(each.params["support"] - EFFECT) < 1.96 * each.bse["support"] for each in fits]
    assert 0.88 <= np.mean(inside) <= 0.99


# ---------------------------------------------------------------- the traps are there


@over_many(few=0.06, many=0.025)
def test_trap_lasting_differences(seeds, tolerance):
    def across(seed):
        means = panel(seed).groupby("agency_id")[["support", "motivation"]].mean()
        return np.polyfit(means["support"], means["motivation"], 1)[0]

    assert mean_over(seeds, across) == pytest.approx(0.77, abs=tolerance)    # a little under ACROSS: ten years' ups and downs remain
    for within in [(), ("year",), ("survey", "year")]:
        assert mean_over(seeds, lambda seed: slope(seed, within=within)) > EFFECT + 0.2


@over_many(few=0.04, many=0.015)
def test_trap_trend(seeds, tolerance):
    assert mean_over(seeds, lambda seed: slope(seed, within=("agency_id",))) == pytest.approx(0.523, abs=tolerance)
    years = [panel(seed).groupby("year")[["support", "motivation"]].mean() for seed in seeds]
    assert np.mean([each.diff().mean().to_numpy() for each in years], axis=0) == pytest.approx([0.05, 0.07], abs=0.015)


@over_many(few=0.03, many=0.013)
def test_traps_one_survey_and_new_director(seeds, tolerance):
    columns = "motivation_one_survey", ["support_one_survey"]
    assert mean_over(seeds, lambda seed: slope(seed, columns[0], columns[1][0])) == pytest.approx(0.619, abs=tolerance)
    told = mean_over(seeds, lambda seed: fit(panel(seed), columns[0], ["support_one_survey", "new_director"]).params.to_numpy())
    assert told[0] == pytest.approx(0.565, abs=tolerance) and told[0] > EFFECT + 0.1    # the written part of the mood is not all of it
    assert told[1] > 0.15                                                               # new directors look good ...
    truly = mean_over(seeds, lambda seed: fit(panel(seed), "motivation", ["support", "new_director"]).params["new_director"])
    assert truly == pytest.approx(0, abs=1.2 * tolerance)                               # ... and do nothing


def test_trap_ceiling():
    def slopes(seed, outcome):
        usual = panel(seed).groupby("agency_id")["motivation"].transform("mean")
        return [slope(seed, outcome, rows=panel(seed)[part]) for part in [usual < usual.median(), usual >= usual.median()]]

    low, high = mean_over(SEEDS, lambda seed: slopes(seed, "motivation_pct"))
    assert low > 1.5 * high > 3
    low, high = mean_over(SEEDS, lambda seed: slopes(seed, "motivation"))
    assert low == pytest.approx(high, abs=0.06)
    assert all(90 < panel(seed)["motivation_pct"].quantile(0.9) < 99 for seed in SEEDS)


@over_seeds
def test_trap_wording(seed):
    by_country = panel(seed).groupby("survey")[["support", "motivation", "support_pct", "motivation_pct"]].mean()
    assert np.ptp(by_country["motivation_pct"]) > 7 and np.ptp(by_country["support_pct"]) > 10
    easy_less_hard = by_country.loc["Ardovia"] - by_country.loc["Ellmere"]
    assert easy_less_hard["motivation_pct"] > 5 and abs(easy_less_hard["motivation"]) < 0.5    # three SDs of chance
    assert list(by_country["support_pct"].rank()) != list(by_country["support"].rank())


@over_seeds
def test_trap_few_agencies_many_rows(seed):
    errors = {clustered: fit(panel(seed), "motivation", ["support"], within=(), clustered=clustered).bse["support"] for clustered in [True, False]}
    assert errors[True] > 1.6 * errors[False]
    errors = [fit(panel(seed), "motivation", ["support"], clustered=clustered).bse["support"] for clustered in [True, False]]
    assert errors[0] > 1.05 * errors[1]
