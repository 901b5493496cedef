"""Feedback keeps messages, scores and a student's own output, and gives no hidden line, traceback or script away."""

import re

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from traitlets import TraitError

from mystique.grading.feedback import LEFT_OUT, FeedbackPage, TrimTests, only_pages, tidied
from mystique.grading.plain import plain_html, plain_markdown

SECRET = 'assert answer == 1234567, "a hidden line"'
TEST = f"visible = 1\n### BEGIN HIDDEN TESTS\nx = 1\n{SECRET}\n### END HIDDEN TESTS\nq.score()"


def trimmed(*outputs, test=False):
    """The outputs of one cell after TrimTests, in a notebook that also holds a test with a secret."""
    outputs = [nbformat.from_dict(output) for output in outputs]
    meta = {"grade": True, "locked": True, "solution": False, "grade_id": "ps1-q1-test", "points": 1, "schema_version": 3, "task": False}
    cells = [new_code_cell(TEST, metadata={"nbgrader": meta}, outputs=outputs if test else [])]
    if not test:
        cells.append(new_code_cell("print(1)", outputs=outputs))
    notebook, _ = TrimTests().preprocess(new_notebook(cells=cells), {})
    return notebook.cells[-1].outputs


def error(text, traceback):
    return new_output("error", ename="AssertionError", evalue=text, traceback=traceback)


def test_error_in_a_test_keeps_its_name_and_message_only():
    [output] = trimmed(error("too small", ["Cell In[3], line 5", f"----> {SECRET}", "checks.py"]), test=True)
    assert output.traceback == ["AssertionError: too small"]


def test_error_that_repeats_a_hidden_line_keeps_its_name_only():
    [output] = trimmed(error(SECRET, [SECRET]), test=True)
    assert output.traceback == ["AssertionError"] and SECRET not in str(output)


def test_an_error_may_not_be_named_after_a_hidden_line():
    [output] = trimmed(new_output("error", ename=SECRET, evalue="x", traceback=["x"]))
    assert SECRET not in str(output) and output.traceback == ["Error"]


@pytest.mark.parametrize("link", ["[a](javascript:alert(1))", "[a]( java&#115;cript:x)", "[a](<data:text/html,x>)", "![a](data:x)", "[a]\n(vbscript:x)",
                                  "\\\\](javascript:x)", "[a][1]\n\n[1]: javascript:x", "<javascript:x>", "<img src=x onerror=alert(1)>", "<svg onload=x>"])
def test_markdown_of_students_holds_nothing_that_could_run(link):
    """Shown as Jupyter shows Markdown: no tag of the student's own, and links to nothing but pages."""
    for text in (plain_markdown(link), plain_markdown(plain_markdown(link))):
        page = BeautifulSoup(markdown2html_mistune(text), "html.parser")
        assert not page.find_all(["img", "svg", "script"]) and not page.find_all("a", href=True), text


def test_markdown_of_students_keeps_its_form_and_links_to_pages():
    page = BeautifulSoup(markdown2html_mistune(plain_markdown("Of *all* a < b, [see](https://example.org/x) or [here](#q1), list[0]")), "html.parser")
    assert [link["href"] for link in page.find_all("a", href=True)] == ["https://example.org/x", "#q1"] and page.em and "a < b" in page.text


def test_error_in_a_students_cell_keeps_its_traceback_unless_it_goes_through_the_checks():
    [own] = trimmed(error("mine", ["line 1", "mine"]))
    assert own.traceback == ["line 1", "mine"]
    [through] = trimmed(error("mine", ["File /x/checks.py, line 3", "mine"]))
    assert through.traceback == ["AssertionError: mine"]


def test_messages_stay_and_bare_score_and_warnings_of_tests_go():
    outputs = trimmed(new_output("stream", name="stdout", text="q1: 1 of 2 points"), new_output("stream", name="stderr", text="warning"),
                      new_output("execute_result", data={"text/plain": "1.0"}), test=True)
    assert [output.text for output in outputs] == ["q1: 1 of 2 points"]


@pytest.mark.parametrize("text", [SECRET, f"  {SECRET}\n", repr(SECRET), SECRET.replace(" ", "   "), f"json: \\\"{SECRET}\\\"", "MYSTIQUE-CANARY-ps1-q1"])
def test_output_that_repeats_a_secret_is_left_out(text):
    [output] = trimmed(new_output("stream", name="stdout", text=f"before\n{text}\nafter"))
    assert output.text == LEFT_OUT


def test_short_lines_and_own_text_stay():
    [output] = trimmed(new_output("stream", name="stdout", text="x = 1\nmy answer is 3"))
    assert output.text == "x = 1\nmy answer is 3"


def test_html_keeps_tables_and_loses_scripts():
    html = '<style>td{}</style><table border="1"><thead><tr><th>a</th></tr></thead><tr><td onclick="x()">1</td></tr></table><script>alert(1)</script><img src=x>'
    [output] = trimmed(new_output("display_data", data={"text/html": html, "application/javascript": "alert(1)", "text/plain": "table"}))
    assert set(output.data) == {"text/html", "text/plain"}
    assert "<th>a</th>" in output.data["text/html"] and "<td>1</td>" in output.data["text/html"]
    assert not any(word in output.data["text/html"] for word in ("script", "style", "onclick", "img", "alert"))


@pytest.mark.parametrize("part", ["<div>", "<b>", "<ul><li>", "<b><div></b>", "<b><p></b>", "<table><td>x", "<td a=b ", "<a", "<", "<!--", "x<b a=c>"])
def test_html_that_would_take_minutes_to_read_is_shown_as_text(part):
    found = plain_html("see <i>this</i>" + part * 20_000)
    assert found.startswith("<pre>see &lt;i&gt;this") and set(re.findall("<[^>]*>?", found)) == {"<pre>", "</pre>"}
    assert plain_html(found) == found


