"""What a student may read in her feedback: messages and scores, but no hidden test, no traceback of the checks.

`TrimTests` is an nbgrader preprocessor. It goes before ClearHiddenTests in `GenerateFeedback.preprocessors`, because it
must still see the hidden lines to know them again in an output. `FeedbackPage` writes nbgrader's page without scripts,
with the questions by their names. Both change nothing but the page that is handed back.
"""

import contextlib
import re
from pathlib import Path

from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbgrader import utils
from nbgrader.preprocessors import GetGrades, NbGraderPreprocessor
from traitlets import Bool, Integer, TraitError, Unicode, validate

from .plain import plain_html, plain_markdown
from .reading import NOT_GRADED, Unreadable, read_bytes

LEFT_OUT = "[An output was left out here: it repeated a part of the tests.]\n"
READ_AGAIN = re.compile(r"(?<=Read again: )([\w-]+\.html#[\w-]+)")
OF_THE_EXCHANGE = ("timestamp.txt", "submission_secret.txt")
STYLE = """
.output_html td, .output_html th { padding: 1px 12px 1px 0; text-align: left; }
.highlight { overflow-x: auto; }
.output img, .output svg { max-width: 100%; height: auto; }
.anchor-link { display: none; }
.output pre { white-space: pre-wrap; word-break: normal; overflow-wrap: anywhere; }
summary { display: list-item; cursor: pointer; }
"""
COLOUR_CODE = re.compile(r"\x1b\[[0-9;]*m")


class Grades(GetGrades):
    """nbgrader's own, which also notes what a person must still read: nothing yet is not nought."""

    def _get_score(self, cell, resources):
        super()._get_score(cell, resources)
        grade_id = cell.metadata["nbgrader"]["grade_id"]
        if self.gradebook.find_grade(grade_id, self.notebook_id, self.assignment_id, self.student_id).needs_manual_grade:
            resources["nbgrader"].setdefault("waiting", []).append(grade_id)


class TrimTests(NbGraderPreprocessor):
    """Trim the outputs of a graded notebook to what its student may read."""

    begin_test_delimeter = Unicode("BEGIN HIDDEN TESTS", help="Same as ClearHiddenTests.begin_test_delimeter").tag(config=True)
    end_test_delimeter = Unicode("END HIDDEN TESTS", help="Same as ClearHiddenTests.end_test_delimeter").tag(config=True)
    begin_mark_scheme_delimeter = Unicode("BEGIN MARK SCHEME", help="Same as ClearMarkScheme.begin_mark_scheme_delimeter").tag(config=True)
    end_mark_scheme_delimeter = Unicode("END MARK SCHEME", help="Same as ClearMarkScheme.end_mark_scheme_delimeter").tag(config=True)
    shortest = Integer(20, help="A secret line shorter than this is not looked for in outputs: it may stand there by chance").tag(config=True)
    canary = Unicode("MYSTIQUE-CANARY-", help="Text that no student may ever see").tag(config=True)

    def preprocess(self, nb, resources):
        # Only what stands in locked cells is a secret: there the release's text has been restored.
        self._secrets = sorted({line for cell in nb.cells if utils.is_locked(cell) or utils.is_task(cell) for line in self._secret_lines(cell.source)})
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type == "markdown":
            if not utils.is_locked(cell):
                cell.source = plain_markdown(cell.source)  # feedback's template shows Markdown cells unsanitised
            return cell, resources
        if cell.cell_type != "code":
            return cell, resources
        is_test = utils.is_grade(cell) and not utils.is_solution(cell)
        outputs = (self._trim(output, is_test) for output in cell.outputs)
        cell.outputs = [output for output in outputs if output is not None]
        return cell, resources

    def _secret_lines(self, source):
        secret = False
        for line in source.splitlines():
            if self.begin_test_delimeter in line or self.begin_mark_scheme_delimeter in line:
                secret = True
            elif self.end_test_delimeter in line or self.end_mark_scheme_delimeter in line:
                secret = False
            elif secret and len(line.strip()) >= self.shortest:
                yield line.strip()

    def _trim(self, output, is_test):
        """The output as it may be shown, or None."""
        if output.output_type == "error":
            if is_test or "checks.py" in "".join(output.traceback):
                output.traceback = [_one_line(output)]
            if self._tells(str(output.ename)):
                output.ename, output.evalue, output.traceback = "Error", "", ["Error"]
            if self._tells(COLOUR_CODE.sub("", "\n".join(output.traceback)) + str(output.evalue)):
                output.evalue = ""
                output.traceback = [f"{output.ename}"]
            return output
        if output.output_type == "stream":
            if output.name == "stderr" and is_test:
                return None
            if self._tells(output.text):
                output.text = LEFT_OUT
            return output
        if is_test:
            return None  # the bare score; the page says it in the heading
        for kind in list(output.data):
            content = output.data[kind]
            if isinstance(content, str) and self._tells(content):
                output.data[kind] = LEFT_OUT
            elif kind == "text/html":
                output.data[kind] = plain_html(content)
            elif kind == "text/markdown":
                output.data[kind] = plain_markdown(content)
            elif not kind.startswith("image/") and kind != "text/plain":
                del output.data[kind]
        return output if output.data else None

    def _tells(self, text):
        """Whether a text repeats a secret line, also when its quotation marks or line ends are escaped."""
        if self.canary in text:
            return True
        loosened = _loose(text)
        return any(_loose(line) in loosened for line in self._secrets)


