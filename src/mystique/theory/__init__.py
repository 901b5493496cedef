"""The theory as a runnable model: what managing for mission would do, if it worked as its authors say.

`workforce` follows an agency's people, management and performance year by year; `mechanisms` holds six smaller parts;
`leaving` the chance of leaving; `parameters` how every number is declared and checked. NumPy only, nothing random.
A model shows what follows from assumptions. It is no evidence that they hold: no number here was estimated.
Docstrings name sources by author and year; Honig (post) is his undated post "Be the Solution: How Bureaucrats can Improve
Public Sector Performance Through Mission Management". What they call the course's own is in no source.

    PARAMETERS        every parameter: model, name, unit, range, default, meaning, reason for the default
"""

from .leaving import chance_of_leaving, logistic
from .mechanisms import (
    Belief, Caseload, Duty, Reward, Rules, TwoTasks,
    answer_to, internalise, judge_or_follow, serve, share_effort, sustain, unmotivated_or_demotivated,
)
from .parameters import Parameter, table_of
from .workforce import (
    CONTROL, RUNGS, SUPPORT, Agency, Ahead, Equilibria, OnEachRung,
    equilibria, leads_to, look_ahead, on_each_rung, support_minus_control, supportive, sweep,
)

PARAMETERS = table_of(Agency, Reward, Duty, Belief, Caseload, Rules, TwoTasks)

__all__ = [
    "PARAMETERS", "Parameter",
    "Agency", "Ahead", "OnEachRung", "Equilibria", "RUNGS", "SUPPORT", "CONTROL", "supportive",
    "look_ahead", "sweep", "on_each_rung", "support_minus_control", "equilibria", "leads_to", "chance_of_leaving", "logistic",
    "Reward", "answer_to", "Duty", "internalise", "Belief", "sustain", "Caseload", "serve",
    "Rules", "judge_or_follow", "unmotivated_or_demotivated", "TwoTasks", "share_effort",
]
