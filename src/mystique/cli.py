"""The `mystique` command: reads the words given, calls what does the work, and says what came of it. No logic here."""

from __future__ import annotations

import argparse
import sys

from . import data
from .data import at_scale
from .grading import learner, learner_progress, learner_report
from .grading.assign import AssignError, assign
from .grading.collect import CollectError, collect
from .grading.cohort import CohortError, make_cohort
from .grading.grade import GradingError, exit_status, grade, table
from .grading.learner import LearnerError
from .grading.lms import SYSTEMS, LmsError, export_grades
from .grading.students import StudentsError, enter_students

CLASS = "the class's folder (default: this one)"
REFUSALS = (data.DataError, AssignError, CohortError, CollectError, GradingError, LearnerError, LmsError, StudentsError, OSError)  # each with a sentence for the user


def main(words: list[str] | None = None) -> int:
    """Run the command; return its exit status (0 done, 1 refused with a message on standard error)."""
    given = parser().parse_args(words)
    try:
        return given.run(given)
    except REFUSALS as error:
        print(f"mystique: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """All commands and their words."""
    top = argparse.ArgumentParser(prog="mystique", description="Mission mystique and managing for mission: the course's tools.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    make = commands.add_parser("data", help="make a synthetic data set from a seed")
    make.add_argument("name", choices=(*data.NAMES, "all"), help="the data set: " + ", ".join(data.NAMES) + "; or all of them", metavar="NAME")
    make.add_argument("--seed", type=int, default=data.REFERENCE_SEED, help=f"a whole number, 0 or more (the book's: {data.REFERENCE_SEED})")
    make.add_argument("--out", default="datasets", metavar="DIR", help="the folder to write DIR/NAME/ into (default: datasets)")
    make.add_argument("--people", type=int, metavar="N", help="employees only: that many people, as Parquet (try 4000000)")
    make.set_defaults(run=run_data)

    figures = commands.add_parser("figures", help="estimate Figures 1 and 2 on the employees at full scale (needs pyfixest)")
    figures.add_argument("folder", help="the folder that `mystique data employees --people N` wrote", metavar="FOLDER")
    figures.add_argument("out", help="the JSON file to write", metavar="FILE")
    figures.set_defaults(run=run_figures)

    cohort = commands.add_parser("cohort", help="make a class's own data and nbgrader course, from a secret seed")
    cohort.add_argument("name", help="the cohort's name, for example fall-2027", metavar="NAME")
    cohort.add_argument("--seed", type=int, help="a whole number, 0 or more (default: a random one, kept in the cohort's folder)")
    cohort.add_argument("--out", default="cohorts", metavar="DIR", help="the folder to write DIR/NAME/ into (default: cohorts)")
    cohort.add_argument("--exercises", default="exercises", metavar="DIR", help="the course's problem sets (default: exercises)")
    cohort.add_argument("--replace", action="store_true", help="make it anew if it is there and has no submissions")
    cohort.set_defaults(run=run_cohort)

    students = commands.add_parser("students", help="enter a list of students into the class's gradebook")
    students.add_argument("file", help="a CSV file with the columns id, first_name, last_name, email", metavar="FILE")
    students.add_argument("--course", default=".", metavar="DIR", help=CLASS)
    students.set_defaults(run=run_students)

    release = commands.add_parser("assign", help="prove a problem set, release it with nbgrader, and zip it to hand out")
    release.add_argument("set", help="the problem set, for example ps1", metavar="NAME")
    release.add_argument("--course", default=".", metavar="DIR", help=CLASS)
    release.add_argument("--answers", metavar="DIR", help="a private folder with source/ and answers/; the course remembers it")
    release.set_defaults(run=run_assign)

    gather = commands.add_parser("collect", help="put the submissions that were downloaded from the LMS in one zip into submitted/")
    gather.add_argument("lms", choices=SYSTEMS, help=", ".join(SYSTEMS), metavar="LMS")
    gather.add_argument("set", help="the problem set, for example ps1", metavar="NAME")
    gather.add_argument("zip", help="the zip with all submissions", metavar="ZIP")
    gather.add_argument("grades", nargs="?", help="the LMS's file with grades, the one that export fills: by it students are known", metavar="GRADES")
    gather.add_argument("--course", default=".", metavar="DIR", help=CLASS)
    gather.add_argument("--replace", action="store_true", help="take the zip's version also where it is not known to be newer")
    gather.add_argument("--match", metavar="COLUMN", help="the file's column with the students' ids; give export the same")
    gather.set_defaults(run=run_collect)

    marks = commands.add_parser("grade", help="grade every submission of a problem set, confined, into nbgrader's gradebook")
    marks.add_argument("set", help="the problem set, for example ps1", metavar="NAME")
    marks.add_argument("--course", default=".", metavar="DIR", help=CLASS)
    marks.add_argument("--jobs", type=int, metavar="N", help="submissions at a time (default: one for each processor)")
    marks.add_argument("--trust-submissions", action="store_true", help="grade although this system can't confine what students wrote")
    marks.set_defaults(run=run_grade)

    export = commands.add_parser("export", help="fill the grades of a problem set into a file downloaded from the LMS")
    export.add_argument("lms", choices=SYSTEMS, help=", ".join(SYSTEMS), metavar="LMS")
    export.add_argument("set", help="the problem set, for example ps1", metavar="NAME")
    export.add_argument("downloaded", help="the file downloaded from the LMS; it is only read", metavar="FILE")
    export.add_argument("out", help="the file to write and upload", metavar="OUT")
    export.add_argument("--course", default=".", metavar="DIR", help=CLASS)
    export.add_argument("--allow-ungraded", action="store_true", help="write although a person has still to grade something")
    export.add_argument("--match", metavar="COLUMN", help="the file's column with the course's student ids or e-mail addresses")
    export.add_argument("--column", metavar="COLUMN", help="the file's column to fill")
    export.add_argument("--scale", action="store_true", help="convert points to the LMS's maximum")
    export.add_argument("--anyway", action="store_true", help="write although the file seems to be another set's, or has another maximum")
    export.add_argument("--maximum", type=float, help="that maximum, where the file does not say it")
    export.add_argument("--comments", action="store_true", help="Moodle's worksheet: write the graders' comments too")
    export.set_defaults(run=run_export)

    check = commands.add_parser("check", help="check your own problem set and say what to look at again")
    check.add_argument("notebook", help="a problem set's name, for example ps1, or the path of your notebook", metavar="NAME")
    check.add_argument("--hint", metavar="QUESTION", help="show the next hint for a question, for example q4, and check nothing")
    check.add_argument("--page", metavar="FILE", help="also write the feedback as a page, for example ps1.html")
    check.set_defaults(run=run_check)

    solution = commands.add_parser("solution", help="show the model answer to a question that you have tried")
    solution.add_argument("set", help="the problem set, for example ps1", metavar="NAME")
    solution.add_argument("question", help="the question, for example q4", metavar="QUESTION")
    solution.add_argument("--anyway", action="store_true", help="show it without a try of your own")
    solution.set_defaults(run=run_solution)

    progress = commands.add_parser("progress", help="how far you are, over all problem sets")
    progress.add_argument("set", nargs="?", help="one problem set, a line a question", metavar="NAME")
    progress.add_argument("--export", metavar="FILE", help="write it to a .csv or .json file")
    progress.set_defaults(run=run_progress)
    return top


def run_data(given: argparse.Namespace) -> int:
    if given.people is not None:
        if given.name != "employees":
            raise data.DataError(f"--people goes with the data set 'employees'; found '{given.name}'.")
        folder = at_scale.write_at_scale(given.people, given.seed, given.out, progress=show_progress)
        print(f"\nWrote {given.people:,} synthetic employees (seed {given.seed}) to {folder}.")
        return 0
    for name in data.NAMES if given.name == "all" else (given.name,):
        folder = data.write(data.make(name, given.seed), given.out)
        print(f"Wrote the synthetic data set '{name}' (seed {given.seed}) to {folder}.", flush=True)
    return 0


def show_progress(done: int, of: int) -> None:
    """A bar on one line of standard error."""
    filled = round(30 * done / of)
    print(f"\r  [{'#' * filled}{'.' * (30 - filled)}] {done:,} of {of:,}", end="", file=sys.stderr, flush=True)


def run_figures(given: argparse.Namespace) -> int:
    at_scale.write_figures(given.folder, given.out)
    print(f"Wrote the figures to {given.out}.")
    return 0


def run_cohort(given: argparse.Namespace) -> int:
    made = make_cohort(given.name, given.out, given.exercises, given.seed, given.replace, lambda what: print(f"  {what}", flush=True))
    print(f"Made the cohort {made}. Next: cd {made / 'course'}, then mystique assign ps0.")
    return 0


def run_students(given: argparse.Namespace) -> int:
    new, known = enter_students(given.course, given.file)
    print(f"{len(new)} students entered, {len(known)} were there already.")
    return 0


def run_collect(given: argparse.Namespace) -> int:
    """Exit status: 0 all collected, 3 something needs a person, 1 refused."""
    report = collect(given.lms, given.course, given.set, given.zip, given.grades, given.replace, given.match)
    print(report.text())
    return report.exit_status()


def run_assign(given: argparse.Namespace) -> int:
    handed_out = assign(given.set, given.course, given.answers, lambda what: print(f"  {what}", flush=True))
    print(f"Released. Hand out {handed_out}.")
    return 0


def run_grade(given: argparse.Namespace) -> int:
    """Exit status: 0 all graded, 3 some need a person, 1 refused."""
    summary = grade(given.set, given.course, given.jobs, given.trust_submissions)
    print(table(summary))
    return exit_status(summary)


def run_export(given: argparse.Namespace) -> int:
    report = export_grades(
        given.lms, given.course, given.set, given.downloaded, given.out, given.allow_ungraded, match=given.match,
        column=given.column, scale=given.scale, maximum=given.maximum, comments=given.comments, anyway=given.anyway,
    )
    print(report.text())
    return 0


def run_check(given: argparse.Namespace) -> int:
    if given.hint:
        print(learner_report.format_hint(learner.hint(given.notebook, given.hint)))
        return 0
    report = learner.check(given.notebook)
    print(learner_report.format_report(report))
    if given.page:
        learner_report.write_page(report, given.page)
        print(f"The same as a page: {given.page}")
    return 0


def run_solution(given: argparse.Namespace) -> int:
    print(learner_report.format_solution(learner.solution(given.set, given.question, anyway=given.anyway)))
    return 0


def run_progress(given: argparse.Namespace) -> int:
    if given.export:
        learner_progress.export_progress(given.export)
        print(f"Wrote your progress to {given.export}.")
        return 0
    print(learner_progress.format_progress(None, given.set))
    return 0
