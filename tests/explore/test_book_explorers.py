"""Every explorer of every chapter, in a real browser: the page shows what the Python function returns."""

from __future__ import annotations

import itertools
import json
import math
import random

import pytest
import yaml

import chapter as chapters

from mystique import charts
from mystique.explore.answers import ask, plain

SAMPLE = 40          # grid explorers: settings tried besides the corners
MOST_CORNERS = 64    # with more than six controls, so many of the corners
TWIN_SAMPLE = 1_000  # twins: random settings compared in the page

# Puts an explorer of the page into a state by its native controls, and reads what the page then shows.
SET = """
async ([name, state]) => {
  const explorer = mystique.explorers[name];
  const figure = document.getElementById("explorer-" + name);
  const form = figure.querySelector("form");
  explorer.packed.controls.forEach((control, i) => {
    const input = form.elements[control.name];
    if (control.kind === "checkbox") input.checked = Boolean(state[i]);
    else input.value = String(state[i]);
  });
  await explorer.move();
  const cells = (row) => Array.from(row.cells, (cell) => cell.textContent);
  return {
    sentence: figure.querySelector(".explorer-sentence").textContent,
    label: figure.querySelector(".explorer-picture").getAttribute("aria-label"),
    head: cells(figure.querySelector("thead tr")),
    rows: Array.from(figure.querySelectorAll("tbody tr"), cells),
    drawn: explorer.packed.table.map((column) => explorer.drawn(column.source).map((row) => row[column.field])),
  };
}
"""


def corners(controls) -> list[tuple]:
    """Every combination of the controls' first and last positions, or as many as are tried, drawn at random."""
    found = list(itertools.product(*({0, len(control.values) - 1} for control in controls)))
    return found if len(found) <= MOST_CORNERS else random.Random(len(found)).sample(found, MOST_CORNERS)


def some(controls, count: int) -> list[tuple]:
    """Settings drawn at random, the same ones in every run."""
    draw = random.Random(len(controls) * 1_000 + count)
    return [tuple(draw.randrange(len(control.values)) for control in controls) for _ in range(count)]


def ask_python(made, values, schema=False):
    """The Python function's answer. The build held the chart to Vega-Lite's schema; doing so again takes half of the time."""
    return ask(made.name, made.function, values, schema)


def expected(made, state):
    """What the Python function says for a state: its sentence, the table's titles, and its columns."""
    values = {control.name: control.values[at] for control, at in zip(made.controls, state)}
    answer = ask_python(made, values)
    shown = charts.table_columns(answer.chart.spec)
    columns = [[plain(row.get(column.field)) for row in answer.chart.data[column.source]] for column in shown]
    return answer.sentence, [column.title for column in shown], columns


def same(text: str, value) -> bool:
    """Whether a table cell says a value: numbers to the decimals that the cell shows."""
    if value is None:
        return text == "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return text == charts.cell_text(value, 0)
    decimals = len(text.partition(".")[2])
    return math.isclose(float(text), value, rel_tol=0, abs_tol=0.5000001 * 10**-decimals)


@pytest.fixture(scope="module", params=chapters.chapters(), ids=lambda file: file.stem)
def chapter(request):
    with pytest.MonkeyPatch.context() as patch:
        yield chapters.run(request.param, patch)


@pytest.fixture(scope="module")
def page(chapter, browser, site):
    opened = browser.new_page()
    opened.goto(f"{site}/book/{chapter.file.stem}.html")
    yield opened
    opened.close()


def test_the_page_has_just_the_chapters_explorers(chapter, page):
    shown = page.evaluate("Object.values(mystique.explorers).filter(e => e.packed.controls.length).map(e => e.packed.name)")
    assert sorted(shown) == sorted(made.name for made in chapter.explorers)
    assert shown, "a chapter has at least one explorer"


def test_controls_are_the_same_as_in_a_notebook(chapter, page):
    for made in chapter.explorers:
        packed = page.evaluate("name => mystique.explorers[name].packed.controls", made.name)
        assert [(c["name"], c["kind"], c["labels"], c["start"]) for c in packed] == [
            (c.name, c.kind, c.labels, c.start) for c in made.controls
        ]


