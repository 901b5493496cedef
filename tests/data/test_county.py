"""The county data: the same from the same seed, as its codebook says, with every trap in it and the truth to be found.

What depends on chance is tested as a mean over a few fixed seeds, with a tolerance of about three standard errors
of that mean (the standard deviations over seeds are in the module's docstring).
"""

import json
from functools import lru_cache
from pathlib import Path

import frictionless
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from mystique.data import NAMES, REFERENCE_SEED, DataError, make, read, write
from mystique.data.county import gain

COMMITTED = Path(__file__).parents[2] / "datasets" / "county"
SEEDS = REFERENCE_SEED, 7, 31
MANY_SEEDS = range(100)
ELEMENTS = ["date_of_birth", "race_ethnicity", "veteran_status", "disabling_condition", "prior_living_situation", "destination"]
TRUE_GAIN = 6.2   # the mean of 3.0 + 0.8 n for n = 1 to 7, in points of completeness

county = lru_cache(maxsize=None)(lambda seed: make("county", seed))
over_seeds = pytest.mark.parametrize("seed", SEEDS)


def tables(seed):
    return county(seed).tables


def of(name, seed, county=None, **where):
    """The rows of a table that have the given values."""
    rows = tables(seed)[name]
    for column, value in {**({"county": county} if county else {}), **where}.items():
        rows = rows[rows[column] == value]
    return rows


def mean_over(seeds, figure):
    return np.mean([figure(seed) for seed in seeds])


# ---------------------------------------------------------------- from a seed


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_reference_seed_gives_the_committed_bytes_every_time(tmp_path):
    first, second = (contents(write(make("county", REFERENCE_SEED), tmp_path / name)) for name in ["one", "two"])
    assert first == second
    assert len(first) == 6
    assert first == contents(COMMITTED), "datasets/county is not what county.py makes: write it again with REFERENCE_SEED"


def test_another_seed_gives_other_data_in_the_same_columns():
    for name, table in tables(REFERENCE_SEED).items():
        other = tables(7)[name]
        assert list(other.columns) == list(table.columns)
        assert not other.equals(table)


def test_a_numpy_seed_is_a_seed():
    assert make("county", np.int64(7)).truth["seed"] == 7
    pd.testing.assert_frame_equal(make("county", np.int64(7)).tables["voice"], tables(7)["voice"])


@pytest.mark.parametrize("seed", [-1, 1.0, "3", True, None, np.float64(2)])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises(DataError, match="whole number, 0 or more") as problem:
        make("county", seed)
    assert repr(seed) in str(problem.value) and all(name in str(problem.value) for name in NAMES)


@pytest.mark.parametrize("name", ["conty", "", None, "County"])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(DataError, match="no data set") as problem:
        make(name, 1)
    assert repr(name) in str(problem.value) and all(known in str(problem.value) for known in NAMES)


# ---------------------------------------------------------------- codebook and data agree


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(county(7), tmp_path_factory.mktemp("made"))


def test_what_was_made_is_what_is_read(folder):
    for name, table in read(folder).items():
        pd.testing.assert_frame_equal(table, tables(7)[name])


def test_frictionless_finds_the_package_valid(folder):
    for each in [folder, COMMITTED]:
        result = frictionless.validate(each / "datapackage.json")
        assert result.valid, result.flatten(["type", "message"])
        assert [task.stats["rows"] for task in result.tasks] == [len(table) for table in read(each).values()]


@pytest.mark.parametrize("table, old, new", [
    ("workers", "Lantern House", "Lighthouse"), ("monthly", "before", "during"), ("voice", "W001", "W999"), ("records", "R00001", "R1")])
def test_frictionless_and_read_both_see_damage(tmp_path, table, old, new):
    path = write(county(7), tmp_path) / f"{table}.csv"
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8", newline="\n")
    assert not frictionless.validate(path.parent / "datapackage.json").valid
    with pytest.raises(DataError, match=f"{table}.csv.*row 2.*{new}"):
        read(path.parent)


