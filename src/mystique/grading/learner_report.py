"""What a learner sees of a check: a table for the terminal, hints and model answers as text, and a page to keep.

    print(format_report(learner.check("ps1")))

It only words what `learner` found; nothing is run or graded here.
"""

import re
import shutil
import textwrap
from html import escape
from pathlib import Path

from . import learner_progress
from .learner_progress import LearnerError

STATES = {
    "right": "right", "partly": "partly right", "wrong": "not right yet", "form": "the form is right", "empty": "no answer yet",
    "error": "your cell ends with an error", "stopped": "your cell was stopped", "gone": "the answer's cell is gone",
    "unknown": "could not be checked", "person": "for you to judge",
}


def summary(report):
    """One sentence: how did I do?"""
    if not report.is_full:
        passed = sum(each.state in ("form", "right") for each in report.results)
        return f"{report.problem_set}: {passed} of {len(report.results)} answers have the right form. What they say was not checked."
    waiting = sum(each.points or 0 for each in report.results if each.state == "person")
    more = f" {waiting:g} more are for you to judge." if waiting else ""
    return f"{report.problem_set}: {report.earned:g} of {report.possible:g} points.{more}"


def _score_of(result):
    if result.points is None:
        return "-"
    return f"{'-' if result.earned is None else format(result.earned, 'g')} of {result.points:g}"


def format_report(report, width=None):
    """The report as a table for the terminal; width: columns of the terminal (default: as wide as it is, at most 100)."""
    width = width or min(shutil.get_terminal_size((80, 24)).columns, 100)
    rows = [("question", "points", ["what to look at again"])]
    rows += [(each.name, _score_of(each), list(_lines(each))) for each in report.results]
    first, second = (max(len(row[place]) for row in rows) + 2 for place in (0, 1))
    lines = [summary(report), ""]
    for name, points, texts in rows:
        wrapped = [part for text in texts for part in textwrap.wrap(text, max(width - first - second, 20), break_long_words=False, break_on_hyphens=False)]
        for number, part in enumerate(wrapped):
            start = name.ljust(first) + points.ljust(second) if number == 0 else " " * (first + second)
            lines.append(start + part)
    lines += [""] + [part for note in report.notes for part in textwrap.wrap(f"Note: {note}", width, subsequent_indent="  ", break_long_words=False)]
    stuck = next((each for each in report.results if each.state in ("wrong", "partly", "empty")), None)
    if stuck and report.is_full:
        lines.append(f"Stuck? mystique check {report.problem_set} --hint {stuck.name}")
    return "\n".join(lines).rstrip() + "\n"


def _lines(result):
    yield STATES[result.state] + ("" if result.state == "right" and not result.messages else ".")
    for _, message in result.messages:
        yield message
    for section in result.read_again:
        yield f"Read again: {section}"


def format_hint(given):
    """A hint as text; the earlier ones too when there is no new one."""
    if given.is_repeat:
        shown = [f"You have seen all {given.of} hints for {given.question}:"] + [f"{number}. {text}" for number, text in enumerate(given.texts, start=1)]
        shown.append(f"The model answer, after a try of your own: mystique solution {given.problem_set} {given.question}")
    else:
        shown = [f"{given.problem_set} {given.question}, hint {given.number} of {given.of}:", given.texts[-1]]
    return "\n".join(textwrap.fill(text, 80, break_long_words=False, break_on_hyphens=False) for text in shown) + "\n"


def format_solution(given):
    """A model answer as text: one way, why it is so, and the rubric where a person judges."""
    parts = [f"{given.problem_set} {given.question}, one good answer:", textwrap.indent(given.code, "    ")]
    if given.why:
        parts.append(textwrap.fill(f"Why: {given.why}", 80, break_long_words=False, break_on_hyphens=False))
    if given.rubric:
        parts.append("How a reader would give the points:\n\n" + "\n".join(_plain_rubric(given.rubric)))
    return "\n\n".join(parts) + "\n"


def _plain_rubric(rubric):
    """The lines of a rubric in Markdown: a table's rows as "2: what for"."""
    for line in re.sub(r"(?<=[^\n|])\n(?=[^\n|])", " ", rubric).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells and not cells[0].isdigit():
            continue  # the table's head
        yield textwrap.fill(": ".join(cells) if cells else line, 80, initial_indent="    ", subsequent_indent="       " if cells else "    ")


STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --line: #c8c8c8; --quiet: #555; --code: #f3f3f3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --paper: #151515; --line: #4a4a4a; --quiet: #b0b0b0; --code: #242424; } }
body { color: var(--ink); background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.1rem; margin: 0; }
section { border-top: 1px solid var(--line); padding: .8rem 0; }
p, ul, pre { margin: .4rem 0; } ul { padding-left: 1.2rem; } .quiet { color: var(--quiet); }
pre { background: var(--code); padding: .6rem; white-space: pre-wrap; font-size: .875rem; } summary { cursor: pointer; padding: .3rem 0; }
a { color: inherit; }
"""


def page(report, book=""):
    """The report as one HTML page: no script, nothing from elsewhere. book: address of the book, for links to its sections."""
    parts = [f"<h1>{escape(summary(report))}</h1>", f'<p class="quiet">Checked on {report.when:%Y-%m-%d} at {report.when:%H:%M}: {escape(report.notebook.name)}</p>']
    for each in report.results:
        score_text = f"{_score_of(each)} points, " if each.points is not None else ""
        parts.append(f'<section id="{escape(each.name)}"><h2>Question {escape(each.name.removeprefix("q"))}</h2><p>{score_text}{escape(STATES[each.state])}</p>')
        if each.messages:
            told = "".join(f"<li>{f'<strong>{_html(check)}.</strong> ' if check else ''}{_html(message)}</li>" for check, message in each.messages)
            parts.append(f"<ul>{told}</ul>")
        for section in each.read_again:
            where = f'<a href="{escape(book.rstrip("/"))}/{escape(section)}">{escape(section)}</a>' if book else escape(section)
            parts.append(f"<p>Read again: {where}</p>")
        if each.answer and each.answer.strip():
            parts.append(f"<details><summary>your answer to question {escape(each.name.removeprefix('q'))}</summary><pre>{escape(each.answer)}</pre></details>")
        parts.append("</section>")
    if report.notes:
        parts.append("<section><h2>About your notebook</h2><ul>" + "".join(f"<li>{_html(note)}</li>" for note in report.notes) + "</ul></section>")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(report.problem_set)}: how did I do?</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )


def _html(text):
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def write_page(report, target, book=""):
    """Write the page of a report; the path written."""
    target = Path(target)
    if target.suffix.lower() not in (".html", ".htm"):
        raise LearnerError(f"{target}: a file that ends in .html was expected.")
    learner_progress.write(target, page(report, book))
    return target
