"""What may have been meant by a name that nothing has."""

from __future__ import annotations

import difflib
from collections.abc import Collection

_LISTED = 20


def closest(name: str, known: Collection[str], *, most: int = 3) -> list[str]:
    """Return the known names that are spelt most like it, at most so many."""
    return difflib.get_close_matches(name, list(known), n=most, cutoff=0.5)


def did_you_mean(
    name: str,
    known: Collection[str],
    *,
    none: str = "There are none yet.",
    listed: bool = False,
) -> str:
    """Return a sentence with the nearest names, else with those that there are, else `none`.

    With `listed` those that there are come behind the nearest, too.
    """
    near = closest(name, known)
    shown = ", ".join(sorted(known)[:_LISTED])
    there = f"There are: {shown}{'…' if len(known) > _LISTED else ''}." if known else none
    if not near:
        return there
    return f"Did you mean {' or '.join(near)}?{f' {there}' if listed else ''}"


def perhaps(name: str, known: Collection[str]) -> str:
    """Return the nearest name as what may follow in a sentence; empty where none is near."""
    near = closest(name, known, most=1)
    return f" (did you mean {near[0]}?)" if near else ""
