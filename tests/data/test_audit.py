"""The audit data: the same from the same seed, as its codebook says, with every trap in it and the truth to be found.

Agreement is worked out from first principles (Krippendorff's alpha for numbers), severity by a regression with a term for
each rater. What depends on chance is tested as a mean over a few fixed seeds, with a tolerance of about three standard
errors of that mean (the module's docstring has the deviations).
"""

import json
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from mystique.data import audit

SEEDS = 2011, 7, 31
MANY_SEEDS = range(20)
CONTESTED = 7, 8

made = lru_cache(maxsize=None)(audit.make)
over_seeds = pytest.mark.parametrize("seed", SEEDS)


def mean_over(seeds, figure):
    return np.mean([figure(seed) for seed in seeds])


def true(seed, name):
    return made(seed).truth["true_effects"][name]


def trap(seed, name):
    return {each["id"]: each for each in made(seed).truth["traps"]}[name]


@lru_cache(maxsize=None)
def given(seed):
    """The ratings that were given, with what is known of the raters."""
    rows = made(seed).tables["ratings"].merge(made(seed).tables["raters"], on="rater_id").dropna(subset="rating")
    return rows.assign(rating=rows["rating"].astype(float))


@lru_cache(maxsize=None)
def fitted(seed):
    """Each rating as agency + belief + rater, by regression: the agencies' and the raters' terms, each around 0."""
    fit = smf.ols("rating ~ C(agency_id, Sum) + C(belief, Sum) + C(rater_id, Sum)", given(seed)).fit()

    def terms(column):
        names = sorted(given(seed)[column].unique())
        found = [fit.params[f"C({column}, Sum)[S.{name}]"] for name in names[:-1]]
        return pd.Series([*found, -sum(found)], names)

    return {"agency": terms("agency_id"), "rater": terms("rater_id")}


def severity(seed):
    """The raters' terms, fitted and true. A rater's severity below 0 is severe."""
    return fitted(seed)["rater"], pd.Series(true(seed, "severity")).sort_index()


@lru_cache(maxsize=None)
def levels(seed):
    """The agencies' levels around their mean: true, naive (the mean rating), and with severity taken out."""
    together = pd.DataFrame({
        "true": pd.Series(true(seed, "mean_level")),
        "naive": given(seed).groupby("agency_id")["rating"].mean(),
        "adjusted": fitted(seed)["agency"],
    })
    return together - together.mean()


def sorts(seed):
    """Who is severe, who lenient, who rated everybody; and the halo rater."""
    severe, lenient, links = (part.split(": ")[1].split(", ") for part in trap(seed, "severity")["where"].split("; "))
    return severe, lenient, links, trap(seed, "halo")["where"].split(",")[0]


def panel(seed, raters):
    """The agencies that one of these raters rated."""
    rows = given(seed)
    return sorted(rows.loc[rows["rater_id"].isin(raters), "agency_id"].unique())


def agreement(rows):
    """Krippendorff's alpha for numbers: 1 less the disagreement within agencies as a share of that between any two ratings."""
    within = weight = 0
    paired = []
    for _, ratings in rows.groupby("agency_id")["rating"]:
        values = ratings.to_numpy()
        if len(values) > 1:
            within += ((values[:, None] - values) ** 2).sum() / (len(values) - 1)
            weight += len(values)
            paired.extend(values)
    paired = np.array(paired)
    between = ((paired[:, None] - paired) ** 2).sum() / (len(paired) * (len(paired) - 1))
    return 1 - within / weight / between


def of(rows, belief):
    return rows[rows["belief"] == belief]


@lru_cache(maxsize=None)
def without_severity(seed):
    rows = given(seed)
    return rows.assign(rating=rows["rating"] - rows["rater_id"].map(fitted(seed)["rater"]))


# ---------------------------------------------------------------- from a seed, and as the codebook says


def test_the_package_tells_that_and_how_the_data_were_made():
    package = made(7).package
    assert package["name"] == "audit" and package["title"] == audit.TITLE and package["description"].startswith("SYNTHETIC")
    assert 3 <= len(package["how_made"]) <= 6
    assert all(set(arrow) == {"from", "to", "sign", "note"} and arrow["sign"] in ("+", "-", "") for arrow in package["causal_diagram"])


