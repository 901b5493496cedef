"""The course's two commands, and one for its maintainers.

    python3 course.py book    builds the book and serves it on this computer
    python3 course.py test    installs what the tests need and runs them
    python3 course.py lock    re-makes the pinned requirement files (maintainers)

On Windows, write `py -3` for `python3`.

Each command does its own set-up: a virtual environment, `.venv`, beside this file. This file needs
nothing but Python itself. It holds first the functions that only work something out, then those
that run something. It knows nothing of what the book or the tests contain.
"""

import argparse
import collections
import functools
import hashlib
import http.server
import importlib.util
import json
import ntpath
import os
import platform
import posixpath
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST, NEWEST = (3, 11), (3, 13)  # as requires-python in pyproject.toml; a test compares them

WINDOWS = os.name == "nt"

BOOK_FILES = ("pyproject.toml", "requirements.txt")
TEST_FILES = BOOK_FILES + ("tests/requirements.txt",)

HELD = (
    # 1.18 is not for Python 3.11: the lock would hold two versions, and the same analysis could
    # print other last digits on another Python.
    "scipy<1.18",
    # 26 has no build for Macs with an Intel processor, which would then need a compiler.
    "argon2-cffi-bindings<26",
)

BROWSER_NAMES = (
    "google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "chrome",
    "microsoft-edge", "microsoft-edge-stable", "msedge",
)

# --- What only works something out ----------------------------------------------------------------


def python_problem(version, modules_found=("venv", "ensurepip")):
    """One sentence that says why this Python cannot run the course, or None if it can."""
    wanted = "Python %d.%d to %d.%d" % (OLDEST + NEWEST)
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        return (
            "The course runs on %s and this is %d.%d: install one of those from python.org and start "
            "this command with it, for example python%d.%d (on Windows: py -%d.%d)."
            % ((wanted,) + tuple(version[:2]) + NEWEST + NEWEST)
        )
    for module in ("venv", "ensurepip"):
        if module not in modules_found:
            return (
                "This Python lacks its module %s, which makes virtual environments: on Debian and Ubuntu "
                "install it with `sudo apt install python3-venv`, elsewhere install Python from python.org."
                % module
            )
    return None


def programs_folder(venv, windows):
    """Where a virtual environment keeps its programs."""
    return venv / ("Scripts" if windows else "bin")


