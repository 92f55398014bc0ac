"""What a piece of work may cost, by the processor and never by the clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

LINEAR_S = 30.0
"""Many times what linear work on the inputs of these tests takes, even where processors are shared;
what grows with the square of their size takes longer by far, or never ends."""


@contextmanager
def linear_time() -> Iterator[None]:
    """Fail where the block takes this thread longer on a processor than linear work could."""
    began = time.thread_time()
    yield
    used = time.thread_time() - began
    assert used < LINEAR_S, f"it took {used:.1f} s on a processor"
