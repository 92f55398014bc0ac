"""The slots of one machine of a cluster, for one batch.

They know nothing of the cluster: they are told of submissions and give back verdicts, by value.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from grader.errors import GraderError
from grader.grading.job import BatchConfig, Job, Judged, WorkerError, worker_error
from grader.grading.packed_bundle import unpack
from grader.grading.progress import Progress
from grader.grading.standing_pool import StandingPool


class MachineSlots:
    """A standing pool of an assignment that was sent here.

    Args:
        config: of the batch; its paths are replaced by those of this machine.
        bundle: the assignment, as `packed_bundle.pack` returns it.
        below: where the bundle is unpacked.
        slots: how many submissions at once.
        gpus: the devices of the slots, one for each; without any the slots have none.

    Raises:
        InfrastructureError: the bundle can't be used.
    """

    def __init__(
        self,
        config: BatchConfig,
        bundle: bytes,
        *,
        below: Path,
        slots: int,
        gpus: Sequence[str] = (),
    ) -> None:
        unpacked = unpack(bundle, config, below=below)
        self._folder = unpacked.folder
        devices = tuple(gpus[:slots])
        here = msgspec.structs.replace(unpacked.config, gpus=devices, slots=len(devices) or slots)
        # Who gives out the batch counts the tries, also those of other machines.
        self._pool = StandingPool(here, max_tries=1)

    def judge(self, job: Job, progress: Progress) -> Judged | WorkerError:
        """Judge a submission at the next free slot, once; in the thread that has it to do."""
        try:
            return self._pool.submit(job, progress=progress).result()
        except GraderError as error:
            return worker_error(error)

    def close(self) -> None:
        """Destroy the slots and the bundle. What is being judged is given up."""
        self._pool.close()
        shutil.rmtree(self._folder, ignore_errors=True)
