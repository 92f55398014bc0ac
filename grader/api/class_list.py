"""A class and one assignment as whoever runs the course sees it: who has what, and what is left."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from grader.course.course_file import CourseFile
from grader.course.directory import Assignment, Course
from grader.course.roster import Roster, load_roster
from grader.course.spec import AssignmentSpec
from grader.gradebook.course_marks import marked_answers
from grader.gradebook.course_tries import counted_verdicts
from grader.gradebook.standings import Standing, Standings, class_marks
from grader.gradebook.store import Gradebook
from grader.gradebook.whole_mark import Given, WholeMark
from grader.grading.verdict import Verdict
from grader.report.class_page import sorting_key


@dataclass(frozen=True, kw_only=True)
class ClassLine:
    """One student and one assignment.

    Attributes:
        verdict: on the try that counts, without its tests; None where nothing was judged.
        mark: what machine and people gave together; None where there is no mark.
        given: what people gave, by question.
    """

    student: str
    name: str
    section: str
    standing: Standing
    verdict: Verdict | None
    mark: WholeMark | None
    given: Given = field(default_factory=dict)

    @property
    def missing(self) -> bool:
        """Whether nothing was handed in, and something should have been."""
        return self.standing.absent and not self.standing.excused

    @property
    def late(self) -> bool:
        """Whether it came after the student's own due date."""
        return bool(self.standing.late) or self.standing.refused

    @property
    def ungraded(self) -> bool:
        """Whether it was tried, and there is no mark for a reason of ours or of the suite's."""
        return self.verdict is not None and not self.verdict.outcome.is_mark


@dataclass(frozen=True, kw_only=True)
class ClassRecord:
    """Everybody and one assignment, sorted by name.

    Attributes:
        item: of the course file; None where it doesn't name the assignment.
        problem: why the course file or the groups can't be used; lateness is then not known.
        holds_until: the next due date of anybody; who has handed in nothing is then overdue.
    """

    assignment: str
    spec: AssignmentSpec
    lines: tuple[ClassLine, ...]
    item: str | None
    problem: str
    holds_until: dt.datetime | None

    @property
    def handed_in(self) -> int:
        """How many handed in, by themselves or by their group."""
        return sum(not line.standing.absent for line in self.lines)

    def missing(self, unjudged: Collection[str]) -> int:
        """Return how many should have handed in and have not.

        Args:
            unjudged: whose try has no verdict yet, which these lines don't know of.
        """
        return sum(
            line.missing and not any(s in unjudged for s in (line.student, *line.standing.group))
            for line in self.lines
        )

    @property
    def late(self) -> int:
        """How many handed in late."""
        return sum(line.late for line in self.lines)

    @property
    def ungraded(self) -> int:
        """How many have no mark for a reason that is not theirs."""
        return sum(line.ungraded for line in self.lines)

    @property
    def unmarked(self) -> Mapping[str, int]:
        """How many answers to each question wait for a person."""
        found = Counter(q for line in self.lines if line.mark for q in line.mark.waiting)
        return {q.id: found[q.id] for q in self.spec.questions if found[q.id]}

    def within(self, section: str) -> ClassRecord:
        """Return what there is of one section; empty: of the whole class."""
        if not section:
            return self
        return replace(self, lines=tuple(x for x in self.lines if x.section == section))

    def of(self, student: str) -> ClassLine | None:
        """Return one student's line, or None."""
        return next((line for line in self.lines if line.student == student), None)


def class_record(
    course: Course,
    assignment: Assignment,
    gradebook: Gradebook,
    *,
    now: dt.datetime,
    roster: Roster | None = None,
    scheme: CourseFile | None = None,
) -> ClassRecord:
    """Return everybody on the roster, and who handed in without being on it.

    Tests, notes and notebooks are not read, however many there are.

    Args:
        course, assignment, gradebook: of these.
        now: decides what is overdue.
        roster, scheme: the course's, where they have been read already.
    """
    roster = load_roster(course) if roster is None else roster
    standings = Standings(course, assignment, gradebook, roster=roster, scheme=scheme)
    newest = standings.newest()
    briefs = gradebook.briefs(assignment.name).values()
    verdicts = counted_verdicts(course, assignment, gradebook, briefs, newest=newest)
    given = {verdict.student: marked_answers(verdict, newest) for verdict in verdicts}
    found = standings.of(verdicts, newest=newest, now=now)
    marks = class_marks(verdicts, found, given)
    people, of = roster.people, {verdict.student: verdict for verdict in verdicts}
    lines = [
        ClassLine(
            student=student,
            name=standing.name or student,
            section=people[student].section if student in people else "",
            standing=standing,
            verdict=of.get(student),
            mark=marks.get(student),
            given=given.get(student, {}),
        )
        for student, standing in found.items()
    ]
    return ClassRecord(
        assignment=assignment.name,
        spec=assignment.spec,
        lines=tuple(sorted(lines, key=lambda line: (sorting_key(line.name), line.student))),
        item=standings.item,
        problem=standings.problem,
        holds_until=min((s.due for s in found.values() if s.due and s.due >= now), default=None),
    )
