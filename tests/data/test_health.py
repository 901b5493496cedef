"""The health data: as the codebook says, the truth found by the course's regression, and the naive ways fooled."""

from functools import lru_cache

import pandas as pd
import pytest
import statsmodels.formula.api as smf

from mystique.data import health

from over_seeds import SEEDS, mean_over, over_many, over_seeds

TREATED = ["mission", "bonus", "both"]
TRUE = {   # shares that each arm adds
    "visited": [.05, .10, .07], "unrewarded_task": [.06, 0, .03], "diarrhoea": [-.04, -.01, -.02], "fully_vaccinated": [.05, 0, .03],
}
OTHERS = ["soap_at_basin", "treats_water", "latrine_used", "birth_registered", "iron_tablets", "breastfed_six_months", "bed_net_used",
          "knows_danger_signs"]

made = lru_cache(maxsize=25)(health.make)


@lru_cache(maxsize=25)
def merged(seed):
    tables = made(seed).tables
    return tables["households"].merge(tables["workers"], on="worker_id").assign(
        **{arm: lambda rows, arm=arm: (rows["arm"] == arm).astype(int) for arm in TREATED})


@lru_cache(maxsize=400)
def fit(seed, outcome, controls="+ far + C(centre_id)", clustered=True):
    """Least squares of a yes or no on the arms, over the households that were found; errors clustered by worker."""
    rows = merged(seed).dropna(subset=[outcome])
    rows = rows.assign(**{outcome: rows[outcome].astype(float)})
    how = {"cov_type": "cluster", "cov_kwds": {"groups": pd.factorize(rows["worker_id"])[0]}} if clustered else {}
    return smf.ols(f"{outcome} ~ mission + bonus + both {controls}", rows).fit(**how)


# ---------------------------------------------------------------- from a seed; codebook and data agree


def test_the_truth_is_complete_and_stays_out_of_the_codebook():
    truth, package = made(7).truth, made(7).package
    assert truth["canary"] == "MYSTIQUE-CANARY-truth-health" and truth["seed"] == 7
    for outcome, effects in TRUE.items():
        assert truth["true_effects"][outcome] == dict(zip(TREATED, effects))
    assert [truth["true_effects"][outcome] for outcome in OTHERS] == [0] * 8
    assert len({trap["id"] for trap in truth["traps"]}) == len(truth["traps"]) == 6
    assert all(trap.keys() == {"id", "what", "where", "fools", "see_through"} and all(trap.values()) for trap in truth["traps"])
    assert "seed" not in package and "CANARY" not in str(package)
    assert not any(number in str(package) for number in ["0.05", "0.1 ", "0.06", "0.04"])


# ---------------------------------------------------------------- the design of the trial


@over_seeds
def test_the_arms_are_equal_within_each_centre(seed):
    workers, households = made(seed).tables.values()
    assert (pd.crosstab(workers["centre_id"], workers["arm"]).to_numpy() == 5).all() and workers["centre_id"].nunique() == 24
    assert (households.groupby("worker_id").size() == 15).all() and households["worker_id"].nunique() == 480
    assert workers["sessions_attended"].notna().equals(workers["arm"].isin(["mission", "both"]))


@over_seeds
def test_empty_cells_are_where_they_belong(seed):
    rows = made(seed).tables["households"]
    missing = rows["interviewed"] == 0
    for outcome in [*TRUE, *OTHERS]:
        assert rows[outcome].isna().equals(missing)
    assert (rows["visit_minutes"].notna() == (rows["visited"].fillna(0) == 1)).all()


@over_many(0.03, 0.012)
def test_levels_in_control_are_as_designed(seeds, tolerance):
    found = mean_over(seeds, lambda seed: merged(seed).query("arm == 'control'")[list(TRUE)].mean().astype(float))
    assert found == pytest.approx([.62, .45, .24, .55], abs=tolerance)


# ---------------------------------------------------------------- the truth can be found


@pytest.mark.parametrize("outcome", TRUE)
@over_many(0.037, 0.0155)
def test_intention_to_treat_finds_the_effects(seeds, tolerance, outcome):
    assert mean_over(seeds, lambda seed: fit(seed, outcome).params[TREATED]) == pytest.approx(TRUE[outcome], abs=tolerance)


@over_many(0.13, 0.05)
def test_motivation_follows_the_arms(seeds, tolerance):
    def gaps(seed):
        workers = merged(seed).drop_duplicates("worker_id")
        return smf.ols("motivation_after ~ motivation_before + mission + bonus + both", workers).fit().params[TREATED]

    found = mean_over(seeds, gaps)
    assert found == pytest.approx([.30, -.10, .15], abs=tolerance)


@pytest.mark.full
def test_further_outcomes_are_moved_by_no_arm():
    for outcome in OTHERS:
        assert mean_over(range(20), lambda seed: fit(seed, outcome, "", True).params[TREATED]) == pytest.approx(0, abs=0.016)


# ---------------------------------------------------------------- the traps are there


