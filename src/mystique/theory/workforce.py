"""A workforce, its management, and what becomes of both year by year.

    ahead = look_ahead(Agency(control=0.8), years=40)     one agency
    ahead = sweep(Agency(), control=np.linspace(0, 1))    many settings at once

Mission motivation is a ladder of 25 rungs, in standard deviations of a mixed public workforce: 0 is its average.
The model keeps the number of people on each rung, not single persons: nothing is random, nobody is lost.
What it leaves out: pay, promotion, politics, ability, differences between teams, and managers as people.

Performance is in shares of the best that one person can do: 1 is that best, 0 is no good and no harm.
Every equation says its source. Where none is named the form is the course's own, and so is every number:
they are chosen to be plain and to show what the sources describe in words, and are estimated from nothing.
"""

from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from .leaving import BY_BOTH, BY_MOTIVATION, BY_SUPPORT, CONSTANT, chance_of_leaving, logistic
from .parameters import Checked, parameter

RUNGS = np.linspace(-3, 3, 25)                   # a rung is 0.25 high; beyond the ends would be 3 in 1,000 of a bell curve
LADDER = RUNGS[:, None]
ABOVE = (RUNGS > 0) + (RUNGS == 0) / 2           # who counts as motivated: those above average, and half of the average
RUNGS.flags.writeable = LADDER.flags.writeable = ABOVE.flags.writeable = False
LONG_RUN = 300                                   # years; nothing near the defaults still moves then, unless it sits on a tipping point


