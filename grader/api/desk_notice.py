"""A server that grades a course says so, where the command line can read it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.course.directory import Course
from grader.errors import InfrastructureError

_NAME = ".grader-desk"
_MOST = 300


@contextmanager
def desk_serves(course: Course, address: str) -> Iterator[None]:
    """Say, as long as this lasts, that a server grades this course.

    It takes `batch_lock` of an assignment only while it judges something of it. Whoever finds that
    taken is told of the server by this. A lock on the file tells whether the server lives, so that
    what a killed one has left says nothing.

    Args:
        course: the course directory.
        address: where people find the server.

    Raises:
        InfrastructureError: another server does already, or nothing can be written there.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    path = course.root / _NAME
    try:
        notice = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise InfrastructureError(
            f"the course directory can't be written: {error.strerror}", where=path
        ) from error
    try:
        try:
            fcntl.flock(notice, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InfrastructureError(
                f"another server grades this course: {desk_of(course.root)}",
                where=course.root,
                hint="Use that one, or stop it first.",
            ) from error
        except OSError:
            pass  # no such locks here: then nobody is told
        os.ftruncate(notice, 0)
        os.pwrite(notice, address.encode(), 0)
        yield
        os.ftruncate(notice, 0)
    finally:
        os.close(notice)


def desk_of(course_root: Path) -> str:
    """Return the address of the server that grades a course now; "" where there is none."""
    if sys.platform == "win32":
        return ""
    import fcntl

    try:
        notice = os.open(course_root / _NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        fcntl.flock(notice, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(notice, _MOST, 0).decode("utf-8", "replace").strip()
    except OSError:
        pass
    finally:
        os.close(notice)
    return ""
