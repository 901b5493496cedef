"""Explorers: a plain Python function and a few controls, live in a notebook and live in the built book.

    def view(agency, month):
        ...
        return chart, sentence            # an Altair chart, and one sentence that says what it shows

    explore(view, name="completeness", agency=["All", "Harbor House"], month=(1, 18))

In a running notebook this is ipywidgets, and the function is called at every move. In the built book it is the
same controls as native HTML inputs; the function has been called for every combination when the book was built, or,
with `twin=`, the page calls a JavaScript function that tests hold to the Python one. `figure` shows a chart that
has no controls. What a page needs beside it (scripts, styles) is the business of `mystique.book`.
"""

from __future__ import annotations

import os
from html import escape
from typing import Callable

import altair as alt
import comm
import ipywidgets
from comm.base_comm import BaseComm

from .. import charts
from . import answers, page
from .controls import Control, ExplorerError, describe, widget_for

__all__ = ["BUILDING", "Explorer", "ExplorerError", "Figure", "explore", "figure"]

BUILDING = "MYSTIQUE_BUILDING_BOOK"  # set by mystique.book while a book is being built


def _building() -> bool:
    return bool(os.environ.get(BUILDING))


class _NoComm(BaseComm):
    """A line to a front end that isn't there."""

    def publish_msg(self, *args, **kwargs):
        pass


if _building():
    # A widget that an author makes must leave no state in the page: widgets in a built page are dead controls.
    comm.create_comm = _NoComm


class Figure:
    """HTML that a notebook's output or a page of the book shows as it is."""

    def __init__(self, html: str):
        self.html = html

    def _repr_html_(self) -> str:
        return self.html


class Explorer(ipywidgets.VBox):
    """An explorer in a running notebook: its controls, and below them picture, sentence and table."""

    def __init__(self, name: str, function: Callable, widgets: dict[str, ipywidgets.Widget]):
        self.name, self.function, self.widgets = name, function, widgets
        self.view = ipywidgets.HTML()
        super().__init__([*widgets.values(), self.view])
        for widget in widgets.values():
            widget.observe(self._show, names="value")
        self._show()

    def _show(self, _change=None) -> None:
        answer = answers.ask(self.name, self.function, {key: w.value for key, w in self.widgets.items()})
        self.view.value = f"{charts.svg(answer.chart)}<p>{escape(answer.sentence)}</p>"


def explore(
    function: Callable,
    *,
    name: str | None = None,
    twin: str | None = None,
    data: dict | None = None,
    **controls,
) -> Explorer | Figure:
    """A live view: a function's answer, and controls for its arguments.

    Parameters
    ----------
    function
        Takes the controls' values by name; returns an Altair chart and one sentence. The chart's specification must
        be the same for all values but for its data.
    name
        The explorer's own name in its page and in shared addresses; the function's name if left out.
    twin, data
        For settings too many to work out in advance: the name of a JavaScript function in ``assets/twins/`` and the
        JSON-ready data it reads. The function gets the same data through its own module or closure.
    controls
        ipywidgets' IntSlider, FloatSlider, SelectionSlider, Dropdown, ToggleButtons, Checkbox, or what
        ``ipywidgets.interact`` accepts in their place: ``(low, high[, step])``, a list, True or False.

    Raises
    ------
    ExplorerError
        An unknown kind of control, a function that raises or returns something else; in the book also more than
        4,000 combinations, or a chart that differs in more than its data between combinations.
    """
    name = name or function.__name__.replace("_", "-")
    widgets = {key: widget_for(name, key, given) for key, given in controls.items()}
    described = [describe(name, key, widget) for key, widget in widgets.items()]
    if not _building():
        for control, widget in zip(described, widgets.values()):
            widget.description = control.label
            widget.style.description_width = "initial"
        return Explorer(name, function, widgets)
    return Figure(_twin_page(name, function, described, twin, data) if twin else _grid_page(name, function, described))


def figure(chart: alt.TopLevelMixin, description: str, name: str) -> Figure:
    """A chart without controls: its picture, what it shows in words, and the table behind it.

    ``description`` is one or two sentences that stand in for the picture; ``name`` is its own in the page.
    """
    answer = answers.ask(name, lambda: (chart, description), {})
    if not _building():
        return Figure(f"{charts.svg(answer.chart)}<p>{escape(description)}</p>")
    return Figure(page.html(name, answer, [], answers.pack([answer])))


def _grid_page(name: str, function: Callable, controls: list[Control]) -> str:
    start = answers.ask(name, function, answers.start(controls))
    return page.html(name, start, controls, answers.pack(answers.ask_all(name, function, controls)))


def _twin_page(name: str, function: Callable, controls: list[Control], twin: str, data: dict | None) -> str:
    """The twin works out the data sets; decimals of its table are those of the starting values."""
    start = answers.ask(name, function, answers.start(controls))
    packed = answers.pack([start])
    given = {"twin": twin, "given": data or {}, "decimals": packed["decimals"]}
    return page.html(name, start, controls, given)
