"""Reads submitted code for signs that it is after scores or other people's files rather than an answer.

It flags, it never scores: what it finds is shown to a person, with the line. It runs nothing, and it can be deceived
by code that hides what it does; most code that tries to hide has to use one of the words below to do so.
"""

import ast
import re

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
ONLY_MENTIONED = {"events", "modules", "kill", "fork"}  # also ordinary words: only as an attribute of a module
MOST = 8


def suspicions(source, name):
    """What a person should look at in a cell's or file's code: sentences with the line; an empty list for nearly all of it."""
    try:
        tree = ast.parse(_without_magics(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = {}
    try:
        for node in ast.walk(tree):
            for word, why in _signs(node):
                found.setdefault((word, why), getattr(node, "lineno", 1))
    except RecursionError:
        return [f"{name}: is nested too deeply to be read"]
    return [f"{name}, line {line}: `{word}` ({why})" for (word, why), line in list(found.items())[:MOST]]


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


def _without_magics(source):
    """The code without notebook commands (%, !), which are no Python; their lines stay so that numbers fit."""
    return "\n".join("pass" if line.startswith(("%", "!")) else line for line in source.splitlines())
