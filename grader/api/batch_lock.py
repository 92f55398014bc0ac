"""One at a time grades an assignment of a course directory: a batch, or a server."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from grader.api.desk_notice import desk_of
from grader.course.directory import Assignment
from grader.errors import InfrastructureError


@contextmanager
def batch_lock(assignment: Assignment, *, shared: bool = False) -> Iterator[None]:
    """Hold an assignment while it is graded; a second batch would run the same again.

    With `shared` it is held together with others that say so: the engines of a desk, which share
    their work by claiming it.

    The lock is on the assignment's folder and ends with the process, however that ends, so nothing
    of it can be left behind. On file systems and platforms without such locks there is none: two
    batches then do the same work twice, and the newest verdicts hold.

    Raises:
        InfrastructureError: another batch has it, or the server that `desk_notice` tells of.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    folder = os.open(assignment.folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _taken(assignment) from error
        except OSError:
            pass
        yield
    finally:
        os.close(folder)


def _taken(assignment: Assignment) -> InfrastructureError:
    desk = desk_of(assignment.course_root)
    if desk:
        return InfrastructureError(
            f"the server at {desk} grades this assignment now",
            where=assignment.name,
            hint="Have it graded there; or wait until nothing of it runs, and run the command "
            "again: what the server has graded is kept and not run again.",
        )
    return InfrastructureError(
        "another batch grades this assignment now",
        where=assignment.name,
        hint="Wait until it ends, then run the command again: what it has graded is kept and not "
        "run again.",
    )
