"""What a batch may leave behind on this machine: processes, mounts, folders, control groups."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from grader.sandbox.cgroups import find_places
from grader.sandbox.owners import process_lives
from tests.faults.aftermath import processes_below
from tests.helpers.waiting import until


@contextmanager
def nothing_is_left() -> Iterator[None]:
    """Fail where a slot of the block leaves something; others may run on this machine meanwhile."""
    with processes_below() as makers:
        before = _leftovers(makers)
        yield
    with suppress(AssertionError):  # what is left is said below
        until(lambda: not _leftovers(makers) - before)
    left = _leftovers(makers) - before
    assert not left, "\n".join(sorted(left))


def _leftovers(makers: set[int]) -> set[str]:
    """Names of what looks like a part of a slot of one of these processes."""
    own = os.getpid()

    def _dead(folder: Path) -> bool:
        """Whether the process that the folder is named after was one of these, and is gone."""
        pid = int(folder.name.removeprefix("grader-slot-").partition("-")[0])
        return pid in makers and not process_lives(pid)

    found = {f"folder {p}" for p in Path(tempfile.gettempdir()).glob("grader-slot-*") if _dead(p)}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(file.read_text().rpartition(")")[2].split()[1])
            command = (file.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ValueError):
            continue
        if parent == own and "grader." in command:
            found.add(f"process {file.parent.name}: {command}")
    parents = {place.parent for places in find_places().values() for place in places}
    for group in (g for parent in parents for g in parent.glob("grader-slot-*")):
        if _dead(group):
            found.add(f"group {group}")
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return found | {f"mount {m}" for m in mounts if "grader-slot-" in m}
