"""From students to the course: hand in, prove it, take in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from grader.course.directory import Course
from grader.errors import UsageError
from grader.intake.collect import Collected, collect, store
from grader.intake.inbox import submit as store_in_inbox
from grader.intake.receipt import Receipt, VerifiedReceipt, verify

RECEIPT_LIMIT = 1 << 16


def submit(
    notebook: Path, inbox: Path, *, student: str, assignment: str, limit: int = 0
) -> Receipt:
    """Hand in a notebook: checked, kept beside earlier tries, with a signed receipt."""
    return store_in_inbox(
        notebook,
        inbox,
        student=student,
        assignment=assignment,
        now=dt.datetime.now(dt.UTC).replace(microsecond=0),
        limit=limit,
    )


def verify_receipt(receipt: Path, inbox: Path) -> VerifiedReceipt:
    """Check that a receipt is ours and that the inbox still holds what it names.

    Raises:
        ReceiptError: it does not hold, and why.
    """
    try:
        with receipt.open("rb") as file:
            data = file.read(RECEIPT_LIMIT)
    except OSError as error:
        raise UsageError(f"the receipt can't be read: {error.strerror}", where=receipt) from error
    return verify(data, inbox)


def collect_submissions(
    course: Course, assignment: str, sources: Iterable[Path | str], *, out: Path | None = None
) -> tuple[Collected, tuple[Path, ...]]:
    """Take in what students handed in, and keep it under `submissions/`.

    Returns what was collected and refused, and the folders written.
    """
    chosen = course.assignment(assignment)
    collected = collect(
        [Path(s) for s in sources],
        assignment=chosen.name,
        counts=chosen.spec.attempts.counts,
        limit=chosen.spec.attempts.limit,
    )
    return collected, store(collected, out or course.submissions_dir)
