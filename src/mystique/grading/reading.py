"""Reads what a student handed in, and puts her answers into the notebook that was handed out.

A submission is never trusted. Only answers and extra cells come from it; the tests, the points, the ids and the order come from
the release. What an editor or a student changed around the answers is so undone, and reported, never punished. An answer
is known again by its grade id, else by its text, its cell id, the names that it gives and no other answer gives, or its place
("guessed": a person looks). What stands elsewhere is looked for: in another answer's cell, in a check's cell, in two halves of
a cell, beside the cell for a text. `mystique check` reads a learner's notebook in the same way.
Nothing is run here, and nothing that a student could prepare (links, pipes, huge or nested files) is followed.
"""

import ast
import difflib
import io
import json
import os
import re
import stat
import warnings
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

LARGEST_NOTEBOOK = 20 << 20
LARGEST_FILE = 5 << 20
LARGEST_CELL = 1 << 20     # characters of one cell
MOST_CELLS = 2_000
MOST_FILES = 200
MOST_LINES = 1_000         # of one cell in which additions are looked for
COMPILED = (".pyc", ".pyo", ".so", ".pyd", ".dll", ".dylib")  # code that nobody could read
SETTINGS = ("grade", "solution", "points", "schema_version")
QUESTION = re.compile(r"\w+?-(q\d+)(-test)?")
NAME = re.compile(r"[\w. ()+-]{1,100}")
NOT_GRADED = "## This submission could not be graded"  # so begins the page in place of a notebook that could not be read


class Unreadable(ValueError):
    """A submission cannot be read; the text says what was found and what to do."""


@dataclass(frozen=True)
class Given:
    """A cell of the notebook that was handed out. kind: "answer", "written", "test", "locked" or "text"."""

    kind: str
    cell_type: str
    source: str
    grade_id: str = ""
    cell_id: str = ""
    settings: dict = field(default_factory=dict)

    @property
    def is_answer(self):
        return self.kind in ("answer", "written")


@dataclass
class Handed:
    """A cell as a student handed it in, made plain: strings only. settings: what it says of grade, points and so on."""

    cell_type: str
    source: str
    grade_id: str = ""
    cell_id: str = ""
    settings: dict = field(default_factory=dict)

    @property
    def is_code(self):
        return self.cell_type == "code"

    @property
    def is_written(self):
        """Whether a person grades it."""
        return bool(self.settings.get("grade") and self.settings.get("solution"))

    @property
    def question(self):
        """("q3", "answer"), ("q3", "test") or ("", "")."""
        found = QUESTION.fullmatch(self.grade_id or self.cell_id)
        return (found[1], "test" if found[2] else "answer") if found else ("", "")


@dataclass
class Reading:
    """What a submission holds.

    answers: {place in the release: source}. extras: {place in the release, -1 before all: cells after it}.
    known_by: {place of an answer that had lost its grade id: "text", "cell id", "names" or "place"}. copies: {place of an answer:
    how many cells with an answer there were, if more than one}. undone: what was put right. moved: what stood in another place
    and was taken from there. guessed: what a person should look at. files: other files, {name: bytes}.
    """

    answers: dict = field(default_factory=dict)
    extras: dict = field(default_factory=dict)
    known_by: dict = field(default_factory=dict)
    copies: dict = field(default_factory=dict)
    undone: list = field(default_factory=list)
    moved: list = field(default_factory=list)
    guessed: list = field(default_factory=list)
    files: dict = field(default_factory=dict)


def read_submission(folder, name, release, given_files=()):
    """Read the folder of one submission; `Reading`. Raises Unreadable.

    name: of the notebook, without .ipynb. release: list of `Given`. given_files: names beside the release's notebook.
    """
    if Path(folder).is_symlink():
        raise Unreadable("the submission's folder is a link. Ask the student to hand in the folder itself.")
    notebook, path, remarks = find_notebook(Path(folder), name, release)
    reading = put_into(release, plain_cells(notebook, path))
    reading.undone[:0] = remarks
    reading.guessed += [
        f"two notebooks were handed in: {path.name} was read and {other.name} was not. Leave only the one that counts"
        for other, content in fitting_notebooks(Path(folder), release, path) if content != notebook
    ]
    reading.files, left_out = other_files(Path(folder), path, set(given_files))
    reading.undone += left_out
    return reading


