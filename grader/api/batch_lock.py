"""Who grades an assignment of a course directory: one batch, or the engines of a server."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.api.desk_notice import desk_of
from grader.course.directory import Assignment
from grader.errors import InfrastructureError

_GLANCES = 50
_GLANCE_S = 0.02


@contextmanager
def batch_lock(
    assignment: Assignment, *, on_wait: Callable[[str], None] = lambda reason: None
) -> Iterator[None]:
    """Hold an assignment while a batch grades it; a second batch would run the same again.

    Where engines of a server are at work on it, this waits until what runs there has ended; they
    begin nothing more of it, see `batch_waits`.

    The locks are on the assignment's folder and on its spec, and end with the process, however that
    ends, so nothing of them can be left behind. On file systems and platforms without such locks
    there is none: two batches then do the same work twice, and the newest verdicts hold.

    Args:
        assignment: what is graded.
        on_wait: told once, before it waits, what it waits for.

    Raises:
        InfrastructureError: another batch has it, or waits for it.
    """
    with _opened(assignment.folder) as folder:
        with _opened(assignment.spec_path) as turnstile:
            _close(turnstile, assignment)
            if not _locked(folder, exclusive=True):
                if not _locked(folder, exclusive=False):  # engines share it, a batch does not
                    raise _taken(assignment)
                on_wait(_at_work(assignment))
                _locked(folder, exclusive=True, wait=True)
        yield


@contextmanager
def engine_lock(assignment: Assignment) -> Iterator[None]:
    """Hold an assignment together with other engines, which share their work by claiming it.

    Raises:
        InfrastructureError: a batch has it, or waits for it.
    """
    with _opened(assignment.folder) as folder:
        if batch_waits(assignment) or not _locked(folder, exclusive=False):
            raise _taken(assignment)
        yield


def batch_waits(assignment: Assignment) -> bool:
    """Whether a batch wants an assignment next; an engine then begins nothing more of it.

    Locks that are shared are given out past whoever waits for the whole, so without this a class
    that hands in all the time would keep a batch out for ever.
    """
    with _opened(assignment.spec_path) as turnstile:
        return not _locked(turnstile, exclusive=False)


def _close(turnstile: int, assignment: Assignment) -> None:
    """Keep engines out; one that only looks whether a batch waits holds it for no time."""
    for _ in range(_GLANCES):
        if _locked(turnstile, exclusive=True):
            return
        time.sleep(_GLANCE_S)
    raise _taken(assignment)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open a file or folder to lock it; closing it ends the lock."""
    if sys.platform == "win32":
        yield -1
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int, *, exclusive: bool, wait: bool = False) -> bool:
    """Lock what was opened, or say that others have it; without such locks nobody has."""
    if sys.platform == "win32":
        return True
    import fcntl

    kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _at_work(assignment: Assignment) -> str:
    desk = desk_of(assignment.course_root)
    server = f"the server at {desk}" if desk else "a server"
    return (
        f"{server} grades {assignment.name} now: waiting until what runs there has ended "
        "(Ctrl-C gives up)"
    )


def _taken(assignment: Assignment) -> InfrastructureError:
    return InfrastructureError(
        "another batch grades this assignment now",
        where=assignment.name,
        hint="Wait until it ends, then run the command again: what it has graded is kept and not "
        "run again.",
    )
