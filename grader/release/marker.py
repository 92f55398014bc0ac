"""The mark of a release, in its folder and its zip: of which assignment it is."""

from __future__ import annotations

from pathlib import Path

# Says that a folder was made by a release and may be replaced by the next, and tells `submit` what
# is handed in from it.
MARKER = ".grader-release"
_PREFIX = "released by grader: "
_MAX_BYTES = 200


def mark(name: str) -> bytes:
    """Return what the mark of an assignment's release holds."""
    return f"{_PREFIX}{name}\n".encode()


def released_as(folder: Path) -> str:
    """Return the assignment of which a folder is the release; "" where it is none."""
    try:
        with (folder / MARKER).open("rb") as file:
            text = file.read(_MAX_BYTES).decode()
    except (OSError, UnicodeError):
        return ""
    name = text.removeprefix(_PREFIX).removesuffix("\n")
    return name if text == f"{_PREFIX}{name}\n" and name.isprintable() else ""
