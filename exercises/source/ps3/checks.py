"""Named checks with points and kind messages, for the test cells of a problem set.

This file lies beside every released notebook, so it imports nothing but NumPy, pandas and the standard library.
It looks at what a student made, compares by meaning, and says in words what was expected and where to read again.
It runs no notebook and keeps no grades. It is not a lock: code in the same process could change it.

A test cell looks like this::

    import checks as _checks
    _q = _checks.Question("q1", globals(), section="county-which-counts", checks=3)
    with _q.form("`share` is one number"):
        _q.number("share")
    ### BEGIN HIDDEN TESTS
    with _q.check("the share itself", points=2, hint="Which answers are due?"):
        _checks.same_number(_q.number("share"), 75.0, places=1, mistakes=[(25.0, "That is the share that is missing.")])
    ### END HIDDEN TESTS
    _q.score()

`checks=3` says how many checks there are when the work is graded. In a student's copy the hidden ones are gone, so
fewer are reached, and the cell says so instead of showing a score.
"""

import collections.abc
import contextlib
import copy
import csv
import decimal
import fractions
import functools
import io
import itertools
import json
import math
import numbers
import os
import re
import warnings

import numpy as np
import pandas as pd

# The chapter (file name) that a section's label belongs to: the label's first word says which.
CHAPTERS = {
    "county": "the-database-nobody-wanted", "why": "why-people-work", "beliefs": "nine-beliefs", "aura": "a-purposive-aura",
    "commitment": "internal-commitment", "sustaining": "sustaining-features", "auditing": "auditing-an-agency",
    "pandas": "python-and-pandas",
}

RTOL = 1e-6  # two right computations differ far less, two different answers far more
LONGEST_REMARK = 100  # characters of an error's own text that a student sees
SEVERAL = (pd.Series, pd.Index, np.ndarray, pd.api.extensions.ExtensionArray, list, tuple)  # what can hold a single value


class Wrong(Exception):
    """The answer has the right form but is not right. The text is the message for the student."""


class Missing(Exception):
    """There is no answer yet."""


class Malformed(Exception):
    """There is an answer, but of another kind than the question asks."""


class _Waits(Exception):
    """The check needs a name whose form was already found wanting: it is not run."""


class _Unfinished(float):
    """The points of a student's copy: a number that a notebook does not show, since hidden checks have not run."""

    def _ipython_display_(self):
        pass


# ---------------------------------------------------------------------------------------------------- the question


