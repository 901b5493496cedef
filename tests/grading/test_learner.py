"""Someone who learns alone gets the points and messages of grading; an accident costs its own question, and is called one."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_output

from mystique.grading import learner, learner_progress, learner_report, reading
from mystique.grading.answers import read_answers
from mystique.grading.learner import LearnerError, check, hint, solution
from mystique.grading.learner_report import format_hint, format_report, format_solution, page
from mystique.grading.run_notebook import Cell, Limits, run

ROOT = Path(__file__).resolve().parents[2]
SHORT = Limits(cell=3)


def cell(key, source, points=None, manual=False, kind="code"):
    grade = {"grade": points is not None, "solution": points is None or manual, "locked": points is not None and not manual, "task": False,
             "grade_id": key, "schema_version": 3, **({"points": points} if points is not None else {})}
    meta = {"nbgrader": grade} if key else {}
    return {"cell_type": kind, "id": key or "setup", "metadata": meta, "source": source, **({"outputs": [], "execution_count": None} if kind == "code" else {})}


def question(number, name, right):
    """A text, an answer and a test: `name` must be `right`, and a hidden line says so."""
    test = f"""
passed = globals().get('{name}') == {right!r}
print("q{number}: " + ("2 of 2 points" if passed else "0 of 2 points"))
### BEGIN HIDDEN TESTS
# MYSTIQUE-CANARY-hidden
if not passed:
    print("  [--] the value (0 of 2 points)\\n       `{name}` is not right.\\n  Read again: chapter.html#part-{number}")
### END HIDDEN TESTS
2.0 if passed else 0.0"""
    return [
        {"cell_type": "markdown", "id": f"ps9-q{number}-text", "metadata": {}, "source": f"## Question {number}"},
        cell(f"ps9-q{number}", f"{name} = None    # replace None\n### BEGIN SOLUTION\n# MYSTIQUE-CANARY-q{number}\n{name} = {right!r}\n### END SOLUTION"),
        cell(f"ps9-q{number}-test", test.lstrip(), 2),
    ]


NAMES = {1: ("one", 1), 2: ("two", 2), 3: ("three", 3), 4: ("four", 4), 5: ("five", 5), 6: ("six", 6), 7: ("seven", 7)}
RIGHT = {f"q{number}": f"{name} = {right}" for number, (name, right) in NAMES.items()}


def written(cells, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    return path


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The folder of a course with one small set; the progress of the test lies beside it."""
    folder = tmp_path / "exercises"
    cells = [cell("", "import json\ncase = json.load(open('case.json'))")]
    for number, (name, right) in NAMES.items():
        cells += question(number, name, right)
    scheme = "## Question 8\n\n### BEGIN MARK SCHEME\nMYSTIQUE-CANARY-q8\n| Points | For |\n|---|---|\n| 3 | A clear claim. |\n### END MARK SCHEME"
    cells += [
        {"cell_type": "markdown", "id": "ps9-q8-text", "metadata": {}, "source": scheme},
        cell("ps9-q8", "### BEGIN SOLUTION\nMYSTIQUE-CANARY-q8\nA model text.\n### END SOLUTION", 3, manual=True, kind="markdown"),
    ]
    written(cells, folder / "source" / "ps9" / "ps9.ipynb")
    (folder / "source" / "ps9" / "case.json").write_text('{"agency": "A"}')
    (folder / "nbgrader_config.py").write_text("")
    (folder / "hints").mkdir()
    (folder / "hints" / "ps9.yml").write_text("\n".join(f"q{n}: {{hints: [first, second, third], why: Because it is.}}" for n in range(1, 9)))
    monkeypatch.setenv(learner_progress.PLACE, str(tmp_path / "progress.json"))
    monkeypatch.chdir(tmp_path)
    return folder


