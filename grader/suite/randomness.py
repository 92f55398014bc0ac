"""Every test starts from a seed of its own, the same for every submission of a batch."""

from __future__ import annotations

import hashlib
import random
import sys

import numpy as np
import torch


def derive_seed(batch_seed: int, test: str, trial: int = 0) -> int:
    """Derive the seed of one trial of one test, in [0, 2**32).

    The first four bytes of SHA-256 over `batch_seed`, the test's name and the trial's number: fresh
    for every batch, equal for every submission in it, and independent of the other tests.
    """
    digest = hashlib.sha256(f"{batch_seed}\0{test}\0{trial}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def seed_judge(seed: int) -> None:
    """Seed python, numpy, torch and, where the suite uses it, Hypothesis on the judge's side."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    core = sys.modules.get("hypothesis.core")
    if core is not None:
        core.global_force_seed = seed  # type: ignore[attr-defined]  # what --hypothesis-seed sets


def tame_hypothesis() -> None:
    """Keep Hypothesis from carrying examples from one submission to the next, and from shrinking.

    Shrinking calls the student's code hundreds of times to make an example shorter that nobody is
    shown; its database would test later submissions with what earlier ones failed on.
    """
    from hypothesis import Phase, settings

    settings.register_profile(
        "grader",
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        print_blob=False,
        phases=(Phase.explicit, Phase.generate),
    )
    settings.load_profile("grader")