class Question:
    """One question's checks.

    name: what the student knows it by ("q1"). names: the notebook's names, `globals()`.
    section: label of the book's section to read again. checks: how many checks run when the work is graded.
    """

    def __init__(self, name, names, section=None, checks=None):
        self.name = str(name)
        self.section = section
        self.checks = checks
        self._names = names
        self._results = []
        self._wanting = set()  # names whose answer is missing or malformed: what else asks for them need not run
        self._fetched = None   # the name asked for last
        self._read = {}        # (name, how): the value, and what it is once read; several checks ask for the same

    def check(self, name, points=1, hint="", section=None):
        """A named check: a context whose body must end without an error. Its points count once, all or nothing."""
        return _Check(self, name, points, hint, section or self.section, stops=False)

    def form(self, name, hint="", section=None):
        """A check of the answer's form. It earns no points; when it fails, later checks of the same name are skipped."""
        return _Check(self, name, 0, hint, section or self.section, stops=True)

    def score(self):
        """Print what was found and return the points: a plain float between 0 and the question's points."""
        earned = math.fsum(result["points"] for result in self._results if result["state"] == "passed")
        possible = math.fsum(result["points"] for result in self._results)
        earned = float(min(max(earned, 0.0), possible))
        visible_only = self.checks is not None and len(self._results) < self.checks
        print(self._report(earned, possible, visible_only))
        being_graded = os.environ.get("NBGRADER_EXECUTION") == "autograde"
        if visible_only and not being_graded and all(result["state"] == "passed" for result in self._results):
            return _Unfinished(earned)
        return earned

    def _report(self, earned, possible, visible_only):
        passed = sum(result["state"] == "passed" for result in self._results)
        skipped = sum(result["state"] == "skipped" for result in self._results)
        if visible_only:
            head = f"{self.name}: visible checks: {passed} of {self.checks}; the others run when your work is graded."
            if passed < len(self._results):
                head = f"{self.name}: visible checks: not passed yet."
        else:
            head = f"{self.name}: {earned:g} of {possible:g} points"
        lines = [head]
        told = set()
        for result in self._results:
            if result["state"] == "passed":
                lines.append(f"  [ok] {result['name']}" + _points(result["points"]))
            elif result["state"] == "failed":
                lines.append(f"  [--] {result['name']}" + _points(result["points"], lost=True))
                if result["message"] not in told:
                    told.add(result["message"])
                    lines.append(f"       {result['message']}")
                else:
                    lines.append("       (for the same reason)")
        if skipped:
            many = "Another check waits" if skipped == 1 else f"{skipped} more checks wait"
            lines.append(f"  {many} until this is put right.")
        sections = []
        for result in self._results:
            if result["state"] == "failed" and result["section"] and result["section"] not in sections:
                sections.append(result["section"])
        lines.extend(f"  Read again: {address(section)}" for section in sections)
        return "\n".join(lines)

    # -- the student's names, fetched safely: each says "missing" or "malformed" in words --

    def value(self, name):
        """What the student's variable holds, as it is. Raises Missing when there is none."""
        self._fetched = name
        if name in self._wanting:
            raise _Waits
        if name not in self._names:
            raise Missing(f"`{name}` does not exist yet. Run the answer's cell, and spell the name as the question does.")
        value = self._names[name]
        if value is None or value is Ellipsis:
            raise Missing(f"`{name}` is still empty: put your answer in the place of {'the three dots' if value is Ellipsis else 'None'}.")
        if isinstance(value, collections.abc.Iterator):  # reversed(...), zip(...): it can be read once only, and several checks read it
            value = self._names[name] = list(value)
        return value

    def number(self, name):
        return number(self.value(name), f"`{name}`")

    def choice(self, name, options):
        return choice(self.value(name), options, f"`{name}`")

    def choices(self, name, options):
        return choices(self.value(name), options, f"`{name}`")

    def items(self, name, kind=None):
        return items(self.value(name), f"`{name}`", kind)

    def mapping(self, name):
        return mapping(self.value(name), f"`{name}`")

    def table(self, name, columns):
        return self._once(name, table, tuple(columns)).copy()

    def chart(self, name):
        return self._once(name, chart)

    def _once(self, name, read, *how):
        """A value as `read` gives it, which takes long for charts and tables: once for all checks of a question."""
        value, key = self.value(name), (name, *how)
        if self._read.get(key, (None,))[0] is not value:
            self._read[key] = value, read(value, *how, f"`{name}`")
        return self._read[key][1]

    def function(self, name):
        value = self.value(name)
        if not callable(value):
            raise Malformed(f"`{name}` is {_a(value)}, a function was expected: keep the line that starts with def.")
        return value

    def call(self, name, *arguments):
        """Call the student's function with copies of the arguments. What it prints is not shown."""
        result, _ = self._call(name, arguments)
        return result

    def leaves_alone(self, name, *arguments):
        """Raise Wrong if the student's function changes what it is given."""
        _, copies = self._call(name, arguments)
        for before, after in zip(arguments, copies):
            if not _unchanged(before, after):
                raise Wrong(f"`{name}` changes the table it is given. Work on a copy, so that the caller's table stays as it was.")

    def _call(self, name, arguments):
        function = self.function(name)
        copies = copy.deepcopy(arguments)
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                result = function(*copies)
        except (Exception, SystemExit) as error:
            raise Wrong(f"could not be checked: {_error(error)} (inside `{name}`)") from None
        if result is None or result is Ellipsis:
            if printed.getvalue().strip():
                raise Wrong(f"`{name}` prints its answer but gives nothing back. Put return in the place of print.")
            raise Wrong(f"`{name}` gives nothing back yet (None). End it with return and your answer.")
        return result, copies


class _Check:
    """The context of one check: catches what happens inside, and keeps it as a result in words."""

    def __init__(self, question, name, points, hint, section, stops):
        points = float(points)
        if not (math.isfinite(points) and points >= 0):
            raise ValueError(f"check {name!r}: points must be a number from 0, got {points}")
        self._question = question
        self._stops = stops
        self._hint = hint
        self._result = {"name": name, "points": points, "section": section, "state": "", "message": ""}
        self._quiet = contextlib.ExitStack()

    def __enter__(self):
        # A student's function may print or warn: neither may end up among the messages, and nothing on stderr.
        self._quiet.enter_context(contextlib.redirect_stdout(io.StringIO()))
        self._quiet.enter_context(contextlib.redirect_stderr(io.StringIO()))
        self._quiet.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        return self

    def __exit__(self, kind, error, trace):
        self._quiet.close()
        if error is not None and not isinstance(error, (Exception, SystemExit)):
            return False  # an interrupt is the grader's time limit: it must be seen
        question, result = self._question, self._result
        question._results.append(result)
        if error is None:
            result["state"] = "passed"
        elif isinstance(error, _Waits):
            result["state"] = "skipped"
        else:
            result["state"] = "failed"
            result["message"] = self._message(error)
            if self._stops or isinstance(error, (Missing, Malformed)):
                question._wanting.add(question._fetched)
        question._fetched = None
        return True

    def _message(self, error):
        if isinstance(error, (Missing, Malformed)):
            return str(error)
        if isinstance(error, (Wrong, AssertionError)):
            text = str(error)
            if text.startswith("could not be checked") and self._hint:
                return f"{text}. {self._hint}"
            return text or self._hint or "This is not what the question asks."
        return f"could not be checked: {_error(error)}" + (f". {self._hint}" if self._hint else "")


def address(section):
    """Where a section of the book is: page and label."""
    chapter = CHAPTERS.get(section.split("-")[0])
    return f"{chapter}.html#{section}" if chapter else section


