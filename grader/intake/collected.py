"""What was collected for an assignment, and what was not taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.intake.submission import Submission

_NAMED = 5


@dataclass(frozen=True)
class RefusedHandIn:
    """A file, a member or an attempt that was not taken."""

    source: str
    reason: str


@dataclass(frozen=True)
class Collected:
    """What was collected for an assignment.

    `submissions` are sorted by student and attempt: one per student where the last counts, all
    of them where the best does. `warnings` are sentences for the course staff, such as of two
    students whose names look alike. `is_stored` says that `store` wrote what was read: its attempts
    have the numbers under which a course knows them.
    """

    submissions: tuple[Submission, ...]
    refused: tuple[RefusedHandIn, ...] = ()
    warnings: tuple[str, ...] = ()
    assignment: str = ""
    is_stored: bool = False


def without_time(submissions: Sequence[Submission]) -> str:
    """Say how many submissions have no hand-in time; empty where all have one."""
    missing = [s.student for s in submissions if s.submitted_at is None]
    if not missing:
        return ""
    named = f": {', '.join(missing[:_NAMED])}{'…' if missing[_NAMED:] else ''}"
    return (
        f"{len(missing)} of {len(submissions)} have no hand-in time, and are never late"
        f"{named if len(missing) < len(submissions) else ''}."
    )
