"""The embedded sandbox: the same zygote and jail, straight on a Linux host."""

from __future__ import annotations

import json
import os
import re
import sys
import sysconfig
from contextlib import suppress
from itertools import count
from pathlib import Path

import grader
from grader.errors import InfrastructureError
from grader.sandbox.base import SlotOptions
from grader.sandbox.cgroups import (
    GroupLimits,
    SlotGroup,
    make_group,
    scope_command,
    scope_controllers,
    scope_environment,
)
from grader.sandbox.data import copy_for_all, is_readable_by_all
from grader.sandbox.process import OWN_PROCESSES, ProcessSlot
from grader.sandbox.processors import Processors
from grader.wire import messages as m

MB = 1 << 20
WARM_BYTES = 700 * MB
"""What a slot may take to become warm, until it says how much that was."""
_SLACK_BYTES = 128 * MB
"""For pages of libraries that are read again and again, and what the kernel keeps beside."""

_FIRST_UID = 61_000
_UIDS = 4_000
_COVERED = ("/tmp", "/dev", "/proc", "/etc")  # noqa: S108 - folders that a box has anew
_slots = count()


class LocalSlot(ProcessSlot):
    """A zygote behind `grader.box.enclosure`; warm, or single-use without inner namespaces."""

    def __init__(self, options: SlotOptions, *, hide: tuple[Path, ...] = ()) -> None:
        super().__init__(options)
        self._hide = hide
        # As root each slot has a uid of its own, so that limits per uid are limits per slot.
        self._uid = (
            _FIRST_UID + (os.getpid() * 7 + next(_slots)) % _UIDS
            if os.getuid() == 0
            else os.getuid()
        )
        self._group: SlotGroup | None = None
        self._processors: Processors | None = None
        self._tight = False

    def _data(self, folder: Path) -> str:
        """Where the data is; a copy of it where the slot's uid could not read it."""
        data = self.options.data
        if data is None or os.getuid() != 0 or is_readable_by_all(data):
            return str(data or "")
        copy_for_all(data, folder / "data")
        return str(folder / "data")

    def command(self, folder: Path) -> tuple[list[str], dict[str, str]]:
        """The enclosure's command line."""
        if sys.platform != "linux":
            raise InfrastructureError(
                "the local sandbox needs Linux namespaces",
                hint="Use `--sandbox docker`, or `--sandbox unsafe` if you trust the notebooks.",
            )
        if os.getuid() == 0:
            require_readable()
        prefixes = library_places()
        arguments = ["--isolation", self.options.isolation]
        arguments += ["--preload", *self.options.preloads]
        # A warm slot's sessions have a namespace each, in which the kernel counts theirs.
        if self.options.isolation != "warm" and (os.getuid() == 0 or _counts_by_namespace()):
            arguments += ["--processes", str(self.options.processes + OWN_PROCESSES)]
        group, wrapper = self._make_group()
        scoped = scope_controllers() if wrapper else frozenset()
        arguments += ["--memory", "counted" if group.memory_version or scoped else "watched"]
        if "cpu" in group.places or "cpu" in scoped:
            arguments += ["--processors", "bounded"]
        else:
            self._processors = Processors(self.options.cpus)
            arguments += ["--processors", "pinned"]
        config = {
            "base": str(folder / "root"),
            "prefixes": prefixes,
            "interpreter": seen_at(sys.executable, prefixes),
            "code": str(Path(grader.__file__).parent),
            "hide": [seen_at(str(p), prefixes) for p in (*hidden_folders(), *self._hide)],
            "data": self._data(folder),
            "uid": self._uid,
            "tmp_bytes": self.options.disk_bytes + (64 << 20),
            "gpu": str(self.options.gpu or ""),
            "arguments": arguments,
            "groups": [str(f) for f in group.folders],
            "counted_by": "scope" if wrapper else str(group.memory_folder or ""),
            "processors": self._processors.numbers if self._processors else [],
        }
        command = [
            *wrapper,
            sys.executable,
            "-B",
            "-P",
            "-m",
            "grader.box.enclosure",
            json.dumps(config),
        ]
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "PYTHONPATH": str(Path(grader.__file__).parent.parent),
            "LANG": "C.UTF-8",
            **(scope_environment() if wrapper else {}),
        }
        return command, environment

    def wait_ready(self) -> m.Hello:
        """Wait until the zygote is warm; from then on its sessions may have their limit more."""
        hello = super().wait_ready()
        # On a GPU the driver takes what it takes of the host's memory.
        if not self._tight and self._group is not None and not self.options.gpu:
            held = self.options.memory_bytes + self.options.disk_bytes
            with suppress(OSError):  # then the first limit holds
                self._group.bound_memory(hello.resident_bytes + held + _SLACK_BYTES)
            self._tight = True
        return hello

    def destroy(self) -> None:
        """Kill the process with all that it started and remove its folder and its group."""
        super().destroy()
        group, self._group = self._group, None
        if group is not None:
            group.remove()
        processors, self._processors = self._processors, None
        if processors is not None:
            processors.release()
        self._tight = False

    def _make_group(self) -> tuple[SlotGroup, list[str]]:
        """A group for the slot's processes, or what starts them in a scope of systemd."""
        options = self.options
        bounds = GroupLimits(
            memory_bytes=WARM_BYTES + options.memory_bytes + options.disk_bytes,
            cpus=options.cpus,
            processes=options.processes + 2 * OWN_PROCESSES,
        )
        group = self._group = make_group(bounds)
        if group.memory_version or "memory" not in scope_controllers():
            return group, []
        group.remove()
        self._group = None
        return SlotGroup(places={}), scope_command(group.name, bounds)