def _points(points, lost=False):
    if not points:
        return ""
    unit = "point" if points == 1 else "points"
    return f" (0 of {points:g} {unit})" if lost else f" ({points:g} {unit})"


def _a(value):
    name = type(value).__name__
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"


def _error(error):
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else ""
    if len(text) > LONGEST_REMARK:
        text = text[:LONGEST_REMARK] + " ..."
    return f"{type(error).__name__} {text}".strip()


def _unchanged(before, after):
    if isinstance(before, (pd.DataFrame, pd.Series, pd.Index)):
        same_labels = not isinstance(before, pd.DataFrame) or list(before.columns) == list(after.columns)
        return type(before) is type(after) and same_labels and before.equals(after)
    if isinstance(before, np.ndarray):
        return np.array_equal(before, after)
    return before == after


# --------------------------------------------------------------------------- plain values: what an answer really holds


def plain(value, what="the answer"):
    """One cell as a plain value: float, str, bool or Timestamp; NaN for whatever stands for "missing".

    Everything is rebuilt from its content, so an object that claims to equal everything gains nothing.
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return math.nan
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, str):
        return "".join(value).strip()
    if isinstance(value, (np.datetime64, pd.Timestamp)) or type(value).__name__ in ("date", "datetime"):
        return pd.Timestamp(value)
    if isinstance(value, pd.Period):
        return str(value)
    if isinstance(value, (numbers.Real, np.number, decimal.Decimal, fractions.Fraction)):
        return float(value)
    raise Malformed(f"{what} holds {_a(value)}, plain numbers or words were expected.")


def number(value, what="the answer"):
    """One number as a float. A Series, an array or a table that holds a single value counts as that value."""
    for _ in range(3):  # a one-cell table holds a one-cell row holds a number
        if isinstance(value, pd.DataFrame):
            value = value.to_numpy().ravel()
        if isinstance(value, SEVERAL):
            if np.size(value) != 1:
                raise Malformed(f"{what} holds {len(value)} values, one number was expected.")
            value = list(np.ravel(np.asarray(value, dtype=object)))[0]
    if isinstance(value, str):
        raise Malformed(f"{what} is a str, a number was expected: no quotation marks and no percent sign.")
    if isinstance(value, (bool, np.bool_)):
        raise Malformed(f"{what} is True or False, a number was expected.")
    if value is None or value is pd.NA:
        return math.nan
    if isinstance(value, (numbers.Real, np.number, decimal.Decimal, fractions.Fraction)) and not isinstance(value, np.timedelta64):
        return float(value)
    raise Malformed(f"{what} is {_a(value)}, a number was expected.")


def text(value, what="the answer"):
    """A string without blanks at its ends; a single-value Series or array counts as that value."""
    if isinstance(value, SEVERAL) and len(value) == 1:
        value = list(value)[0]
    if not isinstance(value, str):
        raise Malformed(f"{what} is {_a(value)}, text in quotation marks was expected.")
    return "".join(value).strip()


def choice(value, options, what="the answer"):
    """One letter out of `options`: "b", " B " and "B." all mean B."""
    letter = re.sub(r"[\s().:]", "", text(value, what)).upper()
    if letter not in list(options):  # not in the string: "AB" is no option of "ABCD"
        raise Malformed(f"{what} is {str(value)[:20]!r}, one of the letters {_words(options)} was expected.")
    return letter


def choices(value, options, what="the answer"):
    """Several letters out of `options`, in any container or as "A, C"; the order does not matter."""
    if isinstance(value, str):
        value = [value]
    parts = [part for item in items(value, what) for part in (re.split(r"[\s,;+&/]+|\band\b", item) if isinstance(item, str) else [item]) if part != ""]
    if len(parts) == 1 and isinstance(parts[0], str) and set(parts[0].upper()) <= set(options):
        parts = list(parts[0])
    letters = {choice(part, options, what) for part in parts}
    if not letters:
        raise Missing(f"{what} holds no letter yet.")
    return frozenset(letters)


def _words(options):
    options = list(options)
    return ", ".join(options[:-1]) + " or " + options[-1]


def items(value, what="the answer", kind=None):
    """A list of plain values from a list, tuple, set, Series, array, Index or one-column table.

    kind="text": names are asked. A Series whose index holds the names then counts as those names.
    """
    if isinstance(value, str):
        if kind == "text" and not re.search(r"[,;\n]", value):
            return [plain(value, what)]
        if kind == "text":
            raise Malformed(f"{what} is one text, a list was expected: put each name into quotation marks of its own.")
        raise Malformed(f"{what} is a str, a list was expected.")
    if isinstance(value, pd.DataFrame):
        if value.shape[1] == 1:
            value = value.iloc[:, 0]
        elif kind == "text" and not pd.api.types.is_numeric_dtype(value.index):
            value = value.index
        else:
            raise Malformed(f"{what} is a table of {value.shape[1]} columns, a list was expected.")
    if isinstance(value, pd.Series) and kind == "text" and pd.api.types.is_numeric_dtype(value) and len(value):
        value = value.index
    if isinstance(value, dict):
        if kind != "text":
            raise Malformed(f"{what} is a dict, a list was expected.")
        value = list(value)
    if isinstance(value, np.ndarray):
        value = value.ravel()
    if not isinstance(value, collections.abc.Iterable):
        raise Malformed(f"{what} is {_a(value)}, a list was expected.")
    values = [plain(item, what) for item in value]
    if kind == "text" and any(not isinstance(item, str) for item in values):
        raise Malformed(f"{what} holds numbers, a list of names was expected.")
    return values


def mapping(value, what="the answer"):
    """A dict of plain values from a dict, a Series (its index gives the keys), pairs or a two-column table."""
    if isinstance(value, pd.DataFrame):
        if value.shape[1] == 1:
            value = value.iloc[:, 0]
        elif value.shape[1] == 2:
            value = dict(zip(value.iloc[:, 0], value.iloc[:, 1]))
    if isinstance(value, pd.Series):
        value = dict(zip(value.index, value))
    if isinstance(value, (list, tuple)) and all(isinstance(item, (list, tuple)) and len(item) == 2 for item in value):
        value = dict(value)
    if not isinstance(value, dict):
        raise Malformed(f"{what} is {_a(value)}, a dict or a Series was expected.")
    return {plain(key, what): plain(item, what) for key, item in value.items()}


def table(value, columns, what="the answer"):
    """A new DataFrame with the asked columns, cells as plain values, index dropped; other columns are left out.

    A column that is in the index counts (groupby puts it there). So do a dict of columns and a list of rows.
    """
    columns = list(columns)
    if isinstance(value, dict) or (isinstance(value, (list, tuple)) and value and isinstance(value[0], dict)):
        try:
            value = pd.DataFrame(value)
        except ValueError:
            raise Malformed(f"{what} is {_a(value)}, a table with the columns {_quoted(columns)} was expected.") from None
    if isinstance(value, pd.Series):
        value = value.to_frame(columns[-1] if value.name is None else value.name)
    if not isinstance(value, pd.DataFrame):
        raise Malformed(f"{what} is {_a(value)}, a table (DataFrame) with the columns {_quoted(columns)} was expected.")
    frame = value.copy()
    named = [name for name in frame.index.names if name is not None and name not in frame.columns]
    if named:
        frame = frame.reset_index()
    spelled = {str(name).strip().casefold(): name for name in reversed(list(frame.columns))}
    absent = [name for name in columns if name.casefold() not in spelled]
    if absent:
        raise Malformed(f"{what} has no column {_quoted(absent)}. Its columns are: {_quoted(frame.columns) or 'none'}.")
    return pd.DataFrame({name: [plain(cell, f"column '{name}' of {what}") for cell in frame[spelled[name.casefold()]]] for name in columns})


def _quoted(names):
    return ", ".join(f"'{name}'" for name in names)


# ------------------------------------------------------------------------------------------------------- comparators


def is_close(got, expected, places=None, rtol=RTOL):
    """Whether two numbers are the same: NaN equals NaN; `places` also accepts what is rounded to that many decimals."""
    if math.isnan(got) or math.isnan(expected):
        return math.isnan(got) and math.isnan(expected)
    if math.isinf(got) or math.isinf(expected):
        return got == expected
    tolerance = rtol * abs(expected) + 1e-12
    if places is not None:
        # Half a unit of the last place, by difference: rounding both sides would fail at the borders.
        tolerance = max(tolerance, 0.5 * 10.0**-places * (1 + 1e-9))
    return abs(got - expected) <= tolerance


def rounds_too_far(got, expected, places):
    """Whether a number is the expected one, but rounded to fewer decimals than `places`, or cut off instead of rounded."""
    if places is None or not (math.isfinite(got) and math.isfinite(expected)) or (got == 0 and abs(expected) < 0.5):
        return False
    for fewer in range(places + 1):
        unit = 10.0**-fewer
        off = abs(got - expected)
        if is_close(got, round(got, fewer)) and (off <= 0.5 * unit * (1 + 1e-9) or off < unit and abs(got) <= abs(expected)):
            return True
    return False


def _decimals(places):
    return "one decimal" if places == 1 else f"{ {2: 'two', 3: 'three'}.get(places, places)} decimals"


def is_same(got, expected, places=None, rtol=RTOL, ignore_case=False):
    """Whether two plain values mean the same."""
    if isinstance(got, bool) or isinstance(expected, bool):
        return isinstance(got, (bool, float)) and isinstance(expected, (bool, float)) and float(got) == float(expected)
    if isinstance(got, float) and isinstance(expected, float):
        return is_close(got, expected, places, rtol)
    if isinstance(got, str) and isinstance(expected, str):
        return got.casefold() == expected.casefold() if ignore_case else got == expected
    if isinstance(got, pd.Timestamp) and isinstance(expected, pd.Timestamp):
        return got == expected
    if isinstance(got, pd.Timestamp) or isinstance(expected, pd.Timestamp):
        try:
            return pd.Timestamp(got) == pd.Timestamp(expected)
        except (TypeError, ValueError):
            return False
    return False


def require(condition, message):
    """Raise Wrong with the message unless the condition is truly True."""
    if not (isinstance(condition, (bool, np.bool_)) and bool(condition)):
        raise Wrong(message)


def same_number(got, expected, places=None, rtol=RTOL, mistakes=(), message=""):
    """Raise Wrong unless the numbers are the same.

    mistakes: pairs (wrong value, message): known wrong ways to get here, the first that fits gives the message.
    One that happens to equal the right answer is passed over. Where they take time to work out: a function that gives
    them, which is called for a wrong answer only.
    """
    got, expected = number(got), number(expected)
    if is_close(got, expected, places, rtol):
        return
    for wrong, remark in _known(mistakes):
        if wrong is not None and is_close(got, number(wrong), places, rtol):
            raise Wrong(remark)
    if rounds_too_far(got, expected, places):
        raise Wrong(f"The number is right, but rounded too far or cut off: give {_decimals(places)} or more, or do not round.")
    if is_close(got, expected / 100, 2 if expected > 5 else None, 0.006) and expected:
        raise Wrong("This is a share between 0 and 1; the question asks for percent (between 0 and 100).")
    if is_close(got, expected * 100, None, 0.006) and expected:
        raise Wrong("This is a hundred times too large: is it multiplied by 100 twice?")
    raise Wrong(message)


def _known(mistakes):
    return mistakes() if callable(mistakes) else mistakes


def same_items(got, expected, ordered=False, places=None, mistakes=(), message="", too_many="", too_few=""):
    """Raise Wrong unless two lists hold the same values; the order counts only if `ordered`."""
    got, expected = list(got), [plain(item) for item in expected]
    if _same_list(got, expected, ordered, places):
        return
    for wrong, remark in _known(mistakes):
        if wrong is not None and _same_list(got, [plain(item) for item in wrong], ordered, places):
            raise Wrong(remark)
    extra = [item for item in got if not any(is_same(item, other, places) for other in expected)]
    absent = [item for item in expected if not any(is_same(item, other, places) for other in got)]
    if extra and not absent and too_many:
        raise Wrong(too_many)
    if absent and not extra and too_few:
        raise Wrong(too_few)
    raise Wrong(message)


def _same_list(got, expected, ordered, places):
    if len(got) != len(expected):
        return False
    if ordered:
        return all(is_same(one, other, places) for one, other in zip(got, expected))
    left = list(expected)
    for item in got:
        for place, other in enumerate(left):
            if is_same(item, other, places):
                del left[place]
                break
        else:
            return False
    return True


def differing_columns(got, expected, by, places=None, ordered=False, same=is_same):
    """Compare two tables row by row, matched by the key columns `by`. Both must come from `table`.

    Returns None if the rows are not the same ones, else the set of columns that differ (empty: the tables are equal).
    places: decimals that are enough, one number for all columns or a dict. same: what it is for two cells to be the same.
    """
    by = [by] if isinstance(by, str) else list(by)
    if len(got) != len(expected):
        return None
    rows = [tuple(row) for row in expected[by].itertuples(index=False)]
    matches = []
    left = list(range(len(got)))
    keys = [tuple(row) for row in got[by].itertuples(index=False)]
    for place, row in enumerate(rows):
        candidates = [place] if ordered else left
        hit = next((i for i in candidates if all(is_same(a, b) for a, b in zip(keys[i], row))), None)
        if hit is None:
            return None
        matches.append(hit)
        if not ordered:
            left.remove(hit)
    different = set()
    for column in expected.columns:
        if column in by:
            continue
        decimals = places.get(column) if isinstance(places, dict) else places
        ours = list(expected[column])
        theirs = list(got[column])
        if not all(same(theirs[hit], ours[place], decimals) for place, hit in enumerate(matches)):
            different.add(column)
    return different


def _same_but_rounded(got, expected, places):
    return is_same(got, expected, places) or isinstance(got, float) and isinstance(expected, float) and rounds_too_far(got, expected, places)


def same_table(got, expected, by, places=None, ordered=False, mistakes=(), rows="", message=""):
    """Raise Wrong unless two tables mean the same: order of columns and index never count, order of rows if `ordered`.

    mistakes: pairs (wrong table, message), or a function that gives them. rows: the message when the rows themselves are not the asked ones.
    """
    expected = table(expected, expected.columns)
    different = differing_columns(got, expected, by, places, ordered)
    if different is not None and not different:
        return
    for wrong, remark in _known(mistakes):
        if wrong is None:
            continue
        wrong = table(wrong, expected.columns)
        if differing_columns(got, wrong, by, places, ordered) == set():
            raise Wrong(remark)
    if different is None:
        raise Wrong(rows or message)
    if differing_columns(got, expected, by, places, ordered, _same_but_rounded) == set():
        column = min(different)
        decimals = places[column] if isinstance(places, dict) else places
        raise Wrong(f"Column `{column}` is right, but rounded too far or cut off: give {_decimals(decimals)} or more, or do not round.")
    typed = [column for column in sorted(different) if any(isinstance(cell, str) for cell in got[column]) and not any(isinstance(cell, str) for cell in expected[column])]
    if typed:
        raise Wrong(f"Column `{typed[0]}` holds text, numbers were expected: no quotation marks and no percent sign.")
    raise Wrong(message or f"The rows are right, but {_quoted(sorted(different))} is not.")


# ------------------------------------------------------------------------------------------------------------ charts


LINES = ("line", "trail", "area")      # marks that join their points
DOTS = ("point", "circle", "square")
SEEN = ("color", "fill", "stroke", "opacity", "fillOpacity", "strokeOpacity", "strokeDash", "strokeWidth", "size")  # a reader tells lines apart by these
PANELS = ("facet", "row", "column")    # or by where they stand
SPLITS = (*SEEN, *PANELS, "detail", "key")    # Altair draws a line, and stacks a bar, for each value of these; shape and tooltip do not split

METHODS = {"average": "mean", "mean": "mean", "median": "median", "sum": "sum", "min": "min", "max": "max"}  # Altair's names: pandas' names


class Mark:
    """One layer of a chart: the mark, how it looks (its colour, for instance), what each channel shows, the data behind it,
    and its panel (charts side by side have different ones).

    A chart may have layers beside those that show the data: labels, a threshold, a trend. So a check looks for the layer, or the
    line, that shows what was asked, by its `points` or its `lines`, and leaves the others alone.
    """

    def __init__(self, mark, encodings, rows, transforms, look=None, panel=()):
        self.mark = mark
        self.look = look or {}
        self.encodings = encodings
        self.rows = rows
        self.transforms = transforms
        self.panel = panel
        self._lines = None

    def field(self, channel):
        return self.encodings.get(channel, {}).get("field")

    def aggregate(self, channel):
        return {"average": "mean"}.get(self.encodings.get(channel, {}).get("aggregate"), self.encodings.get(channel, {}).get("aggregate"))

    def drawn_rows(self):
        """The rows of data behind the mark after its transforms, or None when they cannot be worked out here."""
        rows = self.rows
        for transform in self.transforms:
            rows = None if rows is None else _transformed(rows, transform)
        return rows

    def points(self):
        """A table with one row a drawn point and one column a channel, or None when it cannot be worked out here."""
        rows = self.drawn_rows()
        if rows is None:
            return None
        shown = {name: part for name, part in self.encodings.items() if "field" in part or part.get("aggregate") == "count"}
        if any(part.get("bin") or part.get("timeUnit", "yearmonth") != "yearmonth" or "impute" in part for part in shown.values()):
            return None
        if any(part.get("field") not in rows.columns for part in shown.values() if part.get("aggregate") != "count"):
            return None
        groups = {name: rows[part["field"]].astype(str).str[:7] if "timeUnit" in part else rows[part["field"]]  # "2023-04", of a day
                  for name, part in shown.items() if not part.get("aggregate")}
        if len(groups) == len(shown):
            return pd.DataFrame(groups).reset_index(drop=True)
        answer = pd.DataFrame(groups)
        for name, part in shown.items():
            kind = part.get("aggregate")
            if not kind:
                continue
            if kind != "count" and kind not in METHODS:
                return None
            answer[name] = 1 if kind == "count" else pd.to_numeric(rows[part["field"]])
        plan = {name: "sum" if part["aggregate"] == "count" else METHODS[part["aggregate"]] for name, part in shown.items() if part.get("aggregate")}
        if not groups:
            return answer.agg(plan).to_frame().T
        return answer.groupby(list(groups), sort=True, dropna=False).agg(plan).reset_index()

    def lines(self):
        """What the mark joins: pairs (what a reader can tell a line by, a table of its points). [] when it cannot be worked out.

        Not only for marks that join: for others a "line" is all that looks alike."""
        if self._lines is None:  # several checks ask
            self._lines = self._found_lines()
        return self._lines

    def _found_lines(self):
        points = self.points()
        if points is None or not {"x", "y"} <= set(points):
            return []
        split = [name for name in points if _kind(name) in SPLITS and (name, self.mark) != ("size", "trail")]
        groups = points.groupby(split, sort=False, dropna=False) if split else [((), points)]
        return [(self._seen(dict(zip(split, key))), part.reset_index(drop=True)) for key, part in groups]

    def _seen(self, values):
        """What a reader can tell a line of this layer by: where it stands, and the look that is fixed or goes with its values."""
        fixed = {name: self.look[name] for name in ("type", *SEEN) if name in self.look}
        typed = {name: part.get("value", part.get("datum")) for name, part in self.encodings.items() if name in SEEN and "field" not in part}
        told = {name: value for name, value in values.items() if name in SEEN + PANELS}
        return str((self.panel, sorted((fixed | typed | told).items(), key=str)))

    def is_stacked(self, value="y"):
        """Whether bars or areas are piled on each other along the channel `value`, so that most do not end at their own value."""
        part = self.encodings.get(value, {})
        if self.mark not in ("bar", "area") or value + "2" in self.encodings or ("stack" in part and not part["stack"]):
            return False
        points = self.points()
        if points is None or not any(_kind(name) in SPLITS for name in points):
            return False
        place = [name for name in points if name in ({"x", "y"} - {value}) or name in PANELS or name.endswith("Offset")]
        return bool(points.duplicated(place).any())


def _kind(channel):
    """A channel's name without the number that tells several fields on it apart: "detail 2" is a detail."""
    return channel.split()[0]


