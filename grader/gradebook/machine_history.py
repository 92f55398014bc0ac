"""How the machine's marks came about: every verdict that made or changed one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import groupby

from grader.course.components import Item
from grader.course.course_file import CourseFile
from grader.gradebook.hand_ins import LearntTime
from grader.gradebook.marks import MarkEvent
from grader.gradebook.store import Gradebook, StoredVerdict
from grader.grading.verdict import Outcome
from grader.points import show


def machine_history(scheme: CourseFile, gradebook: Gradebook) -> list[MarkEvent]:
    """Return one event for each attempt, each regrade that changed its mark and each time of a
    hand-in that was learnt afterwards, oldest first.
    """
    events: list[MarkEvent] = []
    for item in scheme.items:
        if item.assignment is not None:
            events += _of_item(item, gradebook.history(item.assignment))
            events += [
                _of_time(item, learnt, scheme.zone)
                for learnt in gradebook.hand_ins.history(item.assignment)
            ]
    return sorted(events, key=lambda event: (event.at, event.student, event.item))


def _of_item(item: Item, entries: Sequence[StoredVerdict]) -> Iterator[MarkEvent]:
    marks = [e for e in entries if e.verdict.outcome.is_mark]
    for (student, _), own in groupby(sorted(marks, key=_attempt), key=_attempt):
        before: StoredVerdict | None = None
        for entry in own:
            what = _what(entry, before)
            before = entry
            if what:
                yield MarkEvent(student=student, item=item.id, at=entry.made_at, what=what)


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


def _attempt(entry: StoredVerdict) -> tuple[str, int]:
    return entry.verdict.student, entry.verdict.submission.attempt


def _what(entry: StoredVerdict, before: StoredVerdict | None) -> str:
    """What a verdict says that the one before on the same attempt did not."""
    verdict = entry.verdict
    now = f"{show(verdict.points)} of {show(verdict.max_points)} points"
    if before is None:
        read = "" if verdict.outcome is Outcome.GRADED else ", could not be read"
        return f"attempt {verdict.submission.attempt}: {now} from the tests{read}"
    was = before.verdict
    if (was.points, was.max_points) == (verdict.points, verdict.max_points):
        return ""
    old = show(was.points)
    if was.max_points != verdict.max_points:
        old = f"{old} of {show(was.max_points)}"
    return f"attempt {verdict.submission.attempt}: {old} → {now}, graded again"
