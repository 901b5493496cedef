"""What a data set is, and how it is written to and read from a folder.

A data set is some tables, a codebook (a Frictionless Data Package) and the truth about how it was made.
On disk it is a folder: one CSV file a table, `datapackage.json`, and `truth.json`, which is the teacher's.
This module knows nothing about any data set's content: that is in the modules beside it.
"""

import csv
import io
import json
import re
import shutil
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

CODEBOOK = "datapackage.json"
TRUTH = "truth.json"

LICENCE = {
    "name": "CC-BY-4.0",
    "title": "Creative Commons Attribution 4.0 International",
    "path": "https://creativecommons.org/licenses/by/4.0/",
}

# What a cell must look like. float() alone would take "nan" and "1_000", date.fromisoformat() would take "20230131".
LOOKS_LIKE = {
    "integer": re.compile(r"[+-]?\d+"),
    "number": re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"),
    "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "string": re.compile(r".*", re.DOTALL),
}
IN_WORDS = {"integer": "a whole number", "number": "a number", "date": "a date such as 2023-01-31", "string": "text"}


class DataError(ValueError):
    """A data set cannot be made, written or read; the message says where, what was found and what to do."""


@dataclass(frozen=True)
class DataSet:
    """Tables (already rounded, in their final types), their codebook, and the truth behind them."""

    name: str
    title: str
    seed: int
    tables: dict[str, pd.DataFrame]
    package: dict
    truth: dict


# ---------------------------------------------------------------- the codebook


def field(name, type, description, *, unit, construction, missing=None, decimals=None, **constraints):
    """One column of a codebook.

    `missing` says when a cell is empty; None means that no cell may be. `decimals` belongs to numbers.
    `constraints` are Frictionless's: minimum, maximum, enum, pattern, unique.
    `unit`, `missing`, `construction` and `decimals` are properties of our own, which Frictionless allows.
    """
    rule = {"description": description, "unit": unit, "missing": missing or "Never empty.", "construction": construction}
    if decimals is not None:
        rule["decimals"] = decimals
    return {"name": name, "type": type, **rule, "constraints": {"required": missing is None, **constraints}}


def resource(name, description, table, fields, *, key, refers_to=None):
    """One table of a codebook. `key`: columns that tell its rows apart. `refers_to`: {column: (table, column)}."""
    schema = {"fields": fields, "missingValues": [""], "primaryKey": key}
    if refers_to:
        schema["foreignKeys"] = [
            {"fields": [column], "reference": {"resource": other, "fields": [theirs]}}
            for column, (other, theirs) in refers_to.items()
        ]
    return {
        "name": name,
        "type": "table",
        "path": f"{name}.csv",
        "description": description,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "rows": len(table),  # so that a file cut off between two lines is noticed
        "schema": schema,
    }


def tabulate(raw, fields):
    """The frame with exactly the codebook's columns, in its order, rounded and in its types."""
    return pd.DataFrame({f["name"]: _typed(raw[f["name"]], f) for f in fields})


def _typed(values, field):
    values = pd.Series(values).reset_index(drop=True)
    match field["type"]:
        case "integer":
            return values.astype("int64" if field["constraints"]["required"] else "Int64")
        case "number":
            return values.astype("float64").round(field["decimals"])
        case "date":
            return pd.to_datetime(values).astype("datetime64[us]")
        case "string":
            return values.astype("str")


# ---------------------------------------------------------------- writing


def write(dataset, folder):
    """Write the data set as `folder/NAME/` and return that path; all of it or nothing.

    A folder that already holds this data set is replaced. One that holds anything else is left alone: DataError.
    """
    files = _contents(dataset)
    with all_or_nothing(folder, dataset.name, files) as (temporary, target):
        for name, content in files.items():
            (temporary / name).write_bytes(content)
    return target


