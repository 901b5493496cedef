"""What students and editors do to a notebook is undone and reported; what is no notebook is refused with a sentence."""

import json
import os
import zipfile

import pytest

from mystique.grading import reading
from mystique.grading.reading import Given, Unreadable, put_into, read_submission

RELEASE = [
    Given("text", "markdown", "# Set 1", cell_id="title"),
    Given("locked", "code", "import pandas as pd", "set-setup", "setup"),
    Given("answer", "code", "def share(rows):\n    part = None\n    return part", "set-q1", "q1"),
    Given("test", "code", "assert share([1]) == 1", "set-q1-test", "q1-test", {"points": 2}),
    Given("answer", "code", "total = None", "set-q2", "q2"),
    Given("test", "code", "assert total == 3", "set-q2-test", "q2-test", {"points": 1}),
    Given("written", "markdown", "*Write your answer here.*", "set-q3", "q3"),
]
ANSWERS = {"set-q1": "def share(rows):\n    part = 1\n    return part", "set-q2": "total = 3", "set-q3": "Because."}


def cell(given, **changes):
    made = {"cell_type": given.cell_type, "metadata": {"nbgrader": {"grade_id": given.grade_id, **given.settings}} if given.grade_id else {},
            "id": given.cell_id, "source": ANSWERS.get(given.grade_id, given.source)}
    return {**made, **changes}


