"""What students and editors do to a notebook is undone and reported; what is no notebook is refused with a sentence."""

import json
import os

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


def test_the_last_copy_with_an_answer_counts():
    stub = cell(RELEASE[4], source="total = None")
    other = cell(RELEASE[4], source="total = 4")
    assert answers(read(lambda cells: cells[:5] + [stub] + cells[5:]))["set-q2"] == "total = 3"
    found = read(lambda cells: cells[:5] + [other] + cells[5:])
    assert answers(found)["set-q2"] == "total = 4"
    assert any("2 times" in remark for remark in found.undone)


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
