"""What holds for every data set alike: its bytes come from its seed, and its codebook and its files agree."""

from functools import lru_cache
from pathlib import Path

import frictionless
import pandas as pd
import pytest

from mystique import data
from mystique.book import diagrams

COMMITTED = Path(__file__).parents[2] / "datasets"

made = lru_cache(maxsize=None)(data.make)
every_set = pytest.mark.parametrize("name", data.NAMES)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@every_set
def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(name, tmp_path):
    first, second, other = (contents(data.write(data.make(name, seed), tmp_path / place)) for place, seed in [("a", 7), ("b", 7), ("c", 8)])
    assert sorted(first) == sorted([*(f"{table}.csv" for table in made(name, 7).tables), "datapackage.json", "truth.json"])
    assert first == second
    assert first["truth.json"] != other["truth.json"]
    assert any(first[table] != other[table] for table in first if table.endswith(".csv"))


@every_set
def test_the_books_copy_is_what_the_reference_seed_gives(name, tmp_path):
    written = contents(data.write(data.make(name, data.REFERENCE_SEED), tmp_path))
    assert written == contents(COMMITTED / name), f"make it again: mystique data {name}"


@every_set
def test_what_was_written_is_valid_and_read_back(name, tmp_path):
    folder = data.write(made(name, 7), tmp_path)
    for table, frame in data.read(folder).items():
        pd.testing.assert_frame_equal(frame, made(name, 7).tables[table])
    result = frictionless.validate(folder / "datapackage.json")
    assert result.valid, result.flatten(["type", "message"])


@every_set
def test_every_column_is_documented(name):
    package, tables = made(name, 7).package, made(name, 7).tables
    assert [each["name"] for each in package["resources"]] == list(tables)
    for resource in package["resources"]:
        fields = resource["schema"]["fields"]
        assert [field["name"] for field in fields] == list(tables[resource["name"]].columns)
        for field in fields:
            assert all(len(field[part]) > 3 for part in ("description", "unit", "construction", "missing")), field["name"]
    assert package["description"].startswith("SYNTHETIC")


@every_set
def test_the_making_is_told_and_drawn(name):
    package = made(name, 7).package
    assert 3 <= len(package["how_made"]) <= 6
    assert all(arrow.keys() == {"from", "to", "sign", "note"} and arrow["sign"] in {"+", "-", ""} for arrow in package["causal_diagram"])
    assert len(diagrams.layers(package["causal_diagram"])) >= 3  # raises if the arrows go round in a circle


@every_set
def test_seed_and_truth_are_not_handed_out(name):
    truth, package = made(name, 918273645).truth, str(made(name, 918273645).package)
    assert truth["seed"] == 918273645 and truth["name"] == name and truth["canary"] == f"MYSTIQUE-CANARY-truth-{name}"
    assert "918273645" not in package and "CANARY" not in package
    assert truth["traps"] and len({trap["id"] for trap in truth["traps"]}) == len(truth["traps"])
    assert all(trap.keys() == {"id", "what", "where", "fools", "see_through"} and all(trap.values()) for trap in truth["traps"])
