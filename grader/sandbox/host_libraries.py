"""The libraries of a box that has no image: those that are installed beside this program."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib import metadata

from grader.errors import InfrastructureError

_OF_EVERY_BOX = ("torch", "numpy", "matplotlib", "ipython")


def host_identity(libraries: Iterable[str] = ()) -> str:
    """Return what stands for an image: the interpreter, and the versions of what notebooks use.

    Args:
        libraries: what the assignment asks for, as pip takes it.
    """
    names = [*_OF_EVERY_BOX, *sorted(map(_name, libraries))]
    versions = ((name, _version(name)) for name in names)
    parts = [f"python {sys.version.split()[0]}", *(f"{n} {v or 'missing'}" for n, v in versions)]
    return "host: " + ", ".join(parts)


def require_libraries(libraries: Iterable[str]) -> None:
    """Refuse to run notebooks without the libraries that their assignment promises.

    Without them a right notebook would lose marks.

    Which version is there is not looked at: who installs it here decides.

    Raises:
        InfrastructureError: one is missing; it names all of them.
    """
    missing = [library for library in libraries if _version(_name(library)) is None]
    if missing:
        raise InfrastructureError(
            f"libraries of the assignment are not installed beside grader: {', '.join(missing)}",
            hint="Install them there with pip; or build the image for Docker: "
            "`grader sandbox build --for ASSIGNMENT`.",
        )


def _name(library: str) -> str:
    """The project's name, before extras and versions."""
    return re.split(r"[^A-Za-z0-9._-]", library, maxsplit=1)[0]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
