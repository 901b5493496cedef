"""ps2: measuring needs. The case is drawn so that each known mistake gives another answer than a right one, and no answer
hinges on a figure that lies on the border."""

from itertools import combinations

import numpy as np
import pandas as pd

from .lots import first_telling, lot, no_case

DATASET = "needs"
TABLES = ("agencies", "items", "answers")

SCORED = ("autonomy", "relatedness")                    # not competence: the scale that the book itself scores
COMPARED = ("autonomy", "competence", "relatedness")    # the need whose table of agencies is given with the case
MOTIVES = ("external", "introjected", "identified", "intrinsic")
LEAST = 3                              # of four items; with two, half a scale would speak for the whole
RESPONSES = (40, 50, 60)               # percent of those asked; the agency with few answers is below, all others are above
CLEAR = 0.003                          # points that keep the end of an agency's interval off the mean of all, whatever the rounding
ROUNDED = 0.002                        # two figures closer than this could be the same to three decimals
SHOWS = 0.11                           # percent; two means further apart than this differ to one decimal
TOO_SIMILAR = 0.02                     # two correlations closer than this would look like one


def draw(tables, seed):
    """The case of ps2: an item to turn round, a need to score and one to compare agencies by, with its table."""
    rng = lot("ps2", seed)
    agencies, items, answers = tables["agencies"], tables["items"], tables["answers"]
    turned = _turn_round(items, answers)
    scores = pd.DataFrame({scale: _score(items, turned, scale) for scale in (*COMPARED, *MOTIVES)})
    least_pct = int(rng.choice(RESPONSES))

    reversed_items = list(items.loc[(items["reverse"] == 1) & (items["highest"] == 7), "item"])
    item = first_telling(rng, reversed_items, lambda name: answers[name].isna().sum() >= 2)
    pairs = [(need, compared) for need in SCORED if _alphas_are_telling(items, answers, turned, need) for compared in COMPARED if compared != need]
    telling = lambda pair: (_agencies_are_telling(_by_agency(agencies, answers, scores[pair[1]]), scores[pair[1]].mean(), least_pct)
                            and _ratings_are_telling(answers, scores[pair[1]], scores[pair[0]]))
    # Best a need for which somebody has no score, so that it shows who counts her.
    gaps = [pair for pair in pairs if scores[pair[0]].isna().any()]
    pair = first_telling(rng, gaps, telling) or first_telling(rng, pairs, telling)
    if not (item and pair and _gaps_are_telling(items, turned) and _motives_are_telling(answers, scores)):
        no_case("ps2", "item and needs")
    need, compared = pair
    table = _by_agency(agencies, answers, scores[compared])
    return {
        "turned_item": item,
        "need": need,
        "least_items": LEAST,
        "compared_need": compared,
        "least_response_pct": least_pct,
        "mean_of_all": round(float(scores[compared].mean()), 3),
        "table": table.round(3).to_dict("records"),
    }


def _turn_round(items, answers):
    """All items as numbers, the reversed ones turned round."""
    ticked = answers[list(items["item"])].astype(float)
    for row in items[items["reverse"] == 1].itertuples():
        ticked[row.item] = row.lowest + row.highest - ticked[row.item]
    return ticked


def _score(items, turned, scale):
    mine = turned[list(items.loc[items["subscale"] == scale, "item"])]
    return mine.mean(axis=1).where(mine.notna().sum(axis=1) >= LEAST)


def _by_agency(agencies, answers, score):
    """One row an agency: who was asked, who has a score, the mean, and two standard errors to either side of it."""
    found = score.groupby(answers["agency_id"]).agg(["count", "mean", "std"]).reindex(agencies["agency_id"]).reset_index()
    margin = 2 * found["std"] / np.sqrt(found["count"])
    return pd.DataFrame({
        "agency": agencies["agency"].astype(str), "asked": agencies["asked"].astype(int), "answered": found["count"].astype(int),
        "mean": found["mean"], "low": found["mean"] - margin, "high": found["mean"] + margin,
    })


def _agencies_are_telling(table, mean_of_all, least_pct):
    response = 100 * table["answered"] / table["asked"]
    enough = response >= least_pct
    above, below = table["low"] > mean_of_all, table["high"] < mean_of_all
    return bool(
        (~enough).sum() == 1
        and (response - least_pct).abs().min() > 2
        and (table[["low", "high"]] - mean_of_all).abs().min().min() > CLEAR
        and (above & enough).any() and (below & enough).any()
        and (~above & ~below & enough).any()                            # a ranking would tell more than the data do
    )


