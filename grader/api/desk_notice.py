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
_MOST_ENGINES = 64
_MOST = 300


@contextmanager
def desk_serves(course: Course, address: str) -> Iterator[int]:
    """Say, as long as this lasts, that a server's engine grades this course.

    It takes `engine_lock` of an assignment only while it judges something of it. A batch that waits
    for that names the server by this. A lock on the file tells whether the engine lives, so that
    what a killed one has left says nothing.

    Args:
        course: the course directory.
        address: where people find the server.

    Yields:
        Which of the course's engines this is, from 1: no other that runs has the number, and one
        that takes the place of a killed one has the same. 0 where the file system has no locks.

    Raises:
        InfrastructureError: there are too many, or nothing can be written there.
    """
    if sys.platform == "win32":
        yield 0
        return
    number, notice = _take(course.root)
    try:
        os.ftruncate(notice, 0)
        os.pwrite(notice, address.encode(), 0)
        yield number
        os.ftruncate(notice, 0)
    finally:
        os.close(notice)


def _take(root: Path) -> tuple[int, int]:
    """Lock the first notice that is free; return its number and descriptor."""
    import fcntl

    for number in range(1, _MOST_ENGINES + 1):
        path = _notice(root, number)
        try:
            notice = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise InfrastructureError(
                f"the course directory can't be written: {error.strerror}", where=path
            ) from error
        try:
            fcntl.flock(notice, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return number, notice
        except BlockingIOError:
            os.close(notice)
        except OSError:
            return 0, notice  # no such locks here: then nobody is told
    raise InfrastructureError(
        f"{_MOST_ENGINES} engines grade this course already: {desk_of(root)}",
        where=root,
        hint="Stop some of them first.",
    )


def _notice(root: Path, number: int) -> Path:
    return root / (_NAME if number == 1 else f"{_NAME}-{number}")


def desk_of(course_root: Path) -> str:
    """Return the address of the server that grades a course now; "" where there is none."""
    if sys.platform == "win32":
        return ""
    for number in range(1, _MOST_ENGINES + 1):
        path = _notice(course_root, number)
        try:
            notice = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return ""  # they are taken in order
        except OSError:
            continue
        found = _address_in(notice)
        if found:
            return found
    return ""


def _address_in(notice: int) -> str:
    """What stands in a notice whose engine lives."""
    import fcntl

    try:
        fcntl.flock(notice, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(notice, _MOST, 0).decode("utf-8", "replace").strip()
    except OSError:
        pass
    finally:
        os.close(notice)
    return ""
