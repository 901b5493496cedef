"""The employees at scale: the same rows however written, all or nothing, in memory that does not grow, with the truth in them."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from mystique.data import at_scale, employees
from mystique.data.at_scale import figures, write_at_scale
from mystique.data.package import DataError

PEOPLE = 50_000    # two and a half blocks


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_at_scale(PEOPLE, 7, tmp_path_factory.mktemp("made"), chunk=20_000)


@pytest.fixture(scope="module")
def rows(folder):
    return pd.read_parquet(folder / "employees.parquet")


# ---------------------------------------------------------------- the same rows however written


def test_the_same_seed_gives_the_same_rows_whatever_the_chunk(tmp_path, folder, rows):
    assert pq.ParquetFile(folder / "employees.parquet").num_row_groups == 3
    for chunk in [1, 45_000]:
        again = write_at_scale(PEOPLE, 7, tmp_path / str(chunk), chunk=chunk)
        pd.testing.assert_frame_equal(pd.read_parquet(again / "employees.parquet"), rows)
    assert pq.ParquetFile(tmp_path / "45000" / "employees_at_scale" / "employees.parquet").num_row_groups == 1


def test_the_same_seed_gives_the_same_bytes(tmp_path, folder):
    again = write_at_scale(np.int64(PEOPLE), np.int64(7), tmp_path, chunk=np.int64(20_000))
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_another_seed_gives_other_rows(tmp_path, rows):
    other = pd.read_parquet(write_at_scale(1000, 8, tmp_path) / "employees.parquet")
    assert not other["support"].head(1000).equals(rows["support"].head(1000))


def test_the_first_people_are_the_same_however_many_follow(tmp_path, rows):
    fewer = pd.read_parquet(write_at_scale(21_000, 7, tmp_path) / "employees.parquet")
    assert fewer["person_id"].nunique() == 21_000
    pd.testing.assert_frame_equal(fewer, rows.head(len(fewer)))


def test_the_rows_are_those_of_the_frames(rows):
    """What is written as Parquet is what the CSV's maker would make of the same people."""
    places = employees.settle(7, at_scale.AGENCIES_A_SURVEY, at_scale.YEARS)
    frame = employees.with_names(places, employees.employ(7, places, 1, PEOPLE))
    block = rows[rows["person_id"].between("P0020001", "P0040000")].reset_index(drop=True)
    for column in rows:
        np.testing.assert_array_equal(block[column].astype(frame[column].dtype), frame[column], err_msg=column)


def test_progress_is_told_to_the_end(tmp_path):
    told = []
    write_at_scale(PEOPLE, 7, tmp_path, chunk=20_000, progress=lambda done, people: told.append((done, people)))
    assert told == [(20_000, PEOPLE), (40_000, PEOPLE), (50_000, PEOPLE)]


# ---------------------------------------------------------------- codebook and data agree


def test_the_codebook_describes_the_files(folder, rows):
    package = json.loads((folder / "datapackage.json").read_text("utf-8"))
    assert package["name"] == folder.name == "employees_at_scale" and package["description"].startswith("SYNTHETIC")
    assert "50,000" in package["description"]
    for each in package["resources"]:
        table = pd.read_parquet(folder / each["path"])
        assert len(table) == each["rows"] and each["format"] == "parquet"
        assert [field["name"] for field in each["schema"]["fields"]] == list(table.columns)
        for field in each["schema"]["fields"]:
            values, rules = table[field["name"]], field["constraints"]
            assert not values.isna().any()
            assert values.isin(rules["enum"]).all() if "enum" in rules else True
            assert values.str.fullmatch(rules["pattern"]).all() if "pattern" in rules else True
            assert values.between(rules["minimum"], rules["maximum"]).all() if "minimum" in rules else True
            assert pd.api.types.is_numeric_dtype(values) == (field["type"] != "string")
    assert not rows.duplicated(["person_id", "year"]).any()
    assert rows["agency_id"].nunique() == 200 and rows["year"].nunique() == 10
    assert rows.groupby("person_id").size().max() == 3


def test_seed_and_truth_are_not_handed_out(tmp_path):
    folder = write_at_scale(100, 48151623, tmp_path)
    truth = json.loads((folder / "truth.json").read_text("utf-8"))
    assert truth["canary"] == "MYSTIQUE-CANARY-truth-employees" and truth["seed"] == 48151623 and truth["parameters"]["people"] == 100
    for path in folder.iterdir():
        assert (b"48151623" in path.read_bytes()) == (path.name == "truth.json")


# ---------------------------------------------------------------- all or nothing


@pytest.mark.parametrize("people", [0, -5, 2.5, "4000000", True, None, 10_000_000])
def test_a_silly_number_of_people_is_refused(tmp_path, people):
    with pytest.raises(DataError, match="whole number, 1 to 9,999,999") as problem:
        write_at_scale(people, 7, tmp_path / "new")
    assert repr(people) in str(problem.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("numbers", [{"chunk": 0}, {"chunk": 1.5}, {"seed": -1}, {"seed": None}])
def test_a_silly_chunk_or_seed_is_refused(tmp_path, numbers):
    with pytest.raises(DataError, match=f"{list(numbers)[0]}: found .* whole number"):
        write_at_scale(**{"people": 100, "seed": 7, "folder": tmp_path / "new", **numbers})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ZeroDivisionError, OSError])
