"""Whose marks a visitor may read, and how much of them."""

from __future__ import annotations

from grader.api.own_totals import OwnTotals, own_totals
from grader.api.own_work import WorkReader
from grader.course.directory import Assignment
from grader.desk.routing import Visit
from grader.gradebook.publications import PublishedMarks


def reader(visit: Visit, assignment: Assignment, *, as_student: bool = False) -> WorkReader:
    """Return what reads students' work of an assignment, as it may be seen now.

    Args:
        visit: the reader's.
        assignment: whose work.
        as_student: no more than its student may see, also where staff look.
    """
    staff = visit.me.role.is_staff and not as_student
    return WorkReader(
        visit.course.course,
        assignment,
        visit.course.gradebook,
        marks=visit.course.gradebook.hand_marks if staff else published_marks(visit),
        as_student=not staff,
        whole=staff or visit.course.publications.is_published(assignment.name),
        now=visit.now,
        roster=visit.course.roster,
        scheme=visit.course.scheme(),
    )


def published_marks(visit: Visit) -> PublishedMarks:
    """Return what students may see of what people said: asked for once for each request."""
    found: PublishedMarks | None = visit.kept.get("published marks")
    if found is None:
        found = visit.kept["published marks"] = visit.course.published_marks()
    return found


def totals_of(visit: Visit, student: str, *, with_needs: bool = True) -> OwnTotals | None:
    """Return a student's total, of what is published alone; None where there is none."""
    course = visit.course
    scheme = course.scheme()
    if scheme is None:
        return None
    out = {name for name, one in course.publications.all().items() if one.published}
    published = {
        item for scope in course.scopes(scheme) if scope.name in out for item in scope.items
    }
    return own_totals(
        course.course,
        scheme,
        course.gradebook,
        student,
        marks=published_marks(visit),
        published=published,
        now=visit.now,
        with_needs=with_needs,
    )


def with_grace_days(visit: Visit) -> OwnTotals | None:
    """Return the visitor's total where it says how many days of grace they have left."""
    scheme = visit.course.scheme()
    if scheme is None or scheme.late is None or not scheme.late.grace_days:
        return None
    return totals_of(visit, visit.me.person, with_needs=False)
