"""How the marks that people gave came about, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal

from grader.course.course_file import CourseFile
from grader.gradebook.hand_marks import Fact, HandMark, Kind
from grader.gradebook.marks import MarkEvent, Source
from grader.gradebook.store import Gradebook
from grader.points import show, signed


def hand_history(scheme: CourseFile, gradebook: Gradebook) -> list[MarkEvent]:
    """Return one event for each change that a person made, oldest first."""
    return list(_events(scheme, gradebook.hand_marks.history()))


def _events(scheme: CourseFile, marks: Sequence[HandMark]) -> Iterator[MarkEvent]:
    before: dict[Fact, HandMark] = {}
    for mark in marks:
        what = words(mark, before.get(mark.fact), scheme.zone)
        before[mark.fact] = mark
        for item in _items(scheme, mark.fact):
            yield MarkEvent(
                student=mark.fact.student,
                item=item,
                at=mark.made_at,
                what=what,
                who=mark.who,
                why=mark.why,
            )


def words(mark: HandMark, before: HandMark | None, zone: dt.tzinfo = dt.UTC) -> str:
    """Say in words what a line changed."""
    if mark.fact.kind in (Kind.POINTS, Kind.ANSWER):
        return _points(mark, before)
    if mark.fact.kind is Kind.ADJUSTMENT:
        return _adjustment(mark)
    says = mark.says
    if mark.fact.kind is Kind.EXCUSED:
        return "excused" if says.excused else "no longer excused"
    what = "handed in" if mark.fact.kind is Kind.HANDED_IN else "due later:"
    if says.moment is None:
        return f"{what.rstrip(':')}: taken back"
    return f"{what} {says.moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _points(mark: HandMark, before: HandMark | None) -> str:
    says, part = mark.says, mark.fact.part
    was = before.says.points if before else None
    of = f" of {show(says.max_points)}" if says.max_points is not None else ""
    if says.points is None:
        what = "points taken back" if was is None else f"{show(was)} points taken back"
    elif was is None or was == says.points:
        what = f"{show(says.points)}{of} points"
    else:
        what = f"{show(was)} → {show(says.points)}{of} points"
    if mark.source is Source.IMPORT:
        what += ", imported"
    if says.comment:
        what += f": “{says.comment}”"
    return f"{part}: {what}" if part else what


def _adjustment(mark: HandMark) -> str:
    says = mark.says
    if says.points is None:
        return f"{mark.fact.part}: points beside the tests' taken back"
    beside = show(says.max_points or Decimal(0))
    what = f"{mark.fact.part}: {signed(says.points)} beside the {beside} of the tests"
    return f"{what}: “{says.comment}”" if says.comment else what


def _items(scheme: CourseFile, fact: Fact) -> list[str]:
    if fact.kind in (Kind.ANSWER, Kind.ADJUSTMENT):
        return [item.id for item in scheme.items if item.assignment == fact.item]
    return [fact.item]
