"""A student's own marks: the course's total, what it is made of, and what would be needed.

Staff may look at the same page of a student: at what is published, and no more.
"""

from __future__ import annotations

from starlette.responses import Response

from grader.desk.appealing import appeals_of
from grader.desk.may import Action
from grader.desk.reading import reader, totals_of
from grader.desk.rendering import go, page
from grader.desk.routing import Page, Visit, of_own
from grader.desk.views.students import of_student
from grader.gradebook.totals.need import plainly
from grader.gradebook.totals.total_lines import State


def show_marks(visit: Visit) -> Response:
    """Show a student everything that is published of theirs, on one page that can be printed."""
    if visit.me.role.is_staff:
        return go(f"/c/{visit.course.slug}/publish")
    return _marks(visit, visit.me.person, visit.me.name)


def show_marks_of(visit: Visit) -> Response:
    """Show staff what a student sees of their marks: nothing more, and nothing to change."""
    student = visit.named("student")
    person = visit.course.roster.people.get(student)
    return _marks(visit, student, (person.name if person else "") or student)


def _marks(visit: Visit, student: str, name: str) -> Response:
    totals = totals_of(visit, student)
    released = [a for a in visit.course.assignments() if visit.course.is_released(a, visit.now)]
    # Without a total the assignments stand for themselves.
    alone = released if totals is None else []
    works = [reader(visit, a, as_student=True).own(student) for a in alone]
    own = student == visit.me.person
    return page(
        visit,
        "marks",
        own=own,
        student=student,
        name=name,
        totals=totals,
        needs=[(need, plainly(need)) for need in totals.needs] if totals else [],
        works=works,
        released={assignment.name for assignment in released} if own else (),
        assignment_of={i.id: i.assignment for i in totals.scheme.items} if totals else {},
        State=State,
        has_appeals=own and bool(appeals_of(visit).of_student(student)),
    )


PAGES = [
    Page(
        method="GET",
        path="/c/{course}/marks",
        view=show_marks,
        action=Action.SEE_COURSE,
        thing=of_own,
    ),
    Page(
        method="GET",
        path="/c/{course}/s/{student}/marks",
        view=show_marks_of,
        action=Action.SEE_CLASS,
        thing=of_student,
    ),
]
