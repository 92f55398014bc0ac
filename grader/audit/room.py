"""Is there time? What the reference uses, beside what a submission may."""

from __future__ import annotations

from grader.audit.findings import RoomFinding
from grader.course.spec import AssignmentSpec
from grader.grading.verdict import Verdict


def room(spec: AssignmentSpec, reference: Verdict) -> list[RoomFinding]:
    """Say how much of each limit the reference uses.

    Args:
        spec: with the limits.
        reference: the verdict on the reference, run whole.
    """
    used, limits = reference.usage, spec.resources
    slowest = max((t.duration_s for t in reference.tests), default=0.0)
    memory_mb = used.peak_memory_bytes / 2**20
    rows = [
        ("notebook_s", used.notebook_s, float(limits.notebook_s), "s"),
        ("suite_s", used.suite_s, float(limits.suite_s), "s"),
        ("suite_s for one question's slowest test", slowest, float(limits.suite_s) / 2, "s"),
        ("memory_mb", memory_mb, float(limits.memory_mb), "MB"),
    ]
    return [
        RoomFinding(limit=name, used=amount, allowed=allowed, unit=unit)
        for name, amount, allowed, unit in rows
        if amount > 0
    ]
