"""The checks module is fair: it compares by meaning, tells missing, malformed and wrong apart, and never shows a traceback."""

import csv
import decimal
import fractions
import io
import math
import subprocess
import sys
import warnings

import altair as alt
import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter

from mystique.grading import checks


class EqualsEverything:
    """What a student might try: an object that says it equals any other."""

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1


class FloatThatEqualsEverything(float):
    def __eq__(self, other):
        return True

    def __abs__(self):
        return 0.0

    def __sub__(self, other):
        return 0.0

    def __hash__(self):
        return 1


def question(names=None, **options):
    return checks.Question("q1", names if names is not None else {}, **options)


def scored(q, capsys):
    """(points, text) of a question, and nothing on stderr."""
    score = q.score()
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "Traceback" not in captured.out
    return score, captured.out


# ------------------------------------------------------------------------------------------ points, messages, bounds


def test_points_add_up_check_by_check(capsys):
    q = question({"x": 3})
    with q.check("one", points=2):
        assert True
    with q.check("two", points=1):
        raise checks.Wrong("The second is wrong.")
    score, text = scored(q, capsys)
    assert score == 2 and type(score) is float
    assert "q1: 2 of 3 points" in text and "[ok] one (2 points)" in text and "[--] two (0 of 1 point)" in text
    assert "The second is wrong." in text


def test_a_failed_check_links_to_the_section(capsys):
    q = question(section="county-which-counts")
    with q.check("a"):
        raise checks.Wrong("no")
    with q.check("b", section="county-monday"):
        raise checks.Wrong("no")
    _, text = scored(q, capsys)
    assert "the-database-nobody-wanted.html#county-which-counts" in text
    assert "the-database-nobody-wanted.html#county-monday" in text
    assert text.count("       no") == 1, "the same message is said once"


def test_an_error_inside_becomes_one_sentence(capsys):
    q = question({"frame": pd.DataFrame({"a": [1]})})
    with q.check("a column", hint="Look at the columns."):
        q.value("frame")["month"]
    score, text = scored(q, capsys)
    assert score == 0
    assert "could not be checked: KeyError 'month'. Look at the columns." in text
    assert "File " not in text


@pytest.mark.parametrize("error", [SystemExit(1), RecursionError("deep"), ValueError("a\nb" * 200)])
def test_other_ways_to_stop_are_caught(error, capsys):
    q = question()
    with q.check("stops"):
        raise error
    score, text = scored(q, capsys)
    assert score == 0 and "could not be checked" in text and len(text) < 400


def test_the_graders_interrupt_is_not_swallowed():
    q = question()
    with pytest.raises(KeyboardInterrupt):
        with q.check("endless"):
            raise KeyboardInterrupt


@pytest.mark.parametrize("points", [-1, math.nan, math.inf])
def test_points_that_would_mislead_nbgrader_are_refused(points):
    with pytest.raises(ValueError):
        question().check("a", points=points)


def test_score_is_zero_without_any_check(capsys):
    assert scored(question(), capsys)[0] == 0.0


def test_what_student_code_prints_or_warns_is_kept_out(capsys):
    def noisy(x):
        print("I peek at", x)
        print("oops", file=sys.stderr)
        warnings.warn("odd")
        return 1

    q = question({"noisy": noisy})
    with q.check("runs"):
        assert q.call("noisy", "a hidden input") == 1
    score, text = scored(q, capsys)
    assert score == 1 and "peek" not in text


# ------------------------------------------------------------------------------------- missing, malformed, wrong


def form_and_value(q):
    with q.form("`share` is a number"):
        q.number("share")
    with q.check("the share", points=2):
        checks.same_number(q.number("share"), 75, places=1, message="Not the share.")
    with q.check("something else", points=1):
        assert True


@pytest.mark.parametrize("names, message", [
    ({}, "`share` does not exist yet"),
    ({"share": None}, "`share` is still empty: put your answer in the place of None."),
    ({"share": ...}, "`share` is still empty: put your answer in the place of the three dots."),
    ({"share": "75"}, "`share` is a str, a number was expected"),
    ({"share": True}, "`share` is True or False, a number was expected"),
    ({"share": [1, 2]}, "`share` holds 2 values, one number was expected"),
    ({"share": {"a": 1}}, "`share` is a dict, a number was expected"),
    ({"share": 1 + 2j}, "`share` is a complex, a number was expected"),
    ({"share": len}, "`share` is a builtin_function_or_method, a number was expected"),
    ({"share": EqualsEverything()}, "`share` is an EqualsEverything, a number was expected"),
])
def test_missing_and_malformed_stop_what_depends_on_them(names, message, capsys):
    q = question(names)
    form_and_value(q)
    score, text = scored(q, capsys)
    assert score == 1, "a check that does not need the name still counts"
    assert message in text
    assert "Another check waits until this is put right." in text
    assert "Not the share." not in text


