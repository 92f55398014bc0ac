"""Single-use places, each started while the one before it is still at work."""

from __future__ import annotations

from collections.abc import Callable

from grader.sandbox.base import Session, Slot
from grader.wire import messages as m


class PrefetchedSlot(Slot):
    """A row of slots that serve one session each; the next one warms up meanwhile."""

    def __init__(self, make: Callable[[], Slot]) -> None:
        self._make = make
        self._current: Slot | None = None
        self._next: Slot | None = None

    def start(self) -> None:
        """Begin to start the next place."""
        if self._next is None:
            self._next = self._make()
            self._next.start()

    def wait_ready(self) -> m.Hello:
        """Wait until the next place is warm."""
        slot = self._warming()
        slot.on_slow = self.on_slow
        return slot.wait_ready()

    def open(self, *, seed: int, limits: m.Limits) -> Session:
        """Destroy the place before, serve in the next, and start another."""
        if self._current is not None:
            self._current.stop()
        self._current, self._next = self._warming(), None
        self._current.on_slow = self.on_slow
        session = self._current.open(seed=seed, limits=limits)
        self.start()
        return session

    def stop(self) -> None:
        """Destroy both."""
        for slot in (self._current, self._next):
            if slot is not None:
                slot.stop()
        self._current = self._next = None

    def _warming(self) -> Slot:
        self.start()
        if self._next is None:
            raise AssertionError("start() makes one")
        return self._next
