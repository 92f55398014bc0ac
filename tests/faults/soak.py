"""Many submissions through two slots: does anything grow?

python -m tests.faults.soak [--submissions 1000] [--sandbox local|docker]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from grader.api import Progress, grade
from grader.grading.verdict import Outcome, Verdict
from tests.faults.aftermath import descendants
from tests.grading.conftest import Classroom

SLOTS = 2
MEMORY_SLACK = 0.05
"""Share of its first size by which a process may grow, besides a few megabytes."""
MEMORY_SLACK_BYTES = 8 << 20
TIME_SLACK = 0.10


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What the batch holds at one moment. Bytes are private memory."""

    verdicts: int
    memory: dict[str, int]
    descriptors: dict[str, int]
    processes: int
    temporary: int
    containers: int


@dataclass(kw_only=True)
class Soak:
    """A run over many submissions and what was measured on the way."""

    classroom: Classroom
    sandbox: str = "local"
    every: int = 50
    submissions: int = 0
    samples: list[Sample] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    def run(self, submissions: int) -> None:
        """Grade so many submissions, measuring after every few of them while all workers live."""
        self.submissions = submissions
        self.classroom.hand_in("s0000", "print(sum(range(10)))")
        text = (self.classroom.submissions / "s0000.ipynb").read_text()
        for number in range(1, submissions):
            name = f"s{number:04}.ipynb"
            (self.classroom.submissions / name).write_text(text.replace("(10)", f"({number})"))
        grade(
            self.classroom.course,
            "warm-up",
            [self.classroom.submissions],
            sandbox=self.sandbox,
            isolation="warm",
            slots=SLOTS,
            seed=1,
            progress=Progress(judged=self._judged),
        )

    def _judged(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)
        # Without its workers, what the judge shared with them is its own.
        if len(self.verdicts) % self.every == 0 and self.submissions - len(self.verdicts) >= SLOTS:
            self.samples.append(measure(len(self.verdicts)))

    def times(self, part: slice) -> float:
        """The median seconds of some submissions, from first byte to verdict."""
        return statistics.median(v.usage.wall_s for v in self.verdicts[part])

    def faults(self, *, share: int = 10) -> list[str]:
        """What grew: from the first fifth of the samples to the last, and times by parts."""
        found = [f"{v.student}: {v.reason}" for v in self.verdicts if not _is_full(v)]
        fifth = len(self.samples) // 5
        first, last = self.samples[fifth], self.samples[-1]
        for name in first.memory:
            # The most of several: a large page is private or shared with a child as a whole, so
            # that one moment's memory and the next one's differ by a sixth.
            before, now = (
                max(sample.memory.get(name, 0) for sample in part)
                for part in (self.samples[: fifth + 1], self.samples[-fifth - 1 :])
            )
            if now > before * (1 + MEMORY_SLACK) + MEMORY_SLACK_BYTES:
                found.append(f"memory of {name}: {before >> 10} KiB, then {now >> 10} KiB")
        for name, before in first.descriptors.items():
            now = last.descriptors.get(name, 0)
            if now > before + 2:
                found.append(f"descriptors of {name}: {before}, then {now}")
        # A slot that is at work has a child or two more.
        if last.processes > first.processes + 4 * SLOTS:
            found.append(f"processes: {first.processes}, then {last.processes}")
        if last.temporary > first.temporary:
            found.append(f"temporary files: {first.temporary}, then {last.temporary}")
        if last.containers > SLOTS:
            found.append(f"containers: {last.containers}")
        part = len(self.verdicts) // share
        before_s, now_s = self.times(slice(part)), self.times(slice(-part, None))
        if now_s > before_s * (1 + TIME_SLACK) + 0.005:
            found.append(f"median time: {before_s:.3f} s, then {now_s:.3f} s")
        return found


def _is_full(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.GRADED and verdict.points == verdict.max_points


def measure(verdicts: int) -> Sample:
    """Look at this process, the judge, its workers, and what they have on disk."""
    roles = {"batch": [os.getpid()]} | _roles()
    return Sample(
        verdicts=verdicts,
        memory={role: sum(map(_private_bytes, pids)) for role, pids in roles.items()},
        descriptors={role: sum(map(_descriptors, pids)) for role, pids in roles.items()},
        processes=len(descendants()),
        temporary=sum(1 for _ in Path(tempfile.gettempdir()).glob("grader-*")),
        containers=_containers(roles.get("workers", [])),
    )


def _roles() -> dict[str, list[int]]:
    judges = [
        pid
        for pid, command in descendants().items()
        if "grader.grading.judge_main" in command and _parent(pid) == os.getpid()
    ]
    children = {pid: _parent(pid) for judge in judges for pid in descendants(judge)}
    return {"judge": judges, "workers": [p for p, parent in children.items() if parent in judges]}


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _private_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    kinds = ("Private_Dirty:", "Private_Clean:")
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(kinds))


def _descriptors(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0


def _containers(owners: list[int]) -> int:
    from grader.errors import InfrastructureError
    from grader.sandbox.engine import OWNER_LABEL, connect

    try:
        found = connect(timeout_s=10).api.containers(all=True, filters={"label": [OWNER_LABEL]})
    except (InfrastructureError, OSError):
        return 0
    mine = {str(pid) for pid in owners}
    return sum(c["Labels"][OWNER_LABEL].rpartition(":")[2] in mine for c in found)


def main() -> None:
    """Run, print each sample, and fail where something grew."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--sandbox", choices=["local", "docker"], default="local")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(classroom=Classroom(Path(folder) / "course"), sandbox=asked.sandbox)
        soak.run(asked.submissions)
    for sample in soak.samples:
        print(sample)
    part = asked.submissions // 10
    times = soak.times(slice(part)), soak.times(slice(-part, None))
    print(f"median of the first {part}: {times[0]:.3f} s; of the last {part}: {times[1]:.3f} s")
    faults = soak.faults()
    print("\n".join(faults) or "nothing grew")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
