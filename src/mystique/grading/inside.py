"""What goes on inside a student's process: cells are run as a notebook would, tests apart from the student's names.

It runs where submitted code runs, so nothing here can be a lock: the guard puts back what a careless (or sly) cell changed,
and says what it put back. What must hold against a determined attacker is the confinement around the process.
"""

import ast
import builtins
import contextlib
import gc
import importlib
import io
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import traceback
import types
import warnings

CUT = "\n... the rest of this output was left out ...\n"
LONGEST_TEXT = 100_000       # characters of one text or HTML that a cell displays
LONGEST_PICTURE = 1_000_000  # characters of one picture, or of one chart with its data
LONGEST_ERROR = 4_000
# Modules that tests lean on: each of their names is put back before a test.
GUARDED = ("builtins", "math", "re", "json", "csv", "copy", "io", "os", "os.path", "contextlib", "warnings", "numbers", "decimal", "fractions",
           "operator", "functools", "itertools", "collections", "statistics", "datetime", "ast", "types", "numpy", "numpy.testing", "pandas",
           "pandas.testing", "altair")
# Names that programs change in the ordinary course of things.
MAY_CHANGE = {"builtins": {"_", "__builtins__", "display", "get_ipython", "__IPYTHON__", "exit", "quit", "copyright", "credits", "license", "help"},
              "os": {"environ", "environb"}, "numpy": {"random"}}
CONVENIENCES = {"np": "numpy", "pd": "pandas", "alt": "altair"}
NOT_GUARDED = ("__dict__", "__weakref__", "__doc__", "__abstractmethods__", "_abc_impl", "__module__", "__slots__")


# -------------------------------------------------------------------------------------------- in the warm process


class Warm:
    """What every student's process inherits: a shell, the release's helper modules, and how things were before."""

    def __init__(self, shell, helpers, release, modules, classes):
        self.shell, self.helpers, self.release, self.modules, self.classes = shell, helpers, release, modules, classes


def warm_up(names, release):
    """Import what notebooks need and do what is slow the first time. No test, no answer and no student is seen here."""
    sys.path[:] = [each for each in sys.path if "site-packages" in each or each.startswith((sys.prefix, sys.base_prefix))]
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    shell = make_shell()
    with contextlib.suppress(ImportError):
        _draw_outside()
    helpers = {each.stem: (compile(each.read_text(encoding="utf-8"), str(each), "exec"), str(each)) for each in sorted(release.glob("*.py"))}
    sys.path.insert(0, str(release))
    with contextlib.suppress(Exception):
        _fresh(helpers)
    for name in helpers:
        sys.modules.pop(name, None)
    sys.path.remove(str(release))
    _practise(shell, release)
    shell.reset(new_session=True)
    modules = {name: (module := sys.modules[name], {key: value for key, value in vars(module).items() if key not in MAY_CHANGE.get(name, ())})
               for name in GUARDED if name in sys.modules}
    classes = [(each, {key: value for key, value in vars(each).items() if key not in NOT_GUARDED}) for each in _guarded_classes()]
    gc.collect()
    gc.freeze()
    return Warm(shell, helpers, str(release), modules, classes)


def _guarded_classes():
    wanted = [("pandas", ("DataFrame", "Series", "Index")), ("altair", ("Chart", "LayerChart"))]
    classes = {each for module, names in wanted if module in sys.modules for name in names for each in getattr(sys.modules[module], name).__mro__}
    return [each for each in classes if each is not object and each.__flags__ & (1 << 9)]  # Py_TPFLAGS_HEAPTYPE: only those can be changed


def _practise(shell, release):
    """Do once what most notebooks do, so that no student's process has to load it again."""
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import altair as alt
        import pandas as pd

        frame = pd.DataFrame({"a": ["x", "y", "x"], "d": ["2024-01-02", "2024-02-03", "2024-02-04"], "n": [1, 2, 3]})
        frame = pd.read_csv(io.StringIO(frame.to_csv()), parse_dates=["d"])
        for table in sorted(release.rglob("*.csv"))[:5]:
            pd.read_csv(table, nrows=50)
        frame["w"] = (frame["d"] - frame["d"].shift()).dt.days
        grouped = frame.groupby("a").agg(many=("n", "size"), mean=("n", "mean"), middle=("n", "median")).reset_index()
        frame.merge(grouped, on="a").pivot_table(index="a", columns="n", values="mean")
        frame[frame["a"].isin(["x"]) & frame["n"].between(1, 2)].drop_duplicates().sort_values("n").describe()
        frame["a"].value_counts(normalize=True)
        pd.DataFrame({"agency_id": ["a", "b"], "v": [1.5, 2.5]}).astype({"agency_id": "str"}).equals(frame)
        chart = alt.Chart(frame).mark_line(point=True).encode(alt.X("n:Q").title("n"), alt.Y("mean(n)", title="mean"), color="a:N", tooltip=["a"])
        (chart + chart.mark_point()).to_dict()
        shell.recorder.start(10_000)
        shell.run_cell("import pandas as pd\npd.DataFrame({'a': [1]})", store_history=False)
        shell.run_cell("1/0", store_history=False)
        shell.recorder.stop()


