"""Equations as MathML, made when the book is built: no page loads MathJax, and screen readers can read them."""

from __future__ import annotations

from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from sphinx.util.math import get_node_equation_number


def setup(app) -> None:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))


def visit_inline(writer, node) -> None:
    writer.body.append(convert(node.astext()))
    raise SkipNode


def visit_block(writer, node) -> None:
    number = f'<span class="eqno">({get_node_equation_number(writer, node)})</span>' if node.get("number") else ""
    writer.body.append(f'<div class="math" tabindex="0">{number}{convert(node.astext(), display="block")}</div>')
    raise SkipNode