def released(source, answers):
    """The cells that a learner has, with her answers below the released lines."""
    for each in json.loads(Path(source).read_text(encoding="utf-8"))["cells"]:
        cell = reading.plain_cell(each)
        text = learner.as_released(cell).source
        name, kind = cell.question
        yield {**each, "source": f"{text}\n{answers[name]}" if kind == "answer" and name in answers else text}


def hers(course, answers, name="release/ps9/ps9.ipynb", change=lambda cells: cells):
    return written(change(list(released(course / "source" / "ps9" / "ps9.ipynb", answers))), course / name)


def states(report):
    return {each.name: each.state for each in report.results}


def of(report, name):
    return next(each for each in report.results if each.name == name)


# ----------------------------------------------------------------------------------------------------------- checking


def test_right_wrong_and_untouched_answers(course):
    answers = {**RIGHT, "q2": "two = 22", "q8": "My own words."}
    del answers["q3"]
    answers["q1"] += "\nopen('left-behind.txt', 'w').write('x')"
    path = hers(course, answers)
    before = path.read_bytes()
    report = check("ps9")
    assert states(report) == {"q1": "right", "q2": "wrong", "q3": "empty", "q4": "right", "q5": "right", "q6": "right", "q7": "right", "q8": "person"}
    assert (report.earned, report.possible) == (10, 14)
    assert of(report, "q2").messages == (("the value", "`two` is not right."),) and of(report, "q2").read_again == ("chapter.html#part-2",)
    assert path.read_bytes() == before and [each.name for each in path.parent.iterdir()] == ["ps9.ipynb"], "the check only reads"
    text = format_report(report, 80)
    assert "10 of 14 points. 3 more are for you to judge." in text and "mystique check ps9 --hint q2" in text and "CANARY" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_accidents_cost_their_own_question_and_are_told_apart_from_wrong(course):
    hers(course, {
        **RIGHT,
        "q1": "one = 1\nraise KeyError('gone')",
        "q2": "while True: pass",
        "q3": "while True: print('flood' * 99)",
        "q4": "four = int(input('How many? '))",
        "q5": "import os; os._exit(1)",
        "q6": "six = (",
    })
    report = check("ps9", limits=SHORT)
    assert states(report) == {"q1": "right", "q2": "stopped", "q3": "stopped", "q4": "error", "q5": "stopped", "q6": "error", "q7": "right", "q8": "person"}
    said = {each.name: " ".join(text for _, text in each.messages) for each in report.results}
    assert "KeyError: 'gone' (line 4: raise KeyError('gone'))" in said["q1"]
    assert "3 seconds" in said["q2"] and "200,000 characters" in said["q3"] and "nobody can type" in said["q4"] and "os._exit" in said["q5"]
    assert said["q6"].startswith("Mend this first: SyntaxError")
    assert "not right yet" not in format_report(report)


def test_loop_inside_a_test_and_loop_in_a_cell_of_her_own(tmp_path):
    cells = [
        Cell("answer", "class Endless:\n    def __eq__(self, other):\n        while True: pass\nx = Endless()", "q1"), Cell("test", "x == 1\n2.0", "q1"),
        Cell("own", "while True:\n    try:\n        while True: pass\n    except: pass"), Cell("answer", "%time list = 2; len = 3\nquit()", "q2"),
        Cell("test", "print('told', len(list('ab')))\n1.5", "q2"), Cell("test", "float('nan')"), Cell("test", "'no number'"),
    ]
    rans = run(cells, tmp_path, Limits(cell=2))
    assert [each.ending for each in rans] == ["", "time", "time", "", "", "", ""]
    assert (rans[4].value, rans[4].printed) == (1.5, "told 2\n"), "her built-ins, magics and quit() do not reach the test"
    assert rans[5].value == 0 and rans[6].value is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread looks after the memory")
def test_memory_costs_its_cell(tmp_path):
    rans = run([Cell("answer", "x = bytearray(3 << 30)", "q1"), Cell("answer", "y = 1", "q2"), Cell("test", "float(y)", "q2")], tmp_path)
    assert [each.ending for each in rans] == ["memory", "", ""] and rans[2].value == 1


