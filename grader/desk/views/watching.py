"""What machines ask that watch the desk: does it live, can it work, and how does it do.

A stranger learns whether the desk, its databases and its engines are well, and no more: which
courses there are, and what is wrong with an assignment, is for this machine and for who runs the
course.
"""

from __future__ import annotations

import ipaddress
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.responses import PlainTextResponse, Response

from grader.desk.counters import exposed
from grader.desk.courses import DeskCourse
from grader.desk.people import Role
from grader.desk.routing import NotFound, OpenPage, Visit
from grader.errors import GradebookError
from grader.gradebook.tries import TryState

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
_READERS = (Role.ADMIN, Role.INSTRUCTOR)


@dataclass(frozen=True, kw_only=True)
class _Trouble:
    """What is not well: `plain` to everybody, `says` to who may know; a course's, or the desk's."""

    plain: str
    says: str
    course: DeskCourse | None = None


def live(visit: Visit) -> Response:
    """Say that the process answers: one that does not is started again."""
    return PlainTextResponse("ok\n")


def ready(visit: Visit) -> Response:
    """Say whether people can work here: the databases answer, and an upload has room."""
    return _said(visit, [*_databases(visit), *_room(visit)])


def health(visit: Visit) -> Response:
    """Say whether all is well: besides, an engine of each course is at work."""
    return _said(visit, [*_databases(visit), *_room(visit), *_engines(visit)])


def metrics(visit: Visit) -> Response:
    """Say how the desk does, as Prometheus reads it, to this machine and to who runs the course."""
    if not (_is_local(visit) or _runs_a_course(visit)):
        raise NotFound
    counted = visit.request.app.state.counters.all()
    text = "\n".join([*_queues(visit), *_sessions(visit), *exposed(counted)]) + "\n"
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


def _said(visit: Visit, troubles: list[_Trouble]) -> Response:
    local = _is_local(visit)
    lines = [t.says if local or _may_know(visit, t) else t.plain for t in troubles]
    if lines:
        return PlainTextResponse("".join(f"{line}\n" for line in dict.fromkeys(lines)), 503)
    return PlainTextResponse("ok\n")


def _may_know(visit: Visit, trouble: _Trouble) -> bool:
    return _runs(visit, trouble.course) if trouble.course else _runs_a_course(visit)


def _databases(visit: Visit) -> Iterator[_Trouble]:
    for course in visit.desk.courses.values():
        try:
            course.gradebook.claims.any_free(now=visit.now)
        except GradebookError:
            says = "the database does not answer"
            yield _Trouble(plain=says, says=f"{course.slug}: {says}", course=course)


def _room(visit: Visit) -> Iterator[_Trouble]:
    plain = "the desk has no room for uploads"
    try:
        free = shutil.disk_usage(visit.desk.uploads).free
    except OSError as error:
        yield _Trouble(plain=plain, says=f"uploads can't be kept: {error.strerror}")
        return
    if free < 2 * visit.desk.max_upload_mb << 20:
        yield _Trouble(plain=plain, says="the disk is nearly full")


def _engines(visit: Visit) -> Iterator[_Trouble]:
    plain = "an engine is missing, or does not do well"
    for course in visit.desk.courses.values():
        try:
            engines = course.gradebook.engines.at_work(now=visit.now)
        except GradebookError:
            continue
        found = [e.trouble for e in engines if e.trouble] if engines else ["no engine runs"]
        for says in found:
            yield _Trouble(plain=plain, says=f"{course.slug}: {says}", course=course)


def _is_local(visit: Visit) -> bool:
    """Whether this machine asks: not somebody else through a server that stands before the desk."""
    request = visit.request
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _runs_a_course(visit: Visit) -> bool:
    return any(_runs(visit, course) for course in visit.desk.courses.values())


def _runs(visit: Visit, course: DeskCourse) -> bool:
    if visit.credential is None:
        return False
    try:
        user = course.user(visit.credential)
    except GradebookError:
        return False
    return user is not None and user.role in _READERS


def _queues(visit: Visit) -> Iterator[str]:
    courses = list(visit.desk.courses.values())
    queues = {c.slug: c.gradebook.queue.state(now=visit.now) for c in courses}
    yield "# HELP grader_tries What was handed in, by what became of it."
    yield "# TYPE grader_tries gauge"
    for slug, queue in queues.items():
        for state in TryState:
            yield f'grader_tries{{course="{slug}",state="{state}"}} {queue.counts.get(state, 0)}'
    yield "# HELP grader_oldest_wait_seconds Age of the oldest try that waits."
    yield "# TYPE grader_oldest_wait_seconds gauge"
    for slug, queue in queues.items():
        age = (visit.now - queue.oldest).total_seconds() if queue.oldest else 0.0
        yield f'grader_oldest_wait_seconds{{course="{slug}"}} {age:.1f}'
    yield "# HELP grader_engines Engines at work."
    yield "# TYPE grader_engines gauge"
    for course in courses:
        count = len(course.gradebook.engines.at_work(now=visit.now))
        yield f'grader_engines{{course="{course.slug}"}} {count}'


def _sessions(visit: Visit) -> Iterator[str]:
    yield "# HELP grader_sessions Sessions that can be used."
    yield "# TYPE grader_sessions gauge"
    yield f"grader_sessions {visit.desk.credentials.count('session', now=visit.now)}"


_ASKED = "asked by what watches the machine"
PAGES = [
    OpenPage(method="GET", path="/healthz", view=health, why=_ASKED),
    OpenPage(method="GET", path="/healthz/live", view=live, why=_ASKED),
    OpenPage(method="GET", path="/healthz/ready", view=ready, why=_ASKED),
    OpenPage(
        method="GET",
        path="/metrics",
        view=metrics,
        why="numbers without names; the view asks who it is",
    ),
]