def environment(base, venv, windows):
    """The environment variables of a program started inside `venv`, made from `base`."""
    made = {name: value for name, value in base.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    # First on PATH, because nbgrader calls the program `alembic` by its bare name.
    folders = [str(programs_folder(venv, windows)), base.get("PATH", "")]
    made["PATH"] = (";" if windows else ":").join(folder for folder in folders if folder)
    made["VIRTUAL_ENV"] = str(venv)
    made["PYTHONUTF8"] = "1"  # Windows would otherwise read and write text in an encoding of its own
    return made


def stamp(root, files, python):
    """What a finished set-up is remembered by: its place and Python, and a digest of each file.

    The place counts because a virtual environment stops working when its folder is moved.
    """
    made = {"place": "%s, Python %s" % (root, python)}
    for name in files:
        text = (root / name).read_bytes().replace(b"\r\n", b"\n")
        made[name] = hashlib.sha256(text).hexdigest()
    return made


def is_set_up(found, wanted):
    """Does the remembered set-up hold all that is wanted? (One made for the tests also serves the book.)"""
    return all(found.get(name) == value for name, value in wanted.items())


def browser_places(system, variables, home):
    """The full paths at which Chrome, Chromium or Edge usually lie on a system ("Windows", "Darwin", "Linux")."""
    if system == "Windows":
        programs = (
            ("Google", "Chrome", "Application", "chrome.exe"),
            ("Chromium", "Application", "chrome.exe"),
            ("Microsoft", "Edge", "Application", "msedge.exe"),
        )
        folders = [variables.get(name) for name in ("ProgramFiles", "ProgramFiles(x86)", "ProgramW6432", "LOCALAPPDATA")]
        folders = list(dict.fromkeys(folder for folder in folders if folder))
        return [ntpath.join(folder, *program) for program in programs for folder in folders]
    if system == "Darwin":
        return [
            posixpath.join(folder, name + ".app", "Contents", "MacOS", name)
            for name in ("Google Chrome", "Chromium", "Microsoft Edge")
            for folder in ("/Applications", posixpath.join(home, "Applications"))
        ]
    return ["/opt/google/chrome/chrome", "/opt/microsoft/msedge/msedge", "/snap/bin/chromium"]


def install_progress(line, number, total):
    """The line to show for a line of pip's output: one for each package that pip takes up, else None."""
    if not line.startswith("Collecting "):
        return None
    return "  package %d of about %d: %s" % (number, total, line.split()[1])


def pins(text):
    """The lines of a requirement file that pin a package."""
    return [line.strip() for line in text.splitlines() if "==" in line and not line.lstrip().startswith("#")]


def digest(*parts):
    """A short digest of what a requirement file is made from; the order of a list does not matter."""
    text = json.dumps([sorted(part) if isinstance(part, (list, tuple)) else part for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def requirement_file(made_from, lines):
    """The text of a generated requirement file."""
    head = "# Generated by `python3 course.py lock` from pyproject.toml; do not edit. Made from: %s" % made_from
    return "\n".join([head, *lines]) + "\n"


# --- What runs something --------------------------------------------------------------------------


class Trouble(Exception):
    """Something the user can put right: one sentence, with the cure."""


def say(message):
    print(message, flush=True)


def venv_folder(root):
    return root / ".venv"


def inside(root):
    """The environment variables for what is started in the virtual environment of `root`."""
    return environment(os.environ, venv_folder(root), WINDOWS)


def program(name, root):
    """The full path of a program: Windows would look for a bare name on the PATH of this process only."""
    path = shutil.which(name, path=inside(root)["PATH"])
    if path is None:
        raise Trouble("The program %s is missing: delete the folder .venv and run this command again." % name)
    return path


def start(command, root=ROOT, **variables):
    """Run a program inside the virtual environment and return its exit status."""
    name, *arguments = command
    return subprocess.run([program(name, root), *arguments], cwd=root, env={**inside(root), **variables}).returncode


def check_python():
    found = [module for module in ("venv", "ensurepip") if importlib.util.find_spec(module)]
    problem = python_problem(sys.version_info, found)
    if problem:
        raise Trouble(problem)


def read_stamp(root):
    """The remembered set-up; empty if there is none or its Python has gone."""
    python = shutil.which("python", path=str(programs_folder(venv_folder(root), WINDOWS)))
    try:
        return json.loads((venv_folder(root) / "course.json").read_text()) if python else {}
    except (OSError, ValueError):
        return {}


def set_up(files, root=ROOT):
    """Make .venv hold what the requirement files among `files` ask for. Returns at once if it does."""
    wanted = stamp(root, files, platform.python_version())
    found = read_stamp(root)
    if is_set_up(found, wanted):
        return
    # Stamped only at the very end, so that an interrupted installation starts afresh.
    (venv_folder(root) / "course.json").unlink(missing_ok=True)
    if found.get("place") != wanted["place"]:
        make_venv(root)
    install([name for name in files if name.endswith(".txt")], root)
    (venv_folder(root) / "course.json").write_text(json.dumps(wanted, indent=1))


def make_venv(root):
    say("Making a virtual environment in .venv")
    # The Python that an active virtual environment was made from, so that .venv can replace itself.
    python = getattr(sys, "_base_executable", None) or sys.executable
    if subprocess.run([python, "-m", "venv", "--clear", str(venv_folder(root))]).returncode:
        raise Trouble(
            "The virtual environment .venv could not be made: close what uses it, delete the folder .venv, "
            "check that this folder can be written to, and run this command again."
        )


def install(requirement_files, root):
    """Install requirement files with pip, showing one line a package."""
    total = sum(len(pins((root / name).read_text(encoding="utf-8"))) for name in requirement_files)
    say("Installing the packages of %s (some minutes, the first time)" % " and ".join(requirement_files))
    command = ["python", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    for name in requirement_files:
        command += ["-r", name]
    status, last_lines = follow(command, root, total)
    if status:
        say("\n".join(last_lines))
        raise Trouble(
            "pip could not install the packages (its last lines are above): check the internet connection and the "
            "space on the disk, then run this command again."
        )


def follow(command, root, total):
    """Run pip and show its progress; gives its exit status and the last lines that it wrote."""
    last_lines, number = collections.deque(maxlen=15), 0
    with subprocess.Popen(
        [program(command[0], root), *command[1:]], cwd=root, env=inside(root), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
    ) as pip:
        for line in pip.stdout:
            last_lines.append(line.rstrip())
            shown = install_progress(line, number + 1, total)
            if shown:
                number += 1
                say(shown)
    return pip.returncode, last_lines


def build_book(root=ROOT):
    say("Building the book (warnings count as errors)")
    status = start(["jupyter-book", "build", ".", "-W", "-n", "--keep-going"], root)
    if status:
        # Sphinx warns about a page only while it reads it: forget what was read, so that the next
        # build does not pass over the same fault in silence.
        shutil.rmtree(root / "_build" / ".doctrees", ignore_errors=True)
        raise Trouble("The book was not built: the lines above that say WARNING or ERROR name the page and the fault.")


def book_server(folder, port):
    """A server of `folder` on this computer alone, at `port` or the next free one."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        # Windows takes these from its registry, where other programs may have changed them.
        extensions_map = {
            **http.server.SimpleHTTPRequestHandler.extensions_map,
            ".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml",
        }

        def log_message(self, *arguments):  # one line a request would bury the address
            pass

    class Server(http.server.ThreadingHTTPServer):
        allow_reuse_address = not WINDOWS  # on Windows it would let two servers share one port

    for candidate in range(port, min(port + 100, 65536)):
        try:
            return Server(("127.0.0.1", candidate), functools.partial(Handler, directory=str(folder)))
        except OSError:
            continue
    raise Trouble("No free port from %d on: choose another, for example --port 9000." % port)


def serve_book(port, root=ROOT):
    with book_server(root / "_build" / "html", port) as server:
        say("The book is at http://127.0.0.1:%d/ (stop with Ctrl+C)" % server.server_port)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("Stopped.")


def works(browser):
    """Can this file be started as a browser? (Ubuntu has a /usr/bin/chromium-browser that is only a notice.)"""
    if WINDOWS:
        return True  # there, asking for the version would open a window
    try:
        answer = subprocess.run([browser, "--version"], capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def chosen_browser():
    """The browser that the user named in MYSTIQUE_BROWSER, or None."""
    name = os.environ.get("MYSTIQUE_BROWSER")
    if not name:
        return None
    browser = shutil.which(name)
    if browser is None:
        raise Trouble(
            "MYSTIQUE_BROWSER names %s, which is no program here: give it the full path of Chrome, Chromium or Edge, "
            "or unset it." % name
        )
    return browser


def installed_browser():
    """A browser that is on PATH or where its installer usually puts it, or None."""
    on_path = [shutil.which(name) for name in BROWSER_NAMES]
    places = browser_places(platform.system(), os.environ, str(Path.home()))
    for browser in on_path + [place for place in places if os.path.isfile(place)]:
        if browser and works(browser):
            return browser
    return None


def install_from_debian(packages, why):
    """Install Debian's packages where apt-get is and may be used without a question."""
    if not shutil.which("apt-get"):
        return
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    as_root = []
    if os.geteuid() != 0:
        as_root = ["sudo", "-n"]
        if not shutil.which("sudo") or subprocess.run(as_root + ["true"], stderr=subprocess.DEVNULL, **quiet).returncode:
            return
    say("%s: installing Debian's package %s" % (why, packages[0]))
    apt_get = as_root + ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    subprocess.run(apt_get + ["update"], **quiet)
    subprocess.run(apt_get + ["install", "--no-install-recommends"] + packages, **quiet)


def debian_browser():
    """Debian's Chromium, installed if that can be done, or None."""
    # Of the recommended packages only these two: the sandbox, and letters to draw text with.
    install_from_debian(["chromium", "chromium-sandbox", "fonts-liberation"], "No browser found")
    return installed_browser()


def find_outer_wall():
    """See to it that bubblewrap is there, if it can be had: without it the tests of the grader's outer wall are skipped."""
    if platform.system() == "Linux" and not shutil.which("bwrap"):
        install_from_debian(["bubblewrap"], "No outer wall for the grader found")


def playwright_browser(root=ROOT):
    """Let Playwright download its own Chromium, and return it, or None."""
    say("No browser found: Playwright downloads its own Chromium")
    start(["python", "-m", "playwright", "install", "chromium"], root)
    ask = "from playwright.sync_api import sync_playwright\nwith sync_playwright() as p: print(p.chromium.executable_path)"
    answer = subprocess.run([program("python", root), "-c", ask], env=inside(root), stdout=subprocess.PIPE, encoding="utf-8")
    browser = answer.stdout.strip()
    return browser if os.path.isfile(browser) and works(browser) else None


def find_browser(root=ROOT):
    """The path of a browser for the tests: the first way that gives one."""
    browser = chosen_browser() or installed_browser() or debian_browser() or playwright_browser(root)
    if browser is None:
        raise Trouble(
            "The tests need a browser and none could be found or installed: install Google Chrome, Chromium or Edge, "
            "or put the full path of one into the environment variable MYSTIQUE_BROWSER."
        )
    return browser


def run_tests(pytest_arguments, root=ROOT):
    browser = find_browser(root)
    find_outer_wall()
    say("Running the tests with %s" % browser)
    # On all cores; the tests of a file stay together, and the files come in the order of tests/conftest.py.
    side_by_side = ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"]
    return start(["python", "-m", "pytest", *side_by_side, *pytest_arguments], root, MYSTIQUE_BROWSER=browser)


def compile_pins(requirements, root, *more):
    """Let uv choose one version of each package for all systems and Pythons; the lines that pin them."""
    command = ["uv", "pip", "compile", "--universal", "--python-version", "%d.%d" % OLDEST]
    command += ["--no-header", "--no-annotate", "--quiet", *more]
    with tempfile.TemporaryDirectory() as folder:
        wanted, held, made = (Path(folder) / name for name in ("wanted.in", "held.txt", "made.txt"))
        wanted.write_text("\n".join(requirements), encoding="utf-8")
        held.write_text("\n".join(HELD), encoding="utf-8")
        # uv keeps the versions that it finds in the file it writes, as long as they fit.
        earlier = [root / name for name in ("requirements.txt", "tests/requirements.txt")]
        lines = [line for file in earlier if file.exists() for line in pins(file.read_text(encoding="utf-8"))]
        made.write_text("\n".join(lines), encoding="utf-8")
        if start([*command, "--constraint", str(held), "--output-file", str(made), str(wanted)], root):
            raise Trouble("uv found no set of versions that fits pyproject.toml: its lines above name the conflict.")
        return pins(made.read_text(encoding="utf-8"))


def lock(root=ROOT, upgrade=False):
    """Re-make both requirement files from pyproject.toml. Versions stay unless they must, or `upgrade`."""
    import tomllib  # only Python 3.11 and later have it, and older ones must get as far as check_python

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for_book, for_tests = project["dependencies"], project["optional-dependencies"]["test"]
    made_from = digest(project["requires-python"], for_book, list(HELD))
    more = ["--upgrade"] if upgrade else []

    say("Choosing versions for requirements.txt")
    book_pins = compile_pins(for_book, root, *more)
    (root / "requirements.txt").write_bytes(requirement_file(made_from, book_pins + ["-e ."]).encode())

    say("Choosing versions for tests/requirements.txt")
    all_pins = compile_pins([*book_pins, *for_tests], root, *more)
    test_pins = [pin for pin in all_pins if pin not in book_pins]
    (root / "tests/requirements.txt").write_bytes(requirement_file(digest(made_from, for_tests), test_pins).encode())


def read_command(arguments):
    """The command line; what `test` does not know itself is for pytest."""
    parser = argparse.ArgumentParser(description="Build and read the course's book, or run its tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    book = commands.add_parser("book", help="build the book and serve it on this computer")
    book.add_argument("--port", type=int, default=8000, help="port to serve at (default 8000; the next free one if taken)")
    book.add_argument("--no-serve", action="store_true", help="only build")
    commands.add_parser(
        "test", help="install what the tests need and run them", allow_abbrev=False,
        usage="%(prog)s [--full] [pytest arguments]", epilog="--full adds the long sweeps; all else is handed to pytest.",
    )
    locking = commands.add_parser("lock", help="re-make the pinned requirement files (maintainers)")
    locking.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    known, rest = parser.parse_known_args(arguments)
    if rest and known.command != "test":
        parser.error("unknown: " + " ".join(rest))
    known.pytest_arguments = rest
    return known


def main(arguments=None):
    check_python()
    wanted = read_command(arguments)
    if wanted.command == "book":
        set_up(BOOK_FILES)
        build_book()
        if not wanted.no_serve:
            serve_book(wanted.port)
        return 0
    if wanted.command == "lock":
        if not shutil.which("uv", path=inside(ROOT)["PATH"]):
            set_up(TEST_FILES)
        lock(ROOT, wanted.upgrade)
        return 0
    set_up(TEST_FILES)
    return run_tests(wanted.pytest_arguments)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        sys.exit("course.py: %s" % trouble)
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
