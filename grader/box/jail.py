"""What a child does to itself before it sees a byte of a notebook.

The order matters, and every step fails closed: an `OSError` anywhere means that the session is
refused. Called by `zygote.spawn` in a freshly forked, single-threaded child.

The order, which `child.be_child` keeps: descriptors first, before anything else is opened; ids,
since a mount takes capabilities in the user namespace; mounts; limits; then what can't be taken
back, of which the filter is last, because it refuses what the steps before it need. "Attack X" is
the folder of that name in tests/attacks: it is stopped here, and succeeds against a weakened box.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from grader.box import linux, seccomp
from grader.wire.messages import Limits

CHANNEL = 3
_PRIVATE = linux.MS_NOSUID | linux.MS_NODEV
_INODES = 20_000
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "CUDA_VISIBLE_DEVICES")
_ADDRESS_SLACK = 2 << 30


NAMESPACES = (
    linux.CLONE_NEWUSER
    | linux.CLONE_NEWNS
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWIPC
    | linux.CLONE_NEWNET
)


@dataclass(frozen=True)
class Nest:
    """How much of the jail this place can have, and where its folders are."""

    namespaces: bool
    filter: bool
    counted: bool = False
    """Whether a control group of the slot's own counts its memory."""
    pinned: bool = False
    """Whether it was given some processors, which it must not leave for others."""
    scratch: str = "/tmp"
    data: str = "/box-data"
    uid: int = field(default_factory=os.getuid)
    gid: int = field(default_factory=os.getgid)

    @property
    def private(self) -> bool:
        """Whether /tmp and /dev/shm are file systems of the slot's or session's own."""
        return self.scratch == "/tmp"

    @property
    def work(self) -> Path:
        """The directory that the notebook runs in."""
        return Path(self.scratch, "work")


def keep_only(channel: int, report: int) -> int:
    """Close every inherited descriptor but the session's channel and the report pipe.

    A descriptor of the judge's stream or of another session would be a way out (attack
    steal/inherited-descriptors).
    Returns the number that the report pipe has now.
    """
    # At fixed numbers, so that one call closes all the others: a list of open ones, as /proc tells
    # it, would be of a moment.
    os.dup2(channel, CHANNEL, inheritable=False)
    kept = os.dup2(report, CHANNEL + 1, inheritable=False)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(CHANNEL + 2, 65_536)
    return kept


def keep_own_ids(nest: Nest) -> None:
    """Be the same uid and gid in the new user namespace as outside, and have no other there."""
    # Before gid_map: else a process could drop a group that denies it something (CVE-2014-8989,
    # user_namespaces(7)). One line in each map: whoever is root here is nobody.
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{nest.uid} {nest.uid} 1")
    Path("/proc/self/gid_map").write_text(f"{nest.gid} {nest.gid} 1")


def mount_private_places(disk_bytes: int) -> None:
    """Give the session its own /proc, /tmp, shared memory and message queues, all of them empty."""
    # First: of shared mounts, which are systemd's default, what follows would show outside, too
    # (mount_namespaces(7)).
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    # Of the new pid namespace: the old one shows the zygote, with its memory and its descriptors.
    linux.mount("proc", "/proc", "proc", _PRIVATE | linux.MS_NOEXEC)
    # Inodes, too: a million empty files are kernel memory that no size counts (tmpfs(5); attack
    # exhaust/inodes).
    options = f"size={disk_bytes},nr_inodes={_INODES},mode=1777"
    linux.mount("tmpfs", "/tmp", "tmpfs", _PRIVATE, options)
    if Path("/dev/shm").is_dir():
        linux.mount("tmpfs", "/dev/shm", "tmpfs", _PRIVATE | linux.MS_NOEXEC, options)
    if Path("/dev/mqueue").is_dir():
        # A container's own is shared by its sessions: one could leave the next a message there
        # (attack steal/notes-in-a-message-queue).
        linux.mount("mqueue", "/dev/mqueue", "mqueue", _PRIVATE | linux.MS_NOEXEC)


def make_work_directory(nest: Nest) -> None:
    """Make the directory that the notebook runs in, with the read-only data at ./data."""
    for folder in (nest.work, Path(nest.scratch, "home")):
        folder.mkdir(exist_ok=True)
    data = nest.work / "data"
    if Path(nest.data).is_dir() and not data.exists():
        if nest.namespaces:
            data.mkdir()
            linux.mount(nest.data, str(data), None, linux.MS_BIND)
            if not os.statvfs(data).f_flag & os.ST_RDONLY:
                # It is mounted read-only from outside; one session must not change it for another
                # (attack steal/notes-in-the-data).
                raise OSError(f"the data at {nest.data} can be written")
        else:
            data.symlink_to(nest.data)
    os.chdir(nest.work)


def set_limits(nest: Nest, limits: Limits) -> None:
    """Set the kernel's limits on this process and all that it starts."""
    bounds = {
        # A core may be piped to a program of the host, as root, outside every namespace (core(5));
        # such programs had holes (CVE-2015-1318, apport).
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_CPU: limits.cpu_s,
    }
    if sys.platform == "linux":
        # A second fence behind the watched memory: one allocation can't outrun the watch.
        address = _address_space() + limits.memory_bytes + _ADDRESS_SLACK
        bounds[resource.RLIMIT_AS] = address
    if nest.namespaces:
        # Without a user namespace the kernel counts every process of this uid, so that one
        # submission's fork bomb would starve another's slot; there the pids cgroup counts. In one
        # it is counted for each namespace since Linux 5.14 (kernel/ucount.c).
        bounds[resource.RLIMIT_NPROC] = limits.processes
    for kind, bound in bounds.items():
        hard = resource.getrlimit(kind)[1]
        value = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(kind, (value, value))


def close_behind(nest: Nest) -> None:
    """Give up privileges for good: first victim of the oom killer, no new rights, the filter."""
    if sys.platform != "linux":
        return
    # When memory is short the kernel takes a session, never the zygote or the judge (proc(5)).
    Path("/proc/self/oom_score_adj").write_text("1000")
    # Programs with the setuid bit, of which an image has several, run without it; and without
    # this no filter can be set by who is not root (seccomp(2)).
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    # In its user namespace this process was root until here: it could mount, and remount, again.
    linux.drop_capabilities()
    if nest.filter:
        seccomp.install(uncounted=not nest.counted, pinned=nest.pinned)


def reset_signals() -> None:
    """Forget the zygote's handlers: no wake-up descriptor, no ignored signals."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    # As Python itself has it: a write fails with an error that a cell can see.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def set_environment(nest: Nest) -> None:
    """Leave only what a notebook needs; nothing that the slot was started with."""
    kept = {k: os.environ[k] for k in _ENVIRONMENT if k in os.environ}
    os.environ.clear()  # an engine hands on what it has: a token (attack steal/environment)
    os.environ.update(
        kept,
        HOME=f"{nest.scratch}/home",
        USER="student",
        TERM="xterm-color",
        MPLBACKEND="module://matplotlib_inline.backend_inline",
        MPLCONFIGDIR=f"{nest.scratch}/home/matplotlib",
        CLICOLOR="1",
        # A pip that a cell starts by other ways than `!pip` must not try for a minute to reach out.
        PIP_NO_INDEX="1",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
    )


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()
