"""The pinned requirement files: in step with pyproject.toml, complete for every system, and naming no host."""

import importlib.metadata
import importlib.util
import re
import shutil
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FOR_BOOK, FOR_TESTS = PROJECT["dependencies"], PROJECT["optional-dependencies"]["test"]
FILES = {"requirements.txt": FOR_BOOK, "tests/requirements.txt": FOR_TESTS}

SYSTEMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "macos": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
}
MACHINES = [
    {
        **variables, "python_version": python, "python_full_version": python + ".9",
        "implementation_name": "cpython", "platform_python_implementation": "CPython",
    }
    for variables in SYSTEMS.values()
    for python in ("3.11", "3.12", "3.13")
]
every_machine = pytest.mark.parametrize(
    "machine", MACHINES, ids=lambda machine: "%s-%s" % (machine["sys_platform"], machine["python_version"])
)


@pytest.fixture(scope="module")
def course():
    specification = importlib.util.spec_from_file_location("course", ROOT / "course.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def applies(requirement, machine, extra=""):
    return requirement.marker is None or requirement.marker.evaluate({**machine, "extra": extra})


def pinned_on(machine, names, course):
    """{package: its version} of the requirement files on a machine; no package may be pinned to two versions."""
    versions = {}
    for name in names:
        for line in course.pins(text_of(name)):
            pin = Requirement(line)
            if applies(pin, machine):
                (exactly,) = pin.specifier
                assert exactly.operator == "==", line
                known = versions.setdefault(canonicalize_name(pin.name), exactly.version)
                assert known == exactly.version, "%s is pinned to %s and to %s" % (pin.name, known, exactly.version)
    return versions


def lacking(asked, versions, machine):
    """What the pins lack of `asked` and all that the installed packages ask for in turn, in words."""
    faults, seen, to_do = [], set(), [("pyproject.toml", Requirement(line), "") for line in asked]
    while to_do:
        asker, requirement, extra = to_do.pop()
        if not applies(requirement, machine, extra):
            continue
        name = canonicalize_name(requirement.name)
        version = versions.get(name)
        if version is None:
            faults.append("%s asks for %s, which is not pinned" % (asker, requirement))
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            faults.append("%s asks for %s, but %s is pinned" % (asker, requirement, version))
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                to_do += [(name, below, wanted) for below in asked_by(name, version)]
    return faults


def asked_by(name, version):
    """What the pinned version of a package asks for; nothing is known of one that this machine does not have."""
    try:
        installed = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return []
    if installed.version != version:
        return []
    return [Requirement(line) for line in installed.requires or []]


def test_the_files_are_in_step_with_pyproject(course):
    cure = "pyproject.toml has changed since %s was made: run `python3 course.py lock`"
    for_book = course.digest(PROJECT["requires-python"], FOR_BOOK, list(course.HELD))
    for name, made_from in (("requirements.txt", for_book), ("tests/requirements.txt", course.digest(for_book, FOR_TESTS))):
        assert text_of(name).splitlines()[0].endswith("Made from: " + made_from), cure % name


def test_the_digest_sees_a_change_but_not_an_order(course):
    assert course.digest(">=3.11", ["a", "b"]) == course.digest(">=3.11", ["b", "a"])
    assert course.digest(">=3.11", ["a", "b"]) != course.digest(">=3.11", ["a", "b<2"])
    assert course.digest(">=3.11", ["a", "b"]) != course.digest(">=3.12", ["a", "b"])


@every_machine
def test_all_that_the_book_needs_is_pinned(course, machine):
    assert not lacking(FOR_BOOK, pinned_on(machine, ["requirements.txt"], course), machine)


@every_machine
def test_all_that_the_tests_need_is_pinned(course, machine):
    assert not lacking(FOR_BOOK + FOR_TESTS, pinned_on(machine, FILES, course), machine)


def test_a_missing_or_unfitting_pin_is_found():
    machine = MACHINES[0]
    assert "not pinned" in lacking(["no-such-package>=1"], {}, machine)[0]
    assert "but 0.9 is pinned" in lacking(["no-such-package>=1"], {"no-such-package": "0.9"}, machine)[0]
    assert not lacking(["no-such-package>=1; sys_platform == 'win32'"], {}, machine)


def test_this_environment_has_the_pinned_versions(course):
    """The tests say something about the pinned packages only if these are the ones that they run with."""
    machine = {}  # the markers of the machine that runs the tests
    for name, version in pinned_on(machine, FILES, course).items():
        assert importlib.metadata.version(name) == version, name


@pytest.mark.parametrize("package", ["numpy", "scipy", "pandas", "statsmodels"])
def test_what_makes_numbers_has_one_version_everywhere(course, package):
    assert len({pinned_on(machine, ["requirements.txt"], course)[package] for machine in MACHINES}) == 1


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_a_pin_the_header_or_the_course_itself(course, name):
    first, *others = text_of(name).splitlines()
    assert first.startswith("# Generated by `python3 course.py lock`")
    ours = ["-e ."] if name == "requirements.txt" else []
    assert sorted(others) == sorted(course.pins(text_of(name)) + ours)


@pytest.mark.parametrize("name", FILES)
def test_no_host_and_no_machine_is_named(name):
    assert not re.search(r"://|--(extra-)?index|--find-links|\.(com|org|net|io)\b| @ ", text_of(name))


def test_the_build_tool_is_pinned():
    asked = tomllib.loads(text_of("pyproject.toml"))["build-system"]["requires"]
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", line) for line in asked)


@pytest.mark.full
def test_locking_again_changes_nothing(course, tmp_path):
    """The kept versions still fit together, and nobody has edited the files by hand."""
    (tmp_path / "tests").mkdir()
    for name in ("pyproject.toml", *FILES):
        shutil.copy(ROOT / name, tmp_path / name)
    course.lock(tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_text(encoding="utf-8") == text_of(name), "run `python3 course.py lock`"