def test_the_page_shows_what_the_function_returns(chapter, page):
    for made in chapter.explorers:
        for state in corners(made.controls) + some(made.controls, SAMPLE):
            shown = page.evaluate(SET, [made.name, list(state)])
            sentence, titles, columns = expected(made, state)
            where = f"{made.name} at {state}"
            assert shown["sentence"] == shown["label"] == sentence, where
            assert shown["head"] == titles, where
            assert len(shown["rows"]) == len(columns[0]), where
            for place, column in enumerate(columns):
                texts = [row[place] for row in shown["rows"]]
                assert all(map(same, texts, column)), f"{where}, column {titles[place]}: {texts} for {column}"
                drawn = shown["drawn"][place]
                assert all(
                    d == v if not isinstance(v, float) else math.isclose(d, v, rel_tol=1e-3, abs_tol=0.06)
                    for d, v in zip(drawn, column)
                ), f"{where}, drawn column {titles[place]}: {drawn} for {column}"


def test_twins_answer_as_their_functions(chapter, page):
    for made in (one for one in chapter.explorers if one.twin):
        states = corners(made.controls) + some(made.controls, TWIN_SAMPLE)
        answers = page.evaluate("([name, states]) => states.map((s) => mystique.explorers[name].answer(s))", [made.name, states])
        for place, (state, answer) in enumerate(zip(states, answers)):
            values = {control.name: control.values[at] for control, at in zip(made.controls, state)}
            python = ask_python(made, values, schema=place < MOST_CORNERS)  # the build saw the first setting only: here all corners
            assert answer["sentence"] == python.sentence, f"{made.name} at {values}"
            assert json.loads(json.dumps(answer["data"])).keys() == python.chart.data.keys()
            for name, rows in python.chart.data.items():
                assert len(rows) == len(answer["data"][name])
                for one, other in zip(answer["data"][name], rows):
                    assert one.keys() == other.keys()
                    for key, value in other.items():
                        value = plain(value)
                        close = math.isclose(one[key], value, rel_tol=1e-12) if isinstance(value, float) else one[key] == value
                        assert close, f"{made.name} at {values}: {key} is {one[key]} in the page, {value} in Python"


def test_a_scale_of_points_is_marked_at_whole_points(chapter):
    """The rubric knows 0, 1, 2, 3 and 4; marks between them would say that the points are finer than they are."""
    for made in chapter.explorers:
        spec = ask_python(made, {control.name: control.values[control.start] for control in made.controls}).chart.spec
        for unit in [spec, *spec.get("layer", [])]:
            for channel in {"x", "y"} & unit.get("encoding", {}).keys():
                given = unit["encoding"][channel]
                if given.get("scale", {}).get("domain") == [0, 4]:
                    assert given.get("axis", {}).get("values") == [0, 1, 2, 3, 4], f"{made.name}, {channel}"


def explorer_of(stem: str, name: str, monkeypatch):
    return next(made for made in chapters.run(chapters.BOOK / f"{stem}.md", monkeypatch).explorers if made.name == name)


def test_the_table_behind_the_template_is_the_whole_template(monkeypatch):
    """What the sentence says of the chosen belief, the table says of all nine."""
    made = explorer_of("nine-beliefs", "template", monkeypatch)
    aspects, names = (control.values for control in made.controls)
    for aspect in aspects:
        said = [ask_python(made, {"aspect": aspect, "belief": belief}).sentence for belief in names]
        columns = expected(made, (aspects.index(aspect), 0))[2]
        assert len(said) == 9 and said in columns


def test_a_wrong_guess_gets_a_question_and_not_the_answer(monkeypatch):
    made = explorer_of("nine-beliefs", "sort-it", monkeypatch)
    lines, guesses = (control.values for control in made.controls)
    boxes = [guess for guess in guesses if guess not in ("not yet", "show ours")]
    for line in lines:
        def answer(guess):
            return ask_python(made, {"line": line, "guess": guess})

        ours = answer("show ours").sentence
        right = [box for box in boxes if box in ours]
        assert len(right) == 1 and ours.rpartition(right[0])[2] == answer(right[0]).sentence.rpartition(right[0])[2]
        wrong = [answer(box) for box in boxes if box != right[0]]
        for each in wrong:
            assert "; ask whether" in each.sentence and right[0] not in each.sentence
            assert {row["kind"] for rows in each.chart.data.values() for row in rows} <= {"you", "open"}
        assert right == ["none of the nine"] or len({each.sentence for each in wrong}) == 3, "right column, wrong column, no box"


