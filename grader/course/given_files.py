"""Files that a course gives beside the notebook: which they are, and which may not be."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from grader.course.spec import AssignmentSpec
from grader.course.strict_toml import wrong_key

MAX_BYTES = 16 << 20
"""Of all of them: what is larger belongs into data/, which is not sent anew for each notebook."""
_OWN = frozenset({"hidden", "public", "samples", "data", "tests"})
_LIBRARIES = frozenset({"torch", "numpy", "matplotlib", "IPython", "pytest", "grader", "msgspec"})
_RELEASED = frozenset({"assignment.toml", "README.md", "requirements.txt", "grader.json"})


def given_files(folder: Path, patterns: Sequence[str]) -> dict[str, Path]:
    """Return the files of an assignment's folder that patterns name, by their path in it, sorted.

    What has a folder of its own there, such as the hidden suite, is never one of them.
    """
    found = {}
    for pattern in patterns:
        parts = PurePosixPath(pattern).parts
        if not parts or ".." in parts or PurePosixPath(pattern).is_absolute():
            continue  # of a release that somebody has edited; a spec is refused before
        for path in folder.glob(pattern):
            if _may_be_given(path, folder):
                found[path.relative_to(folder).as_posix()] = path
    return dict(sorted(found.items()))


def _may_be_given(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
    # A link in a folder that a student handed in must not give the box a file of this machine.
    inside = path.resolve().is_relative_to(folder.resolve())
    return path.is_file() and inside and not hidden and parts[0] not in _OWN


def check_handed_files(spec: AssignmentSpec, path: Path) -> None:
    """Check what `[handin]` asks for.

    Raises:
        SpecError: a pattern leads elsewhere or means notebooks, or the limit is no limit.
    """
    for index, pattern in enumerate(spec.handin.files):
        parts = PurePosixPath(pattern).parts
        if not parts or ".." in parts or PurePosixPath(pattern).is_absolute():
            key = f"handin.files[{index}]"
            raise wrong_key(path, key, f"expected a pattern such as *.py, got {pattern!r}")
        if parts[0] in _OWN or pattern.endswith(".ipynb"):
            key = f"handin.files[{index}]"
            raise wrong_key(path, key, f"{pattern!r} can't be next to a notebook")
    if not 0 < spec.handin.max_mb <= spec.resources.disk_mb / 2:
        raise wrong_key(
            path,
            "handin.max_mb",
            f"expected more than 0 and at most half of resources.disk_mb "
            f"({spec.resources.disk_mb / 2:g}), got {spec.handin.max_mb:g}",
        )


def check_given_files(spec: AssignmentSpec, path: Path) -> None:
    """Check what `[box] files` names.

    Raises:
        SpecError: a pattern leads elsewhere or finds nothing, or a file may not lie there.
    """
    folder = path.parent
    size = 0
    for index, pattern in enumerate(spec.box.files):
        key = f"box.files[{index}]"
        parts = PurePosixPath(pattern).parts
        if not parts or ".." in parts or PurePosixPath(pattern).is_absolute():
            raise wrong_key(path, key, f"expected a pattern within {folder}, got {pattern!r}")
        if parts[0] in _OWN:
            raise wrong_key(path, key, f"{parts[0]}/ can't hold files for a notebook")
        try:
            found = given_files(folder, [pattern])
        except ValueError as error:
            raise wrong_key(path, key, f"not a pattern: {pattern!r} ({error})") from error
        if not found:
            raise wrong_key(
                path,
                key,
                f"no file in {folder} matches {pattern!r}",
                hint="Put the file next to assignment.toml; students get it next to the notebook.",
            )
        for name in found:
            _check_name(name, path, key)
        size += sum(file.stat().st_size for file in found.values())
    if size > MAX_BYTES:
        raise wrong_key(
            path,
            "box.files",
            f"the files have {size / 2**20:.1f} MB; the limit is {MAX_BYTES >> 20} MB",
            hint="Put what is large into data/.",
        )


def _check_name(name: str, path: Path, key: str) -> None:
    why = not_beside(name)
    if why is not None:
        raise wrong_key(path, key, f"{name} {why}")


def not_beside(name: str) -> str | None:
    """Say why a file of that path may not lie beside a notebook; None where it may."""
    parts = PurePosixPath(name).parts
    if parts[0] in _OWN:
        return f"is in a folder called {parts[0]}, as one of the assignment's own is called"
    if name in _RELEASED or name.endswith(".ipynb"):
        return "can't be next to the notebook: a release has its own"
    module = parts[0].removesuffix(".py")
    if name.endswith(".py") and (module in sys.stdlib_module_names or module in _LIBRARIES):
        return "has the name of a library's module, which would be imported instead"
    return None