# ---------------------------------------------------------------------------------------------------------- the files


def find_notebook(folder, name, release):
    """(the notebook's content, its path, remarks). Another file name, or a zip file, will do if it holds at least half of the ids."""
    wanted = folder / f"{name}.ipynb"
    problems, missing = [], False
    try:
        content = load(wanted)
        other = other_set(content, wanted, release)
        if not other:
            return content, wanted, []
        problems.append(f"{name}.ipynb is the notebook of another problem set ({other})")
    except FileNotFoundError:
        missing = True
        problems.append(f"no file {name}.ipynb is in the submission")
    except Unreadable as problem:
        problems.append(str(problem))
    for path, content in [*fitting_notebooks(folder, release, wanted), *zipped_notebooks(folder, release)]:
        if missing:
            return content, path, [f"the notebook was {'in' if path.suffix == '.zip' else 'named'} {path.name}"]
        return content, path, [f"{problems[0]}; {path.name} was read in its place"]
    raise Unreadable(f"{'; '.join(problems)}. Ask the student to hand in {name}.ipynb again, downloaded afresh from where she works.")


def fitting_notebooks(folder, release, wanted):
    """(path, content) of every notebook in a folder, other than `wanted`, that holds at least half of the release's ids."""
    for path in sorted(each for each in folder.glob("*.ipynb") if each != wanted and not each.name.startswith(".")):
        try:
            content = load(path)
            if _fits(content, path, release):
                yield path, content
        except (Unreadable, OSError):
            continue


def zipped_notebooks(folder, release):
    """(the zip file's path, content) of every such notebook in a zip file: some hand in the whole folder, packed."""
    for path in sorted(folder.glob("*.zip")):
        try:
            with zipfile.ZipFile(io.BytesIO(read_bytes(path, LARGEST_NOTEBOOK))) as packed:
                members = [each for each in packed.infolist()[:MOST_FILES] if each.filename.endswith(".ipynb") and "__MACOSX" not in each.filename]
                for member in members:
                    with packed.open(member) as file:
                        content = notebook_in(file.read(LARGEST_NOTEBOOK), member.filename)
                    if _fits(content, path, release):
                        yield path, content
        except (Unreadable, OSError, ValueError, RuntimeError, NotImplementedError, EOFError, zipfile.BadZipFile, zlib.error):
            continue


def _ids(content, path):
    return {cell.grade_id or cell.cell_id for cell in plain_cells(content, path)} - {""}


def _fits(content, path, release):
    ids = {cell.grade_id for cell in release if cell.grade_id}
    return len(ids & _ids(content, path)) >= len(ids) / 2


def other_set(content, path, release):
    """The name of the problem set that a notebook belongs to, if it is not the release's; else ""."""
    ids = _ids(content, path)
    ours = {cell.grade_id or cell.cell_id for cell in release}
    sets = [each.rpartition("-q")[0] for each in ids if QUESTION.fullmatch(each)]
    return max(set(sets), key=sets.count) if len(sets) > 2 and not ids & ours else ""


def load(path):
    """A notebook's JSON. Raises FileNotFoundError or Unreadable."""
    return notebook_in(read_bytes(path, LARGEST_NOTEBOOK), path.name)


def notebook_in(text, name):
    """A notebook's JSON from the bytes of a file. Raises Unreadable."""
    if not text.strip():
        raise Unreadable(f"{name} is empty")
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        try:
            content = json.loads(text.decode(encoding))
            break
        except UnicodeError:
            continue
        except (ValueError, RecursionError):
            raise Unreadable(f"{name} is not a notebook: its text is no JSON (cut off, or changed by hand)") from None
    else:
        raise Unreadable(f"{name} is not a notebook: its text is no JSON")
    if not isinstance(content, dict):
        raise Unreadable(f"{name} is not a notebook: it holds {type(content).__name__}, not cells")
    return content


def read_bytes(path, most):
    """The bytes of a real file: no link, pipe or device is followed."""
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise Unreadable(f"{path.name} is a link, or cannot be opened ({problem.strerror})") from None
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable(f"{path.name} is no file")
        if found.st_size > most:
            raise Unreadable(f"{path.name} is larger than {most >> 20} MB; outputs should be cleared before it is handed in")
        return file.read(most)


