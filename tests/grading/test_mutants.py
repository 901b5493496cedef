"""Slips made by machine: each differs from the answer in one place, and is a program."""

import ast

from mystique.grading.mutants import mutants

CODE = """\
rows = table[(table["kind"] == "valid") & ~table["gone"]]
share = round(100 * rows["value"].mean() / len(table), 1)
means = table.groupby("kind", as_index=False).agg(share=("value", "mean"))
"""


def test_every_kind_of_slip_is_made():
    made = mutants(CODE)
    for slip in (
        "line 1: Eq became NotEq", "line 1: BitAnd became BitOr", "line 1: ~ is gone", "line 2: 100 became 101", "line 2: Div became Mult",
        "line 2: .mean became .median", "line 2: .mean became .min", "line 3: as_index= is gone", "line 3: False became True", "line 3: 'mean' became 'median'",
        "line 3: 'kind' became 'mean'",
    ):
        assert slip in made, slip


def test_every_slip_is_another_program():
    made = mutants(CODE)
    assert len(made) > 20
    assert ast.unparse(ast.parse(CODE)) not in made.values()
    for code in made.values():
        compile(code, "slip", "exec")


def test_a_count_is_taken_for_a_sum():
    assert mutants("a = b.count()")["line 1: .count became .sum"] == "a = b.sum()"


def test_an_inverted_mask_is_turned_back():
    assert mutants("a = ~b")["line 1: ~ is gone"] == "a = ~~b"
