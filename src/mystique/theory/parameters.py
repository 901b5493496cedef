"""How a model's parameters are declared, checked and listed.

A model is a frozen dataclass whose fields are made by `parameter(...)`: default, range, unit, meaning, reason.
Each field takes one number, or a row of numbers when many settings are worked out at once (all rows equally long).
This module knows nothing about any model's content.
"""

from dataclasses import MISSING, dataclass, field, fields
from numbers import Real

import numpy as np


@dataclass(frozen=True)
class Parameter:
    """One line of the table of parameters."""

    model: str
    name: str
    unit: str
    low: float
    high: float
    default: float
    meaning: str
    reason: str


def parameter(default, low, high, unit, meaning, reason):
    """A field of a model: `default` lies in the range `low` to `high`; `reason` says why it is the default."""
    return field(default=default, metadata={"low": low, "high": high, "unit": unit, "meaning": meaning, "reason": reason})


def table_of(*models) -> tuple[Parameter, ...]:
    """Every parameter of the models, in the order in which they are declared."""
    return tuple(
        Parameter(model.__name__, each.name, each.metadata["unit"], each.metadata["low"], each.metadata["high"],
                  each.default, each.metadata["meaning"], each.metadata["reason"])
        for model in models for each in fields(model)
    )


class Checked:
    """Base of every model: refuses a value that is no number or lies outside its range, and names the parameter."""

    def __post_init__(self):
        rows = {}
        for each in fields(self):
            value, rule = getattr(self, each.name), each.metadata
            if type(value) in (float, int):  # the common case, without NumPy: an explorer makes many of these
                if rule["low"] <= value <= rule["high"]:
                    continue
                refuse(self, each, value)
            array = as_numbers(self, each, value)
            if not array.size:
                refuse(self, each, "no number at all")
            wrong = ~((array >= rule["low"]) & (array <= rule["high"]))
            if wrong.any():
                refuse(self, each, array[wrong].flat[0])
            if array.ndim:
                rows[each.name] = len(array)
            object.__setattr__(self, each.name, array if array.ndim else array.item())
        if len(set(rows.values())) > 1:
            raise ValueError("%s: these rows of values must be equally long, but their lengths are %s" % (type(self).__name__, rows))

    @property
    def settings(self) -> int | None:
        """How many settings this holds; None when every parameter is one number."""
        return next((len(value) for value in vars(self).values() if isinstance(value, np.ndarray)), None)


def as_numbers(model, each, value):
    """The value as a new read-only array of numbers, of no dimension or one."""
    is_number = isinstance(value, Real) and not isinstance(value, (bool, np.bool_))
    try:
        array = np.array(value, float)
    except (TypeError, ValueError):
        refuse(model, each, value)
    if not is_number and (isinstance(value, (bool, np.bool_, str)) or array.ndim > 1 or np.asarray(value).dtype.kind not in "iuf"):
        refuse(model, each, value)
    array.flags.writeable = False
    return array


def refuse(model, each, found):
    rule = each.metadata
    default = "" if each.default is MISSING else "; the default is %g" % each.default
    raise ValueError(
        "%s.%s: found %r, expected a number (or a row of numbers) from %g to %g (%s)%s"
        % (type(model).__name__, each.name, found.item() if isinstance(found, np.generic) else found, rule["low"], rule["high"], rule["unit"], default)
    )