@over_many(2.1, 0.8)
def test_of_many_outcomes_one_or_two_alarm_falsely(seeds, tolerance):
    alarms = [(fit(seed, outcome, "").pvalues[TREATED] < 0.05).sum() for seed in seeds for outcome in OTHERS]
    assert 0 < sum(alarms) and sum(alarms) / len(seeds) == pytest.approx(1.2, abs=tolerance)


@over_seeds
def test_the_teacher_is_told_which(seed):
    trap = next(trap for trap in made(seed).truth["traps"] if trap["id"] == "multiple_outcomes")["what"]
    for outcome in OTHERS:
        for arm in TREATED:
            p = fit(seed, outcome, "").pvalues[arm]
            if not 0.03 < p < 0.075:   # worker means and household rows weigh a little differently
                assert (f"{outcome} ({arm})" in trap) == (p < 0.05), f"{outcome} ({arm}): p = {p:.3f}"


@over_many(0, 0.03)
def test_the_bonus_is_best_at_visits_and_not_at_health(seeds, tolerance):
    visits, harm, vaccinated = (
        dict(zip(TREATED, mean_over(seeds, lambda seed: fit(seed, outcome).params[TREATED])))
        for outcome in ["visited", "diarrhoea", "fully_vaccinated"])
    assert max(visits, key=visits.get) == "bonus"
    assert min(harm, key=harm.get) == "mission" and max(vaccinated, key=vaccinated.get) == "mission"
    assert visits["bonus"] > visits["mission"] + tolerance


@over_seeds
def test_visits_that_are_paid_are_short(seed):
    minutes = merged(seed).groupby("arm")["visit_minutes"].median()
    assert minutes["bonus"] < minutes["both"] < minutes["control"] <= minutes["mission"]
    assert minutes["control"] == pytest.approx(20, abs=1.5) and minutes["bonus"] == pytest.approx(13, abs=1.5)


@over_seeds
def test_unclustered_errors_are_too_small(seed):
    for outcome in ["visited", "unrewarded_task", "fully_vaccinated"]:
        naive, honest = (fit(seed, outcome, clustered=clustered).bse[TREATED].mean() for clustered in (False, True))
        assert 0.65 < naive / honest < 0.92, outcome


@over_seeds
def test_far_households_are_lost_where_visits_are_paid(seed):
    rows = merged(seed)
    rows["paid"] = rows["arm"].isin(["bonus", "both"])
    found = rows.groupby(["paid", "far"])["interviewed"].mean()
    assert found[False, 0] == pytest.approx(.95, abs=.02) and found[True, 0] == pytest.approx(.95, abs=.02)
    assert found[False, 1] == pytest.approx(.92, abs=.03) and found[True, 1] == pytest.approx(.70, abs=.05)
    for outcome, sign in [("visited", -1), ("fully_vaccinated", -1), ("diarrhoea", 1)]:
        means = rows.groupby("far")[outcome].mean()
        assert sign * (means[1] - means[0]) > 0.05


@over_many(0.007, 0.0028)
def test_dropping_the_empty_rows_flatters_the_bonus(seeds, tolerance):
    too_high = mean_over(seeds, lambda seed: fit(seed, "visited", "").params["bonus"] - fit(seed, "visited", "+ far").params["bonus"])
    assert too_high == pytest.approx(0.013, abs=tolerance)


@over_seeds
def test_the_motivated_attend(seed):
    workers = made(seed).tables["workers"].dropna(subset="sessions_attended")
    often = workers["sessions_attended"] >= 5
    assert workers["motivation_before"][often].mean() > workers["motivation_before"][~often].mean() + 0.15


def gain_of_a_session(seed):
    """Visits that a session adds: as a comparison within the arm says, and as it was made (the arm's effect over its mean attendance)."""
    rows = merged(seed).query("arm == 'mission'").dropna(subset="visited")
    rows = rows.assign(visited=rows["visited"].astype(float), sessions=rows["sessions_attended"].astype(float))
    return smf.ols("visited ~ sessions", rows).fit().params["sessions"], 0.05 / rows["sessions"].mean()


@over_many(1.4, 1.6)
def test_comparing_attenders_overrates_the_sessions(seeds, tolerance):
    naive, true = mean_over(seeds, gain_of_a_session)
    assert naive > tolerance * true


@over_seeds
def test_before_and_after_overrates_the_mission(seed):
    workers = made(seed).tables["workers"].dropna(subset="motivation_after")
    change = (workers["motivation_after"] - workers["motivation_before"]).groupby(workers["arm"]).mean()
    assert change["bonus"] < change["control"] < change["mission"]


def test_everybody_answers_higher_the_second_time():
    def changes(seed):
        workers = made(seed).tables["workers"].dropna(subset="motivation_after")
        return (workers["motivation_after"] - workers["motivation_before"]).groupby(workers["arm"]).mean()[["control", "mission"]]

    assert mean_over([*SEEDS, *range(17)], changes) == pytest.approx([0.10, 0.40], abs=0.037)
