"""The desk's own style and scripts, and what a machine asks: is it well, and how is the queue."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from grader.desk.routing import NotFound, OpenPage, Visit
from grader.errors import GradebookError
from grader.resources import shipped_dir

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def send_static(visit: Visit) -> Response:
    """Send a file of ours."""
    folder = shipped_dir("templates") / "desk" / "static"
    files = {path.name: path for path in folder.iterdir()}
    path = files.get(visit.named("file"))
    if path is None or path.suffix[1:] not in _TYPES:
        raise NotFound
    return Response(
        path.read_bytes(),
        media_type=_TYPES[path.suffix[1:]],
        headers={"cache-control": "public, max-age=300"},
    )


def health(visit: Visit) -> Response:
    """Say whether the desk can work: its databases answer, its engines run."""
    for course in visit.desk.courses.values():
        try:
            course.gradebook.tries.queue(now=visit.now)
        except GradebookError:
            return PlainTextResponse(f"{course.slug}: the database does not answer\n", 503)
        supervisor = visit.request.app.state.news.supervisor(course.slug)
        if supervisor is not None and supervisor.pid is None:
            return PlainTextResponse(f"{course.slug}: the engine does not run\n", 503)
    return PlainTextResponse("ok\n")


def metrics(visit: Visit) -> Response:
    """Say how the queue is, as Prometheus reads it; no name of anybody is in it."""
    lines = [
        "# HELP grader_tries Tries in the queue by state.",
        "# TYPE grader_tries gauge",
    ]
    waits = ["# HELP grader_oldest_wait_seconds Age of the oldest try that waits."]
    waits += ["# TYPE grader_oldest_wait_seconds gauge"]
    for course in visit.desk.courses.values():
        queue = course.gradebook.tries.queue(now=visit.now)
        for state in ("waiting", "running", "failed"):
            count = getattr(queue, state)
            lines.append(f'grader_tries{{course="{course.slug}",state="{state}"}} {count}')
        age = (visit.now - queue.oldest).total_seconds() if queue.oldest else 0.0
        waits.append(f'grader_oldest_wait_seconds{{course="{course.slug}"}} {age:.1f}')
    text = "\n".join([*lines, *waits]) + "\n"
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


PAGES = [
    OpenPage(method="GET", path="/static/{file}", view=send_static, why="style and scripts"),
    OpenPage(method="GET", path="/healthz", view=health, why="asked by who watches the machine"),
    OpenPage(method="GET", path="/metrics", view=metrics, why="numbers without names"),
]
