"""Causal diagrams: causes stand above what they move, and every arrow is drawn and said."""

from __future__ import annotations

import re

import pytest

from mystique.book import diagrams

ARROWS = [
    {"from": "workload", "to": "burden", "sign": "+", "note": "more to do"},
    {"from": "trust", "to": "burden", "sign": "-", "note": ""},
    {"from": "burden", "to": "child complete", "sign": "-", "note": ""},
    {"from": "trust", "to": "child complete", "sign": "+", "note": ""},
]


def test_causes_stand_above_what_they_move():
    rows = diagrams.layers(ARROWS)
    assert [[place for place in row if isinstance(place, str)] for row in rows] == [["workload", "trust"], ["burden"], ["child complete"]]


def test_an_arrow_that_passes_a_layer_has_a_gap_of_its_own_there():
    """Otherwise it would run behind a box, and seem to end there."""
    assert diagrams.routes(ARROWS)[3] == ["trust", (3, 1), "child complete"]
    assert (3, 1) in diagrams.layers(ARROWS)[1]


def test_a_circle_is_refused():
    with pytest.raises(ValueError, match="circle"):
        diagrams.layers([*ARROWS, {"from": "child complete", "to": "trust", "sign": "+", "note": ""}])


def test_every_box_and_arrow_is_drawn_inside_the_picture_and_said_in_words():
    html = diagrams.html(ARROWS)
    assert html.count("<rect") == 4 and html.count("marker-end") == len(ARROWS)
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', html).groups())
    for left, top, wide, high in re.findall(r'<rect x="([\d.-]+)" y="([\d.-]+)" width="(\d+)" height="(\d+)"', html):
        assert 0 <= float(left) and float(left) + float(wide) <= width and 0 <= float(top) and float(top) + float(high) <= height
    assert "workload raises burden; trust lowers burden" in html
    assert "more to do" in html


def test_names_and_notes_are_text_not_markup():
    assert "<b>" not in diagrams.html([{"from": "a <b>", "to": "c", "sign": "+", "note": "<b>"}])
