"""The memo of ps3: writer and marker see the same figures, whatever the lot draws, and read the same rubric."""

import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from mystique.grading.handout import PRACTICE_SEED, write_handout

ROOT = Path(__file__).resolve().parents[2]
CELLS = {cell.id: cell for cell in nbformat.read(ROOT / "exercises" / "source" / "ps3" / "ps3.ipynb", as_version=4).cells}
ROW = re.compile(r"^\| (\*\*.+?\*\*) \| (\d+) \| (.+) \|$", re.MULTILINE)                   # what the student reads
MARKED = re.compile(r"^\| (\d+) \| \*\*(.+?)\*\* .+ \|$", re.MULTILINE)                      # what the marker reads
TASK, SCHEME = CELLS["ps3-q11-text"].source.split("### BEGIN MARK SCHEME")


@pytest.mark.parametrize("seed", [PRACTICE_SEED, 7])    # with the second, one camp could not judge a belief
def test_the_table_above_the_memo_holds_the_figures_of_questions_7_and_9(seed, tmp_path, monkeypatch):
    write_handout("ps3", seed, tmp_path)
    monkeypatch.chdir(tmp_path)
    names = {}
    for cell in ("ps3-q7-given", "ps3-q9-given"):
        exec(CELLS[cell].source, names)
    alone = {}
    exec(CELLS["ps3-q11-given"].source.rpartition("\n")[0], alone)     # it needs nothing that stands above it
    figures = eval(CELLS["ps3-q11-given"].source.rpartition("\n")[2], alone)
    here, beliefs = names["case"]["agency_id"], names["beliefs"]
    for place, (belief, row) in enumerate(figures.iterrows(), start=1):
        levels = names["levels"].query("belief == @place").set_index("agency_id")["level"]
        camps = names["camps"].query("belief == @place and agency_id == @here").iloc[0]
        raters = names["ratings"].query("belief == @place and agency_id == @here")["rating"].count()
        expected = [levels[here], levels.drop(here).mean(), camps["inside"], camps["outside"], raters]
        assert belief == beliefs["short"][place - 1]
        assert [float(figure) for figure in row] == pytest.approx(expected, abs=0.0501, nan_ok=True), belief
    assert seed == PRACTICE_SEED or figures.isna().any(axis=None)
    assert len(figures) == len(beliefs) == 9


def test_question_table_rubric_and_mark_scheme_use_the_same_words():
    columns = re.findall(r"\*([a-z ]+)\*", CELLS["ps3-q11-given-text"].source)
    assert columns == ["level", "other eleven", "insiders", "outsiders", "raters"]
    rubric = ROW.findall(TASK)
    assert rubric == ROW.findall((ROOT / "book" / "instructors-assessing.md").read_text(encoding="utf-8"))
    assert [(head.strip("*"), points) for head, points, _ in rubric] == [(head.rstrip("."), points) for points, head in MARKED.findall(SCHEME)]
    assert all(int(points) == len(each.split("; ")) for _, points, each in rubric), "a point for each thing, and no more"
    assert sum(int(points) for _, points, _ in rubric) == CELLS["ps3-q11"].metadata.nbgrader.points
    beliefs = pd.read_csv(ROOT / "exercises" / "source" / "ps3" / "audit" / "beliefs.csv")["short"]
    assert all(f"{belief}:" in re.sub(r"\s+", " ", SCHEME) for belief in beliefs), "a step that fits, for each belief"


def test_the_memos_to_calibrate_by_earn_what_is_said():
    ten, four = re.split(r"\*A memo with \w+ points\.\*", SCHEME)[1:]
    memo = ten.partition("\n\n")[2]
    assert re.findall(r"\d+", " ".join(re.findall(r"\[(.+?)\]", memo))) == [str(point) for point in range(1, 11)]
    assert len(re.sub(r"\[.+?\]", "", memo).split()) <= 150
    assert len(re.findall(r"\[(\d+)\]", four)) == 4
