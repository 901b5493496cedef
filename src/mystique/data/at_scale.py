"""The employees' model for millions of people: written as Parquet piece by piece, and what Figures 1 and 2 show on it.

`write_at_scale` never holds more than a few blocks of people, so memory does not grow with their number. `figures` estimates
with pyfixest, whose fixed effects need no column of their own. The book stores its answer and does not work it out again.
"""

import importlib.util
import json
import uuid
import warnings
from numbers import Integral
from pathlib import Path

import numpy as np
import pandas as pd

from ..theory import chance_of_leaving
from . import employees
from .agencies import FIELDS
from .package import CODEBOOK, LICENCE, TRUTH, DataError, all_or_nothing, resource

NAME = "employees_at_scale"
TITLE = "Who leaves and who stays, at full scale (synthetic)"

AGENCIES_A_SURVEY = len(FIELDS)   # 200 agencies ...
YEARS = range(2010, 2020)         # ... and ten years: the 2,000 agency observations of the published database
CHUNK = 100_000                   # people held at a time; more is not faster
MOST_PEOPLE = 9_999_999           # what seven digits of person_id can tell apart
TABLES = "agencies", "employees"
NEAR = 0.25                       # standard deviations: who counts as near a group's middle


# ---------------------------------------------------------------- writing


def write_at_scale(people, seed, folder, chunk=CHUNK, progress=None):
    """Write so many people as `folder/employees_at_scale/` and return that path; all of it or nothing.

    The folder holds agencies.parquet, employees.parquet (one row a person and year asked, in the order of the people),
    datapackage.json and truth.json. Rows depend on the seed only: not on `chunk`, the people held in memory at a time (rounded
    up to whole blocks), and the first people are the same however many follow. `progress(done, people)` is called after each
    chunk. Raises DataError for numbers that make no sense, for a folder that holds anything else, and if it cannot be written.
    """
    _check(people=(people, 1, MOST_PEOPLE), chunk=(chunk, 1, None), seed=(seed, 0, None))
    places = employees.settle(int(seed), AGENCIES_A_SURVEY, YEARS)
    files = [f"{name}.parquet" for name in TABLES] + [CODEBOOK, TRUTH]
    with all_or_nothing(folder, NAME, files) as (temporary, target):
        _write_agencies(temporary / "agencies.parquet", places)
        rows = _write_people(temporary / "employees.parquet", places, int(people), int(seed), int(chunk), progress)
        _write_json(temporary / CODEBOOK, codebook(places, people, rows))
        _write_json(temporary / TRUTH, {**employees.truth(int(seed), int(people), places), "name": NAME})
    return target


def _check(**numbers):
    for name, (value, least, most) in numbers.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least or (most and value > most):
            limits = f"{least:,} to {most:,}" if most else f"{least:,} or more"
            raise DataError(f"{name}: found {value!r}, expected a whole number, {limits}.")