def other_files(folder, notebook, given):
    """({name: bytes} of what else was handed in and can be used, remarks on what was left out)."""
    files, left_out, seen = {}, [], 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith((".", "__pycache__")))
        for name in sorted([*names, *(each for each in folders if os.path.islink(os.path.join(parent, each)))]):
            path = Path(parent, name)
            relative = path.relative_to(folder).as_posix()
            seen += 1
            if seen > MOST_FILES:
                return files, [*left_out, f"only the first {MOST_FILES} files were looked at"]
            if path == notebook or name.startswith(".") or relative in given or name == "timestamp.txt" or name.endswith((".ipynb", ".zip")):
                continue
            try:
                if path.is_symlink():
                    raise Unreadable(f"{relative} is a link")
                if name.lower().endswith(COMPILED):
                    raise Unreadable(f"{relative} is compiled code, which nobody can read")
                if not all(NAME.fullmatch(part) for part in Path(relative).parts):
                    raise Unreadable(f"{relative!r} has an odd name")
                if sum(map(len, files.values())) > 4 * LARGEST_FILE:
                    raise Unreadable(f"{relative}: too much was handed in beside the notebook")
                files[relative] = read_bytes(path, LARGEST_FILE)
            except (Unreadable, OSError) as problem:
                left_out.append(f"left out: {str(problem)[:200]}")
    return files, left_out


def plain_cells(notebook, path):
    """The cells of a notebook of any format as `Handed`, whatever is wrong with them. Raises Unreadable if there are none."""
    cells = notebook.get("cells")
    if not isinstance(cells, list) and isinstance(notebook.get("worksheets"), list):  # format 3
        sheets = [sheet for sheet in notebook["worksheets"] if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)]
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
    if not isinstance(cells, list):
        raise Unreadable(f"{path.name} is not a notebook: it has no cells")
    if len(cells) > MOST_CELLS:
        raise Unreadable(f"{path.name} has {len(cells):,} cells; at most {MOST_CELLS:,} are read")
    return [plain_cell(cell) for cell in cells if isinstance(cell, dict)]


def plain_cell(cell):
    metadata = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
    nbgrader = metadata.get("nbgrader") if isinstance(metadata.get("nbgrader"), dict) else {}
    kind = cell.get("cell_type")
    return Handed(
        kind if kind in ("code", "markdown", "raw") else "markdown",
        text_of(cell.get("source", cell.get("input", ""))),
        _word(nbgrader.get("grade_id")),
        _word(cell.get("id")),
        _settings(nbgrader),
    )


def _settings(nbgrader):
    return {name: nbgrader[name] for name in SETTINGS if isinstance(nbgrader.get(name), (bool, int, float))}


def text_of(source):
    """A cell's text: lists joined, line ends plain, not longer than LARGEST_CELL, only what can be written as UTF-8."""
    if isinstance(source, list):
        source = "".join(each for each in source if isinstance(each, str))
    if not isinstance(source, str):
        return ""
    return source[:LARGEST_CELL].replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()


def _word(value):
    return value[:200] if isinstance(value, str) else ""


# --------------------------------------------------------------------------------------------------------- the answers


def put_into(release, cells):
    """Match a student's cells with the release's; `Reading`."""
    places, how = match(release, cells)
    reading, added = Reading(), {}
    for place, given in enumerate(release):
        claimed = [number for number, each in enumerate(places) if each == place]
        if given.grade_id:
            reading.undone += _changes(given, place, [cells[number] for number in claimed])
        if given.is_answer:
            _choose(reading, place, given, [(cells[number], how[number]) for number in claimed])
        else:
            added[place] = next((text for number in reversed(claimed) if (text := additions(cells[number].source, given.source))), "")
    _keep_extras(reading, release, cells, places)
    _keep_additions(reading, release, added)
    _find_code_elsewhere(reading, release, added)
    _find_text_beside(reading, release, added)
    reading.undone = shortened(reading.undone)
    return reading


def name_of(release, place):
    """What a cell of the release is called in remarks."""
    return release[place].grade_id or release[place].cell_id or f"cell {place + 1}"


