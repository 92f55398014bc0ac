"""What a person should know of marks given by hand: those that nothing takes any more."""

from __future__ import annotations

from sqlalchemy import make_url

from grader.course.directory import Assignment, Course
from grader.gradebook.course_tries import counted_verdicts
from grader.gradebook.hand_marks import Kind
from grader.gradebook.store import Gradebook
from grader.gradebook.strays import mark_notes


def notes_on_marks(
    course: Course, assignment: Assignment, gradebook: Gradebook | None = None
) -> list[str]:
    """Say which marks by hand fit no question of an assignment, or other points than they did.

    Args:
        course, assignment: of these.
        gradebook: of the course, where it is open already; else it is opened if there is one.
    """
    if gradebook is None:
        if not _has_gradebook(course):
            return []
        with Gradebook(course.database_url) as opened:
            return notes_on_marks(course, assignment, opened)
    newest = gradebook.hand_marks.newest(item=assignment.name)
    verdicts = []
    if any(fact.kind is Kind.ADJUSTMENT for fact in newest):
        briefs = gradebook.briefs(assignment.name).values()
        verdicts = counted_verdicts(course, assignment, gradebook, briefs, newest=newest)
    return mark_notes(assignment.name, assignment.spec, newest, verdicts)


def _has_gradebook(course: Course) -> bool:
    """To look must not make one."""
    address = make_url(course.database_url)
    file = address.database if address.get_backend_name() == "sqlite" else None
    return file is None or (course.root / file).is_file()
