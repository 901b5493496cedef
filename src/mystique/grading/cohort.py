"""A cohort: one class with a seed of its own, so that last year's answers do not fit.

    cohorts/NAME/
        cohort.json     the secret seed; the instructor's
        data/           every data set of that seed, with its truth; the instructor's
        traps.md        what is planted in these data, whom it fools and how to see through it; the instructor's
        course/         a complete nbgrader course: settings, source/ with the data of the seed, answers/

All of it is made, or nothing. What students get is what nbgrader writes into course/release/.
"""

import json
import re
import secrets
import shutil
import uuid
from pathlib import Path

from mystique import data

from .cases import CASES, NoCase
from .handout import write_handout
from .proof import prove

CANARY = "MYSTIQUE-CANARY-cohort-seed"
SEED_BITS = 48     # too many to try them all
TRIES = 20         # random seeds drawn; about one in four leaves a set without a telling case
PROVED = 6         # of these, how many are proved: if none passes, the fault lies in a set and not in the lot
MADE_HERE = (*data.NAMES, "case.json", "checks.py", "__pycache__", ".ipynb_checkpoints")  # what the handout writes, or nobody wants


class CohortError(ValueError):
    """A cohort cannot be made; the message says where, what was found and what to do."""


def make_cohort(name, folder="cohorts", exercises="exercises", seed=None, replace=False, progress=lambda text: None):
    """Make `folder/NAME/` and return its path.

    seed: a whole number, 0 or more. Left out, a secret one is drawn at random, on which every known answer of every set
    has been tried, so that each set can be released; that takes a minute. A given seed is not tried: `assign` does it.
    exercises: the course's problem sets.
    replace: make a cohort anew that is there already; one with submissions is refused all the same.
    progress: is told what is being made. Raises CohortError.
    """
    target, exercises = Path(folder) / _checked(name), Path(exercises)
    sets = problem_sets(exercises)
    _refuse_to_lose_work(target, replace)
    stage = target.with_name(f".{name}-{uuid.uuid4().hex[:8]}")
    try:
        stage.mkdir(parents=True)
        seed = _write_course(stage / "course", exercises, sets, seed, progress)
        truths = []
        for each in data.NAMES:
            progress(f"data set {each}")
            made = data.make(each, seed)
            data.write(made, stage / "data")
            truths.append(made.truth)
        (stage / "traps.md").write_text(trap_notes(name, truths), encoding="utf-8")
        text = json.dumps({"name": name, "seed": seed, "canary": CANARY}, indent=2)
        (stage / "cohort.json").write_text(text + "\n", encoding="utf-8")
        _put_in_place(stage, target)
    except OSError as problem:
        raise CohortError(f"{target}: the cohort could not be written ({problem.strerror or problem}). Nothing was changed.") from problem
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return target


def trap_notes(name, truths):
    """The instructor's notes on a cohort's data, as Markdown: every planted trap of every data set."""
    parts = [f"# What is planted in the data of {name}\n\nFor instructors only. {CANARY}"]
    for truth in truths:
        parts.append(f"## {truth['name']}")
        for trap in truth["traps"]:
            parts.append(
                f"### {trap['id'].replace('_', ' ')}\n\n{trap['what']}\n\n- Where: {trap['where']}\n- Fools: {trap['fools']}\n"
                f"- How to see through it: {trap['see_through']}"
            )
    return "\n\n".join(parts) + "\n"


def problem_sets(exercises):
    """The names of the problem sets of a course. Raises CohortError if there is no course."""
    exercises = Path(exercises)
    if not (exercises / "nbgrader_config.py").is_file() or not (exercises / "source").is_dir():
        raise CohortError(f"{exercises}: no nbgrader course with a folder source/ is here. Go to the whole course's folder, which holds course.py, or say --exercises DIR.")
    return sorted(each.name for each in (exercises / "source").iterdir() if each.is_dir() and not each.name.startswith("."))


def _checked(name):
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}", name):
        raise CohortError(f"A cohort's name has letters, digits, - and _ only, at most 41 of them; found {name!r}. For example: fall-2027.")
    return name


def _refuse_to_lose_work(target, replace):
    submitted = target / "course" / "submitted"
    if submitted.is_dir() and any(submitted.iterdir()):
        raise CohortError(f"{target}: has submissions, and new data would not fit them. Nothing was changed. Choose another name.")
    if target.exists() and not replace:
        raise CohortError(f"{target}: is there already. Nothing was changed. Choose another name, or say --replace to make it anew.")
    if target.exists() and not (target / "cohort.json").is_file():
        raise CohortError(f"{target}: is no cohort (it has no cohort.json). Nothing was changed. Choose another name.")


def _write_course(course, exercises, sets, seed, progress):
    """The nbgrader course with this seed's data beside each notebook, and the seed.

    A random seed is drawn until every set has a case on which all its known answers earn what they should."""
    drawn = proved = 0
    while True:
        try:
            drawn += 1
            return _write_seed(course, exercises, sets, secrets.randbits(SEED_BITS) if seed is None else seed, seed is None, progress)
        except NoCase as problem:
            if seed is not None or drawn == TRIES:
                raise CohortError(str(problem)) from problem
        except _Unproved as problem:
            proved += 1
            if proved == PROVED or drawn == TRIES:
                raise CohortError(
                    f"{problem} None of {proved} random seeds passed, so the cohort was not made. "
                    "Put the set or its answers right, and run the command again."
                ) from problem
            progress(f"not all known answers fit these data; drawing others ({problem})")


def _write_seed(course, exercises, sets, seed, with_proof, progress):
    shutil.rmtree(course, ignore_errors=True)
    shutil.copytree(exercises / "source", course / "source", ignore=shutil.ignore_patterns(*MADE_HERE))
    shutil.copytree(exercises / "answers", course / "answers")
    shutil.copy(exercises / "nbgrader_config.py", course)
    for each in (name for name in sets if name in CASES):
        progress(f"problem set {each}")
        write_handout(each, seed, course / "source" / each)
    for each in sets if with_proof else ():
        answers = course / "answers" / f"{each}.yml"
        if answers.is_file():
            progress(f"trying every known answer of {each}")
            _prove(each, course / "source" / each / f"{each}.ipynb", answers)
    return seed


class _Unproved(Exception):
    """On these data a known answer does not earn what it should; the message names it."""


def _prove(name, notebook, answers):
    try:
        faults = [one for one in prove(notebook, answers) if one.fault]
    except Exception as problem:  # a damaged notebook, or answers to another one: no seed mends that
        raise CohortError(
            f"{name}: its known answers could not be tried ({type(problem).__name__}: {problem}). The cohort was not made. "
            "Put the set or its answers right, and run the command again."
        ) from problem
    if faults:
        more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
        raise _Unproved(f"{name}, {faults[0].question}, answer '{faults[0].answer}': {faults[0].fault.rstrip('.')}{more}.")


def _put_in_place(stage, target):
    """Rename the finished cohort to its place; an old one comes back should that fail."""
    old = target.with_name(f"{stage.name}-old")
    if target.exists():
        target.rename(old)
    try:
        stage.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