def title_in_words(marks, channel, names=()):
    """Whether one of the marks gives an axis a title that is no column's name (nor one of `names`).

    Without a title an axis shows its column's name: this counts if the student has renamed the column in words."""
    for mark in marks:
        part = mark.encodings.get(channel, {})
        axis = part.get("axis", {})
        if axis is None:
            continue
        given = next((each["title"] for each in (part, axis) if "title" in each), ...)
        title = part.get("field") if given is ... else " ".join(given) if isinstance(given, list) else given
        title = str(title or "").strip()
        named = given is not ... or " " in title or title[:1].isupper()
        if title and named and "_" not in title and title.lower() not in names:
            return True
    return False


def chart(value, what="the answer"):
    """The marks of an Altair chart (or of its dict): layers, facets and concatenations opened, shorthand resolved."""
    if hasattr(value, "to_dict") and hasattr(value, "to_json") and not isinstance(value, (pd.DataFrame, pd.Series)):
        spec = value.to_dict()
    elif isinstance(value, dict) and any(key in value for key in ("mark", "layer", "hconcat", "vconcat", "concat", "spec")):
        spec = copy.deepcopy(value)
    else:
        raise Malformed(f"{what} is {_a(value)}, an Altair chart was expected.")
    marks = list(_marks(spec, spec.get("datasets", {}), {}, None, [], ()))
    if not marks:
        raise Malformed(f"{what} is a chart without a mark: say mark_line(), for instance.")
    return marks


