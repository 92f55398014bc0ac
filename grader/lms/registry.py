"""Which systems there are, and which of them made an archive or exported a table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from grader.errors import UsageError
from grader.lms.blackboard import Blackboard
from grader.lms.brightspace import Brightspace
from grader.lms.canvas import Canvas
from grader.lms.generic import PlainList
from grader.lms.gradescope import Gradescope
from grader.lms.ilias import Ilias
from grader.lms.lms_table import LmsTable
from grader.lms.moodle import Moodle
from grader.lms.nbgrader import Nbgrader
from grader.lms.sakai import Sakai
from grader.lms.system import System
from grader.plugins import load_plugins

GROUP = "grader.lms"
# In the order in which they are asked about a table.
_BUILT_IN: tuple[System, ...] = (
    Canvas(),
    Moodle(),
    Brightspace(),
    Sakai(),
    Blackboard(),
    Gradescope(),
    Ilias(),
    Nbgrader(),
)
_LAST = PlainList()


@cache
def systems() -> tuple[System, ...]:
    """Return every system: ours, those of other packages, and plain lists.

    Raises:
        UsageError: another package's can't be used.
    """
    taken = {system.name for system in (*_BUILT_IN, _LAST)}
    return (*_BUILT_IN, *load_plugins(GROUP, System, taken), _LAST)


def names() -> list[str]:
    """Return the names of all systems."""
    return [system.name for system in systems()]


def archive_systems() -> list[str]:
    """Return the names of those that hand over archives."""
    return [system.name for system in systems() if type(system).made is not System.made]


def export_systems() -> list[str]:
    """Return the names of those that take marks in a table of theirs."""
    return [system.name for system in systems() if system.download]


def feedback_systems() -> list[str]:
    """Return the names of those that take students' pages back."""
    return [system.name for system in systems() if system.feedback_from]


def named(name: str) -> System:
    """Return a system by its name.

    Raises:
        UsageError: there is none.
    """
    found = next((system for system in systems() if system.name == name), None)
    if found is None:
        raise UsageError(f"there is no system {name!r}", hint=f"There are: {', '.join(names())}.")
    return found


def system_that_made(paths: Iterable[str]) -> System | None:
    """Tell which system made an archive with these files; None where they are no system's."""
    there = set(paths)
    if not there:
        return None
    ordered = sorted(systems(), key=lambda system: system.by_paths)
    return next((system for system in ordered if system.made(there)), None)


def system_of(table: LmsTable, *, where: object = None) -> System:
    """Tell which system exported a table, by its columns.

    Raises:
        UsageError: none that is known.
    """
    for system in systems():
        system.prepare(table)
    columns = frozenset(column.casefold() for column in table.columns)
    found = next((system for system in systems() if system.exported(columns)), None)
    if found is None:
        raise UsageError(
            f"no known system writes these columns: {', '.join(table.columns)[:300]}",
            where=where,
            hint="Say which with --from, or give it the columns of roster.csv: id, name, email…",
        )
    return found


def system_of_worksheet(table: LmsTable, default: System | None, *, where: object = None) -> System:
    """Tell which system exported the table that came with an archive.

    Where the columns don't tell it is `default`, the archive's own.

    Raises:
        UsageError: neither is known.
    """
    try:
        return system_of(table, where=where)
    except UsageError:
        if default is None:
            raise
        return default


def is_sidecar(path: str) -> bool:
    """Say whether a file may tell whose others are, in some system's archives."""
    return any(system.is_sidecar(path) for system in systems())
