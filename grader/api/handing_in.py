"""From students to the course: hand in, prove it, take in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from grader.course.course_file import load_course_file
from grader.course.directory import Course
from grader.course.matches import load_matcher
from grader.errors import UsageError
from grader.intake.collect import Collected, collect, store, without_time
from grader.intake.inbox import submit as store_in_inbox
from grader.intake.lms.archives import Setting
from grader.intake.lms.people import System
from grader.intake.lms.table import read_table
from grader.intake.receipt import Receipt, VerifiedReceipt, verify

RECEIPT_LIMIT = 1 << 16
Source = System | Literal["folder"] | None


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
    course: Course,
    assignment: str,
    sources: Iterable[Path | str],
    *,
    out: Path | None = None,
    system: Source = None,
    worksheet: Path | None = None,
) -> tuple[Collected, tuple[Path, ...]]:
    """Take in what students handed in, and keep it under `submissions/`.

    Args:
        course: its roster tells whose a file is.
        assignment: its name.
        sources: see `grader.intake.collect.collect`.
        out: default: `submissions/`.
        system: which made the archives; by default the names in them tell.
        worksheet: Moodle's grading worksheet, which tells participants and times.

    Returns what was collected and refused, and the folders written.
    """
    chosen = course.assignment(assignment)
    setting = intake_setting(course, system=system, worksheet=worksheet)
    collected = collect(
        [Path(s) for s in sources],
        assignment=chosen.name,
        counts=chosen.spec.attempts.counts,
        limit=chosen.spec.attempts.limit,
        setting=setting,
    )
    stored = store(collected, out or course.submissions_dir)
    setting.matcher.save()
    missing = without_time(stored.submissions)
    warnings = (*collected.warnings, *stored.times, *([missing] if missing else ()))
    return replace(collected, submissions=stored.submissions, warnings=warnings), stored.folders


def intake_setting(
    course: Course, *, system: Source = None, worksheet: Path | None = None
) -> Setting:
    """Return what the course knows of students and times, for reading a system's archives."""
    return Setting(
        system=system,
        matcher=load_matcher(course),
        zone=zone_of(course),
        worksheet=read_table(worksheet) if worksheet else None,
        worksheet_name=worksheet.name if worksheet else "",
    )


def zone_of(course: Course) -> dt.tzinfo:
    """Return the course's time zone; UTC where it has no course file."""
    known = course.course_file.is_file()
    return load_course_file(course.course_file).zone if known else dt.UTC
