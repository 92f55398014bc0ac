"""From claimed tries to judged ones: warm slots for the assignments that are handed in now."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

import msgspec

from grader.api.batch_config import with_released_cells
from grader.api.batch_lock import batch_waits, engine_lock
from grader.api.grading_plan import config_for_record
from grader.course.directory import Assignment, Course, check_assignment
from grader.desk.engine.talk import CellNews
from grader.errors import InfrastructureError
from grader.gradebook.store import Gradebook
from grader.gradebook.tries import AGAIN, DeskTry
from grader.grading.cluster import Cluster
from grader.grading.fresh_seed import fresh_seed
from grader.grading.job import BatchConfig, Job, Judged
from grader.grading.job_queue import JobQueue, Priority
from grader.grading.packed_bundle import pack
from grader.grading.progress import Progress
from grader.grading.standing_pool import StandingPool, Workers
from grader.intake.stored import load_attempt
from grader.intake.submission import Submission
from grader.sandbox.choose import Choice, choose
from grader.sandbox.gpus import gpus_for

IDLE_S = 600.0
"""After so long without a try an assignment's slots are let go."""
MAX_POOLS = 4
"""Assignments with warm slots at once; more would be more memory, not more speed."""
_MACHINES_S = 0.5
"""So long the first machine of a cluster is waited for: other assignments wait meanwhile."""
_LOOK_S = 5.0
"""How often an assignment is looked at, whether an instructor has changed it."""


class BusyError(InfrastructureError):
    """The assignment can't be judged here just now; later it can."""


Tell = Callable[[CellNews], None]
Done = Callable[[DeskTry, "Future[Judged]"], None]


@dataclass(kw_only=True)
class _Pool:
    """The warm slots of one assignment as it was when they were made."""

    pool: StandingPool
    made_of: str
    batch: str
    submissions: dict[tuple[str, int], Submission]
    held: ExitStack = field(default_factory=ExitStack)
    running: int = 0
    used: float = field(default_factory=time.monotonic)
    looked: float = field(default_factory=time.monotonic)


