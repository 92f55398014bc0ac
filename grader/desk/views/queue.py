"""The queue: how long it is, what is stuck, and having a try judged again."""

from __future__ import annotations

from starlette.responses import Response

from grader.desk.events import about
from grader.desk.may import Action
from grader.desk.rendering import go, page
from grader.desk.routing import Page, Visit
from grader.desk.views.course import engine_state
from grader.desk.views.lists import paged
from grader.desk.views.tries import try_of, whose_try
from grader.gradebook.database import together
from grader.gradebook.tries import AGAIN

_EVERY = 10_000
"""More tries than wait or fail at once: one each of a class, and some judged again."""


def show_queue(visit: Visit) -> Response:
    """Show what waits, what runs, and what failed for a reason of ours."""
    gradebook = visit.course.gradebook
    running = gradebook.queue.next_up(limit=_EVERY)
    failed = gradebook.tries.failed(limit=_EVERY)
    queue = gradebook.queue.state(now=visit.now)
    return page(
        visit,
        "queue",
        queue=queue,
        left=about(queue.seconds_left) if queue.seconds_left else "",
        engine=engine_state(visit),
        running=paged(visit, [one for one in running if visit.sees(one.student)]),
        failed=paged(visit, [one for one in failed if visit.sees(one.student)], name="failed"),
        regrades=AGAIN,
        names={p.id: p.name or p.id for p in visit.course.roster.people.values()},
    )


def run_again(visit: Visit) -> Response:
    """Put a try back into the queue, behind everybody who hands in."""
    one = try_of(visit)
    with together(visit.course.gradebook.engine):
        visit.course.gradebook.queue.again([one.id])
        visit.note("judge again", thing=f"{one.assignment} {one.student} {one.attempt}")
    return go(f"/c/{visit.course.slug}/t/{one.id}")


def run_failed_again(visit: Visit) -> Response:
    """Put what failed for a reason of ours back into the queue, behind everybody who hands in."""
    gradebook = visit.course.gradebook
    failed = gradebook.tries.failed(limit=_EVERY)
    with together(gradebook.engine):
        count = gradebook.queue.again([one.id for one in failed])
        visit.note("judge all that failed again", detail=str(count))
    return go(f"/c/{visit.course.slug}/queue")


PAGES = [
    Page(method="GET", path="/c/{course}/queue", view=show_queue, action=Action.SEE_CLASS),
    Page(
        method="POST",
        path="/c/{course}/queue/again",
        view=run_failed_again,
        action=Action.RUN_AGAIN,
    ),
    Page(
        method="POST",
        path="/c/{course}/t/{number}/again",
        view=run_again,
        action=Action.RUN_AGAIN,
        thing=whose_try,
    ),
]
