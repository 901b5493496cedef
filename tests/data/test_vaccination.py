"""The vaccination data: as the codebook says, the truth found by the course's regressions, and the naive ways fooled."""

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from mystique.data import vaccination
from mystique.data.package import read, write

from over_seeds import SEEDS, mean_over, over_many, over_seeds

PARTS = ["learning_cost", "psychological_cost", "compliance_cost"]

made = lru_cache(maxsize=25)(vaccination.make)


@lru_cache(maxsize=25)
def merged(seed):
    """A row a parent, with workload in standard deviations, and burden as the codebook's scale gives it: 2.6 is 0, 0.55 is 1."""
    tables = made(seed).tables
    rows = tables["parents"].merge(tables["vaccinators"], on="vaccinator_id")
    return rows.assign(load=(rows["workload_ratio"] - 1.4) / 0.4, burden=(rows[PARTS].mean(axis=1, skipna=False) - 2.6) / 0.55)


def fit(seed, formula, model=smf.ols, clustered=True):
    columns = [name for name in ["trust", "burden"] if name in formula]
    rows = merged(seed).dropna(subset=columns)
    how = {"cov_type": "cluster", "cov_kwds": {"groups": pd.factorize(rows["vaccinator_id"])[0]}} if clustered else {}
    return model(formula, rows).fit(**how, **({"disp": 0} if model is smf.logit else {}))


# ---------------------------------------------------------------- from a seed; codebook and data agree


@pytest.mark.full
def test_every_seeds_values_keep_to_the_codebook(tmp_path):
    for seed in range(100):
        read(write(vaccination.make(seed), tmp_path))


def test_it_says_that_nothing_was_drawn_by_lot():
    package = made(7).package
    assert "OBSERVATIONAL" in package["description"] and "observational" in package["title"] and "observational" in package["keywords"]
    assert any("Nothing was drawn by lot" in sentence for sentence in package["how_made"])


def test_the_truth_is_complete_and_stays_out_of_the_codebook():
    truth, package = made(7).truth, made(7).package
    assert truth["canary"] == "MYSTIQUE-CANARY-truth-vaccination" and truth["seed"] == 7
    assert truth["parameters"]["burden"] == {"load": 0.30, "capacity": -0.25, "trust": -0.35, "load x trust": -0.12}
    assert len({trap["id"] for trap in truth["traps"]}) == len(truth["traps"]) == 5
    assert all(trap.keys() == {"id", "what", "where", "fools", "see_through"} and all(trap.values()) for trap in truth["traps"])
    assert "seed" not in package and "CANARY" not in str(package)
    assert not any(number in str(package) for number in ["0.3 ", "0.25", "0.35", "0.12", "1.1"])


# ---------------------------------------------------------------- shape


@over_seeds
def test_the_numbers_are_as_designed(seed):
    vaccinators, parents = made(seed).tables.values()
    assert len(vaccinators) == 60 and (parents.groupby("vaccinator_id").size() == 20).all()
    assert vaccinators["workload_ratio"].mean() == pytest.approx(1.4, abs=0.03)
    assert vaccinators["workload_ratio"].std() == pytest.approx(0.4, abs=0.04)
    exact = vaccinators["children_assigned"] / vaccinators["children_feasible"]
    assert vaccinators["workload_ratio"].to_numpy() == pytest.approx(exact.to_numpy(), abs=0.0051)
    items = vaccinators[["cold_chain", "transport", "app_reliability"]].mean(axis=1)
    assert vaccinators["capacity"].to_numpy() == pytest.approx(((items - items.mean()) / items.std()).to_numpy(), abs=0.006)
    assert parents["child_complete"].mean() == pytest.approx(0.73, abs=0.07)


@over_seeds
def test_empty_cells_are_where_they_belong(seed):
    parents = made(seed).tables["parents"]
    for column in ["trust", *PARTS]:
        assert parents[column].isna().equals(parents["answered"] == 0)


def test_the_three_costs_go_together_and_differ():
    for seed in SEEDS:
        correlations = merged(seed)[PARTS].corr().to_numpy()[np.triu_indices(3, 1)]
        assert (0.4 < correlations).all() and (correlations < 0.85).all()
        means = merged(seed)[PARTS].mean()
        assert means["compliance_cost"] > means["learning_cost"]


# ---------------------------------------------------------------- the truth can be found


