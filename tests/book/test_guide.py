"""The instructor's guide keeps its word: every command on its pages is run here, in the order of a class's life.

The commands of the pages and those of this test must be the same: a new one on a page fails until it is run, or is listed as
not run here, which its page must then say. It is one class, on one machine: a cohort, one student through nbgrader's exchange,
one through an LMS's zip, one by e-mail, one whose file is broken.
"""

from __future__ import annotations

import csv
import getpass
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from nbgrader.api import Gradebook

from lab import jupyterlab
from make_class import at, perfect

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "book").glob("instructors*.md")), ROOT / "book" / "self-learners.md", ROOT / "book" / "common-mistakes.md"]
NOT_RUN_HERE = ("docker ", "wsl ", "python -m pip install ")  # their page says "not run by us" just before
HERE = "jupyter lab"                # started by the test, which then uses it in a browser


def blocks(page: Path) -> list[tuple[str, str]]:
    """(the paragraph before, the commands) of each block of shell on a page."""
    text = page.read_text(encoding="utf-8")
    found = re.finditer(r"^([ ]*)```bash\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    return [(text[:one.start()].rstrip().split("\n\n")[-1], one[2]) for one in found]


def commands(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def in_sentences(page: Path) -> list[str]:
    return re.findall(r"`((?:mystique|nbgrader) [a-z][^`]*)`", page.read_text(encoding="utf-8"))


def told_in_blocks() -> set[str]:
    return {command for page in PAGES for _, text in blocks(page) for command in commands(text)}


def run_here() -> set[str]:
    return {command for _, steps in STORY for command in steps if isinstance(command, str)}


def test_every_command_is_run_here_or_said_not_to_be():
    told, run = told_in_blocks(), run_here()
    skipped = {command for command in told if command.startswith(NOT_RUN_HERE)}
    assert not told - skipped - run, f"on a page, not run here: {told - skipped - run}"
    assert not run - told - {command for page in PAGES for command in in_sentences(page)}, "run here, on no page"
    for page in PAGES:
        for before, text in blocks(page):
            if any(command in skipped for command in commands(text)):
                assert "not run by us" in before, f"{page.name}: {text}"
                assert all(command in skipped for command in commands(text)), "commands that are run and those that are not stand apart"


def test_commands_in_the_text_are_those_of_the_blocks():
    """`mystique grade` in a sentence or a table is a command too: it is run somewhere in the story."""
    for page in PAGES:
        for command in in_sentences(page):
            start = " ".join(command.split()[:2])
            assert any(each.startswith(start) for each in run_here()), f"{page.name}: {command}"


def test_messages_of_the_troubleshooting_page_are_those_of_the_programs():
    """What stands in the first column is what a reader searches for: it must be what she sees."""
    page = (ROOT / "book" / "instructors-troubleshooting.md").read_text(encoding="utf-8")
    nbgrader = Path(importlib.util.find_spec("nbgrader").origin).parent
    sources = [*(ROOT / "src").rglob("*.py"), *nbgrader.rglob("*.py"), *nbgrader.rglob("*.tpl")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in sources)
    text = re.sub(r"[\"']\s*\n\s*(?:\+ )?[fr]?[\"']", "", text)   # texts that go on in the next line
    text = re.sub(r"\s+", " ", re.sub(r"\{[^{}]*\}", "…", text))
    others = ("mystique: command not found", "No such file or directory", "No module named", "FileNotFoundError", "timestamp.txt", "submission_secret.txt",
              "nbgrader release_feedback", "grade_log.jsonl", "remarks", "mystique solution")
    seen = [quoted for row in page.splitlines() if row.startswith("| ") for quoted in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
    assert len(seen) > 25
    for quoted in seen:
        if quoted.startswith(others):
            continue
        for part in quoted.split("…"):
            assert part.strip() in text, f"no program says: {part.strip()}"


# ---------------------------------------------------------------------------------------------------------- the story


# Starting Python and importing nbgrader takes three quarters of a command's time. Here it is done once: each command is then
# a child of this process, and calls what the program calls.
PROGRAMS = ("mystique", "nbgrader")
WARM = """
import json, os, sys, traceback
import nbgrader.apps, nbgrader.converters, nbgrader.exchange, nbgrader.plugins, nbgrader.preprocessors
from mystique import cli
from nbgrader.apps.nbgraderapp import main

for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(job["cwd"])
        out = os.open(job["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number, file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, out), (2, out)):
            os.dup2(file, number)
        sys.argv, status = job["words"], 1
        try:
            status = (cli.main() if sys.argv[0] == "mystique" else main()) or 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Course:
    """Folders of the story, and how a command is run in them."""

    def __init__(self, folder: Path, browser):
        self.browser = browser
        self.whole, self.student, self.home = folder / "course", folder / "student", folder / "home"
        for each in (self.whole, self.student, self.home / "jupyter"):
            each.mkdir(parents=True)
        exchange = folder / "exchange"
        exchange.mkdir()
        exchange.chmod(0o777)
        for name in ("source/ps1", "hints/ps1.yml", "nbgrader_config.py"):  # one set: the others take the same ways
            target = self.whole / "exercises" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (ROOT / "exercises" / name).is_dir() else shutil.copy)(ROOT / "exercises" / name, target)
        known = yaml.safe_load((ROOT / "exercises" / "answers" / "ps1.yml").read_text(encoding="utf-8"))
        few = {question: {kind: group[:1] for kind, group in groups.items()} for question, groups in known.items()}  # all are tried elsewhere
        (self.whole / "exercises" / "answers").mkdir()
        (self.whole / "exercises" / "answers" / "ps1.yml").write_text(yaml.safe_dump(few), encoding="utf-8")
        settings = re.search(r"```python\n(.*?)```", (ROOT / "book" / "instructors-running.md").read_text(encoding="utf-8"), re.DOTALL)[1]
        assert '"/srv/nbgrader/exchange"' in settings
        (self.home / "jupyter" / "nbgrader_config.py").write_text(settings.replace("/srv/nbgrader/exchange", str(exchange)), encoding="utf-8")
        self.exercises = self.whole / "exercises"
        self.class_ = self.whole / "cohorts" / "fall-2027" / "course"
        self.environment = {
            **os.environ, "HOME": str(self.home), "JUPYTER_CONFIG_DIR": str(self.home / "jupyter"), "MYSTIQUE_PROGRESS": str(self.home / "progress.json"),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }
        self.said: dict[str, str] = {}
        self.tried: set[str] = set()

    def __enter__(self):
        self.warm = subprocess.Popen([sys.executable, "-c", WARM], env=self.environment, cwd=self.home, text=True, encoding="utf-8",
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(self, *_):
        self.warm.stdin.close()
        self.warm.wait(30)

    def run(self, place: str, command: str) -> None:
        """Run a command as a reader would; its words are kept. The first of each program runs as she starts it, in bash."""
        words, cwd = shlex.split(command), getattr(self, place)
        if words[0] not in PROGRAMS or words[0] not in self.tried:
            self.tried.add(words[0])
            done = subprocess.run(["bash", "-c", command], cwd=cwd, env=self.environment, text=True, encoding="utf-8",
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            status, self.said[command] = done.returncode, done.stdout
        else:
            out = self.home / "said.txt"
            words = [str(self.home / word[2:]) if word.startswith("~/") else word for word in words]
            print(json.dumps({"words": words, "cwd": str(cwd), "out": str(out)}), file=self.warm.stdin, flush=True)
            status, self.said[command] = int(self.warm.stdout.readline()), out.read_text(encoding="utf-8")
        wanted = (0, 3) if command.startswith("mystique grade") else (0,)
        assert status in wanted, f"{command}\n{self.said[command][-3000:]}"


def hand_in(course: Course, student: str, content: str, name: str = "ps1.ipynb") -> None:
    folder = course.class_ / "submitted" / student / "ps1"
    folder.mkdir(parents=True)
    (folder / name).write_text(content, encoding="utf-8")


# What happens between the commands: what people do, and what must then be true.


def a_list_of_students(course):
    text = "id;first_name;last_name;email\namara;Amara;Osei;amara@example.edu\nben;Ben;Lindqvist;ben@example.edu\n"
    (course.class_ / "students.csv").write_text(text, encoding="utf-8-sig")  # as a European Excel saves "CSV UTF-8"


def there_is_a_zip_to_hand_out(course):
    with zipfile.ZipFile(course.class_ / "release" / "ps1.zip") as handed_out:
        assert {"ps1/ps1.ipynb", "ps1/checks.py", "ps1/case.json"} <= set(handed_out.namelist())


def the_student_answers(course):
    (course.student / "ps1" / "ps1.ipynb").write_text(json.dumps(perfect(course.class_)), encoding="utf-8")


def the_exchange_brought_it(course):
    assert (course.class_ / "submitted" / getpass.getuser() / "ps1" / "submission_secret.txt").is_file()


def the_page_came_back(course):
    pages = list((course.student / "ps1" / "feedback").glob("*/ps1.html"))
    assert len(pages) == 1 and "Checks of question 1" in pages[0].read_text(encoding="utf-8")


def a_zip_of(name):
    """Ben's work in a zip, under the name that an LMS gives it."""
    def write(course):
        notebook = perfect(course.class_)
        at(notebook, "q1")["source"] = "answers_due = len(rows)"
        at(notebook, "q10")["source"] = "*Write your answer here.*"
        with zipfile.ZipFile(course.class_ / "submissions.zip", "w") as archive:
            archive.writestr(name, json.dumps(notebook))

    return write


def the_three_zips_held_the_same(course):
    said = {lms: course.said[f"mystique collect {lms} ps1 submissions.zip downloaded.csv"] for lms in ("canvas", "moodle", "brightspace")}
    assert "Collected (1):\n  ben: late; was called ps1-1.ipynb" in said["canvas"] and "without work in submitted/ (1):\n  row 3: Osei, Amara" in said["canvas"]
    assert all("1 unchanged, 0 not understood" in said[lms] for lms in ("moodle", "brightspace"))


def two_e_mails(course):
    assert (course.class_ / "submitted" / "ben" / "ps1" / "ps1.ipynb").is_file()
    hand_in(course, "amara", json.dumps(perfect(course.class_)), "ps1 (1).ipynb")
    hand_in(course, "chloe", '{"cells": [')


def it_is_said_who_needs_a_person(course):
    said = course.said["mystique grade ps1"]
    assert "4 submissions, 3 graded now, 1 unchanged" in said and "To be read and graded in the formgrader: ps1-q10 of 2 students." in said
    assert re.search(r"chloe +unreadable: ps1.ipynb is not a notebook", said)
    shutil.rmtree(course.class_ / "submitted" / "chloe")  # she hands it in again, in time


def chloe_hands_in_again(course):
    hand_in(course, "chloe", json.dumps(perfect(course.class_)))


def points_are_given_in_the_formgrader(course):
    """As the guide says it: JupyterLab's menu, the list, a submission, the blue box."""
    with jupyterlab(course.class_) as address:
        page = course.browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(90_000)
        page.goto(f"{address}lab?token=course&reset")
        page.locator(".lm-MenuBar-item", has_text="Nbgrader").click()
        page.get_by_role("menuitem", name="Formgrader", exact=True).click()
        page.frame_locator("iframe").get_by_text("Manage Assignments").first.wait_for()
        page.goto(f"{address}formgrader/gradebook/ps1/ps1")
        page.locator("a[href*='/formgrader/submissions/']").first.wait_for()
        links = {link.get_attribute("href") for link in page.locator("a[href*='/formgrader/submissions/']").all()}
        assert len(links) == 4
        for link in links:
            page.goto(address.rstrip("/") + link, wait_until="domcontentloaded")
            field = page.locator("input[id='ps1-q10']")
            field.wait_for()
            page.wait_for_function("() => document.querySelector(\"input[id='ps1-q10']\").placeholder !== undefined")
            page.wait_for_timeout(500)
            if "needs_manual_grade" not in field.get_attribute("class"):
                continue  # nothing was written: its 0 is there already
            with page.expect_response(lambda answer: "/api/grade/" in answer.url and answer.request.method == "PUT"):
                field.fill("5")
                field.blur()
            comment = page.locator("textarea.comment").last
            with page.expect_response(lambda answer: "/api/comment/" in answer.url and answer.request.method == "PUT"):
                comment.fill("A clear figure.")
                comment.blur()
        page.close()


def the_books_address_is_told(course):
    settings = re.findall(r"```python\n(.*?)```", (ROOT / "book" / "instructors-running.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    with open(course.class_ / "nbgrader_config.py", "a", encoding="utf-8") as file:
        file.write(settings)


def ben_can_follow_a_link_into_the_book(course):
    page = (course.class_ / "feedback" / "ben" / "ps1" / "ps1.html").read_text(encoding="utf-8")
    assert re.search(r'Read again: <a href="https://example\.edu/mission-mystique/([\w-]+\.html#[\w-]+)">\1</a>', page)


def the_comment_is_on_the_page(course):
    page = (course.class_ / "feedback" / "amara" / "ps1" / "ps1.html").read_text(encoding="utf-8")
    assert "A clear figure." in page and "39" in page
    assert {path.suffix for path in (course.class_ / "feedback" / "amara").rglob("*.*")} == {".html"}


def downloaded(rows):
    def write(course):
        with open(course.class_ / "downloaded.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)

    return write


CANVAS = downloaded([["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Problem set 1 (812)"], ["    Points Possible", "", "", "", "", "40"],
                     ["Osei, Amara", "9000", "", "amara", "501", ""], ["Lindqvist, Ben", "9001", "", "ben", "501", ""]])
MOODLE = downloaded([["Identifier", "Full name", "Email address", "Status", "Grade", "Maximum grade", "Grade can be changed", "Feedback comments"],
                     ["Participant 71", "Amara Osei", "amara@example.edu", "Submitted", "", "40", "Yes", ""],
                     ["Participant 72", "Ben Lindqvist", "ben@example.edu", "Submitted", "", "40", "Yes", ""]])
BRIGHTSPACE = downloaded([["OrgDefinedId", "Username", "Last Name", "First Name", "Email", "PS1 Points Grade <Numeric MaxPoints:40>", "End-of-Line Indicator"],
                          ["#1", "#amara", "Osei", "Amara", "amara@example.edu", "", "#"], ["#2", "#ben", "Lindqvist", "Ben", "ben@example.edu", "", "#"]])


def filled(column, wanted):
    def look(course):
        with open(course.class_ / "grades.csv", encoding="utf-8", newline="") as file:
            assert [row[column] for row in csv.reader(file)][-2:] == wanted

    return look


def nbgraders_own_export(course):
    with open(course.class_ / "points.csv", encoding="utf-8", newline="") as file:
        assert {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}["amara"] == 39


def somebody_has_a_wrong_name(course):
    hand_in(course, "OLD", json.dumps(perfect(course.class_)))


def the_folder_gets_the_right_name(course):
    (course.class_ / "submitted" / "OLD").rename(course.class_ / "submitted" / "dana")


def what_was_made_of_it_is_deleted(course):
    for name in ("autograded", "feedback"):
        shutil.rmtree(course.class_ / name / "OLD", ignore_errors=True)


def only_the_right_name_is_left(course):
    assert "5 submissions, 1 graded now, 4 unchanged" in course.said["mystique grade ps1"]
    with Gradebook(f"sqlite:///{course.class_ / 'gradebook.db'}") as gradebook:
        assert {"amara", "dana"} <= {student.id for student in gradebook.students} and "OLD" not in {student.id for student in gradebook.students}


def the_course_remembers_the_private_folder(course):
    said = course.said["mystique assign ps1 --answers ~/fall-2027-private"]
    assert "is the same notebook" in said
    assert (course.class_ / ".answers-folder").read_text(encoding="utf-8").strip() == str((course.home / "fall-2027-private").resolve())


def a_learner_works(course):
    work = course.whole / "exercises" / "work" / "ps1"
    notebook = perfect(course.whole / "exercises")
    at(notebook, "q4")["source"] = "trend = None"
    (work / "ps1.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


def she_is_told(course):
    assert "29 of 34 points" in course.said["mystique check ps1"]
    assert "hint 1 of" in course.said["mystique check ps1 --hint q4"].lower()


WHOLE, CLASS, STUDENT, EXERCISES = "whole", "class_", "student", "exercises"
STORY = [
    (WHOLE, ["mystique cohort fall-2027", "cd cohorts/fall-2027/course"]),
    (CLASS, [a_list_of_students, "mystique students students.csv", "mystique assign ps1", there_is_a_zip_to_hand_out, "nbgrader release_assignment ps1"]),
    (STUDENT, ["nbgrader fetch_assignment ps1", the_student_answers, "nbgrader submit ps1"]),
    (CLASS, ["nbgrader collect ps1", the_exchange_brought_it, "mystique grade ps1", "nbgrader generate_feedback ps1 --force", "nbgrader release_feedback ps1"]),
    (STUDENT, ["nbgrader fetch_feedback ps1", the_page_came_back]),
    (CLASS, [CANVAS, a_zip_of("lindqvistben_LATE_9001_55123_ps1-1.ipynb"), "mystique collect canvas ps1 submissions.zip downloaded.csv",
             MOODLE, a_zip_of("Ben Lindqvist_72_assignsubmission_file_/ps1.ipynb"), "mystique collect moodle ps1 submissions.zip downloaded.csv",
             BRIGHTSPACE, a_zip_of("312-67 - Ben Lindqvist - Nov 28, 2026 1044 AM/ps1.ipynb"), "mystique collect brightspace ps1 submissions.zip downloaded.csv",
             the_three_zips_held_the_same, two_e_mails, "mystique grade ps1", it_is_said_who_needs_a_person, chloe_hands_in_again, "mystique grade ps1", HERE,
             points_are_given_in_the_formgrader, the_books_address_is_told, "nbgrader generate_feedback ps1 --force",
             the_comment_is_on_the_page, ben_can_follow_a_link_into_the_book,
             CANVAS, "mystique export canvas ps1 downloaded.csv grades.csv", filled(5, ["39", "32"]),
             MOODLE, "mystique export moodle ps1 downloaded.csv grades.csv", filled(4, ["39", "32"]),
             BRIGHTSPACE, "mystique export brightspace ps1 downloaded.csv grades.csv", filled(5, ["39", "32"]),
             "nbgrader export --to=points.csv", nbgraders_own_export,
             somebody_has_a_wrong_name, "mystique grade ps1", the_folder_gets_the_right_name, "nbgrader db student remove OLD --force",
             what_was_made_of_it_is_deleted, "mystique grade ps1", only_the_right_name_is_left,
             "mkdir ~/fall-2027-private", "cp -r source answers ~/fall-2027-private", "mystique assign ps1 --answers ~/fall-2027-private",
             the_course_remembers_the_private_folder]),
    (WHOLE, ["cd exercises"]),
    (EXERCISES, ["nbgrader generate_assignment ps1", "mkdir -p work", "cp -r release/ps1 work"]),
    (WHOLE, [a_learner_works, "mystique check ps1", "mystique check ps1 --hint q4", "mystique solution ps1 q4", "mystique progress",
             "mystique progress --export progress.csv", she_is_told]),
]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="grading is confined on Linux only")
def test_the_guide_is_a_story_that_works(tmp_path, browser):
    with Course(tmp_path, browser) as course:
        for place, steps in STORY:
            for step in steps:
                if callable(step):
                    step(course)
                elif step != HERE:
                    course.run(place, step)
