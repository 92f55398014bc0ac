"""Which pages are still what they would be made of now, so that they need not be made again.

A note beside the pages says for each student what the files were made of, and how they lay on disk
when they were written. A file that was changed, replaced or deleted since then is made again, and
so is everything when the note can't be read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from grader import __version__
from grader.errors import InfrastructureError
from grader.resources import shipped_dir

NOTE = ".pages.json"
_LIBRARIES = ("jinja2", "latex2mathml", "markupsafe", "nh3", "pillow", "pygments")

State = tuple[int, int, int, int]
"""Size, times of the last change of content and of anything, inode: any writer changes one."""


class _Kept(msgspec.Struct, frozen=True):
    made_of: str
    files: dict[str, State]


class _Note(msgspec.Struct):
    pages: dict[str, _Kept] = {}


class KeptPages:
    """The note of one folder of pages."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pages = _read(folder / NOTE)

    def holds(self, name: str, made_of: str) -> bool:
        """Whether a student's files were made of this, and are on disk as they were written."""
        kept = self._pages.get(name)
        return (
            kept is not None
            and kept.made_of == made_of
            and all(_state(self._folder / file) == state for file, state in kept.files.items())
        )

    def written(self, name: str, made_of: str, files: Sequence[str]) -> None:
        """Take note of a student's files, which were just written."""
        states = {file: _state(self._folder / file) for file in files}
        self._pages[name] = _Kept(made_of, {f: s for f, s in states.items() if s is not None})

    def content(self) -> bytes:
        """The note, as it is to be written into the folder."""
        return msgspec.json.encode(_Note(self._pages))


def version_of_pages(template_dirs: Sequence[Path]) -> str:
    """Hash all but the verdicts that pages are made of: templates, this room's code, libraries."""
    digest = hashlib.sha256(__version__.encode())
    for name in _LIBRARIES:
        digest.update(f"{name} {_version(name)}\n".encode())
    for folder in (*template_dirs, shipped_dir("templates"), Path(__file__).parent):
        for path in sorted(p for p in folder.rglob("*") if p.suffix in (".j2", ".py")):
            try:
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError as error:
                raise InfrastructureError(
                    f"a template can't be read: {error.strerror}", where=path
                ) from error
            digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _read(path: Path) -> dict[str, _Kept]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Note).pages
    except (OSError, msgspec.MsgspecError, UnicodeError):
        return {}


def _state(path: Path) -> State | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
