"""The workforce: equations against a plain loop, heads counted, limits, directions, and what the theory must show.

What must follow from defensible numbers is tested over a neighbourhood: every parameter at once is moved at random, by up
to a tenth (a twentieth for the two equilibria) of its default.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mystique.theory import (
    CONTROL, PARAMETERS, RUNGS, SUPPORT, Agency,
    equilibria, leads_to, look_ahead, on_each_rung, support_minus_control, supportive, sweep,
)
from mystique.theory import workforce

OWN = {each.name: each for each in PARAMETERS if each.model == "Agency"}
plainly = settings(deadline=None, derandomize=True, database=None, max_examples=60)
shares = st.floats(0, 1)


@st.composite
def anywhere(draw):
    """An agency with every parameter anywhere in its range."""
    values = {name: draw(st.floats(each.low, each.high)) for name, each in OWN.items()}
    values["worst_entry"], values["best_entry"] = sorted((values["worst_entry"], values["best_entry"]))
    return Agency(**values)


def near(reach, count=400, seed=0, **fixed):
    """Many agencies near the defaults: every parameter moved at random by up to this share of itself."""
    random = np.random.default_rng(seed)
    moved = {name: np.clip(each.default * random.uniform(1 - reach, 1 + reach, count), each.low, each.high) for name, each in OWN.items()}
    return Agency(**{**moved, **fixed})


# ---------------------------------------------------------------- the equations, worked out slowly


def slowly(a, years):
    """The model again, from its docstrings: one agency, lists, loops and `math`. Figures of each year, people of each year."""
    def logistic(x):
        return 1 / (1 + math.exp(-x)) if x > -700 else 0.0

    def bells(share):
        sides = []
        for centre in (a.distance, -a.distance):
            heights = [math.exp(-((rung - centre) / a.spread) ** 2 / 2) for rung in rungs]
            sides.append([height / sum(heights) for height in heights])
        return [share * above + (1 - share) * below for above, below in zip(*sides)]

    def one_does(motivation, control):
        freedom = a.autonomy * (1 - control)
        good = logistic(a.steepness * motivation) * (1 - a.hindrance * (1 - freedom)) * (1 - a.unskilled_loss * (1 - a.competence))
        harm = a.damage * logistic(-a.steepness * (motivation - a.harm_below))
        seen = control * a.monitorability
        return seen * a.standard + (1 - seen) * (good - harm)

    def all_do(people, control):
        return sum(count * one_does(rung, control) for rung, count in zip(rungs, people)) / a.posts

    rungs = [-3 + 0.25 * number for number in range(25)]
    people = [a.posts * share for share in bells(a.motivated_share)]
    reputation = logistic(a.sharpness * (all_do(people, a.control) - a.expected))
    figures, stock = [], []
    for _ in range(years + 1):
        control = a.control + a.tightening * (1 - a.control) * (1 - reputation)
        needs_met = (a.autonomy * (1 - control) + a.competence + a.purpose * (1 - a.seeing_results * (1 - reputation))) / 3
        felt = a.felt_range * (needs_met - a.usual_needs) - a.crowding * control
        performance = all_do(people, control)
        cost = a.watching_cost * control + a.support_cost * (a.autonomy + a.competence + a.purpose) / 3

        moved = [0.0] * 25
        for number, (rung, count) in enumerate(zip(rungs, people)):
            chance_up = a.mobility * logistic(a.treatment * felt - a.return_pull * rung)
            chance_down = a.mobility * logistic(a.return_pull * rung - a.treatment * felt)
            ups, downs = (count * chance_up if number < 24 else 0), (count * chance_down if number > 0 else 0)
            moved[number] += count - ups - downs
            if ups:
                moved[number + 1] += ups
            if downs:
                moved[number - 1] += downs
        leavers = [
            count * logistic(a.leave_constant + a.leave_by_support * felt + a.leave_by_motivation * rung + a.leave_by_both * felt * rung)
            for rung, count in zip(rungs, moved)
        ]
        joining = bells(a.worst_entry + (a.best_entry - a.worst_entry) * reputation)
        figures.append([
            sum(rung * count for rung, count in zip(rungs, people)) / a.posts,
            sum(count * (1 if rung > 0 else 0.5 if rung == 0 else 0) for rung, count in zip(rungs, people)) / a.posts,
            control, felt, performance, cost, performance - cost, reputation, sum(leavers) / a.posts,
        ])
        stock.append(people)
        people = [count - gone + sum(leavers) * share for count, gone, share in zip(moved, leavers, joining)]
        reputation = a.memory * reputation + (1 - a.memory) * logistic(a.sharpness * (performance - a.expected))
    return np.array(figures).T, np.array(stock)


def assert_same_as_slowly(agency, years=12):
    ahead = look_ahead(agency, years)
    figures, people = slowly(agency, years)
    names = "mean_motivation motivated_share control felt_support performance cost net reputation leaving".split()
    for name, expected in zip(names, figures):
        np.testing.assert_allclose(getattr(ahead, name), expected, rtol=1e-8, atol=1e-10, err_msg=name)
    np.testing.assert_allclose(ahead.people, people, rtol=1e-8, atol=1e-8 * agency.posts)


@pytest.mark.parametrize("agency", [Agency(), Agency(**CONTROL), Agency(**SUPPORT, motivated_share=0.1), Agency(tightening=0.8, monitorability=0.1)])
def test_forty_years_are_those_of_the_slow_loop(agency):
    assert_same_as_slowly(agency, 40)


@settings(plainly, max_examples=25)
@given(anywhere())
def test_the_equations_are_those_of_the_slow_loop_anywhere(agency):
    assert_same_as_slowly(agency)


# ---------------------------------------------------------------- heads counted, figures bounded


@plainly
@given(anywhere())
def test_nobody_is_lost_and_every_figure_keeps_its_bounds(agency):
    ahead = look_ahead(agency, 30)
    exactly = {"rtol": 1e-12, "atol": 1e-12 * agency.posts}
    np.testing.assert_allclose(ahead.people.sum(-1), agency.posts, rtol=1e-12)
    np.testing.assert_allclose(ahead.joiners.sum(-1), ahead.leavers.sum(-1), **exactly)
    np.testing.assert_allclose(ahead.leavers.sum(-1), ahead.leaving[:-1] * agency.posts, **exactly)
    for counts in (ahead.people, ahead.leavers, ahead.joiners):
        assert (counts >= -1e-12 * agency.posts).all()
    for share in (ahead.motivated_share, ahead.control, ahead.reputation, ahead.leaving):
        assert (share >= 0).all() and (share <= 1 + 1e-12).all()
    assert (abs(ahead.mean_motivation) <= 3).all()
    assert (ahead.performance <= 1).all() and (ahead.performance >= -agency.damage).all()
    assert (ahead.cost >= 0).all() and np.array_equal(ahead.net, ahead.performance - ahead.cost)


@plainly
@given(anywhere(), st.floats(-4, 4))
def test_treatment_moves_people_and_loses_none(agency, felt):
    people = workforce.mixture(agency, agency.motivated_share)
    after = workforce.treated(agency, people, felt)
    assert after.sum() == pytest.approx(1, rel=1e-12) and (after >= 0).all()


def test_from_year_to_year_the_books_balance_on_every_rung():
    agency = Agency()
    ahead = look_ahead(agency, 10)
    for year in range(10):
        moved = workforce.treated(agency, ahead.people[year][:, None], ahead.felt_support[year])[:, 0]
        np.testing.assert_allclose(ahead.people[year + 1], moved - ahead.leavers[year] + ahead.joiners[year], atol=1e-10)


# ---------------------------------------------------------------- limits


@plainly
@given(anywhere(), shares, shares)
def test_without_control_monitorability_and_what_watching_costs_mean_nothing(agency, one, other):
    free = [look_ahead(replace(agency, control=0, tightening=0, monitorability=each, watching_cost=each), 10) for each in (one, other)]
    np.testing.assert_array_equal(free[0].net, free[1].net)


@plainly
@given(anywhere())
def test_full_control_of_wholly_monitorable_work_brings_the_standard_from_everyone(agency):
    agency = replace(agency, control=1, monitorability=1)
    rungs = on_each_rung(agency)
    assert rungs.floor == pytest.approx(agency.standard) and rungs.ceiling == pytest.approx(agency.standard)
    np.testing.assert_allclose(look_ahead(agency, 10).performance, agency.standard)


@plainly
@given(anywhere(), shares)
def test_control_of_work_that_cannot_be_watched_raises_nobody(agency, more):
    agency = replace(agency, monitorability=0, tightening=0)
    tighter = replace(agency, control=max(agency.control, more))
    assert (on_each_rung(tighter).performance <= on_each_rung(agency).performance + 1e-12).all()


@plainly
@given(anywhere())
def test_without_mobility_treatment_is_nothing_and_without_a_choice_reputation_draws_nobody(agency):
    agency = replace(agency, mobility=0, best_entry=agency.worst_entry)
    people = workforce.mixture(agency, 0.5)
    np.testing.assert_array_equal(workforce.treated(agency, people, 2.0), people)
    ahead = look_ahead(agency, 5)
    mix = ahead.joiners / ahead.joiners.sum(-1, keepdims=True)
    np.testing.assert_allclose(mix, np.broadcast_to(mix[0], mix.shape), atol=1e-12)


# ---------------------------------------------------------------- directions


@plainly
@given(anywhere())
def test_the_more_motivated_never_do_worse(agency):
    assert (np.diff(on_each_rung(agency).performance) >= -1e-12).all()


@plainly
@given(anywhere(), st.sampled_from(["autonomy", "competence", "purpose"]), shares, shares)
def test_each_practice_raises_felt_support_and_control_lowers_it(agency, practice, more, reputation):
    def felt(agency):
        return workforce.felt_support(agency, agency.control, reputation)

    better = replace(agency, **{practice: max(more, getattr(agency, practice))})
    tighter = replace(agency, control=max(more, agency.control))
    assert felt(better) >= felt(agency) - 1e-12
    assert felt(tighter) <= felt(agency) + 1e-12


@plainly
@given(anywhere(), shares)
def test_where_control_sees_more_the_floor_rises_and_the_ceiling_falls(agency, more):
    agency = replace(agency, tightening=0)
    sees_more = replace(agency, monitorability=max(more, agency.monitorability))
    before, after = on_each_rung(agency), on_each_rung(sees_more)
    assert after.ceiling - after.floor <= before.ceiling - before.floor + 1e-12
    below = before.performance < agency.standard
    assert (after.performance[below] >= before.performance[below] - 1e-12).all()
    assert (after.performance[~below] <= before.performance[~below] + 1e-12).all()


@plainly
@given(anywhere(), st.floats(-3, 3), st.floats(0, 2))
def test_more_felt_support_never_moves_people_down(agency, felt, more):
    people = workforce.mixture(agency, agency.motivated_share)
    less, better = (workforce.treated(agency, people, each) for each in (felt, felt + more))
    assert (np.cumsum(better) <= np.cumsum(less) + 1e-12).all(), "at or below each rung there are never more people"


@plainly
@given(anywhere(), shares, shares)
def test_reputation_grows_with_performance_and_draws_the_motivated(agency, one, other):
    less, more = sorted((one, other))
    assert workforce.reputation_earned(agency, less) <= workforce.reputation_earned(agency, more)
    assert workforce.motivated_among_joiners(agency, less) <= workforce.motivated_among_joiners(agency, more) + 1e-12


@plainly
@given(anywhere())
def test_managers_who_tighten_never_loosen(agency):
    assume(agency.tightening > 0)
    control = look_ahead(agency, 10).control
    assert (control >= agency.control - 1e-12).all()


# ---------------------------------------------------------------- what it must show


@pytest.mark.parametrize("monitorability", [0.0, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("motivated_share", [0.2, 0.5, 0.8])
def test_support_beats_control_when_monitorability_is_low(monitorability, motivated_share):
    gains = support_minus_control(near(0.1, monitorability=monitorability, motivated_share=motivated_share), years=10)
    assert gains.min() > 0.05


@pytest.mark.parametrize("monitorability", [0.9, 1.0])
@pytest.mark.parametrize("motivated_share", [0.05, 0.2])
def test_support_loses_when_monitorability_is_high_and_few_are_motivated(monitorability, motivated_share):
    gains = support_minus_control(near(0.1, monitorability=monitorability, motivated_share=motivated_share), years=10)
    assert gains.max() < -0.05


def test_it_takes_both_to_make_support_lose():
    assert support_minus_control(near(0.1, monitorability=0.9, motivated_share=0.9)).min() > 0, "high, but many are motivated"
    assert support_minus_control(near(0.1, monitorability=0.1, motivated_share=0.05)).min() > 0, "few, but it cannot be watched"


def test_given_time_support_can_turn_few_into_many_unless_there_are_few_to_be_had():
    few = near(0.1, monitorability=0.9, motivated_share=0.2)
    assert (support_minus_control(few, years=40) > support_minus_control(few, years=10)).all()
    few_anywhere = replace(few, motivated_share=0.1, worst_entry=0.05, best_entry=0.2)
    assert support_minus_control(few_anywhere, years=40).max() < 0


def test_support_gains_on_control_with_each_step_down_in_monitorability():
    gains = support_minus_control(Agency(monitorability=np.linspace(0, 1, 21)))
    assert (np.diff(gains) < 0).all() and gains[0] > 0
    gains = support_minus_control(Agency(monitorability=np.linspace(0, 1, 21), motivated_share=0.2))
    assert gains[0] > 0 > gains[-1]


def test_control_drives_out_the_most_motivated_first():
    many = near(0.1, **CONTROL)
    for at in range(0, many.settings, 20):
        one = Agency(**{name: value[at] if np.ndim(value) else value for name, value in vars(many).items()})
        controlled = on_each_rung(one)
        assert (np.diff(controlled.leaving) > 0).all(), "with each rung the chance of leaving rises"
        assert (np.diff(on_each_rung(replace(one, **SUPPORT)).leaving) < 0).all(), "with support it falls"
        ahead = look_ahead(one, 1)
        leavers, stayers = ahead.leavers[0], ahead.people[1] - ahead.joiners[0]
        assert leavers @ RUNGS / leavers.sum() > stayers @ RUNGS / stayers.sum() + 0.05


def test_control_lowers_motivation_by_selection_alone_and_by_treatment_alone():
    start = near(0.1, **CONTROL, monitorability=0.2, motivated_share=0.7)
    everyone_alike = {"leave_by_motivation": 0, "leave_by_both": 0}
    same_joiners = {"worst_entry": 0.7, "best_entry": 0.7}
    selection_alone = look_ahead(replace(start, mobility=0, **same_joiners), 10)
    treatment_alone = look_ahead(replace(start, **everyone_alike, **same_joiners), 10)
    neither = look_ahead(replace(start, mobility=0, **everyone_alike, **same_joiners), 10)
    np.testing.assert_allclose(neither.mean_motivation[:, -1], neither.mean_motivation[:, 0], atol=1e-9)
    for ahead in (selection_alone, treatment_alone):
        assert (ahead.mean_motivation[:, -1] < ahead.mean_motivation[:, 0] - 0.02).all()


def test_there_are_two_equilibria_and_a_tipping_point_between_them():
    found = equilibria(near(0.05, 40))
    assert found.two.all()
    assert (found.high - found.low > 0.4).all()
    assert (found.tipping_point > 0.2).all() and (found.tipping_point < 0.8).all()


def test_a_start_beside_the_tipping_point_leads_to_its_own_equilibrium():
    many = near(0.05, 20, seed=1)
    found = equilibria(many)
    for side, end in ((-0.01, found.low), (0.01, found.high)):
        after = look_ahead(replace(many, motivated_share=found.tipping_point + side), 300)
        np.testing.assert_allclose(after.motivated_share[:, -1], end, atol=0.01)


def test_the_equilibria_are_stable():
    agency = Agency()
    found = equilibria(agency)
    for end in (found.low, found.high):
        starts = np.clip(end + np.array([-0.1, 0, 0.1]), 0, 1)
        after = sweep(agency, 300, motivated_share=starts).motivated_share[:, -1]
        np.testing.assert_allclose(after, end, atol=1e-3)


def test_the_tipping_point_by_plain_bisection():
    def ends_high(share):
        return look_ahead(Agency(motivated_share=share), 300).motivated_share[-1] > 0.5

    low, high = 0.0, 1.0
    for _ in range(10):
        middle = (low + high) / 2
        low, high = (low, middle) if ends_high(middle) else (middle, high)
    assert equilibria(Agency()).tipping_point == pytest.approx((low + high) / 2, abs=2e-3)


def test_enough_support_leaves_only_the_high_equilibrium_and_little_only_the_low():
    ample, scant = equilibria(Agency(**supportive(0.85))), equilibria(Agency(**supportive(0.35)))
    assert not ample.two and ample.low > 0.8
    assert not scant.two and scant.high < 0.3
    assert math.isnan(ample.tipping_point)


def test_more_support_lowers_the_tipping_point_and_managers_who_tighten_raise_it():
    by_support = equilibria(Agency(autonomy=[0.55, 0.6, 0.65, 0.7], competence=[0.55, 0.6, 0.65, 0.7], purpose=[0.55, 0.6, 0.65, 0.7]))
    assert (np.diff(by_support.tipping_point) < 0).all()
    by_tightening = equilibria(Agency(tightening=[0, 0.3, 0.6], monitorability=0.3))
    assert (np.diff(by_tightening.tipping_point) > 0).all()


def test_which_equilibrium_a_start_leads_to():
    assert leads_to(Agency(motivated_share=0.3)) == "low"
    assert leads_to(Agency(motivated_share=0.7)) == "high"
    assert leads_to(Agency(**supportive(0.9))) == "the only one"


# ---------------------------------------------------------------- many at once


def test_a_sweep_is_the_same_as_one_by_one():
    control, share = np.linspace(0, 1, 7), np.linspace(0.9, 0.1, 7)
    many = sweep(Agency(tightening=0.2), 25, control=control, motivated_share=share)
    for at in range(7):
        one = look_ahead(Agency(tightening=0.2, control=control[at], motivated_share=share[at]), 25)
        for name in ("mean_motivation", "motivated_share", "control", "felt_support", "performance", "cost", "net", "reputation", "leaving"):
            assert getattr(many, name).shape == (7, 26) and getattr(one, name).shape == (26,)
            np.testing.assert_allclose(getattr(many, name)[at], getattr(one, name), rtol=1e-12, atol=1e-12)
        assert many.mean_net[at] == pytest.approx(one.mean_net)


def test_one_agencys_people_have_a_row_a_year_and_a_sweep_leaves_them_out():
    one = look_ahead(Agency(), 3)
    assert one.people.shape == (4, 25) and one.leavers.shape == one.joiners.shape == (3, 25)
    assert list(one.year) == [0, 1, 2, 3] and one.motivation[[0, 12, 24]] == pytest.approx([-3, 0, 3])
    assert sweep(Agency(), 3, control=[0.1, 0.2]).people is None


def test_equilibria_of_many_are_those_of_each():
    many = equilibria(Agency(autonomy=[0.3, 0.65, 1.0]))
    for at, autonomy in enumerate([0.3, 0.65, 1.0]):
        one = equilibria(Agency(autonomy=autonomy))
        assert isinstance(one.two, bool) and one.two == many.two[at]
        np.testing.assert_allclose([one.low, one.high, one.tipping_point], [many.low[at], many.high[at], many.tipping_point[at]])


def test_the_same_again():
    np.testing.assert_array_equal(look_ahead(Agency()).people, look_ahead(Agency()).people)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("years", [0, -1, 2.5, "40", None, True, 10_001])
def test_a_silly_number_of_years(years):
    with pytest.raises(ValueError, match="years: found .*, expected a whole number from 1 to 10000"):
        look_ahead(Agency(), years)


@pytest.mark.parametrize("function", [on_each_rung, leads_to])
def test_a_function_for_one_agency_refuses_many(function):
    with pytest.raises(ValueError, match="%s: found 2 settings, expected one agency" % function.__name__):
        function(Agency(control=[0.1, 0.2]))
