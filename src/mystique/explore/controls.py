"""The controls of an explorer, described once for both places that show them.

An author writes ipywidgets' controls, or the abbreviations that `ipywidgets.interact` accepts. `describe` turns
each into a `Control`: every value that it can take, in order, with the label that a reader sees. A page then works
with positions in that list, never with floating-point values.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import ipywidgets


class ExplorerError(ValueError):
    """An explorer that can't be made; the message names it and says what to change."""


@dataclass(frozen=True)
class Control:
    """One control: how it looks (`kind`), the `values` it can take, their `labels`, the position it starts at."""

    name: str
    label: str
    kind: str  # "slider", "select", "buttons" or "checkbox"
    values: list
    labels: list[str]
    start: int


def widget_for(explorer: str, name: str, given) -> ipywidgets.Widget:
    """The ipywidget of a control given as a widget or as an abbreviation (`(1, 18)`, `["a", "b"]`, `True`, ...)."""
    if isinstance(given, ipywidgets.fixed):
        raise ExplorerError(f"explorer '{explorer}': '{name}' is fixed(...); give it to the function instead.")
    if isinstance(given, ipywidgets.Widget):
        return given
    widget = ipywidgets.interactive.widget_from_abbrev(given)
    if widget is None:
        raise ExplorerError(
            f"explorer '{explorer}': can't make a control for '{name}' from {given!r}. "
            "Give a tuple (low, high) or (low, high, step), a list of choices, True or False, or a widget."
        )
    return widget


def describe(explorer: str, name: str, widget: ipywidgets.Widget) -> Control:
    """All values of a widget, with labels. Raises `ExplorerError` for a kind of control that a page can't show."""
    label = widget.description or name.replace("_", " ").capitalize()
    if isinstance(widget, (ipywidgets.IntSlider, ipywidgets.FloatSlider)):
        return _slider(name, label, widget)
    if isinstance(widget, ipywidgets.Checkbox):
        return Control(name, label, "checkbox", [False, True], ["no", "yes"], int(widget.value))
    kinds = {ipywidgets.SelectionSlider: "slider", ipywidgets.Dropdown: "select", ipywidgets.ToggleButtons: "buttons"}
    if type(widget) in kinds:
        labels = [str(text) for text, _ in widget._options_full]
        values = [value for _, value in widget._options_full]
        if widget.index is None:
            raise ExplorerError(f"explorer '{explorer}': '{name}' starts with no choice; give it a `value`.")
        return Control(name, label, kinds[type(widget)], values, labels, widget.index)
    raise ExplorerError(
        f"explorer '{explorer}': '{name}' is a {type(widget).__name__}, which a page can't show. Use FloatSlider, "
        "IntSlider, SelectionSlider, Dropdown, ToggleButtons or Checkbox."
    )


def _slider(name: str, label: str, widget) -> Control:
    """Count the steps exactly, in decimals: 0.1 + 0.2 must be the step called 0.3."""
    low, high, step = (Decimal(str(number)) for number in (widget.min, widget.max, widget.step))
    exact = [low + step * i for i in range(int((high - low) / step) + 1)]
    whole = isinstance(widget, ipywidgets.IntSlider)
    values = [int(value) if whole else float(value) for value in exact]
    places = max(0, -min(low.normalize().as_tuple().exponent, step.normalize().as_tuple().exponent))
    labels = [str(value) if whole else f"{value:.{places}f}" for value in exact]
    start = min(range(len(exact)), key=lambda i: abs(exact[i] - Decimal(str(widget.value))))
    return Control(name, label, "slider", values, labels, start)
