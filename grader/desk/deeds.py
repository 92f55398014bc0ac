"""A deed and its line in the log: no kill leaves what was done without a line that tells of it.

Where both are in one database they are one transaction. A log is in its course's gradebook. What is
done elsewhere – in the database of accounts where that is another one, in a file such as
`roster.csv`, in the browser that is sent a file – can't be: there the line is written first. After
a kill in between it tells of what was only begun; of what is refused or fails a second line says
that it was not done.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Engine

from grader.desk.record import Audit
from grader.errors import GradebookError
from grader.gradebook.database import is_together, together

NOT_DONE = "not done"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line that is to be in the log of a course; of the desk itself where it is empty."""

    log: Audit
    who: str
    action: str
    now: dt.datetime
    course: str = ""
    thing: str = ""
    detail: str = ""

    def add(self, said: str = "") -> None:
        """Write it; `said` instead of its detail."""
        self.log.add(
            self.who,
            self.action,
            now=self.now,
            course=self.course,
            thing=self.thing,
            detail=said or self.detail,
        )


@contextmanager
def with_lines(lines: Sequence[Line], *, to: Engine | None) -> Iterator[None]:
    """Do something inside, with lines in logs that tell of it.

    Args:
        lines: what is told.
        to: the database in which it is done, all of it in one transaction; None: in none alone.
    """
    first = [line for line in lines if line.log.engine is not to]
    if any(is_together(line.log.engine) for line in first):
        raise RuntimeError("a line that must come first can't be in a transaction that goes on")
    for line in first:
        line.add()
    try:
        with ExitStack() as held:
            if to is not None:
                held.enter_context(together(to))
            for line in lines:
                if line.log.engine is to:
                    line.add()
            yield
    except Exception:
        with suppress(GradebookError):  # what failed is what is told
            for line in first:
                line.add(NOT_DONE)
        raise
