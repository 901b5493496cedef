"""Each layer of confinement, tried from inside; and what is said where a layer is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mystique.grading import confine
from mystique.grading.confine import ARCHITECTURES, CALLS, Layers, seccomp_program

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="confinement is Linux's")
REFUSED = "PermissionError"


def inside(tmp_path, code, layers):
    """Run code in a child that is shut in with these layers; what it prints."""
    program = (
        "import os, sys\nfrom mystique.grading import confine\n"
        f"work, layers = {str(tmp_path)!r}, confine.{layers!r}\n"
        "read = confine.readable_places()\n"
        "if layers.namespaces: confine.enter_namespaces()\n"
        "if layers.disk: confine.mount_disk(work, 1 << 20)\n"
        "child = os.fork()\n"
        "if child: sys.exit(os.waitpid(child, 0)[1] and 1)\n"
        "os.chdir(work)\n"
        "confine.shut_in(layers, read, [work], confine.Limits())\n"
        f"try:\n    exec({code!r})\nexcept BaseException as problem: print(type(problem).__name__)\n"
        "sys.stdout.flush(); os._exit(0)\n"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60).stdout.strip()


def only(**wanted):
    there = confine.available()
    if not all(getattr(there, name) for name in wanted):
        pytest.skip(f"not on this machine: {', '.join(wanted)}")
    return Layers(**{name: getattr(there, name) for name in wanted})


@linux
@pytest.mark.parametrize("code, layers, said", [
    ("import socket; socket.socket(); print('open')", {"seccomp": True}, REFUSED),
    ("import socket; print(len(socket.socketpair()))", {"seccomp": True}, "2"),
    ("import socket; socket.create_connection(('127.0.0.1', 9), 2)", {"namespaces": True}, "OSError"),
    ("confine.enter_namespaces()", {"seccomp": True}, "ConfinementError"),
    ("print(confine._libc().prctl(1, 0, 0, 0, 0))", {"seccomp": True}, "-1"),
    ("print(confine._libc().ptrace(0, 0, 0, 0))", {"seccomp": True}, "-1"),
    ("open('/etc/passwd')", {"landlock": True}, REFUSED),
    ("open('/proc/self/environ')", {"landlock": True}, REFUSED),
    ("open('/' + 'tmp/left-behind', 'w')", {"landlock": True}, REFUSED),
    ("open('own', 'w').write('x'); os.rename('own', 'other'); print(open('other').read())", {"landlock": True}, "x"),
    ("import subprocess; print(subprocess.run(['ls', '/usr/bin/env'], capture_output=True, text=True).stdout)", {"landlock": True, "seccomp": True}, "/usr/bin/env"),
    ("import decimal, json; print(json.dumps(1))", {"landlock": True, "seccomp": True}, "1"),
    ("print(os.getpid())", {"namespaces": True}, "1"),
    pytest.param("os.kill(%d, 9)" % os.getpid(), {"namespaces": True}, "ProcessLookupError", id="these tests' own process"),
    ("bytearray(4 << 30)", {"limits": True}, "MemoryError"),
    ("print(len(bytearray(500 << 20)))", {"limits": True}, str(500 << 20)),
    ("open('big', 'wb').write(bytes(80 << 20))", {"limits": True, "landlock": True}, "OSError"),
    ("[open(f'f{i}', 'wb').write(bytes(500_000)) for i in range(9)]", {"namespaces": True, "disk": True}, "OSError"),
])
def test_a_layer_holds(tmp_path, code, layers, said):
    assert inside(tmp_path, code, only(**layers)) == said


@linux
@pytest.mark.parametrize("code, said", [
    ("import os; print(sorted(os.listdir(folder)))", "['handed out', 'work']"),
    ("import os; print(os.listdir('.'), os.getpid() < 10)", "[] True"),
    ("open('/etc/passwd')", "FileNotFoundError"),
    ("open(folder + '/handed out', 'w')", "OSError"),
    ("open('own', 'w').write('x'); print(open('own').read())", "x"),
    ("import socket; socket.create_connection(('127.0.0.1', 9), 2)", "OSError"),
    ("import os; print('SECRET' in os.environ)", "False"),
])
def test_bubblewrap_shows_one_folder_and_no_network(tmp_path, code, said, monkeypatch):
    only(bubblewrap=True)
    (tmp_path / "work").mkdir()
    (tmp_path / "handed out").write_text("x")
    program = f"folder = {str(tmp_path)!r}\ntry:\n    exec({code!r})\nexcept Exception as problem:\n    print({{'ConnectionRefusedError': 'OSError'}}.get(type(problem).__name__, type(problem).__name__))"
    command = [*confine.wall(confine.readable_places(), tmp_path, own_disks=True), sys.executable, "-I", "-S", "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, env={}).stdout.strip() == said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["handed out", "work"]


@linux
def test_a_disk_of_its_own_leaves_nothing(tmp_path):
    assert inside(tmp_path, "open('x', 'w').write('x'); print(os.listdir('.'))", only(namespaces=True, disk=True)) == "['x']"
    assert list(tmp_path.iterdir()) == []


@linux
def test_a_process_that_has_ended_does_not_put_the_grader_under_its_limit():
    before = Path("/proc/self/cgroup").read_text()
    assert confine.count_processes(0, 5) is None and Path("/proc/self/cgroup").read_text() == before


def test_one_sentence_says_what_is_and_what_is_not():
    assert Layers().sentence().startswith("Confinement: nothing active; not there: bubblewrap")
    some = Layers(landlock=4, limits=True).sentence()
    assert "Landlock 4 (files), limits (memory, time, file size) active" in some and "not there: bubblewrap (an outer wall), namespaces (network, processes)" in some


@pytest.mark.parametrize("layers, enough", [
    (Layers(), False), (Layers(namespaces=True, limits=True), False), (Layers(landlock=1, limits=True), False),
    (Layers(bubblewrap=True, limits=True), False), (Layers(bubblewrap=True, disk=True, limits=True), True),
    (Layers(landlock=1, seccomp=True, limits=True), True), (Layers(landlock=1, namespaces=True, limits=True), True),
])
def test_network_files_and_memory_must_be_closed(layers, enough):
    assert layers.enough is enough


def test_other_systems_have_no_layer(monkeypatch):
    monkeypatch.setattr(confine.sys, "platform", "darwin")
    assert confine.available.__wrapped__() == Layers()


def test_a_course_in_a_readable_place_is_found(tmp_path):
    assert confine.exposed(tmp_path / "a" / "course", [str(tmp_path / "a")]) == str(tmp_path / "a")
    assert confine.exposed(tmp_path / "b", [str(tmp_path / "a")]) is None
    assert confine.exposed("/usr/local/share/nbgrader/exchange", confine.readable_places()) is None


def test_the_filter_refuses_each_call_on_both_machines():
    """A small machine that runs the filter, so that aarch64 is tried on x86_64 too."""
    for column, architecture in ARCHITECTURES.values():
        program = seccomp_program(column, architecture)
        verdict = lambda number, first=0, machine=architecture: run_filter(program, machine, number, first)  # noqa: E731
        allowed, refused = 0x7FFF0000, 0x00050001
        for name, numbers in CALLS.items():
            assert verdict(numbers[column]) == refused, name
        assert verdict((0, 63)[column]) == allowed  # read
        assert verdict((56, 220)[column], 0x00010F00) == allowed  # clone of a thread
        assert verdict((56, 220)[column], 0x10000000) == refused  # clone into a new user namespace
        assert verdict((157, 167)[column], 1) == refused and verdict((157, 167)[column], 15) == allowed
        assert verdict((0, 63)[column], machine=0x40000003) == 0x80000000
    assert run_filter(seccomp_program(0, 0xC000003E), 0xC000003E, 0x40000000 + 41, 0) == refused


def run_filter(program, machine, number, first):
    import struct

    data = {0: number, 4: machine, 16: first}
    steps = [struct.unpack("HBBI", program[at : at + 8]) for at in range(0, len(program), 8)]
    at, value = 0, 0
    while True:
        code, if_true, if_false, operand = steps[at]
        at += 1
        if code == 0x20:
            value = data[operand]
        elif code == 0x06:
            return operand
        else:
            holds = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
            at += if_true if holds else if_false
