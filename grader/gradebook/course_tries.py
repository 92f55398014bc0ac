"""Which try of an assignment counts for each student, by the course's rules on late work."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal

import msgspec

from grader.course.components import Component, Item
from grader.course.course_file import CourseFile
from grader.course.directory import Assignment, Course
from grader.course.groups import load_groups, with_teams
from grader.course.scheme import load_scheme
from grader.errors import GradebookError, GraderError, SpecError
from grader.gradebook.adjustments import all_adjusted
from grader.gradebook.counting import counted, may_be_refused, tries_of
from grader.gradebook.course_marks import course_marks
from grader.gradebook.hand_marks import MarkReader, Newest
from grader.gradebook.marks import ItemMark
from grader.gradebook.store import Gradebook
from grader.gradebook.totals.entries import AsOf, entries_of
from grader.gradebook.totals.scoring import score
from grader.gradebook.totals.students import shared_marks
from grader.grading.verdict import Verdict

WHOLE = Decimal(100)


def counted_verdicts(
    course: Course,
    assignment: Assignment,
    gradebook: Gradebook,
    verdicts: Iterable[Verdict] | None = None,
    *,
    newest: Newest | None = None,
    marks: MarkReader | None = None,
) -> list[Verdict]:
    """Return the verdict that counts for each student, sorted by name.

    With what people have added to its questions.

    The same try as in the totals: where the best counts, the best after what lateness costs, with
    grace days spent as there; where the last counts, the last that was accepted. Without a course
    file lateness costs nothing.

    Args:
        course, assignment, gradebook: of these.
        verdicts: at most one of each attempt; by default those that hold, or have no mark yet.
        newest: what people said of the assignment, where it has been read already.
        marks: what is to be known of what people said; default: all of it.

    Raises:
        SpecError: the course file is wrong.
    """
    if verdicts is None:
        verdicts = [entry.verdict for entry in gradebook.tried(assignment.name)]
    if newest is None:
        newest = (marks or gradebook.hand_marks).newest(item=assignment.name)
    verdicts = all_adjusted(verdicts, newest)
    own = tries_of(verdicts)
    chosen = counted(verdicts, assignment.spec.attempts.counts)
    several = {student for student, tries in own.items() if len(tries) > 1}
    if not several or not course.course_file.is_file():
        return chosen
    scheme = load_scheme(course)
    item = scheme.item_of(assignment.name)
    if item is None:
        return chosen
    if assignment.spec.attempts.counts == "last":
        several = {s for s in several if may_be_refused(own[s][-1], item.due)}
        if not several:
            return chosen
    known = _known(course, gradebook, scheme, marks, several)
    as_of = AsOf(now=dt.datetime.now(dt.UTC), graded=graded_items(scheme, gradebook))
    numbers = {s: _number(s, item, scheme, known.get(s, {}), as_of) for s in several}
    last_counts = assignment.spec.attempts.counts == "last"
    return [
        next((v for v in own[best.student] if v.submission.attempt == number), best)
        if (best.outcome.is_mark or last_counts) and (number := numbers.get(best.student))
        else best
        for best in chosen
    ]


def rule_of_choice(course: Course, assignment: Assignment, gradebook: Gradebook) -> str:
    """Return what decides which try counts beside the verdicts, in ten characters.

    Whoever keeps the choice makes it anew when this changes: a rule of the course file, a due date,
    somebody's longer time, or the time of a hand-in.
    """
    counts, facts = assignment.spec.attempts.counts, ""
    if course.course_file.is_file():
        with suppress(GraderError):  # totals say what is wrong with it; lateness then costs nothing
            scheme = load_scheme(course)
            item = scheme.item_of(assignment.name)
            longer = [e for e in scheme.extensions if item and e.item == item.id]
            told = gradebook.newest_terms(assignment.name, item.id) if item else ()
            rule = scheme.lateness(item) if item else ""
            facts = repr((scheme.late, scheme.timezone, item and item.due, rule, longer, told))
    return f"{counts[0]}{hashlib.sha256(facts.encode()).hexdigest()[:9]}"


def graded_items(scheme: CourseFile, gradebook: Gradebook) -> frozenset[str]:
    """Return the items of which the class has verdicts: who has none there handed in nothing."""
    graded = {i.assignment for i in scheme.items if i.assignment}
    graded = {assignment for assignment in graded if gradebook.students(assignment)}
    return frozenset(item.id for item in scheme.items if item.assignment in graded)


def _known(
    course: Course,
    gradebook: Gradebook,
    scheme: CourseFile,
    marks: MarkReader | None,
    students: Collection[str],
) -> dict[str, dict[str, ItemMark]]:
    """What totals have of these students, by item, with what they share in their groups."""
    try:
        groups = load_groups(course, scheme).members
    except SpecError:  # totals say what is wrong with them
        groups = {}
    wanted = with_teams(students, groups)
    table: dict[str, dict[str, ItemMark]] = {}
    for mark in course_marks(course, gradebook, scheme=scheme, marks=marks, students=wanted):
        table.setdefault(mark.student, {})[mark.item] = mark
    return shared_marks(scheme, table, groups)


def _number(
    student: str, item: Item, scheme: CourseFile, own: Mapping[str, ItemMark], as_of: AsOf
) -> int:
    """The attempt that counts; 0 where the record has none."""
    if scheme.left_open:
        scheme, own = alone(item, scheme), {i: m for i, m in own.items() if i == item.id}
    try:
        entries = entries_of(student, scheme, own, as_of)
    except GradebookError:  # a mark that doesn't fit the course file; totals say which
        scheme = alone(item, scheme)
        try:
            entries = entries_of(student, scheme, {item.id: own[item.id]}, as_of)
        except (GradebookError, KeyError):
            return 0
    return next(i.attempt for i in score(scheme, entries).items if i.item == item.id)


def alone(item: Item, scheme: CourseFile) -> CourseFile:
    """Return the course as if it were this item: what is not known of others changes nothing."""
    inside = next(c for c in scheme.components if item.id in {i.id for i in c.items})
    one = msgspec.structs.replace(item, weight=None, extra_credit=False)
    component = Component(id=inside.id, title=inside.title, weight=WHOLE, items=(one,))
    return msgspec.structs.replace(scheme, components=(component,))
