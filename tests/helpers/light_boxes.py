"""Boxes that are warm in half the time, for tests to which it doesn't matter."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from grader.sandbox.base import Preload

LIGHT: tuple[Preload, ...] = ("errors",)
"""Not what trains and draws, that few notebooks of tests do: it is loaded when it is used."""


@pytest.fixture(autouse=True, scope="package")
def light_boxes() -> Iterator[None]:
    """Let batches of this process ask for no more; what is loaded ahead has tests of its own."""
    from grader.api import batch_config

    with pytest.MonkeyPatch.context() as patch:
        config = partial(batch_config.BatchConfig, preloads=LIGHT)
        patch.setattr(batch_config, "BatchConfig", config)
        yield
