"""A learner's progress over all problem sets, in one file on her own computer.

What is kept: for each set and question the best and the last score, how often it was tried, hints and solutions seen,
and dates. Never an answer, never a name. The file is replaced in one step, so that it is never half written; a damaged
one is set aside under another name. Nothing is sent anywhere.
"""

import csv
import io
import json
import os
import sys
import uuid
from datetime import datetime
from pathlib import Path

VERSION = 1
PLACE = "MYSTIQUE_PROGRESS"  # environment variable: the file, if it is not to be in the user's data folder
FIELDS = ["set", "question", "points", "best", "last", "tries", "hints", "solution_seen", "first_check", "last_check"]


class LearnerError(Exception):
    """What a learner asked for cannot be done; the message says why and what to do."""


def default_path():
    """The file of the progress: what MYSTIQUE_PROGRESS says, or a file in the system's folder for a user's data."""
    if os.environ.get(PLACE):
        return Path(os.environ[PLACE])
    if os.name == "nt":
        base = os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "mystique" / "progress.json"


def load(path=None):
    """(the sets' progress {set: {...}}, a message or ""). A damaged file is set aside, and the message says where."""
    path = Path(path or default_path())
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and isinstance(content.get("version"), int) and content["version"] > VERSION:
            raise LearnerError(f"{path}: was written by a newer version of this course. Nothing was changed. Update the course, or name another file in {PLACE}.")
        return _sound(content), ""
    except FileNotFoundError:
        return {}, ""
    except OSError as problem:
        raise LearnerError(f"{path}: your progress cannot be read ({problem.strerror}). Name another file in the environment variable {PLACE}.") from problem
    except (ValueError, TypeError, KeyError, AttributeError):
        aside = path.with_name(f"{path.stem}.damaged-{datetime.now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:4]}.json")
        try:
            path.rename(aside)
        except OSError as problem:
            raise LearnerError(f"{path}: is damaged and cannot be set aside ({problem.strerror}). Move it away, or name another file in {PLACE}.") from problem
        return {}, f"The file of your progress was damaged. It was kept as {aside}, and a new one begun."


def _sound(content):
    """The sets of a file's content; KeyError, TypeError or ValueError if anything in it is not what was written."""
    if content["version"] != VERSION:
        raise ValueError("version")
    for name, progress in content["sets"].items():
        if not isinstance(progress["checks"], int) or not isinstance(progress["questions"], dict):
            raise TypeError(name)
        for key in ("points", "best", "last"):
            if progress[key] is not None:
                float(progress[key])
        for question in progress["questions"].values():
            if not all(isinstance(question[key], int) for key in ("tries", "hints")):
                raise TypeError(name)
            for key in ("points", "best", "last"):
                if question[key] is not None:
                    float(question[key])
            if not all(isinstance(question[key], str) for key in ("solution_seen", "first_check", "last_check")):
                raise TypeError(name)
    return content["sets"]


def save(sets, path=None):
    """Write the progress in one step."""
    path = Path(path or default_path())
    write(path, json.dumps({"version": VERSION, "sets": sets}, indent=1, ensure_ascii=False) + "\n")


def write(path, text):
    """Write a file in one step: all of it is there, or what was there before."""
    beside = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as problem:
        beside.unlink(missing_ok=True)
        raise LearnerError(f"{path}: cannot be written ({problem.strerror}). Nothing was changed. Name another file.") from problem


def _set(sets, name):
    return sets.setdefault(name, {"points": None, "best": None, "last": None, "checks": 0, "first_check": "", "last_check": "", "questions": {}})


def _question(sets, name, question):
    return _set(sets, name)["questions"].setdefault(
        question, {"points": None, "best": None, "last": None, "tries": 0, "hints": 0, "solution_seen": "", "first_check": "", "last_check": ""},
    )


