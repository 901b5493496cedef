"""An explorer's answers: its function called for every combination of its controls, packed for a page.

Nothing here knows HTML or ipywidgets. Bad explorers are refused with a message that names them.
"""

from __future__ import annotations

import gzip
import itertools
import json
import math
from dataclasses import dataclass
from typing import Callable

import altair as alt
import numpy as np
from altair.utils.schemapi import debug_mode

from .. import charts
from .controls import Control, ExplorerError

MOST_COMBINATIONS = 4_000  # past this a build is slow and a page heavy: compute in the page, with a twin


@dataclass(frozen=True)
class Answer:
    """What an explorer's function says for one combination: the chart in parts, and one sentence."""

    chart: charts.Parts
    sentence: str


def ask(name: str, function: Callable, values: dict, schema: bool = True) -> Answer:
    """Call an explorer's function and check the form of what it returns.

    schema: let Altair hold the chart to Vega-Lite's schema too, which takes about half of the time.
    """
    setting = ", ".join(f"{key}={value!r}" for key, value in values.items())
    try:
        with debug_mode(schema):
            returned = function(**values)
    except Exception as error:
        raise ExplorerError(
            f"explorer '{name}': its function raised {type(error).__name__}: {error} for {setting}."
        ) from error
    if not (isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[0], alt.TopLevelMixin)
            and isinstance(returned[1], str)):
        raise ExplorerError(
            f"explorer '{name}': its function must return an Altair chart and a sentence; for {setting} it returned "
            f"{type(returned).__name__}."
        )
    chart, sentence = returned
    return Answer(charts.parts(chart, schema), sentence)


def combinations(controls: list[Control]) -> list[dict]:
    """Every combination of the controls' values, the last control changing fastest."""
    return [
        dict(zip((control.name for control in controls), values))
        for values in itertools.product(*(control.values for control in controls))
    ]


def start(controls: list[Control]) -> dict:
    """The values that the controls start with."""
    return {control.name: control.values[control.start] for control in controls}


def ask_all(name: str, function: Callable, controls: list[Control]) -> list[Answer]:
    """The answers for all combinations; refuses too many of them, and charts that differ in more than their data."""
    count = math.prod(len(control.values) for control in controls)
    if count > MOST_COMBINATIONS:
        sizes = " x ".join(f"{len(control.values)} ({control.name})" for control in controls)
        raise ExplorerError(
            f"explorer '{name}': {count:,} combinations ({sizes}); at most {MOST_COMBINATIONS:,} can be worked out "
            "when the book is built. Use fewer or larger steps, or let the page compute (`twin=`)."
        )
    answers = []
    for values in combinations(controls):
        answer = ask(name, function, values, schema=not answers)  # the others must be the first one with other data
        answers.append(answer)
        difference = first_difference(answers[0].chart.spec, answer.chart.spec)
        if difference:
            setting = ", ".join(f"{key}={value!r}" for key, value in values.items())
            raise ExplorerError(
                f"explorer '{name}': for {setting} the chart differs in more than its data: {difference}. Keep the "
                "encodings, titles and scales the same, and put what changes into the data or the sentence."
            )
    return answers


def first_difference(one, other, path: str = "chart") -> str:
    """Where two specifications first differ, in words; empty if they are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            if key not in one or key not in other:
                return f"{path}.{key} is only in one of them"
            found = first_difference(one[key], other[key], f"{path}.{key}")
            if found:
                return found
        return ""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other)):
            found = first_difference(*pair, f"{path}[{place}]")
            if found:
                return found
        return ""
    return "" if one == other else f"{path} is {one!r} or {other!r}"


# Packing for a page ---------------------------------------------------------------------------------------------


def pack(answers: list[Answer]) -> dict:
    """All answers as one JSON-ready object: columns and sentences that recur are held once.

    Returns ``{"sentences": pool, "data": {data set: {field: pool}}, "decimals": {data set: {field: count}}}``, where
    a pool is ``{"of": [distinct entries], "at": [position for each combination]}``, without ``at`` if there is only
    one entry. Numbers are rounded to the decimals that the table shows.
    """
    names = list(answers[0].chart.data)
    data, decimals = {}, {}
    for name in names:
        tables = [columns(answer.chart.data[name]) for answer in answers]
        fields = list(dict.fromkeys(field for table in tables for field in table))
        decimals[name], data[name] = {}, {}
        for field in fields:
            each = [table.get(field, []) for table in tables]
            digits = charts.decimals_for([value for column in each for value in column])
            decimals[name][field] = digits
            data[name][field] = pool([[rounded(value, digits) for value in column] for column in each])
    return {"sentences": pool([answer.sentence for answer in answers]), "data": data, "decimals": decimals}


def columns(rows: list[dict]) -> dict[str, list]:
    """Rows as columns, in plain Python values; a field that a row lacks is missing there."""
    fields = list(dict.fromkeys(field for row in rows for field in row))
    return {field: [plain(row.get(field)) for row in rows] for field in fields}


def plain(value):
    """A NumPy scalar as Python's own; NaN as None, as JSON has it."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def rounded(value, decimals: int):
    """A number rounded as its table cell shows it; anything else as it is."""
    if isinstance(value, float):
        number = float(charts.fixed(value, decimals))
        return int(number) if number.is_integer() else number
    return value


def pool(entries: list) -> dict:
    """Equal entries held once; see `pack`."""
    known: dict[str, int] = {}
    at = [known.setdefault(json.dumps(entry), len(known)) for entry in entries]
    distinct = [json.loads(text) for text in known]
    return {"of": distinct} if len(distinct) == 1 else {"of": distinct, "at": at}


def gzipped_size(text: str) -> int:
    """Bytes that a text takes on the wire."""
    return len(gzip.compress(text.encode(), 9, mtime=0))