def test_the_truth_names_its_traps_and_carries_the_canary():
    truth = json.loads(json.dumps(made(7).truth))
    assert truth["canary"] == "MYSTIQUE-CANARY-truth-audit" and truth["seed"] == 7
    assert len({each["id"] for each in truth["traps"]}) == len(truth["traps"]) == 6
    assert all(len(each[part]) >= 3 for each in truth["traps"] for part in ["what", "where", "fools", "see_through"])


def test_the_template_says_how_sure_each_wording_is():
    beliefs = made(7).tables["beliefs"].set_index("belief")
    assert beliefs["wording"].to_dict() == {n: {2: "exact", 4: "exact", 9: "short form"}.get(n, "recall") for n in range(1, 10)}
    assert beliefs.loc[2, "label"] == "The societal need met by the mission is seen as urgent"
    assert beliefs.loc[4, "label"] == "Agency personnel are intrinsically motivated"
    assert beliefs.loc[9, "label"] == "Learning/ renewal is ongoing"
    places = beliefs.reset_index().pivot(index="row", columns="column", values="belief")
    assert places.loc[:, "A purposive aura"].tolist() != places.loc[:, "Sustaining features"].tolist()
    assert {column: sorted(places[column]) for column in places} == {
        "A purposive aura": [1, 2, 3], "Internal commitment": [4, 5, 6], "Sustaining features": [7, 8, 9]}
    assert sorted(places.loc["prime quality"]) == [1, 4, 7]


@over_seeds
def test_shape(seed):
    agencies, beliefs, raters, ratings = made(seed).tables.values()
    assert (len(agencies), len(beliefs), len(raters), len(ratings)) == (12, 9, 6, 414)
    assert (ratings.groupby(["agency_id", "rater_id"]).size() == 9).all()
    assert ratings["rating"].dropna().isin(range(5)).all() and set(ratings["rating"].dropna()) == set(range(5))
    assert 0.01 < ratings["rating"].isna().mean() < 0.07
    raters_of = ratings.groupby("agency_id")["rater_id"].nunique()
    assert sorted(raters_of) == [2] + [4] * 11
    severe, lenient, links, _ = sorts(seed)
    assert len(panel(seed, severe)) == len(panel(seed, lenient)) == 6 and not set(panel(seed, severe)) & set(panel(seed, lenient))
    assert len(panel(seed, links)) == 12
    for pair in (severe, lenient, links):    # one insider, one outsider of each sort
        assert sorted(raters.set_index("rater_id").loc[pair, "viewpoint"]) == ["inside", "outside"]


# ---------------------------------------------------------------- the truth can be found


def check_recovery(seeds, *, off, slope, level):
    def misjudged(seed):
        found, put_in = severity(seed)
        return np.sqrt(((found - put_in) ** 2).mean())

    assert mean_over(seeds, misjudged) < off
    assert mean_over(seeds, lambda seed: np.polyfit(*severity(seed)[::-1], 1)[0]) == pytest.approx(1, abs=slope)

    def wrong(seed, which):
        return np.sqrt(((levels(seed)[which] - levels(seed)["true"]) ** 2).mean())

    assert mean_over(seeds, lambda seed: wrong(seed, "adjusted")) < level
    assert mean_over(seeds, lambda seed: wrong(seed, "naive")) > 1.6 * level, "the tolerance would let the naive mean pass"
    assert mean_over(seeds, lambda seed: place(seed, "adjusted")) > 0.9
    assert mean_over(seeds, lambda seed: place(seed, "adjusted")) > mean_over(seeds, lambda seed: place(seed, "naive")) + 0.05


def place(seed, which):
    """Rank correlation of a ranking with the true one."""
    return levels(seed)["true"].corr(levels(seed)[which], method="spearman")


def test_the_truth_is_recovered():
    check_recovery(SEEDS, off=.13, slope=.18, level=.22)