@dataclass(frozen=True, eq=False)
class Agency(Checked):
    """One agency's management, task, people and surroundings; or many, where a parameter is a row of values."""

    # Management
    autonomy: float = parameter(0.65, 0, 1, "share", "room that staff are given to act on their own judgement",
            "a little above the middle, where the start decides: otherwise at the defaults, every agency sinks at .45 and rises at .75")
    competence: float = parameter(0.65, 0, 1, "share", "help to become and to feel able: training, feedback, tools",
            "as autonomy")
    purpose: float = parameter(0.65, 0, 1, "share", "effort to let staff see what their work leads to",
            "as autonomy")
    control: float = parameter(0.3, 0, 1, "share", "share of the work that management tries to watch and prescribe",
            "below the middle: some control is universal")
    tightening: float = parameter(0.0, 0, 1, "share", "share of the remaining freedom that managers take away when reputation is nil",
            "0: policy stays as it was set, until you switch this on")
    # The task
    monitorability: float = parameter(0.5, 0, 1, "share", "share of the work in which a watcher can tell good from bad",
            "the middle: much public work shows its outputs or its outcomes, not both (Wilson 1989)")
    standard: float = parameter(0.55, 0, 1, "share of the best", "what watched and prescribed work delivers, whoever does it",
            "just over half: rules bring a decent average and no more")
    # The people
    posts: float = parameter(100.0, 1, 100_000, "people", "number of posts; each is always filled",
            "so that numbers of people read as per cent")
    motivated_share: float = parameter(0.5, 0, 1, "share", "share of motivated people in the first year's workforce",
            "the middle")
    distance: float = parameter(0.9, 0, 2, "SD", "how far the motivated stand above the average, and the others below",
            "with spread, gives a half-and-half workforce a standard deviation of 1")
    spread: float = parameter(0.45, 0.1, 1.5, "SD", "standard deviation within the motivated and within the others",
            "see distance: 0.9 squared + 0.45 squared is about 1")
    # Treatment
    felt_range: float = parameter(3.0, 0, 8, "SD", "felt support when all needs are met, minus when none is",
            "at most 1.8 SD above, and 1.7 below, the average workplace: few workplaces are further out")
    usual_needs: float = parameter(0.4, 0, 1, "share", "needs met in the average workplace, where felt support is 0",
            "what the middle of the three practices and a control of .3 meet")
    crowding: float = parameter(0.5, 0, 2, "SD", "felt support lost under full control beyond the autonomy that it takes",
            "small beside felt_range: most of control's harm is lost autonomy")
    seeing_results: float = parameter(0.5, 0, 1, "share", "how far promoting purpose needs results that can be shown",
            "half: contact with those served works even before results")
    mobility: float = parameter(0.8, 0, 0.95, "share a year", "share of people whose motivation moves a rung, up or down, in a year",
            "most people, so that treatment shows within a few years")
    treatment: float = parameter(1.0, 0, 3, "log odds per SD", "how much felt support tilts the moves upward",
            "at 1 SD of felt support nearly three moves in four go up")
    return_pull: float = parameter(0.2, 0.05, 2, "log odds per SD", "how much a person far from the average tends back to it",
            "weak beside treatment: what people have become they largely stay")
    # Performance
    steepness: float = parameter(2.0, 0, 4, "log odds per SD", "how sharply good and harm depend on motivation",
            "from 0.9 SD below to 0.9 above, the two groups, the good done goes from a seventh to six sevenths")
    damage: float = parameter(0.4, 0, 2, "share of the best", "harm that the worst person does when nobody watches",
            "less than half of the good that the best do: most bad service is neglect")
    harm_below: float = parameter(-1.0, -3, 0, "SD", "motivation at which half of that harm is done",
            "four in ten of the unmotivated lie below it")
    hindrance: float = parameter(0.5, 0, 1, "share", "share of the good that is lost when nobody may use judgement",
            "half: some good needs no judgement")
    unskilled_loss: float = parameter(0.2, 0, 1, "share", "share of the good that is lost without any help to be able",
            "less than hindrance: people bring skills with them")
    # Costs
    watching_cost: float = parameter(0.10, 0, 1, "share of the best", "cost of trying to watch all the work of one person",
            "one supervisor, inspector or clerk for ten people")
    support_cost: float = parameter(0.05, 0, 1, "share of the best", "cost of full support for one person",
            "half of watching; set them equal to see that little depends on it")
    # Selection: who leaves
    leave_constant: float = parameter(CONSTANT, -5, 2, "log odds", "log odds of leaving for an average person with average support",
            "one in four wants to leave or leaves in a year; see chance_of_leaving")
    leave_by_support: float = parameter(BY_SUPPORT, -2, 0, "log odds per SD", "what support adds to them",
            "see chance_of_leaving")
    leave_by_motivation: float = parameter(BY_MOTIVATION, -1, 1, "log odds per SD", "what motivation adds to them",
            "see chance_of_leaving")
    leave_by_both: float = parameter(BY_BOTH, -1, 0, "log odds per SD of each", "what support adds for each SD of motivation",
            "see chance_of_leaving")
    # Selection: who comes
    worst_entry: float = parameter(0.1, 0, 1, "share", "motivated people among those who join an agency without reputation",
            "one in ten comes all the same, for the task or the place")
    best_entry: float = parameter(0.9, 0, 1, "share", "motivated people among those who join an agency of the best reputation",
            "as far above the middle as worst_entry is below")
    expected: float = parameter(0.3, -0.5, 1, "share of the best", "performance that earns a middling reputation",
            "about what a half-and-half workforce does with the other defaults")
    sharpness: float = parameter(20.0, 1, 40, "log odds per share of the best", "how sharply reputation answers to performance",
            "a performance 0.1 above what is expected brings a reputation of .88: people judge against the usual")
    memory: float = parameter(0.7, 0, 0.99, "share", "share of last year's reputation that lasts",
            "half is forgotten in two years")

    def __post_init__(self):
        super().__post_init__()
        if np.any(np.asarray(self.worst_entry) > self.best_entry):
            raise ValueError(
                "Agency.worst_entry: found %s, expected at most best_entry, which is %s: a better reputation never draws fewer of the motivated"
                % (self.worst_entry, self.best_entry))


@dataclass(frozen=True, eq=False)
class Ahead:
    """What the years bring. Arrays of one agency have the shape (years + 1,), of a sweep (settings, years + 1)."""

    year: np.ndarray              # 0, 1, ... years
    mean_motivation: np.ndarray   # standard deviations
    motivated_share: np.ndarray   # share of people above average (half of those who are just average); .98 if all start motivated
    control: np.ndarray           # share; differs from the policy only if managers tighten
    felt_support: np.ndarray      # standard deviations
    performance: np.ndarray       # share of the best, per person
    cost: np.ndarray              # the same unit
    net: np.ndarray               # performance minus cost
    reputation: np.ndarray        # share
    leaving: np.ndarray           # share of people who leave after this year
    # On each rung; left out of a sweep, where they would be most of the work. Shape (years + 1, rungs) and (years, rungs).
    motivation: np.ndarray        # the rungs, in standard deviations
    people: np.ndarray | None = None    # head-counts
    leavers: np.ndarray | None = None   # head-counts, between this year and the next
    joiners: np.ndarray | None = None

    @property
    def mean_net(self):
        """Net performance, the mean of all years shown."""
        return self.net.mean(axis=-1)


