"""Drawing by lot, the same for the same seed, among the candidates that tell a right answer from the known mistakes."""

import hashlib

import numpy as np


class NoCase(ValueError):
    """These data hold no case for a problem set; the message says what is missing and what to do."""


def lot(problem_set, seed):
    """The random generator of a set's case: another for each set, the same for the same seed."""
    return np.random.default_rng([seed, int(hashlib.sha256(problem_set.encode()).hexdigest()[:8], 16)])


def first_telling(rng, candidates, is_telling):
    """One candidate by lot among those for which `is_telling(candidate)` holds, or None."""
    for place in rng.permutation(len(candidates)):
        if is_telling(candidates[place]):
            return candidates[place]
    return None


def rounding_shows(number, places):
    """Whether a number asked for to so many decimals is told from the same one with a decimal less."""
    fewer = round(number, places - 1)
    return abs(number - fewer) > 0.6 * 10.0**-places    # half a unit would be taken as right


def no_case(problem_set, what):
    """Raise NoCase."""
    raise NoCase(f"{problem_set}: in this seed's data no choice of {what} tells the known mistakes from a right answer. Use another seed.")
