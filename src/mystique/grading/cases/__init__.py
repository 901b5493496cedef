"""The case of each problem set: which agency, months, threshold ... its questions ask about, drawn from a seed.

A set's module says from which data set it draws (`DATASET`), which tables lie beside its notebook (`TABLES`), and
`draw(tables, seed)` returns the case, a dictionary that becomes `case.json`. The case is drawn by lot among those in which
the mistakes that the set looks for really give other answers; where the data hold none, it raises `NoCase`.
"""

from . import ps0, ps1, ps2, ps3
from .lots import NoCase

CASES = {"ps0": ps0, "ps1": ps1, "ps2": ps2, "ps3": ps3}

__all__ = ["CASES", "NoCase"]
