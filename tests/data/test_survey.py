"""From a hidden score to ticked answers: the right spread, the right direction, the right gaps."""

import numpy as np
import pandas as pd
import pytest

from mystique.data.survey import Item, Scale, answer, answer_fields, leave_out, related, tick, turn_round

FIVE = Scale(1, 5, 0.95)
ITEMS = [Item("a", "A.", 3.0, .7), Item("b", "B.", 3.0, .7, reverse=True), Item("c", "C.", 3.4, .7), Item("d", "D.", 3.0, .7)]


def rng():
    return np.random.default_rng(5)


def test_answers_are_whole_numbers_of_the_scale_and_use_all_of_it():
    ticked = answer(rng(), rng().normal(size=5000), ITEMS, FIVE)
    assert list(ticked.columns) == ["a", "b", "c", "d"]
    for item in ticked:
        assert set(ticked[item]) == {1, 2, 3, 4, 5}


def test_means_and_loadings_are_as_asked():
    score = rng().normal(size=20_000)
    ticked = answer(np.random.default_rng(6), score, ITEMS, FIVE)
    right = ticked.assign(b=turn_round(ticked["b"], FIVE))
    assert ticked["a"].mean() == pytest.approx(3.0, abs=0.03) and right["c"].mean() == pytest.approx(3.4, abs=0.05)
    for item in right:
        assert np.corrcoef(score, right[item])[0, 1] == pytest.approx(.7, abs=0.05)   # rounding costs a little
    assert np.corrcoef(score, ticked["b"])[0, 1] < -0.6


def test_a_loading_of_one_leaves_nothing_to_chance():
    score = np.linspace(-2, 2, 9)
    first, second = (answer(np.random.default_rng(seed), score, [Item("a", "A.", 3, 1.0)], FIVE) for seed in (1, 2))
    assert first.equals(second) and first["a"].is_monotonic_increasing


def test_an_item_turned_round_twice_is_as_before():
    answers = pd.Series([1, 2, 5, np.nan])
    assert turn_round(answers, FIVE).tolist()[:3] == [5, 4, 1]
    pd.testing.assert_series_equal(turn_round(turn_round(answers, FIVE), FIVE), answers)
    assert turn_round(0, Scale(0, 4, 1)) == 4


def test_nothing_is_ticked_outside_the_scale():
    assert tick(np.array([-3, 0.4, 2.6, 9.0]), Scale(0, 4, 1)).tolist() == [0, 0, 3, 4]


def test_scores_are_related_as_asked():
    wanted = np.array([[1, .5, .2], [.5, 1, .3], [.2, .3, 1]])
    found = np.corrcoef(related(rng(), 50_000, wanted).T)
    assert found == pytest.approx(wanted, abs=0.02)


def test_gaps_are_as_many_as_asked_and_the_rest_is_untouched():
    answers = pd.DataFrame(np.full((4000, 3), 2.0), columns=list("abc"))
    gapped = leave_out(rng(), answers, 0.1)
    assert gapped.isna().mean().mean() == pytest.approx(0.1, abs=0.01)
    assert set(gapped.stack().dropna()) == {2.0} and not answers.isna().any().any()
    chances = np.zeros((4000, 3))
    chances[:, 1] = 1
    assert leave_out(rng(), answers, chances).isna().all().tolist() == [False, True, False]


def test_every_item_gets_its_codebook_column():
    fields = answer_fields(ITEMS, FIVE, lead="I say ", missing="Empty if left out.", construction="Drawn.")
    assert [each["name"] for each in fields] == ["a", "b", "c", "d"]
    assert fields[0]["description"] == "'I say A.'" and fields[0]["constraints"] == {"required": False, "minimum": 1, "maximum": 5}