def test_odd_cells_cost_the_other_questions_nothing(tmp_path):
    odd = [Cell("own", "import os\n_ = os.fork()") if hasattr(os, "fork") else Cell("own", ""), Cell("own", "print('\\ud800')\nraise ValueError('\\udc00')")]
    _, forked, halves, test = run([Cell("own", "x = 1"), *odd, Cell("test", "2.0 * x", "q1")], tmp_path, SHORT)
    assert (forked.ending, halves.error, halves.printed, test.value) == ("", "ValueError: ?", "?\n", 2.0)


def test_watching_thread_ends_the_process():
    code = "from mystique.grading import run_notebook as r; import threading as t, time; t.Thread(target=r._watch_memory, args=(1 << 26, .01), daemon=True).start()"
    done = subprocess.run([sys.executable, "-c", f"{code}; time.sleep(1); x = b'x' * (1 << 28); time.sleep(20)"], timeout=60)
    assert done.returncode == 77


def test_run_ends_in_time_and_says_what_was_not_reached(tmp_path):
    rans = run([Cell("own", "import time"), Cell("own", "time.sleep(9)"), Cell("test", "1.0", "q1")], tmp_path, Limits(run=3))
    assert [each.ending for each in rans] == ["", "not reached", "not reached"]


def test_deleted_copied_and_unlabelled_cells(course):
    def change(cells):
        named = {each["id"]: each for each in cells}
        copy = {**named["ps9-q3"], "source": "three = 3"}
        loose = {**cell("", "four = 4"), "id": "pasted"}
        kept = [each for each in cells if each["id"] not in ("ps9-q2", "ps9-q5-test")]
        own = {**cell("", "print(one)\nundefined"), "id": "mine"}
        return [*kept[:3], own, *kept[3:], copy, loose]

    hers(course, {**{name: RIGHT[name] for name in ("q1", "q5", "q6", "q7")}, "q3": "three = 33"}, change=change)
    report = check("ps9")
    assert states(report) == {"q1": "right", "q2": "gone", "q3": "right", "q4": "right", "q5": "right", "q6": "right", "q7": "right", "q8": "person"}
    notes = " ".join(report.notes)
    assert "q3: there are 2 cells" in notes and "for q4" in notes and "NameError: name 'undefined'" in notes


def test_editor_that_strips_everything_and_a_renamed_file(course):
    def change(cells):
        return [{"cell_type": each["cell_type"], "metadata": {"language": "python"}, "source": [line + "\r\n" for line in each["source"].split("\n")]} for each in cells]

    path = hers(course, {**RIGHT, "q2": "two = 22", "q6": "six = (", "q8": "My own words."}, "release/ps9/ps9 (1).ipynb", change)
    report = check("ps9")
    assert report.notebook == path and report.problem_set == "ps9"
    assert states(report) == {"q1": "right", "q2": "wrong", "q3": "right", "q4": "right", "q5": "right", "q6": "error", "q7": "right", "q8": "person"}
    assert of(report, "q8").attempted and of(report, "q8").answer.startswith("*Write your answer here.*\nMy own")


def test_working_copy_comes_before_the_release_and_a_path_before_both(course, monkeypatch):
    release, work = hers(course, {}), hers(course, {}, "work/ps9/ps9.ipynb")
    assert learner.find_notebook("ps9", course) == work and learner.find_notebook(release, course) == release
    assert learner.find_notebook(course / "release" / "ps9", course) == release
    monkeypatch.chdir(release.parent)
    assert learner.find_exercises() == course
    monkeypatch.chdir(course.parents[1])
    assert learner.find_exercises(None, release) == course


