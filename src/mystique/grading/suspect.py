"""Reads submitted code for signs that it is after scores or other people's files rather than an answer.

It flags, it never scores: what it finds is shown to a person, with the line. It runs nothing, and it can be deceived
by code that hides what it does; most code that tries to hide has to use one of the words below to do so.
Notebook commands (%, !) are translated as IPython does it; only what IPython could not run either is passed over.
"""

import ast
import re
import warnings

from IPython.core.inputtransformer2 import TransformerManager

MODULES = {"socket": "opens network connections", "sqlite3": "opens databases", "ctypes": "reaches into memory", "gc": "looks for other code's objects",
           "inspect": "looks into other code", "nbgrader": "uses the grading program", "mystique": "uses the course's own tools",
           "multiprocessing": "starts processes", "subprocess": "starts programs", "pty": "starts programs", "signal": "changes how time limits work",
           "faulthandler": "looks into other code", "mmap": "reaches into memory", "cffi": "reaches into memory", "urllib": "asks the network",
           "requests": "asks the network", "http": "asks the network", "IPython.core": "changes how cells are run"}
ATTRIBUTES = {"__globals__": "reaches for other code's names", "__closure__": "reaches for other code's names", "__code__": "changes functions",
              "__subclasses__": "looks for other code's objects", "__builtins__": "reaches for built-ins", "f_globals": "reaches for other code's names",
              "f_locals": "reaches for other code's names", "f_back": "looks at who called", "tb_frame": "looks at who called", "gi_frame": "looks at who called",
              "_getframe": "looks at who called", "settrace": "watches other code", "setprofile": "watches other code", "addaudithook": "watches other code",
              "ast_transformers": "changes cells before they run", "input_transformers_cleanup": "changes cells before they run",
              "input_transformers_post": "changes cells before they run", "showtraceback": "hides errors", "_showtraceback": "hides errors",
              "set_custom_exc": "hides errors", "displayhook": "changes what is shown", "events": "hooks itself to cells", "_exit": "ends the process",
              "fork": "starts processes", "kill": "ends processes", "modules": "changes modules", "meta_path": "changes imports"}
METHODS = {"__eq__": "equals what it likes", "__ne__": "equals what it likes", "__bool__": "is true when it likes", "__instancecheck__": "is of every kind",
           "__float__": "is the number it likes", "__index__": "is the number it likes", "__hash__": "equals what it likes"}
CALLS = {"exec": "runs made-up code", "eval": "runs made-up code", "compile": "runs made-up code", "__import__": "imports by a made-up name",
         "globals": "changes names from a distance", "setattr": "changes other objects", "delattr": "changes other objects", "vars": "changes other objects"}
PATHS = re.compile(r"(^|[/\\])\.\.[/\\]|/proc/|/etc/|/root\b|/home/|gradebook|(^|[/\\])(source|submitted|autograded)[/\\]|NBGRADER|BEGIN HIDDEN")
OTHERS = {"checks", "_checks", "np", "pd", "alt", "numpy", "pandas", "altair", "builtins", "sys", "os", "json", "math"}
# What IPython makes of a notebook command: "%time x" is get_ipython().run_line_magic('time', 'x').
COMMANDS = {"run_line_magic", "run_cell_magic", "system", "getoutput"}
HARMLESS_MAGICS = {"matplotlib", "time", "timeit", "capture", "config", "precision", "who", "whos", "pwd", "ls", "pip", "conda", "pinfo", "pinfo2", "autosave",
                   "reset", "html", "HTML", "markdown", "latex", "load_ext", "reload_ext", "autoreload", "env", "history", "pprint", "xmode", "lsmagic"}
WITH_CODE = {"time", "timeit", "capture"}  # what follows them is Python
HARMLESS_PROGRAMS = re.compile(r"\s*(pip3?|conda|python3? -m pip|ls|dir|pwd|echo|head|tail|wc|date|whoami|clear|cls)\b[^;&|`$<>]*$")
ONLY_MENTIONED = {"events", "modules", "kill", "fork"}  # also ordinary words: only as an attribute of a module
MOST = 8
LONGEST = 50_000  # characters of a cell with notebook commands: translating takes long


