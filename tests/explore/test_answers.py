"""An explorer's answers: asked for every combination, checked, packed."""

from __future__ import annotations

import json
import math

import altair as alt
import pandas as pd
import pytest
from altair.utils.schemapi import SchemaValidationError

from mystique import charts
from mystique.explore import answers
from mystique.explore.controls import Control, ExplorerError


def slider(name: str, count: int) -> Control:
    return Control(name, name, "slider", list(range(count)), [str(i) for i in range(count)], 0)


def view(a, b):
    frame = pd.DataFrame({"kind": ["x", "y"], "share": [a / 3, float(b)]})
    return alt.Chart(frame).mark_bar().encode(x="share:Q", y=alt.Y("kind:N", title="Kind")), f"{a} and {b}"


CONTROLS = [slider("a", 3), slider("b", 2)]


def unpacked(pool: dict, at: int):
    return pool["of"][pool["at"][at] if "at" in pool else 0]


def test_every_combination_is_asked_the_last_control_fastest():
    found = answers.ask_all("view", view, CONTROLS)
    assert [answer.sentence for answer in found] == ["0 and 0", "0 and 1", "1 and 0", "1 and 1", "2 and 0", "2 and 1"]


def test_packing_loses_nothing_that_is_shown():
    found = answers.ask_all("view", view, CONTROLS)
    packed = json.loads(json.dumps(answers.pack(found)))
    for at, answer in enumerate(found):
        assert unpacked(packed["sentences"], at) == answer.sentence
        shares = unpacked(packed["data"]["d0"]["share"], at)
        assert shares == pytest.approx([row["share"] for row in answer.chart.data["d0"]], abs=0.001)
    assert packed["data"]["d0"]["kind"] == {"of": [["x", "y"]]}, "a column that never changes is held once"


def test_too_many_combinations_are_refused_before_any_is_asked():
    asked = []
    with pytest.raises(ExplorerError, match=r"'big'.*4,020 combinations.*67 \(a\) x 60 \(b\).*4,000"):
        answers.ask_all("big", lambda **values: asked.append(values), [slider("a", 67), slider("b", 60)])
    assert asked == []


def test_a_function_that_raises_says_for_which_setting():
    def broken(a, b):
        if (a, b) == (2, 1):
            raise ZeroDivisionError("nothing due")
        return view(a, b)

    with pytest.raises(ExplorerError, match=r"'shares'.*ZeroDivisionError: nothing due for a=2, b=1"):
        answers.ask_all("shares", broken, CONTROLS)


@pytest.mark.parametrize("returned", [None, "a sentence", (alt.Chart().mark_bar(), 3), (1, "a sentence")])
def test_a_function_that_returns_something_else_is_refused(returned):
    with pytest.raises(ExplorerError, match="an Altair chart and a sentence"):
        answers.ask_all("odd", lambda a, b: returned, CONTROLS)


def test_a_chart_that_changes_in_more_than_its_data_is_refused():
    def changing(a, b):
        chart, sentence = view(a, b)
        return (chart.properties(title=f"Month {a}") if a else chart.properties(title="Month 0")), sentence

    with pytest.raises(ExplorerError, match=r"'titled'.*a=1, b=0.*chart.title is 'Month 0' or 'Month 1'"):
        answers.ask_all("titled", changing, CONTROLS)

    def recoded(a, b):
        chart, sentence = view(a, b)
        return (chart.encode(color="kind:N") if b else chart), sentence

    with pytest.raises(ExplorerError, match=r"a=0, b=1.*encoding.color is only in one"):
        answers.ask_all("recoded", recoded, CONTROLS)


@pytest.mark.parametrize("first, said", [(0, "'perhaps' is an invalid value"), (1, "for a=1, b=0 the chart differs in more than its data")])
def test_a_chart_that_breaks_the_schema_is_refused_from_whichever_setting_on(first, said):
    """Altair looks at the first one only; a later one is not as the first."""
    def odd(a, b):
        chart, sentence = view(a, b)
        return chart.encode(x=alt.X("share:Q", scale=alt.Scale(zero="perhaps" if a >= first else True))), sentence

    with pytest.raises((ExplorerError, SchemaValidationError), match=said):
        answers.ask_all("odd", odd, CONTROLS)


@pytest.mark.parametrize("value, decimals, text", [(0.25, 1, "0.3"), (0.35, 1, "0.3"), (-0.25, 1, "-0.3"), (2.5, 0, "3"), (-0.01, 1, "0.0"), (12, 1, "12.0"), (1e-7, 2, "0.00")])
def test_fixed_rounds_as_the_page_does(value, decimals, text):
    """0.35 is a little less than 0.35 in binary, so it goes down; 0.25 is exact, so it goes up."""
    assert charts.fixed(value, decimals) == text


def test_fixed_is_the_pages_own_rounding(browser):
    """The same text as JavaScript's toFixed for exact halves, tiny and large numbers, both signs."""
    values = [sign * number / 8 for number in (*range(0, 400), 12345.0, 800000.4) for sign in (1, -1)]
    page = browser.new_page()
    shown = page.evaluate("values => values.map(v => { const t = v.toFixed(1); return Number(t) === 0 ? t.replace('-', '') : t; })", values)
    page.close()
    assert [charts.fixed(value, 1) for value in values] == shown


def test_missing_values_stay_missing():
    chart = alt.Chart(pd.DataFrame({"x": [1.0, math.nan], "y": ["a", None]})).mark_bar().encode(x="x:Q", y="y:N")
    packed = answers.pack([answers.ask("gap", lambda: (chart, "One is missing."), {})])
    assert packed["data"]["d0"]["x"]["of"] == [[1, None]]
    assert charts.cell_text(None, 1) == charts.cell_text(math.nan, 1) == "–"