def test_every_column_is_documented_and_every_documented_column_is_there():
    package = county(7).package
    assert [each["name"] for each in package["resources"]] == list(tables(7)) == ["workers", "monthly", "records", "voice"]
    for each in package["resources"]:
        table, fields = tables(7)[each["name"]], each["schema"]["fields"]
        assert [field["name"] for field in fields] == list(table.columns)
        assert each["rows"] == len(table)
        for field in fields:
            for property in ["description", "unit", "missing", "construction"]:
                assert len(field[property]) >= 4, f"{each['name']}.{field['name']} has no {property}"
            rules = field["constraints"]
            assert {"enum", "pattern"} & rules.keys() or {"minimum", "maximum"} <= rules.keys(), f"{field['name']}: no range or categories"
            assert rules["required"] == (field["missing"] == "Never empty.")


def test_empty_cells_are_where_the_codebook_says():
    for each in county(7).package["resources"]:
        for field in each["schema"]["fields"]:
            empty = any(tables(seed)[each["name"]][field["name"]].isna().any() for seed in SEEDS)
            assert empty == (not field["constraints"]["required"]), f"{each['name']}.{field['name']}"


def test_every_category_occurs():
    for each in county(REFERENCE_SEED).package["resources"]:
        for field in each["schema"]["fields"]:
            if "enum" in field["constraints"]:
                found = set(tables(REFERENCE_SEED)[each["name"]][field["name"]].dropna())
                assert found == set(field["constraints"]["enum"]), f"{each['name']}.{field['name']}"


def test_the_package_says_that_it_is_synthetic_and_under_which_licence():
    package = county(7).package
    assert "SYNTHETIC" in package["description"]
    assert [licence["name"] for licence in package["licenses"]] == ["CC-BY-4.0"]


def test_seed_and_truth_are_not_handed_out(tmp_path):
    seed = 48151623
    folder = write(make("county", seed), tmp_path)
    assert str(seed) in (folder / "truth.json").read_text("utf-8")
    for path in folder.iterdir():
        if path.name != "truth.json":
            assert str(seed) not in path.read_text("utf-8") and "CANARY" not in path.read_text("utf-8"), path.name


def test_the_truth_names_its_traps_and_carries_the_canary():
    truth = json.loads((COMMITTED / "truth.json").read_text("utf-8"))
    assert truth["canary"] == "MYSTIQUE-CANARY-truth-county"
    assert truth["seed"] == REFERENCE_SEED
    traps = {trap["id"]: trap for trap in truth["traps"]}
    assert len(traps) == len(truth["traps"]) == 11
    assert all(len(trap[part]) > 10 for trap in traps.values() for part in ["what", "where", "fools", "see_through"])
    workers = read(COMMITTED)["workers"]
    for leaver in workers[workers["left_month"].notna()].itertuples():
        assert f"{leaver.worker_id} of {leaver.agency_id}, last month {leaver.left_month}" in traps["leavers"]["where"]
    assert workers.loc[workers["double_entry"] == 1, "agency_id"].iloc[0] in traps["double_entry"]["where"]
    assert truth["true_effects"]["completeness_points_average"] == TRUE_GAIN == pytest.approx(gain(np.arange(12, 19)).mean())


# ---------------------------------------------------------------- shape


@over_seeds
def test_counts(seed):
    workers, monthly, records, voice = tables(seed).values()
    assert workers["county"].value_counts().to_dict() == {"Juniper": 45, "Larch": 40}
    assert workers.groupby("county")["agency_id"].nunique().to_dict() == {"Juniper": 10, "Larch": 8}
    assert workers["agency_id"].nunique() == workers["agency"].nunique() == len(workers[["agency_id", "agency"]].drop_duplicates())
    assert sorted(monthly["month"].unique()) == list(range(1, 19))
    assert (monthly["period"] == np.where(monthly["month"] <= 11, "before", "after")).all()
    assert 3000 <= len(records) <= 6000
    assert voice.groupby("month").size().to_dict() == {11: 85, 18: 83}


@pytest.mark.full
def test_every_seed_gives_3000_to_6000_records_and_a_valid_package(tmp_path):
    for seed in MANY_SEEDS:
        workers, _, records, _ = read(write(county(seed), tmp_path)).values()
        assert 3000 <= len(records) <= 6000
        double = set(workers.loc[workers["double_entry"] == 1, "agency_id"])
        assert set(records.loc[records.duplicated(["client_id", "event_date"]), "agency_id"]) == double


