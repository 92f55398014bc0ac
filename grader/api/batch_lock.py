"""One batch at a time for each assignment of a course directory."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from grader.course.directory import Assignment
from grader.errors import InfrastructureError


@contextmanager
def batch_lock(assignment: Assignment) -> Iterator[None]:
    """Hold an assignment while a batch grades it; a second batch would run the same again.

    The lock is on the assignment's folder and ends with the process, however that ends, so nothing
    of it can be left behind. On file systems and platforms without such locks there is none: two
    batches then do the same work twice, and the newest verdicts hold.

    Raises:
        InfrastructureError: another batch has it.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    folder = os.open(assignment.folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InfrastructureError(
                "another batch grades this assignment now",
                where=assignment.name,
                hint="Wait until it ends, then run the command again: what it has graded is kept "
                "and not run again.",
            ) from error
        except OSError:
            pass
        yield
    finally:
        os.close(folder)
