"""Questionnaires: from what people think to what they tick.

A score is a number a person, about 0 on average with a standard deviation of about 1, that nobody can see.
From it come whole-number answers to the items of a scale, some items worded the other way round, some answers missing.
This module knows nothing about any data set's content; scoring the answers is what the course teaches, so that is not here.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .package import field


@dataclass(frozen=True)
class Scale:
    """The whole numbers that can be ticked, and how far apart the answers of different people lie, in points."""

    low: int
    high: int
    spread: float


@dataclass(frozen=True)
class Item:
    """One statement.

    mean: what people answer on average, in points, after a reversed item is turned round.
    loading: correlation of the exact answer with the score (0 to 1). reverse: agreeing speaks against the score.
    """

    name: str
    text: str
    mean: float
    loading: float
    reverse: bool = False


def related(rng, size, correlation):
    """Scores as a people x scales array, given the scales' correlation matrix."""
    return rng.multivariate_normal(np.zeros(len(correlation)), correlation, size, method="cholesky")


def answer(rng, score, items, scale):
    """The ticked answers, a row a person and a column an item; all of them, and each as ticked (reversed ones not turned round)."""
    score = np.asarray(score)
    ticked = {}
    for item in items:
        own = np.sqrt(1 - item.loading**2) * rng.normal(size=len(score))
        exact = tick(item.mean + scale.spread * (item.loading * score + own), scale)
        ticked[item.name] = turn_round(exact, scale) if item.reverse else exact
    return pd.DataFrame(ticked)


def tick(exact, scale):
    """The nearest whole number that the scale offers."""
    return np.clip(np.round(exact), scale.low, scale.high)


def turn_round(answers, scale):
    """Answers to a reversed item as if it had been worded the other way: on a scale of 1 to 5, 5 becomes 1. Twice is none."""
    return scale.low + scale.high - answers


def leave_out(rng, answers, chance):
    """The same answers with some missing. chance: a number, or one for each answer."""
    return answers.mask(rng.random(answers.shape) < chance)


def answer_fields(items, scale, *, lead="", missing, construction):
    """A codebook column for each item."""
    return [
        field(item.name, "integer", f"'{lead}{item.text}'", unit=f"score from {scale.low} (not at all true) to {scale.high} (fully true)",
              minimum=scale.low, maximum=scale.high, missing=missing, construction=construction)
        for item in items
    ]
