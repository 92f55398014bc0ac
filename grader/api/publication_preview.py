"""What publishing an assignment's marks would show: how many, how far marking is, who changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from grader.course.directory import Assignment, Course
from grader.gradebook.course_marks import marked_answers
from grader.gradebook.course_tries import counted_verdicts
from grader.gradebook.standings import Standings, class_marks
from grader.gradebook.store import Gradebook
from grader.gradebook.whole_mark import WholeMark


@dataclass(frozen=True, kw_only=True)
class PreviewLine:
    """One student: the machine's points, and the whole mark that would be seen."""

    student: str
    name: str
    machine: Decimal | None
    whole: WholeMark | None
    late: str
    waits: bool


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The class as it would be seen."""

    lines: tuple[PreviewLine, ...]
    missing: int

    @property
    def waiting(self) -> int:
        """How many have answers that nobody has marked."""
        return sum(line.waits for line in self.lines)


def preview(
    course: Course, assignment: Assignment, gradebook: Gradebook, *, now: dt.datetime
) -> Preview:
    """Return what students would see if the marks were published now."""
    briefs = gradebook.briefs(assignment.name).values()
    verdicts = counted_verdicts(course, assignment, gradebook, briefs)
    standings = Standings(course, assignment, gradebook)
    newest = standings.newest()
    given: Mapping[str, dict[str, tuple[Decimal, str]]] = {
        verdict.student: marked_answers(verdict, newest) for verdict in verdicts
    }
    found = standings.of(verdicts, newest=newest, now=now)
    marks = class_marks(verdicts, found, given)
    lines = []
    for verdict in verdicts:
        mark = marks.get(verdict.student)
        standing = found.get(verdict.student)
        lines.append(
            PreviewLine(
                student=verdict.student,
                name=(standing.name if standing else "") or verdict.student,
                machine=verdict.points if verdict.outcome.is_mark else None,
                whole=mark,
                late=standing.late if standing else "",
                waits=bool(mark and mark.waits),
            )
        )
    missing = sum(1 for s in found.values() if s.absent)
    return Preview(lines=tuple(lines), missing=missing)
