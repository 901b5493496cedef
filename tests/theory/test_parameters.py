"""Parameters: each has a name, a unit, a range, a default with a reason; a value out of range is refused by name."""

from dataclasses import dataclass, fields

import numpy as np
import pytest

from mystique import theory
from mystique.theory import PARAMETERS, Agency, Reward
from mystique.theory.parameters import Checked, parameter

MODELS = [theory.Agency, theory.Reward, theory.Duty, theory.Belief, theory.Caseload, theory.Rules, theory.TwoTasks]


def test_the_table_holds_every_parameter_of_every_model_once():
    named = [(each.model, each.name) for each in PARAMETERS]
    assert len(named) == len(set(named))
    assert set(named) == {(model.__name__, each.name) for model in MODELS for each in fields(model)}
    defined = {each for each in vars(theory).values() if isinstance(each, type) and issubclass(each, Checked)}
    assert defined == set(MODELS), "a model is missing from the table"


@pytest.mark.parametrize("each", PARAMETERS, ids=lambda each: "%s.%s" % (each.model, each.name))
def test_a_parameter_has_a_unit_a_range_a_default_in_it_and_a_reason(each):
    assert each.low < each.high and each.low <= each.default <= each.high
    assert len(each.unit) > 1 and len(each.meaning) > 15 and len(each.reason) > 6


@pytest.mark.parametrize("each", PARAMETERS, ids=lambda each: "%s.%s" % (each.model, each.name))
def test_the_ends_of_the_range_are_taken_and_what_lies_beyond_is_refused(each):
    model = getattr(theory, each.model)
    together = {"worst_entry": {"best_entry": 1}, "best_entry": {"worst_entry": 0}}.get(each.name, {})
    for value in (each.low, each.high, [each.low, each.high]):
        model(**{each.name: value}, **together)
    step = (each.high - each.low) / 1000
    for value in (each.low - step, each.high + step, [each.default, each.high + step]):
        with pytest.raises(ValueError, match=r"%s\.%s: found .* from %g to %g \(" % (each.model, each.name, each.low, each.high)):
            model(**{each.name: value}, **together)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.5", None, True, [], [[0.5]], [True, False], ["0.5"], [None], [0.5, float("nan")], 1j, {}])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match=r"Agency\.control: found .*, expected a number .* from 0 to 1 \(share\); the default is 0.3"):
        Agency(control=value)


@pytest.mark.parametrize("value", [1, np.float32(0.5), np.int64(1), np.array(0.5)])
def test_any_number_will_do(value):
    assert Agency(control=value).control == value and Agency(control=value).settings is None


def test_rows_must_be_equally_long():
    assert Agency(control=[0.1, 0.2], autonomy=np.array([0, 1])).settings == 2
    with pytest.raises(ValueError, match=r"equally long, but their lengths are \{'autonomy': 3, 'control': 2\}"):
        Agency(control=[0.1, 0.2], autonomy=[0, 1, 1])


def test_a_row_is_copied_and_cannot_be_changed_afterwards():
    row = np.array([0.1, 0.2])
    agency = Agency(control=row)
    row[0] = 5
    assert agency.control[0] == 0.1
    with pytest.raises(ValueError):
        agency.control[0] = 5


def test_a_better_reputation_never_draws_fewer_of_the_motivated():
    with pytest.raises(ValueError, match=r"Agency\.worst_entry: found 0.7, expected at most best_entry, which is 0.6"):
        Agency(worst_entry=0.7, best_entry=0.6)
    with pytest.raises(ValueError, match=r"Agency\.worst_entry"):
        Agency(worst_entry=[0.1, 0.7], best_entry=0.6)


def test_an_unknown_name_is_refused():
    with pytest.raises(TypeError, match="controll"):
        Agency(controll=0.5)


def test_a_model_of_ones_own_needs_no_more_than_parameters():
    @dataclass(frozen=True, eq=False)
    class Mine(Checked):
        zest: float = parameter(1.0, 0, 2, "SD", "how much", "why not")

    assert Mine().zest == 1 and Mine(zest=[0, 2]).settings == 2
    with pytest.raises(ValueError, match=r"Mine\.zest: found 3, expected a number \(or a row of numbers\) from 0 to 2 \(SD\); the default is 1"):
        Mine(zest=3)


def test_models_are_frozen():
    with pytest.raises(AttributeError):
        Reward().tone = 1
