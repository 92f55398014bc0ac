"""An assignment's settings, as they are written in its files: to be read here, changed there."""

from __future__ import annotations

from starlette.responses import Response

from grader.desk.may import Action
from grader.desk.rendering import go, page
from grader.desk.routing import Page, Visit
from grader.desk.views.class_list import record_of
from grader.desk.views.course import assignment_of, facts_of, of_assignment, release_of
from grader.gradebook.database import together


def show_settings(visit: Visit) -> Response:
    """Show dates, points, tries, limits and what lateness costs."""
    assignment = assignment_of(visit)
    record = record_of(visit, assignment)
    facts = facts_of(visit)
    item = facts.item(record.item) if facts and record.item else None
    return page(
        visit,
        "settings",
        spec=assignment.spec,
        assignment=assignment.name,
        facts=facts,
        item=item,
        record=record,
        has_release=release_of(visit, assignment) is not None,
        tried=len(visit.course.gradebook.tries.newest_of(assignment.name)),
        without_try=_without_try(visit, assignment.name),
    )


def regrade(visit: Visit) -> Response:
    """Have what counts of an assignment judged again, behind everybody who waits."""
    assignment = assignment_of(visit)
    best = assignment.spec.attempts.counts == "best"
    with together(visit.course.gradebook.engine):
        count = visit.course.gradebook.queue.regrade(assignment.name, best=best)
        visit.note("regrade", thing=assignment.name, detail=f"{count} tries")
    return go(f"/c/{visit.course.slug}/queue")


def _without_try(visit: Visit, assignment: str) -> int:
    """How many were graded on the command line alone: their files are not in this queue."""
    gradebook = visit.course.gradebook
    return len(gradebook.students(assignment) - set(gradebook.tries.newest_of(assignment)))


_ADDRESS = "/c/{course}/a/{assignment}"
PAGES = [
    Page(
        method="GET",
        path=f"{_ADDRESS}/settings",
        view=show_settings,
        action=Action.SEE_CLASS,
        thing=of_assignment,
    ),
    Page(
        method="POST",
        path=f"{_ADDRESS}/regrade",
        view=regrade,
        action=Action.RUN_AGAIN,
        thing=of_assignment,
    ),
]