def test_set_without_source_runs_the_visible_checks(course):
    path = hers(course, {**RIGHT, "q2": "two = 22", "q3": "while True: pass"})
    elsewhere = course.parent / "elsewhere" / "taken home.ipynb"
    elsewhere.parent.mkdir()
    shutil.copy(path, elsewhere)
    (elsewhere.parent / "case.json").write_text("{}")
    shutil.rmtree(course)
    report = check(elsewhere, limits=SHORT)
    assert not report.is_full and report.problem_set == "ps9" and "visible checks" in " ".join(report.notes)
    assert states(report) == {"q1": "right", "q2": "wrong", "q3": "stopped", "q4": "right", "q5": "right", "q6": "right", "q7": "right", "q8": "person"}
    assert "What they say was not checked" in format_report(report)
    with pytest.raises(LearnerError, match="Go to the whole course's folder"):
        solution("ps9", "q1")


def test_classes_own_data_stay_her_own(course):
    path = hers(course, {"q1": "one = 1 if case['agency'] == 'B' else 0"})
    assert of(check(path), "q1").state == "wrong"
    (path.parent / "case.json").write_text('{"agency": "B"}')
    report = check(path)
    assert of(report, "q1").state == "right" and "data of its own" in " ".join(report.notes)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 3}', '{"cells": [1]}', '{"nbformat": 4}'])
def test_damaged_notebooks_are_refused_in_words(course, content):
    path = course / "broken.ipynb"
    path.write_text(content)
    with pytest.raises(LearnerError, match="damaged or is no notebook"):
        check(path)


def test_what_is_not_there_is_said(course):
    for words, message in [("ps9", "generate_assignment ps9"), ("ps7", "no problem set ps7. There are: ps9"), ("x/y.ipynb", "no such notebook"),
                           (course / "source" / "ps9" / "ps9.ipynb", "source with the solutions")]:
        with pytest.raises(LearnerError, match=message):
            check(words)
    with pytest.raises(LearnerError, match="no folder"):
        check("ps9", "nowhere")
    with pytest.raises(LearnerError, match="No question"):
        check(written([cell("", "x = 1")], course / "other.ipynb"))


# -------------------------------------------------------------------------------------------------- the same as grading


PS1 = ROOT / "exercises" / "source" / "ps1" / "ps1.ipynb"


def known_answers():
    """[{question: code}, ...]: together every known answer to ps1; the first holds a mistake for each question."""
    answers = {}
    for answer in sorted(read_answers(ROOT / "exercises" / "answers" / "ps1.yml"), key=lambda each: each.is_right):
        answers.setdefault(answer.question, []).append(answer.code)
    return [{name: codes[place] for name, codes in answers.items() if place < len(codes)} for place in range(max(map(len, answers.values())))]


def checked_and_graded(answers, trial, folder):
    """The same answers as the learner's check sees them, and as grading does."""
    report = check(written(list(released(PS1, answers)), folder / "ps1.ipynb"), ROOT / "exercises", folder / "progress.json")
    stubs = {name: each.stub for name, each in trial.questions.items()}
    return report, trial.run({**stubs, **{name: f"{stubs[name]}\n{code}" for name, code in answers.items()}})


@pytest.fixture(scope="module")
def trial():
    from mystique.grading.trial import Trial

    with Trial(PS1) as started:
        yield started


@pytest.fixture(scope="module")
def ps1_twice(trial, tmp_path_factory):
    return *checked_and_graded(known_answers()[0], trial, tmp_path_factory.mktemp("ps1")), trial.questions


def test_points_and_messages_are_those_of_grading(ps1_twice):
    report, graded, _ = ps1_twice
    assert set(graded) == {each.name for each in report.results if each.state in ("wrong", "partly") and each.messages}
    compare(report, graded)


@pytest.mark.full
def test_points_and_messages_are_those_of_grading_for_every_known_answer(trial, tmp_path):
    for answers in known_answers()[1:]:
        compare(*checked_and_graded(answers, trial, tmp_path))


