"""Self-checks: a question of the chapter's bank, shown in the page, with feedback for every option.

    ```{selfcheck} which-counts
    ```

A chapter `book/NAME.md` has its bank in `book/checks/NAME.yml`: a list of questions in jupyterquiz's fields, plus an
`id`. Types: `multiple_choice` (one right option), `many_choice` (one or more) and `numeric` (answers of type `value`,
`range` and `default`). Question, options and feedback are Markdown. The page itself says "Right." or "Not quite." before
each feedback.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

TYPES = ("multiple_choice", "many_choice", "numeric")
VERDICTS = {True: "Right.", False: "Not quite."}
SAID_TWICE = re.compile(r"(right|yes|correct|not quite|not that|no|wrong)[.,:;!]", re.IGNORECASE)


def setup(app) -> None:
    app.add_directive("selfcheck", SelfCheck)
    app.connect("doctree-read", check_all_shown)
    app.connect("html-page-context", add_script)


# The bank -------------------------------------------------------------------------------------------------------


class BankError(ExtensionError):
    """A question bank that can't be used; the message names the file, the question and what to change."""


def read_bank(file: Path) -> dict[str, dict]:
    """The questions of a bank by id, checked. Raises `BankError`."""
    if not file.is_file():
        raise BankError(f"{file.name}: there is no such question bank; make it in {file.parent.name}/.")
    try:
        questions = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise BankError(f"{file.name} is not readable as YAML: {error}") from error
    if not isinstance(questions, list):
        raise BankError(f"{file.name}: expected a list of questions, found {type(questions).__name__}.")
    bank: dict[str, dict] = {}
    for place, question in enumerate(questions, 1):
        key = question.get("id")
        if not key or key in bank:
            raise BankError(f"{file.name}: question {place} needs an `id` of its own, found {key!r}.")
        fault = fault_of(question)
        if fault:
            raise BankError(f"{file.name}: question '{key}': {fault}")
        bank[key] = question
    return bank


def fault_of(question: dict) -> str:
    """What is wrong with a question, in a sentence; empty if nothing is."""
    if question.get("type") not in TYPES:
        return f"its type is {question.get('type')!r}; use one of {', '.join(TYPES)}."
    if not str(question.get("question", "")).strip():
        return "it has no `question`."
    answers = question.get("answers") or []
    right = sum(bool(answer.get("correct")) for answer in answers)
    if len(answers) < 2:
        return "it needs at least two answers."
    if not right or (right > 1 and question["type"] == "multiple_choice"):
        return f"{right} of its answers are marked correct; {question['type']} wants {'one' if question['type'] == 'multiple_choice' else 'at least one'}."
    for place, answer in enumerate(answers, 1):
        if not str(answer.get("feedback", "")).strip():
            return f"answer {place} has no feedback that says why."
        if again := SAID_TWICE.match(str(answer["feedback"]).strip()):
            return f"the feedback of answer {place} begins with {again[0]!r}; the page says {VERDICTS[bool(answer.get('correct'))]!r} before it, so begin with why."
    if question["type"] == "numeric" and answers[-1].get("type") != "default":
        return "its last answer must be of type default: the feedback for any other number."
    return ""


# The page ----------------------------------------------------------------------------------------------------------


class SelfCheck(SphinxDirective):
    """One question as a fieldset of native inputs."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        page = Path(self.env.doc2path(self.env.docname))
        file = page.parent / "checks" / f"{page.stem}.yml"
        self.env.note_dependency(str(file))
        bank = read_bank(file)
        key = self.arguments[0]
        if key not in bank:
            raise self.error(f"{file.name} has no question '{key}'; it has: {', '.join(bank)}.")
        shown = self.env.metadata[self.env.docname].setdefault("selfchecks", [])
        if key in shown:
            raise self.error(f"question '{key}' is shown twice on this page.")
        shown.append(key)
        return self.fieldset(bank[key])

    def fieldset(self, question: dict) -> list[nodes.Node]:
        key = escape(question["id"], quote=True)
        body = self.number(key, question) if question["type"] == "numeric" else self.choices(key, question)
        return [
            raw(f'<fieldset class="selfcheck" id="check-{key}" data-type="{question["type"]}" '
                f'aria-describedby="check-{key}-question"><legend>Check yourself</legend>'
                f'<div class="question" id="check-{key}-question">'),
            *self.parse_text_to_nodes(question["question"]),
            raw("</div>"),
            *body,
            raw('<p role="status" aria-live="polite"></p></fieldset>'),
        ]

    def choices(self, key: str, question: dict) -> list[nodes.Node]:
        kind = "radio" if question["type"] == "multiple_choice" else "checkbox"
        made: list[nodes.Node] = []
        for i, answer in enumerate(question["answers"]):
            made += [
                raw(f'<div class="option"><label><input type="{kind}" name="check-{key}" value="{i}"><span>'),
                *self.inline(str(answer["answer"])),
                raw("</span></label>"),
                *self.feedback(answer),
                raw("</div>"),
            ]
        return made

    def number(self, key: str, question: dict) -> list[nodes.Node]:
        made: list[nodes.Node] = [
            raw(f'<div class="option"><label for="check-{key}-number">Your number</label> '
                f'<input type="number" step="any" id="check-{key}-number"> <button type="button">Check</button></div>')
        ]
        for answer in question["answers"]:
            low, high = answer.get("range", [answer.get("value")] * 2)
            limits = "" if low is None else f' data-low="{low}" data-high="{high}"'
            made += self.feedback(answer, limits)
        return made

    def feedback(self, answer: dict, attributes: str = "") -> list[nodes.Node]:
        right = bool(answer.get("correct"))
        return [
            raw(f'<div class="feedback{" right" if right else ""}"{attributes}>'
                f'<span class="verdict">{VERDICTS[right]}</span> '),
            *self.parse_text_to_nodes(str(answer["feedback"])),
            raw("</div>"),
        ]

    def inline(self, text: str) -> list[nodes.Node]:
        """Nodes of one line of Markdown, without the paragraph around them."""
        return [child for block in self.parse_text_to_nodes(text) for child in block.children]


def raw(html: str) -> nodes.raw:
    """HTML that stands in the page as it is."""
    return nodes.raw("", html, format="html")


def check_all_shown(app, doctree) -> None:
    """A question that no reader can see is a mistake: refuse it."""
    page = Path(app.env.doc2path(app.env.docname))
    file = page.parent / "checks" / f"{page.stem}.yml"
    if not file.is_file():
        return
    hidden = [key for key in read_bank(file) if key not in app.env.metadata[app.env.docname].get("selfchecks", [])]
    if hidden:
        raise BankError(f"{app.env.docname}: its bank {file.name} has questions that the page does not show: {', '.join(hidden)}.")


def add_script(app, pagename, templatename, context, doctree) -> None:
    if doctree is not None and any('class="selfcheck"' in found.astext() for found in doctree.findall(nodes.raw)):
        app.add_js_file("selfcheck.js")