def _marks(spec, datasets, encodings, rows, transforms, panel):
    encodings = {**encodings, **_channels(spec.get("encoding", {}))}
    if isinstance(spec.get("facet"), dict):
        facet = spec["facet"]
        encodings.update(_channels({"facet": facet} if "field" in facet or "shorthand" in facet else facet))
    data = spec.get("data")
    if isinstance(data, dict):
        values = datasets.get(data.get("name"), data.get("values"))
        rows = pd.DataFrame(values) if isinstance(values, list) else None
    transforms = [*transforms, *spec.get("transform", [])]
    if "mark" in spec:
        look = spec["mark"] if isinstance(spec["mark"], dict) else {"type": spec["mark"]}
        yield Mark(look.get("type"), encodings, rows, transforms, look, panel)
    for key in ("layer", "hconcat", "vconcat", "concat"):
        for place, part in enumerate(spec.get(key, [])):
            yield from _marks(part, datasets, encodings, rows, transforms, panel if key == "layer" else (*panel, place))
    if isinstance(spec.get("spec"), dict):
        for place, part in _repeated(spec["spec"], spec.get("repeat", {})):
            yield from _marks(part, datasets, encodings, rows, transforms, (*panel, *place))


def _repeated(spec, repeat):
    """(where it stands, the chart) for each column that a chart is repeated for; just the chart if it is not repeated."""
    plan = repeat if isinstance(repeat, dict) else {"repeat": repeat}
    found = [((), spec)]
    for key, names in plan.items():
        found = [(place if key == "layer" else (*place, name), _filled(part, key, name)) for place, part in found for name in names]
    return found


