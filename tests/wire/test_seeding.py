"""The same seed gives the same numbers, with every generator."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from grader.wire import seeding
from grader.wire.seeding import seed_everything


def drawn(seed: int) -> tuple[float, float, float]:
    seed_everything(seed)
    return random.random(), float(np.random.rand()), float(torch.rand(1))


@pytest.mark.parametrize("has_devices", [False, True])
def test_each_generator_is_seeded(monkeypatch: pytest.MonkeyPatch, has_devices: bool) -> None:
    monkeypatch.setattr(seeding, "HAS_DEVICES", has_devices)
    first, other = drawn(5), drawn(6)
    assert drawn(5) == first
    assert not set(first) & set(other)
    assert first == (
        random.Random(5).random(),
        float(np.random.RandomState(5).rand()),
        float(torch.rand(1, generator=torch.Generator().manual_seed(5))),
    )


def test_a_seed_of_64_bits_is_taken() -> None:
    assert drawn((1 << 32) + 5)[1] == float(np.random.RandomState(5).rand())
    drawn((1 << 64) - 1)