@contextmanager
def all_or_nothing(folder, name, files):
    """A temporary folder to write `files` into, and the path `folder/name` that it becomes if all goes well."""
    folder = Path(folder)
    target = folder / name
    temporary, retired = (folder / f".{name}-{uuid.uuid4().hex[:8]}" for _ in range(2))
    new_folders = [each for each in (folder, *folder.parents) if not each.exists()]
    done = False
    try:
        _refuse_strangers(target, name, files)
        folder.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        yield temporary, target
        _put_in_place(temporary, target, retired)
        done = True
    except OSError as problem:
        raise DataError(
            f"{target}: the data set could not be written ({problem.strerror or problem}). Nothing was changed. "
            "Choose a folder that you may write to, with room on the disk."
        ) from problem
    finally:
        shutil.rmtree(retired if done else temporary, ignore_errors=True)
        for each in [] if done else new_folders:
            with suppress(OSError):
                each.rmdir()


def _contents(dataset):
    """File name -> bytes. The same data set always gives the same bytes."""
    texts = {f"{name}.csv": _csv(table) for name, table in dataset.tables.items()}
    texts |= {CODEBOOK: _json(dataset.package), TRUTH: _json(dataset.truth)}
    return {name: text.encode("utf-8") for name, text in texts.items()}


def _csv(table):
    return table.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d")


def _json(value):
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _refuse_strangers(target, name, files):
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise DataError(f"{target}: a file or a link, where the data set's folder should go. Move it away, or choose another folder.")
    if not target.exists():
        return
    held = sorted(path.name for path in target.iterdir())
    strangers = [found for found in held if found not in files]
    if strangers:
        raise DataError(
            f"{target}: holds {', '.join(strangers)}, which is no part of the data set '{name}'. Nothing was changed. "
            "Move it away, or choose another folder."
        )
    if held and _name_in_codebook(target) != name:
        raise DataError(
            f"{target}: holds {', '.join(held)}, but no {CODEBOOK} that says it is the data set '{name}'. Nothing was changed. "
            "Move these files away, or choose another folder."
        )


