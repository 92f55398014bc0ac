"""Which try a student is shown as the best, while which one it is would tell of hidden tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from grader.course.spec import AssignmentSpec
from grader.gradebook.counting import counted
from grader.grading.verdict import Verdict
from grader.report.marks import MarkSheet


def best_of_what_is_shown(
    spec: AssignmentSpec, tries: Sequence[Verdict], seen: Callable[[Verdict], MarkSheet]
) -> Verdict | None:
    """Return the best try of what its student may see; None: which is the best tells nothing more.

    That one of two equal tries counts would say that its hidden tests gave more.

    Args:
        spec: of the assignment.
        tries: of one student.
        seen: what the student sees of each.
    """
    if spec.attempts.counts != "best" or len(tries) < 2:
        return None
    sheets = [seen(one) for one in tries]
    if all(sheet.complete for sheet in sheets):
        return None
    shown = (
        msgspec.structs.replace(one, points=sheet.points)
        for one, sheet in zip(tries, sheets, strict=True)
    )
    (best,) = counted(shown, "best")
    return next(one for one in tries if one.submission.attempt == best.submission.attempt)
