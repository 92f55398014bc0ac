"""Publish an assignment's marks, or take them back, after a look at what that shows to whom."""

from __future__ import annotations

from sqlalchemy.orm import Session
from starlette.responses import Response

from grader.api.publication_preview import preview
from grader.course.directory import Assignment
from grader.desk.letters import News, notify
from grader.desk.may import Action
from grader.desk.people import Role
from grader.desk.rendering import go, page
from grader.desk.routing import Page, Visit
from grader.desk.views.course import assignment_of, of_assignment


def show_preview(visit: Visit) -> Response:
    """Show what students would see, and of whom marking is not done."""
    assignment = assignment_of(visit)
    return page(
        visit,
        "publish",
        assignment=assignment.name,
        spec=assignment.spec,
        publication=visit.course.publications.of(assignment.name),
        preview=preview(visit.course.course, assignment, visit.course.gradebook, now=visit.now),
    )


def publish(visit: Visit) -> Response:
    """Publish, or take back."""
    assignment = assignment_of(visit)
    out = visit.said("what") == "publish"
    told = _told(visit, assignment) if out and visit.said("tell") else []

    def tell(session: Session, number: int) -> None:
        notify(
            visit.course,
            News.PUBLISHED,
            told,
            about=str(number),
            page=f"/c/{visit.course.slug}/a/{assignment.name}",
            now=visit.now,
            session=session,
            assignment=assignment.spec.title,
        )

    visit.course.publications.set(
        assignment.name, out, who=visit.me.person, now=visit.now, along=tell
    )
    visit.note(
        "publish" if out else "take marks back",
        thing=assignment.name,
    )
    return go(f"/c/{visit.course.slug}/a/{assignment.name}")


def _told(visit: Visit, assignment: Assignment) -> list[str]:
    """Who hears of it: the course's students who handed in."""
    handed_in = visit.course.gradebook.students(assignment.name)
    people = visit.course.people.all()
    return [u.person for u in people if u.role is Role.STUDENT and u.person in handed_in]


_ADDRESS = "/c/{course}/a/{assignment}/publish"
PAGES = [
    Page(
        method="GET",
        path=_ADDRESS,
        view=show_preview,
        action=Action.PUBLISH,
        thing=of_assignment,
    ),
    Page(method="POST", path=_ADDRESS, view=publish, action=Action.PUBLISH, thing=of_assignment),
]
