"""Marks that people give: whole items, rubrics, excuses, extensions, and how they came about."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from grader.account import account_name
from grader.course.components import Item
from grader.course.course_file import CourseFile
from grader.course.directory import Course
from grader.course.groups import load_groups
from grader.course.local_times import local_time
from grader.course.roster import load_roster
from grader.course.scheme import load_scheme
from grader.errors import UsageError
from grader.gradebook.course_marks import course_marks
from grader.gradebook.hand_history import hand_history
from grader.gradebook.hand_marks import (
    Change,
    Fact,
    HandMark,
    Kind,
    Newest,
    put_marks,
    recording,
)
from grader.gradebook.machine_history import machine_history
from grader.gradebook.mark_list import known_student, read_mark_list
from grader.gradebook.marks import ItemMark, MarkEvent, Source
from grader.gradebook.store import Gradebook
from grader.suggestions import did_you_mean

MARKER_VARIABLE = "GRADER_MARKER"
_Line = TypeVar("_Line", ItemMark, MarkEvent)


@dataclass(frozen=True)
class Imported:
    """What a file of marks came to: `changes` in it, of which `added` were news."""

    changes: int
    added: int


def marker(named: str | None = None) -> str:
    """Return who marks: the one named, or GRADER_MARKER, or the account.

    Raises:
        UsageError: nobody is named, and the account has no name.
    """
    return (
        named
        or os.environ.get(MARKER_VARIABLE)
        or account_name(instead=f"Say who you are: {MARKER_VARIABLE}=NAME.")
    )


def all_marks(course: Course, *, student: str = "", item: str = "") -> list[ItemMark]:
    """Return the marks from suites, people and imports; of one student or item if it is named."""
    with Gradebook(course.database_url) as gradebook:
        return _of(course_marks(course, gradebook), student, item)


def mark_events(course: Course, *, student: str = "", item: str = "") -> list[MarkEvent]:
    """Return how marks came about, oldest first; of one student or item if it is named."""
    scheme = load_scheme(course)
    with Gradebook(course.database_url) as gradebook:
        events = [*machine_history(scheme, gradebook), *hand_history(scheme, gradebook)]
    return sorted(_of(events, student, item), key=lambda event: event.at)


def _of(lines: Iterable[_Line], student: str, item: str) -> list[_Line]:
    return [line for line in lines if student in ("", line.student) and item in ("", line.item)]


def import_marks(
    course: Course,
    path: Path,
    *,
    who: str,
    why: str,
    new_students: bool = False,
    dry_run: bool = False,
) -> Imported:
    """Take a file of marks, all of it or nothing.

    Args:
        course: with its course file.
        path: CSV or xlsx: student, item, points, and optionally handed in, excused, comment.
        who: who imports it.
        why: shown in the history.
        new_students: take students too of whom nothing is known yet.
        dry_run: read and check, and record nothing.

    Raises:
        UsageError: a line can't be taken; each is named.
    """
    scheme = load_scheme(course)
    with Gradebook(course.database_url) as gradebook:
        known = None if new_students else known_students(course, scheme, gradebook)
        changes = read_mark_list(path, scheme, known)
        if dry_run:
            return Imported(len(changes), 0)
        added = gradebook.hand_marks.record(changes, who=who, why=why, source=Source.IMPORT)
        return Imported(len(changes), len(added))


def give(
    course: Course,
    student: str,
    item: str,
    *,
    who: str,
    why: str,
    criteria: Sequence[tuple[str, Decimal | None]] = (),
    comments: Sequence[tuple[str, str]] = (),
    points: Decimal | None = None,
    take_back: bool = False,
    new_student: bool = False,
) -> list[HandMark]:
    """Give points for a whole item, or for criteria of its rubric.

    Args:
        course: with its course file.
        student: whose.
        item: by its id.
        who: who marks.
        why: shown in the history.
        criteria: (id, points); None takes points back.
        comments: (id of a criterion, text).
        points: of the whole item.
        take_back: takes the whole item's points back, so that its parts count again.
        new_student: take a student too of whom nothing is known yet.

    Raises:
        UsageError: no such student, item or criterion, or points out of bounds.
    """
    scheme = load_scheme(course)
    chosen = item_of(scheme, item)
    with Gradebook(course.database_url) as gradebook:
        known = None if new_student else known_students(course, scheme, gradebook)
        known_student(student, known)
        newest = gradebook.hand_marks.newest(student=student, item=chosen.id)
        changes = rubric_changes(chosen, student, criteria, comments, newest)
        if points is not None or take_back:
            _within(points, chosen.max_points, chosen.id)
            fact = Fact(student=student, item=chosen.id, kind=Kind.POINTS)
            changes.append(Change(fact=fact, points=points, max_points=chosen.max_points))
        return gradebook.hand_marks.record(changes, who=who, why=why)


def rubric_changes(
    item: Item,
    student: str,
    criteria: Sequence[tuple[str, Decimal | None]],
    comments: Sequence[tuple[str, str]],
    newest: Newest,
) -> list[Change]:
    """Turn points and comments for criteria into changes; what is not named stays.

    Raises:
        UsageError: no such criterion, points out of bounds, or a comment without points.
    """
    by_id = {c.id: c for c in item.rubric if not c.machine}
    given, said = dict(criteria), dict(comments)
    changes = []
    for identifier in dict.fromkeys([*given, *said]):
        if identifier not in by_id:
            raise UsageError(
                f"the rubric of {item.id} has no criterion {identifier!r} that a person marks",
                hint=did_you_mean(identifier, by_id),
            )
        fact = Fact(student=student, item=item.id, kind=Kind.POINTS, part=identifier)
        before = newest.get(fact)
        points = given.get(identifier, before.says.points if before else None)
        if points is None and identifier not in given:
            raise UsageError(f"{identifier!r} has a comment and no points")
        _within(points, by_id[identifier].points, identifier)
        comment = said.get(identifier, before.says.comment if before else "")
        changes.append(
            Change(fact=fact, points=points, max_points=by_id[identifier].points, comment=comment)
        )
    return changes


def excuse(
    course: Course,
    student: str,
    item: str,
    *,
    excused: bool,
    who: str,
    why: str,
    beside: Callable[[Session], None] | None = None,
) -> list[HandMark]:
    """Excuse a student from an item, or take that back.

    `beside` writes more, in the same transaction, where that is news.
    """
    change = Change(fact=_fact(course, student, item, Kind.EXCUSED), excused=excused)
    return _term(course, change, who=who, why=why, beside=beside)


def extend(
    course: Course,
    student: str,
    item: str,
    *,
    until: dt.datetime | None,
    who: str,
    why: str,
    beside: Callable[[Session], None] | None = None,
) -> list[HandMark]:
    """Give a student longer than the class; None takes that back. Without a zone it is local.

    `beside` is as in `excuse`.
    """
    moment = local_time(until, load_scheme(course).zone) if until else None
    change = Change(fact=_fact(course, student, item, Kind.EXTENSION), moment=moment)
    return _term(course, change, who=who, why=why, beside=beside)


def known_students(course: Course, scheme: CourseFile, gradebook: Gradebook) -> set[str]:
    """Return the students of whom the course knows: roster, marks, groups, what was handed in."""
    known = set(load_roster(course).people)
    known |= gradebook.hand_marks.students()
    for assignment in {i.assignment for i in scheme.items if i.assignment} | set(course.names()):
        known |= gradebook.students(assignment)
    for members in load_groups(course, scheme).members.values():
        known |= set(members)
    known |= {extension.student for extension in scheme.extensions}
    return known


def item_of(scheme: CourseFile, identifier: str) -> Item:
    """Return an item by its id.

    Raises:
        UsageError: there is none.
    """
    item = scheme.item(identifier)
    if item is None:
        raise UsageError(
            f"there is no item {identifier!r}",
            hint=did_you_mean(identifier, [i.id for i in scheme.items]),
        )
    return item


def _fact(course: Course, student: str, item: str, kind: Kind) -> Fact:
    return Fact(student=student, item=item_of(load_scheme(course), item).id, kind=kind)


def _term(
    course: Course,
    change: Change,
    *,
    who: str,
    why: str,
    beside: Callable[[Session], None] | None,
) -> list[HandMark]:
    with Gradebook(course.database_url) as gradebook:
        known = known_students(course, load_scheme(course), gradebook)
        known_student(change.fact.student, known)
        with recording(gradebook.engine) as session:
            added = put_marks(session, [change], who=who, why=why)
            if added and beside is not None:
                beside(session)
            return added


def _within(points: Decimal | None, highest: Decimal, what: str) -> None:
    if points is not None and not 0 <= points <= highest:
        raise UsageError(f"{what}: {points} points are not between 0 and {highest}")
