"""What may have been meant by a name that nothing has."""

from __future__ import annotations

import difflib
from collections.abc import Collection

_LISTED = 8


def closest(name: str, known: Collection[str], *, most: int = 3) -> list[str]:
    """Return the known names that are spelt most like it, at most so many."""
    return difflib.get_close_matches(name, list(known), n=most, cutoff=0.5)


def did_you_mean(name: str, known: Collection[str], *, none: str = "There are none yet.") -> str:
    """Return a sentence with the nearest names, else with those that there are, else `none`."""
    near = closest(name, known)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    shown = ", ".join(sorted(known)[:_LISTED])
    return f"There are: {shown}{'…' if len(known) > _LISTED else ''}." if known else none
