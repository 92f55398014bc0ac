"""What a command costs: wall clock, CPU of everything it had done, peak memory.

CPU is that of a control group in which the command runs, with that of every container and of the
engine. What a process tree adds up when its processes are waited for would not do: of a jail that
is killed nobody hears. On a machine that others use at the same time `other_cpu_s` says how busy
they were: then CPU can be trusted, wall clock cannot.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
_CGROUPS = Path("/sys/fs/cgroup")
_DOCKER_CPU = (
    _CGROUPS / "cpuacct" / "docker",  # version 1
    _CGROUPS / "docker",  # version 2
    _CGROUPS / "system.slice",
)
_ENGINE = ("dockerd", "containerd", "containerd-shim")


@dataclass(frozen=True)
class Cost:
    """One run of one command."""

    wall_s: float
    cpu_s: float
    other_cpu_s: float
    peak_memory_bytes: int

    def as_dict(self) -> dict[str, float]:
        """Rounded, for JSON."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def run(
    command: Sequence[str | Path], *, cwd: Path, log: Path, env: dict[str, str], containers: bool
) -> Cost:
    """Run a command to its end and measure it.

    Raises:
        SystemExit: it failed; the log's end is shown.
    """
    engine, busy, known = engine_seconds(), busy_seconds(), zygotes()
    began = time.monotonic()
    with log.open("wb") as file, control_group() as group:
        process = subprocess.Popen(
            ["sh", "-c", f'echo $$ >{group}/cgroup.procs && exec "$@"', "sh", *map(str, command)],
            cwd=cwd,
            env={**os.environ, **env},
            stdout=file,
            stderr=file,
        )
        memory = _PeakMemory(process.pid, known if containers else None)
        process.wait()
        wall = time.monotonic() - began
        peak = memory.stop()
        cpu = group_seconds(group)
    if process.returncode:
        raise SystemExit(f"{command} failed:\n{log.read_text(errors='replace')[-3000:]}")
    cpu += engine_seconds() - engine if containers else 0.0
    other = max(busy_seconds() - busy - cpu, 0.0)
    return Cost(wall, cpu, other, peak)


def busy_seconds() -> float:
    """CPU seconds that this machine has been busy since it was started."""
    fields = [int(f) for f in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq, *_ = fields
    return (user + nice + system + irq + softirq) / TICK


@contextmanager
def control_group() -> Iterator[Path]:
    """A control group of the command's own."""
    parent = _CGROUPS / "cpuacct" if (_CGROUPS / "cpuacct").is_dir() else _CGROUPS
    group = parent / f"grader-bench-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        raise SystemExit(
            f"{error}: CPU is read from a control group; only root makes one"
        ) from None
    try:
        yield group
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    """Remove it once the last of its processes is gone; what is left then stays."""
    for _ in range(100):
        try:
            group.rmdir()
            return
        except OSError:
            time.sleep(0.05)


def group_seconds(group: Path) -> float:
    """What the processes of a control group have used, of either version."""
    nanoseconds = group / "cpuacct.usage"
    if nanoseconds.exists():
        return int(nanoseconds.read_text()) / 1e9
    return int((group / "cpu.stat").read_text().split("usage_usec ")[1].split()[0]) / 1e6


def engine_seconds() -> float:
    """CPU seconds of the container engine, and of all that has run in containers."""
    docker = next((group for group in _DOCKER_CPU if group.exists()), None)
    total = group_seconds(docker) if docker is not None else 0.0
    for pid in pids():
        name = read(f"/proc/{pid}/comm").strip()
        if name in _ENGINE:
            fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            total += sum(map(int, fields[11:13])) / TICK if len(fields) > 13 else 0.0
    return total


def pids() -> list[int]:
    """The processes of this machine."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def parents() -> dict[int, int]:
    """The parent of each process."""
    found = {}
    for pid in pids():
        fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        if fields:
            found[pid] = int(fields[1])
    return found


def descendants(root: int) -> set[int]:
    """The children of a process, their children, and so on."""
    up_of = parents()
    found = {root}
    while more := {pid for pid, up in up_of.items() if up in found} - found:
        found |= more
    return found - {root}


def read(file: str) -> str:
    """A file's text; nothing where the process has ended meanwhile."""
    try:
        return Path(file).read_text(errors="replace")
    except OSError:
        return ""


def zygotes() -> set[int]:
    """The processes of boxes, in containers or not."""
    return {pid for pid in pids() if "grader.box.zygote" in read(f"/proc/{pid}/cmdline")}


class _PeakMemory:
    """Looks twice a second at the private and shared memory (PSS) of a process tree."""

    def __init__(self, root: int, known_zygotes: set[int] | None) -> None:
        self._root, self._known = root, known_zygotes
        self._peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """The most that was seen, in bytes."""
        self._stop.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            self._peak = max(self._peak, sum(map(proportional_bytes, self._members())))

    def _members(self) -> set[int]:
        found = descendants(self._root) | {self._root}
        return found if self._known is None else found | (zygotes() - self._known)


def proportional_bytes(pid: int) -> int:
    """The memory of a process, with its share of what it has in common with others (PSS)."""
    for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
