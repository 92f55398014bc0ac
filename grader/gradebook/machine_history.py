"""How the machine's marks came about: every verdict that made or changed one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from grader.course.components import Item
from grader.course.course_file import CourseFile
from grader.gradebook.marks import MarkEvent
from grader.gradebook.store import Entry, Gradebook
from grader.grading.verdict import Outcome
from grader.points import show


def machine_history(scheme: CourseFile, gradebook: Gradebook) -> list[MarkEvent]:
    """Return one event for each attempt and each regrade that changed its mark, oldest first."""
    events = [
        event
        for item in scheme.items
        if item.assignment is not None
        for event in _of_item(item, gradebook.history(item.assignment))
    ]
    return sorted(events, key=lambda event: (event.at, event.student, event.item))


def _of_item(item: Item, entries: Sequence[Entry]) -> Iterator[MarkEvent]:
    marks = [e for e in entries if e.verdict.outcome is not Outcome.INFRASTRUCTURE_ERROR]
    for (student, _), own in groupby(sorted(marks, key=_attempt), key=_attempt):
        before: Entry | None = None
        for entry in own:
            what = _what(entry, before)
            before = entry
            if what:
                yield MarkEvent(student=student, item=item.id, at=entry.made_at, what=what)


def _attempt(entry: Entry) -> tuple[str, int]:
    return entry.verdict.student, entry.verdict.submission.attempt


def _what(entry: Entry, before: Entry | None) -> str:
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
