"""The `mystique` command, run as its users run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mystique import cli, data


def run(*words: str, folder: Path) -> subprocess.CompletedProcess:
    program = Path(sys.executable).with_name("mystique")
    return subprocess.run([str(program), *words], cwd=folder, capture_output=True, text=True, encoding="utf-8")


def test_data_writes_into_the_folder_asked_for(tmp_path):
    done = run("data", "county", "--seed", "7", "--out", "class", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "synthetic" in done.stdout
    tables = data.read(tmp_path / "class" / "county")
    assert tables["workers"].equals(data.make("county", 7).tables["workers"])


def test_data_goes_to_datasets_with_the_books_seed_if_nothing_is_said(tmp_path):
    assert run("data", "county", folder=tmp_path).returncode == 0
    there = tmp_path / "datasets" / "county" / "monthly.csv"
    assert there.read_bytes() == (Path(__file__).parents[1] / "datasets" / "county" / "monthly.csv").read_bytes()


@pytest.fixture
def refusal(tmp_path, monkeypatch, capsys):
    """Calls what the program calls, in tmp_path, without starting Python anew; gives its exit status and its words on standard error."""
    monkeypatch.chdir(tmp_path)

    def called(*words):
        try:
            status = cli.main(list(words))
        except SystemExit as end:  # argparse's own refusal
            status = end.code
        return status, capsys.readouterr().err

    return called


@pytest.mark.parametrize(
    "words, said",
    [
        (["data", "nowhere"], "county"),
        (["data", "county", "--seed", "-1"], "0 or more"),
        (["data", "county", "--seed", "many"], "invalid int"),
        (["data"], "NAME"),
        ([], "COMMAND"),
    ],
)
def test_bad_words_are_refused_with_what_to_say_instead(words, said, tmp_path, refusal):
    status, told = refusal(*words)
    assert status in (1, 2) and said in told
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "datasets" / "county").mkdir(parents=True)
    mine = tmp_path / "datasets" / "county" / "thesis.txt"
    mine.write_text("mine", encoding="utf-8")
    done = run("data", "county", folder=tmp_path)
    assert done.returncode == 1 and "thesis.txt" in done.stderr
    assert mine.read_text(encoding="utf-8") == "mine"


def test_cohort_makes_a_course_and_says_where(tmp_path, refusal):
    exercises = Path(__file__).parents[1] / "exercises"
    done = run("cohort", "fall-2027", "--exercises", str(exercises), "--seed", "7", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "problem set ps1" in done.stdout
    course = Path("cohorts", "fall-2027", "course")
    assert f"Next: cd {course}, then mystique assign ps0." in done.stdout
    assert (tmp_path / "cohorts" / "fall-2027" / "course" / "source" / "ps1" / "ps1.ipynb").is_file()
    for words, said in ((["cohort", "fall-2027", "--exercises", str(exercises)], "--replace"), (["cohort", "other"], "no nbgrader course"),
                        (["collect", "canvas", "ps1", "all.zip"], "no nbgrader course"), (["students", "list.csv"], "list.csv: is not there"),
                        (["collect", "canvas", "ps1", "all.zip", "--course", str(course)], "there is no gradebook yet. Run `mystique assign ps1` first")):
        status, told = refusal(*words)
        assert status == 1 and said in told, words


@pytest.mark.full  # the guide's test runs the same commands in the default tier
def test_a_learner_checks_asks_for_a_hint_and_sees_how_far_she_is(tmp_path, monkeypatch):
    """Through the command alone: her notebook, one right answer in it, next to the course."""
    import shutil

    import nbformat

    monkeypatch.setenv("MYSTIQUE_PROGRESS", str(tmp_path / "progress.json"))
    exercises = tmp_path / "exercises"
    shutil.copytree(Path(__file__).parents[1] / "exercises", exercises)
    work = exercises / "work" / "ps1"
    shutil.copytree(exercises / "source" / "ps1", work)
    notebook = nbformat.read(work / "ps1.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "ps1-q1":
            cell.source = cell.source.split("### BEGIN SOLUTION")[0] + "\nanswers_due = len(rows)\n"
    nbformat.write(notebook, work / "ps1.ipynb")

    checked = run("check", "ps1", "--page", "mine.html", folder=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert "0 of 2" in checked.stdout and "This counts every row" in checked.stdout
    assert "This counts every row" in (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert "hint 1 of 3" in run("check", "ps1", "--hint", "q4", folder=tmp_path).stdout
    assert "one good answer" in run("solution", "ps1", "q1", folder=tmp_path).stdout
    unknown = run("solution", "ps1", "q99", folder=tmp_path)
    assert unknown.returncode == 1 and "q99" in unknown.stderr and "Traceback" not in unknown.stderr
    assert "ps1" in run("progress", folder=tmp_path).stdout
    assert run("progress", "--export", "mine.csv", folder=tmp_path).returncode == 0
    assert (tmp_path / "mine.csv").is_file()


@pytest.mark.full  # the guide's test runs the same commands in the default tier
def test_a_set_is_assigned_graded_and_not_exported_while_work_is_missing(tmp_path):
    import shutil

    course = tmp_path / "course"
    shutil.copytree(Path(__file__).parents[1] / "exercises", course, ignore=shutil.ignore_patterns("work", "release", "submitted", "gradebook.db"))
    done = run("assign", "ps1", folder=course)
    assert done.returncode == 0, done.stderr
    assert (course / "release" / "ps1.zip").is_file() and "ps1.zip" in done.stdout
    (tmp_path / "canvas.csv").write_text("Student,ID,SIS User ID,SIS Login ID,Section,ps1 (7)\nAnn,1,1,ann,A,\n", encoding="utf-8")
    refused = run("export", "canvas", "ps1", "../canvas.csv", "../out.csv", folder=course)
    assert refused.returncode == 1 and "Traceback" not in refused.stderr and refused.stderr.startswith("mystique: ")
    assert not (tmp_path / "out.csv").exists()

    shutil.copytree(course / "release" / "ps1", course / "submitted" / "ann" / "ps1")
    graded = run("grade", "ps1", folder=course)
    if sys.platform == "linux":
        assert graded.returncode == 0, graded.stdout + graded.stderr
        assert "1 submissions, 1 graded now" in graded.stdout and "Confinement:" in graded.stdout
        (course / "submitted" / "bob" / "ps1").mkdir(parents=True)
        (course / "submitted" / "bob" / "ps1" / "ps1.ipynb").write_text("{", encoding="utf-8")
        again = run("grade", "ps1", folder=course)
        assert again.returncode == 3 and "bob" in again.stdout and "1 unchanged" in again.stdout
    else:
        assert graded.returncode == 1 and "Docker" in graded.stderr


@pytest.mark.full  # tests/data/test_at_scale.py tries the same functions in the default tier
def test_employees_at_scale_and_their_figures(tmp_path):
    made = run("data", "employees", "--people", "20000", "--seed", "5", "--out", "big", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "20,000 of 20,000" in made.stderr and (tmp_path / "big" / "employees_at_scale" / "employees.parquet").is_file()
    figures = run("figures", "big/employees_at_scale", "figures.json", folder=tmp_path)
    assert figures.returncode == 0, figures.stderr
    stored = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert stored["people"] == 20_000 and "--people 20000 --seed 5" in stored["made_by"][0]
    assert run("data", "county", "--people", "5", folder=tmp_path).returncode == 1
    nowhere = run("figures", "none", "other.json", folder=tmp_path)
    assert nowhere.returncode == 1 and "Make it first" in nowhere.stderr and not (tmp_path / "other.json").exists()
