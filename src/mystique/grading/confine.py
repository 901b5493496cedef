"""Shuts a process in, so that submitted code reaches nothing but its own working folder.

bubblewrap, where it is installed, builds the outer wall once a class: whatever runs behind it has no network and sees Python,
its libraries and one folder, nothing else. Each submission is then shut in by itself, behind that wall or without it, in four
layers that need no root and no package. (Starting bubblewrap and Python anew for each submission would take a hundred
times as long as making a child of a warm process: `benchmarks/confinement.py`.)

- namespaces: no network card, no other process in sight, nothing lives on, and a small disk in memory to work on
- Landlock: only Python and its libraries can be read, only the working folder written
- seccomp: no socket, no tracing of others, no mounting, no new namespaces, no memory beside the limits
- limits: memory, time, size of a file, number of processes

`available()` tries each of them in a child of its own and says which ones this machine gives. A layer that isn't there is
left out and named; whether what is left is enough is for the caller to decide (`Layers.enough`). This module shuts in;
it doesn't run or score anything. On systems other than Linux it can be imported, and finds no layer.
"""

import contextlib
import ctypes
import functools
import os
import platform
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
NOBODY = 65534
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/full")
# What programs and libraries look up at run time. No home, no /proc, no /usr/local/share (nbgrader's exchange is there).
SYSTEM = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/bin", "/bin", "/lib", "/lib64", "/usr/local/lib", "/usr/local/bin",
          "/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/zoneinfo", "/usr/share/fontconfig", "/etc/fonts", "/etc/localtime",
          "/etc/ld.so.cache", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu")

# Numbers of system calls: (x86_64, aarch64). Those from 424 on are the same everywhere.
CALLS = {
    "socket": (41, 198), "connect": (42, 203), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_getfd": (438, 438), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "open_by_handle_at": (304, 265), "acct": (163, 89), "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186),  # memory that no limit counts
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104), "quotactl": (179, 60),
}
CLONE, CLONE3, PRCTL, CAPSET = (56, 220), (435, 435), (157, 167), (126, 91)
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, AUDIT_ARCH of the kernel
X32 = 0x40000000  # a second table of calls on x86_64 that would go round the filter
NAMESPACES = 0x10000000 | 0x40000000 | 0x08000000 | 0x20000000 | 0x00020000 | 0x04000000  # user net ipc pid mount uts
NEW_NAMESPACE_FLAGS = 0x7E020000
MS_PRIVATE = 0x4000 | (1 << 18)
MS_NOSUID_NODEV = 2 | 4


class ConfinementError(OSError):
    """A layer that should be there could not be put on."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Seconds and bytes.

    memory: above what the warm process needs already. chart_memory: address space that the chart renderer's JavaScript
    engine reserves without using it; a chart that a student saves to a file needs it.
    """

    cell_seconds: float = 10
    notebook_seconds: float = 60
    memory: int = 1 << 30
    chart_memory: int = 2 << 30
    file_size: int = 50 << 20
    disk: int = 200 << 20
    processes: int = 64
    open_files: int = 256
    cell_output: int = 100_000
    notebook_output: int = 3_000_000


@dataclass(frozen=True)
class Layers:
    """Which layers this machine gives. landlock: its version, 0 if there is none. processes: their number is limited."""

    bubblewrap: bool = False
    namespaces: bool = False
    disk: bool = False
    landlock: int = 0
    seccomp: bool = False
    limits: bool = False
    processes: bool = False

    @property
    def network_off(self):
        return self.bubblewrap or self.namespaces or self.seccomp

    @property
    def files_hidden(self):
        return self.landlock > 0 or self.bubblewrap and self.disk  # the disk hides one student's files from another's process

    @property
    def enough(self):
        """Submissions are run only if they can reach neither the network nor other files, and memory is limited."""
        return self.network_off and self.files_hidden and self.limits

    def sentence(self):
        """One line: what is active and what is not."""
        named = {"bubblewrap (an outer wall)": self.bubblewrap, "namespaces (network, processes)": self.namespaces, "a small disk of its own": self.disk,
                 f"Landlock {self.landlock or ''} (files)".replace("  ", " "): self.landlock > 0, "seccomp (system calls)": self.seccomp,
                 "limits (memory, time, file size)": self.limits, "a limit of processes": self.processes}
        active = [name for name, there in named.items() if there]
        missing = [name for name, there in named.items() if not there]
        text = "Confinement: " + (", ".join(active) + " active" if active else "nothing active")
        return text + ("; not there: " + ", ".join(missing) if missing else "; nothing is missing") + "."