@over_seeds
def test_records_are_consistent(seed):
    workers, monthly, records, _ = tables(seed).values()
    assert (records["entry_date"] >= records["event_date"]).all()
    assert (records["event_date"].dt.month + 12 * (records["event_date"].dt.year - 2023) == records["month"]).all()
    assert (records["wait_days"].notna() == (records["service_received"] == 1)).all()
    worked = set(zip(monthly["worker_id"], monthly["month"]))
    assert set(zip(records["worker_id"], records["month"])) <= worked
    homes = workers.set_index("worker_id")["agency_id"]
    for table in tables(seed).values():
        assert (table["agency_id"] == table["worker_id"].map(homes)).all()
        assert (table["county"] == table["agency_id"].str[0].map({"J": "Juniper", "L": "Larch"})).all()
    assert (monthly["records_entered"] <= monthly["records_due"]).all()


@over_seeds
def test_only_juniper_is_acted_on_and_only_from_month_12(seed):
    monthly = tables(seed)["monthly"]
    acted_on = (monthly["county"] == "Juniper") & (monthly["month"] >= 12)
    for action in ["tip_opened", "committee_attended", "infographic_sent"]:
        assert monthly.loc[~acted_on, action].sum() == 0
        assert 0.1 < monthly.loc[acted_on, action].mean() < 0.9


def test_the_means_are_as_planned():
    def mean(column, county, period, how="mean"):
        return mean_over(SEEDS, lambda seed: of("monthly", seed, county, period=period)[column].agg(how))

    assert mean("completeness_pct", "Juniper", "before") == pytest.approx(75, abs=1)
    assert mean("completeness_pct", "Juniper", "after") == pytest.approx(84, abs=1)
    assert mean("median_days_to_entry", "Juniper", "before", "median") == pytest.approx(12, abs=1)
    assert mean("median_days_to_entry", "Juniper", "after", "median") == pytest.approx(7, abs=1)
    assert mean("error_rate_pct", "Juniper", "before") == pytest.approx(14, abs=1)
    assert mean("error_rate_pct", "Juniper", "after") == pytest.approx(9, abs=1)
    assert mean("logins", "Juniper", "before") == pytest.approx(4, abs=0.5)
    assert mean("logins", "Juniper", "after") == pytest.approx(7, abs=0.6)
    assert mean("completeness_pct", "Larch", "before") == pytest.approx(75.7, abs=1)
    assert mean_over(SEEDS, lambda seed: of("workers", seed, "Juniper")["usefulness_before"].mean()) == pytest.approx(2.9, abs=0.35)
    assert mean_over(SEEDS, lambda seed: of("workers", seed, "Juniper")["usefulness_after"].mean()) == pytest.approx(4.4, abs=0.35)


def test_users_voice_changes_in_juniper():
    def rise(county, figure):
        return mean_over(SEEDS, lambda seed: figure(of("voice", seed, county, month=18)) - figure(of("voice", seed, county, month=11)))

    def support(rows):
        return rows["support"].mean()

    def ours(rows):
        return (rows["ours_or_theirs"].dropna() == "ours").mean()

    assert rise("Juniper", support) - rise("Larch", support) > 1
    assert rise("Juniper", ours) - rise("Larch", ours) > 0.2


def completeness(records):
    """Valid answers as a percentage of answers due: the definition that the codebook gives."""
    due = records[ELEMENTS] != "not due"
    return 100 * (records[ELEMENTS] == "valid").to_numpy().sum() / due.to_numpy().sum()


@over_seeds
def test_one_quality_drives_the_monthly_report_and_the_records(seed):
    for county_name in ["Juniper", "Larch"]:
        for months in [range(1, 12), range(12, 19)]:
            monthly, records = (
                rows[rows["month"].isin(months)] for rows in [of("monthly", seed, county_name), of("records", seed, county_name)])
            assert completeness(records) == pytest.approx(monthly["completeness_pct"].mean(), abs=2.5)
    by_worker = pd.DataFrame({
        "monthly": tables(seed)["monthly"].groupby("worker_id")["completeness_pct"].mean(),
        "records": tables(seed)["records"].groupby("worker_id").apply(completeness),
    })
    assert by_worker.corr().iloc[0, 1] > 0.7