@pytest.mark.full
def test_the_truth_is_recovered_over_many_seeds():
    check_recovery(MANY_SEEDS, off=.10, slope=.08, level=.20)


def agreed(seed, rows, belief):
    return agreement(of(rows(seed), belief))


CALM = [belief for belief in range(1, 10) if belief not in CONTESTED]


def test_raters_agree_better_than_they_seem_to():
    rated, adjusted = (
        np.mean([agreed(seed, rows, belief) for belief in CALM for seed in SEEDS]) for rows in [given, without_severity])
    assert .45 < rated < .7 and rated + .05 < adjusted < .85


@pytest.mark.full
def test_raters_agree_better_than_they_seem_to_belief_by_belief():
    for belief in CALM:
        rated, adjusted = (mean_over(MANY_SEEDS, lambda seed: agreed(seed, rows, belief)) for rows in [given, without_severity])
        assert .4 < rated < .75 and rated + .05 < adjusted < .85, belief


def test_agreement_by_hand():
    """On paper, all pairs counted both ways: within agencies squares of 2 over 6 ratings, between any two of 114 over 30 pairs."""
    rows = pd.DataFrame({"agency_id": list("aabbcc"), "rating": [1.0, 1, 2, 3, 4, 4]})
    assert agreement(rows) == pytest.approx(1 - (2 / 6) / (114 / 30))
    assert agreement(rows.assign(rating=[1.0, 1, 2, 2, 4, 4])) == 1
    assert agreement(rows.assign(rating=[1.0, 4, 4, 1, 1, 4])) < 0


# ---------------------------------------------------------------- the traps are there


@over_seeds
def test_trap_severity(seed):
    severe, lenient, links, _ = sorts(seed)
    found, put_in = severity(seed)
    assert found[severe].max() < found[links].min() and found[links].max() < found[lenient].min()
    assert put_in[severe].max() < -0.4 and put_in[lenient].min() > 0.3
    error = levels(seed)["naive"] - levels(seed)["true"]
    assert error[panel(seed, severe)].mean() < -0.2 and error[panel(seed, lenient)].mean() > 0.2
    ranks = levels(seed).rank(ascending=False)
    assert (ranks["naive"] != ranks["adjusted"]).sum() >= 5
    assert (ranks["naive"] - ranks["adjusted"])[panel(seed, severe)].mean() > 0.7


def test_a_good_agency_is_marked_down_below_a_lesser_one():
    def reversed_pairs(seed):
        """Pairs (severe panel, lenient panel) where the truly better one, by over 0.2 points, has the lower mean rating."""
        severe, lenient, _, _ = sorts(seed)
        table = levels(seed)
        return sum(table["true"][one] > table["true"][other] + 0.2 and table["naive"][one] < table["naive"][other]
                   for one in panel(seed, severe) for other in panel(seed, lenient))

    assert all(reversed_pairs(seed) >= 1 for seed in SEEDS)


@over_seeds
def test_trap_halo(seed):
    *_, lenient, _, halo = sorts(seed)
    assert halo in lenient
    spread = given(seed).groupby(["agency_id", "rater_id"])["rating"].std().groupby("rater_id").mean()
    assert spread[halo] == spread.min() < 0.65 * spread.drop(halo).min()


def check_contested(seeds, between, camps):
    def agree(seed, belief, viewpoint=None):
        rows = of(without_severity(seed), belief)
        rows = rows[rows["rater_id"] != sorts(seed)[3]]
        return agreement(rows if viewpoint is None else rows[rows["viewpoint"] == viewpoint])

    calm = np.mean([mean_over(seeds, lambda seed: agree(seed, belief)) for belief in (1, 2, 3, 5, 6, 9)])
    hot = np.mean([mean_over(seeds, lambda seed: agree(seed, belief)) for belief in CONTESTED])
    camp = np.mean([mean_over(seeds, lambda seed: agree(seed, belief, side)) for belief in CONTESTED for side in ("inside", "outside")])
    assert hot < calm - between and camp > hot + camps