@functools.cache
def available():
    """Try every layer in a child process of its own; `Layers`."""
    if not sys.platform.startswith("linux") or platform.machine() not in ARCHITECTURES or sys.maxsize < 2**32:
        return Layers()
    namespaces = _works(enter_namespaces)
    return Layers(
        bubblewrap=_bubblewrap_works(namespaces),
        namespaces=namespaces,
        disk=namespaces and _works(lambda: (enter_namespaces(), mount_disk("/tmp", 1 << 20))),
        landlock=_landlock_version() if _works(lambda: hide_files(["/usr"], [])) else 0,
        seccomp=_works(forbid_calls),
        limits=_works(lambda: set_limits(Limits(), in_namespace=False)),
        processes=_groups() is not None if _is_root() else namespaces,
    )


def readable_places(*more):
    """Folders and files that Python, its libraries and programs need to read."""
    prefixes = {Path(each).resolve() for each in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    inside = [prefix / part for prefix in prefixes for part in ("lib", "lib64", "bin", "pyvenv.cfg")]
    return [str(each) for each in (*inside, *map(Path, SYSTEM), *map(Path, more)) if Path(each).exists()]


def exposed(folder, places):
    """The readable place in which `folder` lies, or None: then Landlock could not hide it."""
    folder = Path(folder).resolve()
    return next((place for place in places if folder.is_relative_to(Path(place).resolve())), None)


def wall(read, folder, own_disks):
    """bubblewrap's command line, to be put before a program's: no network, no other process, and only these files.

    read: places that the program may read. folder: its working folder, into which it may write only if students don't
    get disks of their own."""
    nobody = ["--uid", str(NOBODY), "--gid", str(NOBODY)]  # behind the wall, root could make no namespaces of its own
    command = ["bwrap", "--unshare-all", "--unshare-user", *nobody, "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--tmpfs", "/tmp"]
    for place in read:
        if not place.startswith("/proc/"):
            command += ["--ro-bind-try", place, place]
    command += ["--proc", "/proc", "--dev", "/dev", "--ro-bind" if own_disks else "--bind", str(folder), str(folder)]
    return command + ["--tmpfs", f"{folder}/work", "--chdir", f"{folder}/work"]


def shut_in(layers, read, write, limits):
    """Put on every layer but the namespaces, for good. Call it in the process that will run the code."""
    _libc().prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS: no program can win rights back
    if layers.limits:
        set_limits(limits, layers.namespaces)
    if layers.landlock:
        hide_files(read, write)
    if layers.namespaces or layers.seccomp:
        drop_capabilities()
    if layers.seccomp:
        forbid_calls()


# -------------------------------------------------------------------------------------------------------- one by one


def enter_namespaces():
    """A user, network, process, IPC and mount namespace of one's own. The next child is process 1 in it: with it all ends."""
    user, group = os.getuid(), os.getgid()
    _checked(_libc().unshare(NAMESPACES), "namespaces")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{NOBODY} {user} 1"), ("gid_map", f"{NOBODY} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    _checked(_libc().mount(b"none", b"/", None, ctypes.c_ulong(MS_PRIVATE), None), "a private view of the disks")


def mount_disk(folder, size):
    """An empty disk in memory over `folder`, seen by this process and its children only."""
    options = f"size={size},mode=0700,nr_inodes=10000".encode()
    _checked(_libc().mount(b"tmpfs", os.fsencode(folder), b"tmpfs", ctypes.c_ulong(MS_NOSUID_NODEV), options), "a disk in memory")


def die_with_parent():
    """Have the kernel kill this process when the one that made it ends."""
    if sys.platform.startswith("linux"):
        _libc().prctl(1, signal.SIGKILL, 0, 0, 0)


def adopt_orphans():
    """Become the parent of whatever a dying child leaves behind (so that it can be ended)."""
    if sys.platform.startswith("linux"):
        _libc().prctl(36, 1, 0, 0, 0)


def set_limits(limits, in_namespace):
    """Limits by the kernel. The number of processes counts a whole user outside a namespace: there it is left out."""
    import resource

    used = _status("VmData") * 1024
    wanted = {
        resource.RLIMIT_DATA: used + limits.memory + limits.chart_memory,
        resource.RLIMIT_CPU: int(2 * limits.notebook_seconds) + 60,  # the last resort; the engine's own limits come first
        resource.RLIMIT_FSIZE: limits.file_size,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CORE: 0,
    }
    if in_namespace:
        wanted[resource.RLIMIT_NPROC] = limits.processes
    for kind, value in wanted.items():
        _, most = resource.getrlimit(kind)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))


def count_processes(process, most):
    """Root has no limit of processes of its own, so a control group counts them. Its folder, or None if there is none to be had."""
    groups = _groups() if _is_root() else None
    if groups is None or process == 0:  # it has ended already; and 0 would mean this process here
        return None
    group = groups / f"grading-{os.getpid()}-{process}"
    group.mkdir(exist_ok=True)
    (group / "pids.max").write_text(str(most))
    with contextlib.suppress(OSError):  # it has ended already
        (group / "cgroup.procs").write_text(str(process))
    return group


