"""Six small mechanisms, each a checked set of plain numbers, a function, and its answer.

    answer_to(Reward(salience=0.9, tone=-1))      a reward, and the kinds of motivation       (cognitive evaluation)
    internalise(Duty(rationale=0.8), months=24)   a duty becomes one's own                    (internalisation)
    sustain(Belief(strength=0.9, dissent=0.1))    strong belief in a changing world           (sustaining features)
    serve(Caseload(burden=1.5))                   willing staff against administrative burden
    judge_or_follow(Rules(control=0.9))           rule-following as an answer to management
    share_effort(TwoTasks(bonus=1))               two tasks, one of them rewarded             (multitasking)

Any parameter may be a row of values: the answers then have an entry for each.
Where no source is named the form is the course's own, and so is every number that does not name its source.
What is left out: how the mechanisms act on each other, and everything that differs between people.
"""

from dataclasses import dataclass, replace

import numpy as np

from .leaving import logistic
from .parameters import Checked, parameter
from .workforce import RUNGS, SUPPORT, Agency, mixture

Figures = float | np.ndarray


def one_for_each(model, *figures):
    """Each figure as a number, or as a row with an entry for each setting."""
    if model.settings is None:
        return [float(figure) for figure in figures]
    return [np.broadcast_to(figure, model.settings) for figure in figures]


def log_odds_per_sd(default, meaning, reason):
    return parameter(default, 0, 5, "log odds per SD", meaning, reason)


# ---------------------------------------------------------------- a reward, and the kinds of motivation


@dataclass(frozen=True, eq=False)
class Reward(Checked):
    """A reward, or any other outside event at work, as it is felt."""

    salience: float = parameter(0.5, 0, 1, "share", "how much it is on people's minds",
            "the middle")
    tone: float = parameter(0.0, -1, 1, "scale", "-1: felt as controlling; +1: felt as informing about one's competence",
            "neither")
    interest: float = parameter(0.7, 0, 1, "share", "how interesting the work was in itself",
            "most professional work; none can be spoilt where there was none")
    spoiling: float = parameter(0.40, 0, 2, "SD", "intrinsic motivation lost to a wholly salient, controlling event",
            "free choice, in a review of 128 studies: d = -0.40 for rewards for taking part (Deci, Koestner and Ryan 1999); disputed (Cameron and Pierce 1994)")
    boosting: float = parameter(0.33, 0, 2, "SD", "intrinsic motivation gained from a wholly salient, informing one",
            "the same review: d = +0.33 for positive feedback")
    pull: float = parameter(0.5, 0, 2, "SD", "external motivation that a wholly salient reward adds while it lasts",
            "a little more than it can spoil: rewards do move people while they last")
    pressure: float = parameter(0.2, 0, 2, "SD", "introjected motivation that a wholly controlling one adds while it lasts",
            "less than the pull: not everyone feels judged")


@dataclass(frozen=True, eq=False)
class KindsOfMotivation:
    """Changes against the time before the reward, in standard deviations."""

    external: Figures       # while the reward lasts
    introjected: Figures    # while it lasts
    identified: Figures     # does not move
    intrinsic: Figures      # while it lasts and after
    during: Figures         # all kinds together while it lasts
    after: Figures          # all kinds together when it has been taken away


def answer_to(reward: Reward) -> KindsOfMotivation:
    """Cognitive evaluation: what a reward does to each kind of motivation, while it lasts and when it has gone.

        felt control     = salience x (1 - tone) / 2
        felt information = salience x (1 + tone) / 2
        intrinsic        = interest x (boosting x felt information - spoiling x felt control)
        external         = pull x salience
        introjected      = pressure x felt control

    During: the sum. After: the intrinsic change alone.
    Source: that a controlling event lowers and an informing one raises intrinsic motivation is cognitive evaluation theory
    (Deci, Koestner and Ryan 1999; Ryan and Deci 2000). The equations, what they say of the other kinds, that identified
    motivation stays, and that the intrinsic change outlasts the reward in full are the course's own simplifications. The two
    published sizes come from experiments on short tasks, children among them, and their size is disputed.
    """
    felt_control = reward.salience * (1 - reward.tone) / 2
    felt_information = reward.salience * (1 + reward.tone) / 2
    intrinsic = reward.interest * (reward.boosting * felt_information - reward.spoiling * felt_control)
    external = reward.pull * reward.salience
    introjected = reward.pressure * felt_control
    return KindsOfMotivation(*one_for_each(reward, external, introjected, 0.0, intrinsic, external + introjected + intrinsic, intrinsic))