def compare(report, graded):
    for name, result in graded.items():
        mine = of(report, name)
        assert mine.earned == result.score, name
        shown = [text for _, text in mine.messages] + [f"Read again: {section}" for section in mine.read_again]
        told = [line.strip() for line in result.output.splitlines()[1:] if "[ok]" not in line and "[--]" not in line and "same reason" not in line]
        assert shown == told, name


def test_nothing_of_the_tests_is_shown(ps1_twice):
    report, _, questions = ps1_twice
    for text in (format_report(report), page(report)):
        assert "CANARY" not in text and "_checks" not in text and "Traceback" not in text
    assert all(question.points for question in questions.values())


def test_stubs_are_those_that_nbgrader_hands_out(ps1_twice):
    _, _, questions = ps1_twice
    mine = learner.read_questions(PS1)
    assert {name: each.stub for name, each in mine.items() if not each.is_manual} == {name: each.stub for name, each in questions.items()}
    assert mine["q10"].is_manual and mine["q10"].points == 6 and "Points" in mine["q10"].rubric


@pytest.mark.parametrize("value, output", [(1.5, "1.5"), (0.0, "0.0"), (4.0, "4.0"), (None, "None"), (None, None)])
def test_scores_are_nbgraders(value, output):
    from mystique.grading.trial import grade

    assert learner.score(value, 4) == grade([new_output("execute_result", data={"text/plain": output})] if output else [], 4)


@pytest.mark.parametrize("value", [-1.0, 99.0])
def test_a_number_that_cannot_be_a_score_is_none(value):
    assert learner.score(value, 4) == 0


# ------------------------------------------------------------------------------------------- hints and model answers


def test_hints_come_one_at_a_time(course):
    first, second = hint("ps9", "q4"), hint("ps9", "4")
    assert "hint 1 of 3:\nfirst" in format_hint(first) and "hint 2 of 3:\nsecond" in format_hint(second) and "first" not in format_hint(second)
    assert hint("ps9", "ps9-q4").number == 3
    again = hint("ps9", "q4")
    assert again.is_repeat and "1. first\n2. second\n3. third" in format_hint(again)
    for name, message in [("q77", "no question q77"), ("four", "such as q4")]:
        with pytest.raises(LearnerError, match=message):
            hint("ps9", name)


def test_model_answer_after_an_honest_attempt(course):
    with pytest.raises(LearnerError, match="--anyway"):
        solution("ps9", "q2")
    path = hers(course, {"q2": "# I have no idea", "q3": "three = 33", "q8": "My own words."})
    check("ps9")
    with pytest.raises(LearnerError, match="--hint q2"):
        solution("ps9", "q2")
    text = format_solution(solution(path, "q3"))
    assert "    three = 3\n" in text and "Why: Because it is." in text and "None" not in text and "CANARY" not in text and "###" not in text
    text = format_solution(solution("ps9", "q8"))
    assert "A model text." in text and "3: A clear claim." in text and "CANARY" not in text
    assert solution("ps9", "q2", anyway=True).code == "two = 2"
    sets, _ = learner_progress.load()
    assert [name for name, each in sets["ps9"]["questions"].items() if each["solution_seen"]] == ["q2", "q3", "q8"]


@pytest.mark.parametrize("text", ["q1: [", "- 1", "q1: {hints: [a]}", "q1: {hints: [], why: b}", "q1: {hints: [1], why: b}"])
def test_damaged_hints_say_where(course, text):
    (course / "hints" / "ps9.yml").write_text(text)
    with pytest.raises(LearnerError, match="ps9.yml"):
        hint("ps9", "q1")


# ------------------------------------------------------------------------------------------------------------ progress


def report_of(earned, name="ps9"):
    result = learner.Result("q1", "right" if earned == 2 else "wrong", 2.0, earned, attempted=True)
    return learner.Report(name, Path("x.ipynb"), (result,), (), True)