def _ratings_are_telling(answers, score, other_need):
    """The correlations with the two ratings differ from each other and from what the known mistakes make of them."""
    own, supervisor = (answers[f"performance_{who}"].astype(float) for who in ("self", "supervisor"))
    gaps_as_zero = score.fillna(0).corr(supervisor.fillna(0))
    if abs(score.corr(own) - score.corr(supervisor)) < TOO_SIMILAR or abs(score.corr(supervisor) - gaps_as_zero) < ROUNDED:
        return False
    for rating in (own, supervisor):
        right = score.corr(rating)
        if right < 0.05 or min(abs(right - wrong) for wrong in (other_need.corr(rating), own.corr(supervisor), right**2)) < ROUNDED:
            return False
    return True


def _alpha(table):
    whole = table.dropna()
    return whole.shape[1] / (whole.shape[1] - 1) * (1 - whole.var().sum() / whole.sum(axis=1).var())


def _alphas_are_telling(items, answers, turned, need):
    """Alpha as ticked and turned, of these four items, of all on the same form, with gaps counted as 0, and without the odd item, all differ."""
    mine = items.loc[items["subscale"] == need]
    form = items[items["highest"] == mine["highest"].iloc[0]]
    ticked = answers.astype({name: float for name in form["item"]})
    as_ticked, as_turned = ([_alpha(table[list(mine["item"])]), _alpha(table[list(mine["item"])].fillna(0)), _alpha(table[list(form["item"])])] for table in (ticked, turned))
    without = _alpha(ticked[list(mine.loc[mine["reverse"] == 0, "item"])])
    return all(_apart(found) for found in ([*as_ticked, without, as_turned[0]], [*as_turned, without, as_ticked[0]]))


def _apart(numbers):
    """Each of these figures can be told from each other one, to three decimals."""
    return min(abs(one - other) for one, other in combinations(numbers, 2)) >= ROUNDED


def _gaps_are_telling(items, turned):
    """One item is left out by far most often, by people who have less of what its scale measures."""
    gaps = turned.isna().sum().sort_values(ascending=False)
    item = gaps.index[0]
    scale = items.set_index("item").loc[item, "subscale"]
    mine = list(items.loc[items["subscale"] == scale, "item"])
    rest = turned[[each for each in mine if each != item]].mean(axis=1)
    silent = turned[item].isna()
    kept = turned[mine].notna().all(axis=1)
    dropping = _score(items, turned, scale)[kept].mean() - _score(items, turned, scale).mean()
    return bool(gaps.iloc[0] > 1.5 * gaps.iloc[1] and rest[silent].mean() - rest[~silent].mean() < -0.2 and dropping > 0.02)


def _motives_are_telling(answers, scores):
    """With reminders both groups keep their records equally well, without them they do not; and no mistake sorts people into groups like these."""
    known = answers.join((scores[list(MOTIVES)] * 64).round() / 64).dropna(subset=list(MOTIVES))    # as the question rounds them, so that a tie is a tie
    external, introjected, identified, intrinsic = (known[motive] for motive in MOTIVES)
    right = _sides(known, identified + intrinsic > external + introjected)
    wrong = [
        _sides(known, identified + intrinsic <= external + introjected),
        _sides(known, intrinsic > (external + introjected) / 2),
        _sides(known, identified + intrinsic + introjected > 3 * external),
    ]
    if any(len(each) < 2 for each in (right, *wrong)):
        return False
    with_reminders, without = (right.loc[True] - right.loc[False])[["on_time_pct", "on_time_unreminded_pct"]]
    return bool(abs(with_reminders) < 2.5 and without > 5
                and all((each["people"] != right["people"]).any() and (each - right)[["on_time_pct", "on_time_unreminded_pct"]].abs().max(axis=None) > SHOWS for each in wrong))


def _sides(known, own):
    """Of those with and without reasons of their own: how many there are, and their records on time."""
    groups = known.groupby(own)
    return groups[["on_time_pct", "on_time_unreminded_pct"]].mean().astype(float).assign(people=groups.size())
