"""course.py: what it works out, what it says when something is missing, and when it installs again."""

import importlib.util
import os
import re
import socket
import stat
import sys
import tomllib
import urllib.request
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).resolve().parents[1]
WINDOWS = os.name == "nt"


@pytest.fixture
def course():
    specification = importlib.util.spec_from_file_location("course", ROOT / "course.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def tiny(tmp_path):
    """A project that needs no package."""
    (tmp_path / "tests").mkdir()
    for name in ("pyproject.toml", "requirements.txt", "tests/requirements.txt"):
        (tmp_path / name).write_text("# nothing\n")
    return tmp_path


def write_program(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IEXEC)


# --- Which Python -----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13, 5)])
def test_a_python_that_fits_is_no_problem(course, version):
    assert course.python_problem(version) is None


@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 10), (3, 14), (4, 0)])
def test_another_python_is_named_with_the_cure(course, version):
    problem = course.python_problem(version)
    assert "3.11 to 3.13" in problem and "%d.%d" % version in problem
    assert "python.org" in problem and "py -3.13" in problem


@pytest.mark.parametrize("found, missing", [(["ensurepip"], "venv"), (["venv"], "ensurepip")])
def test_a_missing_module_is_named_with_debians_package(course, found, missing):
    problem = course.python_problem((3, 11), found)
    assert missing in problem and "apt install python3-venv" in problem


def test_check_python_looks_at_this_python(course, monkeypatch):
    course.check_python()
    monkeypatch.setattr(course.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(course.Trouble, match="python3-venv"):
        course.check_python()


def test_the_python_versions_are_those_of_pyproject(course):
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    too_new = (course.NEWEST[0], course.NEWEST[1] + 1)
    assert asked == ">=%d.%d,<%d.%d" % (course.OLDEST + too_new)


def test_only_the_standard_library_is_imported(course):
    text = (ROOT / "course.py").read_text(encoding="utf-8")
    imported = re.findall(r"^\s*(?:import|from) (\w+)", text, flags=re.MULTILINE)
    assert set(imported) <= set(sys.stdlib_module_names)


# --- What is started, and where -----------------------------------------------------------------------


@pytest.mark.parametrize("windows, programs, separator", [(False, "bin", ":"), (True, "Scripts", ";")])
def test_the_programs_of_the_environment_come_first(course, windows, programs, separator):
    venv = Path("course") / ".venv"
    base = {"PATH": "first", "PYTHONHOME": "x", "PYTHONPATH": "y", "LANG": "ur_PK.UTF-8"}
    made = course.environment(base, venv, windows)
    assert made["PATH"] == str(venv / programs) + separator + "first"
    assert made["VIRTUAL_ENV"] == str(venv)
    assert "PYTHONHOME" not in made and "PYTHONPATH" not in made
    assert made["LANG"] == "ur_PK.UTF-8"
    assert base["PATH"] == "first", "the given variables must stay as they are"


def test_an_empty_path_gets_no_empty_entry(course):
    """An empty entry would mean the current folder."""
    assert course.environment({}, Path("venv"), False)["PATH"] == str(Path("venv") / "bin")


def test_a_missing_program_says_so(course, tiny):
    with pytest.raises(course.Trouble, match="no-such-program is missing: delete the folder .venv"):
        course.start(["no-such-program"], tiny)


# --- The set-up and its stamp ---------------------------------------------------------------------------


def test_the_stamp_changes_with_what_matters(course, tiny):
    files = ["requirements.txt"]
    first = course.stamp(tiny, files, "3.11.7")
    assert course.stamp(tiny, files, "3.11.7") == first
    assert course.stamp(tiny, files, "3.12.0") != first
    (tiny / "requirements.txt").write_text("numpy==2.4.6\n")
    assert course.stamp(tiny, files, "3.11.7") != first


def test_the_stamp_does_not_change_with_line_ends(course, tiny):
    (tiny / "requirements.txt").write_bytes(b"a==1\nb==2\n")
    first = course.stamp(tiny, ["requirements.txt"], "3.11.7")
    (tiny / "requirements.txt").write_bytes(b"a==1\r\nb==2\r\n")
    assert course.stamp(tiny, ["requirements.txt"], "3.11.7") == first


def test_the_set_up_for_tests_serves_the_book_too(course, tiny):
    for_book = course.stamp(tiny, course.BOOK_FILES, "3.11.7")
    for_tests = course.stamp(tiny, course.TEST_FILES, "3.11.7")
    assert course.is_set_up(for_tests, for_book)
    assert not course.is_set_up(for_book, for_tests)
    assert not course.is_set_up({}, for_book)


@pytest.fixture
def calls(course, monkeypatch):
    """What set_up did: the virtual environments and the installations that it asked for."""
    done = []

    def make_venv(root):
        done.append("venv")
        programs = course.programs_folder(root / ".venv", WINDOWS)
        programs.mkdir(parents=True, exist_ok=True)
        write_program(programs / ("python.exe" if WINDOWS else "python"), "")

    monkeypatch.setattr(course, "make_venv", make_venv)
    monkeypatch.setattr(course, "install", lambda files, root: done.append(tuple(files)))
    return done


def test_the_second_run_does_nothing(course, tiny, calls):
    course.set_up(course.BOOK_FILES, tiny)
    assert calls == ["venv", ("requirements.txt",)]
    course.set_up(course.BOOK_FILES, tiny)
    assert len(calls) == 2


def test_the_tests_add_to_the_books_environment(course, tiny, calls):
    course.set_up(course.BOOK_FILES, tiny)
    course.set_up(course.TEST_FILES, tiny)
    assert calls[2:] == [("requirements.txt", "tests/requirements.txt")]
    course.set_up(course.BOOK_FILES, tiny)
    assert len(calls) == 3


def test_changed_requirements_are_installed_into_the_same_environment(course, tiny, calls):
    course.set_up(course.BOOK_FILES, tiny)
    (tiny / "requirements.txt").write_text("# changed\n")
    course.set_up(course.BOOK_FILES, tiny)
    assert calls[2:] == [("requirements.txt",)]


def test_another_python_or_place_gets_a_new_environment(course, tiny, calls, monkeypatch):
    course.set_up(course.BOOK_FILES, tiny)
    monkeypatch.setattr(course.platform, "python_version", lambda: "3.99.0")
    course.set_up(course.BOOK_FILES, tiny)
    assert calls[2:] == ["venv", ("requirements.txt",)]
    moved = tiny.rename(tiny.with_name("moved"))
    course.set_up(course.BOOK_FILES, moved)
    assert calls[4:] == ["venv", ("requirements.txt",)]


def test_an_environment_whose_python_has_gone_is_made_again(course, tiny, calls):
    course.set_up(course.BOOK_FILES, tiny)
    for file in course.programs_folder(tiny / ".venv", WINDOWS).iterdir():
        file.unlink()
    course.set_up(course.BOOK_FILES, tiny)
    assert calls[2:] == ["venv", ("requirements.txt",)]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError])
