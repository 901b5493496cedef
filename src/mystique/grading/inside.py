"""What goes on inside a student's process: cells are run as a notebook would, tests apart from the student's names.

It runs where submitted code runs, so nothing here can be a lock: the guard puts back what a careless (or sly) cell changed,
and says what it put back. What must hold against a determined attacker is the confinement around the process.
The grader's own parts in here are kept out of easy reach: they are under no name that a cell could import, the guard runs over
names of its own (`private`), and answers are written by an encoder that was made before any cell ran.
"""

import ast
import builtins
import contextlib
import functools
import gc
import hashlib
import importlib
import io
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import traceback
import types
import warnings
from operator import attrgetter, is_

CUT = "\n... the rest of this output was left out ...\n"
LONGEST_TEXT = 100_000       # characters of one text or HTML that a cell displays
LONGEST_PICTURE = 1_000_000  # characters of one picture, or of one chart with its data
CHART = "application/vnd.vegalite."
LONGEST_ERROR = 4_000
LONGEST_TRACEBACK = 20_000
MOST_OUTPUTS = 200           # of one cell
MOST_ERRORS = 5              # of them, or beside them: the error that ends a cell is never the one left out
SELDOM = 50_000, 20, 20      # allocations before Python looks for circular garbage: a notebook's life is short, and looking takes long
DIGITS = 4_300               # Python's own limit of an integer's text
# Modules that tests lean on: each of their names is put back before a test.
GUARDED = ("sys", "builtins", "math", "re", "json", "json.encoder", "json.decoder", "json.scanner", "csv", "copy", "io", "os", "os.path",
           "contextlib", "warnings", "numbers", "decimal", "fractions", "operator", "functools", "itertools", "collections", "statistics",
           "datetime", "ast", "types", "traceback", "signal", "gc", "numpy", "numpy.testing", "pandas", "pandas.testing")
# Of these also the classes, and whether each function still has its own code. No more than tests need: whatever the guard looks at
# is copied for each student.
CLASSES_OF = ("json.encoder", "json.decoder", "csv", "io", "contextlib", "warnings", "fractions", "collections", "statistics")
# Names that programs change in the ordinary course of things.
MAY_CHANGE = {"builtins": {"_", "__builtins__", "display", "get_ipython", "__IPYTHON__", "exit", "quit", "copyright", "credits", "license", "help"},
              "os": {"environ", "environb"}, "numpy": {"random"}}
NUMPY_NUMBERS = ("ndarray", "float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8")
CONVENIENCES = {"np": "numpy", "pd": "pandas", "alt": "altair"}
CODE_OF = attrgetter("__code__")
NOT_GUARDED = ("__dict__", "__weakref__", "__doc__", "__abstractmethods__", "_abc_impl", "__module__", "__slots__")


# -------------------------------------------------------------------------------------------- in the warm process


class Warm:
    """What every student's process inherits: a shell, the release's helper modules, and how things were before.

    built_in, guarded, own: as `remember` gives them, of what Python itself cannot do without, of all that tests lean on, and of the
    grader's own parts. recursion: how deep calls may go.
    """

    def __init__(self, shell, helpers, release, built_in, guarded, own):
        self.shell, self.helpers, self.release = shell, helpers, release
        self.built_in, self.guarded, self.own = built_in, guarded, own
        self.put_back = private(put_back)
        self.recursion = sys.getrecursionlimit()


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
    modules = {name: sys.modules[name] for name in GUARDED if name in sys.modules}
    mine = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == __name__.partition(".")[0]}
    for name in mine:  # not to be had by a name that a cell could import
        del sys.modules[name]
    warm = Warm(shell, helpers, str(release), remember({"builtins": builtins, "sys": sys}), remember(modules | _guarded_classes(modules)),
                remember(mine | _classes_in(mine)))
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)
    return warm


def _guarded_classes(modules):
    wanted = [("pandas", ("DataFrame", "Series", "Index")), ("altair", ("Chart", "LayerChart"))]
    met = {each for module, names in wanted if module in sys.modules for name in names for each in getattr(sys.modules[module], name).__mro__}
    own = _classes_in({name: module for name, module in modules.items() if name in CLASSES_OF})
    changeable = [each for each in met if each is not object and each.__flags__ & (1 << 9)]  # Py_TPFLAGS_HEAPTYPE
    return own | {f"{each.__module__}.{each.__name__}": each for each in changeable}


