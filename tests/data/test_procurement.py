"""The procurement data: as the codebook says, the truth found by the course's regression, and the naive ways fooled."""

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from mystique.data import procurement

from over_seeds import SEEDS, mean_over, over_many, over_seeds

ARMS = {"control": 136, "incentives": 150, "autonomy": 148, "both": 153}
TREATED = ["incentives", "autonomy", "both"]

made = lru_cache(maxsize=3)(procurement.make)


@lru_cache(maxsize=25)
def merged(seed):
    tables = made(seed).tables
    rows = tables["purchases"].merge(tables["offices"], on="office_id")
    return rows.assign(log_price=np.log(rows["unit_price"]), late=rows["monitor_delay"] - 0.40)


def arms(rows):
    return {arm: (rows["arm"] == arm).astype(float) for arm in TREATED}


LIKE_WITH_LIKE = "good", "district_id"   # what a price is compared within


def fit(rows, outcome, terms, within=LIKE_WITH_LIKE, clustered=True):
    """statsmodels' least squares with a term for every value of the columns `within`, errors clustered by office.

    Those terms are taken out of both sides first (Frisch, Waugh and Lovell), which gives the same answer sooner.
    """
    left, right = rows[[outcome]].to_numpy(float), pd.DataFrame(terms, dtype=float)
    taken_out = np.column_stack([np.ones(len(rows)), *(pd.get_dummies(rows[name], drop_first=True, dtype=float) for name in within)])
    left, rest = (each - taken_out @ np.linalg.solve(taken_out.T @ taken_out, taken_out.T @ each) for each in (left, right.to_numpy()))
    right = pd.DataFrame(rest, columns=right.columns)
    how = {"cov_type": "cluster", "cov_kwds": {"groups": pd.factorize(rows["office_id"])[0]}} if clustered else {}
    return sm.OLS(left, right).fit(**how)


def course_terms(rows):
    return {**arms(rows), "quantity": np.log(rows["quantity"]), "quality": rows["quality"]}


@lru_cache(maxsize=25)
def course(seed, clustered=True):
    return fit(merged(seed), "log_price", course_terms(merged(seed)), clustered=clustered)


# ---------------------------------------------------------------- from a seed; codebook and data agree


def test_the_truth_is_complete_and_stays_out_of_the_codebook():
    truth, package = made(7).truth, made(7).package
    assert truth["canary"] == "MYSTIQUE-CANARY-truth-procurement" and truth["seed"] == 7
    assert truth["true_effects"]["log_price_at_mean_delay"] == {"incentives": -0.02, "autonomy": -0.09, "both": -0.06}
    assert len({trap["id"] for trap in truth["traps"]}) == len(truth["traps"]) == 6
    assert all(trap.keys() == {"id", "what", "where", "fools", "see_through"} and all(trap.values()) for trap in truth["traps"])
    assert "seed" not in package and "CANARY" not in str(package)
    assert not any(number in str(package) for number in ["0.09", "0.35", "0.3 ", "-0.06"])


# ---------------------------------------------------------------- the design of the trial


@over_seeds
def test_arms_districts_and_goods_are_as_designed(seed):
    offices, purchases = made(seed).tables.values()
    assert offices["arm"].value_counts().to_dict() == ARMS
    assert offices["district_id"].nunique() == 26 and purchases["good"].nunique() == 25
    each = purchases.groupby("office_id").size()
    assert len(each) == 587 and each.min() >= 2 and each.mean() == pytest.approx(20, abs=0.7)
    assert offices["monitor_delay"].mean() == pytest.approx(0.40, abs=0.03)


@over_seeds
def test_lots_are_spread_over_the_districts(seed):
    offices = made(seed).tables["offices"]
    counts = pd.crosstab(offices["district_id"], offices["arm"])
    expected = np.outer(counts.sum(axis=1), counts.sum() / 587)
    assert np.abs(counts - expected).to_numpy().max() < 3


@over_many(0.12, 0.05)
def test_before_the_trial_the_arms_are_alike(seeds, tolerance):
    def gaps(seed):
        means = made(seed).tables["offices"].groupby("arm")[["monitor_delay", "km_to_market", "officer_years"]].mean()
        return (means.loc[TREATED] - means.loc["control"]) / made(seed).tables["offices"][means.columns].std()

    assert np.abs(mean_over(seeds, gaps)).max() < 1.5 * tolerance


# ---------------------------------------------------------------- the truth can be found


def test_the_shortcut_gives_what_the_formula_gives():
    rows = merged(7)
    long = smf.ols("log_price ~ C(arm, Treatment('control')) + np.log(quantity) + quality + C(good) + C(district_id)", rows).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(rows["office_id"])[0]})
    for arm in TREATED:
        name = f"C(arm, Treatment('control'))[T.{arm}]"
        assert course(7).params[arm] == pytest.approx(long.params[name], rel=1e-6)
        assert course(7).bse[arm] == pytest.approx(long.bse[name], rel=0.01)


@over_many(0.06, 0.023)
def test_intention_to_treat_finds_the_average_effects(seeds, tolerance):
    found = mean_over(seeds, lambda seed: course(seed).params[TREATED])
    assert found == pytest.approx([-0.02, -0.09, -0.06], abs=tolerance)