def test_a_long_table_stays_a_table():
    table = pd.DataFrame({f"column {place}": range(500) for place in range(10)}).to_html()
    page = BeautifulSoup(plain_html(table), "html.parser")
    assert len(table) > 100_000 and len(page.select("table.dataframe tbody tr")) == 500


def test_html_of_a_student_carries_no_class_of_the_page():
    html = '<div class="nbgrader_cell"><span class="nbgrader-label pull-right">Grade cell: 9</span></div><table class="dataframe"><tr><td class="dataframe">1</table>'
    cleaned = plain_html(html)
    assert re.findall('class="[^"]*"', cleaned) == ['class="dataframe"'] and cleaned.startswith("<div><span>")
    assert "Grade cell: 9" in tidied(PAGE.replace("</body>", f'<div class="nbgrader_cell">{cleaned}</div></body>'))


def test_unclosed_script_is_removed_too():
    assert "alert" not in plain_html("text <script>alert(1)")


def test_students_markdown_cannot_bring_html():
    notebook, _ = TrimTests().preprocess(new_notebook(cells=[new_markdown_cell("a < b <script>alert(1)</script> *c*")]), {})
    assert notebook.cells[0].source == "a < b &lt;script>alert(1)&lt;/script> *c*"


def test_page_has_no_script_and_names_questions():
    page = tidied('<html><head><script src="https://elsewhere/mathjax.js"></script></head><body><div id="toc"><a href="#ps1-q3-test">Test cell</a></div>'
                  '<div class="nbgrader_cell"><span class="nbgrader-label">Grade cell: <code>ps1-q3-test</code></span><div class="input_area">code</div></div></body></html>')
    soup = BeautifulSoup(page, "html.parser")
    assert soup.find("script") is None
    assert soup.select_one("#toc a").get_text() == "question 3"
    assert soup.select_one(".nbgrader-label").get_text() == "Checks of question 3"
    assert soup.select_one("details summary") is not None


PAGE = """<html><head></head><body><div class="panel-heading"><h4>ps1 (Score: 2.0 / 8.0)</h4><div id="toc"><ol>
<li><a href="#ps1-q1-test">Test cell</a> (Score: 2.0 / 2.0)</li><li><a href="#ps1-q2">Written response</a> (Score: 0.0 / 6.0)</li></ol></div></div>
<div class="nbgrader_cell"><a name="ps1-q2"></a><div class="panel-heading"><span class="nbgrader-label">Student's answer</span>
<span class="pull-right"> Score: 0.0 / 6.0 <a href="#top">(Top)</a></span></div></div></body></html>"""


READ = ('<html><head></head><body><pre>  [--] the value\n  Read again: county.html#county-which-count\n  Read again: x.html#a"onclick=b</pre>'
        '<pre>Read again: javascript:alert(1)</pre></body></html>')


def test_read_again_is_a_link_into_the_book_where_its_address_is_known():
    page = BeautifulSoup(tidied(READ, book="https://example.edu/book/"), "html.parser")
    assert [(link["href"], link.text, list(link.attrs)) for link in page.find_all("a")] == [
        ("https://example.edu/book/county.html#county-which-count", "county.html#county-which-count", ["href"]),
        ("https://example.edu/book/x.html#a", "x.html#a", ["href"])]
    without = BeautifulSoup(tidied(READ), "html.parser")
    assert not without.find_all("a") and without.get_text() == page.get_text()


@pytest.mark.parametrize("address", ["javascript:alert(1)", "example.edu", 'https://example.edu/"onclick="x', "file:///x/book"])
def test_the_books_address_is_one_of_the_web(address):
    assert FeedbackPage(book="https://example.edu/mpa").book == "https://example.edu/mpa"
    with pytest.raises(TraitError, match="c.FeedbackPage.book: found"):
        FeedbackPage(book=address)


def test_what_nobody_has_read_yet_shows_no_nought():
    text = " ".join(BeautifulSoup(tidied(PAGE, waiting=["ps1-q2"]), "html.parser").get_text().split())
    assert "0.0 / 6.0" not in text and "Score so far: 2.0 / 8.0" in text
    assert "question 2 (read and graded by a person) (not read yet)" in text and "Not read yet (Top)" in text
    assert "question 1 (Score: 2.0 / 2.0)" in text
    assert BeautifulSoup(tidied(PAGE), "html.parser").get_text().count("0.0 / 6.0") == 2


def test_what_could_not_be_graded_shows_no_score():
    text = BeautifulSoup(tidied(PAGE, waiting=["ps1-q2"], is_graded=False), "html.parser").get_text()
    assert "Score" not in text.partition("Your answer")[0] and text.strip().startswith("ps1")


def test_page_is_sanitised_by_default():
    assert FeedbackPage().sanitize_html


def test_only_pages_stay(tmp_path):
    for student in ("ann", "bob"):
        place = tmp_path / student / "ps1"
        (place / "county").mkdir(parents=True)
        for name in ("ps1.html", "gradebook.db", "county/records.csv"):
            (place / name).write_text("x")
        (place / "link.html").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "ann" / "ps2").mkdir()
    (tmp_path / "ann" / "ps2" / "data.csv").write_text("x")
    only_pages(tmp_path, assignment="ps1", student="*", notebooks=[])
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if not path.is_dir()} == {"ann/ps1/ps1.html", "bob/ps1/ps1.html", "ann/ps2/data.csv"}