def _classes_in(modules):
    """{name: class} of the classes that these modules define in Python."""
    found = [(f"{name}.{each.__name__}", each) for name, module in modules.items() for each in vars(module).values()
             if isinstance(each, type) and each.__module__ == name]
    return {name: each for name, each in found if any(isinstance(value, types.FunctionType) for value in vars(each).values())}


def remember(owners, definitions_only=False):
    """How modules and classes are now, for `put_back`. owners: {name: module or class}. definitions_only: no data."""
    spaces, functions = [], {}
    for name, owner in owners.items():
        before = {key: value for key, value in vars(owner).items() if key not in NOT_GUARDED and not _may_change(name, key, value)}
        if definitions_only:
            before = {key: value for key, value in before.items() if isinstance(value, (type, types.FunctionType))}
        spaces.append((name, owner, vars(owner).get, tuple(before), tuple(before.values())))
        for key, value in before.items() if definitions_only or name.startswith((*CLASSES_OF, "mystique.")) else ():
            value = getattr(value, "__func__", value)
            if isinstance(value, types.FunctionType):
                functions[value] = f"{name}.{key}"
    loaded = [(name, owner) for name, owner in owners.items() if sys.modules.get(name) is owner]
    return sys.modules, loaded, spaces, functions, tuple(map(CODE_OF, functions))


def _may_change(name, key, value):
    """Whether notebooks, or IPython, change this name in the ordinary course of things."""
    if name == "sys":  # of all that it holds, what the guard calls
        return key != "modules" and (not isinstance(value, types.BuiltinFunctionType) or key.endswith("hook"))
    return key in MAY_CHANGE.get(name, ())


def put_back(remembered):
    """Put back what is no longer as it was remembered; its names. It calls no function that a cell could have changed."""
    modules, loaded, spaces, functions, codes = remembered
    changed = []
    for name, module in loaded:
        if modules.get(name) is not module:
            modules[name] = module
            changed.append(name)
    for name, owner, get, keys, values in spaces:
        if all(map(is_, map(get, keys), values)):
            continue
        for key, value in zip(keys, values):
            if get(key, changed) is not value:
                put = type.__setattr__ if isinstance(owner, type) else setattr
                put(owner, key, value)
                changed.append(f"{name}.{key}")
    if not all(map(is_, map(CODE_OF, functions), codes)):
        for (function, name), code in zip(functions.items(), codes):
            if function.__code__ is not code:
                function.__code__ = code
                changed.append(name)
    return changed


def private(function):
    """The same function over names and built-ins of its own, which no cell changes by changing this module or the built-ins."""
    return types.FunctionType(function.__code__, {**globals(), "__builtins__": dict(vars(builtins))}, function.__name__)


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


class Recorder:
    """Keeps a cell's outputs as a notebook does, never more than a set number of characters.

    Without a `__dict__`, so that no cell can put a method of its own in the place of one of these."""

    __slots__ = ("outputs", "_room", "_cut")

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
            self._add({"output_type": "stream", "name": name, "text": text})

    def _add(self, output):
        if len(self.outputs) < MOST_OUTPUTS:
            self.outputs.append(output)
        elif len(self.outputs) == MOST_OUTPUTS:
            self.outputs.append({"output_type": "stream", "name": "stdout", "text": CUT})

    def show(self, kind, data):
        kept = {}
        for mime, content in dict(data).items():
            if not isinstance(mime, str):
                continue
            if isinstance(content, str):
                content = str.__str__(content)  # a real one, whatever a class of the student's says of itself
                size = len(content)
            elif mime.startswith(CHART) and isinstance(content, dict):
                try:
                    size = len(json.dumps(content))
                except (TypeError, ValueError, RecursionError):
                    continue
            else:
                continue
            if size <= (LONGEST_PICTURE if mime.startswith(("image/", "application/vnd.vega")) else LONGEST_TEXT):
                kept[mime] = content
            else:
                kept["text/plain"] = (content[:2_000] if mime == "text/plain" else "") + f"{CUT.strip()} ({size:,} characters)"
        self._add({"output_type": kind, "data": kept, "metadata": {}})

    def error(self, kind, value, lines):
        trace, room = [], LONGEST_TRACEBACK
        for line in reversed(lines[-30:]):
            trace.insert(0, str(line)[: min(room, LONGEST_ERROR)])
            room -= len(trace[0])
        errors = [each for each in self.outputs if each["output_type"] == "error"]
        if len(errors) >= MOST_ERRORS:
            self.outputs.remove(errors[-1])
        self.outputs.append({"output_type": "error", "ename": str(kind)[:100], "evalue": _text(str, value)[:LONGEST_ERROR], "traceback": trace})


