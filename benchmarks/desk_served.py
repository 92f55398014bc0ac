"""A desk under measurement: its processes, what they cost, and how a row of the table is said."""

from __future__ import annotations

import os
import re
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from measuring import descendants, read

from grader.desk.courses import Desk
from grader.desk.people import Role
from tests.helpers.desk_load import (
    Seat,
    free_port,
    kept,
    opened,
    seats,
    until_it_answers,
    web_process,
)


class Row(NamedTuple):
    """One line of the table; `cpu` is what an answer costs the web processes."""

    figure: str
    goal: str
    measured: str
    cpu: str = ""


def quantile(values: list[float], part: float) -> float:
    """The value that `part` of all do not exceed."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def said(values: list[float]) -> str:
    """p50 and p95, in words."""
    p50, p95 = statistics.median(values), quantile(values, 0.95)
    unit = ("ms", 1000) if p95 < 1 else ("s", 1)
    form = "{:.0f}" if unit[0] == "ms" else "{:.2f}"
    return f"p50 {form.format(p50 * unit[1])}, p95 {form.format(p95 * unit[1])} {unit[0]}"


class Served:
    """A desk with its people signed in."""

    def __init__(self, root: Path, *options: str) -> None:
        self.root = root
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.web = web_process(root, self.port, *options)
        self.desk: Desk = opened(root, self.origin)

    def seats(self, people: list[str] | None = None) -> list[Seat]:
        """Browsers of the class, or of these people."""
        return seats(self.desk, self.origin, people)

    def staff(self, person: str) -> Seat:
        """The browser of somebody of the staff."""
        self.desk.courses["course"].people.put(person, name=person, role=Role.INSTRUCTOR)
        return seats(self.desk, self.origin, [person])[0]

    def cpu_s(self) -> float:
        """Processor seconds that the web processes have used so far."""
        assert self.web.pid is not None
        return cpu_of(self.web.pid)

    @contextmanager
    def running(self, *engines: object) -> Iterator[None]:
        """The desk's processes."""
        with kept(self.web, *engines):  # type: ignore[arg-type]
            until_it_answers(self.origin)
            yield


def memory(pid: int | None) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def per_answer(used_s: float, answers: int) -> str:
    """Processor time of one answer, in words."""
    return f"{1000 * used_s / answers:.{0 if used_s / answers > 0.02 else 1}f} ms"


def cpu_of(pid: int) -> float:
    """Processor seconds that a process and those below it have used so far."""
    return sum(_cpu_s(one) for one in {pid} | descendants(pid))


def _cpu_s(pid: int) -> float:
    # After the name, which may hold anything, in parentheses: man 5 proc_pid_stat.
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0