def _changes(given, place, claimed):
    """Remarks on what was put right in the cells that stand for one cell of the release."""
    where = given.grade_id
    if not claimed:
        return [f"{where} was missing" + ("" if given.is_answer else " and was put back")]
    remarks = []
    if len(claimed) > 1:
        remarks.append(f"{where} was there {len(claimed)} times")
    if any(cell.settings.get(name, value) != value for cell in claimed for name, value in given.settings.items()):
        remarks.append(f"{where} had other settings (points, kind or version), which were put back")
    if not given.is_answer and any(plain(cell.source) != plain(given.source) for cell in claimed):
        remarks.append(f"{where} was changed and put back")
    if any(cell.cell_type != given.cell_type for cell in claimed):
        remarks.append(f"{where} was another kind of cell")
    return remarks


def _choose(reading, place, given, claimed):
    """Take the answer from the cells that stand for it; what else stands in them stays beside it."""
    if not claimed:
        return
    worked_on = [each for each in claimed if differs(each[0].source, given)] or claimed[-1:]
    sources = [cell.source for cell, _ in worked_on]
    before, answer, after = whole_answer(sources, given)
    reading.answers[place] = answer
    for there, texts in ((place - 1, before), (place, after)):
        if texts:
            reading.extras.setdefault(there, []).extend(Handed("code", each) for each in texts)
    if len(sources) > 1:
        reading.copies[place] = len(sources)
    way = worked_on[-1][1]
    if way != "grade id":
        reading.known_by[place] = way
        if way == "place":
            reading.guessed.append(f"{given.grade_id} was guessed from its place")
        else:
            reading.undone.append(f"{given.grade_id} had lost its id and was known again by its {way}")


def whole_answer(sources, given):
    """(what runs before, the answer, what runs after) of the cells with an answer to one question.

    An editor that splits a cell gives both halves its id, and one that copies a cell gives the copy its id: halves
    are joined; of several attempts the last whole one counts. Texts that a person reads are all kept.
    """
    if len(sources) == 1 or given.kind == "written":
        return [], "\n\n".join(dict.fromkeys(sources)), []
    joined, asked = "\n".join(sources), names_asked(given.source)
    if not all(map(parses, sources)) and parses(joined):
        return [], joined, []
    whole = [number for number, source in enumerate(sources) if parses(source) and asked <= names_given(source)]
    if not whole and asked <= names_given(joined):
        return [], joined, []
    last = whole[-1] if whole else len(sources) - 1
    return sources[:last], sources[last], sources[last + 1:]


def _keep_extras(reading, release, cells, places):
    """The student's own cells, each behind the cell of the release that it stood behind."""
    after = -1
    for cell, place in zip(cells, places):
        if place is None:
            if cell.source.strip():
                reading.extras.setdefault(after, []).append(cell)
        else:
            after = place


def _keep_additions(reading, release, added):
    """What was written into a given cell of code (one more import, a helper) is run after it."""
    for place, text in added.items():
        if text and release[place].cell_type == "code" and release[place].kind != "test" and parses(text):
            reading.extras.setdefault(place, []).insert(0, Handed("code", text))
            reading.moved.append(f"what was added to {name_of(release, place)} was run after it")


def _find_code_elsewhere(reading, release, added):
    """An answer whose own cell does not give the names that are asked for may stand in another one: it is run once more there.

    Cells grow together, answers are typed into the check below them, or into a cell of one's own at the end.
    """
    own_names = names_of_one_answer(release)
    answered = {place: source for place, source in reading.answers.items() if release[place].kind == "answer" and differs(source, release[place])}
    stray = [(place, name_of(release, place), source) for place, source in answered.items()]
    stray += [(place, name_of(release, place), text) for place, text in added.items() if text and release[place].kind == "test"]
    stray += [(place, "a cell of its own", cell.source) for place, cells in reading.extras.items() for cell in cells if cell.is_code]
    gives = [names_given(source) for _, _, source in stray]
    for place, names in own_names.items():
        own = answered.get(place)
        wanting = names - names_given(own) if own is not None else names
        found = [each for each, given in zip(stray, gives) if wanting & given and (own is None or each[0] >= place) and each[2] != own]
        if found:
            start = own if own is not None else release[place].source
            reading.answers[place] = "\n\n".join([start, *(part_for(wanting, source) for _, _, source in found)])
            reading.moved.append(f"{name_of(release, place)} was answered in {' and in '.join(dict.fromkeys(where for _, where, _ in found))}")


