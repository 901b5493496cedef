"""A handout is made whole or not at all, the same every time, and its case can tell mistakes from right answers."""

import json
import shutil

import pytest

from mystique import data
from mystique.grading import cases, handout


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A handout of ps1 to look at."""
    folder = tmp_path_factory.mktemp("made") / "ps1"
    handout.write_handout("ps1", 5, folder)
    return folder


def test_same_seed_same_bytes_other_seed_other_case(made, tmp_path):
    for name, seed in (("again", 5), ("other", 6)):
        handout.write_handout("ps1", seed, tmp_path / name)
    one, again, other = files(made), files(tmp_path / "again"), files(tmp_path / "other")
    assert one == again
    assert one.keys() == other.keys() and one["case.json"] != other["case.json"] and one["county/records.csv"] != other["county/records.csv"]


def test_hands_out_what_is_needed_and_no_truth(made):
    assert set(files(made)) == {"case.json", "checks.py", "county/datapackage.json", "county/workers.csv", "county/monthly.csv", "county/records.csv"}
    assert set(data.read(made / "county")) == {"workers", "monthly", "records"}, "the codebook fits the tables beside it"
    text = b"".join(files(made).values())
    assert b"MYSTIQUE-CANARY" not in text.replace(files(made)["checks.py"], b"")


def test_notebook_stays_and_old_data_go(tmp_path):
    (tmp_path / "ps1.ipynb").write_text("{}")
    (tmp_path / "county").mkdir()
    (tmp_path / "county" / "truth.json").write_text("{}")
    handout.write_handout("ps1", 5, tmp_path)
    assert (tmp_path / "ps1.ipynb").read_text() == "{}"
    assert not (tmp_path / "county" / "truth.json").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_nothing_changes_when_a_file_cannot_be_put_in_place(made, tmp_path, monkeypatch):
    here = shutil.copytree(made, tmp_path / "ps1")
    before = files(here)
    rename = handout.Path.rename

    def fails_at_the_second_file(self, target):
        if self.name == "checks.py" and "new" in self.parts:
            raise PermissionError("the folder is locked")
        return rename(self, target)

    monkeypatch.setattr(handout.Path, "rename", fails_at_the_second_file)
    with pytest.raises(PermissionError):
        handout.write_handout("ps1", 6, here)
    monkeypatch.undo()
    assert files(here) == before


def test_nothing_is_written_when_the_data_do_not_serve(tmp_path, monkeypatch):
    monkeypatch.setattr(cases.ps1, "_visits_are_telling", lambda *_: False)
    with pytest.raises(cases.NoCase, match="Use another seed"):
        handout.write_handout("ps1", 5, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_unknown_set_is_refused(tmp_path):
    with pytest.raises(cases.NoCase, match="ps1"):
        handout.write_handout("ps99", 5, tmp_path)


def test_case_is_of_these_data(made):
    case = json.loads((made / "case.json").read_text(encoding="utf-8"))
    tables = data.read(made / "county")
    workers = tables["workers"]
    assert workers.loc[workers["agency_id"] == case["agency_id"], "agency"].unique().tolist() == [case["agency"]]
    assert workers.loc[workers["double_entry"] == 1, "agency"].unique().tolist() == [case["double_agency"]]
    assert case["agency"] != case["double_agency"]
    assert 1 <= case["first_month"] < case["last_month"] <= 18
    assert case["measure"] in tables["monthly"] and case["element"] in tables["records"]


def test_practice_data_are_not_the_books():
    assert handout.PRACTICE_SEED != data.REFERENCE_SEED


def test_command(tmp_path, capsys):
    handout.main(["ps1", str(tmp_path), "--seed", "5"])
    assert len(capsys.readouterr().out.splitlines()) == 6


@pytest.mark.full
@pytest.mark.parametrize("problem_set", cases.CASES)
def test_nearly_any_seed_has_a_case(problem_set):
    case, without = cases.CASES[problem_set], []
    for seed in range(1000, 1040):
        try:
            case.draw(data.make(case.DATASET, seed).tables, seed)
        except cases.NoCase:
            without.append(seed)
    assert len(without) <= 1, f"no case for the seeds {without}"
