"""ps3: the audit of twelve agencies. The case is drawn so that each known mistake gives another answer than a right one."""

from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from .lots import first_telling, lot, no_case

DATASET = "audit"
TABLES = ("agencies", "beliefs", "raters", "ratings")

CLEAR = 0.1            # points between two agencies' means, so that a sign is no matter of rounding
APART = 0.03           # points between a right mean and a wrong one
TOLD = 0.011           # points that keep two answers to two decimals apart, each with what counts as the same
OTHER_GAP = 5 / 3      # the right answer on the other table that a test of question 3 makes
NO_TIE = 0.0101        # points that keep a place from hanging on rounding to two decimals (a hundredth can be rounded away), or on how ties count
LEAST_SHARED = 40      # ratings that two raters must share before their agreement is asked for
LEAST_MISSING = (2, 1) # ratings of an agency that nobody gave; the first number if the data hold such an agency
LEAST_MOVE = (2, 1)    # places between an agency's standing before and after leniency is taken out, likewise
WEIGHTINGS = 6         # the committee's weights and five others
LEAST_SURPLUS = 0.7    # points by which an agency believes more than it listens and learns
TELLING_MOVE = 3       # places that some agencies move between these weightings


def draw(tables, seed):
    """The case of ps3: agencies, a pair of agencies, a pair of raters and weights of the audit's data."""
    rng = lot("ps3", seed)
    names = tables["agencies"].set_index("agency_id")["agency"]
    ratings = tables["ratings"].assign(rating=tables["ratings"]["rating"].astype("float64"))
    ratings["fair"] = ratings["rating"] - ratings["rater_id"].map(leniency_of(ratings))
    levels = ratings.groupby(["agency_id", "belief"])["fair"].mean().dropna().reset_index()
    columns = by_column(levels, tables["beliefs"])

    seen_by_all = ratings.groupby("agency_id")["rater_id"].nunique()
    usual = sorted(seen_by_all.index[seen_by_all == seen_by_all.max()])      # two people only saw one agency: it is asked about last
    agency = _first(LEAST_MISSING, lambda least: first_telling(rng, usual, lambda pick: _gaps_are_telling(ratings, columns, pick, least)))
    pair = first_telling(rng, [(one, other) for one in usual for other in usual if one != other], lambda pick: _pair_is_telling(ratings, *pick))
    raters = first_telling(rng, list(combinations(sorted(ratings["rater_id"].unique()), 2)), lambda pick: _raters_are_telling(ratings, *pick))
    mover = _first(LEAST_MOVE, lambda least: first_telling(rng, usual, lambda pick: _move_is_telling(ratings, pick, least)))
    weights = _first(range(4), lambda _: first_telling(rng, _some_weightings(rng, list(columns)), lambda pick: _weights_are_telling(columns, pick)))
    for found, what in ((agency, "an agency"), (pair, "two agencies"), (raters, "two raters"), (mover, "an agency whose place moves"), (weights, "weights")):
        if not found:
            no_case("ps3", what)
    surplus = columns.iloc[:, :2].mean(axis=1) - columns.iloc[:, 2]
    believing = surplus.idxmax()
    if surplus.max() < LEAST_SURPLUS or columns.loc[believing].idxmin() != columns.columns[2]:
        no_case("ps3", "an agency that believes and does not listen")
    return {
        "agency_id": agency,
        "agency": str(names[agency]),
        "first_id": pair[0],
        "first": str(names[pair[0]]),
        "second_id": pair[1],
        "second": str(names[pair[1]]),
        "rater": raters[0],
        "other_rater": raters[1],
        "mover_id": mover,
        "mover": str(names[mover]),
        "profiled_id": str(believing),
        "profiled": str(names[believing]),
        "weightings": [dict(zip(columns.columns, each)) for each in weights],
        "memo_figures": memo_figures(tables, ratings, levels, agency),
    }