def test_wrong_is_neither_missing_nor_malformed(capsys):
    q = question({"share": 20})
    form_and_value(q)
    score, text = scored(q, capsys)
    assert score == 1 and "Not the share." in text and "waits" not in text


def test_a_function_that_gives_nothing_back(capsys):
    q = question({"f": lambda x: None, "g": lambda x: print(x), "h": 5})
    for name in ("f", "g", "h"):
        with q.form(f"`{name}` gives a number"):
            checks.number(q.call(name, 1))
    with q.check("its value"):
        q.call("f", 2)
    score, text = scored(q, capsys)
    assert score == 0
    assert "`f` gives nothing back yet (None)" in text
    assert "`g` prints its answer but gives nothing back" in text
    assert "`h` is an int, a function was expected" in text


def test_a_function_gets_copies_and_its_meddling_is_seen(capsys):
    def meddles(frame):
        frame["b"] = 1
        return len(frame)

    frame = pd.DataFrame({"a": [1, 2]})
    q = question({"meddles": meddles, "sorts": lambda numbers: numbers.sort() or numbers[0], "fine": lambda frame: len(frame)})
    with q.check("meddles"):
        q.leaves_alone("meddles", frame)
    with q.check("sorts"):
        q.leaves_alone("sorts", [3, 1])
    with q.check("fine"):
        q.leaves_alone("fine", frame)
    score, text = scored(q, capsys)
    assert list(frame.columns) == ["a"]
    assert score == 1 and "`meddles` changes the table it is given" in text


# ------------------------------------------------------------------------------------------- a student's own copy


