"""Versions of what stands round a container, and the known ways out that each still has.

Each entry names a hole by which a container has reached its host, and the versions that closed it,
one for each line of releases. Later lines than the last one named were never open.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass

from grader.sandbox.engine import Engine

Version = tuple[int, int, int, int]
_RELEASED = 1 << 30
"""In the fourth place: a release comes after its candidates."""
_NUMBER = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(?:[-~.]?rc\.?(\d+))?")


@dataclass(frozen=True)
class Hole:
    """A known way out, and where it was closed."""

    name: str
    component: str
    fixed: tuple[str, ...]


HOLES = (
    # A descriptor of the host's leaks into the container through the working directory.
    Hole("CVE-2024-21626", "runc", ("1.1.12",)),
    # Masked paths, /dev/console and writes to /proc redirected while the container starts.
    Hole("CVE-2025-31133", "runc", ("1.2.8", "1.3.3", "1.4.0-rc.3")),
    Hole("CVE-2025-52565", "runc", ("1.2.8", "1.3.3", "1.4.0-rc.3")),
    Hole("CVE-2025-52881", "runc", ("1.2.8", "1.3.3", "1.4.0-rc.3")),
    # The host's file system mounted into a container that has a GPU.
    Hole("CVE-2024-0132", "nvidia-container-toolkit", ("1.16.2",)),
    # A library of the image loaded by a hook that runs as root on the host.
    Hole("CVE-2025-23266", "nvidia-container-toolkit", ("1.17.8",)),
)


def holes(component: str, version: str) -> list[str]:
    """The known holes that a version has by its number, oldest first."""
    found = parse(version)
    if found is None:
        return []
    return [h.name for h in HOLES if h.component == component and _is_open(found, h.fixed)]


def parse(version: str) -> Version | None:
    """The numbers of a version, whatever a distribution has put behind them."""
    match = _NUMBER.search(version)
    if match is None:
        return None
    major, minor, patch, candidate = match.groups()
    return (int(major), int(minor), int(patch or 0), int(candidate) if candidate else _RELEASED)


def _is_open(version: Version, fixed: tuple[str, ...]) -> bool:
    closed = sorted(v for v in map(parse, fixed) if v is not None)
    for fix in closed:
        if version[:2] <= fix[:2]:  # its own line, or one that was never mended
            return version < fix
    return False


def installed_versions(engine: Engine) -> dict[str, str]:
    """The versions of runc and, where it is on this machine, of NVIDIA's toolkit."""
    found = {}
    for part in engine.client.version().get("Components") or []:
        version = str(part.get("Version")).partition("\n")[0]
        # Podman tells `OCI Runtime (runc)` and `runc version 1.1.5+ds1`.
        if str(part.get("Name")) in ("runc", "OCI Runtime (runc)") and parse(version):
            found["runc"] = version.split()[-1]
    toolkit = shutil.which("nvidia-ctk")
    if toolkit and engine.is_here:
        said = subprocess.run(
            [toolkit, "--version"], capture_output=True, text=True, check=False
        ).stdout
        if parse(said):
            found["nvidia-container-toolkit"] = said.split("version")[-1].split()[0]
    return found