def _text(kind, value):
    """`str` or `repr` of anything, also of what refuses to be told."""
    try:
        return str.__str__(kind(value))
    except BaseException as problem:
        return f"<its text raises {type(problem).__name__}>"


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


def answer(channel, lines, warm, limits, work, secret):
    """Do what is asked, one JSON line each, until the other side ends. secret: shows that an answer comes from here."""
    os.environ.update(HOME=str(work), TMPDIR=str(work), IPYTHONDIR=str(work / ".ipython"))
    sys.path.append(str(work))  # a student's file named altair.py doesn't take the place of the package
    if hasattr(os, "register_at_fork"):  # a process that a cell makes must neither hear nor answer
        os.register_at_fork(after_in_child=functools.partial(os.close, channel.fileno()))
    student = _Student(warm, limits, work)
    encode, sign = private_encoder(), hashlib.blake2b
    key, meddling = secret.encode(), []
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        request = lines.get(86_400)
        reply = getattr(student, "do_" + request["do"])(request)
        meddling += warm.put_back(warm.own)
        reply["doubts"] = [*reply.get("doubts", []), *(f"the grader's own {name} was changed" for name in meddling)]
        reply["ticket"] = sign(request["ticket"].encode(), key=key).hexdigest()
        sys.set_int_max_str_digits(DIGITS)
        try:
            line = encode(reply)
        except (TypeError, ValueError, RecursionError):  # something in an output that is no text
            line = encode({**reply, "outputs": []})
        channel.sendall(line.encode() + b"\n")


def private_encoder():
    """JSON by the part of Python's encoder that is written in C: no cell can change it."""
    encode = json.encoder.c_make_encoder(None, str, json.encoder.encode_basestring_ascii, None, ": ", ", ", False, False, True)
    return lambda value: "".join(encode(value, 0))


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
        self._files = {path: _stamp(path) for path in work.rglob("*") if path.is_file()}

    def do_file(self, request):
        target = self._work / request["name"]
        try:
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(bytes.fromhex(request["content"]))
        except (OSError, ValueError) as problem:  # a folder named like a file of the release, too deep a path, a full disk
            return {"events": [f"the file {request['name']} could not be put beside the notebook ({type(problem).__name__})"]}
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
                changed = self._warm.put_back(self._warm.built_in)
                sys.setrecursionlimit(max(sys.getrecursionlimit(), self._warm.recursion))
        return {"outputs": self._counted(recorder), "suspicions": _as_suspicions(changed)}

    def do_test(self, request):
        recorder = self._warm.shell.recorder
        suspicions = self._guard()
        students_folder = _folder_now() or self._work
        self._work.chmod(0o700)
        os.chdir(self._work)
        events = self._restore_files()
        path = sys.path
        sys.path = [self._warm.release, *(path if isinstance(path, list) else ())]
        try:
            doubts = failed_canaries()
            names = {**self._student_names(), **self._test_names}
            reply = self._tested(request, names, recorder)
            student = self._warm.shell.user_ns
            self._test_names = {key: each for key, each in names.items() if key not in student and not key.startswith("__")}
            if request["twin"]:
                twin = self._tested(request, self._conveniences(), recorder)
                reply["twin"] = "error" if twin["failed"] else twin["value"]
                doubts += twin["doubts"]
        finally:
            sys.path = path
            with contextlib.suppress(OSError):
                os.chdir(students_folder)
        return {**reply, "suspicions": suspicions + reply["suspicions"], "events": events, "doubts": doubts + reply["doubts"]}

    def _tested(self, request, names, recorder):
        """A test's reply; it also tells whether something was changed, or went on beside it, while it ran."""
        others = len(sys._current_frames()) > 1
        value, failed, helpers = None, True, self._warm.guarded  # should the time be up before it has begun
        with self._recording(recorder):
            helpers = _fresh(self._warm.helpers)
            value, failed = run_test(request["source"], request["name"], names, recorder)
        others = others or len(sys._current_frames()) > 1
        outputs = self._counted(recorder)
        changed = self._warm.put_back(self._warm.guarded) + self._warm.put_back(helpers)
        return {"outputs": outputs, "value": value, "failed": failed, "doubts": [f"{name} was changed while it was tested" for name in changed],
                "suspicions": ["threads were running while it was tested"] if others else []}

    def _guard(self):
        """Put things back as they were before the student came, and stop what would do something by itself; suspicions."""
        warm, modules = self._warm, self._warm.guarded[0]
        changed = warm.put_back(warm.guarded)
        sys.settrace(None)
        sys.setprofile(None)
        with contextlib.suppress(Exception):
            warm.shell.magics_manager.registry["ScriptMagics"].stop_event_loop()  # a thread that a %%bash cell leaves running
        gc.callbacks.clear()
        if hasattr(signal, "setitimer"):
            for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
                signal.setitimer(timer, 0)
        for name in warm.helpers:
            modules.pop(name, None)
        return _as_suspicions(changed)

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
        size = sum(map(_size, outputs))
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
                _make_room(path, self._work)
                shutil.copy(os.path.join(self._warm.release, path.relative_to(self._work)), path)
                self._files[path] = _stamp(path)
        return [f"changed {path.relative_to(self._work)}, which was put back before the test" for path in changed]


