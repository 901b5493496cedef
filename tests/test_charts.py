"""The parts of a chart: data apart from specification, the table behind it, colours for both modes."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import altair as alt
import pandas as pd
import pytest

from mystique import charts

FRAME = pd.DataFrame({"agency": ["A", "B"], "share": [10.0, 20.0], "due": [3, 4]})


def bars(frame=FRAME):
    return alt.Chart(frame).mark_bar(color=charts.COLOURS["blue"]).encode(
        x=alt.X("share:Q", title="Complete (%)"), y=alt.Y("agency:N", title="Agency"), tooltip=[alt.Tooltip("due:Q", title="Answers due")]
    )


def test_charts_that_differ_in_values_alone_have_equal_specifications():
    one, other = charts.parts(bars()), charts.parts(bars(FRAME.assign(share=[1.0, 2.0])))
    assert one.spec == other.spec
    assert one.data != other.data
    assert "10.0" not in json.dumps(one.spec)


def test_layers_with_data_of_their_own():
    line = alt.Chart(pd.DataFrame({"bar": [95]})).mark_rule().encode(x="bar:Q")
    made = charts.parts(bars() + line)
    assert list(made.data) == ["d0", "d1"]
    assert [column.title for column in charts.table_columns(made.spec)] == ["Complete (%)", "Agency", "Answers due"]


def test_the_table_has_each_encoded_column_once_with_the_title_of_the_chart():
    chart = bars() + alt.Chart(FRAME).mark_text().encode(x="share:Q", y="agency:N", text="share:Q")
    titles = [column.title for column in charts.table_columns(charts.parts(chart).spec)]
    assert titles == ["Complete (%)", "Agency", "Answers due"]


def test_compiled_vega_holds_no_values_and_colours_that_follow_the_mode():
    compiled = json.dumps(charts.vega(charts.parts(bars())))
    assert '"values"' not in compiled
    assert "var(--chart-blue)" in compiled and charts.COLOURS["blue"] not in compiled


def test_a_continuous_colour_scale_keeps_colours_that_can_be_mixed():
    chart = alt.Chart(FRAME).mark_rect().encode(
        x="agency:N", color=alt.Color("share:Q", scale=alt.Scale(range=[charts.COLOURS["pale"], charts.COLOURS["blue"]]))
    )
    compiled = charts.vega(charts.parts(chart))
    (scale,) = [one for one in compiled["scales"] if one["name"] == "color"]
    assert scale["range"] == [charts.COLOURS["pale"], charts.COLOURS["blue"]]


def test_the_picture_is_drawn_with_the_words_of_the_chart():
    picture = charts.svg(charts.parts(bars()), for_page=True)
    assert picture.startswith("<svg") and "Complete (%)" in picture and "var(--chart-blue)" in picture


def heights_of_texts(picture: str) -> dict[str, float]:
    """How far down each text of an SVG stands."""
    found = {}

    def visit(node, down):
        moved = re.search(r"translate\([^,]+,([^)]+)\)", node.get("transform", ""))
        down += float(moved[1]) if moved else 0
        if node.text and node.text.strip():
            found[node.text] = down
        for child in node:
            visit(child, down)

    visit(ElementTree.fromstring(picture), 0)
    return found


def test_the_title_of_the_y_axis_stands_clear_of_the_legend():
    """Close under the legend, it would read like one more entry."""
    chart = alt.Chart(FRAME).mark_bar().encode(x="due:O", y=alt.Y("share:Q", title="Of 100 requests"), color="agency:N")
    at = heights_of_texts(charts.svg(charts.parts(chart)))
    line = charts.theme()["config"]["legend"]["labelFontSize"]
    assert at["Of 100 requests"] - at["B"] >= 2 * line


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.1 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["ink", "muted", "blue", "orange", "green", "purple", "grey"])
def test_colours_stand_out_on_both_pages(name):
    """Marks need 3:1 and text 4.5:1 (WCAG 2.1, 1.4.11 and 1.4.3) on white and on the theme's dark page."""
    light, dark = charts.PALETTE[name]
    least = 4.5 if name in ("ink", "muted") else 3
    assert contrast(light, "#ffffff") >= least
    assert contrast(dark, "#14181e") >= least


def test_every_colour_has_its_variable_in_both_modes():
    css = charts.colour_css()
    for name, (light, dark) in charts.PALETTE.items():
        assert re.search(rf":root\{{[^}}]*--chart-{name}:{light};", css)
        assert re.search(rf"data-theme=dark\]\{{[^}}]*--chart-{name}:{dark};", css)