def _draw_outside():
    """Charts are not drawn here but by a process that keeps its JavaScript engine warm: hand out the specification."""
    import altair as alt

    def specification(spec, **_):
        return {"application/vnd.vegalite.v6+json": spec, "text/plain": "<VegaLite chart>"}

    for name in ("svg", "png", "jpeg", "pdf", "html", "default", "mimetype", "jupyter", "jupyterlab", "notebook", "colab", "kaggle", "browser"):
        alt.renderers.register(name, specification)
    alt.renderers.enable("default")


def make_shell():
    """IPython's shell without a history, whose outputs go to a `Recorder`."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    recorder = Recorder()

    class Publisher(DisplayPublisher):
        def publish(self, data, metadata=None, *_, **__):
            recorder.show("display_data", data)

        def clear_output(self, wait=False):
            recorder.clear()

    class Hook(DisplayHook):
        def write_output_prompt(self):
            pass

        def write_format_data(self, format_dict, md_dict=None):
            recorder.show("execute_result", format_dict)

        def finish_displayhook(self):
            pass

    class Shell(InteractiveShell):
        def ask_exit(self):
            pass  # quit() ends nothing here

        def _showtraceback(self, kind, value, lines):
            recorder.error(kind.__name__, value, lines)

        def system(self, command):
            command = self.var_expand(command, depth=1)
            done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.user_ns["_exit_code"] = done.returncode
            sys.stdout.write(done.stdout[:LONGEST_TEXT].decode(errors="replace"))

        system_piped = system_raw = system

        def init_io(self):
            pass

        def enable_gui(self, gui=None):
            pass

    Shell.recorder = recorder
    config = Config({"HistoryManager": {"enabled": False, "hist_file": ":memory:"}, "InteractiveShell": {"colors": "NoColor", "display_page": True}})
    shell = Shell.instance(config=config, display_pub_class=Publisher, displayhook_class=Hook)
    builtins.input = _nobody_answers
    return shell


def _nobody_answers(prompt=""):
    raise EOFError("input() was called; nobody answers while a notebook is graded")


class Recorder(io.TextIOBase):
    """Keeps a cell's outputs as a notebook does, never more than a set number of characters."""

    def start(self, room):
        self.outputs, self._room, self._cut = [], room, False
        sys.stdout, sys.stderr = _Stream(self, "stdout"), _Stream(self, "stderr")

    def stop(self):
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        return self.outputs

    def clear(self):
        self.outputs.clear()

    def text(self, name, text):
        if self._cut:
            return
        if len(text) > self._room:
            text, self._cut = text[: self._room] + CUT, True
        self._room -= len(text)
        last = self.outputs[-1] if self.outputs else {}
        if last.get("output_type") == "stream" and last["name"] == name and len(last["text"]) < 5_000:
            last["text"] += text
        else:
            self.outputs.append({"output_type": "stream", "name": name, "text": text})

    def show(self, kind, data):
        kept = {}
        for mime, content in dict(data).items():
            try:
                size = len(content) if isinstance(content, str) else len(json.dumps(content))
            except (TypeError, ValueError):
                continue
            if not isinstance(mime, str) or (isinstance(content, bytes)):
                continue
            if size <= (LONGEST_PICTURE if mime.startswith(("image/", "application/vnd.vega")) else LONGEST_TEXT):
                kept[mime] = content
            else:
                kept["text/plain"] = (content[:2_000] if mime == "text/plain" else "") + f"{CUT.strip()} ({size:,} characters)"
        if len(self.outputs) < 200:
            self.outputs.append({"output_type": kind, "data": kept, "metadata": {}})

    def error(self, kind, value, lines):
        try:
            said = str(value)
        except BaseException as problem:
            said = f"<its text raises {type(problem).__name__}>"
        trace = [str(line)[:LONGEST_ERROR] for line in lines][-30:]
        self.outputs.append({"output_type": "error", "ename": str(kind)[:100], "evalue": said[:LONGEST_ERROR], "traceback": trace})


