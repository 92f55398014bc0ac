"""The engine's process: claims tries of one course, has them judged, records their verdicts.

    python -m grader.desk.engine.main ROOT --name NAME [--sandbox S] [--isolation I] [--slots N]

It writes its news to standard output, a line each, and ends orderly at SIGTERM: what it has claimed
and not judged goes back into the queue. What it had when it was killed is claimed again by the
next engine of the same name, or when its lease has run out.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from grader.api.desk_notice import desk_serves
from grader.api.receiving import settle_broken_off
from grader.course.directory import Course
from grader.desk.engine.judging import BusyError, Judging
from grader.desk.engine.talk import AnyNews, EngineNews, to_line
from grader.errors import GradebookError, GraderError
from grader.gradebook.store import Gradebook
from grader.gradebook.tries import DeskTry
from grader.grading.job import Judged
from grader.grading.parent_death import end_with_parent
from grader.grading.verdict import Outcome, Verdict

LOG = logging.getLogger("grader.desk.engine")
LEASE = dt.timedelta(seconds=90)
MAX_STARTS = 3
"""A try that has ended so many engines is given up as ours to mend."""
AT_ONCE = 16
"""Tries that one engine has at most: enough for its slots, and others get the rest."""
SUITE_BROKEN = "A check is broken, not your work. The course staff can see it, and will mend it."
OURS = "It could not be judged, for a reason of ours. The course staff can see it."
_IDLE_S = 0.1
_AWAY_S = 5.0
_BUSY_S = 1.0
_LOOK_AFTER_S = 30.0


class Engine:
    """Claims tries, has them judged, and records what came of them."""

    def __init__(
        self,
        course: Course,
        gradebook: Gradebook,
        name: str,
        *,
        sandbox: str = "auto",
        isolation: str = "auto",
        slots: int | None = None,
    ) -> None:
        self._course = course
        self._gradebook = gradebook
        self._name = name
        self._stop = threading.Event()
        self._claimed: dict[int, DeskTry] = {}
        self._ended: queue.SimpleQueue[tuple[DeskTry, Future[Judged]]] = queue.SimpleQueue()
        self._looked_after = 0.0
        self._judging = Judging(
            course,
            gradebook,
            sandbox=sandbox,
            isolation=isolation,
            slots=slots,
            tell=tell,
            done=lambda one, judged: self._ended.put((one, judged)),
        )

    def stop(self, *_: object) -> None:
        """End soon; what has no verdict yet goes back into the queue."""
        self._stop.set()

    def run(self) -> None:
        """Work until told to stop."""
        self._gradebook.tries.release(self._name)
        threading.Thread(target=self._renew, daemon=True).start()
        try:
            while not self._stop.is_set():
                try:
                    self._step()
                except GradebookError as error:  # the database is away: nothing is lost meanwhile
                    tell(EngineNews(trouble=error.what))
                    LOG.error("%s", error)
                    self._stop.wait(_AWAY_S)
        finally:
            self._judging.close()
            self._gradebook.tries.give_back(list(self._claimed))

    def _step(self) -> None:
        self._look_after()
        room = AT_ONCE - len(self._claimed)
        claimed = []
        if room > 0:
            tries = self._gradebook.tries
            claimed = tries.claim(self._name, limit=room, now=_now(), lease=LEASE)
        for one in claimed:
            self._claimed[one.id] = one
            self._begin(one)
        self._record_ended(wait=not claimed)

    def _begin(self, one: DeskTry) -> None:
        if one.starts > MAX_STARTS:
            self._fail(one, "It ended the engine three times, for a reason of ours.")
            return
        try:
            self._judging.submit(one)
        except GradebookError:
            raise
        except BusyError as error:
            tell(EngineNews(trouble=f"{one.assignment}: {error.what}"))
            self._gradebook.tries.give_back([one.id])
            self._drop(one)
            self._stop.wait(_BUSY_S)
        except GraderError as error:  # the suite, the sandbox, the image: ours to mend
            self._trouble(one, error)

    def _record_ended(self, *, wait: bool) -> None:
        """Record what has ended by now; wait a moment for the first."""
        try:
            while True:
                one, future = self._ended.get(timeout=_IDLE_S if wait else 0.0)
                wait = False
                try:
                    self._record(one, future)
                except GradebookError:
                    self._ended.put((one, future))  # as soon as the database is back
                    raise
        except queue.Empty:
            return

    def _record(self, one: DeskTry, future: Future[Judged]) -> None:
        if future.cancelled():
            self._drop(one)
            return
        error = future.exception()
        if isinstance(error, GraderError):
            self._trouble(one, error)
        elif error is not None:
            raise error
        else:
            judged = future.result()
            verdict = judged.verdict
            self._gradebook.record(
                verdict,
                judged.executed or None,
                batch=self._judging.batch_of(one.assignment),
                desk_try=one.id if verdict.outcome.is_mark else None,
            )
            if verdict.outcome.is_mark:
                self._drop(one)
            else:
                self._fail(one, _why(verdict))
        self._judging.ended(one)

    def _trouble(self, one: DeskTry, error: GraderError) -> None:
        LOG.error("%s: %s", one.assignment, error)
        tell(EngineNews(trouble=f"{one.assignment}: {error.what}"))
        self._fail(one, OURS)

    def _fail(self, one: DeskTry, problem: str) -> None:
        self._gradebook.tries.fail(one.id, problem, now=_now())
        self._drop(one)

    def _drop(self, one: DeskTry) -> None:
        self._claimed.pop(one.id, None)

    def _look_after(self) -> None:
        if time.monotonic() - self._looked_after < _LOOK_AFTER_S:
            return
        self._looked_after = time.monotonic()
        settle_broken_off(self._course, self._gradebook, older_than=dt.timedelta(minutes=2))
        self._judging.rest()

    def _renew(self) -> None:
        while not self._stop.wait(LEASE.total_seconds() / 4):
            try:
                self._gradebook.tries.renew(self._name, now=_now(), lease=LEASE)
            except GradebookError as error:
                LOG.warning("the lease can't be renewed: %s", error)


def tell(news: AnyNews) -> None:
    """Write a line to whoever started this engine."""
    try:
        os.write(sys.stdout.fileno(), to_line(news))
    except BrokenPipeError:
        pass


def _why(verdict: Verdict) -> str:
    return SUITE_BROKEN if verdict.outcome is Outcome.SUITE_ERROR else OURS


def main(arguments: Sequence[str] | None = None) -> None:
    """Run an engine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--address", default="")
    parser.add_argument("--sandbox", default="auto")
    parser.add_argument("--isolation", default="auto")
    parser.add_argument("--slots", type=int)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    end_with_parent(os.getppid(), signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it decides
    course = Course.find(given.root)
    with Gradebook(course.database_url) as gradebook, desk_serves(course, given.address):
        engine = Engine(
            course,
            gradebook,
            given.name,
            sandbox=given.sandbox,
            isolation=given.isolation,
            slots=given.slots,
        )
        signal.signal(signal.SIGTERM, engine.stop)
        tell(EngineNews(slots=given.slots or 0))
        engine.run()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


if __name__ == "__main__":
    main()
