"""`hint("…")`: what a suite tells a student whose answer did not pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

MAX_HINTS = 8
MAX_HINT_CHARACTERS = 500

_current: ContextVar[list[str] | None] = ContextVar("grader_hints", default=None)


def hint(text: str) -> None:
    """Record a hint for the running test; the student sees it when the test does not pass.

    Call it before the assertion that it explains. Say what to look at, never what the value must
    be. Outside a running test it does nothing.
    """
    hints = _current.get()
    kept = str(text)[:MAX_HINT_CHARACTERS]
    if hints is not None and kept not in hints and len(hints) < MAX_HINTS:
        hints.append(kept)


@contextmanager
def gathered_hints() -> Iterator[list[str]]:
    """Gather the hints given in this block: the runner opens one for each run of a test."""
    token = _current.set([])
    try:
        hints = _current.get()
        yield hints if hints is not None else []
    finally:
        _current.reset(token)
