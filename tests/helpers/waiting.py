"""Waiting for what another process or thread does, however busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

LIMIT_S = 240.0
"""What takes a second on a quiet machine may take a minute on a busy one."""


def until(
    holds: Callable[[], object],
    what: str | Callable[[], str] = "it",
    wait_ms: Callable[[float], object] = lambda ms: time.sleep(ms / 1000),
) -> None:
    """Return as soon as `holds()` is true; an error that names `what` when it never is.

    Args:
        holds: what is waited for.
        what: its name, or what makes it when it has not come.
        wait_ms: how to wait for a moment; a browser's page has a way of its own.
    """
    end = time.monotonic() + LIMIT_S
    while not holds():
        if time.monotonic() >= end:
            named = what if isinstance(what, str) else what()
            raise AssertionError(f"{named} did not come about in {LIMIT_S:.0f} s")
        wait_ms(20)


class Clock:
    """Stands for the module `time`: its clock goes on by itself, and in a test by leaps."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def monotonic(self) -> float:
        """Seconds, those that were skipped included."""
        return time.monotonic() + self._skipped

    def skip(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self._skipped += seconds
