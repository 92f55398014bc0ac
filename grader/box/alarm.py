"""Stops what runs past its time limit; time spent waiting for a processor does not count."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # its `signal` makes no enum of the old handler
import signal
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import FrameType
from typing import Any

from grader.wire.waiting import WAITING, waited_s

AGAIN_S = 0.5
"""After its time limit a cell is interrupted again and again, for loops that catch everything."""


class Alarm:
    """Raises an exception in the main thread when time is up, and again until it is heard.

    It raises only while a certain function is being called: that is what may take too long, and
    whoever calls it hears of it. Anywhere else, as between that call and `__exit__`, the exception
    would end the whole process, and on a busy machine a second ring falls there often.
    """

    holds = 0
    late: BaseException | None = None

    def __init__(
        self, seconds: float, kind: type[BaseException], *, during: Callable[..., Any]
    ) -> None:
        """Prepare to ring.

        Args:
            seconds: after which it rings for the first time.
            kind: what is raised.
            during: the function in whose calls it is raised, and nowhere else.
        """
        self._seconds = seconds
        self._kind = kind
        self._during = during.__code__

    def __enter__(self) -> None:
        self._began, self._waited = time.monotonic(), waited_s()
        _signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, max(self._seconds, 0.001), AGAIN_S)

    def __exit__(self, *_error: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    @staticmethod
    def held() -> AbstractContextManager[None]:
        """Make a ring wait until this is over: half a message would cost the whole session."""
        if threading.current_thread() is threading.main_thread():
            return _Hold()
        return nullcontext()

    def _ring(self, _number: int, frame: FrameType | None) -> None:
        if not self._is_running(frame):
            return
        left = self._left()
        if left > 0:
            signal.setitimer(signal.ITIMER_REAL, max(left, 0.001), AGAIN_S)
            return
        error = self._kind(f"it ran longer than {self._seconds:g} s")
        if Alarm.holds:
            Alarm.late = error
            return
        raise error

    def _is_running(self, frame: FrameType | None) -> bool:
        while frame is not None:
            if frame.f_code is self._during:
                return True
            frame = frame.f_back
        return False

    def _left(self) -> float:
        """Seconds to go on for, because so much was spent waiting; never beyond `WAITING`."""
        waited = min(waited_s() - self._waited, (WAITING - 1) * self._seconds)
        return self._began + self._seconds + waited - time.monotonic()


class _Hold(AbstractContextManager[None]):
    """While it lasts, an alarm that rings is kept; then it is raised."""

    def __enter__(self) -> None:
        Alarm.holds += 1

    def __exit__(self, *error: object) -> None:
        Alarm.holds -= 1
        if Alarm.holds:  # raised within another, it would cut short what that one protects
            return
        late, Alarm.late = Alarm.late, None
        if late is not None and error[0] is None:
            raise late