def _find_text_beside(reading, release, added):
    """A text for a person that does not stand in its cell is looked for in the question and in the cells around: a person decides."""
    for place, given in enumerate(release):
        if given.kind != "written" or differs(reading.answers.get(place, given.source), given):
            continue
        question = place
        while question > 0 and release[question - 1].kind in ("text", "locked") and release[question - 1].cell_type == "markdown":
            question -= 1
        texts = [added[each] for each in range(question, place) if added[each]]
        for there in range(min(question, place - 1), place + 1):
            beside = reading.extras.get(there, [])
            texts += [cell.source for cell in beside if is_prose(cell)]
            reading.extras[there] = [cell for cell in beside if not is_prose(cell)]
        if texts:
            reading.answers[place] = "\n\n".join(texts)
            reading.moved.append(f"{given.grade_id} was left empty; the text beside it was taken for the answer")
            reading.guessed.append(reading.moved[-1])
    reading.extras = {place: cells for place, cells in reading.extras.items() if cells}


def additions(source, given):
    """The lines that a student put into a cell of the release, or changed there."""
    hers, ours = plain(source).splitlines(), plain(given).splitlines()
    if len(hers) > MOST_LINES:
        return ""
    steps = difflib.SequenceMatcher(None, ours, hers, autojunk=False).get_opcodes()
    return "\n".join(line for step, _, _, start, end in steps if step in ("insert", "replace") for line in hers[start:end]).strip()


def is_prose(cell):
    """Whether a cell is text for a person: Markdown, or a cell of code that holds no code."""
    if not cell.is_code:
        return True
    tree = _parsed(cell.source)
    if tree is None:
        return not cell.source.lstrip().startswith(("%", "!")) and len(re.findall(r"[A-Za-z]{2,} [A-Za-z]{2,}", cell.source)) > 2
    return all(isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) and isinstance(each.value.value, str) for each in tree.body)


def match(release, cells):
    """([place in the release or None for each cell], [how it was found])."""
    places, how = [None] * len(cells), [""] * len(cells)

    def settle(number, place, way):
        places[number], how[number] = place, way

    by_grade_id = {given.grade_id: place for place, given in enumerate(release) if given.grade_id}
    by_text = {plain(given.source): place for place, given in reversed(list(enumerate(release))) if given.source.strip()}
    by_cell_id = {given.cell_id: place for place, given in enumerate(release) if given.cell_id}
    for number, cell in enumerate(cells):
        if cell.grade_id in by_grade_id:
            settle(number, by_grade_id[cell.grade_id], "grade id")
    for number, cell in enumerate(cells):
        if places[number] is None and plain(cell.source) in by_text:
            settle(number, by_text[plain(cell.source)], "text")
    for number, cell in enumerate(cells):
        if places[number] is None and cell.cell_id in by_cell_id:
            settle(number, by_cell_id[cell.cell_id], "cell id")
    for number, cell in enumerate(cells):
        if places[number] is None and not cell.grade_id:
            place = alike(cell, release, set(places) - {None})
            if place is not None:
                settle(number, place, "text")
    own_names = names_of_one_answer(release)
    for number, cell in enumerate(cells):
        if places[number] is None and not cell.grade_id and cell.is_code:
            gives = names_given(cell.source)
            place = next((place for place, names in own_names.items() if names <= gives), None)
            if place is not None and not any(there == place and differs(cells[other].source, release[place]) for other, there in enumerate(places)):
                settle(number, place, "names")
    _match_by_place(release, cells, places, settle)
    return places, how


def alike(cell, release, taken):
    """The one free answer of the release whose given lines (at least one line of code) all stand in the cell, or None."""
    lines = set(_lines(cell.source))
    found = [place for place, given in enumerate(release)
             if given.kind == "answer" and place not in taken and (wanted := _kept_lines(given.source)) and wanted <= lines]
    return found[0] if len(found) == 1 else None


def _match_by_place(release, cells, places, settle):
    """An answer still missing, whose neighbours are known, is the only cell of its kind between them."""
    for place, given in enumerate(release):
        if not given.is_answer or place in places:
            continue
        before = [number for number, each in enumerate(places) if each is not None and each < place]
        later = [number for number, each in enumerate(places) if each is not None and each > place]
        low, high = max(before, default=-1), min(later, default=len(cells))
        kind = "code" if given.kind == "answer" else "markdown"
        free = [number for number in range(low + 1, high) if places[number] is None]
        between = [number for number in free if cells[number].cell_type == kind and cells[number].source.strip()]
        if len(between) == 1:
            settle(between[0], place, "place")


