"""Every test starts from a seed of its own on each side, the same for every submission of a batch.

What the judge draws must be news to the box: a notebook that knew the judge's seed could draw a
test's inputs, and all that is expected, itself. So the seeds of the judge and those of the box come
from one root by two different keyed functions, and the root takes in a secret of the course: from
what a box has seen (its own seeds, which it can read off any generator) nobody can compute either.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_PROFILE = "grader"


_BITS = 53
"""A seed is a whole number that JSON's readers keep exactly."""


@dataclass(frozen=True)
class Seeds:
    """The seeds of a batch: `batch` is the recorded number, `key` the course's secret.

    Each is BLAKE2b over the batch's seed, the test's name and the trial's number, keyed with the
    secret, under a label of its own side (its `person`): fresh for every batch, equal for every
    submission in it and whenever it is repeated in the same course, and of no help in computing
    another.
    """

    batch: int
    key: bytes = b""

    def of_judge(self, test: str, trial: int = 0) -> int:
        """The seed of one trial of one test on the judge's side, in [0, 2**53)."""
        return self._derive(b"grader's judge", test, trial)

    def of_box(self, test: str, trial: int = 0) -> int:
        """That of the box in the same trial, which the notebook can read."""
        return self._derive(b"grader's box", test, trial)

    def of_notebook(self) -> int:
        """The seed with which the box runs the notebook's cells."""
        return self._derive(b"grader's cells", "", 0)

    def _derive(self, side: bytes, test: str, trial: int) -> int:
        text = f"{self.batch}\0{test}\0{trial}".encode()
        digest = hashlib.blake2b(text, key=self.key, person=side, digest_size=8).digest()
        return int.from_bytes(digest, "big") >> (64 - _BITS)


def seed_judge(seed: int) -> None:
    """Seed python, numpy, torch and a tamed Hypothesis on the judge's side; `seed` has 53 bits.

    torch and numpy take 32 bits of a seed. So few can be tried one by one, in the box, until the
    inputs of a test come out; the rest of the seed says how many draws torch throws away.
    """
    import numpy as np
    import torch

    from grader.wire.seeding import seed_everything

    seed_everything(seed)
    np.random.seed([seed & 0xFFFFFFFF, seed >> 32])
    torch.empty(seed >> (_BITS - 16)).random_()
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