class Judging:
    """Judges tries of one course.

    Args:
        course, gradebook: of these.
        sandbox, isolation, slots: as in `api.grading.grade`.
        machines: a cluster that judges instead of this machine.
        tell: told of cells.
        done: given each try with what came of it, in a thread of the pool's; must return soon.
    """

    def __init__(
        self,
        course: Course,
        gradebook: Gradebook,
        *,
        sandbox: str,
        isolation: str,
        slots: int | None,
        machines: Cluster | None = None,
        tell: Tell,
        done: Done,
    ) -> None:
        self._course = course
        self._gradebook = gradebook
        self._sandbox, self._isolation, self._slots = sandbox, isolation, slots
        self._machines = machines
        self._tell = tell
        self._done = done
        self.sandbox = ""
        """In which the newest slots were made, in words."""
        self._pools: dict[str, _Pool] = {}

    def submit(self, one: DeskTry) -> None:
        """Have a try judged; what comes of it is told to `done`.

        Raises:
            BusyError: a batch of the command line grades the assignment now or waits for it, or
                no machine of the cluster is there.
            GraderError: the assignment or the sandbox can't be used.
        """
        with ExitStack() as held:
            own = self._pools.get(one.assignment)
            if own is None or own.running == 0:  # held before slots are made, maybe in vain
                self._hold(held, one.assignment)
            elif batch_waits(self._course.assignment(one.assignment)):
                raise BusyError("a batch waits until what runs of this assignment has ended")
            own = self._pool(one.assignment)
            job = self._job(own, one)
            if own.running == 0:
                own.held = held.pop_all()
        own.running += 1
        own.used = time.monotonic()
        regrade = one.priority >= AGAIN
        future = own.pool.submit(
            job,
            priority=Priority.REGRADE if regrade else Priority.PERSON,
            progress=self._progress(one),
        )
        future.add_done_callback(lambda judged: self._done(one, judged))

    def _hold(self, held: ExitStack, assignment: str) -> None:
        try:
            held.enter_context(engine_lock(self._course.assignment(assignment)))
        except InfrastructureError as error:
            raise BusyError(error.what, where=error.where, hint=error.hint) from error

    def ended(self, one: DeskTry) -> None:
        """Say that a try has been recorded; the last one lets go of the assignment."""
        own = self._pools.get(one.assignment)
        if own is not None and own.running:
            own.running -= 1
            if own.running == 0:
                own.held.close()

    def batch_of(self, assignment: str) -> str:
        """The batch of the record to which verdicts of an assignment belong."""
        return self._pools[assignment].batch

    @property
    def is_cut_off(self) -> bool:
        """Whether the cluster is gone: nothing can be judged in this process any more."""
        return self._machines is not None and not self._machines.is_connected

    def rest(self) -> None:
        """Let go of slots that nobody has needed for long."""
        for name, own in list(self._pools.items()):
            if not own.running and time.monotonic() - own.used > IDLE_S:
                self._close(name)

    def close(self) -> None:
        """Destroy all slots; what is being judged has no verdict."""
        for name in list(self._pools):
            self._close(name)

    def _pool(self, name: str) -> _Pool:
        own = self._pools.get(name)
        now = time.monotonic()
        if own is not None and own.running == 0:
            stale = not own.pool.is_alive
            if not stale and now - own.looked > _LOOK_S:
                own.looked = now
                stale = self._course.assignment(name).bundle_sha256() != own.made_of
            if stale:
                self._close(name)
                own = None
        if own is None:
            self._make_room()
            own = self._pools[name] = self._make(self._course.assignment(name))
        return own

    def _make_room(self) -> None:
        idle = sorted((n for n, p in self._pools.items() if not p.running), key=self._used)
        while len(self._pools) >= MAX_POOLS and idle:
            self._close(idle.pop(0))

    def _used(self, name: str) -> float:
        return self._pools[name].used

    def _make(self, assignment: Assignment) -> _Pool:
        check_assignment(assignment)
        choice = self._choose(assignment)
        self.sandbox = f"{choice.sandbox}, {choice.isolation}"
        gpus = gpus_for(assignment.spec.resources, ()) if self._machines is None else ()
        config = config_for_record(assignment, choice, fresh_seed(), slots=self._slots, gpus=gpus)
        config = with_released_cells(config, assignment)
        settings = {"sandbox": choice.sandbox, "isolation": choice.isolation, "desk": True}
        batch = self._gradebook.start_batch(assignment.name, seed=config.seed, settings=settings)
        # Each try has a seed of its own: no later batch may go on with this one's.
        self._gradebook.finish_batch(batch)
        submissions: dict[tuple[str, int], Submission] = {}

        def load(job: Job) -> Job:
            handed_in = submissions[job.student, job.attempt]
            files = handed_in.read_files()
            return msgspec.structs.replace(job, data=handed_in.read(), files=files)

        return _Pool(
            pool=StandingPool(config, load=load, workers=self._workers(assignment, config)),
            made_of=config.bundle_sha256,
            batch=batch,
            submissions=submissions,
        )

    def _workers(
        self, assignment: Assignment, config: BatchConfig
    ) -> Callable[[JobQueue], Workers] | None:
        """The machines of the cluster, each of which gets the assignment."""
        if self._machines is None:
            return None
        return partial(self._machines.workers, pack(assignment), config)

    def _choose(self, assignment: Assignment) -> Choice:
        box = assignment.spec.box
        if self._machines is None:
            return choose(self._sandbox, self._isolation, box=box, hide=(self._course.root,))
        try:
            return self._machines.choose(
                self._sandbox, self._isolation, box=box, runtime="", wait_s=_MACHINES_S
            )
        except InfrastructureError as error:
            raise BusyError(error.what, where=error.where, hint=error.hint) from error

    def _close(self, name: str) -> None:
        own = self._pools.pop(name)
        own.pool.close()
        own.held.close()

    def _job(self, own: _Pool, one: DeskTry) -> Job:
        folder = self._course.submissions_dir / one.folder
        if not folder.is_dir():
            raise InfrastructureError(
                "what was handed in is not where it was stored", where=one.folder
            )
        submission = load_attempt(folder, one.attempt)
        own.submissions[one.student, one.attempt] = submission
        return Job(
            student=one.student,
            file=submission.file,
            sha256=submission.sha256,
            attempt=one.attempt,
            submitted_at=submission.submitted_at,
            problem=submission.problem,
            notes=submission.notes,
            unused=submission.unused,
            notebook=submission.notebook,
            seed=one.seed,
        )

    def _progress(self, one: DeskTry) -> Progress:
        def at(_: str, cell: int = 0, cells: int = 0) -> None:
            self._tell(CellNews(number=one.id, cell=cell, cells=cells))

        return Progress(begun=at, cell=at)
