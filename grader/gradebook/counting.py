"""Which of a student's tries counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal

import msgspec

from grader.grading.verdict import Verdict

Counts = Literal["last", "best"]


def counted(verdicts: Iterable[Verdict], counts: Counts) -> list[Verdict]:
    """Return the verdict that counts for each student, by name.

    Args:
        verdicts: of any students, at most one of each attempt.
        counts: "last": the last try, whenever it came; "best": the one with most points, of equals
            the earliest; which is the best is open while one of them has no mark, and then it is
            that one.
    """
    chosen = []
    for own in tries_of(verdicts).values():
        best = max(own, key=lambda v: (not v.outcome.is_mark, v.points, -v.submission.attempt))
        chosen.append(own[-1] if counts == "last" else best)
    return sorted(chosen, key=lambda v: (v.student.casefold(), v.student))


def tries_of(verdicts: Iterable[Verdict]) -> dict[str, list[Verdict]]:
    """Return each student's tries in order; a copy of the try before it is none.

    A student who hands in the same bytes again, as when an LMS is asked for a new upload, has
    not changed anything, and loses nothing: the time and the number of the first hold. Where the
    first has no mark, for a reason of ours, the copy's mark counts, at the time of the first.
    """
    tries: dict[str, list[Verdict]] = {}
    for verdict in sorted(verdicts, key=lambda v: v.submission.attempt):
        own = tries.setdefault(verdict.student, [])
        if not own or own[-1].submission.sha256 != verdict.submission.sha256:
            own.append(verdict)
        elif verdict.outcome.is_mark and not own[-1].outcome.is_mark:
            own[-1] = _at_the_time_of(own[-1], verdict)
    return tries


def may_be_refused(last: Verdict, due: dt.datetime | None) -> bool:
    """Tell whether a student's last try may have come too late to be accepted.

    Then it takes nothing from the tries before it: the last that was accepted counts. Who has
    longer, and whether late work is accepted at all, only totals know.
    """
    at = last.submission.submitted_at
    return due is not None and at is not None and at > due


def _at_the_time_of(first: Verdict, copy: Verdict) -> Verdict:
    """The mark of a copy whose first could not be judged for a reason of ours."""
    at = first.submission.submitted_at or copy.submission.submitted_at
    submission = msgspec.structs.replace(copy.submission, submitted_at=at)
    return msgspec.structs.replace(copy, submission=submission)