def supportive(level):
    """The three practices at one level: `Agency(**supportive(0.8), control=0.1)`.

    Honig (post): allow autonomy, cultivate competence, promote purpose. That they may be set alike is the course's own.
    """
    return {"autonomy": level, "competence": level, "purpose": level}


# ---------------------------------------------------------------- one year, equation by equation
# Shapes: what each rung has is (rungs, settings); what a whole agency has is (settings,), or a number.
# `a` is the agency: its parameters are numbers or rows of numbers.


def mixture(a, share):
    """People of whom a share is motivated, as shares of people on each rung; they sum to 1.

    Two bell curves of the same spread, one above and one below the average. Source: the course's own; that people
    begin with different commitment is in Honig's account (post).
    """
    def bell(centre):
        height = np.exp(-((LADDER - centre) / a.spread) ** 2 / 2)
        return height / height.sum(0)

    return share * bell(a.distance) + (1 - share) * bell(-a.distance)


def control_in_force(a, reputation):
    """control + tightening x (1 - control) x (1 - reputation): managers of a badly reputed agency tighten.

    Source: the course's own, after Honig (post): tight control often looks the right answer to staff without devotion.
    """
    return a.control + a.tightening * (1 - a.control) * (1 - reputation)


def freedom(a, control):
    """autonomy x (1 - control): watching and prescribing take back the room that was given.

    Source: the course's own; that control thwarts the need for autonomy is Ryan and Deci (2000).
    """
    return a.autonomy * (1 - control)


def felt_support(a, control, reputation):
    """felt_range x (mean of the three needs met - usual_needs) - crowding x control, in standard deviations.

    The three: freedom; competence; purpose x (1 - seeing_results x (1 - reputation)), since purpose is felt when there
    are results to see. Source: the course's own. The three practices are Honig's (post), also that free action and visible
    impact strengthen each other; that needs met or thwarted carry motivation is Ryan and Deci (2000); that control can
    crowd motivation out, Frey and Jegen (2001), who also report crowding in (see Reward.tone).
    """
    felt_purpose = a.purpose * (1 - a.seeing_results * (1 - reputation))
    needs_met = (freedom(a, control) + a.competence + felt_purpose) / 3
    return a.felt_range * (needs_met - a.usual_needs) - a.crowding * control


def good_and_harm(a):
    """What people on each rung would do of their own will: the good, and the harm, both without any hindrance.

    good = logistic(steepness x motivation); harm = damage x logistic(-steepness x (motivation - harm_below)).
    Source: the course's own.
    """
    return logistic(a.steepness * LADDER), a.damage * logistic(-a.steepness * (LADDER - a.harm_below))


def own_work(a, control, good, harm):
    """What people do when nobody sees it: room x skill x good - harm.

    room = 1 - hindrance x (1 - freedom); skill = 1 - unskilled_loss x (1 - competence).
    Source: the course's own. That judgement pays where work is hard to prescribe is Honig (2018).
    """
    room = 1 - a.hindrance * (1 - freedom(a, control))
    skill = 1 - a.unskilled_loss * (1 - a.competence)
    return room * skill * good - harm


def seen(a, control):
    """control x monitorability: the share of the work in which watching really sees, and prescribing really binds.

    Source: the course's own; that some public work shows neither outputs nor outcomes is Wilson (1989).
    """
    return control * a.monitorability


def performance_of(a, control, good, harm):
    """seen x standard + (1 - seen) x own work.

    Where work is seen everyone delivers the standard, no less and no more: the floor rises and the ceiling falls.
    Where it is not, control still takes freedom away. Source: the form is the course's own; the claim is Honig's (post):
    tight controls limit the damage of the worst at the expense of the good that others would do.
    It is linear in good and harm: given the means of a workforce, it answers the mean performance.
    """
    return seen(a, control) * a.standard + (1 - seen(a, control)) * own_work(a, control, good, harm)


def cost_of_management(a, control):
    """watching_cost x control + support_cost x mean of the three practices.

    Trying to watch costs the same whether or not one sees: what is really seen costs watching_cost / monitorability.
    Source: the course's own; that monitoring is costly and at times impossible is Honig (post).
    """
    return a.watching_cost * control + a.support_cost * (a.autonomy + a.competence + a.purpose) / 3


def treated(a, people, felt):
    """People after a year of treatment: some have moved up a rung, some down.

    tilt = treatment x felt support - return_pull x motivation; up = mobility x logistic(tilt), down = mobility x logistic(-tilt),
    and nobody leaves the ladder at its ends. So motivation tends to treatment x felt support / return_pull.
    Source: the course's own; that support and motivation rise together within agencies is Honig (2021), an association.
    """
    moving = a.mobility * people
    up = moving * logistic(a.treatment * felt - a.return_pull * LADDER)
    down = moving - up
    after = people.copy()
    climbed = up[:-1] - down[1:]  # net, from each rung to the next one
    after[:-1] -= climbed
    after[1:] += climbed
    return after


