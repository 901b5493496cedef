"""The house: the commands, licences and floors that README.md and CONTRIBUTING.md promise."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "mystique"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# From the ground up. What stands in one row may import from one another; a row imports only from
# rows on lower floors.
FLOORS = [
    (0, {"mystique"}),  # the package itself: its __init__.py
    (1, {"theory"}),
    (2, {"data"}),
    (3, {"charts", "explore"}),
    (3, {"grading"}),
    (4, {"book"}),  # puts into pages what charts and explore make
    (5, {"cli"}),
]
WITHOUT_CODE = {"assets"}  # files for the pages


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def files_in_git():
    """The files that are in git or would be added; the test is pointless in a copy without git."""
    try:
        listed = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, encoding="utf-8",
        )
    except FileNotFoundError:
        pytest.skip("git is not installed")
    if listed.returncode:
        pytest.skip("this copy of the course is not a git repository")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


# --- README and its fellows -------------------------------------------------------------------------------


def test_readme_gives_both_commands_in_both_spellings_on_its_first_screen():
    first_screen = "\n".join(text_of("README.md").splitlines()[:40])
    for command in ("course.py book", "course.py test"):
        assert "`python3 %s`" % command in first_screen and "`py -3 %s`" % command in first_screen


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_commands_that_a_page_names_exist(page):
    known = set(re.findall(r'add_parser\(\s*"(\w+)"', text_of("course.py")))
    named = set(re.findall(r"course\.py (\w+)", text_of(page)))
    assert named and named <= known
    for script in re.findall(r"python (\w+/\w+\.py)", text_of(page)):
        assert (ROOT / script).is_file(), script


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_files_that_a_page_names_exist(page):
    pattern = r"`((?:book|exercises|datasets|src|tests|benchmarks)/[\w./]*|[\w-]+\.(?:py|yml|toml|cff|txt|md)|LICENSE[\w-]*)`"
    named = set(re.findall(pattern, text_of(page))) | set(re.findall(r"\]\((?!http)([^)]+)\)", text_of(page)))
    # NAME, CHAPTER and PS stand for a name of one's own
    named = {name for name in named if not re.search(r"\b(NAME|CHAPTER|PS)\b", name)}
    assert named
    assert not sorted(name for name in named if not (ROOT / name).exists())


def test_the_licences_are_there():
    assert "BSD 3-Clause" in text_of("LICENSE") and "Mission Mystique course authors" in text_of("LICENSE")
    assert "creativecommons.org/licenses/by/4.0" in text_of("LICENSE-TEXT")
    assert PROJECT["license"] == "BSD-3-Clause"
    assert all((ROOT / name).is_file() for name in PROJECT["license-files"])


def test_the_citation_file():
    citation = yaml.safe_load(text_of("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation), "required by the format"
    assert citation["cff-version"] == "1.2.0"
    assert str(citation["version"]) == PROJECT["version"]
    assert all("name" in author or "family-names" in author for author in citation["authors"])


def test_continuous_integration_runs_the_readmes_command():
    script = text_of(".ci/run")
    assert script.startswith("#!") and "set -euo pipefail" in script
    assert "python3 course.py test" in script and "python3 course.py test" in text_of("README.md")


# --- The tree -----------------------------------------------------------------------------------------------


def test_every_sub_package_has_its_tests():
    packages = [path.parent.name for path in SOURCE.glob("*/__init__.py")]
    assert packages
    for package in packages:
        assert list((ROOT / "tests" / package).glob("test_*.py")), "tests/%s/ holds no tests" % package


def test_test_files_have_names_of_their_own():
    for folder in (ROOT / "tests").rglob("__init__.py"):
        pytest.fail("%s: test folders are no packages" % folder.relative_to(ROOT))


def test_the_longest_test_files_are_there():
    """Under another name, one of them would come last, and the other workers would wait for it."""
    longest = re.search(r"^LONGEST = \[(.*?)\]", text_of("tests/conftest.py"), re.MULTILINE | re.DOTALL)[1]
    names = re.findall(r'"(.+?)"', longest)
    assert names and all((ROOT / "tests" / name).is_file() for name in names)


def test_no_file_names_a_folder_of_one_machine():
    """A path of the machine on which something was made helps nobody else, and may tell what it should not."""
    folders = "|".join(("tmp", "work", "root", "home"))
    pattern = re.compile(r"(?<![\w.~*\]})-])/(?:%s)/[\w.]" % folders)
    faults = []
    for path in files_in_git():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a font
        if path == Path(__file__):
            continue
        faults += ["%s: %s" % (path.relative_to(ROOT), text[hit.start():hit.end() + 30]) for hit in pattern.finditer(text)]
    assert not faults


def test_nothing_that_is_made_is_in_git():
    made = re.compile(r"(^|/)(_build|\.venv|__pycache__|\.ipynb_checkpoints)/|^cohorts/|gradebook\.db|^exercises/(release|submitted|autograded|feedback)/")
    names = [path.relative_to(ROOT).as_posix() for path in files_in_git()]
    assert not [name for name in names if made.search(name)]


# --- The floors ---------------------------------------------------------------------------------------------


def part_of(path):
    """The part of the package that a file belongs to: `data` for mystique/data/county.py and for mystique/data.py."""
    inside = path.relative_to(SOURCE).with_suffix("").parts
    return "mystique" if inside == ("__init__",) else inside[0]


def imports(path):
    """The dotted names that a module imports, anywhere in it."""
    package = ("mystique", *path.relative_to(SOURCE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            # `from mystique import charts` imports the part charts
            yield from ("%s.%s" % (module, alias.name) for alias in node.names) if module == "mystique" else [module]


def row_of(part):
    rows = [number for number, (_, parts) in enumerate(FLOORS) if part in parts]
    assert rows, "%s stands on no floor: give it one in FLOORS and in the documentation" % part
    return rows[0]


def modules():
    return sorted(path for path in SOURCE.rglob("*.py") if part_of(path) not in WITHOUT_CODE)


def test_a_module_imports_only_from_floors_below():
    faults = []
    for path in modules():
        own = row_of(part_of(path))
        for name in imports(path):
            first, *rest = name.split(".")
            if first != "mystique" or not rest:
                continue
            is_a_part = any(rest[0] in parts for _, parts in FLOORS)
            other = row_of(rest[0]) if is_a_part or (SOURCE / rest[0]).exists() else 0
            if other != own and FLOORS[other][0] >= FLOORS[own][0]:
                faults.append("%s imports %s" % (path.relative_to(ROOT), name))
    assert not faults


def test_the_theory_needs_numpy_only():
    for path in modules():
        if part_of(path) == "theory":
            others = {name.split(".")[0] for name in imports(path)} - set(sys.stdlib_module_names)
            assert others <= {"numpy", "mystique"}, path


def test_nothing_imports_from_the_rooms_above():
    for path in modules():
        assert not {name.split(".")[0] for name in imports(path)} & {"exercises", "tests", "benchmarks"}, path
