"""nbgrader's settings for this course. Run nbgrader's commands in this folder.

Every setting below is here for a reason that was seen in practice; nothing else is changed.
"""

from functools import partial
from pathlib import Path

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme

from mystique.grading.assign import source_of
from mystique.grading.feedback import FeedbackPage, Grades, TrimTests, only_pages

c = get_config()  # noqa: F821  (nbgrader gives it to this file)

# ---- The course

HERE = Path(__file__).resolve().parent
c.CourseDirectory.root = str(HERE)
c.CourseDirectory.course_id = "mystique"
# source/, or the private folder that `mystique assign --answers` was told: a public repository gives its own sets away.
c.CourseDirectory.source_directory = source_of(HERE)
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", ".pytest_cache", ".handout-*"]

# ---- Release

# An answer cell keeps its given lines and its "name = None"; the solution becomes this line, which runs and does nothing.
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE"}
c.ClearSolutions.text_stub = "*Write your answer here.*"
# The rubric stands in the locked text of a written question, and the student's words in a cell of their own below it:
# so an empty answer gets 0 by itself, and a comment stands beside the words it is about.
c.ClearMarkScheme.enforce_metadata = False

# ---- Autograde

# By default any warning that student code gives in a test cell costs all of the cell's points.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"(?s)."
# By default a test cell that the student deleted stays ungraded for ever.
c.OverwriteCells.add_missing_cells = True
# A cell may think for 20 seconds (the slowest answer needs one); then it is interrupted and the rest goes on.
c.ExecutePreprocessor.timeout = 20
c.ExecutePreprocessor.iopub_timeout = 10
# Nothing is left to clean up in a kernel, and waiting for its goodbye takes most of a second for each student.
c.ExecutePreprocessor.shutdown_kernel = "immediate"
c.LimitOutput.max_lines = 300
c.LimitOutput.max_traceback = 30

# ---- Feedback

# By default feedback shows the hidden tests, the tracebacks in them, and runs what HTML a student left in an output.
# TrimTests comes before the two that clear, because it must see the hidden lines to know them again in an output.
c.GenerateFeedback.preprocessors = [Grades, TrimTests, ClearHiddenTests, ClearMarkScheme, CSSHTMLHeaderPreprocessor]
# The page is nbgrader's, sanitised, without the script that it loads from another host, with the questions by name.
c.GenerateFeedback.exporter_class = FeedbackPage
# Where your students read the book: "Read again: chapter.html#section" then links to it. Without it, only the words stand there.
# c.FeedbackPage.book = "https://example.edu/mission-mystique/"
# By default the data, and any file that a student's code left behind, are copied into every feedback folder.
c.GenerateFeedback.post_convert_hook = partial(only_pages, HERE / "feedback")
