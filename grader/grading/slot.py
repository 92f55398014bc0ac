"""The slot that a worker's setting asks for; nothing heavy is loaded to make it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from grader.grading.job import BatchConfig
from grader.sandbox.base import Slot
from grader.sandbox.choose import Choice
from grader.sandbox.limits import slot_options


def make_slot(config: BatchConfig) -> Slot:
    """A slot of the batch's sandbox for one worker; not started."""
    choice = Choice(
        sandbox=config.sandbox,
        isolation=config.isolation,
        image=config.image,
        runtime=config.runtime,
        hide=tuple(Path(p) for p in config.hide),
        why="",
    )
    data = Path(config.data) if config.data else None
    options = slot_options(config.spec, data=data, gpu=config.gpu, preloads=config.preloads)
    return choice.slot(options)


def for_worker(config: BatchConfig, number: int) -> BatchConfig:
    """The batch's setting as one worker has it: with a device of its own, where it has any."""
    gpu = config.gpus[number] if config.gpus else config.gpu
    return msgspec.structs.replace(config, gpu=gpu)
