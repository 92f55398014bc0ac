"""Every test starts from a seed of its own, the same for every submission of a batch."""

from __future__ import annotations

import hashlib
import importlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from grader.wire.seeding import seed_everything

_PROFILE = "grader"


def derive_seed(batch_seed: int, test: str, trial: int = 0) -> int:
    """Derive the seed of one trial of one test, in [0, 2**32).

    The first four bytes of SHA-256 over `batch_seed`, the test's name and the trial's number: fresh
    for every batch, equal for every submission in it, and independent of the other tests.
    """
    digest = hashlib.sha256(f"{batch_seed}\0{test}\0{trial}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def seed_judge(seed: int) -> None:
    """Seed python, numpy, torch and a tamed Hypothesis on the judge's side."""
    seed_everything(seed)
    hypothesis = sys.modules.get("hypothesis")
    if hypothesis is not None and _profile_of(hypothesis.settings) == _PROFILE:
        _force_hypothesis_seed(seed)


@contextmanager
def tamed_hypothesis() -> Iterator[None]:
    """Keep Hypothesis from carrying examples from one submission to the next, and from shrinking.

    Shrinking calls the student's code hundreds of times to make an example shorter that nobody is
    shown; its database would test later submissions with what earlier ones failed on.
    """
    from hypothesis import Phase, configuration, settings

    before = _profile_of(settings)
    settings.register_profile(
        _PROFILE,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        print_blob=False,
        phases=(Phase.explicit, Phase.generate),
    )
    settings.load_profile(_PROFILE)
    with tempfile.TemporaryDirectory(prefix="grader-hypothesis-") as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(None)
            _force_hypothesis_seed(None)
            settings.load_profile(before)


def _profile_of(settings: Any) -> str:
    return str(getattr(settings, "_current_profile", "default"))


def _force_hypothesis_seed(seed: int | None) -> None:
    """Do what Hypothesis's own option --hypothesis-seed does."""
    core: Any = importlib.import_module("hypothesis.core")
    core.global_force_seed = seed
