"""What a session uses: its processes' own pages and processor time, read by the zygote."""

from __future__ import annotations

from pathlib import Path

_OOM_FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


class MemoryWatch:
    """Compares what a session has beyond the warm libraries with its limit."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._shared = 0
        self._kills = _kernel_kills()
        self.resident_at_start = 0
        self.peak = 0

    def start(self, pid: int) -> None:
        """Take what the child shares with the zygote as the baseline."""
        self._shared = own_bytes(pid)
        self.resident_at_start = resident(pid)

    def exceeded(self, pid: int) -> bool:
        """Look whether the session has more than it may."""
        if not pid:
            return False
        total = sum(max(own_bytes(p) - self._shared, 0) for p in (pid, *descendants(pid)))
        self.peak = max(self.peak, total)
        return total > self._limit

    def killed_by_kernel(self) -> bool:
        """Whether the kernel's oom killer has struck in this container since the start."""
        return _kernel_kills() > self._kills


def own_bytes(pid: int) -> int:
    """Anonymous and shared-memory pages of a process; 0 when it is gone."""
    return sum(_status(pid).get(name, 0) for name in ("RssAnon", "RssShmem"))


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