def test_a_students_copy_says_that_hidden_checks_wait(capsys, monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    q = question({"share": 20}, checks=3)
    with q.form("`share` is a number"):
        q.number("share")
    score, text = scored(q, capsys)
    assert "visible checks: 1 of 3; the others run when your work is graded." in text
    assert "points" not in text
    assert isinstance(score, float)
    assert DisplayFormatter().format(score) == ({}, {}), "a notebook shows no misleading 0.0"


def test_a_students_copy_says_what_is_wrong(capsys, monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    q = question({"share": "x"}, checks=3)
    with q.form("`share` is a number"):
        q.number("share")
    _, text = scored(q, capsys)
    assert "not passed yet" in text and "a number was expected" in text


def test_graded_work_always_ends_with_a_plain_number(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    q = question({"share": 20}, checks=3)
    with q.form("`share` is a number"):
        q.number("share")
    assert type(q.score()) is float, "nbgrader would take anything else for full marks"


# ---------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize("value", [
    75, 75.0, np.int64(75), np.float32(75), np.array(75), np.array([75]), [75], (75,), pd.Series([75], index=["x"]), pd.Index([75]),
    pd.DataFrame({"a": [75]}), decimal.Decimal("75"), fractions.Fraction(75), 74.96, 75.04, np.array([[75.0]]), pd.Series([75], dtype="Int64"),
    pd.Series([75], dtype="Int64").array, pd.Series([75.0]).array, pd.Series([75], dtype="Float64").unique(),
])
def test_same_number_accepts(value):
    checks.same_number(value, 75, places=1)


@pytest.mark.parametrize("value", [74.9, 75.1, math.nan, math.inf, 0, -75, pd.NA])
def test_same_number_rejects(value):
    with pytest.raises(checks.Wrong):
        checks.same_number(value, 75, places=1)


@pytest.mark.parametrize("value", ["75", True, [1, 2], {}, None.__class__, pd.Series([1, 2]), pd.array([1, 2]), np.timedelta64(75, "D"), EqualsEverything(), [EqualsEverything()]])
def test_what_is_no_number_is_malformed(value):
    with pytest.raises(checks.Malformed):
        checks.number(value)


def test_an_object_that_equals_everything_gains_nothing():
    with pytest.raises(checks.Wrong):
        checks.same_number(FloatThatEqualsEverything(3), 75)
    with pytest.raises(checks.Malformed):
        checks.items([EqualsEverything()])
    with pytest.raises(checks.Malformed):
        checks.table(pd.DataFrame({"a": [EqualsEverything()]}), ["a"])
    with pytest.raises(checks.Wrong):
        checks.require(EqualsEverything(), "only True is true")


def test_rounding_is_judged_by_the_difference():
    assert checks.is_close(0.5, 0.45, places=1) and checks.is_close(2.67, 2.675, places=2) and checks.is_close(2.68, 2.675, places=2)
    assert not checks.is_close(0.5, 0.44, places=1)
    assert checks.is_close(1e9 + 1, 1e9) and not checks.is_close(1e9 + 1e4, 1e9)


def test_known_mistakes_get_their_message_and_right_answers_none():
    with pytest.raises(checks.Wrong, match="the missing ones"):
        checks.same_number(25, 75, mistakes=[(50, "no"), (25, "the missing ones")])
    checks.same_number(75, 75, mistakes=[(75, "a coincidence in this year's data")])
    with pytest.raises(checks.Wrong, match="share between 0 and 1"):
        checks.same_number(0.75, 75)
    with pytest.raises(checks.Wrong, match="a hundred times too large"):
        checks.same_number(7500, 75)


@pytest.mark.parametrize("got, expected, places", [(32, 31.8181, 1), (31, 31.8181, 1), (4.9, 4.8765, 2), (5, 4.8765, 2), (4.8, 4.8765, 2), (-1.2, -1.234, 2), (30.0, 30.3, 1)])
def test_rounded_too_far_is_told_as_that(got, expected, places):
    with pytest.raises(checks.Wrong, match="is right, but rounded too far or cut off: give (one|two) decimals? or more"):
        checks.same_number(got, expected, places=places, message="another number")


@pytest.mark.parametrize("got, expected, places", [(33, 31.8181, 1), (31.7, 31.8181, 1), (31.4, 31.8181, 1), (0, 0.3, 1), (32, 31.8181, None), (40, 31.8181, 1), (-1.2, 1.234, 2)])
def test_another_number_is_not_told_to_be_rounded(got, expected, places):
    with pytest.raises(checks.Wrong, match="another number"):
        checks.same_number(got, expected, places=places, message="another number")


def test_a_rounded_share_is_still_told_to_be_a_share():
    for share in (0.318181, 0.32, 0.3182):
        with pytest.raises(checks.Wrong, match="share between 0 and 1"):
            checks.same_number(share, 31.8181, places=1)


# ---------------------------------------------------------------------------------------------- text, letters, lists


@pytest.mark.parametrize("value", ["B", "b", " B ", "B.", "(b)", "B)", ["B"], np.array(["B"]), pd.Series(["b"]),
                                   pd.Series(["b"]).array, pd.Series(["b"], dtype="string").unique(), pd.Series(["b"], dtype="category").values])
def test_choice_accepts(value):
    assert checks.choice(value, "ABCD") == "B"


@pytest.mark.parametrize("value", ["E", "AB", "", 2, ["A", "B"], None, "valid", EqualsEverything()])
def test_choice_refuses(value):
    with pytest.raises(checks.Malformed):
        checks.choice(value, "ABCD")


@pytest.mark.parametrize("value", [["A", "C"], ("c", "a"), {"A", "C"}, "A, C", "a and c", "AC", "A/C", ["A, C"], "a; c.", np.array(["A", "C"]), pd.Series(["C", "A", "A"])])
def test_choices_accept(value):
    assert checks.choices(value, "ABC") == {"A", "C"}


def test_choices_tell_empty_from_malformed():
    with pytest.raises(checks.Missing):
        checks.choices([], "ABC")
    for other in (["Z"], "all", ["A", 2], "AZ"):
        with pytest.raises(checks.Malformed):
            checks.choices(other, "ABC")


@pytest.mark.parametrize("value", [
    [1, 2, 3], (1, 2, 3), np.array([1, 2, 3]), pd.Series([1, 2, 3], index=list("abc")), pd.Index([1, 2, 3]), range(1, 4), (n for n in (1, 2, 3)),
    pd.DataFrame({"a": [1, 2, 3]}), [np.int8(1), 2.0, 3], [3, 2, 1], {1, 2, 3}, pd.array([1, 2, 3], dtype="Int64"),
])
def test_lists_are_the_same_in_any_container(value):
    checks.same_items(checks.items(value), [1, 2, 3])


@pytest.mark.parametrize("value", [[1, 2], [1, 2, 3, 3], [1, 2, 4], [], ["1", "2", "3"], [1, 2, math.nan]])
def test_other_lists_are_wrong(value):
    with pytest.raises(checks.Wrong):
        checks.same_items(checks.items(value), [1, 2, 3], message="no")


def test_order_counts_only_where_it_is_asked():
    checks.same_items(["b", "a"], ["a", "b"])
    with pytest.raises(checks.Wrong):
        checks.same_items(["b", "a"], ["a", "b"], ordered=True)


def test_lists_say_too_many_and_too_few():
    with pytest.raises(checks.Wrong, match="many"):
        checks.same_items(["a", "b"], ["a"], too_many="many", too_few="few")
    with pytest.raises(checks.Wrong, match="few"):
        checks.same_items(["a"], ["a", "b"], too_many="many", too_few="few")


def test_names_may_stand_in_a_series_index():
    low = pd.Series([10.0, 20.0], index=["Lantern House", "Cedar Row "])
    assert checks.items(low, kind="text") == ["Lantern House", "Cedar Row"]
    for index in (low.index, low.index.astype("string"), low.index.astype("category"), low.index.astype(object)):
        assert checks.items(low.to_frame("pct").assign(due=30).set_index(index), kind="text") == ["Lantern House", "Cedar Row"]
    with pytest.raises(checks.Malformed, match="names was expected"):
        checks.items([10.0, 20.0], kind="text")
    with pytest.raises(checks.Malformed, match="one text, a list was expected"):
        checks.items("Lantern House, Cedar Row", kind="text")
    with pytest.raises(checks.Malformed):
        checks.items(5)


@pytest.mark.parametrize("value", [{"a": 1, "b": 2}, pd.Series({"b": 2, "a": 1}), [("a", 1), ("b", 2.0)], pd.DataFrame({"k": ["a", "b"], "v": [1, 2]}),
                                   pd.DataFrame({"v": [1, 2]}, index=["a", "b"])])
def test_mappings_are_the_same_in_any_container(value):
    assert checks.mapping(value) == {"a": 1.0, "b": 2.0}


def test_text_is_trimmed_and_case_is_free_where_allowed():
    assert checks.text("  Lantern House ") == "Lantern House"
    assert checks.is_same("lantern house", "Lantern House", ignore_case=True) and not checks.is_same("lantern house", "Lantern House")


def test_what_can_be_read_once_is_read_by_every_check(capsys):
    q = question({"visit": reversed(["b", "a"]), "pairs": (name for name in "ab")})
    for name in ("visit", "pairs", "visit", "pairs"):
        with q.check(f"{name} again"):
            checks.same_items(q.items(name, kind="text"), ["a", "b"], ordered=True)
    assert scored(q, capsys)[0] == 4


# ---------------------------------------------------------------------------------------------- tables

EXPECTED = pd.DataFrame({"agency": ["J01", "J02", "J03"], "n": [3, 4, 0], "pct": [50.0, 33.3333333, math.nan]})


@pytest.mark.parametrize("value", [
    EXPECTED,
    EXPECTED.sample(frac=1, random_state=1),
    EXPECTED[["pct", "n", "agency"]],
    EXPECTED.set_index("agency"),
    EXPECTED.assign(more="x"),
    EXPECTED.round(1),
    EXPECTED.astype({"n": float}),
    EXPECTED.astype({"n": "Int64", "agency": "category"}),
    EXPECTED.rename(columns=str.title),
    EXPECTED.to_dict("list"),
    EXPECTED.to_dict("records"),
    EXPECTED.assign(agency=EXPECTED["agency"] + " "),
    EXPECTED.astype({"pct": object}).where(EXPECTED.notna(), None),
    EXPECTED.set_index(pd.Index([7, 7, 7])),
])
def test_tables_that_mean_the_same(value):
    checks.same_table(checks.table(value, ["agency", "n", "pct"]), EXPECTED, by="agency", places={"pct": 1})


@pytest.mark.parametrize("value", [
    EXPECTED.assign(n=[3, 4, 1]),
    EXPECTED.assign(pct=[50.0, 33.3, 0]),
    EXPECTED.assign(pct=EXPECTED["pct"] / 100),
    EXPECTED.iloc[:2],
    pd.concat([EXPECTED, EXPECTED.iloc[:1]]),
    EXPECTED.assign(agency=["J01", "J02", "L03"]),
    EXPECTED.assign(n=["3", "4", "0"]),
])
def test_tables_that_differ(value):
    with pytest.raises(checks.Wrong):
        checks.same_table(checks.table(value, ["agency", "n", "pct"]), EXPECTED, by="agency", places={"pct": 1}, message="no", rows="rows")


def test_order_of_rows_counts_only_where_it_is_asked():
    turned = checks.table(EXPECTED.iloc[::-1], EXPECTED.columns)
    checks.same_table(turned, EXPECTED, by="agency")
    with pytest.raises(checks.Wrong):
        checks.same_table(turned, EXPECTED, by="agency", ordered=True, message="no")


def test_table_says_what_is_malformed():
    with pytest.raises(checks.Malformed, match="is a list, a table"):
        checks.table([1, 2], ["agency"])
    with pytest.raises(checks.Malformed, match="has no column 'pct'. Its columns are: 'agency', 'n'"):
        checks.table(EXPECTED[["agency", "n"]], ["agency", "pct"])


@pytest.mark.parametrize("value, places, message", [
    (EXPECTED.round(0), {"pct": 1}, "Column `pct` is right, but rounded too far or cut off: give one decimal or more"),
    (EXPECTED.round(1), 2, "Column `pct` is right, but rounded too far or cut off: give two decimals or more"),
    (EXPECTED.assign(pct=["50%", "33.3%", ""]), {"pct": 1}, "Column `pct` holds text, numbers were expected"),
    (EXPECTED.round(0).assign(n=[3, 4, 1]), {"pct": 1}, "neither"),
    (EXPECTED.assign(pct=[50, 34, math.nan]), {"pct": 1}, "neither"),
])
def test_a_table_rounded_too_far_or_typed_is_told_as_that(value, places, message):
    with pytest.raises(checks.Wrong, match=message):
        checks.same_table(checks.table(value, EXPECTED.columns), EXPECTED, by="agency", places=places, message="neither")


def test_table_mistakes_get_their_message():
    got = checks.table(EXPECTED.assign(n=[1, 1, 1]), EXPECTED.columns)
    with pytest.raises(checks.Wrong, match="ones"):
        checks.same_table(got, EXPECTED, by="agency", mistakes=[(EXPECTED.assign(n=[1, 1, 1]), "ones")])


def test_table_leaves_the_students_table_alone():
    mine = EXPECTED.set_index("agency")
    before = mine.copy()
    checks.table(mine, ["agency", "n"])
    pd.testing.assert_frame_equal(mine, before)


# ---------------------------------------------------------------------------------------------- charts

DATA = pd.DataFrame({"month": [1, 1, 2, 2], "county": ["A", "B", "A", "B"], "value": [1.0, 2.0, 3.0, 5.0]})
RAW = pd.concat([DATA, DATA.assign(value=DATA["value"] + 2)])


@pytest.mark.parametrize("chart", [
    alt.Chart(RAW).mark_line().encode(x="month", y="mean(value)", color="county"),
    alt.Chart(RAW).mark_line().encode(alt.X("month:Q"), alt.Y("value", aggregate="average", type="quantitative"), detail="county"),
    alt.Chart(RAW).mark_line().encode(alt.X(field="month", type="ordinal"), alt.Y("mean(value):Q"), color=alt.condition("true", "county", alt.value("grey"))),
    (alt.Chart(RAW).mark_line().encode(x="month", y="mean(value)", color="county") + alt.Chart(DATA).mark_rule().encode(x="month")),
    alt.Chart(RAW).mark_line().encode(x="month", y="mean(value)").facet("county"),
    alt.Chart(RAW).mark_line(point=True).encode(x="month", y="mean(value)", color="county").to_dict(),
    alt.Chart(RAW).mark_line().encode(x="month", y="mean(value)", color="county") | alt.Chart(DATA).mark_text().encode(text="month"),
])
def test_charts_are_read_by_meaning(chart):
    mark = checks.chart(chart)[0]
    assert mark.mark == "line" and mark.field("x") == "month" and mark.field("y") == "value" and mark.aggregate("y") == "mean"
    points = mark.points()
    assert sorted(points["y"]) == [2.0, 3.0, 4.0, 6.0]


@pytest.mark.parametrize("filters, kept", [
    ([alt.datum.county == "A"], [1.0, 3.0]),
    (["datum.county === 'A' && datum.month > 1"], [3.0]),
    ([~(alt.datum.county == "A")], [2.0, 5.0]),
    ([(alt.datum.county == "A") & (alt.datum.month >= 2)], [3.0]),
    (["((datum.county == 'A')) && (datum.month < 2)"], [1.0]),
    ([{"not": alt.FieldEqualPredicate(field="county", equal="B")}], [1.0, 3.0]),
    ([alt.FieldOneOfPredicate(field="county", oneOf=["B"])], [2.0, 5.0]),
    ([alt.FieldRangePredicate(field="month", range=[2, 3]), alt.FieldEqualPredicate(field="county", equal="B")], [5.0]),
])
def test_filters_are_followed(filters, kept):
    chart = alt.Chart(DATA).mark_point().encode(x="month:Q", y="value:Q")
    for rule in filters:
        chart = chart.transform_filter(rule)
    assert list(checks.chart(chart)[0].points()["y"]) == kept


@pytest.mark.parametrize("chart, values", [
    (alt.Chart(RAW).transform_aggregate(value="mean(value)", groupby=["month", "county"]), [2.0, 3.0, 4.0, 6.0]),
    (alt.Chart(DATA.rename(columns={"value": "a"}).assign(b=9.0)).transform_fold(["a", "b"], as_=["which", "value"]), [1.0, 2.0, 3.0, 5.0, 9.0, 9.0, 9.0, 9.0]),
    (alt.Chart(DATA).transform_calculate(whose="datum.county == 'A' ? 'it' : 'rest'").transform_filter("datum.whose == 'it'"), [1.0, 3.0]),
    (alt.Chart(DATA).transform_calculate(whose=alt.expr.if_(alt.datum.county == "A", "it", "rest")).transform_filter("datum.whose == 'rest'"), [2.0, 5.0]),
])
def test_other_transforms_are_followed(chart, values):
    assert sorted(checks.chart(chart.mark_point().encode(x="month:Q", y="value:Q"))[0].points()["y"]) == values


def test_what_cannot_be_followed_is_said_to_be_unknown():
    chart = alt.Chart(DATA).transform_calculate(more="datum.value * 2").mark_line().encode(x="month:Q", y="more:Q")
    assert checks.chart(chart)[0].points() is None
    assert checks.chart(alt.Chart("far.csv").mark_line().encode(x="month:Q", y="value:Q"))[0].points() is None


@pytest.mark.parametrize("value", [DATA, "chart", {}, 3, [alt.Chart(DATA)]])
def test_what_is_no_chart_is_malformed(value):
    with pytest.raises(checks.Malformed):
        checks.chart(value)


# ---------------------------------------------------------------------------------------------- lies beside a notebook


def test_module_runs_alone_with_numpy_and_pandas_only(tmp_path):
    """It is copied beside released notebooks: nothing of this package may be needed."""
    copy = tmp_path / "checks.py"
    copy.write_bytes(open(checks.__file__, "rb").read())
    (tmp_path / "case.json").write_text('{"agency": "x"}', encoding="utf-8")
    (tmp_path / "a.csv").write_text("k,v\n1,é\n", encoding="utf-8")
    code = ("import sys; sys.modules['mystique'] = sys.modules['altair'] = sys.modules['IPython'] = None; import checks; "
            "print(checks.facts('case.json'), checks.rows('a.csv')[0]['k'])")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.split() == ["{'agency':", "'x'}", "1"], done.stderr


COUNTIES = pd.DataFrame({"A": [1.0, 3.0], "B": [2.0, 5.0], "month": [1, 2]})


@pytest.mark.parametrize("chart, lines", [
    (alt.Chart(DATA).mark_line().encode(x="month", y="value", color="county"), {(1.0, 3.0), (2.0, 5.0)}),
    (alt.Chart(DATA).mark_line().encode(x="month", y="value", detail=["county", "month"]), {(1.0,), (2.0,), (3.0,), (5.0,)}),
    (alt.Chart(DATA).mark_line().encode(x="month", y="value", shape="county", tooltip=["month", "county"]), {(1.0, 2.0, 3.0, 5.0)}),
    (alt.Chart(RAW).mark_line().encode(x="month", y="mean(value)", row="county"), {(2.0, 4.0), (3.0, 6.0)}),
    (alt.Chart(COUNTIES).mark_line().encode(x="month", y=alt.Y(alt.repeat("layer"), type="quantitative"), color=alt.datum(alt.repeat("layer"))).repeat(layer=["A", "B"]),
     {(1.0, 3.0), (2.0, 5.0)}),
    (alt.Chart(COUNTIES).mark_line().encode(x="month", y=alt.Y(alt.repeat("column"), type="quantitative")).repeat(column=["A", "B"]), {(1.0, 3.0), (2.0, 5.0)}),
    (alt.Chart(DATA).mark_line().encode(x="month", y="value").transform_regression("month", "value"), set()),
])
def test_a_layer_s_lines_are_what_it_joins(chart, lines):
    found = [(look, tuple(points["y"])) for mark in checks.chart(chart) for look, points in mark.lines()]
    assert {tuple(sorted(values)) for _, values in found} == lines
    assert len({look for look, _ in found}) == (len(lines) if "detail" not in str(chart.to_dict()) else 1), "what a reader can tell lines by"


def test_lines_of_two_layers_look_alike_unless_colour_or_place_differs():
    one, other = (alt.Chart(COUNTIES).mark_line().encode(x="month", y=name) for name in "AB")
    red = other.mark_line(color="red")
    looks = [[look for mark in checks.chart(chart) for look, _ in mark.lines()] for chart in (one + other, one + red, one | other, one.encode(color=alt.datum("A")) + other)]
    assert [len(set(look)) for look in looks] == [1, 2, 2, 2]


@pytest.mark.parametrize("chart, stacked", [
    (alt.Chart(DATA).mark_area().encode(x="month", y="value", color="county"), True),
    (alt.Chart(DATA).mark_bar().encode(x="month:O", y="value", color="county"), True),
    (alt.Chart(DATA).mark_bar().encode(x="month:O", y="value", color="county", xOffset="county"), False),
    (alt.Chart(DATA).mark_bar().encode(x="month:O", y="value", color="county", column="county"), False),
    (alt.Chart(DATA).mark_area().encode(x="month", y=alt.Y("value", stack=None), color="county"), False),
    (alt.Chart(DATA).mark_area().encode(x="month", y=alt.Y("value", stack="normalize"), color="county"), True),
    (alt.Chart(DATA.assign(top=9)).mark_bar().encode(x="month:O", y="value", y2="top", color="county"), False),
    (alt.Chart(DATA).mark_bar().encode(x="county", y="sum(value)", color="county"), False),
    (alt.Chart(DATA).mark_line().encode(x="month", y="value", color="county"), False),
])
def test_piled_bars_and_areas_are_seen(chart, stacked):
    assert checks.chart(chart)[0].is_stacked() is stacked


@pytest.mark.parametrize("y, in_words", [
    (alt.Y("value", title="Mean days"), True), (alt.Y("value", axis=alt.Axis(title=["Mean", "days"])), True), (alt.Y("Mean days"), True), (alt.Y("Logins"), True),
    ("value", False), (alt.Y("value", title=""), False), (alt.Y("value", title=None), False), (alt.Y("value", title="mean_value"), False),
    (alt.Y("Logins", title=None), False), (alt.Y("value", title="Days", axis=None), False), (alt.Y("value", title="High"), False), ("Mean_days", False),
])
def test_a_title_in_words_is_no_column_s_name(y, in_words):
    data = DATA.assign(**{"Mean days": 1, "Logins": 2, "Mean_days": 3})
    assert checks.title_in_words(checks.chart(alt.Chart(data).mark_line().encode(x="month", y=y)), "y", names=["high"]) is in_words


@pytest.mark.parametrize("text", ["agency,n,words\nA,1,so\nB,,\n", 'agency,n,words\nA,1,"so, so"\nB,,"two\nlines"\n'])
def test_rows_of_a_file_are_what_csv_reads(text, tmp_path, monkeypatch):
    (tmp_path / "some.csv").write_text(text, encoding="utf-8", newline="")
    monkeypatch.setattr(checks, "__file__", str(tmp_path / "checks.py"))
    checks.rows.cache_clear()
    wanted = list(csv.DictReader(io.StringIO(text)))
    assert checks.rows("some.csv") == wanted
    assert checks.rows("some.csv", "words", "agency") == [{"words": row["words"], "agency": row["agency"]} for row in wanted]
    checks.rows.cache_clear()
