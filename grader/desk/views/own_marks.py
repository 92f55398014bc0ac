"""A student's own marks: the course's total, what it is made of, and what would be needed."""

from __future__ import annotations

from starlette.responses import Response

from grader.api.own_totals import OwnTotals, own_totals
from grader.desk.appealing import appeals_of
from grader.desk.may import Action
from grader.desk.reading import published_marks, reader
from grader.desk.rendering import go, page
from grader.desk.routing import Page, Visit, of_own
from grader.gradebook.totals.need import plainly
from grader.gradebook.totals.total_lines import State


def show_marks(visit: Visit) -> Response:
    """Show a student everything that is published of theirs, on one page that can be printed."""
    if visit.me.role.is_staff:
        return go(f"/c/{visit.course.slug}/publish")
    totals = _totals(visit)
    released = [a for a in visit.course.assignments() if visit.course.is_released(a, visit.now)]
    # Without a total the assignments stand for themselves.
    works = [reader(visit, a).own(visit.me.person) for a in released] if totals is None else []
    return page(
        visit,
        "marks",
        totals=totals,
        needs=[(need, plainly(need)) for need in totals.needs] if totals else [],
        works=works,
        released={assignment.name for assignment in released},
        assignment_of={i.id: i.assignment for i in totals.scheme.items} if totals else {},
        State=State,
        has_appeals=bool(appeals_of(visit).of_student(visit.me.person)),
    )


def _totals(visit: Visit) -> OwnTotals | None:
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
        visit.me.person,
        marks=published_marks(visit),
        published=published,
        now=visit.now,
    )


PAGES = [
    Page(
        method="GET",
        path="/c/{course}/marks",
        view=show_marks,
        action=Action.SEE_COURSE,
        thing=of_own,
    ),
]
