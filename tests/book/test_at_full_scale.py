"""The stored figures of the page "At full scale" are the model's own: the right size, and near the truth put in."""

import json
from pathlib import Path

import pytest

from mystique.data import agencies
from mystique.theory import chance_of_leaving

STORED = json.loads((Path(__file__).parents[2] / "book" / "at-full-scale.json").read_text(encoding="utf-8"))


def test_the_stored_figures_have_the_published_size_and_say_how_they_were_made():
    assert STORED["people"] >= 4_000_000
    assert STORED["figure_1"]["all_asked"]["agency_and_year"] and STORED["figure_1"]["all_asked"]["pooled"]
    assert "--people 4000000" in STORED["made_by"][0] and "mystique figures" in STORED["made_by"][1]


def test_figure_1_finds_the_effect_within_agencies_and_more_pooled():
    slopes = STORED["figure_1"]["all_asked"]
    within = slopes["agency_and_year"]
    assert within["estimate"] == pytest.approx(agencies.WITHIN, abs=3 * within["standard_error"])
    assert slopes["pooled"]["estimate"] > 1.5 * within["estimate"]


def test_figure_2_finds_the_chances_that_were_put_in():
    for name, group in STORED["figure_2"]["groups"].items():
        support, motivation = (1 if part.startswith("high") else -1 for part in name.split(", "))
        assert group["chance_of_leaving"] == pytest.approx(float(chance_of_leaving(support, motivation)), abs=0.015), name
