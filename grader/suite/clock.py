"""The time that a suite uses, which is not what passes on a busy machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from grader.wire.waiting import counted_s, waited_s


class SuiteClock:
    """Stands still while the suite, or the notebook that it asks, waits for a processor.

    What this process waits, the system says. What the box waits, the box says, of which
    `counted_s` believes a part; while it has not said so yet, that part is taken for granted.
    """

    def __init__(self) -> None:
        self._not_counted = 0.0
        self._call_began: float | None = None

    def now(self) -> float:
        """Seconds since a moment in the past; of use in differences alone."""
        own = _own()
        now = own - self._not_counted
        if self._call_began is not None:
            open_s = own - self._call_began
            now -= open_s - counted_s(open_s, open_s)
        return now

    def begin_call(self) -> None:
        """The box has something to do from now on."""
        self._call_began = _own()

    def end_call(self, *, waited: float = 0.0, at_most: float | None = None) -> None:
        """It has done it.

        Args:
            waited: seconds for which it says that it had no processor.
            at_most: that much it may have used, if it never said anything.
        """
        if self._call_began is None:
            raise AssertionError("no call has begun")
        wall, self._call_began = _own() - self._call_began, None
        if at_most is not None:
            waited = max(wall - at_most, 0.0)
        self._not_counted += wall - counted_s(wall, waited)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """What happens in here is no time of the suite's."""
        began = _own()
        try:
            yield
        finally:
            self._not_counted += _own() - began


def _own() -> float:
    return time.monotonic() - waited_s()