def test_best_and_last_are_kept_and_exported(tmp_path):
    path = tmp_path / "deep" / "progress.json"
    for earned in (1.0, 2.0, 0.5):
        assert learner_progress.record(report_of(earned), path) == ""
    learner_progress.next_hint("ps9", "q1", 3, path)
    text = learner_progress.format_progress(path)
    assert "2 of 2" in text and "0.5 of 2" in text and str(path) in text
    assert "q1" in learner_progress.format_progress(path, "ps9")
    learner_progress.export_progress(tmp_path / "out.csv", path)
    learner_progress.export_progress(tmp_path / "out.json", path)
    with open(tmp_path / "out.csv", newline="", encoding="utf-8") as file:
        [row] = csv.DictReader(file)
    assert (row["set"], row["best"], row["last"], row["tries"], row["hints"]) == ("ps9", "2.0", "0.5", "3", "1")
    assert json.loads((tmp_path / "out.json").read_text())[0]["best"] == 2.0
    assert [each.name for each in path.parent.iterdir()] == ["progress.json"]
    for target in ("out.txt", path):
        with pytest.raises(LearnerError):
            learner_progress.export_progress(target, path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 1, "sets": {"ps1": {"checks": "x"}}}', '{"version": 0, "sets": {}}'])
def test_damaged_progress_is_set_aside_and_told(tmp_path, text):
    path = tmp_path / "progress.json"
    path.write_text(text)
    message = learner_progress.record(report_of(1.0), path)
    [aside] = tmp_path.glob("progress.damaged-*.json")
    assert "damaged" in message and str(aside) in message and aside.read_text() == text
    assert learner_progress.load(path)[0]["ps9"]["best"] == 1.0


def test_newer_progress_is_left_alone(tmp_path):
    path = tmp_path / "progress.json"
    path.write_text('{"version": 99, "sets": {}}')
    assert "newer version" in learner_progress.record(report_of(1.0), path)
    assert path.read_text() == '{"version": 99, "sets": {}}'


def test_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "progress.json"
    learner_progress.record(report_of(1.0), path)
    before = path.read_bytes()

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(learner_progress.os, "replace", fails)
    assert "No space left" in learner_progress.record(report_of(2.0), path)
    assert path.read_bytes() == before and [each.name for each in tmp_path.iterdir()] == ["progress.json"]


@pytest.mark.parametrize("name, platform, variable, expected", [
    ("posix", "linux", "XDG_DATA_HOME", "mystique/progress.json"), ("posix", "darwin", None, "Library/Application Support/mystique/progress.json"),
])
def test_place_of_the_file(tmp_path, monkeypatch, name, platform, variable, expected):
    monkeypatch.delenv(learner_progress.PLACE, raising=False)
    monkeypatch.setattr(learner_progress.sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
    assert learner_progress.default_path() == tmp_path / expected
    monkeypatch.setenv(learner_progress.PLACE, str(tmp_path / "own.json"))
    assert learner_progress.default_path() == tmp_path / "own.json"


# ------------------------------------------------------------------------------------------------------------ the page


def test_page_is_one_file_escaped_and_without_script(tmp_path):
    result = learner.Result("q1", "wrong", 2.0, 0.0, (("the <b>", "`x` <script>alert(1)</script>"),), ("a.html#b",), "x = '<img src=x onerror=1>'", True)
    report = learner.Report("ps9", Path("<i>.ipynb"), (result,), ("a <note>",), True)
    text = learner_report.write_page(report, tmp_path / "how.html", "https://book.example").read_text(encoding="utf-8")
    for bad in ("<script", "<img", "<b>", "<i>", "<note>", "@import", "url("):
        assert bad not in text
    assert "<code>x</code> &lt;script&gt;" in text and 'href="https://book.example/a.html#b"' in text
    assert "prefers-color-scheme: dark" in text and "width=device-width" in text and '<html lang="en">' in text
    assert "href" not in page(report)
    with pytest.raises(LearnerError, match=".html"):
        learner_report.write_page(report, tmp_path / "how.txt")
