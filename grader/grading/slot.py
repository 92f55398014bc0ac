"""The slot that a worker's setting asks for; nothing heavy is loaded to make it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from grader.grading.job import Setting
from grader.sandbox.base import Slot
from grader.sandbox.choose import Choice
from grader.sandbox.limits import slot_options


def make_slot(setting: Setting) -> Slot:
    """A slot of the batch's sandbox for one worker; not started."""
    choice = Choice(
        sandbox=setting.sandbox,
        isolation=setting.isolation,
        image=setting.image,
        runtime=setting.runtime,
        hide=tuple(Path(p) for p in setting.hide),
        why="",
    )
    data = Path(setting.data) if setting.data else None
    return choice.slot(slot_options(setting.spec, data=data, gpu=setting.gpu))


def for_worker(setting: Setting, number: int) -> Setting:
    """The batch's setting as one worker has it: with a device of its own, where it has any."""
    gpu = setting.gpus[number] if setting.gpus else setting.gpu
    return msgspec.structs.replace(setting, gpu=gpu)
