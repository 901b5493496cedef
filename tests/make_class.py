"""Makes a class of submissions of ps1: one for each thing that students, editors and attackers do to a notebook.

Each `Kind` has its honest score: which questions should have lost their points. Used by the tests and by the benchmark.
"""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
POINTS = {"q1": 2, "q2": 4, "q3": 4, "q4": 5, "q5": 4, "q6": 3, "q7": 4, "q8": 4, "q9": 4}
ALL = frozenset(POINTS)


@dataclass(frozen=True)
class Kind:
    """One kind of submission. change(notebook, folder) alters a perfect one in place, or returns bytes to write in its stead.

    lost: questions without points. looks: a person is to look at it. name: of the file. state: as in `Graded`.
    """

    student: str
    change: object
    lost: frozenset = frozenset()
    looks: bool = False
    state: str = "graded"
    file: str = "ps1.ipynb"

    @property
    def honest(self):
        return {question: 0.0 if question in self.lost else float(points) for question, points in POINTS.items()}


def nbgrader(course, *arguments):
    """Run one of nbgrader's commands in the course; its output if it ends well."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run([sys.executable, "-m", "nbgrader", *arguments], cwd=course, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, f"nbgrader {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def make_course(folder):
    """A copy of the course with ps1 handed out."""
    course = Path(folder) / "course"
    skip = shutil.ignore_patterns("gradebook.db", "release", "submitted", "autograded", "feedback", "__pycache__", "grade_log.jsonl")
    shutil.copytree(ROOT / "exercises", course, ignore=skip)
    nbgrader(course, "generate_assignment", "ps1")
    return course


def perfect(course):
    """The released notebook with the reference's answers and a written reflection."""
    source = json.loads((course / "source" / "ps1" / "ps1.ipynb").read_text(encoding="utf-8"))
    right = {cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"]) for cell in source["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")}
    notebook = json.loads((course / "release" / "ps1" / "ps1.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in right:
            cell["source"] = re.sub(r"(?m)^\s*#.*((BEGIN|END) SOLUTION|MYSTIQUE).*\n?", "", right[grade_id])
    at(notebook, "q10")["source"] = "Both counties changed, and I have a figure for it."
    return notebook


def hand_in(course, kind, base=None):
    """Write one kind of submission into the course."""
    notebook = copy.deepcopy(base or perfect(course))
    folder = course / "submitted" / kind.student / "ps1"
    folder.mkdir(parents=True)
    instead = kind.change(notebook, folder)
    content = instead if isinstance(instead, bytes) else json.dumps(notebook).encode()
    if instead is not False:
        (folder / kind.file).write_bytes(content)


def at(notebook, question):
    """The cell of a question: "q1" its answer, "q1-test" its test, "setup" the first one."""
    return next(cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") == f"ps1-{question}")


def place(notebook, question):
    return notebook["cells"].index(at(notebook, question))


def code(source):
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None, "id": f"extra-{abs(hash(source)) % 10**8}"}


# ---- how each kind is made


def nothing(notebook, folder):
    pass


def blank(notebook, folder):
    release = folder.parents[2] / "release" / "ps1" / "ps1.ipynb"
    return release.read_bytes()


def in_answer(question, source):
    """Put code in front of an answer."""
    def change(notebook, folder):
        cell = at(notebook, question)
        cell["source"] = source + "\n" + cell["source"]
    return change


def instead_of(question, source):
    def change(notebook, folder):
        at(notebook, question)["source"] = source
    return change


def extra(source, before="q1"):
    """Add a cell of the student's own."""
    def change(notebook, folder):
        notebook["cells"].insert(place(notebook, before), code(source))
    return change


def both(*changes):
    def change(notebook, folder):
        for each in changes:
            result = each(notebook, folder)
        return result
    return change


def wrong(*questions):
    """Take the answers of some questions away: what an attack tries to hide."""
    def change(notebook, folder):
        release = json.loads((folder.parents[2] / "release" / "ps1" / "ps1.ipynb").read_text(encoding="utf-8"))
        for question in questions:
            at(notebook, question)["source"] = "".join(at(release, question)["source"])
    return change


def delete(*questions):
    def change(notebook, folder):
        for question in questions:
            notebook["cells"].remove(at(notebook, question))
    return change


def duplicate(question):
    def change(notebook, folder):
        notebook["cells"].insert(place(notebook, question), copy.deepcopy(at(notebook, question)))
    return change


def duplicate_stub(question):
    """The answer, and after it once more the cell as it was handed out."""
    def change(notebook, folder):
        release = json.loads((folder.parents[2] / "release" / "ps1" / "ps1.ipynb").read_text(encoding="utf-8"))
        notebook["cells"].insert(place(notebook, question) + 1, copy.deepcopy(at(release, question)))
    return change


def merged(*questions):
    """Cells grown together, as "Merge Cells" does it: the first one's label stays."""
    def change(notebook, folder):
        first, *others = (at(notebook, question) for question in questions)
        first["source"] = "\n".join(cell["source"] for cell in (first, *others))
        for cell in others:
            notebook["cells"].remove(cell)
    return change


def all_in(first, *questions):
    """Answers typed into the cell of another question; their own cells stay as they were handed out."""
    def change(notebook, folder):
        at(notebook, first)["source"] += "\n" + "\n".join(at(notebook, question)["source"] for question in questions)
        wrong(*questions)(notebook, folder)
    return change


def split(question, lines):
    """A cell cut in two, as "Split Cell" does it: both halves have its label."""
    def change(notebook, folder):
        cell = at(notebook, question)
        text = cell["source"].splitlines()
        half = {**copy.deepcopy(cell), "id": "half", "source": "\n".join(text[lines:])}
        cell["source"] = "\n".join(text[:lines])
        notebook["cells"].insert(place(notebook, question) + 1, half)
    return change


def in_the_check(question):
    """An answer typed above the check; its own cell stays as it was handed out."""
    def change(notebook, folder):
        at(notebook, f"{question}-test")["source"] = at(notebook, question)["source"] + "\n\n" + at(notebook, f"{question}-test")["source"]
        wrong(question)(notebook, folder)
    return change


def essay_beside(notebook, folder):
    essay = {"cell_type": "markdown", "metadata": {}, "id": "essay", "source": at(notebook, "q10")["source"]}
    notebook["cells"].insert(place(notebook, "q10") + 1, essay)
    wrong("q10")(notebook, folder)


def imports_above(notebook, folder):
    at(notebook, "setup")["source"] = "import functools\n" + at(notebook, "setup")["source"]
    at(notebook, "q1")["source"] += "\nanswers_due = functools.partial(int, answers_due)()"


def of_another_set(notebook, folder):
    return json.dumps(notebook).replace("ps1-", "ps2-").encode()


def zipped(notebook, folder):
    with zipfile.ZipFile(folder / "ps1.zip", "w") as packed:
        packed.writestr("ps1/ps1.ipynb", json.dumps(notebook))
    return False


def metadata(question, **changes):
    def change(notebook, folder):
        at(notebook, question)["metadata"]["nbgrader"].update(changes)
    return change


def everywhere(**changes):
    def change(notebook, folder):
        for cell in notebook["cells"]:
            if "nbgrader" in cell["metadata"]:
                cell["metadata"]["nbgrader"].update(changes)
    return change


def stripped(keep_ids):
    def change(notebook, folder):
        for cell in notebook["cells"]:
            cell["metadata"] = {}
            if not keep_ids:
                cell.pop("id", None)
        if not keep_ids:
            notebook["nbformat_minor"] = 4
    return change


def line_ends(notebook, folder):
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n")


def format_3(notebook, folder):
    import nbformat

    old = nbformat.convert(nbformat.from_dict(notebook), 3)
    return json.dumps(old).encode()


def file_beside(name, content):
    def change(notebook, folder):
        (folder / name).write_text(content)
    return change


def link_beside(notebook, folder):
    (folder / "book.db").symlink_to("../../../gradebook.db")


def linked(notebook, folder):
    (folder / "ps1.ipynb").symlink_to("../../perfect/ps1/ps1.ipynb")
    return False


def to_markdown(question):
    def change(notebook, folder):
        cell = at(notebook, question)
        cell["cell_type"] = "markdown"
        del cell["outputs"], cell["execution_count"]
    return change


def reversed_cells(notebook, folder):
    notebook["cells"].reverse()


def edit_test(question):
    return instead_of(f"{question}-test", "4.0")


def warn_in_function(notebook, folder):
    cell = at(notebook, "q2")
    cell["source"] = cell["source"].replace("    percent =", "    import warnings, sys; warnings.warn('odd'); print('odd', file=sys.stderr)\n    percent =", 1)


HONEST = [
    Kind("perfect", nothing),
    Kind("blank", blank, ALL),
    Kind("wrong", wrong("q3", "q8"), frozenset({"q3", "q8"})),
    Kind("broken-path", in_answer("q1", "open('C:/Users/me/data.csv')"), frozenset({"q1"})),
    Kind("syntax-error", in_answer("q3", "rows = ("), frozenset({"q3"})),
    Kind("asks-for-input", in_answer("q3", "x = input('your name')"), frozenset({"q3"})),
    Kind("no-cell-ids", lambda notebook, folder: [cell.pop("id", None) for cell in notebook["cells"]] and None),
    Kind("line-ends", line_ends),
    Kind("other-kernel", lambda notebook, folder: notebook["metadata"].update(kernelspec={"name": "conda-env-x", "display_name": "R", "language": "R"})),
    Kind("format-3", format_3),
    Kind("warns", warn_in_function),
    Kind("loses-names", extra("del np, pd, alt\nlist = [1]\nset = len = str = float = isinstance = 3", before="q9-test")),
    Kind("uses-display", extra("from IPython.display import display, HTML\n%time 1\n!echo hello\ndisplay(HTML('<b>x</b>'), records.head())\nrecords")),
]
STOPPERS = [
    Kind("endless-loop", in_answer("q3", "while True: pass"), frozenset({"q3"})),
    Kind("endless-in-c", in_answer("q3", "sum(range(10**13))"), frozenset({"q3"})),
    Kind("endless-and-deaf", in_answer("q3", "while True:\n    try:\n        while True: pass\n    except BaseException: pass"), frozenset({"q3"})),
    Kind("endless-in-function", instead_of("q2", "def completeness(statuses):\n    while True: pass"), frozenset({"q2"})),
    Kind("sys-exit", extra("import sys\nsys.exit(0)")),
    Kind("quit", extra("quit()")),
    Kind("os-exit", in_answer("q3", "import os\nos._exit(1)"), frozenset({"q3"}), looks=True),
    Kind("half-a-gigabyte", extra("b = bytearray(500 << 20)\nlen(b)")),
    Kind("eight-gigabytes", extra("b = bytearray(8 << 30)")),
    Kind("growing", in_answer("q3", "b = []\nwhile True: b.append(bytearray(20 << 20))"), frozenset({"q3"})),
    Kind("prints-a-lot", extra("print('x' * 200_000_000)\nfor i in range(100000): print(i)")),
    Kind("long-html", extra("from IPython.display import HTML\nHTML('x' * 60_000_000)")),
    Kind("large-file", extra("open('big', 'wb').write(b'x' * (80 << 20))")),
    Kind("many-processes", extra("import subprocess\np = [subprocess.Popen(['sleep', '300']) for _ in range(60)]"), looks=True),
    Kind("daemon", extra("import subprocess\nsubprocess.Popen('setsid nohup sleep 300 >/dev/null 2>&1 &', shell=True)"), looks=True),
    Kind("segfault", in_answer("q3", "import ctypes\nctypes.string_at(0)"), frozenset({"q3"}), looks=True),
    Kind("forks", extra("import os\nos.fork()"), looks=True),
]
EDITED = [
    Kind("deleted-test", both(wrong("q1"), delete("q1-test", "q3-test")), frozenset({"q1"})),
    Kind("deleted-answer", delete("q3"), frozenset({"q3"})),
    Kind("duplicated-test", both(wrong("q1"), duplicate("q1-test")), frozenset({"q1"})),
    Kind("duplicated-answer", duplicate("q3")),
    Kind("stub-after-answer", duplicate_stub("q3")),
    Kind("old-schema", everywhere(schema_version=1)),
    Kind("new-schema", everywhere(schema_version=99)),
    Kind("edited-test", both(wrong("q2"), edit_test("q2")), frozenset({"q2"})),
    Kind("edited-points", both(wrong("q2"), metadata("q2-test", points=99)), frozenset({"q2"})),
    Kind("edited-flags", both(wrong("q2"), metadata("q2-test", grade=False, solution=True)), frozenset({"q2"})),
    Kind("edited-id", metadata("q2", grade_id="mine")),
    Kind("odd-metadata", lambda notebook, folder: at(notebook, "q2")["metadata"].update(nbgrader=["?"])),
    Kind("edited-type", to_markdown("q2")),
    Kind("stripped", stripped(keep_ids=True)),
    Kind("reversed", reversed_cells),
    Kind("other-name", nothing, file="ps1 (1).ipynb"),
    Kind("broken-timestamp", file_beside("timestamp.txt", "yesterday, I think")),
    Kind("empty", lambda notebook, folder: b"", ALL, True, "unreadable"),
    Kind("cut-off", lambda notebook, folder: json.dumps(notebook).encode()[:-500], ALL, True, "unreadable"),
    Kind("deep", lambda notebook, folder: b"[" * 200_000, ALL, True, "unreadable"),
    Kind("no-notebook", lambda notebook, folder: b"{}", ALL, True, "unreadable"),
    Kind("linked", linked, ALL, True, "unreadable"),
    Kind("links", link_beside),
    Kind("own-altair", file_beside("altair.py", "raise SystemExit")),
    Kind("own-kernel", file_beside("ipykernel_launcher.py", "raise SystemExit")),
    Kind("own-checks", file_beside("checks.py", "raise SystemExit")),
]
MOVED = [
    Kind("merged-cells", merged("q1", "q2", "q3", "q5")),
    Kind("all-in-one", all_in("q1", "q2", "q3", "q7")),
    Kind("split-function", split("q2", 1)),
    Kind("split-answer", split("q3", 2)),
    Kind("in-the-check", in_the_check("q1")),
    Kind("copied-for-another", both(duplicate("q1"), lambda notebook, folder: at(notebook, "q1").update(source=at(notebook, "q3")["source"]), wrong("q3"))),
    Kind("essay-beside", essay_beside, looks=True),
    Kind("imports-above", imports_above),
    Kind("another-set", of_another_set, ALL, True, "unreadable"),
    Kind("zipped", zipped),
]
W = frozenset({"q1", "q9"})
HOSTILE = [
    Kind("patches-checks", both(wrong(*W), extra("import checks\nchecks.Question.score = lambda self: 4.0\nchecks.same_number = lambda *a, **k: None")), W, looks=True),
    Kind("rewrites-checks", both(wrong(*W), extra("open('checks.py', 'w').write('class Question:\\n pass')")), W),
    Kind("empties-data", both(wrong(*W), extra("open('county/records.csv', 'w').write('x')", before="q9")), W),
    Kind("patches-numpy", both(wrong(*W), extra("import math\nnp.isclose = math.isclose = lambda *a, **k: True\npd.DataFrame.equals = lambda *a: True")), W, looks=True),
    Kind("patches-builtins", both(wrong(*W), extra("import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.isinstance = lambda *a: True")), W, looks=True),
    Kind("drops-asserts", both(wrong(*W), extra("import ast\nclass T(ast.NodeTransformer):\n    def visit_Assert(self, node): return ast.Pass()\nget_ipython().ast_transformers.append(T())")), W, looks=True),
    Kind("empties-tests", both(wrong(*W), extra("get_ipython().input_transformers_cleanup.append(lambda lines: ['4.0\\n'])", before="q9-test")), W, looks=True),
    Kind("displayhook", both(wrong(*W), extra("import sys\nold = sys.displayhook\nsys.displayhook = lambda v: old(4.0)")), W, looks=True),
    Kind("hooks-events", both(wrong(*W), extra("get_ipython().events.register('pre_run_cell', lambda *a: print('4.0'))")), W, looks=True),
    Kind("equals-everything", both(wrong("q1"), instead_of("q1", "class E:\n    def __eq__(self, o): return True\n    def __float__(self): return 1.0\nanswers_due = E()")), frozenset({"q1"}), looks=True),
    Kind("reads-source", both(wrong("q1"), extra("import pathlib\nfor p in ('../../../source/ps1/ps1.ipynb', '/etc/passwd', '/proc/1/environ'):\n    print(open(p).read())")), frozenset({"q1"}), looks=True),
    Kind("uses-network", extra("import socket\ns = socket.socket(); s.connect(('127.0.0.1', 22))"), looks=True),
    Kind("writes-outside", extra("import os\nfor p in (os.path.join(os.sep, 'tmp', 'mystique-left-behind'), os.path.expanduser('~/left'), os.path.join(os.sep, 'var', 'tmp', 'left')):\n    try: open(p, 'w').write('x')\n    except OSError as e: print(e)")),
    Kind("forges-answers", both(wrong(*W), extra("import os, json\nfor fd in range(3, 200):\n    try: os.write(fd, b'{\"ticket\": \"x\", \"value\": 4.0, \"outputs\": []}\\n')\n    except OSError: pass")), W, looks=True),
    Kind("reads-environment", extra("import os\nassert 'SECRET_OF_THE_INSTRUCTOR' not in os.environ, 'leak'\nassert not [p for p in os.listdir('.') if p.endswith('.ipynb')]"), looks=False),
]
EVERY = [*HONEST, *STOPPERS, *EDITED, *MOVED, *HOSTILE]


def make_class(course, kinds):
    """Hand in one submission of each kind."""
    base = perfect(course)
    for kind in kinds:
        hand_in(course, kind, base)
