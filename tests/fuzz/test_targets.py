"""Damaged bytes through every parser: an answer or an error of ours, soon and in little memory."""

from __future__ import annotations

import os
import resource

import pytest

from tests.fuzz.mutations import damaged
from tests.fuzz.targets import TARGETS, seeds
from tests.helpers.cost import linear_time

MANY = os.environ.get("GRADER_FUZZ") == "nightly"
COUNT = 10_000 if MANY else 300
MEMORY_BYTES = 400 << 20


@pytest.mark.timeout(3600 if MANY else 120)
@pytest.mark.parametrize("name", TARGETS)
def test_damaged_bytes_are_answered_or_refused(name: str) -> None:
    target, start = TARGETS[name], seeds()[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, data in enumerate(damaged(start, COUNT, seed=20_241)):
        try:
            with linear_time():
                target(data)
        except Exception as error:
            error.add_note(f"input {number}: {data[:300]!r}")
            raise
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    assert grown < MEMORY_BYTES


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_sound_is_taken(name: str) -> None:
    for data in seeds()[name]:
        TARGETS[name](data)
