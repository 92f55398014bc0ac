"""What a session uses: the memory that it holds, mapped or not, and processor time.

The zygote looks at it. Where a control group of the slot's own counts memory, it is what that holds
beyond the warm libraries, without the pages of files, which the kernel can drop. Else it is put
together from what can be seen in /proc; the jail's filter then refuses the calls for memory that
can't be seen there.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

_OOM_FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
_SHARED = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) \S{3}s ([0-9a-f]+) (\S+) (\d+) +/dev/zero ", re.M)


class ControlGroup:
    """The slot's own control group, as it is seen in a container or enclosure."""

    def __init__(self, root: Path = Path("/sys/fs/cgroup")) -> None:
        first = (root / "memory.current", root / "memory.stat", "file", "shmem")
        old = root / "memory"
        second = (old / "memory.usage_in_bytes", old / "memory.stat", "total_cache", "total_shmem")
        self._usage, self._stat, self._files, self._shared = first if first[0].exists() else second

    def held(self) -> int | None:
        """Bytes that can't be dropped, the kernel's own among them; None: nothing counts them."""
        try:
            usage = int(self._usage.read_text())
            lines = self._stat.read_text().splitlines()
        except (OSError, ValueError):
            return None
        numbers = dict(line.split() for line in lines if line.count(" ") == 1)
        # Memory files and tmpfs are among the files' pages, and stay.
        dropped = int(numbers.get(self._files, 0)) - int(numbers.get(self._shared, 0))
        return usage - dropped - int(numbers.get("slab_reclaimable", 0))


class MemoryWatch:
    """Compares what a session has beyond the warm libraries with its limit."""

    def __init__(self, limit_bytes: int, *, counted: bool = False, private: bool = False) -> None:
        self._limit = limit_bytes
        self._group = ControlGroup() if counted else None
        self._private = private
        self._shared = self._size = self._held = self._ours = 0
        self._kills = _kernel_kills()
        self._disk = self._memory_files = -1
        self.resident_at_start = 0
        self.peak = 0

    def start(self, pid: int) -> None:
        """Take what the child shares with the zygote as the baseline.

        Args:
            pid: of the child, before it runs a line of the submission.

        Raises:
            OSError: its places can't be looked at.
        """
        self._shared, self._size = own_bytes(pid), _status(pid).get("VmSize", 0)
        self.resident_at_start = resident(pid)
        if self._private:
            self._disk = os.open(f"/proc/{pid}/root/tmp", os.O_PATH | os.O_CLOEXEC)
            with suppress(FileNotFoundError):
                path = f"/proc/{pid}/root/dev/shm"
                self._memory_files = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if self._group is not None:
            held = self._group.held()
            if held is None:  # as where a runtime shows no such files: its group holds all the same
                self._group = None
            else:
                self._held = held - _used(self._disk)
                self._ours = own_bytes(os.getpid())

    def close(self) -> None:
        """Let go of the session's places."""
        for descriptor in (self._disk, self._memory_files):
            if descriptor >= 0:
                os.close(descriptor)
        self._disk = self._memory_files = -1

    def exceeded(self, pid: int) -> bool:
        """Look whether the session has more than it may."""
        if not pid:
            return False
        total = self._counted() if self._group is not None else self._seen()
        self.peak = max(self.peak, total)
        return total > self._limit

    def killed_by_kernel(self) -> bool:
        """Whether the kernel's oom killer has struck in this container since the start."""
        if _kernel_kills() == self._kills:
            return False
        self.peak = max(self.peak, self._limit)
        return True

    def _counted(self) -> int:
        """By the group: all but the files on its disk, and what waits here to be passed on."""
        held = self._group.held() if self._group is not None else None
        if held is None:
            return self._limit + 1  # it was there before
        ours = max(own_bytes(os.getpid()) - self._ours, 0)
        return max(held - self._held - _used(self._disk) - ours, 0)

    def _seen(self) -> int:
        """By its processes, and its memory files whether they are mapped or not."""
        # All below the zygote are of this session; an orphan may hang directly below it.
        processes = [_status(p) for p in descendants(os.getpid())]
        if self._memory_files < 0:
            return sum(max(_own(p) - self._shared, 0) for p in processes)
        own = sum(max(_own(p) - p.get("RssShmem", 0) - self._shared, 0) for p in processes)
        own += _used(self._memory_files)
        # Shared pages of no file stay when a process lets go of them but not of their addresses.
        room = sum(max(p.get("VmSize", 0) - self._size, 0) for p in processes)
        if own + room <= self._limit:
            return own
        return own + _shared_without_file([p["Pid"] for p in processes if "Pid" in p])


def own_bytes(pid: int) -> int:
    """Anonymous and shared-memory pages of a process and their tables; 0 when it is gone."""
    return _own(_status(pid))


def _own(status: dict[str, int]) -> int:
    return sum(status.get(name, 0) for name in ("RssAnon", "RssShmem", "VmPTE"))


def _used(descriptor: int) -> int:
    """Bytes in use on the file system of an open folder; 0 where there is none."""
    if descriptor < 0:
        return 0
    found = os.fstatvfs(descriptor)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def _shared_without_file(pids: list[int]) -> int:
    """Bytes of all shared anonymous mappings, touched or not, each counted once."""
    ends: dict[tuple[str, str], int] = {}
    for pid in pids:
        try:
            maps = Path(f"/proc/{pid}/maps").read_text()
        except OSError:
            continue
        for start, end, offset, device, inode in _SHARED.findall(maps):
            size = int(offset, 16) + int(end, 16) - int(start, 16)
            ends[device, inode] = max(ends.get((device, inode), 0), size)
    return sum(ends.values())


def resident(pid: int) -> int:
    """All resident bytes of a process; 0 when it is gone."""
    return _status(pid).get("VmRSS", 0)


def processor_ticks(pid: int) -> int:
    """The processor time of a process, in ticks of the kernel's clock; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def descendants(pid: int) -> list[int]:
    """Every process below `pid`, as far as this process may see."""
    parents: dict[int, list[int]] = {}
    try:
        entries = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
    except OSError:
        return []
    for entry in entries:
        try:
            stat = Path(f"/proc/{entry}/stat").read_text()
        except OSError:
            continue
        parent = int(stat.rpartition(")")[2].split()[1])
        parents.setdefault(parent, []).append(entry)
    found: list[int] = []
    queue = [pid]
    while queue:
        children = parents.get(queue.pop(), [])
        found += children
        queue += children
    return found


def _status(pid: int) -> dict[str, int]:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    numbers = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        parts = rest.split()
        if len(parts) == 2 and parts[1] == "kB":
            numbers[name] = int(parts[0]) * 1024
        elif name == "Pid":
            numbers[name] = int(rest)
    return numbers


def _kernel_kills() -> int:
    for file in _OOM_FILES:
        try:
            lines = Path(file).read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, number = line.partition(" ")
            if name == "oom_kill":
                return int(number)
    return 0