def notebook(change=lambda cells: None):
    cells = [cell(given) for given in RELEASE]
    return {"cells": change(cells) or cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def read(change=lambda cells: None):
    return put_into(RELEASE, [reading.plain_cell(each) for each in notebook(change)["cells"]])


def answers(found):
    return {RELEASE[place].grade_id: source for place, source in found.answers.items()}


def hand_in(folder, content, name="set.ipynb"):
    (folder / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_submission(folder, "set", RELEASE)


def test_an_honest_notebook_has_nothing_to_undo(tmp_path):
    found = hand_in(tmp_path, notebook())
    assert answers(found) == ANSWERS
    assert (found.undone, found.guessed, found.extras, found.files) == ([], [], {}, {})


def strip(cells, ids):
    for each in cells:
        each["metadata"] = {}
        if not ids:
            del each["id"]


@pytest.mark.parametrize("ids", [True, False])
def test_answers_without_metadata_are_known_again(ids):
    found = read(lambda cells: strip(cells, ids))
    assert answers(found) == ANSWERS
    assert found.undone
    if not ids:
        assert found.guessed == ["set-q3 was guessed from its place"], "nothing of this cell was left but the place"
        assert "set-q2 had lost its id and was known again by its names" in found.undone


def test_an_answer_in_a_new_cell_counts_while_its_own_cell_is_untouched():
    new = {"cell_type": "code", "metadata": {}, "id": "pasted", "source": "a = 1\ntotal = a + 2"}

    def move(cells):
        cells[4]["source"] = "total = None   # not here"
        return [*cells, new]

    found = read(move)
    assert answers(found)["set-q2"] == new["source"] and not found.extras
    found = read(lambda cells: [*cells, new])
    assert answers(found)["set-q2"] == "total = 3" and len(found.extras) == 1, "an answer that is there is not replaced"


def sources(cells):
    return [each.source for each in cells]


def test_the_last_whole_answer_counts_and_other_copies_stay_beside_it():
    stub = cell(RELEASE[4], source="total = None")
    other = cell(RELEASE[4], source="total = 4")
    found = read(lambda cells: cells[:5] + [stub] + cells[5:])
    assert answers(found)["set-q2"] == "total = 3" and not found.extras
    found = read(lambda cells: cells[:5] + [other, {**other, "source": "print(total)"}] + cells[5:])
    assert answers(found)["set-q2"] == "total = 4"
    assert {place: sources(cells) for place, cells in found.extras.items()} == {3: ["total = 3"], 4: ["print(total)"]}
    assert any("3 times" in remark for remark in found.undone)


@pytest.mark.parametrize("halves, whole", [
    (("def share(rows):\n    part = 1", "    return part"), True),             # neither runs alone
    (("def share(rows):", "    return 1"), True),
    (("from math import fsum", "def share(rows):\n    return fsum([1])"), False),  # the first half can run before the answer
])
def test_an_answer_in_two_halves_with_one_id_is_one(halves, whole):
    first, second = (cell(RELEASE[2], source=half) for half in halves)
    found = read(lambda cells: cells[:2] + [first, second] + cells[3:])
    assert answers(found)["set-q1"] == ("\n".join(halves) if whole else halves[1])
    assert [each for cells in found.extras.values() for each in sources(cells)] == ([] if whole else [halves[0]])


def run(found):
    """The names that the answers and extra cells give when they run in the release's order."""
    names = {}
    for place in range(-1, len(RELEASE)):
        own = [found.answers.get(place, RELEASE[place].source)] if place >= 0 and RELEASE[place].kind == "answer" else []
        for source in own + [each.source for each in found.extras.get(place, []) if each.is_code]:
            exec(source, names)
    return names


def stub(number, **changes):
    return cell(RELEASE[number], source=RELEASE[number].source, **changes)


@pytest.mark.parametrize("change, said", [
    (lambda c: [*c[:2], {**c[2], "source": c[2]["source"] + "\ntotal = 3"}, c[3], *c[5:]], "set-q2 was answered in set-q1"),              # cells grown together
    (lambda c: [*c[:2], {**c[2], "source": "total = 3\n" + c[2]["source"]}, c[3], stub(4), *c[5:]], "set-q2 was answered in set-q1"),     # its own cell empty
    (lambda c: [*c[:2], {**c[2], "source": c[4]["source"]}, c[3], {**c[4], "source": c[2]["source"]}, *c[5:]], "set-q1 was answered in set-q2"),
    (lambda c: [*c[:4], stub(4), {**c[5], "source": "total = 3\n" + c[5]["source"]}, c[6]], "set-q2 was answered in set-q2-test"),
    (lambda c: [*c[:4], {**c[4], "source": "x = 1"}, *c[5:], code("total = x + 2", "mine")], "set-q2 was answered in a cell of its own"),
])
def test_an_answer_in_another_place_is_found(change, said):
    found = read(change)
    names = run(found)
    assert (names["share"]([1]), names["total"]) == (1, 3)
    assert said in found.moved


@pytest.mark.parametrize("code, part", [
    ("import math\nmean = 1/0\nx = math.pi\ntotal = x + 1", "import math\nx = math.pi\ntotal = x + 1"),
    ("rows = {}\nrows['a'] = 3\nother = missing\ntotal = rows['a']\nprint(other)", "rows = {}\nrows['a'] = 3\ntotal = rows['a']"),
    ("@cache\ndef helper():\n    return 3\n\n\ndef other():\n    pass\n\n\ntotal = helper()", "@cache\ndef helper():\n    return 3\ntotal = helper()"),
    ("case = [3]\nmine = missing[case[0]]\ncase.append(0)\ntotal = case[0]", "case = [3]\ncase.append(0)\ntotal = case[0]"),
    ("total = (", "total = ("),
])
def test_of_another_cell_only_what_the_answer_needs_is_run(code, part):
    assert reading.part_for({"total"}, code) == part


def code(source, name):
    return {"cell_type": "code", "metadata": {}, "id": name, "source": source}


def test_an_answer_that_is_there_is_not_looked_for():
    found = read(lambda cells: [*cells[:2], {**cells[2], "source": cells[2]["source"] + "\ntotal = 4"}, *cells[3:]])
    assert answers(found)["set-q2"] == "total = 3" and found.moved == []
    assert read(lambda cells: [stub(place) for place in range(len(RELEASE))]).moved == []


def test_what_was_added_to_a_given_cell_runs_after_it():
    found = read(lambda cells: [cells[0], {**cells[1], "source": "import math\nimport pandas as pd\nx = 1"}, *cells[2:]])
    assert sources(found.extras[1]) == ["import math\nx = 1"]
    assert found.moved == ["what was added to set-setup was run after it"]
    assert not read(lambda cells: [cells[0], {**cells[1], "source": "import pandas as pd)"}, *cells[2:]]).extras


def text(source):
    return {"cell_type": "markdown", "metadata": {}, "id": "mine", "source": source}


@pytest.mark.parametrize("change", [
    lambda c: [*c[:6], stub(6), text("Because.")], lambda c: [*c[:6], text("Because."), stub(6)],
    lambda c: [*c[:6], stub(6), code("The first reason is that many of them left the county.", "mine")],
    lambda c: [*c[:6], text("Because.")], lambda c: [*c[:6], {**c[6], "source": ""}, code('"""Because."""', "mine")],
])
def test_a_text_beside_its_own_cell_is_taken_and_told(change):
    found = read(change)
    assert any(word in answers(found)["set-q3"] for word in ("Because.", "The first reason"))
    assert any("set-q3" in each for each in found.guessed) and not found.extras


def test_two_texts_with_one_id_are_both_kept():
    assert answers(read(lambda cells: [*cells, cell(RELEASE[6], source="And so on.")]))["set-q3"] == "Because.\n\nAnd so on."


def test_code_beside_a_text_is_not_taken_for_it():
    found = read(lambda cells: [*cells[:6], stub(6), code("1 + 1", "mine")])
    assert found.guessed == [] and sources(found.extras[6]) == ["1 + 1"]


def test_a_text_written_into_its_question_is_found():
    release = [*RELEASE[:6], Given("locked", "markdown", "Why?", "set-q3-text", "q3-text"), RELEASE[6]]
    cells = [cell(given) for given in RELEASE[:6]] + [cell(release[6], source="Why?\n\nBecause."), stub(6)]
    found = put_into(release, [reading.plain_cell(each) for each in cells])
    assert found.answers[7] == "Because." and len(found.guessed) == 1


def test_tests_come_from_the_release_only():
    found = read(lambda cells: [*cells[:3], {**cells[3], "source": "pass"}, cells[3], *cells[4:]])
    assert answers(found) == ANSWERS
    assert found.extras == {}
    assert any("set-q1-test was there 2 times" in remark for remark in found.undone) and any("changed and put back" in remark for remark in found.undone)


def test_changed_points_are_reported():
    def more_points(cells):
        cells[3]["metadata"]["nbgrader"]["points"] = 99
    assert any("set-q1-test had other settings" in remark for remark in read(more_points).undone)


def test_extra_cells_stay_where_they_were():
    mine = {"cell_type": "code", "metadata": {}, "id": "mine", "source": "helper = 1"}
    found = read(lambda cells: [*cells[:2], mine, *cells[2:]])
    assert {place: [each.source for each in cells] for place, cells in found.extras.items()} == {1: ["helper = 1"]}
    assert answers(found) == ANSWERS


def test_a_deleted_cell_is_reported():
    found = read(lambda cells: cells[:4] + cells[5:])
    assert "set-q2" not in answers(found)
    assert "set-q2 was missing" in found.undone


def test_a_markdown_answer_to_a_coding_question_is_read_as_code():
    def change(cells):
        cells[4]["cell_type"] = "raw"
    found = read(change)
    assert answers(found) == ANSWERS and "set-q2 was another kind of cell" in found.undone


@pytest.mark.parametrize("odd", [None, 3, ["a", 1, None, "b"], {"a": 1}, "x" * 2_000_000, "\ud800"])
def test_odd_sources_do_no_harm(odd):
    found = read(lambda cells: [*cells[:4], {**cells[4], "source": odd}, *cells[5:]])
    assert len(answers(found)["set-q2"].encode()) <= reading.LARGEST_CELL


@pytest.mark.parametrize("odd", [None, 3, [], {"nbgrader": 3}, {"nbgrader": {"grade_id": ["x"], "points": "many"}}])
def test_odd_metadata_does_no_harm(odd):
    assert answers(read(lambda cells: [*cells[:4], {**cells[4], "metadata": odd}, *cells[5:]])) == ANSWERS


@pytest.mark.parametrize("content, said", [
    (b"", "is empty"), (b"{", "no JSON"), (b"[" * 100_000, "no JSON"), (b"[]", "it holds list"), (b"{}", "no cells"), (b'{"cells": 3}', "no cells"),
    (json.dumps({"cells": [{}] * 3_000}).encode(), "3,000 cells"), (b"\x00\x01\xff", "no JSON"), (b" " * (reading.LARGEST_NOTEBOOK + 1), "larger than 20 MB"),
])
def test_what_is_no_notebook_is_refused_with_what_to_do(tmp_path, content, said):
    with pytest.raises(Unreadable, match=said):
        hand_in(tmp_path, content)


def test_the_message_says_what_to_do(tmp_path):
    with pytest.raises(Unreadable, match="no file set.ipynb is in the submission. Ask the student to hand in set.ipynb again"):
        read_submission(tmp_path, "set", RELEASE)


def test_other_file_names_and_encodings_are_read(tmp_path):
    found = hand_in(tmp_path, b"\xef\xbb\xbf" + json.dumps(notebook()).encode(), "set (1).ipynb")
    assert answers(found) == ANSWERS and found.undone == ["the notebook was named set (1).ipynb"]


def test_a_second_notebook_is_told(tmp_path):
    for name, change in (("set.ipynb", lambda cells: [cell(each, source=each.source) for each in RELEASE]), ("set (1).ipynb", lambda cells: None)):
        (tmp_path / name).write_text(json.dumps(notebook(change)))
    found = read_submission(tmp_path, "set", RELEASE)
    assert found.guessed == ["two notebooks were handed in: set.ipynb was read and set (1).ipynb was not. Leave only the one that counts"]
    (tmp_path / "set (1).ipynb").write_text((tmp_path / "set.ipynb").read_text())
    assert read_submission(tmp_path, "set", RELEASE).guessed == [], "the same twice is one"


def test_a_notebook_of_another_set_is_not_taken(tmp_path):
    with pytest.raises(Unreadable, match="no file set.ipynb"):
        hand_in(tmp_path, {"cells": [{"cell_type": "code", "source": "1"}]}, "other.ipynb")


def test_a_notebook_of_another_set_under_this_name_is_told(tmp_path):
    other = json.loads(json.dumps(notebook()).replace("set-", "other-"))
    for each in other["cells"]:
        each.pop("id")
    with pytest.raises(Unreadable, match=r"set.ipynb is the notebook of another problem set \(other\). Ask the student"):
        hand_in(tmp_path, other)
    found = hand_in(tmp_path, notebook(), "set (1).ipynb")
    assert answers(found) == ANSWERS and "set (1).ipynb was read in its place" in found.undone[0]


def test_a_notebook_in_a_zip_file_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as packed:
        packed.writestr("__MACOSX/set/._set.ipynb", "x")
        packed.writestr("set/set.ipynb", json.dumps(notebook()))
    found = read_submission(tmp_path, "set", RELEASE)
    assert answers(found) == ANSWERS and found.undone == ["the notebook was in set.zip"] and found.files == {}
    (tmp_path / "set.zip").write_bytes((tmp_path / "set.zip").read_bytes()[:-40])
    with pytest.raises(Unreadable, match="no file set.ipynb"):
        read_submission(tmp_path, "set", RELEASE)


def test_compiled_code_is_left_out(tmp_path):
    (tmp_path / "helper.pyc").write_bytes(b"x")
    found = hand_in(tmp_path, notebook())
    assert found.files == {} and "helper.pyc is compiled code" in found.undone[0]


def test_format_3_is_read():
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["total = ", "3"], "metadata": {"nbgrader": {"grade_id": "set-q2"}}}]}]}
    cells = reading.plain_cells(old, reading.Path("set.ipynb"))
    assert answers(put_into(RELEASE, cells)) == {"set-q2": "total = 3"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="links and pipes as on Unix")
def test_links_and_pipes_are_not_followed(tmp_path):
    (tmp_path / "secret").write_text("the gradebook")
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "book.db").symlink_to("../secret")
    (folder / "more").symlink_to("..")
    os.mkfifo(folder / "pipe")
    found = hand_in(folder, notebook())
    assert found.files == {} and len([remark for remark in found.undone if "left out" in remark]) == 3
    (folder / "set.ipynb").unlink()
    (folder / "set.ipynb").symlink_to("../secret")
    with pytest.raises(Unreadable, match="is a link"):
        read_submission(folder, "set", RELEASE)
    (tmp_path / "copied").symlink_to(folder)
    with pytest.raises(Unreadable, match="folder is a link"):
        read_submission(tmp_path / "copied", "set", RELEASE)


def test_files_beside_the_notebook_are_kept_but_not_those_of_the_release(tmp_path):
    (tmp_path / "helper.py").write_text("x = 1")
    (tmp_path / "data.csv").write_text("mine")
    (tmp_path / "set.ipynb").write_text(json.dumps(notebook()))
    found = read_submission(tmp_path, "set", RELEASE, {"data.csv"})
    assert found.files == {"helper.py": b"x = 1"}
