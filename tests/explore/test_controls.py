"""Controls: the same values and labels for a page as ipywidgets gives in a notebook."""

from __future__ import annotations

import ipywidgets as widgets
import pytest

from mystique.explore.controls import ExplorerError, describe, widget_for


def control(given, name="month"):
    return describe("view", name, widget_for("view", name, given))


@pytest.mark.parametrize(
    "given, kind, values, start",
    [
        ((1, 4), "slider", [1, 2, 3, 4], 1),
        ((0, 10, 5), "slider", [0, 5, 10], 1),
        (["a", "b"], "select", ["a", "b"], 0),
        ([("First", 1), ("Second", 2)], "select", [1, 2], 0),
        ({"First": 1, "Second": 2}, "select", [1, 2], 0),
        (True, "checkbox", [False, True], 1),
        (widgets.IntSlider(value=7, min=1, max=9, step=2), "slider", [1, 3, 5, 7, 9], 3),
        (widgets.SelectionSlider(options=["low", "high"], value="high"), "slider", ["low", "high"], 1),
        (widgets.ToggleButtons(options=["low", "high"], value="high"), "buttons", ["low", "high"], 1),
        (widgets.Dropdown(options=["low", "high"], value="high"), "select", ["low", "high"], 1),
        (widgets.Checkbox(value=False), "checkbox", [False, True], 0),
    ],
)
def test_every_kind_of_control_and_abbreviation(given, kind, values, start):
    made = control(given)
    assert (made.kind, made.values, made.start) == (kind, values, start)
    assert len(made.labels) == len(values)


def test_steps_are_counted_not_summed():
    """0.1 + 0.2 is not 0.3 in floating point; the third step must be the value 0.3 all the same."""
    made = control(widgets.FloatSlider(value=0.3, min=0.1, max=1.0, step=0.1))
    assert made.values == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert made.labels == ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]
    assert made.start == 2


def test_a_last_step_that_does_not_fit_is_left_out():
    assert control((0, 10, 4)).values == [0, 4, 8]


def test_a_label_comes_from_the_description_or_the_name():
    assert control((1, 2), name="days_allowed").label == "Days allowed"
    assert control(widgets.IntSlider(description="Days")).label == "Days"


@pytest.mark.parametrize("given", [widgets.Text(), widgets.IntRangeSlider(), widgets.SelectMultiple(options=["a"])])
def test_a_control_that_a_page_cannot_show_is_refused_by_name(given):
    with pytest.raises(ExplorerError, match=r"'view'.*'month'.*" + type(given).__name__):
        control(given)


def test_what_is_no_control_at_all_is_refused():
    with pytest.raises(ExplorerError, match="'view'.*'month'"):
        control(object())
    with pytest.raises(ExplorerError, match="fixed"):
        control(widgets.fixed(3))
    with pytest.raises(ExplorerError, match="no choice"):
        control(widgets.Dropdown(options=["a", "b"], value=None))
