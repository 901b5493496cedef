"""The course's data sets: made from a seed, written to a folder, read back with every value checked.

    county = make("county", seed=2011)
    write(county, "datasets")                # datasets/county/: CSV files, datapackage.json, truth.json
    tables = read("datasets/county")         # {"workers": DataFrame, ...}

To add a data set: write a module with `make(seed)` beside `county.py`, and put it into `_MAKERS`.
"""

from numbers import Integral

from . import agencies, audit, county, employees, health, needs, procurement, vaccination
from .package import DataError, DataSet, read, write

__all__ = ["NAMES", "REFERENCE_SEED", "DataError", "DataSet", "make", "read", "write"]

REFERENCE_SEED = 2011  # the book's own data; the year of Goodsell's "Mission Mystique"

_MAKERS = {module.NAME: module.make for module in (county, needs, audit, agencies, employees, procurement, health, vaccination)}
NAMES = tuple(_MAKERS)


def make(name, seed):
    """The data set `name`, made from `seed` (a whole number, 0 or more). The same seed gives the same data."""
    if name not in NAMES:
        raise DataError(f"There is no data set {name!r}. The data sets are: {', '.join(NAMES)}.")
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise DataError(f"The seed of a data set is a whole number, 0 or more; found {seed!r}. The data sets are: {', '.join(NAMES)}.")
    return _MAKERS[name](int(seed))
