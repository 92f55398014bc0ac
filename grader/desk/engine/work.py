"""One engine's work: claim tries of a course, have them judged, record what came of them.

Several engines share a course's queue. What one has claimed is its own by a lease, which it renews;
a verdict is recorded only while it holds. So whatever dies, and however long the database is away,
nothing acknowledged is lost and nothing has two verdicts.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
import os
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from grader.api.receiving import BROKEN_OFF, settle_broken_off
from grader.course.directory import Course
from grader.desk.engine.judging import MAX_POOLS, BusyError, Judging, Tell
from grader.desk.engine.talk import BEAT_S, HUNG_S, SLOW_S
from grader.desk.record import Audit, slug_of
from grader.errors import (
    GradebookError,
    GraderError,
    InfrastructureError,
    SpecError,
    UsageError,
)
from grader.gradebook.claims import ClaimLostError
from grader.gradebook.engines import GONE
from grader.gradebook.notices import WORK, Listener, has_notices
from grader.gradebook.store import Gradebook
from grader.gradebook.tries import DeskTry
from grader.grading.cluster import Cluster
from grader.grading.job import Judged
from grader.grading.verdict import Outcome, Verdict

LOG = logging.getLogger("grader.desk.engine")
LEASE = GONE
MAX_STARTS = 3
"""A try that has ended so many engines is given up as ours to mend."""
AT_ONCE = 16
"""Tries of one assignment that an engine has at most: enough for its slots; others get the rest."""
SUITE_BROKEN = "A check is broken, not your work. The course staff can see it, and will mend it."
OURS = "It could not be judged because of a problem on our side. The course staff can see it."
ENDED_ENGINES = "It ended the engine three times: a problem on our side."
_IDLE_S, _IDLE_TOLD_S = 0.1, 2.0
"""How long until the next look for work; longer where the engine is told of it besides."""
_AWAY_S = 5.0
BUSY_S = 5.0
"""So long an assignment that can't be judged just now is left out, and others have their turn."""
HUNG = "The engine hung and was started again. What it had is judged again"
HUNG_TOLD_S = 600.0
"""So long that is told, or until the next verdict."""
_LOOK_AFTER_S = 30.0
_ALONE_S = 2 * HUNG_S
"""An engine that hangs for so long has lost whoever started it."""
_HANGS = "The engine has not gone on for {:.0f} s; after {:.0f} s it is started again"


