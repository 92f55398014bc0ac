"""The totals of a class: from everybody's marks to everybody's lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from grader.course.course_file import CourseFile
from grader.errors import GradebookError
from grader.gradebook.changed import changed
from grader.gradebook.group_marks import mark_of_member
from grader.gradebook.marks import ItemMark
from grader.gradebook.totals.charging import days
from grader.gradebook.totals.entries import AsOf, Entry, entries_of, latest
from grader.gradebook.totals.rounding import rounded
from grader.gradebook.totals.scoring import Score, Scoring, score
from grader.gradebook.totals.total_lines import StudentTotal
from grader.gradebook.totals.weights import ClassShares, SharesOf, shares_of

Groups = Mapping[str, Mapping[str, Collection[str]]]


def class_totals(
    course: CourseFile,
    marks: Iterable[ItemMark],
    *,
    now: dt.datetime,
    students: Iterable[str] = (),
    groups: Groups | None = None,
    final: bool = False,
) -> list[StudentTotal]:
    """Return everybody's total, sorted by student: what `class_entries` comes to."""
    entries = class_entries(course, marks, now=now, students=students, groups=groups, final=final)
    shares = ClassShares()
    return [student_total(s, course, own, shares=shares) for s, own in entries.items()]


def class_entries(
    course: CourseFile,
    marks: Iterable[ItemMark],
    *,
    now: dt.datetime,
    students: Iterable[str] = (),
    groups: Groups | None = None,
    final: bool = False,
    graded: Collection[str] = (),
) -> dict[str, list[Entry]]:
    """Lay everybody's marks beside the items; the order of the marks does not matter.

    Args:
        course: as `load_scheme` reads it, with nothing left open.
        marks: at most one for a student and an item.
        now: assignments that are overdue by now and were not handed in give no points.
        students: also those without any mark.
        groups: for an item, the members of each student's group (the student among them); one
            member's mark is the mark of all who have none of their own.
        final: whatever else has no mark gives no points either.
        graded: items of which others have marks, where the marks of a few alone are given.

    Raises:
        GradebookError: two marks for one student and item, or marks outside their bounds.
    """
    groups = groups or {}
    table = _laid_out(course, marks)
    as_of = AsOf(
        now=now,
        final=final,
        graded=frozenset({*graded, *_marked(table)}),
    )
    shared = shared_marks(course, table, groups)
    everybody = {*students, *table, *(s for own in groups.values() for s in own)}
    entries = {
        student: entries_of(student, course, shared.get(student, {}), as_of)
        for student in sorted(everybody)
    }
    _tell_together(course, entries, groups)
    return entries


def student_total(
    student: str, course: CourseFile, entries: Sequence[Entry], *, shares: SharesOf = shares_of
) -> StudentTotal:
    """Return one student's total from the entries of all items.

    `shares` finds what the items are worth: for a whole class, one `ClassShares`.
    """
    waiting = tuple(e.item.title for e in entries if e.waits)
    so_far = score(course, entries, shares=shares)
    least = most = so_far.percent
    if waiting:
        scoring = Scoring(course, entries, shares=shares)
        least = scoring.outlook(Fraction(0)).percent
        most = scoring.outlook(Fraction(1)).percent
    failed = tuple(item.title for item in so_far.items if item.passed is False)
    complete = not waiting and so_far.percent is not None
    late = course.late
    used = days(so_far.grace_units, late) if late else None
    return StudentTotal(
        student=student,
        components=so_far.components,
        so_far=so_far.percent,
        at_least=total_of(least, course),
        at_most=total_of(most, course),
        total=total_of(so_far.percent, course) if complete else None,
        letter=letter_of(so_far, course) if complete else None,
        failed=failed,
        grace_used=used,
        grace_left=late.grace_days - used if late and used is not None else None,
        waiting=waiting,
    )


def total_of(percent: Fraction | None, course: CourseFile) -> Decimal:
    """Return the total as the course rounds it."""
    return rounded(percent or Fraction(0), course.rounding)


def letter_of(scored: Score, course: CourseFile) -> str | None:
    """Return the letter: the one for failing where something had to be passed and was not."""
    letters = course.letters
    if letters is None:
        return None
    if not scored.passes:
        return letters.failed
    exact = scored.percent or Fraction(0)
    total = rounded(exact, course.rounding) if letters.of == "rounded" else exact
    return letters.letter(total)


def _laid_out(course: CourseFile, marks: Iterable[ItemMark]) -> dict[str, dict[str, ItemMark]]:
    known = {item.id for item in course.items}
    table: dict[str, dict[str, ItemMark]] = {}
    for mark in marks:
        if mark.item not in known:
            raise GradebookError(
                f"there is a mark for the item {mark.item!r}, which the course file does not have",
                where=mark.student,
                hint="Give the item its old id again in the course file.",
            )
        own = table.setdefault(mark.student, {})
        if mark.item in own:
            raise GradebookError(
                f"there are two marks for the item {mark.item!r}", where=mark.student
            )
        own[mark.item] = mark
    return table


def _tell_together(course: CourseFile, entries: Mapping[str, list[Entry]], groups: Groups) -> None:
    """Keep back from a whole group what one of its members may not see yet: work is theirs all."""
    for place, item in enumerate(course.items):
        if not item.group or item.due is None:
            continue
        dues = {student: own[place].due for student, own in entries.items()}
        for student, members in groups.get(item.id, {}).items():
            until = latest(dues[student], *(dues.get(member) for member in members))
            if until != dues[student]:
                entries[student][place] = changed(entries[student][place], told_from=until)


def _marked(table: Mapping[str, Mapping[str, ItemMark]]) -> Iterator[str]:
    """The items that were marked for anybody; of an excuse or a later date nobody knows that."""
    for own in table.values():
        yield from (item for item, mark in own.items() if mark.is_work)


def shared_marks(
    course: CourseFile, table: Mapping[str, Mapping[str, ItemMark]], groups: Groups
) -> dict[str, dict[str, ItemMark]]:
    """Return everybody's marks by item, each member of a group with the group's.

    Args:
        course: as `load_scheme` reads it.
        table: everybody's own marks, by item.
        groups: as in `class_entries`.
    """
    shared = {student: dict(own) for student, own in table.items()}
    for item in course.items:
        if not item.group:
            continue
        of = {student: own[item.id] for student, own in table.items() if item.id in own}
        for student, members in groups.get(item.id, {}).items():
            others = [of[m] for m in sorted(members) if m in of and m != student]
            mark = mark_of_member(student, of.get(student), others)
            if mark is not None:
                shared.setdefault(student, {})[item.id] = mark
    return shared
