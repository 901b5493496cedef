"""The course's charts: one theme, one set of colours, and what a reader gets besides the picture.

A chart here is an Altair chart. This module turns it into its parts: a specification apart from its data
(`parts`), a picture (`svg`), a compiled Vega specification for the book's pages (`vega`), and the table
behind it (`table_columns`, `table_rows`). It knows nothing of controls (`mystique.explore` does) and nothing
of Sphinx (`mystique.book` does).
"""

from __future__ import annotations

import copy
import json
import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import altair as alt
import vl_convert

# Okabe and Ito's colours, which survive the common kinds of colour-blindness, each with a lighter twin for dark
# pages. Every light colour has at least 3:1 contrast on white and every dark one on the theme's dark grey.
PALETTE = {
    "ink": ("#1f2933", "#e6e9ee"),
    "muted": ("#5b6673", "#aab4c0"),
    "grid": ("#dfe3e8", "#3b434d"),
    "blue": ("#0072b2", "#56b4e9"),
    "orange": ("#b35900", "#f0a35e"),
    "green": ("#00795c", "#3fc79a"),
    "purple": ("#a0457f", "#dd9cc3"),
    "grey": ("#77808b", "#98a3af"),
    "pale": ("#c3cad2", "#56606b"),
}
COLOURS = {name: light for name, (light, _) in PALETTE.items()}
CATEGORIES = [COLOURS[name] for name in ("blue", "orange", "green", "purple", "grey")]

# Fonts with the same letter widths on every system: the drawn picture was measured with them.
FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"

WIDTH, HEIGHT = 620, 280  # pixels before the page fits the chart to its column