def record(report, path=None):
    """Keep what came of a check. Returns a message for the learner, or "": a check is never lost for want of this file."""
    try:
        sets, message = load(path)
        when = report.when.isoformat(timespec="seconds")
        mine = _set(sets, report.problem_set)
        mine["checks"] += 1
        _dated(mine, when)
        if report.is_full:
            mine["points"] = report.possible
            _scored(mine, report.earned)
        for result in report.results:
            question = _question(sets, report.problem_set, result.name)
            question["points"] = result.points if result.points is not None else question["points"]
            question["tries"] += result.attempted
            _dated(question, when)
            if result.earned is not None:
                _scored(question, result.earned)
        save(sets, path)
        return message
    except LearnerError as problem:
        return f"Your progress was not kept. {problem}"


def _dated(entry, when):
    entry["first_check"] = entry["first_check"] or when
    entry["last_check"] = when


def _scored(entry, earned):
    entry["last"] = earned
    entry["best"] = earned if entry["best"] is None else max(earned, entry["best"])


def tries(problem_set, question, path=None):
    """In how many checks this question had an answer of the learner's own."""
    sets, _ = load(path)
    return sets.get(problem_set, {}).get("questions", {}).get(question, {}).get("tries", 0)


def next_hint(problem_set, question, of, path=None):
    """The number of the next hint, from 1, and whether it was shown before: after the last one it stays at that."""
    sets, _ = load(path)
    mine = _question(sets, problem_set, question)
    is_repeat = mine["hints"] >= of
    mine["hints"] = min(mine["hints"] + 1, of)
    save(sets, path)
    return mine["hints"], is_repeat


def saw_solution(problem_set, question, path=None):
    sets, _ = load(path)
    mine = _question(sets, problem_set, question)
    mine["solution_seen"] = mine["solution_seen"] or datetime.now().astimezone().isoformat(timespec="seconds")
    save(sets, path)


def format_progress(path=None, problem_set=None):
    """The progress as text: a line a set, or a line a question of one set."""
    sets, message = load(path)
    if problem_set is not None and problem_set not in sets:
        raise LearnerError(f"There is nothing about {problem_set} yet: mystique check {problem_set} begins it.")
    lines = [message, ""] if message else []
    if not sets:
        return "\n".join([*lines, "Nothing was checked yet. Begin with: mystique check ps1"])
    if problem_set is None:
        rows = [("set", "best", "last", "checks", "hints", "solutions", "last check")]
        for name, mine in sorted(sets.items()):
            questions = mine["questions"].values()
            rows.append((
                name, _of(mine["best"], mine["points"]), _of(mine["last"], mine["points"]), str(mine["checks"]),
                str(sum(each["hints"] for each in questions)), str(sum(bool(each["solution_seen"]) for each in questions)), mine["last_check"][:10],
            ))
    else:
        rows = [("question", "best", "last", "tries", "hints", "solution seen", "last check")]
        for name, each in sorted(sets[problem_set]["questions"].items(), key=lambda pair: _order(pair[0])):
            rows.append((
                name, _of(each["best"], each["points"]), _of(each["last"], each["points"]), str(each["tries"]), str(each["hints"]),
                each["solution_seen"][:10] or "-", each["last_check"][:10] or "-",
            ))
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, "", f"Kept in {Path(path or default_path())}, on this computer only."])


def _of(earned, points):
    if earned is None:
        return "-"
    return f"{earned:g} of {points:g}" if points is not None else f"{earned:g}"


def _order(question):
    return (int(question[1:]), "") if question[1:].isdigit() else (sys.maxsize, question)


def export_progress(target, path=None):
    """Write the progress to a .csv or .json file, a row a question; the path written."""
    target = Path(target)
    sets, _ = load(path)
    rows = [
        {"set": name, "question": question, **{key: each[key] for key in FIELDS[2:]}}
        for name, mine in sorted(sets.items()) for question, each in sorted(mine["questions"].items(), key=lambda pair: _order(pair[0]))
    ]
    if target.resolve() == Path(path or default_path()).resolve():
        raise LearnerError(f"{target}: is the file that your progress is kept in. Choose another name.")
    if target.suffix == ".json":
        write(target, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    elif target.suffix == ".csv":
        text = io.StringIO()
        table = csv.DictWriter(text, FIELDS, lineterminator="\r\n")
        table.writeheader()
        table.writerows(rows)
        write(target, text.getvalue())
    else:
        raise LearnerError(f"{target}: a file that ends in .csv or .json was expected.")
    return target