def _name_in_codebook(folder):
    try:
        return json.loads((folder / CODEBOOK).read_text(encoding="utf-8"))["name"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _put_in_place(new, target, retired):
    """Rename `new` to `target`; an old target goes to `retired`, and comes back should the renaming fail."""
    if target.exists():
        target.rename(retired)
    try:
        new.rename(target)
    except BaseException:
        if retired.exists():
            retired.rename(target)
        raise


# ---------------------------------------------------------------- reading


def read(folder):
    """Read a data set's folder into {table name: DataFrame}, in the codebook's types, checked against the codebook.

    A whole-number column that may be empty is Int64, a date is datetime64. Raises DataError at the first thing wrong.
    Rows are numbered as a spreadsheet does: the header is row 1.
    """
    folder = Path(folder)
    resources = _read_codebook(folder)
    tables = {each["name"]: _read_table(folder / each["path"], each) for each in resources}
    for each in resources:
        _check_keys(tables, each)
    return tables


def _read_codebook(folder):
    path = folder / CODEBOOK
    if not path.is_file():
        raise DataError(f"{path}: not found. Give the folder of one data set, the one that holds {CODEBOOK} and its CSV files.")
    try:
        resources = json.loads(path.read_text(encoding="utf-8"))["resources"]
        sound = bool(resources) and all(_is_sound(each) for each in resources)
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise DataError(f"{path}: damaged, or not one of this course's codebooks. Make the data set again, or get the file again.")
    return resources


def _is_sound(resource):
    return (
        {"name", "path", "rows", "schema"} <= resource.keys()
        and Path(resource["path"]).name == resource["path"]  # no file outside the data set's folder
        and all({"name", "type", "constraints"} <= f.keys() and f["type"] in LOOKS_LIKE for f in resource["schema"]["fields"])
    )


def _read_table(path, resource):
    fields = resource["schema"]["fields"]
    header, rows = _read_cells(path)
    _check_header(path, header, [f["name"] for f in fields])
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise DataError(
                f"{path}: row {number} has {len(row)} cells, the header has {len(header)}. "
                "The file may be cut off or hold a stray comma. Get it again, or mend that row."
            )
    if len(rows) != resource["rows"]:
        raise DataError(
            f"{path}: {len(rows)} rows found below the header, {resource['rows']} expected. "
            "Rows were lost or added. Get the file again."
        )
    columns = dict(zip(header, zip(*rows))) if rows else {name: () for name in header}
    parsed = {f["name"]: [_parse(cell, f, path, number) for number, cell in enumerate(columns[f["name"]], start=2)] for f in fields}
    return tabulate(parsed, [{"decimals": 15, **f} for f in fields])


def _read_cells(path):
    if not path.is_file():
        raise DataError(f"{path}: not found, though {CODEBOOK} lists it. Get the whole folder again.")
    try:
        text = path.read_bytes().decode("utf-8-sig")  # a spreadsheet may have put a byte order mark in front
    except UnicodeDecodeError as problem:
        raise DataError(f"{path}: not UTF-8 text (byte {problem.start}). Save it as CSV UTF-8, or get the file again.") from problem
    if not text.endswith("\n"):
        raise DataError(f"{path}: the last line has no end, so the file is cut off or empty. Get the file again.")
    try:
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error as problem:
        raise DataError(f"{path}: not a CSV file ({problem}). Get the file again.") from problem
    return header, rows


def _check_header(path, header, expected):
    missing = [name for name in expected if name not in header]
    extra = [name for name in header if name not in expected]
    twice = sorted({name for name in header if header.count(name) > 1})
    for problem, names, cure in [
        ("lacks the column", missing, "Get the file again."),
        ("has a column that the codebook does not know:", extra, "Remove it, or get the file again."),
        ("has more than one column", twice, "Remove the copy, or get the file again."),
    ]:
        if names:
            raise DataError(f"{path}: row 1 (the header) {problem} {', '.join(map(repr, names))}. {cure}")


def _parse(cell, field, path, row):
    """The value of a cell; None for an empty one. Raises DataError if the codebook does not allow it."""
    kind, rules = field["type"], field["constraints"]

    def refuse(expected):
        found = repr(cell) if cell else "an empty cell"
        return DataError(
            f"{path}: row {row}, column '{field['name']}': found {found}, expected {expected}. Mend the cell, or get the file again.")

    if cell == "":
        if rules.get("required"):
            raise refuse(IN_WORDS[kind])
        return None
    if not LOOKS_LIKE[kind].fullmatch(cell):
        raise refuse(IN_WORDS[kind])
    try:
        value = _value(cell, kind)
    except ValueError:
        raise refuse(IN_WORDS[kind]) from None
    if "enum" in rules and value not in rules["enum"]:
        raise refuse("one of " + ", ".join(map(str, rules["enum"])))
    if "pattern" in rules and not re.fullmatch(rules["pattern"], cell):
        raise refuse(f"text of the form {rules['pattern']}")
    if "minimum" in rules and value < _limit(rules["minimum"], kind):
        raise refuse(f"at least {rules['minimum']}")
    if "maximum" in rules and value > _limit(rules["maximum"], kind):
        raise refuse(f"at most {rules['maximum']}")
    return value


def _value(cell, kind):
    return {"integer": int, "number": float, "date": date.fromisoformat, "string": str}[kind](cell)


def _limit(limit, kind):
    return date.fromisoformat(limit) if kind == "date" else limit


def _check_keys(tables, resource):
    table, path, schema = tables[resource["name"]], resource["path"], resource["schema"]
    key = schema.get("primaryKey", [])
    again = table.index[table.duplicated(key)] if key else []
    if len(again):
        found = ", ".join(f"{column} {table[column][again[0]]}" for column in key)
        raise DataError(f"{path}: row {again[0] + 2}, column '{key[0]}': {found} was there before. Remove the copy, or get the file again.")
    for link in schema.get("foreignKeys", []):
        [column], other, [theirs] = link["fields"], link["reference"]["resource"], link["reference"]["fields"]
        lost = table.index[~table[column].isin(tables[other][theirs])]
        if len(lost):
            raise DataError(
                f"{path}: row {lost[0] + 2}, column '{column}': found {table[column][lost[0]]!r}, "
                f"which is not in column '{theirs}' of {other}.csv. Mend the cell, or get both files again."
            )
