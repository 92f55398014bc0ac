"""From students to the course: hand in, prove it, take in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from grader.api.inboxes import issue_receipts
from grader.course.course_file import load_course_file
from grader.course.directory import Course
from grader.course.matches import load_matcher
from grader.intake.accepted_files import AcceptedFiles, beside_of
from grader.intake.class_archives import CollectConfig
from grader.intake.collect import Collected, collect, store, without_time
from grader.lms.lms_table import read_table
from grader.lms.moodle_words import DateOrder
from grader.lms.registry import named


def collect_submissions(
    course: Course,
    assignment: str,
    sources: Iterable[Path | str],
    *,
    out: Path | None = None,
    system: str | None = None,
    worksheet: Path | None = None,
    dates: DateOrder | None = None,
) -> tuple[Collected, tuple[Path, ...]]:
    """Take in what students handed in, and keep it under `submissions/`.

    Args:
        course: its roster tells whose a file is.
        assignment: its name.
        sources: see `grader.intake.collect.collect`.
        out: default: `submissions/`.
        system: which made the archives, or "folder"; by default the names in them tell.
        worksheet: Moodle's grading worksheet, which tells participants and times.
        dates: whether day or month comes first in its dates, where they don't tell.

    Returns what was collected and refused, and the folders written.
    """
    chosen = course.assignment(assignment)
    config = intake_config(course, system=system, worksheet=worksheet, beside=beside_of(chosen))
    config.dates = dates
    taken_from = [Path(s) for s in sources]
    collected = collect(
        taken_from,
        assignment=chosen.name,
        counts=chosen.spec.attempts.counts,
        limit=chosen.spec.attempts.limit,
        config=config,
    )
    stored = store(collected, out or course.submissions_dir, zone=config.zone)
    said = issue_receipts(
        course, chosen.name, taken_from, matcher=config.matcher, beside=config.beside
    )
    config.matcher.save()
    missing = without_time(stored.submissions)
    warnings = (*collected.warnings, *said, *stored.times, *([missing] if missing else ()))
    return replace(collected, submissions=stored.submissions, warnings=warnings), stored.folders


def intake_config(
    course: Course,
    *,
    system: str | None = None,
    worksheet: Path | None = None,
    beside: AcceptedFiles | None = None,
) -> CollectConfig:
    """Return what the course knows of students and times, for reading a system's archives."""
    return CollectConfig(
        system="folder" if system == "folder" else named(system) if system else None,
        matcher=load_matcher(course),
        zone=zone_of(course),
        worksheet=read_table(worksheet) if worksheet else None,
        worksheet_name=worksheet.name if worksheet else "",
        assignments=tuple(course.names()),
        beside=beside or AcceptedFiles(),
    )


def zone_of(course: Course) -> dt.tzinfo:
    """Return the course's time zone; UTC where it has no course file."""
    known = course.course_file.is_file()
    return load_course_file(course.course_file).zone if known else dt.UTC