def memo_figures(tables, ratings, levels, agency):
    """What writer and marker of the memo both see: the agency's nine beliefs, with leniency out, to one decimal. None: nobody could judge."""
    known = ratings.dropna(subset=["rating"]).merge(tables["raters"], on="rater_id")
    hers, mine = known[known["agency_id"] == agency], levels["agency_id"] == agency
    camps = hers.groupby(["belief", "viewpoint"])["fair"].mean().unstack()
    figures = pd.DataFrame({
        "level": levels[mine].set_index("belief")["fair"],
        "other eleven": levels[~mine].groupby("belief")["fair"].mean(),
        "insiders": camps.get("inside"),
        "outsiders": camps.get("outside"),
        "raters": hers.groupby("belief").size(),
    }, index=tables["beliefs"]["belief"]).round(1).astype({"raters": "Int64"})
    figures.insert(0, "belief", list(tables["beliefs"]["short"]))
    return figures.astype(object).where(figures.notna(), None).to_dict("records")


def _first(bars, find):
    """What `find` finds at the first bar that leaves anything to find, or None."""
    return next((found for found in map(find, bars) if found), None)


def leniency_of(ratings):
    """{rater: points more (+) or fewer (-) than the raters' average}: least squares with a term a rater and one a cell.

    Comparing each rating with the mean of its own cell (one belief of one agency) takes the cell's term out."""
    given = ratings.dropna(subset=["rating"])
    inside = pd.get_dummies(given["rater_id"], dtype=float)
    cells = [given["agency_id"], given["belief"]]
    inside = inside - inside.groupby(cells).transform("mean")
    outcome = given["rating"] - given["rating"].groupby(cells).transform("mean")
    found = pd.Series(np.linalg.lstsq(inside.to_numpy(), outcome.to_numpy(), rcond=None)[0], inside.columns)
    return found - found.mean()


def by_column(levels, beliefs):
    """One row an agency, one column a column of the template: the mean level of its beliefs."""
    column = levels["belief"].map(beliefs.set_index("belief")["column"])
    return levels.groupby(["agency_id", column.rename("column")])["fair"].mean().unstack()[list(dict.fromkeys(beliefs["column"]))]


def _gaps_are_telling(ratings, columns, agency, least):
    """Some ratings are missing, so that filling them in shows; and there is something to choose: neither all strong nor all weak."""
    rows = ratings.loc[ratings["agency_id"] == agency, "rating"]
    missing = rows.isna().sum()
    means = [rows.mean(), rows.fillna(0).mean(), ratings["rating"].mean(), rows.median(), rows.sum(), rows.mean() * 25]
    counts = [missing, rows.count(), ratings["rating"].isna().sum(), 0]
    return len(set(counts)) == len(counts) and _all_apart(means) and bool(
        missing >= least and abs(rows.mean() - rows.fillna(0).mean()) > APART and abs(rows.mean() - ratings["rating"].mean()) > APART
        and abs(rows.mean() - rows.median()) > APART and 1.2 < columns.loc[agency].mean() < 3.2
    )


def _all_apart(numbers, least=TOLD):
    """Each of these answers would be told from each other one."""
    return min(abs(one - other) for one, other in combinations(numbers, 2)) > least


def _pair_is_telling(ratings, one, other):
    """All its raters put `one` ahead; the raters who saw both put `other` ahead. No two known mistakes give one number."""
    rows = ratings[ratings["agency_id"].isin([one, other])]
    seen = rows.groupby("rater_id")["agency_id"].nunique()
    both = rows[rows["rater_id"].isin(seen.index[seen == 2])]

    def ahead(part):
        means = part.groupby("agency_id")["rating"].mean()
        return means[one] - means[other]

    if not (2 <= (seen == 2).sum() < seen.size and ahead(rows) > CLEAR and ahead(both) < -CLEAR):
        return False
    everybody, common, alone = ahead(rows), ahead(both), ahead(rows.drop(both.index))
    by_belief = both.pivot(index=["rater_id", "belief"], columns="agency_id", values="rating")
    by_belief = (by_belief[one] - by_belief[other]).mean()           # as good an answer as `common`
    own = rows.loc[rows["agency_id"] == one, "rating"].mean()
    return (
        _all_apart([everybody, -everybody, common, own]) and abs(own - ahead(rows.fillna({"rating": 0}))) > TOLD
        and all(_all_apart([right, -common, everybody, alone]) for right in (common, by_belief))
    )


