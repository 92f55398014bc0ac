"""Stop what runs on the judge's side past a deadline: a suite's own endless loop."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN_S = 1.0
SOON_S = 0.01


class DeadlinePassed(BaseException):
    """The deadline has passed. No `Exception`, so that `except Exception` does not swallow it."""

    def __init__(self) -> None:
        super().__init__("the deadline has passed")


@contextmanager
def deadline(left_s: Callable[[], float]) -> Iterator[None]:
    """Raise `DeadlinePassed` in the block once `left_s()`, in seconds, has come to 0.

    It is raised again every second, for a suite that swallows it. Signals reach the main thread
    alone: elsewhere the block just runs.
    """
    if left_s() == math.inf or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        left = left_s()
        if left <= 0:
            raise DeadlinePassed
        signal.setitimer(signal.ITIMER_REAL, max(SOON_S, left), AGAIN_S)

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(SOON_S, left_s()), AGAIN_S)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
