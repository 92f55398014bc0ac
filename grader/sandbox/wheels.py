"""Wheels for the image, fetched by the host's own pip: the build itself has no network."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from grader.errors import ImageError

BOX_LIBRARIES = ("torch", "numpy", "ipython", "matplotlib", "matplotlib-inline", "msgspec")
_WORDS = 800


@dataclass(frozen=True)
class WheelTarget:
    """The Python inside the base image: `3.11` on `x86_64`, with its glibc."""

    python: str
    machine: str
    glibc: str

    @property
    def is_like_host(self) -> bool:
        """Whether the host's pip picks the right wheels by itself."""
        import platform

        host = ".".join(platform.python_version_tuple()[:2])
        return (self.python, self.machine) == (host, platform.machine())

    def platforms(self) -> list[str]:
        """The wheel platforms that run there, newest first."""
        minor = int(self.glibc.split(".")[1]) if "." in self.glibc else 17
        tags = [f"manylinux_2_{n}_{self.machine}" for n in range(minor, 16, -1)]
        return [*tags, f"manylinux2014_{self.machine}", f"linux_{self.machine}"]


def box_requirements() -> tuple[str, ...]:
    """What the box imports, in the versions that the judge has: the same answer on both sides."""
    return tuple(f"{name}=={version(name).split('+')[0]}" for name in BOX_LIBRARIES)


def fetch(
    requirements: Sequence[str], folder: Path, target: WheelTarget, *, have: Path | None
) -> None:
    """Download wheels of the requirements and all that they need.

    Args:
        requirements: pip requirement specifiers.
        folder: receives the wheels.
        target: for which Python.
        have: constraints file, for a derived image: what its base holds already.

    Raises:
        ImageError: pip can't get one of them.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder)]
    command += ["--only-binary=:all:", "--disable-pip-version-check"]
    if not target.is_like_host:
        tag = target.python.replace(".", "")
        command += ["--python-version", target.python, "--implementation", "cp"]
        command += ["--abi", f"cp{tag}", "--abi", "abi3", "--abi", "none"]
        command += [word for p in target.platforms() for word in ("--platform", p)]
    if have is not None:
        command += ["--constraint", str(have)]
    done = subprocess.run([*command, *requirements], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImageError(
            f"pip can't get the libraries of the box: {done.stderr.strip()[-_WORDS:]}",
            hint="Check that pip reaches its index here: `pip download torch --no-deps -d /tmp`.",
        )