def interaction(seed):
    rows = merged(seed)
    by_delay = {f"{arm} x late": share * rows["late"] for arm, share in arms(rows).items()}
    return fit(rows, "log_price", {**course_terms(rows), **by_delay, "late": rows["late"], "km": rows["km_to_market"]}).params


@over_many(0.26, 0.10)
def test_the_monitors_delay_turns_autonomy_and_bonus_opposite_ways(seeds, tolerance):
    found = mean_over(seeds, lambda seed: interaction(seed)[[f"{arm} x late" for arm in TREATED]])
    assert found == pytest.approx([0.30, -0.35, -0.05], abs=tolerance)
    assert found[0] > 0.1 and found[1] < -0.1


@over_many(0.03, 0.011)
def test_quality_is_the_same_in_all_arms(seeds, tolerance):
    found = mean_over(seeds, lambda seed: fit(merged(seed), "quality", arms(merged(seed))).params)
    assert found == pytest.approx(0, abs=tolerance)


@over_many(0.8, 0.3)
def test_autonomy_takes_and_gives_hours(seeds, tolerance):
    def gaps(seed):
        means = made(seed).tables["offices"].groupby("arm")["hours_procurement"].mean()
        return means[TREATED] - means["control"]

    assert mean_over(seeds, gaps) == pytest.approx([0.5, 3.0, 2.0], abs=tolerance)


@over_seeds
def test_the_truth_of_these_offices_lies_near_the_design(seed):
    effects = made(seed).truth["true_effects"]
    assert effects["log_price_average_over_these_purchases"]["autonomy"] == pytest.approx(-0.09, abs=0.03)
    slow, prompt = effects["log_price_average_slow_monitors"], effects["log_price_average_prompt_monitors"]
    assert slow["autonomy"] < prompt["autonomy"] and slow["incentives"] > prompt["incentives"]


# ---------------------------------------------------------------- the traps are there


@over_seeds
def test_unclustered_errors_are_half_of_what_they_should_be(seed):
    ratio = course(seed, clustered=False).bse[TREATED] / course(seed).bse[TREATED]
    assert (ratio < 0.6).all()
    assert course(seed, clustered=False).params[TREATED].to_numpy() == pytest.approx(course(seed).params[TREATED])


@pytest.mark.full
def test_clustered_errors_are_honest_and_unclustered_ones_are_not():
    estimates = [course(seed).params["autonomy"] for seed in range(20)]
    spread = np.std(estimates, ddof=1)
    assert spread == pytest.approx(course(7).bse["autonomy"], rel=0.4)
    assert spread > 1.5 * course(7, clustered=False).bse["autonomy"]


@over_many(0, 0)
def test_mean_prices_say_that_autonomy_is_dearer(seeds, tolerance):
    rupees = [fit(merged(seed), "unit_price", arms(merged(seed)), within=()).params["autonomy"] for seed in seeds]
    logs = [fit(merged(seed), "log_price", arms(merged(seed)), within=()).params["autonomy"] for seed in seeds]
    assert min(rupees) > tolerance and min(logs) > tolerance and np.mean(logs) > 0.10


def test_dearer_goods_are_what_more_cash_buys():
    def dear(seed):
        rows = merged(seed)
        usual = rows.groupby("good")["log_price"].transform("mean")
        means = usual.groupby(rows["arm"]).mean()
        return means[TREATED] - means["control"]

    found = mean_over(SEEDS, dear)
    assert found[0] == pytest.approx(0, abs=0.06) and (found[1:] > 0.15).all()


@over_seeds
def test_totals_make_control_look_thrifty(seed):
    rows = merged(seed)
    purchases = rows.groupby("arm").size()
    assert (purchases[TREATED] > purchases["control"]).all()
    assert (purchases / pd.Series(ARMS)).to_numpy() == pytest.approx(20, abs=1.3)


@over_many(0.35, 0.13)
def test_half_of_what_delay_seems_to_cost_is_distance(seeds, tolerance):
    def slopes(seed):
        rows = merged(seed).query("arm == 'control'")
        terms = {"late": rows["late"], "quantity": np.log(rows["quantity"]), "quality": rows["quality"]}
        return [fit(rows, "log_price", terms).params["late"], fit(rows, "log_price", {**terms, "km": rows["km_to_market"]}).params["late"]]

    naive, with_distance = mean_over(seeds, slopes)
    assert with_distance == pytest.approx(0.35, abs=tolerance)
    assert naive > 0.55 and naive - with_distance > 0.2


def test_slow_monitors_are_far_from_markets():
    found = [made(seed).tables["offices"][["monitor_delay", "km_to_market"]].corr().iloc[0, 1] for seed in SEEDS]
    assert min(found) > 0.4


@over_many(0.11, 0.045)
def test_the_bonus_hides_two_opposites(seeds, tolerance):
    def halves(seed):
        rows = merged(seed)
        slow = rows["late"] > rows["late"].median()
        return [fit(half, "log_price", course_terms(half)).params["incentives"] for half in (rows[slow], rows[~slow])]

    slow, prompt = mean_over(seeds, halves)
    assert slow - prompt == pytest.approx(0.10, abs=tolerance)
    assert slow > prompt
