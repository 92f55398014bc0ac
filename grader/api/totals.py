"""From the gradebook and the course file to everybody's total."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.api.mark_notes import notes_on_marks
from grader.course.course_file import CourseFile
from grader.course.directory import Course
from grader.course.groups import Groups, load_groups
from grader.course.roster import load_roster
from grader.course.scheme import check_open, load_scheme
from grader.errors import UsageError
from grader.gradebook.course_marks import course_marks
from grader.gradebook.hand_history import hand_history
from grader.gradebook.machine_history import machine_history
from grader.gradebook.marks import ItemMark, MarkEvent
from grader.gradebook.store import Gradebook
from grader.gradebook.strays import stray_items
from grader.gradebook.totals.entries import Entry
from grader.gradebook.totals.need import Need, need, needs
from grader.gradebook.totals.students import class_entries, student_total
from grader.gradebook.totals.total_lines import StudentTotal
from grader.gradebook.totals.weights import ClassShares
from grader.report.files import file_name, write_pages
from grader.report.totals_pages import class_totals_page, student_totals_page, targets_of


@dataclass(frozen=True, kw_only=True)
class CourseTotals:
    """A class's totals, with what they were computed from.

    Attributes:
        scheme: the course file, filled in from the assignments.
        totals: by student, sorted.
        entries: each student's marks beside the items.
        names: of students, where the roster knows them.
        history: every change of each student's marks, oldest first.
        remarks: what an instructor should look at, in sentences.
    """

    scheme: CourseFile
    now: dt.datetime
    totals: Mapping[str, StudentTotal]
    entries: Mapping[str, Sequence[Entry]]
    names: Mapping[str, str] = field(default_factory=dict)
    history: Mapping[str, Sequence[MarkEvent]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def of(self, student: str) -> StudentTotal:
        """Return one student's total.

        Raises:
            UsageError: there is no such student.
        """
        if student not in self.totals:
            raise UsageError(
                f"there is no mark of a student {student!r}",
                hint=f"There are: {', '.join(list(self.totals)[:8])}…" if self.totals else None,
            )
        return self.totals[student]

    def need(self, student: str, target: str) -> Need:
        """Say what a student would need to reach a letter or a total."""
        self.of(student)
        return need(self.scheme, self.entries[student], target)


def course_totals(
    course: Course,
    *,
    now: dt.datetime | None = None,
    final: bool = False,
    history: bool = True,
    before: CourseTotals | None = None,
) -> CourseTotals:
    """Compute everybody's total from what the gradebook holds.

    Args:
        course: with a course file.
        now: decides what is overdue; default: the time.
        final: whatever has no mark counts nothing, as at the end of a course.
        history: also how every mark came about; it is long.
        before: totals of an earlier moment: whose entries are as they were is not added up again.

    Raises:
        UsageError: there is no course file.
        SpecError: the course file or `groups.csv` is wrong, or facts are still open: it names
            them.
        GradebookError: a mark does not fit the course file.
    """
    scheme = load_scheme(course)
    check_open(scheme, course.course_file)
    moment = now or dt.datetime.now(dt.UTC).replace(microsecond=0)
    with Gradebook(course.database_url) as gradebook:
        marks = course_marks(course, gradebook, scheme=scheme)
        events: list[MarkEvent] = []
        if history:
            events = [*machine_history(scheme, gradebook), *hand_history(scheme, gradebook)]
            events.sort(key=lambda event: event.at)
        remarks = [
            *stray_items(scheme, gradebook.hand_marks.newest()),
            *(
                note
                for name in dict.fromkeys(i.assignment for i in scheme.items if i.assignment)
                for note in notes_on_marks(course, course.assignment(name), gradebook)
            ),
        ]
    shares = ClassShares()
    same = before is not None and before.scheme == scheme
    was, known = (before.entries, before.totals) if before and same else ({}, {})
    groups = load_groups(course, scheme)
    people = load_roster(course).people
    entries = class_entries(
        scheme, marks, now=moment, students=people, groups=groups.members, final=final
    )
    of_each: dict[str, list[MarkEvent]] = {student: [] for student in entries}
    for event in events:
        if event.student in of_each:
            of_each[event.student].append(event)
    return CourseTotals(
        scheme=scheme,
        now=moment,
        totals={
            s: known[s] if was.get(s) == own else student_total(s, scheme, own, shares=shares)
            for s, own in entries.items()
        },
        entries=entries,
        names={s: p.name for s, p in people.items() if p.name},
        history=of_each,
        remarks=(
            *groups.remarks,
            *_lost_extensions(scheme, people),
            *_several_works(scheme, marks, groups),
            *remarks,
            *_without_time(scheme, entries),
        ),
    )


def _several_works(scheme: CourseFile, marks: Sequence[ItemMark], groups: Groups) -> Iterator[str]:
    """Say of which groups several members have handed in, with marks that differ.

    Each keeps the mark of their own try; which of them is the group's work a person must say.
    """
    worked = {(m.item, m.student): m for m in marks if m.attempt and not m.excused}
    for item in scheme.items:
        for group, members in groups.named.get(item.id, {}).items():
            own = [worked[item.id, s] for s in members if (item.id, s) in worked]
            if len({mark.points for mark in own}) > 1:
                yield (
                    f"{item.title}: of the group {group!r}, "
                    f"{' and '.join(mark.student for mark in own)} have each handed in, and each "
                    "has the mark of their own try"
                )


def _lost_extensions(scheme: CourseFile, people: Collection[str]) -> Iterator[str]:
    """Say of which extensions of the course file nobody on the roster has anything."""
    for extension in scheme.extensions if people else ():
        if extension.student not in people:
            yield (
                f"course.toml extends {extension.item} for {extension.student!r}, who is not on "
                "the roster"
            )


def _without_time(scheme: CourseFile, entries: Mapping[str, Sequence[Entry]]) -> Iterator[str]:
    """Say of each item that can be late how many of its marks have no hand-in time."""
    for item in scheme.items:
        own = [e for one in entries.values() for e in one if e.item.id == item.id]
        marked = [e.mark for e in own if e.mark and not e.excused and e.due is not None]
        missing = sum(mark.handed_in is None for mark in marked)
        costs = any(e.rule(scheme.late) != "free" for e in own)
        if item.assignment is not None and costs and missing:
            yield (
                f"{item.title}: {missing} of {len(marked)} have no hand-in time, "
                "and are never late."
            )


def write_totals(course: Course, computed: CourseTotals, *, out: Path | None = None) -> Path:
    """Write the class's page and one for each student; returns the class's page.

    `students/` holds what may be sent to each student; `totals.html` is for instructors.
    """
    scheme, shared = computed.scheme, {"template_dirs": course.template_dirs}
    pages = {
        f"students/{file_name(student)}.html": _student_page(computed, student, **shared)
        for student in computed.totals
    }
    pages["totals.html"] = class_totals_page(
        list(computed.totals.values()),
        course=scheme,
        links={s: f"students/{file_name(s)}.html" for s in computed.totals},
        now=computed.now,
        names=computed.names,
        **shared,
    )
    return write_pages(out or course.graded_dir / "totals", pages)[-1]


def _student_page(computed: CourseTotals, student: str, *, template_dirs: Sequence[Path]) -> str:
    """What one student may see: of assignments that are not due yet, no marks."""
    scheme, now = computed.scheme, computed.now
    own = [entry.held_back(now) for entry in computed.entries[student]]
    hidden = {e.item.id for e, o in zip(computed.entries[student], own, strict=True) if e != o}
    total = student_total(student, scheme, own) if hidden else computed.totals[student]
    return student_totals_page(
        total,
        course=scheme,
        now=now,
        needs=needs(scheme, own, targets_of(scheme)) if total.waiting else [],
        history=[e for e in computed.history.get(student, ()) if e.item not in hidden],
        shown_as=computed.names.get(student),
        template_dirs=template_dirs,
    )
