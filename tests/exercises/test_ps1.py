"""ps1 is graded fairly: right answers in any style pass, each known mistake loses just its points and says why."""

import ast
import builtins
import re
import shutil
from pathlib import Path

import nbformat
import pytest
import yaml

from mystique import data
from mystique.grading import handout
from mystique.grading.answers import read_answers
from mystique.grading.checks import CHAPTERS
from mystique.grading.trial import Trial

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "exercises" / "source" / "ps1"
ANSWERS = read_answers(ROOT / "exercises" / "answers" / "ps1.yml")
QUESTIONS = [f"q{number}" for number in range(1, 10)]
CANARY = "MYSTIQUE-CANARY-"
REGION = re.compile(r"BEGIN (SOLUTION|HIDDEN TESTS|MARK SCHEME)(.*?)END \1", re.DOTALL)


@pytest.fixture(scope="session")
def ps1():
    with Trial(SOURCE / "ps1.ipynb") as trial:
        yield trial


@pytest.fixture(scope="session")
def notebook():
    return nbformat.read(SOURCE / "ps1.ipynb", as_version=4)


def put_in(trial, answer):
    """The answer's cell: the released lines, and below them what the student wrote."""
    return f"{trial.questions[answer.question].stub}\n{answer.code}"


def told(result):
    return re.sub(r"\s+", " ", result.output)


# ------------------------------------------------------------------------------------------------------------ answers


def test_reference_earns_every_point(ps1):
    results = ps1.run()
    assert list(results) == QUESTIONS
    for name, result in results.items():
        assert result.score == ps1.questions[name].points, f"{name}: {result.output}{result.error}"


def test_untouched_release_earns_nothing_and_says_what_is_missing(ps1):
    for name, result in ps1.run({name: question.stub for name, question in ps1.questions.items()}).items():
        assert result.score == 0, f"{name}: {result.output}"
        assert "still empty" in result.output or "gives nothing back yet" in result.output, f"{name}: {result.output}"
        assert not result.error


@pytest.mark.parametrize("answer", [answer for answer in ANSWERS if answer.is_right], ids=lambda answer: f"{answer.question}-{answer.name}")
def test_right_answer_in_another_style_is_accepted(ps1, report, answer):
    counts = report["ps1", answer.question]["right"]
    counts[0] += 1
    result = ps1.run({answer.question: put_in(ps1, answer)}, only=answer.question)[answer.question]
    assert result.score == ps1.questions[answer.question].points, f"{answer.question}, right answer '{answer.name}':\n{result.output}{result.error}"
    counts[1] += 1


@pytest.mark.parametrize("answer", [answer for answer in ANSWERS if not answer.is_right], ids=lambda answer: f"{answer.question}-{answer.name}")
def test_known_mistake_loses_its_points_and_is_told_why(ps1, report, answer):
    counts = report["ps1", answer.question]["wrong"]
    counts[0] += 1
    result = ps1.run({answer.question: put_in(ps1, answer)}, only=answer.question)[answer.question]
    what = f"{answer.question}, mistake '{answer.name}' ({answer.misconception}):\n{result.output}{result.error}"
    assert answer.points < ps1.questions[answer.question].points, what
    assert result.score == answer.points, f"{result.score:g} points in place of {answer.points:g}. {what}"
    counts[1] += 1
    assert answer.message in told(result), f"the message '{answer.message}' is missing. {what}"
    counts[2] += 1


@pytest.mark.parametrize("question", QUESTIONS)
def test_enough_answers_are_known(question):
    mine = [answer for answer in ANSWERS if answer.question == question]
    wrong = [answer for answer in mine if not answer.is_right]
    assert sum(answer.is_right for answer in mine) >= 3
    assert len(wrong) >= 4
    assert len({answer.message for answer in wrong}) >= 4, "different mistakes need different messages"
    assert len({answer.name for answer in mine}) == len(mine)


def test_a_question_left_out_costs_only_its_own_points(ps1):
    for left_out, question in ps1.questions.items():
        for name, result in ps1.run({left_out: question.stub}).items():
            expected = 0 if name == left_out else ps1.questions[name].points
            assert result.score == expected, f"without {left_out}, {name} earns {result.score:g}: {result.output}{result.error}"


def test_an_answer_that_destroys_names_keeps_its_points(ps1):
    havoc = "\nfor name in ['np', 'pd', 'alt', 'json', 'records', 'monthly', 'workers', 'case', 'rows', 'juniper']:\n    globals().pop(name, None)\nchecks = _q = 1"
    for name, question in ps1.questions.items():
        result = ps1.run({name: question.reference + havoc}, only=name)[name]
        assert result.score == question.points, f"{name}: {result.output}{result.error}"


# ------------------------------------------------------------------------------------------------- the source notebook


