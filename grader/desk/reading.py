"""Whose marks a visitor may read, and how much of them."""

from __future__ import annotations

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