def _filled(part, key, name):
    """A part of a chart with the column's name in the place of {"repeat": key}."""
    if part == {"repeat": key}:
        return name
    if isinstance(part, dict):
        return {each: _filled(inner, key, name) for each, inner in part.items()}
    return [_filled(inner, key, name) for inner in part] if isinstance(part, list) else part


def _channels(encoding):
    """{channel: what it shows}; a second field on one channel, as a detail or a tooltip may have it, is called "detail 2"."""
    found = {}
    for name, part in encoding.items():
        several = part if isinstance(part, list) and part else [part]
        found.update({f"{name} {n}" if n > 1 else name: _channel(each) for n, each in enumerate(several, start=1)})
    return found


def _channel(part):
    part = {"shorthand": part} if isinstance(part, str) else dict(part or {})
    if isinstance(part.get("condition"), dict) and "field" not in part:
        part.update({key: part["condition"][key] for key in ("field", "type", "aggregate") if key in part["condition"]})
    if "shorthand" in part:
        found = re.fullmatch(r"(?:(\w+)\()?([^():]*)\)?(?::([QONT]))?", part.pop("shorthand"))
        if found:
            aggregate, field, kind = found.groups()
            part.update({key: item for key, item in (("aggregate", aggregate), ("field", field), ("type", kind)) if item})
    return part


