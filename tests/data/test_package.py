"""Writing a data set to a folder and reading it back: all of it or nothing, and every bad cell named."""

import json
from pathlib import Path

import pandas as pd
import pytest

from mystique.data.package import DataError, DataSet, field, read, resource, tabulate, write

PLACES = [
    field("place", "string", "A place.", unit="name", construction="Typed.", unique=True, pattern="[A-ZØ].*"),
    field("kind", "string", "What it is.", unit="category", construction="Typed.", missing="Empty if unknown.", enum=["town", "hill"]),
]
VISITS = [
    field("place", "string", "Where.", unit="name", construction="Typed."),
    field("day", "date", "When.", unit="date", construction="Typed.", minimum="2023-01-01", maximum="2023-12-31"),
    field("people", "integer", "How many.", unit="people", construction="Typed.", missing="Empty if not counted.", minimum=0, maximum=50),
    field("warm", "integer", "Warm?", unit="1 = yes, 0 = no", construction="Typed.", enum=[0, 1]),
    field("share", "number", "What share.", unit="percent", construction="Typed.", missing="Empty if not known.", decimals=1, minimum=0, maximum=100),
]


def toy(people=(7, None, 0), name="toy"):
    places = tabulate({"place": ["Ørsted", "Hull, \"North\""], "kind": ["town", None]}, PLACES)
    visits = tabulate({
        "place": ["Ørsted", "Ørsted", "Hull, \"North\""], "day": ["2023-02-01", "2023-02-02", "2023-02-01"],
        "people": people, "warm": [0, 1, 1], "share": [33.3333, None, 100.0],
    }, VISITS)
    package = {"name": name, "resources": [
        resource("places", "Places.", places, PLACES, key=["place"]),
        resource("visits", "Visits.", visits, VISITS, key=["place", "day"], refers_to={"place": ("places", "place")}),
    ]}
    return DataSet(name, "Toy", 5, {"places": places, "visits": visits}, package, {"seed": 5})


def everything_in(folder):
    """All that is below a folder: path -> bytes, None for a folder."""
    return {path.relative_to(folder): None if path.is_dir() else path.read_bytes() for path in folder.rglob("*")}


# ---------------------------------------------------------------- writing and reading go together


def test_what_is_written_is_read_back(tmp_path):
    tables = read(write(toy(), tmp_path))
    assert list(tables) == ["places", "visits"]
    for name, table in toy().tables.items():
        pd.testing.assert_frame_equal(tables[name], table)
    visits = tables["visits"]
    assert visits.dtypes.astype(str).to_dict() == {"place": "str", "day": "datetime64[us]", "people": "Int64", "warm": "int64", "share": "float64"}
    assert visits["share"][0] == 33.3
    assert visits["people"].isna().tolist() == [False, True, False]
    assert tables["places"]["kind"].isna().tolist() == [False, True]


def test_files_are_utf8_with_plain_line_ends(tmp_path):
    folder = write(toy(), tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["datapackage.json", "places.csv", "truth.json", "visits.csv"]
    assert (folder / "places.csv").read_bytes() == 'place,kind\nØrsted,town\n"Hull, ""North""",\n'.encode()
    for path in folder.iterdir():
        assert path.read_bytes().endswith(b"\n") and b"\r" not in path.read_bytes()
    assert json.loads((folder / "truth.json").read_text("utf-8")) == {"seed": 5}


def test_columns_are_those_of_the_codebook_in_its_order():
    table = tabulate({"kind": ["hill"], "scratch": [1], "place": ["Ben"]}, PLACES)
    assert list(table.columns) == ["place", "kind"]


def test_a_spreadsheets_byte_order_mark_line_ends_and_column_order_do_no_harm(tmp_path):
    folder = write(toy(), tmp_path)
    lines = ["kind,place", "town,Ørsted", ',"Hull, ""North"""', ""]
    (folder / "places.csv").write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    pd.testing.assert_frame_equal(read(folder)["places"], toy().tables["places"])


# ---------------------------------------------------------------- writing: all or nothing


def test_the_same_data_set_is_replaced(tmp_path):
    write(toy(), tmp_path)
    assert read(write(toy(people=(1, 2, 3)), tmp_path))["visits"]["people"].tolist() == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]


def put_a_note(folder):
    write(toy(), folder)
    (folder / "toy" / "notes.txt").write_text("mine")


def put_a_folder(folder):
    write(toy(), folder)
    (folder / "toy" / "old").mkdir()


def put_tables_without_codebook(folder):
    (folder / "toy").mkdir()
    (folder / "toy" / "visits.csv").write_text("my,own\n")


def put_another_data_set(folder):
    write(toy(name="other"), folder)
    (folder / "other").rename(folder / "toy")


def put_a_file(folder):
    (folder / "toy").write_text("mine")


def put_a_link(folder):
    (folder / "elsewhere").mkdir()
    (folder / "toy").symlink_to(folder / "elsewhere", target_is_directory=True)