# ---------------------------------------------------------------- internalisation


@dataclass(frozen=True, eq=False)
class Duty(Checked):
    """Work that is not interesting in itself, and how it is asked for."""

    rationale: float = parameter(0.5, 0, 1, "share", "how well people are told why it matters",
            "the middle")
    choice: float = parameter(0.5, 0, 1, "share", "choice in how and when to do it",
            "the middle")
    competence: float = parameter(0.5, 0, 1, "share", "help to do it well, without reprimand",
            "the middle")
    external_at_first: float = parameter(0.8, 0, 1, "share", "reasons that are external at the start; the rest are introjected",
            "a duty that most do because they must")
    pace: float = parameter(0.3, 0, 0.8, "share a month", "reasons that move a stage in a month with full support for it",
            "most of the way within seven months, the time of the opening case")
    slipping: float = parameter(0.1, 0, 0.2, "share a month", "reasons that fall back to external in a month without any support",
            "slower than the pace: what has been taken in fades slowly")


@dataclass(frozen=True, eq=False)
class Internalised:
    """Shares of the reasons for doing it; they sum to 1. Shape (months + 1,), or (settings, months + 1)."""

    month: np.ndarray
    external: np.ndarray
    introjected: np.ndarray
    identified: np.ndarray


def internalise(duty: Duty, months: int = 24) -> Internalised:
    """How a duty becomes one's own: from external through introjected to identified reasons, month by month.

        external to introjected   = pace x (rationale + competence) / 2
        introjected to identified = pace x choice x (rationale + competence) / 2
        either back to external   = slipping x (1 - (rationale + choice + competence) / 3)

    A reason and a skill take the duty in; only with choice does it become one's own: without it people are left with "I should".
    Intrinsic motivation does not appear: internalising a dull task does not make it fun.
    Source: the kinds are from Ryan and Deci (2000) and Gagne and Deci (2005); that people pass through them in turn, the equations and the rates are the course's own.
    """
    if isinstance(months, bool) or not isinstance(months, (int, np.integer)) or not 1 <= months <= 1200:
        raise ValueError("months: found %r, expected a whole number from 1 to 1200" % (months,))
    taken_in = duty.pace * (duty.rationale + duty.competence) / 2
    made_own = taken_in * duty.choice
    back = duty.slipping * (1 - (duty.rationale + duty.choice + duty.competence) / 3)
    shares = np.empty((3, months + 1, duty.settings or 1))
    shares[0, 0], shares[1, 0], shares[2, 0] = duty.external_at_first, 1 - np.asarray(duty.external_at_first), 0
    for month in range(months):
        external, introjected, identified = shares[:, month]
        shares[:, month + 1] = (
            external - taken_in * external + back * (introjected + identified),
            introjected + taken_in * external - (made_own + back) * introjected,
            identified + made_own * introjected - back * identified,
        )
    return Internalised(np.arange(months + 1), *(each[:, 0] if duty.settings is None else each.T for each in shares))


# ---------------------------------------------------------------- sustaining features


@dataclass(frozen=True, eq=False)
class Belief(Checked):
    """A belief system, its sustaining features, and a world that starts to change."""

    strength: float = parameter(0.8, 0, 1, "share", "strength of belief in the mission as it is understood",
            "an agency with mystique")
    dissent: float = parameter(0.5, 0, 1, "share", "how far contestation and opposition are heard",
            "the middle")
    autonomy: float = parameter(0.5, 0, 1, "share", "policy autonomy; its bounds are what is missing to 1",
            "the middle: qualified autonomy")
    learning: float = parameter(0.5, 0, 1, "share", "how much is done to learn and renew",
            "the middle")
    change_starts: float = parameter(10.0, 0, 200, "years", "quiet years before the world starts to change",
            "long enough to see the quiet state")
    change: float = parameter(0.1, 0, 1, "misfit a year", "how far the world moves away from the agency's ways each year",
            "ways that nobody renews are half useless ten years on")
    renewal: float = parameter(0.8, 0, 1, "share a year", "share of the misfit heard that full learning and autonomy remove in a year",
            "most of it: the slow parts are hearing it and being allowed to act")
    energy: float = parameter(0.6, 0, 1, "share", "share of results that depends on belief",
            "more than half, or mystique would not be worth having")
    zeal: float = parameter(0.4, 0, 1, "share", "results lost to overreach by full belief with full autonomy and no dissent",
            "less than energy: zeal harms, but zealots work hard")
    turning_away: float = parameter(0.0, 0, 1, "share", "of those whom its ways do not fit, how many a wholly deaf, unbounded agency turns away",
            "off: exclusion is switched on where it is the subject")
    unpaid: float = parameter(0.0, 0, 1, "ratio", "hours that staff who cannot say no give for nothing, over paid hours",
            "off: unpaid hours are switched on where they are the subject")
    capture: float = parameter(0.0, 0, 0.5, "share a year", "of what is still everybody's in the mission, how much one side takes from a wholly deaf, unbounded agency",
            "off: politicisation is switched on where it is the subject")
    tiring: float = parameter(0.15, 0, 0.5, "share a year", "of belief's energy that is left, how much as many unpaid as paid hours use up",
            "an hour or two a day is hardly felt in the first years")
    recovery: float = parameter(0.1, 0, 0.5, "share a year", "of weariness, and of what one side owns, how much full learning mends",
            "slow: both grow for years before anyone counts them")
    stakes: float = parameter(0.5, 0, 1, "share", "how far a majority lifts an agency that is wholly its own towards the best, or cuts one that is its opponents'",
            "half: services go on under either, with or without favour")
    term: float = parameter(12.0, 1, 200, "years", "how long each majority lasts; the first is the side that takes the mission",
            "three elections or so: long enough to forget that majorities change")


