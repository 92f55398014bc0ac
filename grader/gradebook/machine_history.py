"""How the machine's marks came about: every verdict that made or changed one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import groupby

from sqlalchemy import Engine, select

from grader.course.components import Item
from grader.course.course_file import CourseFile
from grader.gradebook.database import reading
from grader.gradebook.hand_ins import LearntTime
from grader.gradebook.marks import MarkEvent
from grader.gradebook.store import Gradebook
from grader.gradebook.tables import VerdictRow
from grader.grading.verdict import Outcome
from grader.points import show


@dataclass(frozen=True, kw_only=True)
class _Marking:
    """What an entry of the record says of its mark; the rest of its verdict is not read."""

    student: str
    attempt: int
    outcome: str
    points: Decimal
    max_points: Decimal
    made_at: dt.datetime


def machine_history(scheme: CourseFile, gradebook: Gradebook) -> list[MarkEvent]:
    """Return one event for each attempt, each regrade that changed its mark and each time of a
    hand-in that was learnt afterwards, oldest first.
    """
    events: list[MarkEvent] = []
    for item in scheme.items:
        if item.assignment is not None:
            events += _of_item(item, _markings(gradebook.engine, item.assignment))
            events += [
                _of_time(item, learnt, scheme.zone)
                for learnt in gradebook.hand_ins.history(item.assignment)
            ]
    return sorted(events, key=lambda event: (event.at, event.student, event.item))


def _markings(engine: Engine, assignment: str) -> list[_Marking]:
    """The mark that each entry made, oldest first."""
    marks = [outcome.value for outcome in Outcome if outcome.is_mark]
    query = (
        select(*(getattr(VerdictRow, field.name) for field in fields(_Marking)))
        .where(VerdictRow.assignment == assignment, VerdictRow.outcome.in_(marks))
        .order_by(VerdictRow.id)
    )
    with reading(engine) as session:
        return [_Marking(**row) for row in session.execute(query).mappings()]


def _of_item(item: Item, markings: Sequence[_Marking]) -> Iterator[MarkEvent]:
    for (student, _), own in groupby(sorted(markings, key=_attempt), key=_attempt):
        before: _Marking | None = None
        for marking in own:
            what = _what(marking, before)
            before = marking
            if what:
                yield MarkEvent(student=student, item=item.id, at=marking.made_at, what=what)


def _of_time(item: Item, learnt: LearntTime, zone: dt.tzinfo) -> MarkEvent:
    before, after = (
        f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" if moment else "not known"
        for moment in (learnt.before, learnt.at)
    )
    return MarkEvent(
        student=learnt.student,
        item=item.id,
        at=learnt.made_at,
        what=f"attempt {learnt.attempt}: handed in {before} → {after}",
        why=learnt.told_by,
    )


def _attempt(marking: _Marking) -> tuple[str, int]:
    return marking.student, marking.attempt


def _what(marking: _Marking, before: _Marking | None) -> str:
    """What a marking says that the one before of the same attempt did not."""
    now = f"{show(marking.points)} of {show(marking.max_points)} points"
    if before is None:
        read = "" if marking.outcome == Outcome.GRADED else ", could not be read"
        return f"attempt {marking.attempt}: {now} from the tests{read}"
    if (before.points, before.max_points) == (marking.points, marking.max_points):
        return ""
    old = show(before.points)
    if before.max_points != marking.max_points:
        old = f"{old} of {show(before.max_points)}"
    return f"attempt {marking.attempt}: {old} → {now}, graded again"