def suspicions(source, name):
    """What a person should look at in a cell's or file's code: sentences with the line; an empty list for nearly all of it."""
    tree = _tree(source)
    if tree is None:
        return [f"{name}: is too long to be read"] if len(source) > LONGEST else []
    found = {}
    try:
        for node, word, why in _all_signs(tree):
            found.setdefault((word, why), getattr(node, "lineno", 1))
    except (RecursionError, ValueError):  # ValueError: a number too long to be written out
        return [f"{name}: is nested too deeply, or holds too long a number, to be read"]
    return [f"{name}, line {line}: `{word}` ({why})" for (word, why), line in list(found.items())[:MOST]]


def _tree(source):
    """The code's tree with notebook commands translated, or None where IPython could not run it either (or it is too long)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
        try:
            return ast.parse(TransformerManager().transform_cell(source)) if len(source) <= LONGEST else None
        except (SyntaxError, ValueError, RecursionError, MemoryError, RuntimeError):
            return None


def _all_signs(tree):
    """(node, word, why) of every sign. The get_ipython() of a notebook command is not one: the command itself is looked at."""
    commands = {id(node.func.value) for node in ast.walk(tree) if _is_command(node)}
    for node in ast.walk(tree):
        if id(node) not in commands:
            yield from ((node, word, why) for word, why in _signs(node))


def _signs(node):
    if isinstance(node, ast.Import):
        for each in node.names:
            yield from _of_module(each.name)
    elif isinstance(node, ast.ImportFrom):
        yield from _of_module(node.module or "")
    elif isinstance(node, ast.Attribute):
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        if node.attr in ATTRIBUTES and (node.attr not in ONLY_MENTIONED or owner in ("os", "sys", "ip", "shell") or isinstance(node.value, ast.Call)):
            yield node.attr, ATTRIBUTES[node.attr]
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in METHODS:
        yield node.name, METHODS[node.name]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
        yield node.func.id, CALLS[node.func.id]
    elif _is_command(node):
        yield from _of_command(node.func.attr, *(each.value for each in node.args))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "get_ipython":
        yield "get_ipython", "changes how cells are run"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 2_000 and PATHS.search(node.value):
        yield node.value[:60], "names a place outside the working folder"
    elif isinstance(node, ast.Name) and node.id in ("__builtins__", "__loader__"):
        yield node.id, "reaches for built-ins"
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            root = target
            while isinstance(root, (ast.Attribute, ast.Subscript)):
                root = root.value
            if isinstance(target, ast.Attribute) and isinstance(root, ast.Name) and root.id in OTHERS and "options" not in ast.unparse(target):
                yield ast.unparse(target)[:60], "changes a module that the tests use"


def _of_module(name):
    for module, why in MODULES.items():
        if name == module or name.startswith(module + "."):
            yield f"import {name}", why


def _is_command(node):
    """Whether this is the call get_ipython().run_line_magic('time', 'x') or one like it, with plain texts."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in COMMANDS):
        return False
    owner = node.func.value
    is_shell = isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name) and owner.func.id == "get_ipython"
    return is_shell and 0 < len(node.args) < 4 and all(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in node.args)


def _of_command(kind, first, rest="", body=""):
    """Signs in a notebook command. kind: how IPython runs it; first: the program's line, or the magic's name."""
    if kind in ("system", "getoutput"):
        if not HARMLESS_PROGRAMS.match(first):
            yield f"!{first[:60]}", "starts programs"
        return
    if first not in HARMLESS_MAGICS:
        yield f"%{first} {rest[:40]}".strip(), "runs other code"
    elif first in WITH_CODE:
        for code in (rest, body):
            yield from ((word, why) for _, word, why in _all_signs(_tree(code) or ast.Module([], [])))