@dataclass(frozen=True, eq=False)
class Sustained:
    """Shape (years + 1,), or (settings, years + 1)."""

    year: np.ndarray
    misfit: np.ndarray         # distance between what the agency does and what the world needs; 0 is a perfect fit
    results: np.ndarray        # for all in need: share of the best that can be had in paid hours
    record: np.ndarray         # the same for those only whom the agency did not turn away: its own figures
    turned_away: np.ndarray    # share of those in need
    weariness: np.ndarray      # share of belief's energy that is used up
    owned: np.ndarray          # share of the mission that belongs to one side


def unfit(misfit):
    """The share of those in need whom the agency's ways do not fit."""
    return misfit**2 / (1 + misfit**2)


def a_year_later(share, filling, draining):
    """A share, after its free part has filled and what was there has drained, each at its yearly rate."""
    return share + filling * (1 - share) - draining * share


def sustain(belief: Belief, years: int = 40) -> Sustained:
    """What becomes of a believing agency when the world changes, and what its features keep from it.

        deaf             = strength x (1 - dissent)
        heard            = misfit x (1 - deaf) x (1 - turned away)
        misfit next year = misfit + change (once it has started) - renewal x learning x autonomy x heard
        drive            = 1 - energy + energy x strength x (1 - weariness)
        results          = (1 + unpaid x deaf) x drive / (1 + misfit^2) - zeal x deaf x autonomy^2

    Strong belief without dissent does not hear that it no longer fits. Autonomy lets the agency act on what it hears; without
    bounds, and with nobody to object, it also lets zeal run over. Three more dangers are off until they are switched on:

        Exclusion:       turned away = turning_away x deaf x autonomy x (share whom its ways do not fit: misfit^2 / (1 + misfit^2))
                         record      = results, with fit among those not turned away: 1 / (1 + misfit^2) / (1 - turned away)
        Burnout:         weariness next year = weariness + tiring x unpaid x deaf x (1 - weariness) - recovery x learning x weariness
        Politicisation:  owned next year     = owned + capture x deaf x autonomy x (1 - owned) - recovery x learning x owned
                         drive + stakes x owned x (1 - drive) while its own side rules, drive x (1 - stakes x owned) under the other

    Whom it turned away the agency does not hear, and its record does not count. A "no" that is heard keeps hours from being given for
    nothing; learning counts the load and lets people rest. Bounds leave less to take: law says who is entitled, and the mission is
    everybody's. An honest record, learning again, is of use to both sides.
    Source: the equations are the course's own. The three features are Goodsell's (2011) third column: beliefs open to contestation,
    qualified policy autonomy, ongoing learning. That matching to a mission can entrench conservatism is Besley and Ghatak (2005).
    That a believing agency is open to the three dangers, what stops them and every size are the course's own.
    """
    if isinstance(years, bool) or not isinstance(years, (int, np.integer)) or not 1 <= years <= 10_000:
        raise ValueError("years: found %r, expected a whole number from 1 to 10000" % (years,))
    b = belief
    deaf = b.strength * (1 - b.dissent)
    hours = b.unpaid * deaf
    turns_away = b.turning_away * deaf * b.autonomy
    misfit, weariness, owned = np.zeros((3, years + 1, b.settings or 1))
    for year in range(years):
        moved = b.change * (np.asarray(b.change_starts) <= year)
        hears = (1 - deaf) * (1 - turns_away * unfit(misfit[year]))
        misfit[year + 1] = misfit[year] + moved - b.renewal * b.learning * b.autonomy * hears * misfit[year]
        weariness[year + 1] = a_year_later(weariness[year], b.tiring * hours, b.recovery * b.learning)
        owned[year + 1] = a_year_later(owned[year], b.capture * deaf * b.autonomy, b.recovery * b.learning)
    turned_away = turns_away * unfit(misfit)  # below 1, since some are always fitted
    drive = 1 - b.energy + b.energy * b.strength * (1 - weariness)
    others_rule = np.arange(years + 1)[:, None] // b.term % 2 == 1
    backed = np.where(others_rule, drive * (1 - b.stakes * owned), drive + b.stakes * owned * (1 - drive))
    helped = (1 + hours) * backed / (1 + misfit**2)
    overreach = b.zeal * deaf * b.autonomy**2
    figures = misfit, helped - overreach, helped / (1 - turned_away) - overreach, turned_away, weariness, owned
    shown = (each[:, 0] if b.settings is None else each.T for each in figures)
    return Sustained(np.arange(years + 1), *shown)


