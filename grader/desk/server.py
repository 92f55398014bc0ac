"""The desk as processes: web servers, and an engine for each course, which it keeps running."""

from __future__ import annotations

import datetime as dt
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grader.api.receiving import BROKEN_OFF, settle_broken_off
from grader.desk import web
from grader.desk.courses import Desk, open_desk
from grader.desk.engine.supervisor import Supervisor
from grader.desk.keeping import Kept
from grader.desk.people import Role, User
from grader.desk.settings import DeskSettings, load_settings
from grader.errors import UsageError
from grader.gradebook.notices import has_notices


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How a desk is served.

    Attributes:
        host, port: where to listen; port 0 takes a free one.
        url: the address that browsers use, where another server stands before this one.
        proxy: addresses from which that server comes, with commas between them.
        accounts_url: the database of accounts; default: the first course's gradebook.
        config: a `desk.toml`.
        web: how many web processes; 0: the engines alone.
        engine: keep an engine of each course running here.
        engine_options: of the engines, such as `--sandbox docker`.
        max_upload_mb: what one upload may have.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    url: str = ""
    proxy: str = "127.0.0.1"
    accounts_url: str = ""
    config: Path | None = None
    web: int = 1
    engine: bool = True
    engine_options: Sequence[str] = ()
    max_upload_mb: int = 100


def serve(
    roots: Sequence[Path], how: Serving, *, instructor: str, say: Callable[[str], None]
) -> None:
    """Serve courses until told to stop.

    Args:
        roots: course directories.
        how: with which processes, and where.
        instructor: gets an account, and a sign-in link that is said.
        say: told the address and the link.

    Raises:
        UsageError: the port is taken, or several processes can't share the database.
    """
    if not (how.web or how.engine):
        raise UsageError("neither web server nor engine: there is nothing to run")
    settings = load_settings(how.config) if how.config else DeskSettings()
    listening = _listen(how.host, how.port) if how.web else None
    desk = open_desk(
        list(roots),
        origin=how.url or _address(how.host, listening),
        accounts_url=how.accounts_url,
        max_upload_mb=how.max_upload_mb,
        settings=settings,
    )
    if how.web > 1:
        _refuse_files(desk)
    for course in desk.courses.values():
        desk.audit.move_to(course.audit, course.slug)
        is_sole = how.web == 1 and not has_notices(course.gradebook.engine)
        settle_broken_off(
            course.course,
            course.gradebook,
            older_than=dt.timedelta() if is_sole else BROKEN_OFF,
            beside=partial(course.audit.hand_in, course=course.slug, now=dt.datetime.now(dt.UTC)),
        )
    supervisors = _supervisors(desk, how.engine_options) if how.engine else []
    if listening is None:
        say(f"Engines of {', '.join(desk.courses)} run.")
        _keep(supervisors)
        return
    for course in desk.courses.values():
        course.people.take_students(course.roster.people.values())
    say(f"The desk is at {desk.origin}")
    say(f"Sign in as {instructor}: {_link(desk, instructor)}")
    proxy = how.proxy if how.url else ""
    if how.web == 1:
        web.run(desk, listening, supervisors=supervisors, proxy=proxy)
        return
    with tempfile.TemporaryDirectory(prefix="grader-desk-") as counts:
        options = [*map(str, roots), "--socket", str(listening.fileno())]
        options += ["--origin", desk.origin, "--accounts", how.accounts_url, "--proxy", proxy]
        options += ["--max-upload", str(how.max_upload_mb)]
        options += ["--config", str(how.config)] if how.config else []
        processes = [
            Kept(
                f"web process {number}",
                "grader.desk.web",
                [*options, "--counts", f"{counts}/{number}.json"],
                inherits=[listening.fileno()],
            )
            for number in range(1, how.web + 1)
        ]
        _keep([*processes, *supervisors])


def _keep(processes: Sequence[Kept]) -> None:
    """Keep processes running until this one is told to stop."""
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    for one in processes:
        one.start()
    told.wait()
    for one in processes:
        one.stop()


def _refuse_files(desk: Desk) -> None:
    """Several web processes count together how often forms come, and hear all engines."""
    books = [desk.accounts, *(course.gradebook for course in desk.courses.values())]
    if not all(has_notices(book.engine) for book in books):
        raise UsageError(
            "several web processes need PostgreSQL",
            hint="See docs/how-to/keep-the-gradebook-in-postgresql.md; one process serves a "
            "course of 1,500 from a file.",
        )


def _address(host: str, listening: socket.socket | None) -> str:
    if listening is None:
        return ""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
    return f"http://{shown}:{listening.getsockname()[1]}"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(web.BACKLOG)
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
    return desk.sign_in_link(user.account)
