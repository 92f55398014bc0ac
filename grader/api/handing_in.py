"""From students to the course: hand in, prove it, take in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from grader.api.inboxes import issue_receipts
from grader.course.course_reading import load_course_file
from grader.course.directory import Assignment, Course
from grader.course.matches import load_matcher
from grader.course.scheme import load_scheme
from grader.errors import GraderError
from grader.intake.accepted_files import AcceptedFiles, beside_of
from grader.intake.class_archives import CollectConfig
from grader.intake.collect import collect
from grader.intake.collected import Collected, without_time
from grader.intake.hand_in_times import first_few
from grader.intake.submission_store import store, with_known_time
from grader.lms.lms_table import read_table
from grader.lms.moodle_words import DateOrder
from grader.lms.registry import named
from grader.lms.system import System

if TYPE_CHECKING:
    from grader.api.hand_in_times import LearntTimes


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
        worksheet: a table that a system exports, which tells times; Moodle's participants too.
        dates: whether day or month comes first in its dates, where they don't tell.

    Returns what was collected and refused, and the folders written.
    """
    chosen = course.assignment(assignment)
    config = intake_config(course, system=system, worksheet=worksheet, beside=beside_of(chosen))
    config.dates = dates
    taken_from = [Path(s) for s in sources]
    table = None
    if worksheet is not None:
        from grader.api.hand_in_times import learn_times, read_times  # which open the gradebook

        made = config.system if isinstance(config.system, System) else None
        table = read_times(chosen.name, worksheet, zone=config.zone, dates=dates, system=made)
    collected = collect(
        taken_from,
        assignment=chosen.name,
        counts=chosen.spec.attempts.counts,
        limit=chosen.spec.attempts.limit,
        due=class_due(course, chosen),
        config=config,
    )
    limit = chosen.spec.attempts.limit
    stored = store(
        collected,
        out or course.submissions_dir,
        zone=config.zone,
        limit=limit,
        costless=_costless(course, chosen.name) if limit and out is None else (),
    )
    said = issue_receipts(
        course, chosen.name, taken_from, matcher=config.matcher, beside=config.beside
    )
    config.matcher.save()
    learnt, told = list(stored.times), []
    submissions = stored.submissions
    if table is not None:
        done = learn_times(course, chosen.name, table, out=out)
        learnt += done.sentences(table)
        told = done.remarks
        submissions = tuple(map(with_known_time, submissions, stored.folders))
    missing = without_time(submissions)
    warnings = (*collected.warnings, *said, *told, *first_few(learnt), *filter(None, [missing]))
    refused = (*collected.refused, *stored.refused)
    taken = replace(collected, submissions=submissions, refused=refused, warnings=warnings)
    return taken, stored.folders


def _costless(course: Course, assignment: str) -> Collection[tuple[str, int]]:
    from grader.api.costless import costless_tries  # which opens the gradebook

    return costless_tries(course, assignment)


def collect_times(
    course: Course,
    assignment: str,
    worksheet: Path,
    *,
    out: Path | None = None,
    system: str | None = None,
    dates: DateOrder | None = None,
) -> tuple[LearntTimes, tuple[str, ...]]:
    """Learn from a table when those handed in whose submissions were taken in or graded before.

    Returns what is new, and sentences on it and on what was read and what was not.

    Raises:
        UsageError: the table has no times, or one that can't be read; nothing is there yet.
    """
    from grader.api.hand_in_times import learn_times, read_times

    chosen = course.assignment(assignment)
    made = named(system) if system and system != "folder" else None
    table = read_times(chosen.name, worksheet, zone=zone_of(course), dates=dates, system=made)
    done = learn_times(course, chosen.name, table, out=out)
    return done, (*done.remarks, *first_few(done.sentences(table)))


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


def class_due(course: Course, assignment: Assignment) -> dt.datetime | None:
    """Return until when the class hands in, by the assignment and the course file: the earlier.

    Who has longer may be in time later; what comes before it is in time for everybody.
    """
    dues = [assignment.spec.dates.due]
    with suppress(GraderError):  # a course file that can't be used: totals say why
        item = load_scheme(course).item_of(assignment.name)
        dues.append(item.due if item else None)
    return min((due if due.tzinfo else due.astimezone() for due in dues if due), default=None)


def zone_of(course: Course) -> dt.tzinfo:
    """Return the course's time zone; UTC where it has no course file."""
    known = course.course_file.is_file()
    return load_course_file(course.course_file).zone if known else dt.UTC
