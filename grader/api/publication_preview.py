"""What publishing marks would show: who sees what, from what to what, and what is not marked."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from grader.course.components import Item
from grader.course.course_file import CourseFile
from grader.course.directory import Assignment, Course
from grader.course.roster import load_roster
from grader.gradebook.course_marks import course_marks, marked_answers
from grader.gradebook.course_tries import counted_verdicts
from grader.gradebook.hand_marks import MarkReader, Newest
from grader.gradebook.marks import ItemMark
from grader.gradebook.standings import Standing, Standings, class_marks, verdict_for
from grader.gradebook.store import Gradebook
from grader.gradebook.whole_mark import WholeMark
from grader.grading.verdict import Verdict
from grader.points import show

_NOTHING: tuple[Decimal, str] = (Decimal(0), "")


@dataclass(frozen=True, kw_only=True)
class PreviewLine:
    """One student: what is published of theirs, and what would be.

    Attributes:
        before, after: in words; empty where there is no mark.
        moves: by how many points; None where one of them is missing.
        changes: question by question, such as "q3: 1 → 2".
        late: how late, in words.
        waiting: the questions that nobody has marked.
        told_from: from when on the total tells of it: of an assignment with a date.
    """

    student: str
    name: str
    before: str
    after: str
    moves: Decimal | None = None
    changes: tuple[str, ...] = ()
    late: str = ""
    waiting: tuple[str, ...] = ()
    told_from: dt.datetime | None = None

    @property
    def differs(self) -> bool:
        """Whether the student would see anything else than now."""
        return self.before != self.after or bool(self.changes)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The class as it would be seen, sorted by name.

    Attributes:
        upto: the line of the record up to which it was read: what is marked later is not in it.
        unmarked: by question, how many answers nobody has marked.
        without: names of those who have no mark, and why.
    """

    lines: tuple[PreviewLine, ...]
    upto: int
    unmarked: Mapping[str, int] = field(default_factory=dict)
    without: tuple[tuple[str, str], ...] = ()

    @property
    def differing(self) -> list[PreviewLine]:
        """Who would see anything else than now."""
        return [line for line in self.lines if line.differs]

    @property
    def waiting(self) -> int:
        """How many have answers that nobody has marked."""
        return sum(bool(line.waiting) for line in self.lines)


def assignment_preview(
    course: Course,
    assignment: Assignment,
    gradebook: Gradebook,
    *,
    before: MarkReader | None,
    after: MarkReader,
    upto: int,
    now: dt.datetime,
) -> Preview:
    """Return what students would see of an assignment, beside what they see.

    Args:
        course, assignment, gradebook: of these.
        before: what they may see now; None: nothing is published.
        after: what they might see then.
        upto: the last line of that.
        now: decides what is overdue.
    """
    tried = list(gradebook.briefs(assignment.name).values())
    new = _read(course, assignment, gradebook, tried, after, now)
    old, others = _Class(), set(new.standings) | set(new.verdicts)
    if before is not None:
        others = _differing(Standings(course, assignment, gradebook, marks=before), new)
        old = _read(course, assignment, gradebook, tried, before, now, of=others)
    lines = tuple(
        _line(student, old if student in others else new, new)
        for student in sorted({*old.marks, *new.marks}, key=new.place)
        if student in new.verdicts or new.marks.get(student) or old.marks.get(student)
    )
    # An answer of a group is one, and waits in the lines of all its members.
    own = (line for line in lines if line.student in new.verdicts)
    unmarked = Counter(question for line in own for question in line.waiting)
    return Preview(
        lines=lines,
        upto=upto,
        unmarked=dict(sorted(unmarked.items())),
        without=tuple(_without(new)),
    )


def item_preview(
    course: Course,
    scheme: CourseFile,
    item: Item,
    gradebook: Gradebook,
    *,
    before: MarkReader | None,
    after: MarkReader,
    upto: int,
) -> Preview:
    """Return the same of an item that people mark as a whole, such as an exam."""
    people = load_roster(course).people

    def read(marks: MarkReader) -> dict[str, ItemMark]:
        found = course_marks(course, gradebook, scheme=scheme, marks=marks)
        return {mark.student: mark for mark in found if mark.item == item.id}

    new, old = read(after), read(before) if before else {}
    names = {s: people[s].name if s in people and people[s].name else s for s in {*people, *new}}
    lines, without = [], []
    for student in sorted(names, key=lambda s: (names[s].casefold(), s)):
        mark, was = new.get(student), old.get(student)
        if mark is None or mark.points is None:
            without.append((names[student], (mark.waits_for if mark else "") or "no mark"))
            if not _points(was):
                continue
        lines.append(
            PreviewLine(
                student=student,
                name=names[student],
                before=_points(was),
                after=_points(mark),
                moves=_between(was, mark),
            )
        )
    return Preview(lines=tuple(lines), upto=upto, without=tuple(without))


