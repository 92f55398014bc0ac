"""Another user of this machine: for root in a container that may make no namespaces."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from pathlib import Path
from typing import Any

import grader
from grader.errors import InfrastructureError
from grader.sandbox.base import SlotOptions
from grader.sandbox.data import copy_for_all
from grader.sandbox.process import OWN_PROCESSES, ProcessSlot
from grader.wire.environment import BEFORE_FORKS

# Above those that systems give away, below what a container with few ids has. Drawn, since the
# kernel counts the processes of a uid over all containers of a machine.
_FIRST_UID = 20_000
_UIDS = 40_000
_SWEEPS = 20


class UserSlot(ProcessSlot):
    """A zygote with the box's limits and its seccomp filter, under a uid that owns nothing else.

    What belongs to root alone, the notebook can neither read nor change; it does see the rest of
    the file system, the other processes and the network. For a container that serves one
    submission and is thrown away, such as Gradescope's.
    """

    def __init__(self, options: SlotOptions) -> None:
        super().__init__(options)
        self._uid = _FIRST_UID + secrets.randbelow(_UIDS)

    def command(self, folder: Path) -> tuple[list[str], dict[str, str]]:
        """The zygote's command line; the notebook gets a copy of the data."""
        if sys.platform != "linux" or os.getuid() != 0:
            raise InfrastructureError(
                "only root can start a notebook as another user",
                hint="Use `--sandbox docker` or `--sandbox local`.",
            )
        folder.chmod(0o711)
        scratch, data = folder / "scratch", folder / "data"
        scratch.mkdir(mode=0o700)
        os.chown(scratch, self._uid, self._uid)
        if self.options.data is not None:
            copy_for_all(self.options.data, data)
        # Here no cgroup counts processes, and the kernel counts them by uid.
        bound = str(self.options.processes + OWN_PROCESSES)
        arguments = [sys.executable, "-B", "-P", "-m", "grader.box.zygote"]
        arguments += ["--isolation", "single-use", "--processes", bound]
        arguments += ["--scratch", str(scratch), "--data", str(data)]
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "PYTHONPATH": os.pathsep.join(_import_path()),
            "LANG": "C.UTF-8",
            "HOME": str(scratch),
            **BEFORE_FORKS,
        }
        return arguments, environment

    def credentials(self, folder: Path) -> dict[str, Any]:
        """Whose process it is, and where it starts."""
        return {
            "user": self._uid,
            "group": self._uid,
            "extra_groups": [],
            "umask": 0o077,
            "cwd": folder / "scratch",
        }

    def destroy(self) -> None:
        """Kill all that this uid runs, also what left the zygote's session."""
        for _ in range(_SWEEPS):  # again for what was forked while the list was made
            running = _processes_of(self._uid)
            for pid in running:
                try:
                    os.kill(pid, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    pass
            if not running:
                break
        super().destroy()


def _import_path() -> list[str]:
    """Where the judge found our package and what it was told of others."""
    told = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return list(dict.fromkeys([str(Path(grader.__file__).parent.parent), *filter(None, told)]))


def _processes_of(uid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            status = (entry / "status").read_text()
        except OSError:
            continue
        lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        zombie = lines.get("State", "").strip().startswith("Z")
        if not zombie and str(uid) in lines.get("Uid", "").split():
            found.append(int(entry.name))
    return found