def test_points_declared_are_the_points_there_are(ps1):
    for name, question in ps1.questions.items():
        announced = int(re.search(r"checks=(\d+)", question.test)[1])
        assert announced == len(re.findall(r"with _q\.(?:check|form)\(", question.test)), name
        assert question.points == sum(int(points) for points in re.findall(r"points=(\d+)", question.test)), name


def test_headings_announce_the_points(notebook):
    announced = dict(re.findall(r"## Question (\d+)\..*\((\d+) points", "\n".join(cell.source for cell in notebook.cells)))
    graded = {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")}
    for number, points in announced.items():
        assert int(points) == graded.get(f"ps1-q{number}-test", graded.get(f"ps1-q{number}"))
    assert len(announced) == len(graded) == 10


def test_source_notebook_is_clean(notebook):
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in notebook.cells)
    ids = [cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata]
    assert len(ids) == len(set(ids)) and all(name.startswith("ps1-") for name in ids)


def test_every_secret_region_carries_a_canary(notebook):
    regions = [region for cell in notebook.cells for region in REGION.findall(cell.source)]
    assert len(regions) >= 20
    assert all(CANARY + "ps1-q" in text for _, text in regions)
    outside = [REGION.sub("", cell.source) for cell in notebook.cells]
    assert not any(CANARY in text for text in outside)
    assert CANARY in (ROOT / "exercises" / "answers" / "ps1.yml").read_text(encoding="utf-8")


def test_no_figure_of_the_data_is_typed(notebook):
    """Numbers that come with the seed must be read from the data or from case.json: of the case, no text value may stand anywhere."""
    case = yaml.safe_load((SOURCE / "case.json").read_text(encoding="utf-8"))
    fixed = {"county", "comparison_county"}
    text = "\n".join(cell.source for cell in notebook.cells)
    for name, value in case.items():
        if name not in fixed and isinstance(value, str):
            assert value not in text, f"{name}: {value!r} is typed in the notebook"


def test_test_cells_rely_on_no_name_of_the_notebook(notebook):
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            tree = ast.parse(cell.source)
            used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
            made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
            made |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
            made |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            made |= {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
            assert used - made - set(dir(builtins)) == set(), cell.metadata.nbgrader.grade_id
            imported = {alias.asname or alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
            left_behind = imported | {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert all(name.startswith("_") for name in left_behind), f"{cell.metadata.nbgrader.grade_id}: private names only"


def test_sections_that_messages_point_to_are_in_the_book(notebook):
    text = "\n".join(cell.source for cell in notebook.cells)
    for section in set(re.findall(r'section="([\w-]+)"', text)):
        page = ROOT / "book" / f"{CHAPTERS[section.split('-')[0]]}.md"
        assert f"({section})=" in page.read_text(encoding="utf-8"), section


# ------------------------------------------------------------------------------------------- what lies beside the notebook


def test_files_beside_the_notebook_are_what_the_handout_writes(tmp_path):
    written = handout.write_handout("ps1", handout.PRACTICE_SEED, tmp_path)
    made = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in written}
    found = {path.relative_to(SOURCE).as_posix(): path.read_bytes() for path in SOURCE.rglob("*")
             if path.is_file() and path.name != "ps1.ipynb" and "__pycache__" not in path.parts and ".ipynb_checkpoints" not in path.parts}
    again = "run: python -m mystique.grading.handout ps1 exercises/source/ps1"
    assert sorted(found) == sorted(made), again
    assert [name for name in made if made[name] != found[name]] == [], again


def test_checks_module_is_the_same_one():
    assert (SOURCE / "checks.py").read_bytes() == handout.CHECKS.read_bytes()


def test_no_truth_is_handed_out():
    assert not list(SOURCE.rglob("truth.json"))
    assert handout.PRACTICE_SEED != data.REFERENCE_SEED


def test_released_notebook_needs_only_published_packages(notebook):
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)", "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code"), re.MULTILINE))
    assert imported <= {"altair", "checks", "datetime", "json", "numpy", "pandas", "vl_convert"}


def test_a_broken_test_would_be_seen(tmp_path, ps1):
    """The trial is no rubber stamp: with the hidden part of a test taken away, a known mistake goes through unpunished."""
    source = (SOURCE / "ps1.ipynb").read_text(encoding="utf-8")
    blunt = re.sub(r"_checks\.same_number\(_q\.number\(\\\"answers_due\\\"\), _due, ", r"dict(", source)
    assert blunt != source
    for path in SOURCE.iterdir():
        if path.name in ("county", "case.json", "checks.py"):
            (shutil.copytree if path.is_dir() else shutil.copy)(path, tmp_path / path.name)
    (tmp_path / "ps1.ipynb").write_text(blunt, encoding="utf-8")
    mistake = next(answer for answer in ANSWERS if answer.name == "counts-every-row")
    with Trial(tmp_path / "ps1.ipynb") as trial:
        assert trial.run({"q1": put_in(trial, mistake)}, only="q1")["q1"].score == 2
    assert ps1.run({"q1": put_in(ps1, mistake)}, only="q1")["q1"].score == 0