@pytest.mark.parametrize("put, named", [
    (put_a_note, "notes.txt"), (put_a_folder, "old"), (put_tables_without_codebook, "visits.csv"), (put_another_data_set, "visits.csv"),
    (put_a_file, "a file"), (put_a_link, "a link"),
])
def test_what_is_not_this_data_set_is_left_alone(tmp_path, put, named):
    put(tmp_path)
    before = everything_in(tmp_path)
    with pytest.raises(DataError) as problem:
        write(toy(people=(1, 2, 3)), tmp_path)
    assert named in str(problem.value) and str(tmp_path / "toy") in str(problem.value) and "choose another folder" in str(problem.value)
    assert everything_in(tmp_path) == before


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "toy").mkdir()
    assert set(read(write(toy(), tmp_path))) == {"places", "visits"}


def test_a_folder_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError, match="could not be written.*Nothing was changed.*Choose a folder"):
        write(toy(), tmp_path / "file" / "deep")
    assert everything_in(tmp_path) == {Path("file"): b"mine"}


def fail_at(monkeypatch, method, call, problem):
    """Make the given call (1, 2, ...) of a Path method raise; the others work."""
    works, calls = getattr(Path, method), []

    def now_and_then(self, *args, **kwargs):
        calls.append(self)
        if len(calls) == call:
            raise problem
        return works(self, *args, **kwargs)

    monkeypatch.setattr(Path, method, now_and_then)
    return calls


@pytest.mark.parametrize("method, call", [("mkdir", 1), ("mkdir", 2), ("write_bytes", 1), ("write_bytes", 3), ("rename", 1)])
def test_a_failure_leaves_no_trace_in_a_new_place(tmp_path, monkeypatch, method, call):
    calls = fail_at(monkeypatch, method, call, PermissionError(13, "Permission denied"))
    with pytest.raises(DataError, match="Permission denied.*Nothing was changed"):
        write(toy(), tmp_path / "new" / "newer")
    assert len(calls) >= call
    assert everything_in(tmp_path) == {}


@pytest.mark.parametrize("method, call", [("mkdir", 2), ("write_bytes", 2), ("rename", 1), ("rename", 2)])
@pytest.mark.parametrize("problem, seen_as", [(OSError(28, "No space left on device"), DataError), (KeyboardInterrupt(), KeyboardInterrupt)])
def test_a_failure_leaves_the_old_data_set(tmp_path, monkeypatch, method, call, problem, seen_as):
    write(toy(), tmp_path)
    before = everything_in(tmp_path)
    fail_at(monkeypatch, method, call, problem)
    with pytest.raises(seen_as):
        write(toy(people=(1, 2, 3)), tmp_path)
    assert everything_in(tmp_path) == before


# ---------------------------------------------------------------- reading: every fault is named


def edit(file, old, new):
    def change(folder):
        text = (folder / file).read_text("utf-8")
        assert text.count(old) == 1, f"the edit of this test no longer fits {file}"
        (folder / file).write_text(text.replace(old, new), "utf-8", newline="\n")
    return change


def cut(file, characters):
    return lambda folder: (folder / file).write_bytes((folder / file).read_bytes()[:-characters])


def replace(file, content):
    return lambda folder: (folder / file).write_bytes(content)


def remove(file):
    return lambda folder: (folder / file).unlink()


def codebook(change):
    def rewrite(folder):
        package = json.loads((folder / "datapackage.json").read_text("utf-8"))
        change(package)
        (folder / "datapackage.json").write_text(json.dumps(package), "utf-8")
    return rewrite


