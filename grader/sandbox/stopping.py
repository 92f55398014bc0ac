"""A process that has slots is stopped through every `finally`, never while it makes or ends a slot.

A stop (SIGTERM) is an exception wherever the process is. Between the start of a container, a
process or a folder and the line that remembers it, that exception would leave it behind for good.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_STOPPED = 143
"""The exit status of a process that SIGTERM has ended, as shells give it."""


class _Stop:
    holds = 0
    is_due = False


def stop_now(_number: int, _frame: object) -> None:
    """Handle SIGTERM: end through every `finally`, of which one destroys the slot."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: another would break off the cleaning up
    if _Stop.holds:
        _Stop.is_due = True
    else:
        raise SystemExit(_STOPPED)


@contextmanager
def unstopped() -> Iterator[None]:
    """Do something whole: a stop that comes meanwhile is heeded at the block's end."""
    _Stop.holds += 1
    try:
        yield
    finally:
        _Stop.holds -= 1
        if _Stop.is_due and not _Stop.holds:
            _Stop.is_due = False
            raise SystemExit(_STOPPED)
