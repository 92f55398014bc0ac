"""What runs on the machines of a cluster: a plugin that keeps slots, and the task that uses them.

Whatever crosses is bytes: MessagePack of our own messages, and a notebook as it was handed in. The
cluster pickles the calls themselves, as it does for all its users; nothing of a submission is ever
among what is unpickled but as bytes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from distributed import WorkerPlugin, get_worker

from grader import __version__
from grader.course.spec import BoxSpec
from grader.errors import GraderError, InfrastructureError
from grader.grading.job import (
    BatchConfig,
    CellStarted,
    Job,
    JobStarted,
    Judged,
    WorkerError,
    worker_error,
)
from grader.grading.machine_slots import MachineSlots
from grader.grading.progress import Progress
from grader.sandbox.base import Isolation, SandboxName
from grader.sandbox.choose import choose
from grader.sandbox.gpus import gpus_for

SLOTS = "slots"
"""Dask's name of the resource of which a submission takes one, where workers declare it."""
GPU = "GPU"
"""The same for a submission that needs a GPU."""
IDLE_S = 600.0
"""After so long without a submission a machine destroys its slots; the next warms new ones."""
_CELLS_EVERY_S = 0.5


class MachineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine would run submissions in; `error` where it can't."""

    sandbox: SandboxName = "local"
    isolation: Isolation = "warm"
    image: str = ""
    why: str = ""
    grader: str = ""
    error: str = ""


class MachineRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for on every machine."""

    sandbox: str
    isolation: str
    box: BoxSpec = BoxSpec()
    runtime: str = ""


class MachineReply(msgspec.Struct, frozen=True, kw_only=True):
    """What a task gives back: from which machine, and what it says."""

    machine: str
    said: Judged | WorkerError


def describe(wanted: bytes) -> bytes:
    """Say what this machine would run submissions in."""
    asked = msgspec.msgpack.decode(wanted, type=MachineRequest)
    try:
        choice = choose(asked.sandbox, asked.isolation, box=asked.box, runtime=asked.runtime)
    except GraderError as error:
        return msgspec.msgpack.encode(MachineInfo(grader=__version__, error=str(error)))
    return msgspec.msgpack.encode(
        MachineInfo(
            sandbox=choice.sandbox,
            isolation=choice.isolation,
            image=choice.image,
            why=choice.why,
            grader=__version__,
        )
    )


def needs_gpu(config: BatchConfig) -> bool:
    """Whether a submission takes a GPU of its machine; where one is optional it takes none."""
    return config.spec.resources.gpu is True


def capacity(nthreads: int, resources: dict[str, float], *, gpu: bool) -> int:
    """How many submissions a worker takes at once: what it declares, at most one a thread."""
    declared = resources.get(GPU if gpu else SLOTS)
    if declared is None:
        return 0 if gpu else nthreads
    return min(int(declared), nthreads)


class GraderPlugin(WorkerPlugin):
    """Keeps the slots of one batch on a worker, warm from the first submission to the last.

    The scheduler sets it up on every worker, also on those that come later or again.
    """

    def __init__(self, batch: str, config: bytes, bundle: bytes, wanted: bytes) -> None:
        self.name = batch
        self._config = config
        self._bundle = bundle
        self._wanted = wanted
        self._slots: MachineSlots | None = None
        self._make: Callable[[], MachineSlots] | None = None
        self._resting: asyncio.Task[None] | None = None
        self._busy = 0

    async def setup(self, worker: Any) -> None:
        """Unpack the bundle and begin to warm the slots.

        Raises:
            InfrastructureError: marks of this machine could differ from those of the others.
        """
        config = msgspec.msgpack.decode(self._config, type=BatchConfig)
        here = await asyncio.to_thread(describe, self._wanted)
        machine = msgspec.msgpack.decode(here, type=MachineInfo)
        found = (machine.sandbox, machine.isolation, machine.image, machine.grader)
        if machine.error or found != same_everywhere(config):
            raise InfrastructureError(
                machine.error or f"this machine has {found}, the batch {same_everywhere(config)}"
            )
        gpu = needs_gpu(config)
        slots = capacity(worker.state.nthreads, worker.state.total_resources, gpu=gpu)
        self._lock = threading.Lock()  # made here: it could not travel
        self._used = time.monotonic()
        if slots:
            self._make = partial(
                MachineSlots,
                config,
                self._bundle,
                below=Path(worker.local_directory),
                slots=slots,
                gpus=gpus_for(config.spec.resources) if gpu else (),
            )
            self._slots = await asyncio.to_thread(self._make)
            self._resting = asyncio.create_task(self._rest())

    async def teardown(self, worker: Any) -> None:
        """Destroy the slots."""
        self._make = None
        if self._resting is not None:
            self._resting.cancel()
        if self._slots is not None:
            await asyncio.to_thread(self._slots.close)

    async def _rest(self) -> None:
        """Give back what idle slots hold: a batch that was killed can't say that it is over."""
        while True:
            await asyncio.sleep(IDLE_S / 10)
            with self._lock:
                idle = not self._busy and time.monotonic() - self._used > IDLE_S
                slots = self._slots if idle else None
                if idle:
                    self._slots = None
            if slots is not None:
                await asyncio.to_thread(slots.close)

    def judge(self, job: Job, worker: Any) -> Judged | WorkerError:
        """Judge one submission, and tell the cluster how it goes."""
        told = 0.0

        def tell(event: JobStarted | CellStarted) -> None:
            nonlocal told
            told = time.monotonic()
            worker.log_event(self.name, msgspec.msgpack.encode(event))

        def cell(student: str, cell: int, cells: int) -> None:
            if time.monotonic() - told >= _CELLS_EVERY_S:
                tell(CellStarted(student=student, cell=cell, cells=cells))

        progress = Progress(
            begun=lambda student: tell(JobStarted(student=student, attempt=job.attempt)), cell=cell
        )
        with self._lock:
            if self._slots is None and self._make is not None:
                self._slots = self._make()
            slots = self._slots
            self._busy += slots is not None
        if slots is None:
            return worker_error(InfrastructureError("this machine has no slot for the batch"))
        try:
            return slots.judge(job, progress)
        finally:
            with self._lock:
                self._busy -= 1
                self._used = time.monotonic()


def same_everywhere(config: BatchConfig) -> tuple[str, str, str, str]:
    """What must be the same on every machine of a batch."""
    return config.sandbox, config.isolation, config.image, config.grader_version


def judge_here(batch: str, job: bytes) -> bytes:
    """The task: judge one submission at the slots of the worker that it has come to."""
    worker = get_worker()
    plugin: Any = worker.plugins[batch]
    said = plugin.judge(msgspec.msgpack.decode(job, type=Job), worker)
    return msgspec.msgpack.encode(MachineReply(machine=worker.address, said=said))