def require_readable() -> None:
    """Check that another uid than root's can read the interpreter's libraries.

    Raises:
        InfrastructureError: they were installed under a umask of 077: which, and what to do.
    """
    package = Path(grader.__file__)
    libraries = Path(sysconfig.get_paths()["purelib"])
    for path in (package, package.parent / "box", libraries, libraries / "msgspec"):
        needed = 0o005 if path.is_dir() else 0o004
        if path.exists() and path.stat().st_mode & needed != needed:
            raise InfrastructureError(
                "a box of the local sandbox runs as another user than root, who can't read it "
                "(installed under a umask of 077?)",
                where=path,
                hint=f"Let it be read: chmod -R a+rX {libraries}",
            )


def _counts_by_namespace() -> bool:
    """Whether the kernel counts the processes of a user namespace (since 5.14), not all of the uid.

    As root no matter: a slot has a uid of its own then.
    """
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return found is not None and (int(found[1]), int(found[2])) >= (5, 14)


def library_folders() -> list[str]:
    """Where the running interpreter and its libraries are, outermost first, none inside another."""
    paths = sysconfig.get_paths()
    wanted = {sys.base_prefix, sys.base_exec_prefix, paths["purelib"], paths["platlib"]}
    if sys.prefix != sys.base_prefix:
        wanted.add(sys.prefix)
    folders: list[str] = []
    for folder in sorted({str(Path(p)) for p in wanted}, key=len):
        inside = any(folder == f or folder.startswith(f + "/") for f in (*folders, "/usr"))
        if not inside and folder != "/":
            folders.append(folder)
    return folders


def library_places() -> dict[str, str]:
    """Where the box sees each of those folders: where it is, but not in what the box has anew.

    A virtual environment works from any path; an interpreter below /tmp itself would not.
    """
    places = {}
    for number, folder in enumerate(library_folders()):
        covered = any(folder == top or folder.startswith(top + "/") for top in _COVERED)
        places[folder] = f"/opt/prefix-{number}" if covered else folder
    base = seen_at(sys.base_prefix, places)
    if base != sys.base_prefix:
        raise InfrastructureError(
            f"the Python at {sys.base_prefix} lies in a folder that every box has for itself",
            hint="Use a Python that is installed outside /tmp, or `--sandbox docker`.",
        )
    return places


def seen_at(path: str, places: dict[str, str]) -> str:
    """Where the box sees a path of this machine."""
    for folder, place in places.items():
        if path == folder or path.startswith(folder + "/"):
            return place + path[len(folder) :]
    return path


def hidden_folders() -> tuple[Path, ...]:
    """Our own package wherever it is installed: it ships reference solutions and hidden suites.

    An editable install has both the checkout and a copy of what is shipped beside the libraries.
    """
    paths = sysconfig.get_paths()
    installed = (Path(paths["purelib"], "grader"), Path(paths["platlib"], "grader"))
    return tuple(dict.fromkeys((Path(grader.__file__).parent, *installed)))