def taken_back(preview: Preview) -> Preview:
    """Return what students would lose sight of.

    Args:
        preview: from what they see now to what they would see, where the machine's points stay.
    """
    lines = [replace(line, after="", moves=None) for line in preview.lines]
    return replace(preview, lines=tuple(line for line in lines if line.differs))


@dataclass(frozen=True, kw_only=True)
class _Class:
    """A class under one view of what people said."""

    newest: Newest = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    standings: Mapping[str, Standing] = field(default_factory=dict)
    given: Mapping[str, dict[str, tuple[Decimal, str]]] = field(default_factory=dict)
    marks: Mapping[str, WholeMark | None] = field(default_factory=dict)

    def name(self, student: str) -> str:
        standing = self.standings.get(student)
        return (standing.name if standing else "") or student

    def place(self, student: str) -> tuple[str, str]:
        """Where a student stands in a list."""
        return self.name(student).casefold(), student

    def in_order(self) -> list[str]:
        return sorted({*self.verdicts, *self.standings}, key=self.place)

    def said(self, student: str) -> dict[str, tuple[Decimal, str]]:
        """What people gave, by question: for its answer, and beside the tests.

        Of who shares in a group's work, that is what was given for it.
        """
        verdict = verdict_for(student, self.verdicts, self.standings)
        found = dict(self.given.get(verdict.student, {})) if verdict else {}
        for question in verdict.questions if verdict else ():
            if question.by_hand or question.comment:
                points, comment = found.get(question.id, _NOTHING)
                both = " ".join(part for part in (comment, question.comment) if part)
                found[question.id] = (points + question.by_hand, both)
        return found


def _read(
    course: Course,
    assignment: Assignment,
    gradebook: Gradebook,
    tried: Sequence[Verdict],
    marks: MarkReader,
    now: dt.datetime,
    *,
    of: Collection[str] | None = None,
) -> _Class:
    """Read a class; `of`: of these students alone."""
    if of is not None:
        tried = [verdict for verdict in tried if verdict.student in of]
    verdicts = counted_verdicts(course, assignment, gradebook, tried, marks=marks)
    standings = Standings(course, assignment, gradebook, marks=marks)
    newest = standings.newest()
    given = {verdict.student: marked_answers(verdict, newest) for verdict in verdicts}
    found = standings.of(verdicts, newest=newest, now=now, whole=of is None, also=sorted(of or ()))
    return _Class(
        newest=newest,
        verdicts={verdict.student: verdict for verdict in verdicts},
        standings=found,
        given=given,
        marks=class_marks(verdicts, found, given),
    )


def _differing(before: Standings, new: _Class) -> set[str]:
    """Return of whom anything else would be seen, and who shares a group with them.

    All others' lines are as they are: late days of a whole class are not weighed twice.
    """
    newest = before.newest()
    facts = newest.keys() | new.newest.keys()
    return before.with_teams({f.student for f in facts if newest.get(f) != new.newest.get(f)})


def _line(student: str, old: _Class, new: _Class) -> PreviewLine:
    mark, was = new.marks.get(student), old.marks.get(student)
    standing = new.standings.get(student)
    return PreviewLine(
        student=student,
        name=new.name(student),
        before=was.words if was else "",
        after=mark.words if mark else "",
        moves=mark.points - was.points if mark and was else None,
        changes=tuple(_changes(old.said(student), new.said(student)))
        if student in old.marks
        else (),
        late=standing.late if standing else "",
        waiting=mark.waiting if mark else (),
        told_from=standing.told_from if standing else None,
    )


def _changes(
    old: Mapping[str, tuple[Decimal, str]], new: Mapping[str, tuple[Decimal, str]]
) -> list[str]:
    found = []
    for question in dict.fromkeys([*old, *new]):
        was, becomes = old.get(question), new.get(question)
        if was == becomes:
            continue
        if was and becomes and was[0] == becomes[0]:
            found.append(f"{question}: the comment")
        else:
            told = [show(one[0]) if one else "not marked" for one in (was, becomes)]
            found.append(f"{question}: {' → '.join(told)}")
    return found


def _without(new: _Class) -> list[tuple[str, str]]:
    found = []
    for student in new.in_order():
        if new.marks.get(student) is None:
            standing = new.standings.get(student)
            excused = standing is not None and standing.excused
            why = "not judged yet" if student in new.verdicts else "nothing handed in"
            found.append((new.name(student), "excused" if excused else why))
    return found


def _between(was: ItemMark | None, mark: ItemMark | None) -> Decimal | None:
    if was is None or mark is None or was.points is None or mark.points is None:
        return None
    return mark.points - was.points


def _points(mark: ItemMark | None) -> str:
    if mark is None or mark.points is None:
        return ""
    return f"{show(mark.points)} of {show(mark.max_points)}"
