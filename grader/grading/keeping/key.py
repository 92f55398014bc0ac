"""What must be the same for a kept judge to serve: all of it is in the name of its socket."""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from pathlib import Path

import msgspec

import grader
from grader.grading.job import BatchConfig

OF_A_TERMINAL = (
    "_",
    "COLORTERM",
    "COLUMNS",
    "DISPLAY",
    "FORCE_COLOR",
    "GRADER_TRACEBACK",
    "LINES",
    "NO_COLOR",
    "OLDPWD",
    "SHLVL",
    "SSH_CLIENT",
    "SSH_CONNECTION",
    "SSH_TTY",
    "TERM",
    "WINDOWID",
    "XDG_SESSION_ID",
)
"""Variables that differ from one terminal to the next and change nothing of a judge."""


def same_but_for_the_seed(config: BatchConfig) -> bytes:
    """What two commands must have in common: each job brings its seed with it."""
    return msgspec.msgpack.encode(msgspec.structs.replace(config, seed=0, keep=""))


def key_of(config: BatchConfig) -> str:
    """The name of the judge that could serve this: assignment, sandbox, programs, environment."""
    facts = hashlib.sha256(same_but_for_the_seed(config))
    facts.update(surroundings().encode())
    return facts.hexdigest()[:32]


def surroundings() -> str:
    """What else a judge's process was made of: when it changes, the judge is none of today's."""
    environment = sorted((k, v) for k, v in os.environ.items() if k not in OF_A_TERMINAL)
    try:
        here = str(Path.cwd())
    except OSError:
        here = ""
    return repr((programs(), environment, here, os.getuid(), os.getgid(), sorted(os.getgroups())))


def programs() -> str:
    """What stands for the interpreter, this program and the libraries that are installed."""
    facts: list[object] = [sys.executable, sys.version]
    paths = sysconfig.get_paths()
    for folder in sorted({paths["purelib"], paths["platlib"]}):
        facts.append((folder, _changed(Path(folder))))  # an install makes or removes a folder there
    package = Path(grader.__file__).parent
    for path in sorted(package.rglob("*.py")):
        facts.append((str(path), _changed(path)))
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _changed(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