def chunks(places, people, seed, chunk=CHUNK):
    """The people in pieces of `chunk`, rounded up to whole blocks: each the number of people done and {column: array}."""
    blocks_at_once = -(-chunk // employees.BLOCK)
    starts = range(0, people, blocks_at_once * employees.BLOCK)
    for start in starts:
        first = start // employees.BLOCK
        last = min(first + blocks_at_once, -(-people // employees.BLOCK))
        pieces = [employees.employ(seed, places, number, people) for number in range(first, last)]
        yield min(people, last * employees.BLOCK), {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _write_agencies(path, places):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pandas(places.agencies[["agency_id", "agency", "mission", "survey"]], preserve_index=False), path)


def _write_people(path, places, people, seed, chunk, progress):
    """Write the people, one row group a chunk, and return the number of rows."""
    import pyarrow.parquet as pq

    rows, writer = 0, None
    try:
        for done, piece in chunks(places, people, seed, chunk):
            table = _table(places, piece)
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
            rows += table.num_rows
            if progress:
                progress(done, people)
    finally:
        if writer:
            writer.close()
    return rows


def _table(places, piece):
    """The rows of a chunk in the codebook's columns. Small whole numbers and repeated names take a byte or two each."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = pc.utf8_lpad(pc.cast(pa.array(piece["person"] + 1), pa.string()), 7, "0")

    def of_agency(column):
        names, codes = np.unique(places.agencies[column], return_inverse=True)
        return pa.DictionaryArray.from_arrays(pa.array(codes[piece["agency"]].astype("int16")), pa.array(names.tolist()))

    columns = {
        "person_id": pc.binary_join_element_wise("P", numbers, ""),
        "agency_id": of_agency("agency_id"),
        "survey": of_agency("survey"),
        "year": pa.array((piece["year"] + places.years[0]).astype("int16")),
        "grade": pa.array(piece["grade"].astype("int8")),
        **{name: pa.array(piece[name]) for name in ["tenure_years", "support", "motivation"]},
        **{name: pa.array(piece[name].astype("int8")) for name in ["pay_satisfaction", "intends_to_leave", "left"]},
    }
    return pa.table({field["name"]: columns[field["name"]] for field in employees.columns(AGENCIES_A_SURVEY, YEARS)["employees"]})


def _write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8", newline="\n")


def codebook(places, people, rows):
    """The data package: that of the employees data, for Parquet files."""
    fields = employees.columns(AGENCIES_A_SURVEY, YEARS)
    resources = [
        resource("agencies", "One row an agency.", places.agencies, fields["agencies"], key=["agency_id"]),
        resource("employees", "One row a person and year asked.", range(rows), fields["employees"], key=["person_id", "year"],
                 refers_to={"agency_id": ("agencies", "agency_id")}),
    ]
    for each in resources:
        each.update(path=f"{each['name']}.parquet", format="parquet", mediatype="application/vnd.apache.parquet")
        del each["encoding"]
    return {
        "name": NAME,
        "title": TITLE,
        "description": employees.describe(people, len(places.agencies), YEARS[0], YEARS[-1]),
        "keywords": ["synthetic", "teaching", "public administration", "mission motivation", "turnover"],
        "licenses": [LICENCE],
        "how_made": employees.HOW_MADE,
        "causal_diagram": [dict(zip(("from", "to", "sign", "note"), arrow)) for arrow in employees.ARROWS],
        "resources": resources,
    }


# ---------------------------------------------------------------- Figures 1 and 2


def figures(folder):
    """What Figures 1 and 2 show on the data set in `folder`, the path that write_at_scale returned, ready for JSON.

    Figure 1, from agencies' yearly means: the slope of motivation on support, pooled and with agency and year fixed effects,
    for all who were asked and for people in their first year, whom no exit has yet selected. Figure 2, from people: the
    linear and the logit coefficients with agency and year fixed effects, and the chance of leaving in the four groups one
    standard deviation either side, as the logit predicts them in an average agency and as counted without a model. Standard
    errors are clustered by agency. Takes about a kilobyte of memory a person, mostly for the logit.
    """
    path = Path(folder) / "employees.parquet"
    if importlib.util.find_spec("pyfixest") is None:
        raise DataError("The figures need the package pyfixest, which is not installed. Install it: python -m pip install pyfixest")
    if not path.is_file():
        raise DataError(f"{path}: not found. Make it first: mystique data employees --people N --out DIR.")
    people = _read_people(path)
    size = {"rows": len(people), "people": int(people["first"].sum()), "agencies": int(people["agency_id"].nunique()),
            "years": int(people["year"].nunique())}
    return {**size, "figure_1": _figure_1(people), "figure_2": _figure_2(people.drop(columns=["first", "survey"]))}


def write_figures(folder, file):
    """Write `figures(folder)` as JSON, with the commands that make it; an old file is replaced only when all is done."""
    found = figures(folder)
    seed = json.loads((Path(folder) / TRUTH).read_text(encoding="utf-8"))["seed"]
    made_by = [f"mystique data employees --people {found['people']} --seed {seed} --out FOLDER", f"mystique figures FOLDER/{NAME} {Path(file).name}"]
    new = Path(f"{file}.{uuid.uuid4().hex[:8]}")
    try:
        _write_json(new, {"made_by": made_by, **found})
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _read_people(path):
    """The columns that the figures need, as narrow as they allow, and whether a row is the person's first."""
    import pyarrow.parquet as pq

    wanted = ["agency_id", "survey", "year", "support", "motivation", "left"]
    file, pieces = pq.ParquetFile(path), []
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=["person_id", *wanted])
        person = table["person_id"].to_numpy()
        first = np.append(True, person[1:] != person[:-1])   # no person's rows are spread over two row groups
        pieces.append(table.select(wanted).to_pandas().astype({"support": "float32", "motivation": "float32"}).assign(first=first))
    return pd.concat(pieces, ignore_index=True)


def _figure_1(people):
    found = {}
    for who, rows in [("all_asked", people), ("first_year_only", people[people["first"]])]:
        means = rows.groupby(["survey", "agency_id", "year"], observed=True)[["support", "motivation"]].mean().astype(float).reset_index()
        found[who] = {
            "agency_observations": len(means),
            "pooled": _fit("motivation ~ support", means)["support"],
            "survey_and_year": _fit("motivation ~ support | survey + year", means)["support"],
            "agency_and_year": _fit("motivation ~ support | agency_id + year", means)["support"],
        }
    return found


def _figure_2(people):
    formula = "left ~ support * motivation | agency_id + year"
    logit = _estimate(formula, people, logit=True)
    return {
        "share_who_left": round(float(people["left"].mean()), 4),
        "linear": _fit(formula, people),
        "logit": _terms(logit),
        "groups": {
            name: {"chance_of_leaving": round(_chance(logit, *scores), 4), **_count_near(people, *scores)}
            for name, scores in employees.GROUPS.items()
        },
    }


def _chance(logit, support, motivation):
    """The chance that the logit predicts in the average agency and year, for one who meets this support with this motivation."""
    of_agency, of_year = logit.fixef().values()
    constant = np.mean(list(of_agency.values())) + sum(of_year.values()) / (len(of_year) + 1)   # the first year's is 0, and left out
    slopes = logit.coef()
    return float(chance_of_leaving(
        support, motivation, constant, slopes["support"], slopes["motivation"], slopes["support:motivation"]))


def _count_near(people, support, motivation):
    """The same without a model: people near that point, and the share of them who left."""
    there = people["support"].between(support - NEAR, support + NEAR) & people["motivation"].between(motivation - NEAR, motivation + NEAR)
    left = people.loc[there, "left"]
    return {"people_near": len(left), "share_of_them_who_left": round(float(left.mean()), 4) if len(left) else None}


def _fit(formula, rows):
    return _terms(_estimate(formula, rows))


def _estimate(formula, rows, logit=False):
    import pyfixest   # here, since it takes seconds to load and writing does not need it

    options = {"vcov": {"CRV1": "agency_id"}, "copy_data": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.Pandas4Warning)   # pyfixest 0.60 calls pandas in ways that pandas 4 will end
        if logit:
            return pyfixest.feglm(formula, rows, family="logit", **options)
        return pyfixest.feols(formula, rows, store_data=False, lean=True, **options)


def _terms(fit):
    """{term: {"estimate", "standard_error"}}"""
    found = zip(fit.coef().items(), fit.se())
    return {term: {"estimate": round(float(value), 5), "standard_error": round(float(error), 5)} for (term, value), error in found}
