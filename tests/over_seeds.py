"""What depends on chance is tested as a mean over a few fixed seeds, with a tolerance of about three standard errors of that
mean (the standard deviations over seeds are in the data module's docstring); in the full tier over twenty."""

import numpy as np
import pytest

SEEDS = 2011, 7, 31
over_seeds = pytest.mark.parametrize("seed", SEEDS)


def over_many(few, many):
    """The default tier's seeds with their tolerance, and the full tier's."""
    return pytest.mark.parametrize("seeds, tolerance", [(SEEDS, few), pytest.param(range(20), many, marks=pytest.mark.full)], ids=["3", "20"])


def mean_over(seeds, figure):
    """The mean of figure(seed), a number or an array, over the seeds."""
    return np.mean([figure(seed) for seed in seeds], axis=0)
