"""Small slips put into a right answer, one at a time, to find what a question's checks do not notice.

`mutants(code)` gives other programs that differ from `code` in one place: a constant, a comparison, an operator, an
aggregation, a column name, a keyword that is gone. Most are wrong answers; a check that lets one pass is a hole, or the
mutant means the same (which the authors must then say, with the reason).
"""

import ast
import copy

AGGREGATIONS = ("mean", "median", "sum", "max", "min", "count", "size", "nunique", "any", "all")
COMPARISONS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In}
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd}


def mutants(code):
    """{what was changed: the changed code}, in the order of the code."""
    tree = ast.parse(code)
    texts = sorted({node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier()})
    found = {}
    for place, node in enumerate(ast.walk(tree)):
        for label, change in _changes(node, texts):
            changed = copy.deepcopy(tree)
            change(list(ast.walk(changed))[place])
            new = ast.unparse(ast.fix_missing_locations(changed))
            if new != ast.unparse(tree):
                found[f"line {getattr(node, 'lineno', 0)}: {label}"] = new
    return found


def _changes(node, texts):
    """What can be changed at a node: (label, function that changes a copy of it)."""
    if isinstance(node, ast.Constant):
        yield from _constants(node.value, texts)
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        other = COMPARISONS[type(node.ops[0])]
        yield f"{type(node.ops[0]).__name__} became {other.__name__}", lambda copy_: copy_.ops.__setitem__(0, other())
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        other = OPERATORS[type(node.op)]
        yield f"{type(node.op).__name__} became {other.__name__}", lambda copy_: setattr(copy_, "op", other())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        yield "~ is gone", _uninvert
    elif isinstance(node, ast.Attribute) and node.attr in AGGREGATIONS[:6]:
        for other in AGGREGATIONS[:5]:
            if other != node.attr:
                yield f".{node.attr} became .{other}", lambda copy_, other=other: setattr(copy_, "attr", other)
    if isinstance(node, ast.Call):
        for at, keyword in enumerate(node.keywords):
            yield f"{keyword.arg}= is gone", lambda copy_, at=at: copy_.keywords.pop(at)


def _constants(value, texts):
    if isinstance(value, bool):
        yield f"{value} became {not value}", lambda copy_: setattr(copy_, "value", not value)
    elif isinstance(value, (int, float)):
        for other in (value + 1, value - 1):
            yield f"{value} became {other}", lambda copy_, other=other: setattr(copy_, "value", other)
    elif value in AGGREGATIONS:
        other = "median" if value == "mean" else "mean"
        yield f"'{value}' became '{other}'", lambda copy_: setattr(copy_, "value", other)
    elif isinstance(value, str) and value in texts:
        other = texts[(texts.index(value) + 1) % len(texts)]
        yield f"'{value}' became '{other}'", lambda copy_: setattr(copy_, "value", other)


def _uninvert(node):
    """Turn `~x` into `~~x`, which is x."""
    node.operand = ast.UnaryOp(op=ast.Invert(), operand=node.operand)