_SIMPLE = re.compile(r"""^\s*datum(?:\.(\w+)|\[['"](\w+)['"]\])\s*(===?|!==?|<=|>=|<|>)\s*(?:'([^']*)'|"([^"]*)"|(-?[\d.]+))\s*$""")


def _transformed(rows, transform):
    """The rows after one of Altair's transforms; None for one that is not followed here."""
    if "fold" in transform:
        return _folded(rows, transform["fold"], *transform.get("as", ["key", "value"]))
    if "aggregate" in transform:
        return _aggregated(rows, transform["aggregate"], transform.get("groupby", []))
    if "calculate" in transform:
        return _calculated(rows, transform["calculate"], transform["as"])
    return _filtered(rows, transform)


def _folded(rows, names, key, value):
    """The named columns below each other: `key` says which column, `value` what stood there."""
    if not set(names) <= set(rows.columns):
        return None
    return pd.concat([rows.assign(**{key: name, value: rows[name]}) for name in names], ignore_index=True)


def _aggregated(rows, wanted, by):
    """One row a group, with a column for each aggregate that is wanted."""
    if not by or not {*by, *(each.get("field") for each in wanted)} <= set(rows.columns) or any(each["op"] not in METHODS for each in wanted):
        return None
    groups = rows.groupby(by, sort=False, dropna=False)
    return pd.DataFrame({each["as"]: groups[each["field"]].agg(METHODS[each["op"]]) for each in wanted}).reset_index()


