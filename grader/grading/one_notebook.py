"""The setting for a single submission: what is of use to those after it alone is left out."""

from __future__ import annotations

from pathlib import PurePosixPath

import msgspec

from grader.grading.job import BatchConfig, Job
from grader.sandbox.preloads import preloads_for


def for_one(config: BatchConfig, job: Job) -> BatchConfig:
    """Return the setting for this submission, and no other."""
    files = {**job.files, **config.given}
    modules = {PurePosixPath(name).parts[0].removesuffix(".py") for name in files}
    texts = [job.data, *(d for name, d in files.items() if name.endswith((".py", ".ipynb")))]
    return msgspec.structs.replace(config, alone=True, preloads=preloads_for(texts, own=modules))
