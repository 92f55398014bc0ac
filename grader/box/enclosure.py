"""A view of this machine for a local slot: the interpreter, its libraries, the data; no more.

Run by the judge as ``python -m grader.box.enclosure CONFIG`` (JSON, see `Config`). It leaves for
new mount, pid, ipc, uts and network namespaces (and a user namespace when it isn't root), builds a
root of read-only binds on a tmpfs, pivots into it, drops to an unprivileged uid and executes the
zygote. The home directory, the course directory and the hidden suite are not in that root.

As root the binds are made before the uid is dropped: the interpreter may lie under a folder that
only root can enter.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from grader.box import linux
from grader.wire.environment import BEFORE_FORKS

ROOT_UID = 0
SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin")
ETC = (
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "alternatives",
    "fonts",
    "localtime",
    "mime.types",
)
LARGE_PAGES = "/sys/kernel/mm/transparent_hugepage"
"""Where the C library reads whether the kernel has them; but for the slot's own counts, nothing
else of /sys is seen."""
DEVICES = ("null", "zero", "full", "random", "urandom")
GPU_DEVICES = ("nvidia*", "dri")
CODE = "/opt/grader-box"
_RO = linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY | linux.MS_NOSUID


@dataclass(frozen=True)
class Config:
    """What the judge asks for."""

    base: str
    """An existing empty folder on which the new root is built."""
    prefixes: dict[str, str]
    """Where the interpreter and its libraries are, and where the box sees them."""
    interpreter: str
    code: str
    """The installed `grader` package, of which only wire and box are copied."""
    hide: list[str]
    """Folders that must not be seen even when they lie under a bound one."""
    data: str
    uid: int
    tmp_bytes: int
    gpu: str
    arguments: list[str]
    groups: list[str]
    """Folders of the control groups that bound it."""
    counted_by: str
    """The folder of the group that counts its memory; `scope`: the one that it was started in."""
    processors: list[int]
    """Those that it may use, where no group bounds them; none: all."""


def main() -> None:
    """Enclose this process and become the zygote."""
    config = Config(**json.loads(sys.argv[1]))
    os.umask(0o022)  # under root's 077 the uid that comes later could enter no folder made here
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    as_root = os.getuid() == ROOT_UID
    counted_by = _join_groups(config)
    _leave_namespaces(as_root=as_root)
    child = os.fork()
    if child:
        signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
        for standard in (0, 1):
            os.close(standard)  # else the judge would never see the stream end
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    _build_root(config, counted_by)
    linux.bring_up_loopback()
    if as_root:
        os.setgroups([])
        os.setresgid(config.uid, config.uid, config.uid)
        os.setresuid(config.uid, config.uid, config.uid)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of uid clears it
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.drop_capabilities()
    os.closerange(3, 65_536)
    os.execve(config.interpreter, _command(config), _environment(config))  # noqa: S606


def _join_groups(config: Config) -> str:
    """Be bounded from here on, with all that is started; returns what counts the memory."""
    for folder in config.groups:
        Path(folder, "cgroup.procs").write_text("0")
    if config.processors:
        os.sched_setaffinity(0, config.processors)
    if config.counted_by != "scope":
        return config.counted_by
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    own = next(line.removeprefix("0::") for line in lines if line.startswith("0::"))
    return f"/sys/fs/cgroup{own}"


def _leave_namespaces(*, as_root: bool) -> None:
    uid, gid = os.getuid(), os.getgid()
    flags = linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWIPC
    flags |= linux.CLONE_NEWUTS | linux.CLONE_NEWNET
    linux.unshare(flags if as_root else flags | linux.CLONE_NEWUSER)
    if not as_root:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


_START = """
import runpy, sys
sys.path.insert(0, sys.argv.pop(1))
runpy.run_module("grader.box.zygote", run_name="__main__", alter_sys=True)
"""
# -I keeps every path but the interpreter's own out of sys.path; ours is put in by hand.


def _command(config: Config) -> list[str]:
    return [config.interpreter, "-I", "-B", "-c", _START, CODE, *config.arguments]


def _environment(config: Config) -> dict[str, str]:
    return {
        "PATH": f"{Path(config.interpreter).parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/tmp",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        **BEFORE_FORKS,
        "TORCHINDUCTOR_CACHE_DIR": "/tmp/inductor",
        "CUDA_VISIBLE_DEVICES": config.gpu,
    }


def _build_root(config: Config, counted_by: str) -> None:
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    root = config.base
    linux.mount("tmpfs", root, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=64m")
    for folder in SYSTEM:
        _bind_system(folder, root)
    for name in ETC:
        _bind(f"/etc/{name}", root)
    with suppress(OSError):  # it would only be slower; its files are root's to write
        _bind(LARGE_PAGES, root, flags=linux.MS_NOEXEC)
    if counted_by:
        version_2 = Path(counted_by, "memory.max").exists()
        place = "/sys/fs/cgroup" if version_2 else "/sys/fs/cgroup/memory"
        _bind(counted_by, root, place, flags=linux.MS_NOEXEC)  # to be read, by the zygote
    for prefix, seen_at in config.prefixes.items():
        _bind(prefix, root, seen_at)
    Path(root, "etc/passwd").write_text(f"student:x:{config.uid}:{config.uid}::/tmp:/bin/sh\n")
    Path(root, "etc/group").write_text(f"student:x:{config.uid}:\n")
    Path(root, "etc/hosts").write_text("127.0.0.1 localhost\n")
    for folder in config.hide:
        # One that only holds a bound folder (a course with its .venv inside) shows no more than it.
        around = any(seen.startswith(folder + "/") for seen in config.prefixes.values())
        if Path(root + folder).is_dir() and not around:
            linux.mount("tmpfs", root + folder, "tmpfs", linux.MS_RDONLY, "size=4k,mode=755")
    _copy_code(Path(config.code), Path(root + CODE) / "grader")
    if config.data:
        Path(root, "box-data").mkdir()
        linux.mount(config.data, f"{root}/box-data", None, linux.MS_BIND)
        linux.mount(None, f"{root}/box-data", None, _RO | linux.MS_NODEV | linux.MS_NOEXEC)
    _make_devices(root, gpu=bool(config.gpu))
    _mount_temporary(root, config.tmp_bytes)
    _enter(root)


def _bind_system(folder: str, root: str) -> None:
    path = Path(folder)
    if path.is_symlink():  # /bin -> usr/bin on merged systems
        Path(root + folder).symlink_to(path.readlink())
    elif path.is_dir():
        _bind(folder, root)


def _bind(path: str, root: str, seen_at: str = "", *, flags: int = 0) -> None:
    source, target = Path(path), Path(root + (seen_at or path))
    if not source.exists() or target.exists():
        return
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    linux.mount(path, str(target), None, linux.MS_BIND)
    linux.mount(None, str(target), None, _RO | linux.MS_NODEV | flags)


def _copy_code(package: Path, target: Path) -> None:
    target.mkdir(parents=True)
    Path(target, "__init__.py").write_bytes(Path(package, "__init__.py").read_bytes())
    for room in ("wire", "box"):
        Path(target, room).mkdir()
        for file in sorted(Path(package, room).glob("*.py")):
            Path(target, room, file.name).write_bytes(file.read_bytes())


def _make_devices(root: str, *, gpu: bool) -> None:
    dev = Path(root, "dev")
    dev.mkdir()
    names = list(DEVICES)
    if gpu:
        names += [str(p.relative_to("/dev")) for g in GPU_DEVICES for p in Path("/dev").glob(g)]
    for name in names:
        target = dev / name
        if Path("/dev", name).is_dir():
            target.mkdir()
        else:
            target.touch()
        linux.mount(f"/dev/{name}", str(target), None, linux.MS_BIND | linux.MS_REC)
    for name, link in (
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ):
        (dev / name).symlink_to(link)
    (dev / "shm").mkdir(mode=0o1777)
    (dev / "pts").mkdir()


def _mount_temporary(root: str, size: int) -> None:
    flags = linux.MS_NOSUID | linux.MS_NODEV
    options = f"size={size},nr_inodes=50000,mode=1777"
    Path(root, "tmp").mkdir()
    linux.mount("tmpfs", f"{root}/tmp", "tmpfs", flags, options)
    linux.mount("tmpfs", f"{root}/dev/shm", "tmpfs", flags | linux.MS_NOEXEC, options)
    Path(root, "proc").mkdir()
    linux.mount("proc", f"{root}/proc", "proc", flags | linux.MS_NOEXEC)


def _enter(root: str) -> None:
    os.chdir(root)
    linux.pivot_root(".", ".")
    linux.unmount(".", linux.MNT_DETACH)
    os.chdir("/")
    read_only = linux.MS_REMOUNT | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV
    linux.mount(None, "/", None, read_only)
    socket.sethostname("box")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.stderr.write(f"enclosure: {error}\n")
        sys.exit(71)