class Engine:
    """Claims tries, has them judged, and records what came of them.

    Args:
        course, gradebook: of these.
        name: no other engine of the course that runs has it.
        sandbox, isolation, slots, machines: as in `Judging`.
        tell: told at which cell a try is.
        alive: called by the loop, again and again: whoever started the engine ends one that hangs.
        after_hang: that has happened to the engine before this one in its place.
    """

    def __init__(
        self,
        course: Course,
        gradebook: Gradebook,
        name: str,
        *,
        sandbox: str = "auto",
        isolation: str = "auto",
        slots: int | None = None,
        machines: Cluster | None = None,
        tell: Tell = lambda news: None,
        alive: Callable[[], None] = lambda: None,
        after_hang: bool = False,
    ) -> None:
        self._course = course
        self._gradebook = gradebook
        self._claims = gradebook.claims
        self._audit = Audit(gradebook.engine)
        self._name = name
        self._stop = threading.Event()
        self._claimed: dict[int, DeskTry] = {}
        self._to_begin: deque[DeskTry] = deque()
        self._ended: queue.SimpleQueue[tuple[DeskTry, Future[Judged]] | None] = queue.SimpleQueue()
        self._busy: dict[str, float] = {}
        """Until when an assignment is left out."""
        self._looked_after = 0.0
        self._alive = alive
        self._said_alive = -math.inf
        self._beat = time.monotonic()
        """When the loop was last known to go on."""
        self._trouble = HUNG if after_hang else ""
        self._began = time.monotonic()
        self._idle_s = _IDLE_S
        self._judging = Judging(
            course,
            gradebook,
            sandbox=sandbox,
            isolation=isolation,
            slots=slots,
            machines=machines,
            tell=tell,
            done=lambda one, judged: self._ended.put((one, judged)),
        )

    def stop(self, *_: object) -> None:
        """End soon; what has no verdict yet goes back into the queue."""
        self._stop.set()

    def run(self) -> None:
        """Work until told to stop.

        Raises:
            InfrastructureError: the cluster is gone; another process may find it again.
        """
        self._claims.release(self._name)
        threading.Thread(target=self._stay, daemon=True).start()
        listener = None
        if has_notices(self._gradebook.engine):
            self._idle_s = _IDLE_TOLD_S
            listener = Listener(self._gradebook.engine, WORK, lambda _: self._ended.put(None))
        try:
            while not self._stop.is_set():
                self._goes_on()
                try:
                    self._step()
                except GradebookError as error:  # the database is away: nothing is lost meanwhile
                    LOG.error("%s", error)
                    self._stop.wait(_AWAY_S)
        finally:
            if listener is not None:
                listener.stop()
            self._leave()

    def _step(self) -> None:
        self._look_after()
        if not self._to_begin:
            self._claim()
        began = bool(self._to_begin)
        while self._to_begin:
            self._begin(self._to_begin[0])
            self._to_begin.popleft()  # only now: if the database went away, it is begun later
        self._record_ended(wait=not began)

    def _claim(self) -> None:
        self._busy = {name: t for name, t in self._busy.items() if t > time.monotonic()}
        room, without = self._room()
        if room <= 0 or not self._claims.any_free(now=_now(), without=without):
            return
        for one in self._claims.take(
            self._name, limit=room, now=_now(), lease=LEASE, without=without
        ):
            if one.id not in self._claimed:  # else its lease had run out, and is renewed by this
                self._to_begin.append(one)
            self._claimed[one.id] = one

    def _room(self) -> tuple[int, set[str]]:
        """How many tries may be claimed now, whichever they are, and of which assignments none.

        Each assignment has places of its own: the tries of a slow one wait for each other, and
        those of the others start. As many assignments are begun as may have warm slots at once.
        """
        held = Counter(one.assignment for one in self._claimed.values())
        if self._trouble == HUNG:  # one of them may have done it: the others go free of it
            return 1 - held.total(), set(self._busy)
        full = {name for name, count in held.items() if count >= AT_ONCE}
        without = full | set(self._busy)
        if len(held) >= MAX_POOLS:
            without |= set(self._course.names()) - set(held)
        return AT_ONCE - max((held[name] for name in held.keys() - full), default=0), without

    def _goes_on(self) -> None:
        """Say that the loop goes on; nothing else may."""
        self._beat = time.monotonic()
        if self._beat - self._said_alive >= BEAT_S:
            self._said_alive = self._beat
            self._alive()

    def _begin(self, one: DeskTry) -> None:
        self._goes_on()
        if one.starts > MAX_STARTS:
            self._fail(one, ENDED_ENGINES)
            return
        try:
            self._judging.submit(one)
        except GradebookError:
            raise
        except (BusyError, SpecError, UsageError) as error:
            # An instructor may be writing the spec just now: what is read may be half of it, or be
            # away for a moment. Nothing was judged, so the tries wait until it can be read.
            self._say(f"{one.assignment}: {error.what}")
            self._leave_out(one.assignment)
        except GraderError as error:  # the suite, the sandbox, the image: ours to mend
            self._give_up(one, error)

    def _leave_out(self, assignment: str) -> None:
        """Give back what was claimed of an assignment and not begun, and claim no more for now."""
        theirs = [one for one in self._to_begin if one.assignment == assignment]
        self._claims.give_back(self._name, [one.id for one in theirs])
        for one in theirs:
            self._drop(one)
        first, *others = self._to_begin  # the first is what is just being begun
        self._to_begin = deque([first, *(o for o in others if o.assignment != assignment)])
        self._busy[assignment] = time.monotonic() + BUSY_S

    def _record_ended(self, *, wait: bool) -> None:
        """Record what has ended by now; wait a moment for the first."""
        try:
            while True:
                ended = self._ended.get(timeout=self._idle_s if wait else 0.0)
                wait = False
                if ended is None:  # something waits
                    continue
                try:
                    self._record(*ended)
                except GradebookError:
                    self._ended.put(ended)  # as soon as the database is back
                    raise
        except queue.Empty:
            return

    def _record(self, one: DeskTry, future: Future[Judged]) -> None:
        self._goes_on()
        if not future.cancelled():
            error = future.exception()
            if isinstance(error, GraderError):
                if self._judging.is_cut_off:
                    raise InfrastructureError("the cluster is gone") from error
                self._give_up(one, error)
            elif error is not None:
                raise error
            else:
                self._record_verdict(one, future.result())
        self._drop(one)
        self._judging.ended(one)

    def _record_verdict(self, one: DeskTry, judged: Judged) -> None:
        verdict = judged.verdict
        try:
            self._gradebook.record(
                verdict,
                judged.executed or None,
                batch=self._judging.batch_of(one.assignment),
                desk_try=one.id,
                engine=self._name,
                problem="" if verdict.outcome.is_mark else _why(verdict),
            )
        except ClaimLostError as error:
            LOG.warning("%s", error)
            return
        if verdict.outcome.is_mark:
            self._say("")

    def _give_up(self, one: DeskTry, error: GraderError) -> None:
        LOG.error("%s: %s", one.assignment, error)
        self._fail(one, OURS)
        self._say(f"{one.assignment}: {error.what}")

    def _fail(self, one: DeskTry, problem: str) -> None:
        try:
            self._claims.fail(one.id, problem, now=_now(), engine=self._name)
        except ClaimLostError as error:
            LOG.warning("%s", error)
        self._drop(one)

    def _drop(self, one: DeskTry) -> None:
        self._claimed.pop(one.id, None)

    def _look_after(self) -> None:
        if time.monotonic() - self._looked_after < _LOOK_AFTER_S:
            return
        settle_broken_off(
            self._course,
            self._gradebook,
            older_than=BROKEN_OFF,
            beside=partial(self._audit.hand_in, course=slug_of(self._course), now=_now()),
        )
        self._judging.rest()
        self._looked_after = time.monotonic()

    # -- what others know of this engine ------------------------------------------------------

    def _say(self, trouble: str) -> None:
        """Let people read why nothing is judged; empty: it is."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._here()

    def _here(self, trouble: str = "") -> None:
        self._gradebook.engines.here(
            self._name, now=_now(), sandbox=self._judging.sandbox, trouble=trouble or self._trouble
        )

    def _stay(self) -> None:
        """Renew the leases while the loop goes on, in a thread of its own."""
        while True:
            silent_s = time.monotonic() - self._beat
            if silent_s > HUNG_S:
                LOG.error("this engine hangs for %.0f s: its tries are left to others", silent_s)
            if silent_s > _ALONE_S:
                self._die()
            if self._trouble == HUNG and time.monotonic() - self._began > HUNG_TOLD_S:
                self._trouble = ""
            self._renew(silent_s)
            if self._stop.wait(LEASE.total_seconds() / 4):
                return

    def _die(self) -> None:
        """End without the loop, which heeds nothing: nobody who would has been left to do it."""
        os._exit(1)

    def _renew(self, silent_s: float) -> None:
        try:
            self._here(_HANGS.format(silent_s, HUNG_S) if silent_s > SLOW_S else "")
            if silent_s <= HUNG_S:
                self._claims.renew(self._name, list(self._claimed), now=_now(), lease=LEASE)
        except GradebookError as error:
            LOG.warning("the leases can't be renewed: %s", error)

    def _leave(self) -> None:
        self._stop.set()
        self._judging.close()
        try:
            self._claims.give_back(self._name, list(self._claimed))
            self._gradebook.engines.left(self._name)
        except GradebookError as error:  # their leases run out
            LOG.warning("what was claimed can't be given back: %s", error)


def _why(verdict: Verdict) -> str:
    return SUITE_BROKEN if verdict.outcome is Outcome.SUITE_ERROR else OURS


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
