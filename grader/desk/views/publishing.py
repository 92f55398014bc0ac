"""Publish an assignment's marks, or take them back, after a look at what that shows to whom."""

from __future__ import annotations

from starlette.responses import Response

from grader.api.publication_preview import preview
from grader.desk.may import Action
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
    visit.course.publications.set(assignment.name, out, who=visit.me.person, now=visit.now)
    visit.note(
        "publish" if out else "take marks back",
        thing=assignment.name,
    )
    return go(f"/c/{visit.course.slug}/a/{assignment.name}")


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