@alt.theme.register("mystique", enable=True)
def theme() -> alt.theme.ThemeConfig:
    """The course's Altair theme: plain axes, words instead of decoration, colours from `PALETTE`."""
    ink, muted, grid = COLOURS["ink"], COLOURS["muted"], COLOURS["grid"]
    return {
        "config": {
            "background": None,
            "font": FONT,
            "view": {"stroke": None, "continuousWidth": WIDTH, "continuousHeight": HEIGHT, "discreteWidth": WIDTH},
            "axis": {
                "labelColor": muted, "titleColor": ink, "domainColor": muted, "tickColor": muted, "gridColor": grid,
                "labelFontSize": 13, "titleFontSize": 13, "titleFontWeight": "normal", "labelLimit": 220,
            },
            # On a phone a centred title is cut off: these stay at the corner and read left to right.
            "axisX": {"labelFlush": False, "titleAnchor": "end"},
            "axisY": {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleBaseline": "bottom", "titleX": 0, "titleY": -8},
            # The y axis's title lies between legend and picture: the offset keeps it from reading like one more entry.
            "legend": {
                "labelColor": ink, "titleColor": ink, "labelFontSize": 13, "titleFontSize": 13,
                "titleFontWeight": "normal", "orient": "top", "offset": 38, "labelLimit": 260, "symbolLimit": 20,
            },
            "header": {"labelColor": ink, "titleColor": ink, "labelFontSize": 13, "titleFontSize": 13},
            "title": {"color": ink, "fontSize": 15, "anchor": "start", "fontWeight": "bold"},
            "text": {"color": ink, "fontSize": 13},
            "rule": {"color": muted},
            "mark": {"color": COLOURS["blue"]},
            "range": {"category": CATEGORIES},
        }
    }


@dataclass(frozen=True)
class Parts:
    """A chart taken apart: `spec`, Vega-Lite without any values; `data`, the rows of each data set by name."""

    spec: dict
    data: dict[str, list[dict]]


def parts(chart: alt.TopLevelMixin, schema: bool = True) -> Parts:
    """Take an Altair chart apart into specification and data; `schema` holds it to Vega-Lite's schema.

    Altair names a data set after a hash of its values; here they are `d0`, `d1`, ... in order of first use, so
    that two charts that differ in their values alone have equal specifications.
    """
    spec = chart.to_dict(validate=schema)
    found = spec.pop("datasets", {})
    names: dict[str, str] = {}
    data: dict[str, list[dict]] = {}

    def rename(node):
        if isinstance(node, list):
            for item in node:
                rename(item)
        elif isinstance(node, dict):
            source = node.get("data")
            if isinstance(source, dict) and ("values" in source or source.get("name") in found):
                values = source.pop("values", None)
                key = source.get("name") or json.dumps(values, sort_keys=True, default=str)
                name = names.setdefault(key, f"d{len(names)}")
                data[name] = found[key] if values is None else values
                node["data"] = {"name": name}
            for item in node.values():
                rename(item)

    rename(spec)
    _drop_generated_names(spec)
    _fit_to_column(spec)
    return Parts(spec, data)


def _drop_generated_names(spec: dict) -> None:
    """Altair numbers its views in order of making (`view_7`); the number says nothing about the chart."""
    for unit in [spec, *spec.get("layer", [])]:
        if re.fullmatch(r"view_\d+", str(unit.get("name", ""))):
            del unit["name"]


def _fit_to_column(spec: dict) -> None:
    """Let a single or layered view take the width that it is given; facets and rows of charts keep their own."""
    if not {"facet", "hconcat", "vconcat", "concat", "repeat"} & spec.keys():
        spec.setdefault("autosize", {"type": "fit-x", "contains": "padding"})


def whole(chart_parts: Parts) -> dict:
    """The Vega-Lite specification with its data back in, as vl-convert wants it."""
    spec = copy.deepcopy(chart_parts.spec)
    spec["datasets"] = chart_parts.data
    return spec


def vega(chart_parts: Parts) -> dict:
    """Compile to Vega without values: a page fills in the data sets `d0`, `d1`, ... itself."""
    compiled = vl_convert.vegalite_to_vega(whole(chart_parts))
    for source in compiled["data"]:
        if source["name"] in chart_parts.data:
            source.pop("values", None)
    return _with_colour_variables(compiled)


def svg(chart_parts: Parts, for_page: bool = False) -> str:
    """Draw the chart as SVG. With `for_page` its colours follow the page's light or dark mode."""
    picture = vl_convert.vegalite_to_svg(whole(chart_parts))
    return _replace_colours(picture) if for_page else picture


def _replace_colours(text: str) -> str:
    for name, (light, _) in PALETTE.items():
        text = text.replace(light, f"var(--chart-{name})")
    return text


def _with_colour_variables(node):
    """Replace the palette's colours by CSS variables, but not where Vega must mix them: in a continuous scale's range."""
    if isinstance(node, str):
        return _replace_colours(node)
    if isinstance(node, list):
        return [_with_colour_variables(item) for item in node]
    if isinstance(node, dict):
        mixes = "domain" in node and node.get("type") not in ("ordinal", "band", "point")
        return {key: item if mixes and key == "range" else _with_colour_variables(item) for key, item in node.items()}
    return node


def colour_css() -> str:
    """The palette as CSS variables for both modes of the book's theme."""
    light = "".join(f"--chart-{name}:{pair[0]};" for name, pair in PALETTE.items())
    dark = "".join(f"--chart-{name}:{pair[1]};" for name, pair in PALETTE.items())
    return f":root{{{light}}}\nhtml[data-theme=dark]{{{dark}}}\n@media print{{html[data-theme=dark]{{{light}}}}}\n"


# The table behind a chart -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A column of the table behind a chart: its `field` in data set `source`, and the `title` the chart gives it."""

    source: str
    field: str
    title: str


def table_columns(spec: dict) -> list[Column]:
    """The columns a reader sees in a chart: each encoded field once, in the order position, colour, the rest.

    The table shows the data set of the first view that encodes a field; a layer with data of its own (a reference
    line, a label) belongs in the sentence.
    """
    first = ["x", "y", "row", "column", "facet", "color", "detail", "x2", "y2", "size", "shape", "opacity", "text", "tooltip"]
    found: dict[str, Column] = {}
    main: list[str] = []

    def visit(node: dict, source: str | None) -> None:
        source = node.get("data", {}).get("name", source)
        encoding = node.get("encoding", {})
        if "facet" in node and isinstance(node["facet"], dict):
            encoding = {**encoding, **({"facet": node["facet"]} if "field" in node["facet"] else node["facet"])}
        for channel in sorted(encoding, key=lambda name: first.index(name) if name in first else len(first)):
            for definition in encoding[channel] if isinstance(encoding[channel], list) else [encoding[channel]]:
                if isinstance(definition, dict) and "field" in definition:
                    main[:] = main or [source]
                    if source == main[0]:
                        field = definition["field"].replace("\\", "")
                        title = _title(definition)
                        if field not in found or (title and found[field].title == field):
                            found[field] = Column(source, field, title or field)
        for part in ("layer", "hconcat", "vconcat", "concat"):
            for child in node.get(part, []):
                visit(child, source)
        if isinstance(node.get("spec"), dict):
            visit(node["spec"], source)

    visit(spec, None)
    return list(found.values())


def _title(definition: dict) -> str | None:
    for place in (definition, definition.get("axis"), definition.get("legend"), definition.get("header")):
        if isinstance(place, dict) and place.get("title"):
            title = place["title"]
            return " ".join(title) if isinstance(title, list) else title
    return None


def decimals_for(values: list) -> int:
    """How many decimals a column of numbers deserves: about four digits that say something."""
    numbers = [abs(value) for value in values if _is_number(value)]
    if all(float(value).is_integer() for value in numbers):
        return 0
    return max(0, min(4, 3 - math.floor(math.log10(max(numbers)))))


def fixed(value: float, decimals: int) -> str:
    """A number with a fixed count of decimals, halves rounded away from zero, as JavaScript's `toFixed` does.

    Python's own formatting rounds exact halves to even, so a sentence made here and its twin made in a page would
    differ now and then.
    """
    text = str(Decimal(value).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))
    return text.lstrip("-") if float(text) == 0 else text


def cell_text(value, decimals: int) -> str:
    """One cell of a table: a missing value is a dash, a truth value a word."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return fixed(value, decimals) if _is_number(value) else str(value)


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)