# ---------------------------------------------------------------- the truth can be found


def panel(seed, county=None):
    rows = of("monthly", seed, county)
    after = (rows["month"] >= 12).astype(int)
    return rows.assign(after=after, since=after * (rows["month"] - 11), acted_on=after * (rows["county"] == "Juniper"))


@lru_cache(maxsize=None)
def segmented(seed, update=" + system_update"):
    """Trend, level and slope in Juniper, with a term for each worker."""
    return smf.ols(f"completeness_pct ~ month + after + since{update} + C(worker_id)", panel(seed, "Juniper")).fit().params


@lru_cache(maxsize=None)
def difference_in_differences(seed):
    return smf.ols("completeness_pct ~ acted_on + C(worker_id) + C(month)", panel(seed)).fit().params["acted_on"]


@lru_cache(maxsize=None)
def before_and_after(seed, county, same_workers=False):
    rows = panel(seed, county)
    if same_workers:
        rows = rows[rows.groupby("worker_id")["month"].transform("max") == 18]
    return rows.loc[rows["after"] == 1, "completeness_pct"].mean() - rows.loc[rows["after"] == 0, "completeness_pct"].mean()


def check_recovery(seeds, trend, level, slope, gain):
    """The tolerances are those of the mean over these seeds."""
    assert mean_over(seeds, lambda seed: segmented(seed)["month"]) == pytest.approx(0.25, abs=trend)
    assert mean_over(seeds, lambda seed: segmented(seed)["after"]) == pytest.approx(3.0, abs=level)
    assert mean_over(seeds, lambda seed: segmented(seed)["since"]) == pytest.approx(0.8, abs=slope)
    assert mean_over(seeds, difference_in_differences) == pytest.approx(TRUE_GAIN, abs=gain)
    naive = mean_over(seeds, lambda seed: before_and_after(seed, "Juniper"))
    assert naive > TRUE_GAIN + 2, "the naive comparison is not fooled"
    assert naive > TRUE_GAIN + 2 * gain, "the tolerance would let the naive comparison pass"


def test_the_truth_is_recovered():
    check_recovery(SEEDS, trend=0.17, level=1.6, slope=0.35, gain=1.25)


@pytest.mark.full
def test_the_truth_is_recovered_over_many_seeds():
    """Difference in differences lies 0.14 low, since nobody can pass 100 %: hence 0.14 + 3 standard errors."""
    check_recovery(MANY_SEEDS, trend=0.03, level=0.3, slope=0.1, gain=0.35)


# ---------------------------------------------------------------- the traps are there


def test_trap_trend():
    def slope(seed):
        rows = of("monthly", seed, "Larch", system_update=0)
        return np.polyfit(rows["month"], rows["completeness_pct"], 1)[0]

    assert mean_over(SEEDS, slope) == pytest.approx(0.25, abs=0.12)
    assert mean_over(SEEDS, lambda seed: before_and_after(seed, "Larch")) > 1.5


def test_trap_regression_to_the_mean():
    def change(seed, county, pick):
        wide = of("monthly", seed, county).pivot(index="worker_id", columns="month", values="completeness_pct").dropna()
        chosen = wide.loc[getattr(wide[11], pick)(10).index]
        return (chosen[range(12, 19)].mean(axis=1) - chosen[11]).mean()

    trend = 1.0  # what everybody gains from month 11 to the middle of months 12-18
    seeds = [*SEEDS, 1, 2, 3]
    assert mean_over(seeds, lambda seed: change(seed, "Larch", "nsmallest")) > trend + 1.5
    assert mean_over(seeds, lambda seed: change(seed, "Larch", "nlargest")) < trend - 1.5
    assert mean_over(seeds, lambda seed: change(seed, "Juniper", "nsmallest")) > TRUE_GAIN + trend + 1.5