class _Stream(io.TextIOBase):
    encoding = "utf-8"

    def __init__(self, recorder, name):
        self._recorder, self.name = recorder, name

    def write(self, text):
        self._recorder.text(self.name, str(text))
        return len(text)

    def writable(self):
        return True

    def isatty(self):
        return False

    def flush(self):
        pass


# ------------------------------------------------------------------------------------------ in a student's process


def lay_out(release, work):
    """Put a copy of the release's files into the working folder."""
    shutil.copytree(release, work, dirs_exist_ok=True)
    os.chdir(work)


def answer(channel, lines, warm, limits, work):
    """Do what is asked, one JSON line each, until the other side ends."""
    os.environ.update(HOME=str(work), TMPDIR=str(work), IPYTHONDIR=str(work / ".ipython"))
    sys.path.append(str(work))  # a student's file named altair.py doesn't take the place of the package
    own = os.getpid()
    student = _Student(warm, limits, work)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        request = lines.get(86_400)
        reply = getattr(student, "do_" + request["do"])(request)
        if os.getpid() != own:
            os._exit(0)  # a cell called os.fork(): its child must not answer too
        reply["ticket"] = request["ticket"]
        channel.sendall(json.dumps(reply, default=str).encode("utf-8", "replace") + b"\n")


def _folder_now():
    """The folder that the process is in; None if the student has deleted it."""
    try:
        return os.getcwd()
    except OSError:
        return None


class _Student:
    """One notebook while it runs."""

    def __init__(self, warm, limits, work):
        self._warm, self._limits, self._work = warm, limits, work
        self._room = limits.notebook_output
        self._test_names = {}
        self._built_in = warm.modules["builtins"][1]
        self._files = {path: _stamp(path) for path in work.rglob("*") if path.is_file()}

    def do_file(self, request):
        target = self._work / request["name"]
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(bytes.fromhex(request["content"]))
        return {}

    def do_chart(self, request):
        import vl_convert

        try:
            picture = vl_convert.vegalite_to_svg(request["spec"], allowed_base_urls=[])
        except Exception:
            return {"svg": None}
        return {"svg": picture if len(picture) <= 500_000 else None}

    def do_cell(self, request):
        recorder, shell = self._warm.shell.recorder, self._warm.shell
        with self._recording(recorder):
            try:
                shell.run_cell(request["source"], store_history=True)
            except BaseException as problem:
                recorder.error(type(problem).__name__, problem, traceback.format_exception_only(problem))
            finally:
                changed = put_back_builtins(self._built_in)
        return {"outputs": self._counted(recorder), "suspicions": [f"changed the built-in {name}, which was put back" for name in changed]}

    def do_test(self, request):
        recorder = self._warm.shell.recorder
        suspicions = put_back(self._warm)
        students_folder = _folder_now() or self._work
        os.chdir(self._work)
        events = self._restore_files()
        path = list(sys.path)
        sys.path.insert(0, self._warm.release)
        before = set(threading.enumerate())
        try:
            doubts = failed_canaries()
            names = {**self._student_names(), **self._test_names}
            with self._recording(recorder):
                _fresh(self._warm.helpers)
                value = run_test(request["source"], request["name"], names, recorder)
            outputs = self._counted(recorder)
            student = self._warm.shell.user_ns
            self._test_names = {key: each for key, each in names.items() if key not in student and not key.startswith("__")}
            twin = None
            if request["twin"]:
                with self._recording(recorder):
                    _fresh(self._warm.helpers)
                    twin = run_test(request["source"], request["name"], self._conveniences(), recorder)
                if any(output["output_type"] == "error" for output in recorder.outputs):
                    twin = "error"
        finally:
            sys.path[:] = path
            with contextlib.suppress(OSError):
                os.chdir(students_folder)
        if before != set(threading.enumerate()) or len(before) > 1:
            events.append("threads were running while it was tested")
        return {"outputs": outputs, "value": value, "twin": twin, "suspicions": suspicions, "events": events, "doubts": doubts}

    @contextlib.contextmanager
    def _recording(self, recorder):
        recorder.start(min(self._limits.cell_output, max(1_000, self._room)))
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            yield
        except KeyboardInterrupt as problem:
            recorder.error("KeyboardInterrupt", problem, ["KeyboardInterrupt"])
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            recorder.stop()

    def _counted(self, recorder):
        outputs = recorder.outputs
        size = len(json.dumps(outputs, default=str))
        if size > self._room:
            outputs = [each for each in outputs if each["output_type"] in ("error", "stream")]
        self._room -= size
        return outputs

    def _conveniences(self):
        names = {"__name__": "__main__", "__builtins__": builtins, "get_ipython": lambda: self._warm.shell}
        names.update({short: sys.modules[name] for short, name in CONVENIENCES.items() if name in sys.modules})
        return names

    def _student_names(self):
        """The student's names for a test, without those that hide a built-in, and with np, pd and alt if they are gone."""
        built_in = vars(builtins)
        own = {key: value for key, value in self._warm.shell.user_ns.items() if key not in built_in}
        return {**self._conveniences(), **own, "__name__": "__main__", "__builtins__": builtins}

    def _restore_files(self):
        """Put back the files of the release that were changed; what was done, in words."""
        changed = [path for path, stamp in self._files.items() if _stamp(path) != stamp]
        for path in changed:
            with contextlib.suppress(OSError):
                if path.is_symlink() or path.is_file():
                    path.unlink()
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(os.path.join(self._warm.release, path.relative_to(self._work)), path)
                self._files[path] = _stamp(path)
        return [f"changed {path.relative_to(self._work)}, which was put back before the test" for path in changed]


