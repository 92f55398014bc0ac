"""What is left on this machine after a batch: processes, mounts, folders, containers, volumes."""

from __future__ import annotations

import ctypes
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PR_SET_CHILD_SUBREAPER = 36
_OF_TESTS = ("postgres", "chrom")
"""A database and a browser stay for many tests, and start processes whenever they like."""


def descendants(root: int | None = None) -> dict[int, str]:
    """The living processes below this one (or below `root`), with their command lines.

    Without those of a database or a browser of other tests.
    """
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
            words = command.replace(b"\0", b" ").decode(errors="replace")
            if Path(words.partition(" ")[0]).name.startswith(_OF_TESTS):
                continue
            found[pid] = words
            todo.append(pid)
    return found


@contextmanager
def nothing_is_left(patience_s: float = 120.0) -> Iterator[None]:
    """Fail where something of ours is there at the end of the block that wasn't at its beginning.

    Orphans are adopted by this process meanwhile, so that one whose parent was killed is seen too.
    Others may use the engine at the same time: only containers whose owner was seen below this
    process are ours.
    """
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        with processes_below() as owners:
            before = _everything(owners)
            yield
        until = time.monotonic() + patience_s
        while (left := _everything(owners) - before) and time.monotonic() < until:
            _reap_orphans()
            time.sleep(0.1)
        assert not left, "\n".join(sorted(left))
    finally:
        _reap_orphans()
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@contextmanager
def processes_below() -> Iterator[set[int]]:
    """This process and those that were seen below it in the block."""
    seen, over = {os.getpid()}, threading.Event()
    watch = threading.Thread(target=_watch, args=(seen, over), daemon=True)
    watch.start()
    try:
        yield seen
    finally:
        over.set()
        watch.join()


def _watch(owners: set[int], over: threading.Event) -> None:
    while not over.wait(0.3):
        owners.update(descendants())


def _everything(owners: set[int]) -> set[str]:
    found = {f"process {pid}: {command[:200]}" for pid, command in descendants().items()}
    own = tempfile.gettempdir()
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    found |= {f"mount {m}" for m in mounts if m.split()[1].startswith(f"{own}/")}
    found |= {f"folder {p}" for p in Path(own).glob("grader-*")}
    return found | _in_the_engine(owners)


def _in_the_engine(owners: set[int]) -> set[str]:
    """Containers and volumes that one of these processes has made."""
    from grader.errors import InfrastructureError
    from grader.sandbox.engine import OWNER_LABEL, SLOT_LABEL, connect

    def ours(thing: dict[str, Any]) -> bool:
        owner = (thing.get("Labels") or {}).get(OWNER_LABEL, "")
        return owner.rpartition(":")[2] in {str(pid) for pid in owners}

    try:
        api = connect(timeout_s=60).api
        filters = {"label": [SLOT_LABEL]}
        containers = api.containers(all=True, filters=filters)
        volumes = api.volumes(filters=filters).get("Volumes") or []
    except (InfrastructureError, OSError):
        return set()
    found = {f"container {c['Id'][:12]}" for c in containers if ours(c)}
    return found | {f"volume {v['Name']}" for v in volumes if ours(v)}


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