@over_seeds
def test_trap_system_update(seed):
    for county_name in ["Juniper", "Larch"]:
        months = of("monthly", seed, county_name).groupby("month")["completeness_pct"].mean()
        assert months[9] < months[[8, 10]].mean() - 4
    flagged = of("monthly", seed, system_update=1)
    assert set(flagged["month"]) == {9} and len(flagged) == 85
    # Whoever keeps month 9 as an ordinary month finds too flat a trend and too large an effect.
    kept, told = segmented(seed, update=""), segmented(seed)
    assert kept["month"] < told["month"] - 0.1
    assert kept["after"] + 4 * kept["since"] > told["after"] + 4 * told["since"] + 1.5
    last_quarter = of("monthly", seed, "Juniper").query("9 <= month <= 11")["completeness_pct"].mean()
    assert of("monthly", seed, "Juniper", period="after")["completeness_pct"].mean() - last_quarter > TRUE_GAIN + 1.5


@over_seeds
def test_trap_leavers(seed):
    workers, monthly = tables(seed)["workers"], tables(seed)["monthly"]
    leavers = workers[workers["left_month"].notna()].set_index("worker_id")
    assert leavers["county"].tolist() == ["Juniper", "Juniper"] and leavers["agency_id"].nunique() == 2
    assert sorted(leavers["left_month"]) == [12, 14]
    months = monthly.groupby("worker_id")["month"].agg(["min", "max", "size"])
    assert (months["min"] == 1).all() and (months["max"] == months["size"]).all()      # nobody new, no gaps
    assert months["max"].to_dict() == {worker: leavers["left_month"].get(worker, 18) for worker in workers["worker_id"]}
    told = monthly.loc[monthly["staff_turnover"] == 1, ["agency_id", "month"]].drop_duplicates()
    assert set(told.itertuples(index=False, name=None)) == set(leavers[["agency_id", "left_month"]].itertuples(index=False, name=None))
    before = monthly[(monthly["period"] == "before") & (monthly["county"] == "Juniper")].groupby("worker_id")["completeness_pct"].mean()
    assert (before.rank(pct=True)[leavers.index] < 0.25).all()
    assert before_and_after(seed, "Juniper") > before_and_after(seed, "Juniper", same_workers=True) + 0.15


@over_seeds
def test_trap_double_entry(seed):
    workers = tables(seed)["workers"]
    [agency] = workers.loc[workers["double_entry"] == 1, "agency_id"].unique()
    assert agency.startswith("J") and (workers.loc[workers["agency_id"] == agency, "double_entry"] == 1).all()
    juniper = of("monthly", seed, "Juniper")
    its, others = juniper[juniper["agency_id"] == agency], juniper[juniper["agency_id"] != agency]
    assert its["completeness_pct"].mean() < others["completeness_pct"].mean() - 3
    assert its["median_days_to_entry"].median() > 1.4 * others["median_days_to_entry"].median()


@over_seeds
def test_trap_duplicates(seed):
    records, workers = tables(seed)["records"], tables(seed)["workers"]
    [agency] = workers.loc[workers["double_entry"] == 1, "agency_id"].unique()
    again = records.duplicated(["client_id", "event_date"])
    assert set(records.loc[again, "agency_id"]) == {agency}
    assert 0.1 < again.sum() / (records["agency_id"] == agency).sum() < 0.35
    pairs = records[again].merge(records[~again], on=["client_id", "event_date"], suffixes=("_second", "_first"))
    assert len(pairs) == again.sum()
    assert (pairs["entry_date_second"] >= pairs["entry_date_first"]).all()
    assert (pairs["entry_date_second"] > pairs["entry_date_first"]).mean() > 0.9    # equal only at the longest delay
    assert (pairs["service_asked_second"] == pairs["service_asked_first"]).all()
    # Returning clients are no duplicates: whoever keeps one row a client loses many true enrolments.
    assert (~again).sum() - records["client_id"].nunique() > 300


def test_second_copies_are_less_complete():
    def difference(seed):
        records = tables(seed)["records"]
        again = records.duplicated(["client_id", "event_date"])
        has_a_second = records.duplicated(["client_id", "event_date"], keep="last") & ~again
        assert has_a_second.sum() == again.sum()
        return completeness(records[has_a_second]) - completeness(records[again])

    assert mean_over(SEEDS, difference) > 4