def test_an_interrupted_installation_is_not_taken_for_finished(course, tiny, calls, monkeypatch, interruption):
    course.set_up(course.BOOK_FILES, tiny)
    (tiny / "requirements.txt").write_text("# changed\n")

    def interrupted(files, root):
        raise interruption

    with monkeypatch.context() as during:
        during.setattr(course, "install", interrupted)
        with pytest.raises(interruption):
            course.set_up(course.BOOK_FILES, tiny)
    assert course.read_stamp(tiny) == {}
    course.set_up(course.BOOK_FILES, tiny)
    assert calls[2:] == ["venv", ("requirements.txt",)]


def test_a_damaged_stamp_counts_as_none(course, tiny, calls):
    course.set_up(course.BOOK_FILES, tiny)
    (tiny / ".venv" / "course.json").write_text("{half")
    assert course.read_stamp(tiny) == {}


def test_a_real_environment(course, tiny, monkeypatch, capfd):
    """The venv module and pip as they are: made once, then quick; what pip cannot find ends in one sentence."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    course.set_up(course.TEST_FILES, tiny)
    assert "Making a virtual environment" in capfd.readouterr().out
    assert course.start(["python", "-c", "import sys; sys.exit(sys.prefix == sys.base_prefix)"], tiny) == 0
    course.set_up(course.TEST_FILES, tiny)
    assert capfd.readouterr().out == ""

    (tiny / "requirements.txt").write_text("no-such-package-here==1.0\n")
    with pytest.raises(course.Trouble, match="check the internet connection"):
        course.set_up(course.TEST_FILES, tiny)
    assert "no-such-package-here" in capfd.readouterr().out, "pip's own last lines are shown"
    assert course.read_stamp(tiny) == {}


def test_a_folder_that_cannot_hold_an_environment(course, tiny):
    (tiny / ".venv").write_text("a file in its place")
    with pytest.raises(course.Trouble, match="could not be made"):
        course.make_venv(tiny)


def test_progress_is_one_line_a_package(course):
    assert course.install_progress("Collecting numpy==2.4.6 (from -r requirements.txt (line 3))\n", 3, 158) == (
        "  package 3 of about 158: numpy==2.4.6"
    )
    assert course.install_progress("  Using cached numpy.whl\n", 3, 158) is None


# --- The book -------------------------------------------------------------------------------------------


def test_a_failed_build_says_so_and_is_not_forgotten(course, tiny, monkeypatch):
    read = tiny / "_build" / ".doctrees"
    read.mkdir(parents=True)
    monkeypatch.setattr(course, "start", lambda command, root: 1)
    with pytest.raises(course.Trouble, match="WARNING or ERROR"):
        course.build_book(tiny)
    assert not read.exists(), "Sphinx would not warn again about a page that it has read"


def test_the_build_counts_warnings_as_errors(course, tiny, monkeypatch):
    commands = []
    monkeypatch.setattr(course, "start", lambda command, root: commands.append(command) or 0)
    course.build_book(tiny)
    assert commands == [["jupyter-book", "build", ".", "-W", "-n", "--keep-going"]]


def test_a_taken_port_gives_the_next_free_one_on_this_computer_only(course, tmp_path):
    (tmp_path / "index.html").write_text("<p>the book</p>")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with course.book_server(tmp_path, port) as server:
            assert server.server_address[0] == "127.0.0.1"
            assert port < server.server_port < port + 100
            Thread(target=server.serve_forever, daemon=True).start()
            with urllib.request.urlopen("http://127.0.0.1:%d/" % server.server_port) as answer:
                assert b"the book" in answer.read()
            server.shutdown()


def test_no_free_port_is_said(course, tmp_path):
    with pytest.raises(course.Trouble, match="--port"):
        course.book_server(tmp_path, 65536)


# --- The browser ----------------------------------------------------------------------------------------


def test_where_browsers_lie_on_windows(course):
    variables = {
        "ProgramFiles": r"C:\Program Files", "ProgramFiles(x86)": r"C:\Program Files (x86)",
        "ProgramW6432": r"C:\Program Files", "LOCALAPPDATA": r"C:\Users\Ada\AppData\Local",
    }
    places = course.browser_places("Windows", variables, r"C:\Users\Ada")
    assert r"C:\Program Files\Google\Chrome\Application\chrome.exe" in places
    assert r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe" in places
    assert r"C:\Users\Ada\AppData\Local\Chromium\Application\chrome.exe" in places
    assert len(places) == len(set(places))
    assert course.browser_places("Windows", {}, "") == []


def test_where_browsers_lie_on_macos(course):
    places = course.browser_places("Darwin", {}, "/Users/ada")
    assert "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" in places
    assert "/Users/ada/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge" in places


def test_where_browsers_lie_on_linux(course):
    assert "/opt/google/chrome/chrome" in course.browser_places("Linux", {}, "")


def test_the_named_browser_comes_first(course, monkeypatch):
    monkeypatch.setenv("MYSTIQUE_BROWSER", sys.executable)
    assert course.find_browser() == sys.executable


def test_a_named_browser_that_is_not_there(course, monkeypatch):
    monkeypatch.setenv("MYSTIQUE_BROWSER", "no-such-browser")
    with pytest.raises(course.Trouble, match="MYSTIQUE_BROWSER names no-such-browser"):
        course.find_browser()


def test_no_browser_at_all_is_a_failure_with_the_cure(course, monkeypatch):
    for name in ("chosen_browser", "installed_browser", "debian_browser"):
        monkeypatch.setattr(course, name, lambda: None)
    monkeypatch.setattr(course, "playwright_browser", lambda root: None)
    with pytest.raises(course.Trouble, match="install Google Chrome, Chromium or Edge"):
        course.find_browser()


posix = pytest.mark.skipif(WINDOWS, reason="the stand-in programs are shell scripts")


@pytest.fixture
def machine(course, tmp_path, monkeypatch):
    """A machine with no browser: only what the test writes into its folder of programs can be found."""
    for name in ("env", "cat", "chmod"):
        (tmp_path / name).symlink_to(course.shutil.which(name))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MYSTIQUE_BROWSER", raising=False)
    monkeypatch.setattr(course, "browser_places", lambda *_: [])
    return tmp_path


def write_apt_get(machine):
    """A stand-in that keeps its arguments and, for `install`, makes a working `chromium` and `bwrap`."""
    write_program(machine / "apt-get", (
        'echo "$DEBIAN_FRONTEND $*" >> {0}/asked\n'
        'case "$*" in *install*) printf "#!/bin/sh\\n" > {0}/chromium; cat {0}/chromium > {0}/bwrap; chmod +x {0}/chromium {0}/bwrap;; esac\n'
    ).format(machine))


@posix
def test_a_browser_on_the_path_is_found_if_it_starts(course, machine):
    assert course.installed_browser() is None
    write_program(machine / "chromium-browser", "exit 1\n")
    assert course.installed_browser() is None, "a notice in place of a browser does not count"
    write_program(machine / "microsoft-edge", "exit 0\n")
    assert course.installed_browser() == str(machine / "microsoft-edge")


@posix
def test_debians_package_as_root(course, machine, monkeypatch):
    write_apt_get(machine)
    monkeypatch.setattr(course.os, "geteuid", lambda: 0)
    assert course.find_browser() == str(machine / "chromium")
    asked = (machine / "asked").read_text().splitlines()
    assert "noninteractive" in asked[0] and asked[0].endswith("update")
    assert "install" in asked[1] and " chromium" in asked[1]


@posix
def test_debians_package_with_sudo_that_asks_nothing(course, machine, monkeypatch):
    write_apt_get(machine)
    monkeypatch.setattr(course.os, "geteuid", lambda: 1000)
    assert course.debian_browser() is None, "no sudo"
    write_program(machine / "sudo", "exit 1\n")
    assert course.debian_browser() is None, "a sudo that wants a password"
    write_program(machine / "true", "exit 0\n")
    write_program(machine / "sudo", 'shift\nexec "$@"\n')
    assert course.debian_browser() == str(machine / "chromium")


@posix
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bubblewrap is for Linux")
def test_bubblewrap_is_installed_once_where_it_can_be(course, machine, monkeypatch):
    monkeypatch.setattr(course.os, "geteuid", lambda: 0)
    course.find_outer_wall()  # no apt-get: the tests go on without
    write_apt_get(machine)
    course.find_outer_wall()
    assert (machine / "asked").read_text().splitlines()[1].endswith("install --no-install-recommends bubblewrap")
    course.find_outer_wall()
    assert len((machine / "asked").read_text().splitlines()) == 2


@posix
def test_without_apt_playwright_is_asked(course, machine, monkeypatch):
    monkeypatch.setattr(course, "playwright_browser", lambda root: "its own")
    assert course.find_browser() == "its own"


# --- The commands -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--full"], ["tests/data", "-x"], ["-k", "county and not full"], ["-q", "--full", "--p"]])
def test_what_follows_test_goes_to_pytest(course, arguments):
    assert course.read_command(["test", *arguments]).pytest_arguments == arguments


@pytest.mark.parametrize("arguments", [[], ["read"], ["book", "--fast"], ["book", "--port", "many"]])
def test_an_unknown_command_line_is_refused(course, arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        course.read_command(arguments)
    assert stopped.value.code == 2 and "usage" in capsys.readouterr().err


def test_the_exit_status_of_test_is_pytests(course, monkeypatch):
    started = []
    monkeypatch.setattr(course, "set_up", lambda files: started.append(files))
    monkeypatch.setattr(course, "find_browser", lambda root: "a browser")
    monkeypatch.setattr(course, "start", lambda command, root, **variables: started.append((command[2:], variables)) or 5)
    assert course.main(["test", "--full"]) == 5
    assert started == [course.TEST_FILES, (["pytest", "-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder", "--full"], {"MYSTIQUE_BROWSER": "a browser"})]


@pytest.mark.parametrize("arguments, serves", [(["book"], [8000]), (["book", "--port", "9000"], [9000]), (["book", "--no-serve"], [])])
def test_the_book_is_built_then_served(course, monkeypatch, arguments, serves):
    done, served = [], []
    monkeypatch.setattr(course, "set_up", done.append)
    monkeypatch.setattr(course, "build_book", lambda: done.append("built"))
    monkeypatch.setattr(course, "serve_book", served.append)
    assert course.main(arguments) == 0
    assert done == [course.BOOK_FILES, "built"] and served == serves