_EITHER = re.compile(r"""^(.+?)\s*\?\s*(['"])(.*?)\2\s*:\s*(['"])(.*?)\4$""")
_IF = re.compile(r"""^if\((.+),\s*(['"])(.*?)\2,\s*(['"])(.*?)\4\)$""")


def _calculated(rows, rule, name):
    """The rows with a new column of two words by a condition; any other rule gives a column that cannot be read."""
    found = _EITHER.match(rule.strip()) or _IF.match(rule.strip())
    kept = _filtered(rows, {"filter": found[1]}) if found else None
    if kept is None:
        return rows.drop(columns=name, errors="ignore")
    return rows.assign(**{name: np.where(rows.index.isin(kept.index), found[3], found[5])})


def _negated(rule):
    """What a filter that says "not" keeps out; None for any other filter."""
    if isinstance(rule, dict):
        return rule.get("not")
    found = re.fullmatch(r"\(?\s*!\s*\(([^()]*)\)\s*\)?", rule.strip()) if isinstance(rule, str) else None
    return found[1] if found else None


def _bare(rule):
    """A rule without the round brackets around all of it: Altair writes ((a) && (b))."""
    inner = re.fullmatch(r"\s*\((.*)\)\s*", rule)
    depths = list(itertools.accumulate((sign == "(") - (sign == ")") for sign in inner[1])) if inner else []
    return _bare(inner[1]) if inner and min(depths, default=0) >= 0 else rule


def _filtered(rows, transform):
    """The rows that a filter keeps; None for a transform that is not followed here."""
    rule = transform.get("filter")
    if _negated(rule) is not None:
        out = _filtered(rows, {"filter": _negated(rule)})
        return None if out is None else rows.drop(index=out.index)
    if isinstance(rule, str):
        keep = pd.Series(True, index=rows.index)
        for part in _bare(rule).split("&&"):
            found = _SIMPLE.match(_bare(part).strip())
            if not found:
                return None
            field = found[1] or found[2]
            if field not in rows.columns:
                return None
            other = found[4] if found[4] is not None else found[5] if found[5] is not None else float(found[6])
            column = rows[field]
            sign = found[3][:2] if found[3][0] in "=!" else found[3]
            keep &= {"==": column.eq, "!=": column.ne, "<=": column.le, ">=": column.ge, "<": column.lt, ">": column.gt}[sign](other)
        return rows[keep]
    if isinstance(rule, dict) and rule.get("field") in rows.columns:
        column = rows[rule["field"]]
        if "equal" in rule:
            return rows[column.eq(rule["equal"])]
        if "oneOf" in rule:
            return rows[column.isin(rule["oneOf"])]
        if isinstance(rule.get("range"), list):
            low, high = rule["range"]
            return rows[column.between(-math.inf if low is None else low, math.inf if high is None else high)]
        signs = {"lt": column.lt, "lte": column.le, "gt": column.gt, "gte": column.ge}
        for key, method in signs.items():
            if key in rule:
                return rows[method(rule[key])]
    return None


# -------------------------------------------------------------------------------------- reading what lies beside this file


def beside(name):
    """The path of a file that lies beside this one."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), name)


@functools.cache
def rows(name, *columns):
    """The rows of a CSV file beside this one, as dicts of text: of all its columns, or of those named.

    The checks count in them without pandas. A test that asks again gets the same list: it is not to be changed."""
    with open(beside(name), encoding="utf-8", newline="") as file:
        text = file.read()
    lines = csv.reader(io.StringIO(text)) if '"' in text else (line.split(",") for line in text.splitlines())  # no quotation marks: no parser
    header = next(lines)
    places = [header.index(column) for column in columns or header]
    return [dict(zip(columns or header, [line[place] for place in places])) for line in lines]


def facts(name):
    """A JSON file beside this one."""
    with open(beside(name), encoding="utf-8") as file:
        return json.load(file)