def differs(answer, given):
    """Whether an answer is more than what was handed out; in code, comments and blank lines do not count."""
    if plain(answer) == plain(given.source):
        return False
    if given.cell_type != "code":
        return bool(answer.strip())
    hers, ours = _parsed(answer), _parsed(given.source)
    try:
        return hers is None or ours is None or ast.dump(hers) != ast.dump(ours)
    except (ValueError, RecursionError):
        return True


def names_of_one_answer(release):
    """{place of an answer: the names that are asked for in it, and given in no other}; answers without such a name are left out."""
    given = {place: names_given(each.source) for place, each in enumerate(release) if each.kind == "answer"}
    own = {place: names_asked(release[place].source) - set().union(*(others for other, others in given.items() if other != place)) for place in given}
    return {place: names for place, names in own.items() if names}


def names_asked(stub):
    """The names that a released answer's cell leaves to the student: `name = None`, `name = ...` and functions."""
    asked = set()
    for each in _parsed(stub).body if _parsed(stub) else ():
        if isinstance(each, (ast.FunctionDef, ast.ClassDef)):
            asked.add(each.name)
        elif isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant) and each.value.value in (None, ...):
            asked |= set(_names_bound(each))
    return asked


def names_given(code):
    """The names that a cell gives outside its functions, also of code that does not parse."""
    try:
        tree = _parsed(code)
        if tree is not None:
            return set(_names_bound(tree))
    except RecursionError:
        pass
    return {one or other for one, other in re.findall(r"^(?:def\s+(\w+)|(\w+)\s*=[^=])", code, re.MULTILINE)}


def _names_bound(node):
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif not isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        for part in ast.iter_child_nodes(node):
            yield from _names_bound(part)


def part_for(names, code):
    """The statements of a cell that make these names, with all that they need: what the cell does for other questions stays out."""
    tree = _parsed(code)
    if tree is None:
        return code
    needed, kept = set(names), []
    for statement in reversed(tree.body):
        if needed & {*_names_bound(statement), *_names_changed(statement)}:
            needed |= {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)}
            kept.append(statement)
    return "\n".join(ast.unparse(each) for each in reversed(kept))


def _names_changed(node):
    """The names of what a statement may change without giving it a name: rows["x"] = 1, rows.sort_values(inplace=True)."""
    for each in ast.walk(node):
        owner = each.func if isinstance(each, ast.Call) else each if isinstance(getattr(each, "ctx", None), (ast.Store, ast.Del)) else None
        while isinstance(owner, (ast.Attribute, ast.Subscript)):
            owner = owner.value
            if isinstance(owner, ast.Name):
                yield owner.id


def parses(code):
    return _parsed(code) is not None


def _parsed(code):
    """The code's tree, or None if Python cannot read it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" in a student's text is no business of ours
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def plain(source):
    """A text for comparing: without blanks at the ends of lines and of the text."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _lines(source):
    return [line.strip() for line in source.splitlines() if line.strip()]


def _kept_lines(source):
    """Lines of a stub that a student is to keep: code that isn't the place for the answer."""
    return {line for line in _lines(source) if not line.startswith(("#", "return ")) and "= None" not in line and "= ..." not in line}


def shortened(remarks, most=20):
    return remarks if len(remarks) <= most else [*remarks[:most], f"and {len(remarks) - most} more such changes"]


# --------------------------------------------------------------------------------------------------------- the release


def read_release(notebook):
    """The cells of a released notebook (nbformat node or dict) as `Given`."""
    given = []
    for cell in notebook["cells"]:
        nbgrader = cell["metadata"].get("nbgrader", {})
        grade_id = nbgrader.get("grade_id", "")
        if nbgrader.get("solution"):
            kind = "written" if nbgrader.get("grade") or cell["cell_type"] == "markdown" else "answer"
        elif nbgrader.get("task"):
            kind = "locked"
        elif nbgrader.get("grade"):
            kind = "test"
        elif nbgrader.get("locked"):
            kind = "locked"
        else:
            kind, grade_id = "text", ""
        given.append(Given(kind, cell["cell_type"], text_of(cell["source"]), grade_id, cell.get("id", ""), _settings(nbgrader)))
    return given


