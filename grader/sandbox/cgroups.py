"""A control group for each local slot: the kernel counts its memory, processors and processes.

Whoever may make groups does it directly: root, and who was given a subtree (cgroup v1 and v2). An
ordinary user asks the systemd of the session for a scope. Source of the files' names: Linux
`Documentation/admin-guide/cgroup-v1/` and `cgroup-v2.rst`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path

from grader.sandbox.owners import process_lives

PREFIX = "grader-slot-"
CONTROLLERS = ("memory", "cpu", "pids")
_PERIOD_US = 100_000
_TRIES = 3
_END_S = 30.0
"""What was killed is gone at once on a quiet machine; a busy one takes seconds to get to it."""
_BUS_S = 10.0
_TOP = "grader"
"""On a machine of cgroup v2 root's groups lie in one of their own beside systemd's slices."""
_JOIN = 'for f; do echo 0 > "$f/cgroup.procs" || exit 1; done'
_SEEN = """\
f=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)
for c in memory cpu pids; do grep -q '^[0-9]' $f/$c.max && echo $c; done; true
"""
_numbers = count()


@dataclass(frozen=True, kw_only=True)
class GroupLimits:
    """What all processes of a slot may use together."""

    memory_bytes: int
    cpus: float
    processes: int


@dataclass(frozen=True)
class CgroupParent:
    """Where groups with a controller can be made."""

    version: int
    parent: Path


@dataclass(kw_only=True)
class SlotGroup:
    """The group of one slot, perhaps one in each of several hierarchies, or a scope of systemd."""

    places: dict[str, CgroupParent]
    """By controller; a controller that can't be had is not in it."""
    name: str = field(default_factory=lambda: f"{PREFIX}{os.getpid()}-{next(_numbers)}")

    @property
    def folders(self) -> list[Path]:
        """The folders of the group, none twice."""
        return list(dict.fromkeys(p.parent / self.name for p in self.places.values()))

    @property
    def memory_folder(self) -> Path | None:
        """Where its memory is counted."""
        place = self.places.get("memory")
        return None if place is None else place.parent / self.name

    @property
    def memory_version(self) -> int:
        """Of the cgroup that counts its memory; 0: none does."""
        return self.places["memory"].version if "memory" in self.places else 0

    def bound_memory(self, limit_bytes: int) -> None:
        """Set how much memory all processes of the slot may hold together, swap included."""
        place = self.places.get("memory")
        if place is None:
            return
        folder = place.parent / self.name
        if place.version == 2:
            _write(folder / "memory.max", limit_bytes)
            with suppress(OSError):  # a kernel without swap has no such file
                _write(folder / "memory.swap.max", 0)
            return
        swap = folder / "memory.memsw.limit_in_bytes"
        plain = folder / "memory.limit_in_bytes"
        # Each must stay on its side of the other: the smaller one is lowered first, raised last.
        lower = int(plain.read_text()) >= limit_bytes
        for file in (plain, swap) if lower else (swap, plain):
            if file.exists():
                _write(file, limit_bytes)

    def remove(self) -> None:
        """Remove the group; what still runs in it is ended."""
        for folder in self.folders:
            _remove(folder)
        for place in self.places.values():
            if place.parent.name == _TOP:
                with suppress(OSError):  # another slot is in it
                    place.parent.rmdir()


def make_group(bounds: GroupLimits) -> SlotGroup:
    """A group with as many controllers as can be had here, perhaps none."""
    group = SlotGroup(places={})
    for controller, candidates in find_places().items():
        for place in candidates:
            unified = [p.parent for p in group.places.values() if p.version == place.version == 2]
            if unified and place.parent not in unified:
                continue  # of one hierarchy a process is in one group
            if _add(group, controller, place, bounds):
                break
    return group


def _add(group: SlotGroup, controller: str, place: CgroupParent, bounds: GroupLimits) -> bool:
    folder = place.parent / group.name
    existed = folder in group.folders
    try:
        _make(place, folder)
        group.places[controller] = place
        _bound(group, controller, bounds)
        _try_to_join(folder)
    except (OSError, ValueError):
        group.places.pop(controller, None)
        if not existed:
            _remove(folder)
        return False
    return True


def find_places(mounts: str | None = None, own: str | None = None) -> dict[str, list[CgroupParent]]:
    """Where groups might be made, by controller, the best first.

    Args:
        mounts: of /proc/self/mountinfo.
        own: of /proc/self/cgroup.
    """
    try:
        mounts = Path("/proc/self/mountinfo").read_text() if mounts is None else mounts
        own = Path("/proc/self/cgroup").read_text() if own is None else own
    except OSError:
        return {}
    paths: dict[str, str] = {}
    for line in own.splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            paths[name] = path
    found: dict[str, list[CgroupParent]] = {name: [] for name in CONTROLLERS}
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        root, mount = before.split()[3:5]
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup":
            for name in set(options.split(",")) & set(CONTROLLERS):
                here = _below(mount, root, paths.get(name, "/"))
                found[name].append(CgroupParent(1, here))
        elif kind == "cgroup2":
            for place, offered in _unified(Path(mount), _below(mount, root, paths.get("", "/"))):
                for name in set(CONTROLLERS) & offered:
                    found[name].append(place)
    return found


