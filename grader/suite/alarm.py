"""Stop what runs on the judge's side past a deadline: a suite's own endless loop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN_S = 1.0
SOON_S = 0.001


class DeadlinePassed(BaseException):
    """The deadline has passed. No `Exception`, so that `except Exception` does not swallow it."""

    def __init__(self) -> None:
        super().__init__("the deadline has passed")


@contextmanager
def deadline(until: float | None) -> Iterator[None]:
    """Raise `DeadlinePassed` in the block once `time.monotonic()` is past `until`.

    It is raised again every second, for a suite that swallows it. Signals reach the main thread
    alone: elsewhere the block just runs.
    """
    if until is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise DeadlinePassed

    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(SOON_S, until - time.monotonic()), AGAIN_S)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