def _raters_are_telling(ratings, one, other):
    if abs(ratings.loc[ratings["rater_id"] == one, "rating"].mean() - OTHER_GAP) < TOLD:
        return False                                                # a function that looks at the notebook's table would pass
    wide = ratings.pivot(index=["agency_id", "belief"], columns="rater_id", values="rating")[[one, other]]
    shared = wide.dropna()
    apart = (shared[one] - shared[other]).abs()
    asked = ratings[ratings["rater_id"].isin([one, other])].groupby(["agency_id", "belief"]).size().eq(2).sum()
    if len(shared) < LEAST_SHARED or not 3 <= apart.eq(0).sum() <= len(shared) - 10 or apart.gt(1).sum() < 2:
        return False
    exact, near = 100 * apart.eq(0).mean(), 100 * apart.le(1).mean()
    chance = 100 * np.mean([abs(a - b) <= 1 for a in shared[one] for b in shared[other]])
    return bool(
        len(shared) < asked and near - chance > 5
        and all(abs(exact - wrong) > 0.3 for wrong in (near, near - exact, 100 - exact, exact * len(shared) / asked))
        and all(abs(near - wrong) > 0.3 for wrong in (near - exact, near * len(shared) / asked))
    )


def _move_is_telling(ratings, agency, least):
    """Its place by mean rating and its place with leniency taken out are apart, and neither is a tie."""
    groups = ratings.groupby("agency_id")
    before, after = groups["rating"].mean(), groups["fair"].mean()
    if any((means.drop(agency) - means[agency]).abs().min() < NO_TIE for means in (before, after)):
        return False
    place = [int((means > means[agency]).sum()) + 1 for means in (before, after)]
    return abs(place[0] - place[1]) >= least and sum(place) != len(before) + 1    # else counting from the bottom looks like exchanging


def _some_weightings(rng, columns):
    """Lists of weightings: first the committee's, then equal ones, then others; in tenths, and each adds up to 1."""
    tenths = [(a, b, 10 - a - b) for a in range(1, 8) for b in range(1, 8) if 1 <= 10 - a - b <= 7]
    uneven = [each for each in tenths if len(set(each)) == 3]
    tries = []
    for _ in range(150):
        own = uneven[rng.integers(len(uneven))]
        others = [tenths[place] for place in rng.permutation(len(tenths)) if tenths[place] != own][:WEIGHTINGS - 1]
        tries.append([tuple(weight / 10 for weight in each) for each in (own, *others)])
    return tries


def places_by(columns, weightings):
    """Places, 1 is best: one column a weighting."""
    return pd.DataFrame({n: (columns @ np.array(each)).rank(ascending=False) for n, each in enumerate(weightings)})


def _weights_are_telling(columns, weightings):
    own = np.array(weightings[0])
    scores = [columns @ np.array(each) for each in weightings]
    equal, turned = columns.mean(axis=1), columns @ own[::-1]
    if any(score.sort_values().diff().min() < 0.002 for score in scores):
        return False                                                # a place must not hang on rounding, nor on how ties are broken
    places = places_by(columns, weightings)
    moves = places.max(axis=1) - places.min(axis=1)
    from_own = places.sub(places[0], axis=0).abs().max(axis=1)
    right, *others = [list(score.sort_values(ascending=False).index) for score in (scores[0], equal, turned)]
    named = [right, *others, right[::-1], sorted(right)]            # a ranking of each kind, the right one first
    return bool(
        (places.loc[right[0]] == 1).all()                           # the first place survives all of them
        and (moves >= TELLING_MOVE).sum() >= 3 and (moves != from_own).any()
        and all(one != other for one, other in combinations(named, 2)) and right != sorted(right)[::-1]
        and not any(_follows(order, score) for score in (equal, turned) for order in named if order not in others)
        and _weighted_places_are_telling(columns, own, named)
    )


def _follows(ranking, score):
    """Whether a ranking is in the order of a score, however its ties are broken."""
    return bool((score[ranking].diff().dropna() <= 1e-9).all())


def _weighted_places_are_telling(columns, weights, named):
    """Who puts the weights on places gets a ranking that is told as that, however ties are broken, and nobody else does."""
    rounded = columns.round(9)
    mean, low, high = (rounded.rank(method=method) @ weights for method in ("average", "min", "max"))
    in_order = all(low[one] > high[other] - 1e-9 for one in mean.index for other in mean.index if one != other and mean[one] > mean[other] - 1e-9)
    return in_order and all(any(high[one] < low[following] - 1e-9 for one, following in pairwise(order)) for order in named)