FAULTS = {
    # cells: what to change, then what the message must name
    "not a whole number": (edit("visits.csv", ",7,", ",seven,"), ["visits.csv", "row 2", "'people'", "'seven'", "a whole number"]),
    "a fraction of a person": (edit("visits.csv", ",7,", ",7.5,"), ["visits.csv", "row 2", "'people'", "'7.5'", "a whole number"]),
    "too large": (edit("visits.csv", ",7,", ",51,"), ["visits.csv", "row 2", "'people'", "'51'", "at most 50"]),
    "too small": (edit("visits.csv", ",0,1,", ",-1,1,"), ["visits.csv", "row 4", "'people'", "'-1'", "at least 0"]),
    "an unknown code": (edit("visits.csv", ",7,0,", ",7,2,"), ["visits.csv", "row 2", "'warm'", "'2'", "one of 0, 1"]),
    "an unknown category": (edit("places.csv", "town", "lake"), ["places.csv", "row 2", "'kind'", "'lake'", "one of town, hill"]),
    "not of the form": (edit("places.csv", "Ørsted", "ørsted"), ["places.csv", "row 2", "'place'", "'ørsted'", "[A-ZØ].*"]),
    "empty where it must not be": (edit("visits.csv", ",7,0,", ",7,,"), ["visits.csv", "row 2", "'warm'", "an empty cell", "a whole number"]),
    "not a number": (edit("visits.csv", "33.3", "33%"), ["visits.csv", "row 2", "'share'", "'33%'", "a number"]),
    "a number that is none": (edit("visits.csv", "33.3", "nan"), ["visits.csv", "row 2", "'share'", "'nan'", "a number"]),
    "not a date": (edit("visits.csv", "2023-02-02", "2/2/2023"), ["visits.csv", "row 3", "'day'", "'2/2/2023'", "a date"]),
    "a day that never was": (edit("visits.csv", "2023-02-02", "2023-02-30"), ["visits.csv", "row 3", "'day'", "'2023-02-30'", "a date"]),
    "too early": (edit("visits.csv", "2023-02-02", "2022-12-31"), ["visits.csv", "row 3", "'day'", "'2022-12-31'", "at least 2023-01-01"]),
    "too late": (edit("visits.csv", "2023-02-02", "2024-01-01"), ["visits.csv", "row 3", "'day'", "'2024-01-01'", "at most 2023-12-31"]),
    # rows and columns
    "a missing column": (edit("places.csv", "place,kind", "place,sort"), ["places.csv", "row 1", "lacks", "'kind'"]),
    "an extra column": (replace("places.csv", b"place,kind,more\nB,town,1\nC,hill,2\n"), ["places.csv", "row 1", "does not know", "'more'"]),
    "a column twice": (replace("places.csv", b"place,kind,kind\nB,town,hill\nC,hill,hill\n"), ["places.csv", "row 1", "more than one", "'kind'"]),
    "a stray comma": (edit("visits.csv", ",7,", ",7,,"), ["visits.csv", "row 2", "6 cells", "5"]),
    "an empty line": (edit("places.csv", "town\n", "town\n\n"), ["places.csv", "row 3", "0 cells", "2"]),
    "cut off within the last cell": (cut("visits.csv", 2), ["visits.csv", "cut off"]),
    "cut off within the last row": (cut("visits.csv", 15), ["visits.csv", "cut off"]),
    "cut off between two rows": (replace("visits.csv", "place,day,people,warm,share\nØrsted,2023-02-01,7,0,33.3\n".encode()),
                                 ["visits.csv", "1 rows", "3 expected"]),
    "an empty file": (replace("visits.csv", b""), ["visits.csv", "empty"]),
    "only a header": (replace("visits.csv", b"place,day,people,warm,share\n"), ["visits.csv", "0 rows", "3 expected"]),
    "an open quotation mark": (edit("places.csv", '"Hull', 'Hull"'), ["places.csv", "row 3"]),
    "a quotation never closed": (edit("places.csv", 'town\n"Hull, ""North"""', 'town\n"Hull'), ["places.csv", "not a CSV file"]),
    "the same key twice": (edit("visits.csv", "2023-02-02", "2023-02-01"), ["visits.csv", "row 3", "'place'", "2023-02-01", "before"]),
    "a place that is not in places": (edit("visits.csv", "Ørsted,2023-02-02", "Oslo,2023-02-02"), ["visits.csv", "row 3", "'place'", "Oslo", "places.csv"]),
    # files
    "not UTF-8": (replace("places.csv", "place,kind\nØrsted,town\nHull,\n".encode("latin-1")), ["places.csv", "not UTF-8", "byte 11"]),
    "no table": (remove("visits.csv"), ["visits.csv", "not found"]),
    "no codebook": (remove("datapackage.json"), ["datapackage.json", "not found", "folder of one data set"]),
    "a codebook cut off": (cut("datapackage.json", 30), ["datapackage.json", "damaged"]),
    "a codebook that is a list": (replace("datapackage.json", b"[]\n"), ["datapackage.json", "damaged"]),
    "a codebook without tables": (codebook(lambda p: p.update(resources=[])), ["datapackage.json", "damaged"]),
    "a codebook without columns": (codebook(lambda p: p["resources"][0].pop("schema")), ["datapackage.json", "damaged"]),
    "a codebook with a type of another kind": (codebook(lambda p: p["resources"][0]["schema"]["fields"][0].update(type="geopoint")),
                                               ["datapackage.json", "damaged"]),
    "a codebook that points elsewhere": (codebook(lambda p: p["resources"][0].update(path="../places.csv")), ["datapackage.json", "damaged"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(tmp_path, fault):
    change, named = FAULTS[fault]
    folder = write(toy(), tmp_path)
    read(folder)
    change(folder)
    before = everything_in(tmp_path)
    with pytest.raises(DataError) as problem:
        read(folder)
    message = str(problem.value)
    assert [words for words in named if words not in message] == [], message
    assert message.rstrip(".").split(". ")[-1].split()[0] in {"Mend", "Get", "Give", "Make", "Remove", "Save"}, f"what to do is not said: {message}"
    assert everything_in(tmp_path) == before


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="nowhere.*not found"):
        read(tmp_path / "nowhere")
