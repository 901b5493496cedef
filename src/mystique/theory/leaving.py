"""Who stays and who goes: the chance of leaving, which the workforce model and the synthetic data share."""

import numpy as np

# Logit coefficients, the course's own: chosen so that the sign pattern of Honig (2021) shows in a class-sized file.
# They give a chance of about .25 for the average person, and at one standard deviation either side
# .39 (low support, high motivation), .32 (low, low), .14 (high, high) and .21 (high support, low motivation).
CONSTANT = -1.10
BY_SUPPORT = -0.50
BY_MOTIVATION = -0.05
BY_BOTH = -0.20


def logistic(log_odds):
    """The chance that goes with log odds, between 0 and 1."""
    return 1 / (1 + np.exp(-log_odds))


def chance_of_leaving(support, motivation, constant=CONSTANT, by_support=BY_SUPPORT, by_motivation=BY_MOTIVATION, by_both=BY_BOTH):
    """The chance that a person leaves in the next year, between 0 and 1.

        log odds = constant + by_support x support + by_motivation x motivation + by_both x support x motivation

    `support` and `motivation` are in standard deviations from the average; numbers or arrays that broadcast together.
    Each standard deviation of motivation makes support count for `by_both` more: the motivated mind its absence most.
    With these numbers the more motivated leave sooner where support is below -0.25, and stay longer where it is above.
    Below a motivation of -2.5 support would raise the chance of leaving; hardly anybody is there.
    Source: the form and all four numbers are the course's own. The direction echoes Honig (2021): with less support
    the more motivated wish more to leave. No published estimate was used.
    """
    support, motivation = np.asarray(support, float), np.asarray(motivation, float)
    log_odds = constant + by_support * support + (by_motivation + by_both * support) * motivation
    return logistic(log_odds)
