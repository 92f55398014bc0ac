"""What is left on this machine after a batch: processes, mounts, folders, containers, volumes."""

from __future__ import annotations

import ctypes
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def descendants(root: int | None = None) -> dict[int, str]:
    """The living processes below this one (or below `root`), with their command lines."""
    parents: dict[int, list[int]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents.setdefault(int(fields[1]), []).append(int(file.parent.name))
    found, todo = {}, [root or os.getpid()]
    while todo:
        for pid in parents.get(todo.pop(), []):
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            found[pid] = command.replace(b"\0", b" ").decode(errors="replace")
            todo.append(pid)
    return found


@contextmanager
def nothing_is_left(patience_s: float = 15.0) -> Iterator[None]:
    """Fail where something of ours is there at the end of the block that wasn't at its beginning.

    Orphans are adopted by this process meanwhile, so that one whose parent was killed is seen too.
    """
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = _everything()
    try:
        yield
        until = time.monotonic() + patience_s
        while (left := _everything() - before) and time.monotonic() < until:
            _reap_orphans()
            time.sleep(0.1)
        assert not left, "\n".join(sorted(left))
    finally:
        _reap_orphans()
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _everything() -> set[str]:
    found = {f"process {pid}: {command[:200]}" for pid, command in descendants().items()}
    found |= {f"mount {m}" for m in Path("/proc/self/mounts").read_text().splitlines()}
    for folder in Path(tempfile.gettempdir()).glob("grader-*"):
        owner = folder.name.removeprefix("grader-slot-").partition("-")[0]
        if not Path("/proc", owner).exists():
            found.add(f"folder {folder}")
    return found | _in_the_engine()


def _in_the_engine() -> set[str]:
    """Containers and volumes whose owner is dead; what others use at this moment isn't ours."""
    from grader.errors import InfrastructureError
    from grader.sandbox.engine import SLOT_LABEL, connect
    from grader.sandbox.prune import _owner_lives

    try:
        api = connect(timeout_s=10).api
        filters = {"label": [SLOT_LABEL]}
        containers = api.containers(all=True, filters=filters)
        volumes = api.volumes(filters=filters).get("Volumes") or []
    except (InfrastructureError, OSError):
        return set()
    found = {f"container {c['Id'][:12]}" for c in containers if not _owner_lives(c["Labels"])}
    return found | {f"volume {v['Name']}" for v in volumes if not _owner_lives(v["Labels"] or {})}


def _reap_orphans() -> None:
    """Take the exit codes of adopted orphans; those of Popen objects are lost, and nobody's."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] == "Z" and int(fields[1]) == os.getpid():
            try:
                os.waitpid(int(file.parent.name), os.WNOHANG)
            except ChildProcessError:
                pass
