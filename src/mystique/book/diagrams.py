"""Causal diagrams: boxes for what a data set is made of, arrows for what moves what, drawn from its data package.

A data package lists its arrows under `causal_diagram`: ``{"from", "to", "sign", "note"}``. The layout is the plain
layered one: causes above what they move, boxes of a layer side by side.
"""

from __future__ import annotations

import textwrap
from html import escape

BOX_WIDTH, LINE, PAD, GAP_X, GAP_Y = 122, 16, 9, 14, 58  # pixels
LETTERS = 16  # that fit on a line of a box


def layers(arrows: list[dict]) -> list[list[str]]:
    """The boxes by layer: each one layer below the lowest of its causes. Raises ValueError on a circle of arrows."""
    names = list(dict.fromkeys(name for arrow in arrows for name in (arrow["from"], arrow["to"])))
    depth = dict.fromkeys(names, 0)
    for _ in names:
        moved = False
        for arrow in arrows:
            if depth[arrow["to"]] <= depth[arrow["from"]]:
                depth[arrow["to"]], moved = depth[arrow["from"]] + 1, True
        if not moved:
            break
    else:
        raise ValueError("the arrows of the causal diagram go round in a circle")
    rows: list[list[str]] = [[name for name in names if depth[name] == level] for level in range(max(depth.values()) + 1)]
    for above, row in zip(rows, rows[1:]):  # a box stands below the middle of its causes
        place = {name: i for i, name in enumerate(above)}
        causes = {name: [place[a["from"]] for a in arrows if a["to"] == name and a["from"] in place] for name in row}
        row.sort(key=lambda name: sum(causes[name]) / len(causes[name]) if causes[name] else len(above) / 2)
    return rows


def drawing(arrows: list[dict]) -> str:
    """The diagram as SVG; its colours follow the page's mode."""
    rows = layers(arrows)
    lines = {name: textwrap.wrap(name, LETTERS) for row in rows for name in row}
    width = max(len(row) for row in rows) * (BOX_WIDTH + GAP_X) + GAP_X
    heights = [max(len(lines[name]) for name in row) * LINE + 2 * PAD for row in rows]
    boxes: dict[str, tuple[float, float, float]] = {}  # left, top, height
    top = GAP_X
    for row, height in zip(rows, heights):
        left = (width - len(row) * (BOX_WIDTH + GAP_X) + GAP_X) / 2
        for name in row:
            own = len(lines[name]) * LINE + 2 * PAD
            boxes[name] = (left, top + (height - own) / 2, own)
            left += BOX_WIDTH + GAP_X
        top += height + GAP_Y
    parts = [_arrow(arrow, boxes) for arrow in arrows] + [_box(boxes[name], lines[name]) for name in boxes]
    head = (
        '<marker id="arrow-head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="var(--chart-muted)"/></marker>'
    )
    height = top - GAP_Y + GAP_X
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" style="width:{width:.0f}px" role="img" '
        f'aria-label="{escape(words(arrows), quote=True)}"><defs>{head}</defs>{"".join(parts)}</svg>'
    )


def _box(box: tuple[float, float, float], lines: list[str]) -> str:
    left, top, height = box
    middle = left + BOX_WIDTH / 2
    text = "".join(
        f'<text x="{middle:.0f}" y="{top + PAD + LINE * (i + 0.75):.0f}" text-anchor="middle" font-size="13" '
        f'fill="var(--chart-ink)">{escape(line)}</text>' for i, line in enumerate(lines)
    )
    return (
        f'<rect x="{left:.0f}" y="{top:.0f}" width="{BOX_WIDTH}" height="{height:.0f}" rx="6" '
        f'fill="var(--pst-color-background)" stroke="var(--chart-blue)" stroke-width="1.5"/>{text}'
    )


def _arrow(arrow: dict, boxes: dict) -> str:
    """A line from the lower edge of the cause to the upper edge of what it moves, with its sign beside it."""
    (x1, y1, h1), (x2, y2, _) = boxes[arrow["from"]], boxes[arrow["to"]]
    x1, y1, x2 = x1 + BOX_WIDTH / 2, y1 + h1, x2 + BOX_WIDTH / 2
    x2 += max(-BOX_WIDTH / 2.5, min(BOX_WIDTH / 2.5, (x1 - x2) / 6))  # arrows from different sides end side by side
    bend = (y2 - y1) / 2
    sign = arrow.get("sign", "")
    at = 0.3 if abs(x2 - x1) > BOX_WIDTH else 0.5  # long lines meet at their heads: their signs stand where they part
    along = at**2 * (3 - 2 * at)  # where the cubic curve is at that part of its way
    x3, y3 = x1 + (x2 - x1) * along, y1 + (y2 - y1) * (1.5 * at * (1 - at) + at**3)
    return (
        f'<path d="M{x1:.0f} {y1:.0f}C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2:.0f}" fill="none" '
        f'stroke="var(--chart-muted)" stroke-width="1.5" marker-end="url(#arrow-head)"/>'
        f'<text x="{x3 + 6:.0f}" y="{y3 + 4:.0f}" font-size="16" font-weight="700" fill="var(--chart-orange)">{escape(sign.replace("-", "−"))}</text>'
    )


def words(arrows: list[dict]) -> str:
    """The diagram as a sentence, for those who cannot see it."""
    verb = {"+": "raises", "-": "lowers", "−": "lowers"}
    return "Causal diagram. " + "; ".join(f"{a['from']} {verb.get(a.get('sign', ''), 'moves')} {a['to']}" for a in arrows) + "."


def html(arrows: list[dict]) -> str:
    """The diagram and, folded, its arrows with their notes."""
    items = "".join(
        f"<li>{escape(a['from'])} → {escape(a['to'])} ({escape(a.get('sign') or 'either way')}){': ' + escape(a['note']) if a.get('note') else ''}</li>"
        for a in arrows
    )
    return (
        f'<figure class="diagram"><div class="diagram-scroll" tabindex="0">{drawing(arrows)}</div>'
        f"<details><summary>The arrows in words</summary><ul>{items}</ul></details></figure>"
    )