# ---------------------------------------------------------------- administrative burden


@dataclass(frozen=True, eq=False)
class Caseload(Checked):
    """What one member of staff is asked to do, and with what."""

    motivation: float = parameter(0.0, -3, 3, "SD", "mission motivation",
            "average")
    steepness: float = log_odds_per_sd(2.0, "how sharply the will to serve depends on motivation", "as in Agency")
    load: float = parameter(1.0, 0.1, 5, "ratio", "clients assigned, over those that one could serve if nothing but serving took time",
            "feasible on paper")
    burden: float = parameter(0.5, 0, 5, "hours per hour", "forms, registers and apps for each hour of service",
            "a third of working time")
    trust: float = parameter(0.7, 0, 1, "share", "how far those served trust the agency",
            "more than half")
    distrust_multiplies: float = parameter(1.0, 0, 3, "ratio", "by how much full distrust adds to the burden",
            "doubles it: each step is explained, doubted, done twice")
    capacity: float = parameter(0.9, 0.1, 1, "share", "working time left by transport, tools and facilities that fail",
            "one hour in ten is lost")


@dataclass(frozen=True, eq=False)
class Served:
    """Shares of the clients assigned."""

    willing: Figures     # would be served if there were time
    feasible: Figures    # can be served in the time there is; at most 1
    served: Figures
    defeated: Figures    # willing minus served: defeated by burden, not by lack of will


def serve(caseload: Caseload) -> Served:
    """How many clients are served: as many as staff want to serve, or as many as the burden allows, whichever is less.

        willing  = logistic(steepness x motivation)
        feasible = capacity / (load x (1 + burden x (1 + distrust_multiplies x (1 - trust)))), at most 1
        served   = the smaller of the two

    Where burden binds, more motivation changes nothing. Source: the equations are the course's own. That distrust and low capacity
    multiply burdens in an immunisation programme is Ali and Altaf (2021), who measure the citizens' burdens; staff's own is the
    reading of Honig (post). The kinds of burden are in Moynihan, Herd and Harvey (2015).
    """
    c = caseload
    willing = logistic(c.steepness * c.motivation)
    time_for_each = c.load * (1 + c.burden * (1 + c.distrust_multiplies * (1 - c.trust)))
    feasible = np.minimum(c.capacity / time_for_each, 1)
    served = np.minimum(willing, feasible)
    return Served(*one_for_each(c, willing, feasible, served, willing - served))


# ---------------------------------------------------------------- unmotivated or demotivated


@dataclass(frozen=True, eq=False)
class Rules(Checked):
    """One person with a case that the rules do not fit, under some management."""

    motivation: float = parameter(0.0, -3, 3, "SD", "mission motivation",
            "average")
    autonomy: float = parameter(0.5, 0, 1, "share", "room given to act on one's own judgement",
            "the middle")
    control: float = parameter(0.5, 0, 1, "share", "share of the work that management tries to watch and prescribe",
            "the middle")
    steepness: float = log_odds_per_sd(2.0, "how sharply the use of judgement depends on motivation", "as in Agency")
    room: float = parameter(2.0, 0, 6, "log odds", "what full freedom adds to the odds of using judgement",
            "as much as one standard deviation of motivation")
    blame: float = parameter(3.0, 0, 6, "log odds", "what full control takes from them: whoever departs from the rule is blamed",
            "more than room: blame is surer than praise")