def test_a_run_that_is_stopped_leaves_nothing_new_and_nothing_changed(tmp_path, stop):
    def halt(done, people):
        raise stop

    expected = DataError if stop is OSError else stop
    with pytest.raises(expected):
        write_at_scale(100, 7, tmp_path / "deep" / "er", progress=halt)
    assert not list(tmp_path.iterdir())
    old = write_at_scale(100, 7, tmp_path)
    before = {path.name: path.read_bytes() for path in old.iterdir()}
    with pytest.raises(expected):
        write_at_scale(200, 8, tmp_path, progress=halt)
    assert [path.name for path in tmp_path.iterdir()] == ["employees_at_scale"]
    assert {path.name: path.read_bytes() for path in old.iterdir()} == before
    write_at_scale(200, 8, tmp_path)
    assert {path.name: path.read_bytes() for path in old.iterdir()} != before


def test_a_folder_that_holds_anything_else_is_left_alone(tmp_path):
    kept = tmp_path / "employees_at_scale" / "thesis.docx"
    kept.parent.mkdir()
    kept.write_text("mine")
    with pytest.raises(DataError, match="thesis.docx"):
        write_at_scale(100, 7, tmp_path)
    assert kept.read_text() == "mine" and len(list(tmp_path.rglob("*"))) == 2


def test_a_file_where_the_folder_should_be_is_left_alone(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(DataError, match="out"):
        write_at_scale(100, 7, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


# ---------------------------------------------------------------- memory


MEMORY = """
import sys, tracemalloc
from mystique.data.at_scale import write_at_scale
write_at_scale(20_000, 7, sys.argv[1])
tracemalloc.start()
write_at_scale(int(sys.argv[2]), 7, sys.argv[1], chunk=20_000)
print(tracemalloc.get_traced_memory()[1])
"""


def test_memory_does_not_grow_with_the_number_of_people(tmp_path):
    def peak(people):
        done = subprocess.run([sys.executable, "-c", MEMORY, tmp_path, str(people)], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert peak(100_000) < 1.2 * peak(40_000)


# ---------------------------------------------------------------- Figures 1 and 2


@pytest.fixture(scope="module")
def found(folder):
    return figures(folder)


def test_figures_can_be_stored(found):
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["people"] == PEOPLE and found["agencies"] == 200 and found["years"] == 10
    assert len(json.dumps(found)) < 4000


def test_figure_1_compares_agencies_with_themselves(found, rows):
    for who in found["figure_1"].values():
        assert who["agency_observations"] == 2000
        assert who["pooled"]["estimate"] > who["agency_and_year"]["estimate"] + 0.1
        assert who["survey_and_year"]["estimate"] > who["agency_and_year"]["estimate"] + 0.1
    # The same by hand: with a dummy for each agency and year, as the course teaches it.
    means = rows.groupby(["agency_id", "year"], observed=True)[["support", "motivation"]].mean()
    dummies = pd.get_dummies(means.index.to_frame(), columns=["agency_id", "year"], dtype=float).to_numpy()
    by_hand = np.linalg.lstsq(np.column_stack([means["support"], dummies]), means["motivation"], rcond=None)[0][0]
    assert found["figure_1"]["all_asked"]["agency_and_year"]["estimate"] == pytest.approx(by_hand, abs=1e-4)


def test_figure_1_counts_first_years_across_row_groups(folder, rows):
    first = at_scale._read_people(folder / "employees.parquet")["first"]
    assert first.sum() == PEOPLE and (first == ~rows.duplicated("person_id")).all()


def test_figure_2_finds_the_truth(found):
    logit, linear = found["figure_2"]["logit"], found["figure_2"]["linear"]
    for term, truth in [("support", -0.50), ("motivation", -0.05), ("support:motivation", -0.20)]:
        assert abs(logit[term]["estimate"] - truth) < 3.5 * logit[term]["standard_error"] < 0.07
    assert -0.03 < linear["support:motivation"]["estimate"] < -0.01
    chances = [group["chance_of_leaving"] for group in found["figure_2"]["groups"].values()]
    assert chances == pytest.approx([.321, .389, .206, .136], abs=0.025)
    assert sum(group["people_near"] for group in found["figure_2"]["groups"].values()) > 3000


def test_the_estimates_are_those_of_statsmodels(rows):
    import statsmodels.formula.api as smf

    some = rows.astype({"agency_id": str}).query("agency_id < 'A021'")    # few dummies, so soon done
    how = {"cov_type": "cluster", "cov_kwds": {"groups": pd.factorize(some["agency_id"])[0]}}
    formula = "left ~ support * motivation + C(agency_id) + C(year)"
    for logit, theirs in [(True, smf.logit(formula, some).fit(disp=False, **how)), (False, smf.ols(formula, some).fit(**how))]:
        fit = at_scale._estimate("left ~ support * motivation | agency_id + year", some, logit=logit)
        for term, found in at_scale._terms(fit).items():
            assert found["estimate"] == pytest.approx(theirs.params[term], abs=2e-5)
            assert found["standard_error"] == pytest.approx(theirs.bse[term], rel=0.02)
        if logit:
            constants = theirs.params.filter(like="agency_id").sum() / 20, theirs.params.filter(like="year").sum() / 10
            slopes = theirs.params["support"] - theirs.params["motivation"] - theirs.params["support:motivation"]
            log_odds = theirs.params["Intercept"] + sum(constants) + slopes
            assert at_scale._chance(fit, 1, -1) == pytest.approx(1 / (1 + np.exp(-log_odds)), abs=1e-5)


def test_figures_of_no_data_say_what_to_do(tmp_path):
    with pytest.raises(DataError, match="not found.*mystique data employees --people"):
        figures(tmp_path)