def marked_right(stem: str, question: str) -> dict[str, bool]:
    """The answers of a self-check, and whether each is marked as right."""
    bank = yaml.safe_load((chapters.BOOK / "checks" / f"{stem}.yml").read_text(encoding="utf-8"))
    return {each["answer"]: each["correct"] for one in bank if one["id"] == question for each in one["answers"]}


def results(made, figures: str, **setting) -> dict[int, float]:
    """By year, the results of the line of that name in chapter 6's charts of the model."""
    lines = ask(made.name, made.function, setting).chart.data.values()
    return {row["year"]: row["results"] for rows in lines for row in rows if figures in row.values()}


def test_what_the_quiet_years_show_is_what_its_self_check_says(monkeypatch):
    made = explorer_of("sustaining-features", "switches", monkeypatch)
    both, any_room = ["on", "off"], ["none", "bounded", "unbounded"]
    meant = {  # where an answer names no setting, all are tried
        "All three features off": (["unheard"], ["none"], ["off"]),
        "Dissent off, autonomy bounded, learning on": (["unheard"], ["bounded"], ["on"]),
        "Dissent unheard and autonomy unbounded": (["unheard"], ["unbounded"], both),
        "Dissent heard, learning off": (["heard"], any_room, ["off"]),
    }
    right = marked_right("sustaining-features", "worst-when-quiet")
    year_10 = {
        answer: [results(made, "as you set it", world="moves", belief="strong", dissent=dissent, autonomy=autonomy, learning=learning)[10]
                 for dissent, autonomy, learning in itertools.product(*meant[answer])]
        for answer in right
    }
    worst = [answer for answer in right if right[answer]]
    assert len(worst) == 1
    assert all(max(year_10[worst[0]]) < min(year_10[other]) for other in right if other != worst[0])


def test_the_danger_that_needs_no_autonomy_is_what_its_self_check_says(monkeypatch):
    made = explorer_of("sustaining-features", "dangers", monkeypatch)
    controls = {control.name: control.values for control in made.controls}
    goes_on = set()
    for danger, learning, world in itertools.product(controls["danger"], controls["learning"], controls["world"]):
        def line(figures, autonomy):
            return results(made, figures, danger=danger, dissent="unheard", autonomy=autonomy, learning=learning, world=world)

        if line("all in need", "none") != line("without the danger", "none"):
            goes_on.add(danger)
        if learning == "on" and world == "moves":
            assert line("own record", "unbounded") != line("without the danger", "unbounded"), "there is something to stop"
    right = marked_right("sustaining-features", "danger-without-autonomy")
    assert {answer.lower() for answer in right if right[answer]} == goes_on and len(goes_on) == 1
    assert {answer.lower() for answer in right} > set(controls["danger"])


def test_each_danger_looks_good_at_first_in_the_agencys_own_figures(monkeypatch):
    """What chapter 6 says of the three: exclusion to the end, burnout for some years, politicisation until the majority changes."""
    made = explorer_of("sustaining-features", "dangers", monkeypatch)

    def lines(danger, **setting):
        return [results(made, name, danger=danger, dissent="unheard", **setting) for name in ("all in need", "own record", "without the danger")]

    everyone, record, without = lines("exclusion", autonomy="unbounded", learning="on", world="moves")
    assert all(record[year] > without[year] > everyone[year] for year in range(20, 41))
    for learning, ends_behind in (("off", True), ("on", False)):
        everyone, record, without = lines("burnout", autonomy="bounded", learning=learning, world="stands still")
        assert record == everyone and everyone[5] > without[5] and (everyone[40] < without[40]) == ends_behind
    everyone, record, without = lines("politicisation", autonomy="bounded", learning="off", world="stands still")
    assert record == everyone and everyone[11] > without[11] > everyone[12] + 10


def test_there_is_an_explorer_that_the_page_computes():
    """At least one chapter uses a twin, so that the comparison above is never empty."""
    found = []
    for file in chapters.chapters():
        with pytest.MonkeyPatch.context() as patch:
            found += [made.name for made in chapters.run(file, patch).explorers if made.twin]
    assert found