def judge_or_follow(rules: Rules) -> Figures:
    """The chance that a person uses judgement for a client whom the rules do not fit; else the rule is followed to the letter.

        log odds = steepness x motivation + room x autonomy x (1 - control) - blame x control

    Source: the equation is the course's own; that concern with procedure is often induced by management is Honig's (post) claim.
    """
    r = rules
    return one_for_each(r, logistic(r.steepness * r.motivation + r.room * r.autonomy * (1 - r.control) - r.blame * r.control))[0]


@dataclass(frozen=True)
class Shirkers:
    """Shares of a workforce; they sum to 1. Who does not use judgement looks like a shirker."""

    willing: float        # use judgement as they are managed now
    demotivated: float    # do not, but would under the other management
    unmotivated: float    # would not under either


def unmotivated_or_demotivated(agency: Agency, other: dict | None = None) -> Shirkers:
    """Of the people who look like shirkers under an agency's management, how many would act under another one?

    The same people, at the start, under both: the agency's autonomy and control, and those of `other` (SUPPORT if not given).
    Shares are means of judge_or_follow over the workforce; whoever acts under the less inviting management acts under both.
    Source: the question is Honig's (post): unmotivated, or demotivated? The reckoning is the course's own.
    """
    if agency.settings is not None:
        raise ValueError("unmotivated_or_demotivated: found %d settings, expected one agency" % agency.settings)
    people = mixture(agency, agency.motivated_share)[:, 0]
    managed = agency, replace(agency, **(SUPPORT if other is None else other))
    now, then = (judge_or_follow(Rules(RUNGS, each.autonomy, each.control, agency.steepness)) for each in managed)
    willing, demotivated = people @ now, people @ np.maximum(then - now, 0)
    return Shirkers(float(willing), float(demotivated), float(1 - willing - demotivated))


# ---------------------------------------------------------------- two tasks, one of them rewarded


@dataclass(frozen=True, eq=False)
class TwoTasks(Checked):
    """A job with a task that can be monitored and rewarded, and one that cannot."""

    bonus: float = parameter(0.5, 0, 3, "worth per unit", "reward for a unit of the monitored task that is seen",
            "half of what the mission is worth to staff")
    monitorability: float = parameter(0.9, 0, 1, "share", "share of the effort on the monitored task that is seen",
            "nearly all: it was chosen because it can be counted")
    mission: float = parameter(1.0, 0, 3, "worth per unit", "what a unit of either task is worth to the person, unpaid",
            "the unit in which worth is measured")
    rivalry: float = parameter(0.5, 0, 0.9, "share", "how much effort on one task makes the other harder",
            "half-way between tasks that do not touch and tasks that replace each other")
    unmonitored_value: float = parameter(0.5, 0, 1, "share", "weight of the unmonitored task in what citizens get",
            "as much as the other")


@dataclass(frozen=True, eq=False)
class Effort:
    monitored: Figures
    unmonitored: Figures
    value: Figures    # to citizens


def share_effort(job: TwoTasks) -> Effort:
    """The efforts that a person chooses on a rewarded and an unrewarded task, and what citizens get.

    The person weighs worth against toil: (mission + bonus x monitorability) x monitored + mission x unmonitored
    - (monitored^2 + unmonitored^2) / 2 - rivalry x monitored x unmonitored, and neither effort is below 0. At the best choice

        monitored   = (worth of it - rivalry x worth of the other) / (1 - rivalry^2)    and the same the other way round,

    unless that leaves the unmonitored task below 0: then it is 0 and monitored = its worth.
    value = (1 - unmonitored_value) x monitored + unmonitored_value x unmonitored.
    Source: Holmstrom and Milgrom (1991) for the claim that rewarding the measurable task pulls effort from the other when efforts
    are substitutes, so that no bonus may be best. The quadratic toil is the usual textbook simplification; risk, which
    their model has, the cost of the bonus, and crowding out are left out; numbers and `mission` are the course's own.
    """
    worth = job.mission + job.bonus * job.monitorability
    other = job.mission
    unmonitored = np.maximum(other - job.rivalry * worth, 0) / (1 - job.rivalry**2)
    monitored = worth - job.rivalry * unmonitored  # the best answer to the other effort, in both cases
    value = (1 - job.unmonitored_value) * monitored + job.unmonitored_value * unmonitored
    return Effort(*one_for_each(job, monitored, unmonitored, value))
