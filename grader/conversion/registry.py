"""The systems whose assignments can be taken over: ours, and those of other packages."""

from __future__ import annotations

from functools import cache

from grader.conversion.foreign_system import ForeignSystem
from grader.conversion.nbgrader import NbgraderImport
from grader.conversion.otter import OtterImport
from grader.plugins import load_plugins

GROUP = "grader.conversion"
_BUILT_IN: tuple[ForeignSystem, ...] = (NbgraderImport(), OtterImport())


@cache
def systems() -> dict[str, ForeignSystem]:
    """Name → system.

    Raises:
        UsageError: another package's can't be used.
    """
    found = {system.name: system for system in _BUILT_IN}
    return found | {s.name: s for s in load_plugins(GROUP, ForeignSystem, found)}  # type: ignore[type-abstract]
