"""What the desk counts of its own work, for Prometheus: no name of anybody is in it.

Each web process counts for itself. Where there are several, each keeps its counts in a file of a
folder that they share, and whichever is asked adds all of them up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

import msgspec

BOUNDS_S = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


class Histogram(msgspec.Struct, kw_only=True):
    """How long requests took. `counts` is per bound of `BOUNDS_S`, and what took longer."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    total_s: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total_s += seconds

    def take(self, other: Histogram) -> None:
        """Add what another process has counted."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.total_s += other.total_s


class Counted(msgspec.Struct, kw_only=True):
    """What one process has counted since the desk was started."""

    requests: dict[str, Histogram] = msgspec.field(default_factory=dict)
    """By method and route, such as "GET /c/{course}/"."""
    answers: dict[str, int] = msgspec.field(default_factory=dict)
    """By the answer's hundred, such as "2xx"."""
    watchers: int = 0


class Counters:
    """The counts of this process.

    Args:
        file: where they are kept for the others; those of a process that was here before go on.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self.own = _read(file) if file is not None else Counted()

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self.own.requests.setdefault(route, Histogram()).add(seconds)
        kind = f"{status // 100}xx"
        self.own.answers[kind] = self.own.answers.get(kind, 0) + 1

    def keep(self) -> None:
        """Let the other processes read the counts."""
        if self._file is None:
            return
        partial = self._file.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(self.own))
        partial.replace(self._file)

    def all(self) -> Counted:
        """Return the counts of all processes, added up."""
        found = Counted()
        for one in self._each():
            found.watchers += one.watchers
            for route, histogram in one.requests.items():
                found.requests.setdefault(route, Histogram()).take(histogram)
            for kind, count in one.answers.items():
                found.answers[kind] = found.answers.get(kind, 0) + count
        return found

    def _each(self) -> Iterator[Counted]:
        yield self.own
        if self._file is not None:
            for path in self._file.parent.glob("*.json"):
                if path != self._file:
                    yield _read(path)


def _read(path: Path) -> Counted:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Counted)
    except (OSError, msgspec.DecodeError):
        return Counted()


def exposed(counted: Counted) -> Iterator[str]:
    """Yield lines as Prometheus reads them.

    The format: https://prometheus.io/docs/instrumenting/exposition_formats/
    """
    yield "# HELP grader_request_seconds How long an answer took, by route."
    yield "# TYPE grader_request_seconds histogram"
    for route, histogram in sorted(counted.requests.items()):
        label, below = f'route="{route}"', 0
        for bound, count in zip((*BOUNDS_S, "+Inf"), histogram.counts, strict=True):
            below += count
            yield f'grader_request_seconds_bucket{{{label},le="{bound}"}} {below}'
        yield f"grader_request_seconds_sum{{{label}}} {histogram.total_s:.6f}"
        yield f"grader_request_seconds_count{{{label}}} {below}"
    yield "# HELP grader_answers_total Answers, by the hundred of their status."
    yield "# TYPE grader_answers_total counter"
    for kind, count in sorted(counted.answers.items()):
        yield f'grader_answers_total{{status="{kind}"}} {count}'
    yield "# HELP grader_watchers Pages that follow a try."
    yield "# TYPE grader_watchers gauge"
    yield f"grader_watchers {counted.watchers}"