def _make_room(path, work):
    """Remove whatever lies at the place of a file: a file, a link, a folder, or something in the place of a folder above it."""
    for folder in reversed([each for each in path.parents if each != work and each.is_relative_to(work)]):
        if folder.is_symlink() or not folder.is_dir():
            folder.unlink(missing_ok=True)
            folder.mkdir()
        folder.chmod(0o700)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _size(output):
    """About how many characters an output is as JSON, without making it."""
    texts = [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", ())]
    for content in output.get("data", {}).values():
        texts.append(content if isinstance(content, str) else json.dumps(content, default=str))
    return 60 + sum(map(len, texts))


def run_test(source, name, names, recorder):
    """Run a test's code over `names`, without IPython: (the value of its last line, whether it failed).

    The value: a number, None, or a text for anything else."""
    try:
        tree = compile(source, f"<{name}>", "exec", ast.PyCF_ONLY_AST)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, f"<{name}>", "exec"), names)
        value = None
        if last is not None:
            value = eval(compile(ast.Expression(last.value), f"<{name}>", "eval"), names)
    except BaseException as problem:  # also sys.exit: in a notebook it is an error of the cell
        recorder.error(type(problem).__name__, problem, traceback.format_exception(problem)[-8:])
        return None, True
    if value is None:
        return None, False
    said = _text(repr, value)
    recorder.show("execute_result", {"text/plain": said[:1_000]})
    number = plain_number(value)
    return (said[:100] if number is None else number), False


def plain_number(value):
    """A number of Python or NumPy as a finite float; None for anything else, also for what only says that it is a number."""
    numpy = sys.modules.get("numpy")
    if any(type(value) is getattr(numpy, name, None) for name in NUMPY_NUMBERS):
        value = value.item() if value.ndim == 0 else None
    return float(value) if (type(value) is int or type(value) is float) and math.isfinite(value) else None


def _as_suspicions(changed):
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
    """The release's own modules, anew, whatever a student did to them; their functions and classes as `remember` gives them."""
    modules = {}
    for name, (code, path) in helpers.items():
        module = modules[name] = sys.modules[name] = types.ModuleType(name)
        module.__file__ = path
        exec(code, vars(module))
    return remember(modules | _classes_in(modules), definitions_only=True)


def _stamp(path):
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_ctime_ns