def leaving_on_each_rung(a, felt):
    """The chance of leaving on each rung: see chance_of_leaving."""
    return chance_of_leaving(felt, LADDER, a.leave_constant, a.leave_by_support, a.leave_by_motivation, a.leave_by_both)


def motivated_among_joiners(a, reputation):
    """worst_entry + (best_entry - worst_entry) x reputation.

    Source: the course's own. That mission draws people who share it is Besley and Ghatak (2005) and Goodsell (2011), on
    admiration and talent from outside; Dal Bo, Finan and Rossi (2013) found that better pay need not put them off.
    """
    return a.worst_entry + (a.best_entry - a.worst_entry) * reputation


def reputation_earned(a, performance):
    """logistic(sharpness x (performance - expected)): a reputation that rests on achievement.

    Source: the course's own; Goodsell (2011) names a reputation based on achievement as a belief of strong agencies.
    """
    return logistic(a.sharpness * (performance - a.expected))


# ---------------------------------------------------------------- the years


def look_ahead(agency: Agency, years: int = 40) -> Ahead:
    """Follow one agency, or each of many, for some years under one policy.

    Each year: performance and cost; treatment moves people on the ladder; some leave; joiners fill every post; then
    reputation = memory x reputation + (1 - memory) x reputation earned this year. At first it is what year 0 earns.
    Raises ValueError if `years` is not a whole number from 1 to 10,000.
    """
    if isinstance(years, bool) or not isinstance(years, (int, np.integer)) or not 1 <= years <= 10_000:
        raise ValueError("years: found %r, expected a whole number from 1 to 10000" % (years,))
    alone, size = agency.settings is None, agency.settings or 1
    figures = {name: np.empty((years + 1, size)) for name in FIGURES}
    stocks = {name: np.empty((years + (name == "people"), len(RUNGS), size)) for name in STOCKS} if alone else {}
    for year, now in zip(range(years + 1), each_year(agency, size)):
        for name, values in (figures | stocks).items():
            if year < len(values):
                values[year] = now[name]
    settled = {name: values[..., 0] if alone else values.T for name, values in (figures | stocks).items()}
    return Ahead(year=np.arange(years + 1), motivation=RUNGS, net=settled["performance"] - settled["cost"], **settled)


FIGURES = "mean_motivation", "motivated_share", "control", "felt_support", "performance", "cost", "reputation", "leaving"
STOCKS = "people", "leavers", "joiners"


def each_year(a, size):
    """Year after year without end: what the agency is and does, and who goes and comes before the next year."""
    good, harm = good_and_harm(a)
    keen, others = mixture(a, 1.0), mixture(a, 0.0)
    people = np.broadcast_to(a.posts * mixture(a, a.motivated_share), (len(RUNGS), size))
    reputation = None
    while True:
        means = total(people * good) / a.posts, total(people * harm) / a.posts
        if reputation is None:
            reputation = reputation_earned(a, performance_of(a, a.control, *means))
        control = control_in_force(a, reputation)
        felt = felt_support(a, control, reputation)
        performance = performance_of(a, control, *means)
        after = treated(a, people, felt)
        leavers = after * leaving_on_each_rung(a, felt)
        vacancies = total(leavers)
        share = motivated_among_joiners(a, reputation)
        joiners = vacancies * (share * keen + (1 - share) * others)
        yield {
            "mean_motivation": RUNGS @ people / a.posts, "motivated_share": ABOVE @ people / a.posts,
            "control": control, "felt_support": felt, "performance": performance, "cost": cost_of_management(a, control),
            "reputation": reputation, "leaving": vacancies / a.posts, "people": people, "leavers": leavers, "joiners": joiners,
        }
        people = after - leavers + joiners
        reputation = a.memory * reputation + (1 - a.memory) * reputation_earned(a, performance)


def total(on_each_rung):
    """The sum over the rungs. A plain number if there is one setting: Python reckons with it faster than NumPy with a row of one."""
    return on_each_rung.sum(0) if on_each_rung.shape[1] > 1 else float(on_each_rung.sum())


def sweep(agency: Agency, years: int = 40, **values) -> Ahead:
    """The same for many settings at once: `sweep(Agency(), control=numpy.linspace(0, 1, 1000))`."""
    return look_ahead(replace(agency, **values), years)