def run_test(source, name, names, recorder):
    """Run a test's code over `names`, without IPython; the value of its last line: a number, None, or a text for anything else."""
    try:
        tree = compile(source, f"<{name}>", "exec", ast.PyCF_ONLY_AST)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, f"<{name}>", "exec"), names)
        value = None
        if last is not None:
            value = eval(compile(ast.Expression(last.value), f"<{name}>", "eval"), names)
    except BaseException as problem:  # also sys.exit: in a notebook it is an error of the cell
        recorder.error(type(problem).__name__, problem, traceback.format_exception(problem)[-8:])
        return None
    if value is None:
        return None
    recorder.show("execute_result", {"text/plain": repr(value)[:1_000]})
    is_number = type(value) in (int, float) or type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0
    return float(value) if is_number and math.isfinite(value) else repr(value)[:100]


def put_back_builtins(before, now=vars(builtins)):
    """Put back changed built-ins; their names. It calls none of them, since they may be anything now."""
    changed = []
    for key, value in before.items():
        if now.get(key) is not value:
            now[key] = value
            changed.append(key)
    return changed


def put_back(warm):
    """Put back what cells changed in the modules that tests lean on; what it was, in words."""
    sys.settrace(None)
    sys.setprofile(None)
    changed = []
    for name, (module, before) in warm.modules.items():
        if sys.modules.get(name) is not module:
            sys.modules[name] = module
            changed.append(name)
        now = vars(module)
        for key, value in before.items():
            if now.get(key, warm) is not value:
                now[key] = value
                changed.append(f"{name}.{key}")
    for each, before in warm.classes:
        now = vars(each)
        for key, value in before.items():
            if now.get(key, warm) is not value:
                with contextlib.suppress(Exception):
                    type.__setattr__(each, key, value)
                    changed.append(f"{each.__name__}.{key}")
    for name in warm.helpers:
        sys.modules.pop(name, None)
    return [f"changed {each}, which was put back" for each in changed[:10]]


def failed_canaries():
    """Comparisons that must fail; those that did not, in words."""
    import numpy as np

    def must_raise(source):
        try:
            exec(compile(source, "<canary>", "exec"), {"__builtins__": builtins})
        except AssertionError:
            return True
        return False

    checks = {"assert": must_raise("assert 1 == 2"), "isinstance": not isinstance(1, str), "abs": abs(-1) == 1, "float": float("1.5") == 1.5,
              "numpy.isclose": not bool(np.isclose(1, 2)), "numpy.allclose": not np.allclose([1], [2]), "set": set("ab") != {"a"},
              "len": len("ab") == 2}
    return [f"{name} no longer tells right from wrong" for name, holds in checks.items() if not holds]


def _fresh(helpers):
    """The release's own modules, anew, whatever a student did to them."""
    for name, (code, path) in helpers.items():
        module = types.ModuleType(name)
        module.__file__ = path
        sys.modules[name] = module
        exec(code, vars(module))


def _stamp(path):
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_ctime_ns
