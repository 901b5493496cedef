"""Causal diagrams: boxes for what a data set is made of, arrows for what moves what, drawn from its data package.

A data package lists its arrows under `causal_diagram`: ``{"from", "to", "sign", "note"}``. The layout is the plain
layered one: causes above what they move, boxes of a layer side by side, and a gap in every layer that an arrow passes.
"""

from __future__ import annotations

import textwrap
from html import escape
from itertools import pairwise

BOX_WIDTH, LINE, PAD, GAP_X, GAP_Y = 122, 16, 9, 14, 58  # pixels
LETTERS = 16  # that fit on a line of a box
PASSAGE = 6  # pixels: the width of the gap for an arrow that passes a layer


def depths(arrows: list[dict]) -> dict[str, int]:
    """The layer of each box: one below the lowest of its causes. Raises ValueError on a circle of arrows."""
    depth = {name: 0 for arrow in arrows for name in (arrow["from"], arrow["to"])}
    for _ in depth:
        moved = [arrow for arrow in arrows if depth[arrow["to"]] <= depth[arrow["from"]]]
        if not moved:
            return depth
        for arrow in moved:
            depth[arrow["to"]] = max(depth[arrow["to"]], depth[arrow["from"]] + 1)
    raise ValueError("the arrows of the causal diagram go round in a circle")


def routes(arrows: list[dict]) -> list[list]:
    """Each arrow as the places it visits, layer by layer: its cause, a passage in each layer between, its effect."""
    depth = depths(arrows)
    return [
        [arrow["from"], *((number, layer) for layer in range(depth[arrow["from"]] + 1, depth[arrow["to"]])), arrow["to"]]
        for number, arrow in enumerate(arrows)
    ]


def layers(arrows: list[dict]) -> list[list]:
    """The places of each layer from left to right: boxes by name, passages as (arrow, layer)."""
    depth, paths = depths(arrows), routes(arrows)
    rows: list[list] = [[] for _ in range(max(depth.values()) + 1)]
    for name, layer in depth.items():
        rows[layer].append(name)
    for path in paths:
        for passage in path[1:-1]:
            rows[passage[1]].append(passage)
    above = {}
    for path in paths:
        for cause, effect in pairwise(path):
            above.setdefault(effect, []).append(cause)
    for upper, row in pairwise(rows):  # a place stands below the middle of what leads to it
        at = {place: i / max(1, len(upper) - 1) for i, place in enumerate(upper)}
        middle = {place: [at[cause] for cause in above.get(place, []) if cause in at] for place in row}
        row.sort(key=lambda place: sum(middle[place]) / len(middle[place]) if middle[place] else 0.5)
    return rows


def drawing(arrows: list[dict]) -> str:
    """The diagram as SVG; its colours follow the page's mode."""
    rows = layers(arrows)
    lines = {name: textwrap.wrap(name, LETTERS) for row in rows for name in row if isinstance(name, str)}
    spans = [[BOX_WIDTH if isinstance(place, str) else PASSAGE for place in row] for row in rows]
    width = max(sum(row) + GAP_X * (len(row) + 1) for row in spans)
    edges: dict = {}  # the middle of each place, its upper and lower edge
    top = GAP_X
    for row, span in zip(rows, spans):
        height = max([len(lines[name]) for name in row if name in lines]) * LINE + 2 * PAD
        left = (width - sum(span) - GAP_X * (len(span) - 1)) / 2
        for place, wide in zip(row, span):
            own = len(lines[place]) * LINE + 2 * PAD if place in lines else height
            edges[place] = (left + wide / 2, top + (height - own) / 2, top + (height + own) / 2)
            left += wide + GAP_X
        top += height + GAP_Y
    parts = [_arrow(arrow.get("sign", ""), [edges[place] for place in path]) for arrow, path in zip(arrows, routes(arrows))]
    parts += [_box(edges[name], lines[name]) for name in lines]
    head = (
        '<marker id="arrow-head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="var(--chart-muted)"/></marker>'
    )
    return (
        f'<svg viewBox="0 0 {width:.0f} {top - GAP_Y + GAP_X:.0f}" style="width:{width:.0f}px" role="img" '
        f'aria-label="{escape(words(arrows), quote=True)}"><defs>{head}</defs>{"".join(parts)}</svg>'
    )


def _box(edge: tuple[float, float, float], lines: list[str]) -> str:
    middle, top, bottom = edge
    text = "".join(
        f'<text x="{middle:.0f}" y="{top + PAD + LINE * (i + 0.75):.0f}" text-anchor="middle" font-size="13" '
        f'fill="var(--chart-ink)">{escape(line)}</text>' for i, line in enumerate(lines)
    )
    return (
        f'<rect x="{middle - BOX_WIDTH / 2:.0f}" y="{top:.0f}" width="{BOX_WIDTH}" height="{bottom - top:.0f}" rx="6" '
        f'fill="var(--pst-color-background)" stroke="var(--chart-blue)" stroke-width="1.5"/>{text}'
    )


def _arrow(sign: str, stops: list[tuple[float, float, float]]) -> str:
    """A line from the lower edge of the cause, straight through each passage, to the upper edge of what it moves."""
    path, signed = f"M{stops[0][0]:.0f} {stops[0][2]:.0f}", ""
    for number, ((x1, _, y1), (x2, y2, down)) in enumerate(pairwise(stops)):
        last = number == len(stops) - 2
        if last:  # arrows from different sides end side by side
            x2 += max(-BOX_WIDTH / 2.5, min(BOX_WIDTH / 2.5, (x1 - x2) / 4))
        bend = (y2 - y1) / 2
        path += f"C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2:.0f}" + ("" if last else f"V{down:.0f}")
        if number == 0:
            at = 0.3 if abs(x2 - x1) > BOX_WIDTH else 0.5  # long lines meet at their heads: signs stand where they part
            along, fallen = at**2 * (3 - 2 * at), 1.5 * at * (1 - at) + at**3
            signed = (
                f'<text x="{x1 + (x2 - x1) * along + 5:.0f}" y="{y1 + (y2 - y1) * fallen + 4:.0f}" font-size="16" '
                f'font-weight="700" fill="var(--chart-orange)">{escape(sign.replace("-", "−"))}</text>'
            )
    return f'<path d="{path}" fill="none" stroke="var(--chart-muted)" stroke-width="1.5" marker-end="url(#arrow-head)"/>{signed}'


def words(arrows: list[dict]) -> str:
    """The diagram as a sentence, for those who cannot see it."""
    verb = {"+": "raises", "-": "lowers"}
    return "Causal diagram. " + "; ".join(f"{a['from']} {verb.get(a.get('sign', ''), 'moves')} {a['to']}" for a in arrows) + "."


def html(arrows: list[dict]) -> str:
    """The diagram and, folded, its arrows with their notes."""
    items = "".join(
        f"<li>{escape(a['from'])} → {escape(a['to'])} ({escape(a.get('sign') or 'either way')})"
        f"{': ' + escape(a['note']) if a.get('note') else ''}</li>"
        for a in arrows
    )
    return (
        f'<figure class="diagram"><div class="diagram-scroll" tabindex="0">{drawing(arrows)}</div>'
        f"<details><summary>The arrows in words</summary><ul>{items}</ul></details></figure>"
    )