class FeedbackPage(HTMLExporter):
    """nbgrader's feedback page: outputs sanitised, no script at all, checks named by their question, their code folded."""

    export_from_notebook = None
    sanitize_html = Bool(True, help="Feedback shows what students left in their outputs: never unsanitised").tag(config=True)
    book = Unicode("", help="The book's address, for links to its sections; empty: their names stand there without links").tag(config=True)

    @validate("book")
    def _is_an_address(self, proposal):
        if not re.fullmatch(r"(https?://[^\s\"'<>]+)?", proposal["value"]):
            found = proposal["value"]
            raise TraitError(f"c.FeedbackPage.book: found {found!r}; the book's address was expected, such as 'https://example.edu/mission-mystique/'.")
        return proposal["value"]

    def default_filters(self):
        yield from super().default_filters()
        yield ("clean_html", plain_html)

    def from_notebook_node(self, nb, resources=None, **kwargs):
        is_graded = not (nb.cells and nb.cells[0].source.startswith(NOT_GRADED))
        if not is_graded:
            nb.cells = nb.cells[:1]
        html, resources = super().from_notebook_node(nb, resources, **kwargs)
        return tidied(html, resources.get("nbgrader", {}).get("waiting", []), is_graded, self.book), resources


def tidied(html, waiting=(), is_graded=True, book=""):
    """A feedback page as a student should get it. The page's own scripts load MathJax from another host: they go.

    waiting: grade ids that a person has not read yet. is_graded: else no score is shown at all. book: the book's address,
    to which "Read again" then links."""
    page = BeautifulSoup(html, "html.parser")
    for script in page.find_all("script"):
        script.decompose()
    if page.head is not None:
        style = page.new_tag("style")
        style.string = STYLE
        page.head.append(style)
    for link in page.select("#toc a[href^='#']"):
        name = _question(link["href"].removeprefix("#").removeprefix("comment-"))
        if link.get_text() in ("Test cell", "Coding free-response"):
            link.string = name
        elif link.get_text() in ("Written response", "Task"):
            link.string = f"{name} (read and graded by a person)"
        elif link.get_text() == "Comment":
            link.string = f"Comment on {name}"
    title = page.select_one(".panel-heading h4")
    if title is not None and not is_graded:
        title.string = title.get_text().partition(" (Score")[0]
        page.select_one("#toc").decompose()
    elif title is not None and waiting:
        title.string = title.get_text().replace("(Score: ", "(Score so far: ")
    for name in waiting:
        for link in page.select(f"#toc a[href='#{name}']"):
            link.next_sibling.replace_with(" (not read yet)")
        for anchor in page.select(f".nbgrader_cell a[name='{name}']"):
            score = anchor.find_parent(class_="nbgrader_cell").select_one(".pull-right")
            score.contents[0].replace_with("Not read yet ")
    for label in page.select(".nbgrader_cell .nbgrader-label"):
        panel = label.find_parent(class_="nbgrader_cell")
        if not label.get_text().startswith("Grade cell"):
            label.string = "Your answer"
            continue
        label.string = f"Checks of {_question(label.find('code').get_text())}"
        code = panel.select_one(".input_area")
        if code is not None:
            details = page.new_tag("details")
            summary = page.new_tag("summary")
            summary.string = "code of the visible checks"
            code.wrap(details)
            details.insert(0, summary)
    if book:
        for text in page.find_all(string=READ_AGAIN):
            text.replace_with(*_with_links(page, text, book))
    return str(page)


def _with_links(page, text, book):
    """A text in parts, the sections of the book that it names as links. Only pages of the book can be linked so."""
    parts = READ_AGAIN.split(text)  # text, section, text, section, ...
    for place in range(1, len(parts), 2):
        link = page.new_tag("a", href=f"{book.rstrip('/')}/{parts[place]}")
        link.string = parts[place]
        parts[place] = link
    return parts


def only_pages(folder, assignment, student, **_):
    """Leave nothing but pages in the feedback of an assignment (student: a name, or "*" for all).

    nbgrader copies into it whatever lies beside the graded notebook: the data, and what a student's code put there.
    Where work came through the exchange, the two small files that came with it are put beside the page:
    `nbgrader release_feedback` finds the student by them, and hands out the page alone.
    """
    for place in Path(folder).glob(f"{student}/{assignment}"):
        for path in sorted(place.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.suffix != ".html" or path.is_symlink():
                path.unlink()
        handed_in = Path(folder).parent / "submitted" / place.parent.name / assignment
        for name in OF_THE_EXCHANGE:
            with contextlib.suppress(OSError, Unreadable):
                (place / name).write_bytes(read_bytes(handed_in / name, 1_000))


def _question(grade_id):
    found = re.search(r"q(\d+)", grade_id)
    return f"question {found[1]}" if found else grade_id


def _loose(text):
    return re.sub(r"[\s\\'\"]+", "", text)


def _one_line(output):
    lines = str(output.evalue).strip().splitlines()
    return f"{output.ename}: {lines[0]}" if lines else output.ename