def test_trap_missing_answers():
    def flattery(seed):
        """How much the mean of the answers exceeds the mean of all workers, in points of the scale."""
        everyone = county(seed).truth["if_all_had_answered"]
        return np.mean([rows["support"].mean() - everyone[f"{name}, month {month}"]["support"]
                        for (name, month), rows in tables(seed)["voice"].groupby(["county", "month"])])

    def silence(seed, month):
        return of("voice", seed, month=month)["support"].isna().mean()

    assert all(flattery(seed) > 0.05 for seed in SEEDS)
    assert 0.1 < mean_over(SEEDS, lambda seed: silence(seed, 11)) < mean_over(SEEDS, lambda seed: silence(seed, 18)) < 0.4
    for need in ["autonomy", "competence", "relatedness"]:
        assert 0 < mean_over(SEEDS, lambda seed: tables(seed)["workers"][need].isna().mean()) < 0.08


@over_seeds
def test_trap_refused_is_not_valid(seed):
    def order(counted):
        records = of("records", seed, "Juniper").query("month <= 11")
        share = records.groupby("agency_id").apply(
            lambda rows: rows[ELEMENTS].isin(counted).to_numpy().sum() / (rows[ELEMENTS] != "not due").to_numpy().sum())
        return share.sort_values()

    right, wrong = order(["valid"]), order(["valid", "refused", "doesn't know"])
    assert (wrong[right.index] > right).all()
    assert list(right.index) != list(wrong.index)
    # The order changes because agencies have habits: the share of "refused" among the gaps differs beyond chance (0.03).
    statuses = of("records", seed, "Juniper").melt("agency_id", ELEMENTS, value_name="status")
    gaps = statuses[~statuses["status"].isin(["valid", "not due"])]
    assert (gaps["status"] == "refused").groupby(gaps["agency_id"]).mean().std() > 0.06


@over_seeds
def test_trap_not_due(seed):
    records = tables(seed)["records"]
    early, late = records[records["month"] <= 3], records[records["month"] >= 16]
    assert (early["destination"] == "not due").mean() < 0.12 and (late["destination"] == "not due").mean() > 0.3
    juniper = late[late["county"] == "Juniper"]
    wrong = 100 * (juniper[ELEMENTS] == "valid").to_numpy().mean()
    assert wrong < completeness(juniper) - 3


def test_trap_good_workers_attend():
    def head_start(seed):
        juniper = of("monthly", seed, "Juniper")
        before = juniper[juniper["period"] == "before"].groupby("worker_id")["completeness_pct"].mean()
        came = juniper[juniper["period"] == "after"].groupby("worker_id")["committee_attended"].mean()
        return before[came > came.median()].mean() - before[came <= came.median()].mean()

    assert mean_over([*SEEDS, 1, 2, 3], head_start) > 1


@over_seeds
def test_trap_waits_of_the_served_and_the_gap_for_housing(seed):
    services = tables(seed)["records"].groupby("service_asked").agg(
        asked=("service_received", "size"), received=("service_received", "mean"), wait=("wait_days", "median"))
    assert services["asked"].idxmax() == services["received"].idxmin() == services["wait"].idxmax() == "housing"
    others = services.drop("housing")
    assert services.loc["housing", "received"] < others["received"].min() - 0.1
    assert services.loc["housing", "wait"] > others["wait"].max() + 10


def test_the_gap_for_housing_widens_and_the_others_do_not():
    def change(seed, housing, column):
        records = tables(seed)["records"]
        asked = records[(records["service_asked"] == "housing") == housing]
        return asked.loc[asked["month"] >= 13, column].mean() - asked.loc[asked["month"] <= 6, column].mean()

    assert mean_over(SEEDS, lambda seed: change(seed, True, "service_received")) < -0.07
    assert mean_over(SEEDS, lambda seed: change(seed, True, "wait_days")) > 15
    assert mean_over(SEEDS, lambda seed: change(seed, False, "service_received")) == pytest.approx(0, abs=0.04)
    assert mean_over(SEEDS, lambda seed: change(seed, False, "wait_days")) == pytest.approx(0, abs=2)


@over_seeds
def test_agencies_differ_little_in_the_services(seed):
    records = tables(seed)["records"]
    met = records[records["service_asked"] != "housing"].groupby("agency_id")["service_received"].mean()
    assert met.std() < 0.08


def test_no_worker_is_more_than_complete():
    reported = pd.concat(tables(seed)["monthly"]["completeness_pct"] for seed in SEEDS)
    assert reported.min() >= 40 and reported.max() == 100
