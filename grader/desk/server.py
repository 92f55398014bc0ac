"""The desk as a process: a web server, and an engine for each course that it keeps running."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from grader.api.receiving import settle_broken_off
from grader.desk.app import make_app
from grader.desk.courses import Desk, open_desk
from grader.desk.engine.supervisor import Supervisor
from grader.desk.people import Role, User
from grader.desk.settings import DeskSettings
from grader.errors import UsageError

_BACKLOG = 2048


def serve(
    roots: Sequence[Path],
    *,
    settings: DeskSettings,
    host: str,
    port: int,
    url: str = "",
    accounts_url: str = "",
    instructor: str,
    engine: bool = True,
    engine_options: Sequence[str] = (),
    max_upload_mb: int = 100,
    say: Callable[[str], None],
) -> None:
    """Serve courses until told to stop.

    Args:
        roots: course directories.
        settings: of a `desk.toml`.
        host, port: where to listen; port 0 takes a free one.
        url: the address that browsers use, where another server stands before this one.
        accounts_url: the database of accounts; default: the first course's gradebook.
        instructor: gets an account, and a sign-in link that is said.
        engine: keep an engine of each course running here.
        engine_options: of the engines, such as `--sandbox docker`.
        max_upload_mb: what one upload may have.
        say: told the address and the link.

    Raises:
        UsageError: the port is taken.
    """
    listening = _listen(host, port)
    real_port = listening.getsockname()[1]
    origin = url or f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{real_port}"  # noqa: S104
    desk = open_desk(
        list(roots),
        origin=origin,
        accounts_url=accounts_url,
        max_upload_mb=max_upload_mb,
        settings=settings,
    )
    for course in desk.courses.values():
        course.people.take_students(course.roster.people.values())
        settle_broken_off(course.course, course.gradebook, older_than=dt.timedelta())
    supervisors = _supervisors(desk, engine_options) if engine else []
    say(f"The desk is at {origin}")
    say(f"Sign in as {instructor}: {_link(desk, instructor)}")
    config = uvicorn.Config(
        make_app(desk, supervisors=supervisors),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(url),
        forwarded_allow_ips="127.0.0.1",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=64 << 10,
        backlog=_BACKLOG,
    )
    uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except (OSError, ValueError, TypeError, OverflowError) as error:
        listening.close()
        why = error.strerror if isinstance(error, OSError) else "that is no address"
        raise UsageError(
            f"{host}:{port} can't be used: {why}",
            hint="Name another with --port, or another address of this machine with --host.",
        ) from error
    return listening


def _supervisors(desk: Desk, options: Sequence[str]) -> list[Supervisor]:
    return [
        Supervisor(
            slug,
            [
                str(one.course.root),
                *("--name", f"{socket.gethostname()}:{slug}"[:60]),
                *("--address", desk.origin),
                *options,
            ],
        )
        for slug, one in desk.courses.items()
    ]


def _link(desk: Desk, person: str) -> str:
    user: User | None = None
    for course in desk.courses.values():
        known = {u.person: u for u in course.people.all()}
        user = known.get(person)
        if user is None or user.role is not Role.INSTRUCTOR:
            user = course.people.put(person, name=person, role=Role.INSTRUCTOR)
    if user is None:
        raise UsageError("the desk has no course")
    now = dt.datetime.now(dt.UTC)
    links = desk.credentials.make_links([user.account], course=None, now=now)
    return f"{desk.origin}/s/{links[user.account]}"
