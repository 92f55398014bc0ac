"""A busy machine is not a broken one: what starts is judged by its signs of life, not by the clock.

Its sign of life is processor time. On a machine with too much to do that grows slowly, but grows;
of what hangs or was stopped it does not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from grader.errors import InfrastructureError

LOOK_S = 1.0
"""How often to look."""
SLOW_S = 20.0
"""Before that nothing is asked: to be told what a container uses takes an engine two seconds."""
LIFELESS_S = 300.0
"""What has used no processor for so long does not start any more."""
UNSEEN_S = 1800.0
"""The same where nobody can tell what it uses: then only the clock is left."""


class Liveness:
    """Watches something that should be starting.

    Args:
        used_s: seconds of processor that it has used, with all its processes; None if that can't
            be told.
        clock: in seconds.
    """

    def __init__(
        self, used_s: Callable[[], float | None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._used_s = used_s
        self._clock = clock
        self._began = self._lived = clock()
        self._last: float | None = None

    def look(self) -> float:
        """Look for signs of life; returns for how many seconds it has been starting.

        Raises:
            InfrastructureError: it has shown none for too long.
        """
        now = self._clock()
        if now - self._began < SLOW_S:
            return now - self._began
        used = self._used_s()
        if used is not None and used != self._last:  # less, too: a process of it has ended
            self._last, self._lived = used, now
        limit_s = LIFELESS_S if used is not None else UNSEEN_S
        if now - self._lived > limit_s:
            told = "has used no processor" if used is not None else "has said nothing"
            raise InfrastructureError(f"it {told} for {now - self._lived:.0f} s")
        return now - self._began


def processor_s(pid: int) -> float | None:
    """Seconds of processor that a process has used with all below it; None when it is gone."""
    parents: dict[int, list[int]] = {}
    used: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        number = int(entry.name)
        parents.setdefault(int(fields[1]), []).append(number)
        used[number] = sum(int(field) for field in fields[11:15])  # with children that have ended
    if pid not in used:
        return None
    total, todo = 0, [pid]
    while todo:
        one = todo.pop()
        total += used.get(one, 0)
        todo += parents.get(one, [])
    return total / os.sysconf("SC_CLK_TCK")