def remove_group(group, seconds=5):
    """Remove a control group, once the last of its processes has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.01)


def hide_files(read, write):
    """Landlock: of all files only those below `read` can be read and run, only those below `write` changed."""
    version = _landlock_version()
    if version < 1:
        raise ConfinementError("Landlock is not there")
    all_rights = (1 << 13) - 1 | (1 << 13 if version >= 2 else 0) | (1 << 14 if version >= 3 else 0) | (1 << 15 if version >= 5 else 0)
    fields = [all_rights, 3 if version >= 4 else 0, 3 if version >= 6 else 0]  # files; TCP bind, connect; abstract sockets, signals
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = _call(444, struct.pack("QQQ", *fields), ctypes.c_size_t(size), 0)
    _checked(rules, "Landlock")
    look, run, change = 1 << 2 | 1 << 3, 1, all_rights & ~(1 << 6 | 1 << 11 | 1 << 15)
    places = [(each, look | run) for each in read] + [(each, change) for each in write] + [(each, 1 << 1 | 1 << 2) for each in DEVICES]
    for place, rights in places:
        try:
            fd = os.open(place, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        if not os.path.isdir(place):
            rights &= 1 | 1 << 1 | 1 << 2 | (1 << 14 if version >= 3 else 0)
        _checked(_call(445, rules, 1, struct.pack("=Qi", rights, fd), 0), f"Landlock for {place}")
        os.close(fd)
    _checked(_call(446, rules, 0), "Landlock")
    os.close(rules)


def forbid_calls():
    """seccomp: the calls of CALLS fail with "not permitted", in this process and all that it starts."""
    column, architecture = ARCHITECTURES[platform.machine()]
    program = seccomp_program(column, architecture)
    _libc().prctl(38, 1, 0, 0, 0)
    text = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(text))
    _checked(_libc().prctl(22, 2, header, 0, 0), "seccomp")


def seccomp_program(column, architecture):
    """The filter as bytes: eight for each instruction of the kernel's small machine (BPF)."""
    load, jump_equal, jump_at_least, jump_any_bit, give = 0x20, 0x15, 0x35, 0x45, 0x06
    permit, refuse, unknown, kill = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38, 0x80000000

    def step(code, value, if_true=0, if_false=0):
        return struct.pack("HBBI", code, if_true, if_false, value)

    program = [step(load, 4), step(jump_equal, architecture, 1, 0), step(give, kill), step(load, 0)]
    if column == 0:
        program += [step(jump_at_least, X32, 0, 1), step(give, refuse)]
    for numbers in CALLS.values():
        program += [step(jump_equal, numbers[column], 0, 1), step(give, refuse)]
    # clone3 hides its flags from a filter; told that it doesn't exist, libraries fall back on clone
    program += [step(jump_equal, CLONE3[column], 0, 1), step(give, unknown)]
    program += [step(jump_equal, CLONE[column], 0, 3), step(load, 16), step(jump_any_bit, NEW_NAMESPACE_FLAGS, 0, 1), step(give, refuse)]
    program += [step(load, 0)]
    # nobody may undo die_with_parent
    program += [step(jump_equal, PRCTL[column], 0, 3), step(load, 16), step(jump_equal, 1, 0, 1), step(give, refuse)]
    return b"".join([*program, step(give, permit)])


def drop_capabilities():
    """Give up all of root's powers, also those that root of a namespace has."""
    column, _ = ARCHITECTURES[platform.machine()]
    _call(CAPSET[column], struct.pack("Ii", 0x20080522, 0), struct.pack("IIIIII", *[0] * 6))


# ------------------------------------------------------------------------------------------------------------- helpers


@functools.cache
def _libc():
    return ctypes.CDLL(None, use_errno=True)


def _call(number, *arguments):
    return _libc().syscall(ctypes.c_long(number), *arguments)


def _checked(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise ConfinementError(number, f"{what}: {os.strerror(number)}")
    return result


def _is_root():
    return hasattr(os, "geteuid") and os.geteuid() == 0


@functools.cache
def _groups():
    """The folder in which control groups that count processes can be made (version 1 or 2 of them), or None."""
    for groups in (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup")):
        trial = groups / f"grading-{os.getpid()}-trial"
        try:
            trial.mkdir()
        except OSError:
            continue
        counts = (trial / "pids.max").exists()
        trial.rmdir()
        if counts:
            return groups
    return None


def _landlock_version():
    return max(0, _call(444, None, ctypes.c_size_t(0), 1))


def _status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(f"{name}:"))


def _bubblewrap_works(namespaces):
    """Whether bubblewrap is installed, may build the wall, and leaves room behind it for the namespaces of each submission."""
    if not shutil.which("bwrap"):
        return False
    code = f"from mystique.grading import confine; {namespaces} and confine.enter_namespaces()"
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/work")
        command = [*wall(readable_places(PACKAGE), folder, own_disks=True), sys.executable, "-I", "-B", "-c", code]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


def _works(layer):
    """Whether a layer can be put on, tried in a child."""
    child = os.fork()
    if child == 0:
        try:
            _libc().prctl(38, 1, 0, 0, 0)
            layer()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0
