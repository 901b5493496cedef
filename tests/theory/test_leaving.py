"""The chance of leaving: the figures of its calibration, its direction, and where that direction turns."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mystique.theory import PARAMETERS, chance_of_leaving

plainly = settings(deadline=None, derandomize=True, database=None, max_examples=100)
sds = st.floats(-2.4, 3)


@pytest.mark.parametrize(("support", "motivation", "chance"), [(-1, 1, .39), (-1, -1, .32), (1, 1, .14), (1, -1, .21), (0, 0, .25)])
def test_the_calibration(support, motivation, chance):
    assert chance_of_leaving(support, motivation) == pytest.approx(chance, abs=.005)


def test_the_equation():
    assert chance_of_leaving(0.3, -0.7) == pytest.approx(1 / (1 + math.exp(1.10 + 0.50 * 0.3 + 0.05 * -0.7 + 0.20 * 0.3 * -0.7)))
    assert chance_of_leaving(2, 3, constant=1, by_support=0.5, by_motivation=0.25, by_both=-0.125) == pytest.approx(1 / (1 + math.exp(-2)))


@plainly
@given(sds, sds, st.floats(0.01, 1))
def test_support_keeps_people_the_motivated_most(support, motivation, more):
    log_odds = lambda support, motivation: -np.log(1 / chance_of_leaving(support, motivation) - 1)
    gain = log_odds(support, motivation) - log_odds(support + more, motivation)
    assert gain > 0
    assert log_odds(support, motivation + more) - log_odds(support + more, motivation + more) > gain


@plainly
@given(st.floats(-3, 3), sds, st.floats(0.01, 1))
def test_the_motivated_go_first_where_support_is_low(support, motivation, more):
    change = chance_of_leaving(support, motivation + more) - chance_of_leaving(support, motivation)
    assert np.sign(np.round(change, 12)) == np.sign(np.round(-0.25 - support, 12)) or abs(support + 0.25) < 1e-6


def test_arrays_broadcast():
    chances = chance_of_leaving(np.zeros((3, 1)), np.zeros(4))
    assert chances.shape == (3, 4) and ((chances > 0) & (chances < 1)).all()


def test_the_agency_uses_the_same_numbers():
    defaults = {each.name: each.default for each in PARAMETERS if each.model == "Agency"}
    assert [defaults["leave_" + name] for name in ("constant", "by_support", "by_motivation", "by_both")] == [-1.10, -0.50, -0.05, -0.20]
