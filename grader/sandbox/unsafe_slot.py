"""No sandbox: a plain child process, for platforms without namespaces. Every report says so."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import grader
from grader.sandbox.process import ProcessSlot
from grader.wire.environment import BEFORE_FORKS


class UnsafeSlot(ProcessSlot):
    """A zygote with limits and time-outs, but no walls: the notebook can read what you can."""

    def command(self, folder: Path) -> tuple[list[str], dict[str, str]]:
        """The zygote's command line; its scratch folder is removed with the slot."""
        scratch = folder / "scratch"
        scratch.mkdir()
        arguments = [sys.executable, "-B", "-P", "-m", "grader.box.zygote"]
        arguments += ["--isolation", "unsafe", "--scratch", str(scratch)]
        arguments += ["--data", str(self.options.data or folder / "no-data")]
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "PYTHONPATH": str(Path(grader.__file__).parent.parent),
            "LANG": "C.UTF-8",
            "HOME": str(scratch),
            **BEFORE_FORKS,
        }
        return arguments, environment