def test_trap_contested_beliefs():
    check_contested(SEEDS, between=.06, camps=.06)


@pytest.mark.full
def test_trap_contested_beliefs_over_many_seeds():
    check_contested(MANY_SEEDS, between=.12, camps=.10)


def test_the_camps_differ_where_the_truth_says():
    def found(seed):
        rows = without_severity(seed)
        rows = rows[rows["belief"].isin(CONTESTED) & (rows["rater_id"] != sorts(seed)[3])]
        side = rows.pivot_table(index=["agency_id", "belief"], columns="viewpoint", values="rating")
        put_in = pd.Series({(agency, int(belief)): gap for agency, row in true(seed, "insiders_see_more_than_outsiders").items()
                            for belief, gap in row.items()})
        return (side["inside"] - side["outside"]).corr(put_in)

    assert mean_over(SEEDS, found) > 0.6


@over_seeds
def test_trap_fewer_raters(seed):
    agency = trap(seed, "fewer_raters")["where"]
    raters_of = given(seed).groupby("agency_id")["rater_id"].nunique()
    assert raters_of[agency] == 2 and (raters_of.drop(agency) == 4).all()
    fit = smf.ols("rating ~ 0 + C(agency_id) + C(belief, Sum) + C(rater_id, Sum)", given(seed)).fit()
    error = fit.bse.filter(like="agency_id")
    assert error.filter(like=agency).iloc[0] == error.max() > 1.25 * error.median()


def test_trap_cannot_judge():
    def empty(seed):
        rows = made(seed).tables["ratings"].merge(made(seed).tables["raters"], on="rater_id")
        return rows["rating"].isna().groupby([rows["belief"] == 4, rows["viewpoint"]]).mean()

    assert mean_over(SEEDS, lambda seed: empty(seed)[True, "outside"]) > 0.08
    assert mean_over(SEEDS, lambda seed: empty(seed)[True, "inside"]) < 0.07
    assert mean_over(SEEDS, lambda seed: empty(seed)[False, "outside"]) < 0.05

    def lost(seed):
        """What counting 'cannot judge' as 0 takes from belief 4, beyond what it takes from the others, in points."""
        rows = made(seed).tables["ratings"].astype({"rating": float})
        means = rows.groupby(rows["belief"] == 4)["rating"].agg(lambda x: x.mean() - x.fillna(0).mean())
        return means[True] - means[False]

    assert mean_over(SEEDS, lost) > 0.05


@over_seeds
def test_trap_weights(seed):
    ends = pd.DataFrame(true(seed, "best_and_worst_rank_by_any_weights"), index=["best", "worst"]).T
    steady = ends.index[ends["best"] == ends["worst"]]
    assert trap(seed, "weights")["where"].endswith(": " + ", ".join(steady))
    assert 2 <= len(steady) <= 5 and {1, 12} <= set(ends.loc[steady, "best"])
    assert (ends["worst"] - ends["best"] >= 3).sum() >= 4
    column = pd.DataFrame(true(seed, "level")).groupby(lambda belief: (int(belief) - 1) // 3).mean().T
    for weights in ([.6, .2, .2], [.2, .6, .2], [.2, .2, .6]):
        rank = column.dot(np.array(weights)).rank(ascending=False)
        assert rank.between(ends["best"], ends["worst"]).all()
    # What is true of the levels can be seen in the ratings: the first and the last stay, others move.
    rows = without_severity(seed)
    seen = rows.groupby(["agency_id", (rows["belief"] - 1) // 3])["rating"].mean().unstack()
    ranks = pd.DataFrame({n: seen.dot(np.array(w)).rank() for n, w in enumerate([[1, 1, 1], [3, 1, 1], [1, 3, 1], [1, 1, 3]])})
    assert (ranks.loc[[true_place(seed, 1), true_place(seed, 12)]].nunique(axis=1) == 1).all()
    assert (ranks.max(axis=1) - ranks.min(axis=1)).max() >= 3


def true_place(seed, place):
    return next(agency for agency, rank in true(seed, "rank_by_equal_weights").items() if rank == place)
