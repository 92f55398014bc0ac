"""How long a forked child of a judge has been at work."""

from __future__ import annotations

import time

from grader.wire.waiting import waited_by


class ChildTime:
    """Seconds since a child was forked, without those for which it waited for a processor.

    On a busy machine the clock on the wall would take an honest notebook's marks for the others'
    sake. An endless wait for something else goes on counting.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began = time.monotonic() - waited_by(pid)

    def seconds(self) -> float:
        """Until now; only as long as the child has not been waited for."""
        return time.monotonic() - waited_by(self._pid) - self._began

    def left(self, of_s: float) -> float:
        """What is left of so many seconds."""
        return of_s - self.seconds()