@over_many(0.08, 0.03)
def test_the_product_of_load_and_distrust_is_found(seeds, tolerance):
    found = mean_over(seeds, lambda seed: fit(seed, "burden ~ load * trust + capacity").params[["load", "capacity", "trust", "load:trust"]])
    assert found == pytest.approx([0.30, -0.25, -0.35, -0.12], abs=tolerance)


@over_many(0.15, 0.057)
def test_logit_finds_what_burden_and_trust_do(seeds, tolerance):
    found = mean_over(seeds, lambda seed: fit(seed, "child_complete ~ burden + trust", smf.logit).params)
    assert found == pytest.approx([1.1, -0.55, 0.35], abs=tolerance)


@over_many(0.17, 0.065)
def test_load_and_motivation_add_nothing_to_the_burden_felt(seeds, tolerance):
    found = mean_over(seeds, lambda seed: fit(seed, "child_complete ~ burden + trust + load + motivation", smf.logit).params[["load", "motivation"]])
    assert found == pytest.approx(0, abs=2 * tolerance)


# ---------------------------------------------------------------- the traps are there


def by_load(seed):
    """Share complete for each SD of workload: naive, with trust in, and as it was made."""
    naive = fit(seed, "child_complete ~ load").params["load"]
    adjusted = fit(seed, "child_complete ~ load * trust + capacity").params["load"]
    return naive, adjusted, made(seed).truth["true_effects"]["share_complete_by_one_sd_of_workload_all_else_the_same"]


@over_many(0.024, 0.0095)
def test_the_naive_slope_of_workload_shows_twice_as_much(seeds, tolerance):
    naive, adjusted, true = mean_over(seeds, by_load)
    assert -0.045 < true < -0.02
    assert adjusted == pytest.approx(true, abs=tolerance)
    assert naive < 1.5 * true


@over_seeds
def test_distrustful_areas_have_the_overloaded_vaccinators(seed):
    areas = merged(seed).groupby("vaccinator_id")[["trust", "workload_ratio"]].mean()
    assert areas.corr().iloc[0, 1] < -0.35


@over_many(0.23, 0.09)
def test_without_the_product_the_worst_off_look_better_than_they_are(seeds, tolerance):
    def missed(seed):
        model = fit(seed, "burden ~ load + trust + capacity")
        rows = merged(seed).dropna(subset=["burden"])
        worst = rows[(rows["load"] > 1) & (rows["trust"] < -1)]
        return (worst["burden"] - model.predict(worst)).mean()

    assert mean_over(seeds, missed) == pytest.approx(0.29, abs=tolerance)


def test_the_last_are_as_willing_as_the_first():
    def gaps(seed):
        rows = merged(seed).groupby("vaccinator_id")[["child_complete", "motivation", "workload_ratio"]].mean().sort_values("child_complete")
        return (rows.tail(20).mean() - rows.head(20).mean())[["motivation", "workload_ratio"]]

    motivation, workload = mean_over([*SEEDS, *range(12)], gaps)
    assert motivation == pytest.approx(0, abs=0.1)
    assert workload < -0.3
    assert all(merged(seed)["motivation"].mean() > 4 for seed in SEEDS)


@over_many(0.022, 0.009)
def test_the_silent_make_trust_look_better(seeds, tolerance):
    def flattery(seed):
        truth, rows = made(seed).truth["if_all_had_answered"], merged(seed)
        return rows["trust"].mean() - truth["mean_trust"], rows["burden"].mean() - truth["mean_burden"], truth["share_silent"]

    trust, burden, silent = mean_over(seeds, flattery)
    assert [trust, burden, silent] == pytest.approx([0.078, -0.035, 0.104], abs=tolerance)


def test_the_register_shows_who_was_silent():
    shares = mean_over([*SEEDS, *range(7)], lambda seed: merged(seed).groupby("answered")["child_complete"].mean())
    assert shares[1] > shares[0] + 0.04


@over_many(0.16, 0.065)
def test_unclustered_errors_are_too_small(seeds, tolerance):
    def ratios(seed):
        naive, honest = (fit(seed, "burden ~ load * trust + capacity", clustered=clustered).bse for clustered in (False, True))
        return naive[["load", "capacity"]] / honest[["load", "capacity"]]

    assert mean_over(seeds, ratios) == pytest.approx([0.68, 0.66], abs=tolerance)
