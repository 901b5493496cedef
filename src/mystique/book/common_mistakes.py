"""The mistakes that a problem set's checks know, as tables in a page: what students believe, what it costs, what they are told.

    ```{common-mistakes} ps1
    ```

Made from `exercises/answers/NAME.yml`, which also tries the checks, and from the headings of the set's notebook. No code
of an answer, right or wrong, gets into the page.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from sphinx.errors import ExtensionError

from ..grading.answers import AnswersError, read_answers

HEADING = re.compile(r"^#+ Question (\d+)\. (.+?) \((\d+(?:\.\d+)?) points?\b[^)]*\)\s*$", re.MULTILINE)
HEAD = "| What students believe | It costs | What they are told |\n|---|---|---|"


def setup(app) -> None:
    app.connect("source-read", insert_tables)


def insert_tables(app, docname: str, source: list[str]) -> None:
    """Write the tables into the page's text before it is parsed: a directive could not hold their headings."""

    def tables(found: re.Match) -> str:
        exercises = Path(app.srcdir) / "exercises"
        for file in files_of(exercises, found[1]):
            app.env.dependencies[docname].add(str(file))
        return common_mistakes(exercises, found[1])

    source[0] = re.sub(r"^```\{common-mistakes\} (\S+)\n```$", tables, source[0], flags=re.MULTILINE)


def files_of(exercises: Path, name: str) -> tuple[Path, Path]:
    """The known answers of a set, and its notebook."""
    return exercises / "answers" / f"{name}.yml", exercises / "source" / name / f"{name}.ipynb"


def common_mistakes(exercises: Path, name: str) -> str:
    """All known mistakes of a set as Markdown: a heading and a table for each question. Raises ExtensionError."""
    answers, notebook = files_of(exercises, name)
    for file in (answers, notebook):
        if not file.is_file():
            raise ExtensionError(f"common-mistakes: there is no problem set '{name}' here: {file} is missing.")
    try:
        wrong = [answer for answer in read_answers(answers) if not answer.is_right]
    except AnswersError as problem:
        raise ExtensionError(f"common-mistakes: {problem}") from problem
    titles = questions_of(notebook)
    parts = []
    for question in dict.fromkeys(answer.question for answer in wrong):
        if question not in titles:
            raise ExtensionError(f"common-mistakes: {notebook.name} has no heading such as '## Question {question[1:]}. Title (2 points)' for {question}.")
        title, points = titles[question]
        rows = "\n".join(_row(answer, points) for answer in wrong if answer.question == question)
        parts.append(f"(common-mistakes-{name}-{question})=\n### Question {question[1:]}. {title} ({points:g} points)\n\n{HEAD}\n{rows}")
    return "\n\n".join(parts)


def questions_of(notebook: Path) -> dict[str, tuple[str, float]]:
    """{question: (title, points)} from the headings of a set's notebook."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return {f"q{number}": (title, float(points)) for number, title, points in HEADING.findall(text)}


def _row(answer, points: float) -> str:
    return f"| {_cell(answer.misconception)} | {points - answer.points:g} of {points:g} | {_told(answer.message)} |"


def _told(message: str) -> str:
    """The part of the message that the tests look for; dots where the message begins earlier or goes on."""
    said = _cell(message)
    return ("… " if said[0].islower() else "") + said + ("" if said.endswith((".", "?", "!")) else " …")


def _cell(text: str) -> str:
    return re.sub(r"([|<>{}$])", r"\\\1", " ".join(text.split()))