# ---------------------------------------------------------------- what explorers and chapters ask


@dataclass(frozen=True, eq=False)
class OnEachRung:
    """One agency in its first year, for people of each motivation. Every array has the shape (rungs,)."""

    motivation: np.ndarray    # standard deviations
    people: np.ndarray        # head-counts
    performance: np.ndarray   # share of the best
    leaving: np.ndarray       # chance of leaving within the year

    @property
    def floor(self):
        """Performance of the worst."""
        return self.performance.min()

    @property
    def ceiling(self):
        """Performance of the best."""
        return self.performance.max()


def on_each_rung(agency: Agency) -> OnEachRung:
    """What the policy does to people of each motivation in the first year: floor and ceiling, and whom it drives out."""
    if agency.settings is not None:
        raise ValueError("on_each_rung: found %d settings, expected one agency; call it once for each" % agency.settings)
    now = next(each_year(agency, 1))
    performance = performance_of(agency, now["control"], *good_and_harm(agency))
    columns = now["people"], performance, leaving_on_each_rung(agency, now["felt_support"])
    return OnEachRung(RUNGS, *(column[:, 0] for column in columns))


SUPPORT = {**supportive(0.8), "control": 0.1}   # two policies, neither of them pure: some control here, some support there
CONTROL = {**supportive(0.2), "control": 0.9}


def support_minus_control(agency: Agency, years: int = 10) -> float | np.ndarray:
    """How much more net performance, on average over the years, the policy SUPPORT brings than CONTROL; below 0 control wins.

    A number, or one for each setting. The agency's own management is replaced by each of the two policies.
    """
    with_support, with_control = (sweep(agency, years, **policy).mean_net for policy in (SUPPORT, CONTROL))
    return with_support - with_control


@dataclass(frozen=True, eq=False)
class Equilibria:
    """Where an agency ends. Numbers, or arrays of the shape (settings,). Shares are of motivated people."""

    low: float | np.ndarray             # share in the long run, from a start with none motivated
    high: float | np.ndarray            # the same, from a start with all motivated
    two: bool | np.ndarray              # whether these are two equilibria; if not, low and high are the same one
    tipping_point: float | np.ndarray   # share at the start above which an agency ends high; nan if there are not two


APART = 0.05      # ends nearer together than this are one equilibrium that some starts have not quite reached
ROUNDS = 6        # each round quarters the stretch in which the tipping point lies: to within 1/4096


def equilibria(agency: Agency) -> Equilibria:
    """Find both equilibria of an agency, or of each of many, and the tipping point between their basins.

    Follows starts with none and all motivated for LONG_RUN years; then, round by round, three starts between the last that
    ends low and the first that ends high. The agency's own motivated_share is not used.
    Far from the defaults (sharp reputations that are soon forgotten) an agency may swing for ever; then the ends are those
    of year LONG_RUN.
    """
    settings = np.arange(agency.settings or 1)
    below, above = np.zeros(settings.size), np.ones(settings.size)
    low, high = long_run(agency, np.stack([below, above], -1)).T
    for _ in range(ROUNDS):
        starts = np.linspace(below, above, 5, axis=-1)
        ends_high = long_run(agency, starts[:, 1:-1]) > ((low + high) / 2)[:, None]
        last_low = (~ends_high).sum(-1)
        below, above = starts[settings, last_low], starts[settings, last_low + 1]
    two = high - low > APART
    found = low, high, two, np.where(two, (below + above) / 2, np.nan)
    return Equilibria(*(each if agency.settings is not None else each[0].item() for each in found))


def long_run(agency: Agency, starts) -> np.ndarray:
    """The motivated share in the long run from each start; `starts` and the answer have the shape (settings, starts)."""
    size = starts.shape[-1]
    repeated = {name: np.repeat(value, size) for name, value in vars(agency).items() if isinstance(value, np.ndarray)}
    many = replace(agency, **{**repeated, "motivated_share": starts.ravel()})
    last = next(islice(each_year(many, starts.size), LONG_RUN, None))
    return last["motivated_share"].reshape(starts.shape)


def leads_to(agency: Agency) -> str:
    """Where this agency's start leads: "high", "low", or "the only one" if all starts end in the same place."""
    if agency.settings is not None:
        raise ValueError("leads_to: found %d settings, expected one agency; equilibria takes many" % agency.settings)
    found = equilibria(agency)
    if not found.two:
        return "the only one"
    return "high" if agency.motivated_share > found.tipping_point else "low"