def _below(mount: str, root: str, path: str) -> Path:
    """Where a group's path is seen, of a mount that may begin below the top."""
    top = root.rstrip("/")
    inside = path == root or path.startswith(top + "/")
    return Path(mount + (path[len(top) :].rstrip("/") if inside else ""))


def _unified(mount: Path, own: Path) -> Iterator[tuple[CgroupParent, set[str]]]:
    """Groups of cgroup v2 in which others with limits can be made, and with which controllers.

    Processes are only in groups without such others: ours can't serve, one above it may.
    """
    if not (mount / "cgroup.type").exists() and os.access(mount, os.W_OK):
        yield CgroupParent(2, mount / _TOP), _words(mount / "cgroup.controllers")
    folder = own
    while folder.is_relative_to(mount):
        if os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK):
            yield CgroupParent(2, folder), _words(folder / "cgroup.subtree_control")
        folder = folder.parent


def _words(file: Path) -> set[str]:
    try:
        return set(file.read_text().split())
    except OSError:
        return set()


def _make(place: CgroupParent, folder: Path) -> None:
    for tries in reversed(range(_TRIES)):
        try:
            if place.version == 2 and place.parent.name == _TOP:
                _make_top(place.parent)
            sweep(place.parent)
            folder.mkdir(exist_ok=True)
        except FileNotFoundError:  # the last slot of another batch has just gone, and the top
            if not tries:
                raise
        else:
            return


def _make_top(top: Path) -> None:
    top.mkdir(exist_ok=True)
    for folder in (top.parent, top):
        for name in CONTROLLERS:
            if name not in _words(folder / "cgroup.subtree_control"):
                with suppress(OSError):  # this one can't be had; the others may
                    (folder / "cgroup.subtree_control").write_text(f"+{name}")


def _bound(group: SlotGroup, controller: str, bounds: GroupLimits) -> None:
    place = group.places[controller]
    folder = place.parent / group.name
    if controller == "memory":
        group.bound_memory(bounds.memory_bytes)
    elif controller == "pids":
        _write(folder / "pids.max", bounds.processes)
    elif place.version == 2:
        _write(folder / "cpu.max", f"{int(bounds.cpus * _PERIOD_US)} {_PERIOD_US}")
    else:
        _write(folder / "cpu.cfs_period_us", _PERIOD_US)
        _write(folder / "cpu.cfs_quota_us", int(bounds.cpus * _PERIOD_US))


def _try_to_join(folder: Path) -> None:
    """Whether a process of ours may go there, tried with one that ends at once."""
    done = subprocess.run(["/bin/sh", "-c", _JOIN, "sh", str(folder)], capture_output=True)
    if done.returncode:
        raise PermissionError(f"no process may be moved to {folder}")


def _write(file: Path, value: int | str) -> None:
    # Never made: in a plain folder that only looks like a group nothing would be counted.
    descriptor = os.open(file, os.O_WRONLY)
    try:
        os.write(descriptor, str(value).encode())
    finally:
        os.close(descriptor)


def sweep(parent: Path) -> None:
    """Remove groups that outlived the process which made them."""
    for folder in parent.glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not process_lives(int(pid)):
            _remove(folder)


def _remove(folder: Path) -> None:
    until = time.monotonic() + _END_S
    while folder.is_dir():
        try:
            folder.rmdir()
        except OSError:  # what was killed is still on its way out
            if time.monotonic() > until:
                return
            for pid in _words(folder / "cgroup.procs") - {"0"}:  # 0: one that we can't name
                with suppress(OSError):
                    os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.01)


# -- a scope of systemd


@cache
def scope_controllers() -> frozenset[str]:
    """What systemd bounds in a scope of the user's session; nothing where there is none."""
    if os.getuid() == 0 or shutil.which("systemd-run") is None:
        return frozenset()
    command = scope_command(
        f"{PREFIX}{os.getpid()}-trial", GroupLimits(memory_bytes=1 << 30, cpus=1.0, processes=32)
    )
    try:
        done = subprocess.run(
            [*command, "/bin/sh", "-c", _SEEN],
            capture_output=True,
            text=True,
            timeout=_BUS_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    return frozenset(done.stdout.split()) & frozenset(CONTROLLERS)


def scope_command(name: str, bounds: GroupLimits) -> list[str]:
    """What to write before a command, so that it runs in a scope of its own."""
    return [
        "systemd-run",
        "--user",
        "--scope",
        "--quiet",
        "--collect",
        f"--unit={name}",
        f"--property=MemoryMax={bounds.memory_bytes}",
        "--property=MemorySwapMax=0",
        f"--property=CPUQuota={int(bounds.cpus * 100)}%",
        f"--property=TasksMax={bounds.processes}",
        "--",
    ]


def scope_environment() -> dict[str, str]:
    """What `systemd-run` needs to find the user's systemd."""
    names = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
    return {name: os.environ[name] for name in names if name in os.environ}
