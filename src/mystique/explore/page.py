"""An explorer or a figure as HTML for the book: native controls, the default picture, sentence, table, and its data.

Without JavaScript a reader sees the picture, the sentence and the table of the starting values. With it,
`assets/explorer.js` shows the controls and answers from the packed data, or from the twin.
"""

from __future__ import annotations

import json
from html import escape

from .. import charts
from .answers import Answer, columns
from .controls import Control


def html(name: str, answer: Answer, controls: list[Control], answers: dict) -> str:
    """The whole figure.

    ``answer`` is what the starting values give; ``answers`` is what the page answers from: `answers.pack` of every
    combination, or ``{"twin": name, "given": data, "decimals": ...}``.
    """
    shown = charts.table_columns(answer.chart.spec)
    payload = {
        "name": name,
        "controls": [
            {"name": c.name, "kind": c.kind, "labels": c.labels, "values": c.values, "start": c.start} for c in controls
        ],
        "vega": charts.vega(answer.chart),
        "table": [{"source": c.source, "field": c.field} for c in shown],
        **answers,
    }
    key = escape(name, quote=True)
    head = f'<form class="explorer-controls" aria-label="Controls: {key}" hidden>{_controls(name, controls)}</form>' if controls else ""
    script = f'<script type="application/json" class="explorer-data">{_json(payload)}</script>'
    return (
        f'<figure class="explorer{"" if controls else " still"}" id="explorer-{key}" data-name="{key}">{head}'
        f'<div class="explorer-picture" role="img" aria-label="{escape(answer.sentence, quote=True)}">{charts.svg(answer.chart, for_page=True)}</div>'
        f'<figcaption><p class="explorer-sentence">{escape(answer.sentence)}</p></figcaption>'
        f'<p class="explorer-status visually-hidden" role="status" aria-live="polite"></p>'
        f'{_table(answer, shown, answers["decimals"])}{_noscript(controls)}{script}</figure>'
    )


def _json(value) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")


def _controls(name: str, controls: list[Control]) -> str:
    shown = "".join(_CONTROL[control.kind](f"{name}-{control.name}", control) for control in controls)
    buttons = (
        '<div class="explorer-buttons"><button type="reset">Reset</button>'
        '<button type="button" class="explorer-share">Copy link to this view</button></div>'
    )
    return shown + buttons


def _slider(key: str, control: Control) -> str:
    return (
        f'<div class="control"><label for="{key}">{escape(control.label)}</label>'
        f'<span class="slide"><input type="range" id="{key}" name="{control.name}" min="0" max="{len(control.values) - 1}" step="1" '
        f'value="{control.start}" aria-valuetext="{escape(control.labels[control.start], quote=True)}">'
        f'<output for="{key}">{escape(control.labels[control.start])}</output></span></div>'
    )


def _select(key: str, control: Control) -> str:
    options = "".join(
        f'<option value="{i}"{" selected" if i == control.start else ""}>{escape(text)}</option>'
        for i, text in enumerate(control.labels)
    )
    return (
        f'<div class="control"><label for="{key}">{escape(control.label)}</label>'
        f'<select id="{key}" name="{control.name}">{options}</select></div>'
    )


def _buttons(key: str, control: Control) -> str:
    options = "".join(
        f'<label class="choice"><input type="radio" id="{key}-{i}" name="{control.name}" value="{i}"'
        f'{" checked" if i == control.start else ""}><span>{escape(text)}</span></label>'
        for i, text in enumerate(control.labels)
    )
    return f'<fieldset class="control"><legend>{escape(control.label)}</legend>{options}</fieldset>'


def _checkbox(key: str, control: Control) -> str:
    return (
        f'<div class="control"><label class="choice"><input type="checkbox" id="{key}" name="{control.name}"'
        f'{" checked" if control.start else ""}><span>{escape(control.label)}</span></label></div>'
    )


_CONTROL = {"slider": _slider, "select": _select, "buttons": _buttons, "checkbox": _checkbox}


def _table(answer: Answer, shown: list[charts.Column], decimals: dict) -> str:
    if not shown:
        return ""
    data = {source: columns(rows) for source, rows in answer.chart.data.items()}
    head = "".join(f'<th scope="col">{escape(column.title)}</th>' for column in shown)
    cells = [
        [charts.cell_text(value, decimals.get(c.source, {}).get(c.field, 0)) for value in data[c.source].get(c.field, [])]
        for c in shown
    ]
    body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in zip(*cells))
    return (
        '<details class="explorer-table"><summary>The numbers behind this picture</summary>'
        '<div class="explorer-scroll" role="group" aria-label="The numbers behind this picture" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details>"
    )


def _noscript(controls: list[Control]) -> str:
    if not controls:
        return ""
    setting = "; ".join(f"{c.label}: {c.labels[c.start]}" for c in controls)
    return f"<noscript><p>With JavaScript this picture answers to controls. It shows: {escape(setting)}.</p></noscript>"
