"""The small mechanisms: equations worked out by hand or by search, limits, directions, and what each must show."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mystique.theory import (
    CONTROL, PARAMETERS, RUNGS, SUPPORT, Agency, Belief, Caseload, Duty, Reward, Rules, TwoTasks,
    answer_to, internalise, judge_or_follow, serve, share_effort, sustain, unmotivated_or_demotivated,
)

plainly = settings(deadline=None, derandomize=True, database=None, max_examples=80)
shares = st.floats(0, 1)
DANGERS = {"turning_away": 0.9, "unpaid": 0.25, "capture": 0.1}  # off by default
FUNCTIONS = {Reward: answer_to, Duty: internalise, Belief: sustain, Caseload: serve, Rules: judge_or_follow, TwoTasks: share_effort}


def anywhere(model, **fixed):
    """A model with every parameter anywhere in its range, but those that are fixed."""
    free = {each.name: st.floats(each.low, each.high) for each in PARAMETERS if each.model == model.__name__}
    return st.builds(model, **{**free, **{name: st.just(value) for name, value in fixed.items()}})


def other(model, **changes):
    return type(model)(**{**vars(model), **changes})


def near(model, reach=0.1, count=300, seed=0, **fixed):
    """Many settings near the defaults: every parameter moved at random by up to this share of itself."""
    random = np.random.default_rng(seed)
    own = [each for each in PARAMETERS if each.model == model.__name__]
    moved = {each.name: np.clip(each.default * random.uniform(1 - reach, 1 + reach, count), each.low, each.high) for each in own}
    return model(**{**moved, **fixed})


@pytest.mark.parametrize("model", FUNCTIONS, ids=lambda model: model.__name__)
def test_many_settings_are_the_same_as_one_by_one(model):
    function, on = FUNCTIONS[model], DANGERS if model is Belief else {}
    for each in (each for each in PARAMETERS if each.model == model.__name__):
        row = np.linspace(each.low, each.high, 5)
        many = function(model(**{**on, each.name: row}))
        for at, value in enumerate(row):
            one = function(model(**{**on, each.name: value}))
            if isinstance(one, float):
                assert many[at] == pytest.approx(one)
                continue
            for name, figure in vars(one).items():
                all_of_it = getattr(many, name)
                expected = all_of_it if name in ("year", "month") else all_of_it[at]
                np.testing.assert_allclose(figure, expected, rtol=1e-12, atol=1e-15, err_msg="%s by %s" % (name, each.name))


# ---------------------------------------------------------------- a reward, and the kinds of motivation


def test_the_published_sizes_at_the_two_ends():
    assert answer_to(Reward(salience=1, tone=-1, interest=1)).intrinsic == pytest.approx(-0.40)
    assert answer_to(Reward(salience=1, tone=1, interest=1)).intrinsic == pytest.approx(0.33)


def test_a_reward_worked_out_by_hand():
    found = answer_to(Reward(salience=0.8, tone=-0.5, interest=0.5, spoiling=0.4, boosting=0.3, pull=0.5, pressure=0.2))
    # felt control 0.6, felt information 0.2
    assert (found.external, found.introjected, found.identified) == (pytest.approx(0.4), pytest.approx(0.12), 0)
    assert found.intrinsic == found.after == pytest.approx(0.5 * (0.06 - 0.24))
    assert found.during == pytest.approx(0.4 + 0.12 - 0.09)


@plainly
@given(anywhere(Reward), shares, st.floats(-1, 1))
def test_a_reward_unnoticed_does_nothing_and_a_more_informing_one_never_harms(reward, more_salient, tone):
    unnoticed = answer_to(other(reward, salience=0))
    assert unnoticed.external == unnoticed.introjected == unnoticed.intrinsic == 0
    informing = answer_to(other(reward, tone=max(tone, reward.tone)))
    assert informing.intrinsic >= answer_to(reward).intrinsic - 1e-12
    assert informing.introjected <= answer_to(reward).introjected + 1e-12
    louder = other(reward, salience=max(more_salient, reward.salience), tone=-1)
    assert answer_to(louder).intrinsic <= answer_to(other(reward, tone=-1)).intrinsic + 1e-12
    assert -reward.spoiling - 1e-12 <= answer_to(reward).intrinsic <= reward.boosting + 1e-12


def test_a_controlling_reward_moves_people_while_it_lasts_and_spoils_it_when_it_goes():
    found = answer_to(near(Reward, tone=-1, salience=0.9))
    assert (found.during > 0).all() and (found.after < 0).all()
    assert (answer_to(near(Reward, tone=1, salience=0.9)).after > 0).all()
    assert (answer_to(near(Reward, tone=-1, interest=0)).after == 0).all(), "nothing can be spoilt where there was no interest"


# ---------------------------------------------------------------- internalisation


def test_one_month_by_hand():
    found = internalise(Duty(rationale=0.6, choice=0.5, competence=0.8, external_at_first=0.7, pace=0.2, slipping=0.1), months=2)
    taken_in, made_own, back = 0.2 * 0.7, 0.2 * 0.7 * 0.5, 0.1 * (1 - 1.9 / 3)
    external, introjected = 0.7 * (1 - taken_in) + 0.3 * back, 0.3 * (1 - made_own - back) + 0.7 * taken_in
    assert [found.external[1], found.introjected[1], found.identified[1]] == pytest.approx([external, introjected, 0.3 * made_own])
    assert found.identified[2] == pytest.approx(0.3 * made_own * (1 - back) + introjected * made_own)


@plainly
@given(anywhere(Duty))
def test_reasons_are_shares_of_a_whole(duty):
    found = internalise(duty, 60)
    together = np.stack([found.external, found.introjected, found.identified])
    np.testing.assert_allclose(together.sum(0), 1)
    assert (together >= -1e-12).all() and together.shape == (3, 61)


@plainly
@given(anywhere(Duty), st.sampled_from(["rationale", "choice", "competence"]), shares)
def test_each_support_makes_more_of_it_ones_own(duty, support, more):
    better = other(duty, **{support: max(more, getattr(duty, support))})
    assert (internalise(better, 36).identified >= internalise(duty, 36).identified - 1e-12).all()


@plainly
@given(anywhere(Duty, choice=0), st.integers(1, 60))
def test_without_choice_a_duty_is_never_ones_own(duty, months):
    assert (internalise(duty, months).identified == 0).all()


def test_without_choice_people_are_left_with_i_should():
    ample, without = near(Duty, rationale=0.9, competence=0.9, choice=0.9), near(Duty, rationale=0.9, competence=0.9, choice=0)
    assert (internalise(ample).identified[:, -1] > 0.75).all()
    assert (internalise(without).introjected[:, -1] > 0.6).all()


def test_the_long_run_is_where_flows_balance():
    duty = Duty(rationale=0.7, choice=0.4, competence=0.6)
    taken_in, back = duty.pace * 0.65, duty.slipping * (1 - 1.7 / 3)
    external = back / (taken_in + back)
    introjected = (1 - external) * back / (taken_in * 0.4 + back)
    end = internalise(duty, 600)
    assert [end.external[-1], end.introjected[-1], end.identified[-1]] == pytest.approx([external, introjected, 1 - external - introjected])


# ---------------------------------------------------------------- sustaining features


def test_a_few_years_by_hand():
    found = sustain(Belief(strength=0.5, dissent=0.2, autonomy=0.6, learning=0.5, change_starts=1, change=0.2, renewal=0.5, energy=0.4, zeal=0.3), 3)
    heard = 0.5 * 0.5 * 0.6 * (1 - 0.5 * 0.8)
    assert found.misfit == pytest.approx([0, 0, 0.2, 0.2 + 0.2 - heard * 0.2])
    assert found.results[2] == pytest.approx(0.8 / 1.04 - 0.3 * 0.5 * 0.36 * 0.8)


@plainly
@given(anywhere(Belief))
def test_misfit_is_never_negative_and_results_are_bounded(belief):
    found = sustain(belief, 60)
    best = 1 + belief.unpaid  # the best in paid hours, and what is given on top
    assert (found.misfit >= 0).all() and (found.results <= best).all() and (found.results >= -belief.zeal).all()
    assert (found.record >= found.results - 1e-12).all() and (found.record <= best + 1e-9).all(), "it leaves out those whom the agency turned away"
    for share in (found.turned_away, found.weariness, found.owned):
        assert (share >= 0).all() and (share <= 1).all()
    quiet = found.year <= belief.change_starts
    assert (found.misfit[quiet] == 0).all()


@plainly
@given(anywhere(Belief), st.sampled_from(["dissent", "autonomy", "learning"]), shares)
def test_each_sustaining_feature_lowers_misfit(belief, feature, more):
    if feature == "autonomy":
        belief = other(belief, turning_away=0)  # whoever may choose whom to serve hears less of the others
    better = other(belief, **{feature: max(more, getattr(belief, feature))})
    assert (sustain(better, 50).misfit <= sustain(belief, 50).misfit + 1e-9).all()


@plainly
@given(anywhere(Belief, unpaid=0, capture=0), shares)
def test_dissent_and_learning_cost_no_results_but_hours_given_for_nothing_and_a_sides_favour(belief, more):
    for feature in ("dissent", "learning"):
        better = other(belief, **{feature: max(more, getattr(belief, feature))})
        assert (sustain(better, 50).results >= sustain(belief, 50).results - 1e-9).all()


def test_in_a_quiet_world_strong_belief_does_better_and_in_a_changing_one_dissent_decides():
    def results(strength, dissent):
        # the same neighbourhood for both strengths: only belief differs
        return sustain(near(Belief, strength=strength, dissent=dissent, autonomy=0.5, learning=0.6)).results

    for dissent in (0.1, 0.9):
        assert (results(0.9, dissent)[:, 5] > results(0.4, dissent)[:, 5]).all(), "quiet"
    assert (results(0.9, 0.1)[:, 40] < results(0.4, 0.1)[:, 40]).all(), "dogma: strong belief that hears nothing"
    assert (results(0.9, 0.9)[:, 40] > results(0.4, 0.9)[:, 40]).all(), "strong belief with its safety valve"


def test_autonomy_is_best_within_bounds():
    levels = np.linspace(0, 1, 21)
    for strength, dissent in itertools.product((0.8, 0.9, 1), (0.1, 0.3)):
        best = sustain(Belief(strength=strength, dissent=dissent, autonomy=levels)).results[:, -1].argmax()
        assert 0 < best < 20


# ---------------------------------------------------------------- three dangers, off until they are switched on


@plainly
@given(anywhere(Belief, turning_away=0, unpaid=0, capture=0))
def test_switched_off_the_three_dangers_change_nothing(belief):
    b, found = belief, sustain(belief, 60)
    misfit = [0.0]
    for year in range(60):
        hears = 1 - b.strength * (1 - b.dissent)
        misfit.append(misfit[-1] + b.change * (year >= b.change_starts) - b.renewal * b.learning * b.autonomy * hears * misfit[-1])
    np.testing.assert_array_equal(found.misfit, misfit)
    overreach = b.zeal * (b.strength * (1 - b.dissent)) * b.autonomy**2
    np.testing.assert_array_equal(found.results, (1 - b.energy + b.energy * b.strength) / (1 + found.misfit**2) - overreach)
    np.testing.assert_array_equal(found.record, found.results)
    assert not found.turned_away.any() and not found.weariness.any() and not found.owned.any()


def test_exclusion_by_hand():
    found = sustain(Belief(strength=0.5, dissent=0.2, autonomy=0.6, learning=0.5, change_starts=0, change=1, renewal=0.5, energy=0.4, zeal=0.3, turning_away=0.5), 2)
    away = 0.5 * 0.4 * 0.6 * 1 / 2  # a misfit of 1: the ways fit half of those in need
    misfit = 1 + 1 - 0.5 * 0.5 * 0.6 * (0.6 * (1 - away))
    overreach = 0.3 * 0.4 * 0.36
    assert found.turned_away[:2] == pytest.approx([0, away]) and found.misfit == pytest.approx([0, 1, misfit])
    assert found.results[1] == pytest.approx(0.8 / 2 - overreach) and found.record[1] == pytest.approx(0.8 * 0.5 / 0.94 - overreach)


def test_burnout_by_hand():
    found = sustain(Belief(strength=0.5, dissent=0.2, autonomy=0, learning=0.5, change=0, energy=0.4, unpaid=0.5, tiring=0.25, recovery=0.2), 2)
    second = 0.05 + 0.05 * 0.95 - 0.1 * 0.05  # hours: a fifth of paid ones, of which a quarter tires
    assert found.weariness == pytest.approx([0, 0.05, second])
    assert found.results == pytest.approx([1.2 * 0.8, 1.2 * (0.6 + 0.2 * 0.95), 1.2 * (0.6 + 0.2 * (1 - second))])


def test_politicisation_by_hand():
    found = sustain(Belief(strength=0.5, dissent=0.2, autonomy=0.5, learning=0.5, change=0, energy=0.4, zeal=0, capture=0.5, recovery=0.2, stakes=0.6, term=2), 4)
    owned = [0, 0.1, 0.1 + 0.09 - 0.01]
    owned.append(owned[2] + 0.1 * (1 - owned[2]) - 0.1 * owned[2])
    assert found.owned[:4] == pytest.approx(owned)
    assert found.results[:2] == pytest.approx([0.8, 0.8 + 0.6 * 0.1 * 0.2]), "its own side rules"
    assert found.results[2:4] == pytest.approx([0.8 * (1 - 0.6 * owned[2]), 0.8 * (1 - 0.6 * owned[3])]), "the other side does"
    assert found.results[4] > 0.8, "and its own again"


@plainly
@given(anywhere(Belief, dissent=1))
def test_where_dissent_is_wholly_heard_none_of_the_three_appears(belief):
    for each in (belief, other(belief, dissent=0.3, strength=0)):  # nor where nobody believes
        found, without = sustain(each, 50), sustain(other(each, turning_away=0, unpaid=0, capture=0), 50)
        assert not found.turned_away.any() and not found.weariness.any() and not found.owned.any()
        np.testing.assert_array_equal(found.results, without.results)
        np.testing.assert_array_equal(found.record, without.record)


@plainly
@given(anywhere(Belief), shares)
def test_what_stands_in_the_way_of_each_danger(belief, more):
    found = sustain(belief, 40)
    for feature in ("dissent", "learning"):
        better = sustain(other(belief, **{feature: max(more, getattr(belief, feature))}), 40)
        for figure in ("turned_away", "weariness", "owned"):
            assert (getattr(better, figure) <= getattr(found, figure) + 1e-9).all(), (feature, figure)
    assert (sustain(other(belief, autonomy=min(more, belief.autonomy)), 40).owned <= found.owned + 1e-9).all()
    bound = sustain(other(belief, autonomy=0), 40)
    assert not bound.turned_away.any() and not bound.owned.any(), "bounds leave nobody to turn away and nothing to take"
    np.testing.assert_array_equal(bound.weariness, found.weariness, err_msg="and leave the hours as they are")


def closed(**fixed):
    """Many believing agencies that hear no dissent and do not learn, with and without one danger."""
    on = near(Belief, dissent=0.1, learning=0.1, **fixed)
    return sustain(on), sustain(other(on, turning_away=0, unpaid=0, capture=0))


def test_exclusion_keeps_the_record_while_results_for_all_in_need_fall_further():
    # it learns, or there would be nothing that the turned away could have taught it
    on = near(Belief, dissent=0.1, learning=0.8, autonomy=0.8, turning_away=1)
    excluding, without = sustain(on), sustain(other(on, turning_away=0))
    assert (excluding.record[:, 15:25] > without.record[:, 15:25]).all(), "by its own figures it does better"
    assert (excluding.results[:, 15:] < without.results[:, 15:]).all(), "for all in need it does worse"
    assert (excluding.record[:, -1] > excluding.results[:, -1] + 0.05).all()


def test_burnout_is_ahead_early_and_behind_later():
    tired, without = closed(unpaid=0.25, change=0)
    assert (tired.results[:, :5] > without.results[:, :5]).all() and (tired.results[:, -10:] < without.results[:, -10:]).all()
    np.testing.assert_array_equal(tired.record, tired.results, err_msg="its own figures show it, when it has come")


def test_politicisation_is_ahead_until_the_majority_changes():
    owned, without = closed(capture=0.1, change=0, term=12)
    assert (owned.results[:, 1:12] > without.results[:, 1:12]).all() and (owned.results[:, 12:24] < without.results[:, 12:24]).all()
    assert (owned.results[:, 24:36] > without.results[:, 24:36]).all(), "politics cuts both ways"
    assert (owned.results[:, 1:].mean(1) < without.results[:, 1:].mean(1)).all(), "and takes more than it gives"


# ---------------------------------------------------------------- administrative burden


def test_a_caseload_by_hand():
    found = serve(Caseload(motivation=0, load=2, burden=0.5, trust=0.5, distrust_multiplies=1, capacity=0.9))
    assert (found.willing, found.feasible, found.served) == (0.5, pytest.approx(0.9 / 3.5), pytest.approx(0.9 / 3.5))
    assert found.defeated == pytest.approx(0.5 - 0.9 / 3.5)


@plainly
@given(anywhere(Caseload), shares)
def test_served_is_the_least_and_every_burden_lowers_it(caseload, part):
    found = serve(caseload)
    assert found.served == min(found.willing, found.feasible) and 0 <= found.defeated <= 1
    lighter = [other(caseload, burden=caseload.burden * part), other(caseload, trust=max(part, caseload.trust)), other(caseload, capacity=max(part, caseload.capacity))]
    for each in lighter:
        assert serve(each).served >= found.served - 1e-12


def test_where_burden_binds_more_motivation_changes_nothing():
    burdened, free = near(Caseload, burden=2.0, motivation=1.0), near(Caseload, burden=0.0, load=0.8, capacity=1.0, motivation=1.0)
    more = {"motivation": 2.0}
    np.testing.assert_array_equal(serve(other(burdened, **more)).served, serve(burdened).served)
    assert (serve(burdened).defeated > 0.3).all()
    assert (serve(other(free, **more)).served > serve(free).served).all()


@plainly
@given(anywhere(Caseload, burden=0, capacity=1, load=0.5))
def test_without_burden_all_that_is_willed_is_done(caseload):
    assert serve(caseload).defeated == 0


def test_distrust_multiplies_burden():
    def hours(burden, trust):
        return 1 / serve(Caseload(burden=burden, trust=trust, load=2, motivation=3)).feasible

    assert hours(1, 0) - hours(1, 1) > hours(0.5, 0) - hours(0.5, 1) > hours(0, 0) - hours(0, 1) == 0


# ---------------------------------------------------------------- unmotivated or demotivated


@plainly
@given(anywhere(Rules), shares, st.floats(0, 2))
def test_control_brings_rule_following_and_motivation_and_room_bring_judgement(rules, more, keener):
    chance = judge_or_follow(rules)
    assert 0 <= chance <= 1
    assert judge_or_follow(other(rules, control=max(more, rules.control))) <= chance + 1e-12
    assert judge_or_follow(other(rules, autonomy=max(more, rules.autonomy))) >= chance - 1e-12
    assert judge_or_follow(other(rules, motivation=min(rules.motivation + keener, 3))) >= chance - 1e-12


def test_rules_by_hand():
    assert judge_or_follow(Rules(motivation=0.5, autonomy=0.5, control=0.5, steepness=2, room=2, blame=3)) == pytest.approx(0.5)


def test_the_same_people_look_like_shirkers_under_control_and_work_under_support():
    for share in (0.3, 0.5, 0.7):
        controlled = unmotivated_or_demotivated(Agency(**CONTROL, motivated_share=share))
        supported = unmotivated_or_demotivated(Agency(**SUPPORT, motivated_share=share), other=CONTROL)
        assert supported.willing - controlled.willing > 0.3
        assert controlled.willing + controlled.demotivated == pytest.approx(supported.willing), "the same people"
        assert supported.demotivated == 0 and supported.unmotivated == pytest.approx(controlled.unmotivated)
    assert unmotivated_or_demotivated(Agency(**CONTROL, motivated_share=0.7)).demotivated > unmotivated_or_demotivated(Agency(**CONTROL, motivated_share=0.7)).unmotivated


@plainly
@given(shares, shares, shares)
def test_the_three_kinds_are_everybody(share, autonomy, control):
    found = unmotivated_or_demotivated(Agency(motivated_share=share, autonomy=autonomy, control=control))
    kinds = [found.willing, found.demotivated, found.unmotivated]
    assert sum(kinds) == pytest.approx(1) and min(kinds) >= -1e-12


def test_the_kinds_are_means_over_the_workforce():
    from mystique.theory.workforce import mixture
    people = mixture(Agency(), 0.5)[:, 0]
    found = unmotivated_or_demotivated(Agency(**CONTROL))
    willing = sum(count * judge_or_follow(Rules(motivation=rung, autonomy=0.2, control=0.9)) for count, rung in zip(people, RUNGS))
    assert found.willing == pytest.approx(willing)
    with pytest.raises(ValueError, match="found 2 settings, expected one agency"):
        unmotivated_or_demotivated(Agency(control=[0, 1]))


# ---------------------------------------------------------------- two tasks, one of them rewarded


@settings(plainly, max_examples=40)
@given(anywhere(TwoTasks))
def test_no_other_efforts_are_worth_more_to_the_person(job):
    def worth(monitored, unmonitored):
        gain = (job.mission + job.bonus * job.monitorability) * monitored + job.mission * unmonitored
        return gain - (monitored**2 + unmonitored**2) / 2 - job.rivalry * monitored * unmonitored

    found = share_effort(job)
    grid = np.linspace(0, 8, 161)
    assert worth(found.monitored, found.unmonitored) >= worth(grid[:, None], grid[None, :]).max() - 1e-9
    assert found.monitored >= 0 and found.unmonitored >= 0
    assert found.value == pytest.approx((1 - job.unmonitored_value) * found.monitored + job.unmonitored_value * found.unmonitored)


@plainly
@given(anywhere(TwoTasks), st.floats(0, 3))
def test_a_reward_on_the_monitored_task_never_raises_effort_on_the_other(job, more):
    before, after = share_effort(job), share_effort(other(job, bonus=max(more, job.bonus)))
    assert after.monitored >= before.monitored - 1e-12
    assert after.unmonitored <= before.unmonitored + 1e-12


def test_a_reward_on_the_monitored_task_lowers_effort_on_the_other():
    none, some = share_effort(near(TwoTasks, bonus=0)), share_effort(near(TwoTasks))
    assert (some.monitored > none.monitored + 0.2).all()
    assert (some.unmonitored < none.unmonitored - 0.1).all()


@plainly
@given(anywhere(TwoTasks, rivalry=0), st.floats(0, 3))
def test_tasks_that_do_not_touch_are_left_alone_and_a_bonus_nobody_sees_does_nothing(job, bonus):
    assert share_effort(other(job, bonus=bonus)).unmonitored == pytest.approx(job.mission)
    unseen = share_effort(other(job, bonus=bonus, monitorability=0, rivalry=0.5))
    assert unseen.monitored == pytest.approx(unseen.unmonitored)


def test_where_the_other_task_counts_for_most_no_bonus_is_best():
    bonuses = np.linspace(0, 1, 11)
    assert share_effort(TwoTasks(bonus=bonuses, unmonitored_value=0.8)).value.argmax() == 0
    assert share_effort(TwoTasks(bonus=bonuses, unmonitored_value=0.3)).value.argmax() == 10


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("length", [0, -3, 1.5, "12", True])
def test_a_silly_length_of_time(length):
    with pytest.raises(ValueError, match="months: found .*, expected a whole number from 1 to 1200"):
        internalise(Duty(), length)
    with pytest.raises(ValueError, match="years: found .*, expected a whole number from 1 to 10000"):
        sustain(Belief(), length)
