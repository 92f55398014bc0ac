"""An engine that judges nothing: each try has a verdict at once, after a moment that is asked for.

    python -m tests.helpers.light_engine ROOT

Everything else is the desk's own: claims, leases, records. So a thousand tries can be played.
`GRADER_LIGHT_S` says how long a verdict takes.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from typing import Any

import msgspec

from grader.course.directory import Course
from grader.desk.engine import work
from grader.desk.engine.main import main
from grader.desk.engine.talk import CellNews
from grader.gradebook.store import Gradebook
from grader.gradebook.tries import DeskTry
from grader.grading.job import Judged
from grader.grading.verdict import SubmissionRecord
from tests.helpers.verdicts import graded


class LightJudging:
    """Stands in the place of `judging.Judging`."""

    is_cut_off = False
    sandbox = "none, none"

    def __init__(
        self, course: Course, gradebook: Gradebook, *, tell: Any, done: Any, **_: Any
    ) -> None:
        self._gradebook = gradebook
        self._tell, self._done = tell, done
        self._batches: dict[str, str] = {}
        self._takes_s = float(os.environ.get("GRADER_LIGHT_S", "0"))

    def submit(self, one: DeskTry) -> None:
        if one.assignment not in self._batches:
            found = self._gradebook.start_batch(one.assignment, seed=1)
            self._batches[one.assignment] = found
        self._tell(CellNews(number=one.id, cell=1, cells=2))
        if self._takes_s:
            timer = threading.Timer(self._takes_s, self._judge, [one])
            timer.daemon = True
            timer.start()
        else:
            self._judge(one)

    def _judge(self, one: DeskTry) -> None:
        verdict = msgspec.structs.replace(
            graded(one.student, assignment=one.assignment),
            submission=SubmissionRecord(
                file=one.file,
                sha256=one.sha256,
                attempt=one.attempt,
                submitted_at=one.received_at,
            ),
        )
        future: Future[Judged] = Future()
        future.set_result(Judged(verdict=verdict, executed=b""))
        self._done(one, future)

    def batch_of(self, assignment: str) -> str:
        return self._batches[assignment]

    def ended(self, one: DeskTry) -> None:
        pass

    def rest(self) -> None:
        pass

    def close(self) -> None:
        pass


if __name__ == "__main__":
    work.Judging = LightJudging  # type: ignore[misc, assignment]
    main()
