"""The bytes of a file that was handed in, read when they are wanted and not kept in between.

A class of a thousand notebooks with pictures is half a gigabyte. What lies on disk is read there
again; what comes out of an archive is put on a shelf, since a packed archive can only be read from
its start. Whoever reads gets the bytes that were there at first, or an error.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import BinaryIO, cast

from grader.errors import InfrastructureError

_PIECE_BYTES = 2**20


class RefusedFileError(Exception):
    """A file that is not read; the message is the reason."""


@dataclass(eq=False)
class Content:
    """A file's bytes, wherever they are: what the first reading finds, all others must find."""

    size: int
    fetch: Callable[[], bytes] = field(repr=False)
    _sha256: str = ""

    @property
    def sha256(self) -> str:
        """Of what the first reading found.

        Raises:
            InfrastructureError: this is the first reading, and there is nothing any more.
        """
        if not self._sha256:
            self.read()
        return self._sha256

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Content) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def read(self, name: str = "what was handed in") -> bytes:
        """Read the bytes.

        Args:
            name: what to call them in an error.

        Raises:
            InfrastructureError: they can't be read any more, or are not those of the first reading.
        """
        try:
            data = self.fetch()
        except RefusedFileError as error:
            raise _changed(name, str(error)) from error
        found = hashlib.sha256(data).hexdigest()
        if self._sha256 not in {"", found}:
            raise _changed(name, "it does not hold what it held")
        self._sha256, self.size = found, len(data)
        return data


def held(data: bytes) -> Content:
    """Content that stays in memory: for what is small, or passed on at once."""
    return Content(len(data), lambda: data)


def on_disk(path: Path, *, limit: int) -> Content:
    """Content of a file that `read_regular_file` would read, which is done each time.

    Raises:
        RefusedFileError: the file would not be read.
    """
    with _opened(path, limit) as file:
        size = os.fstat(file.fileno()).st_size
    return Content(size, partial(read_regular_file, path, limit=limit))


class Shelf:
    """A file without a name, in which contents lie one behind the other.

    It is gone with the last content that lies in it, also when this process is killed.
    """

    @cached_property
    def _file(self) -> BinaryIO:
        return cast("BinaryIO", tempfile.TemporaryFile(dir=_folder()))

    def put(self, content: Content) -> Content:
        """Return the same content, lying here.

        Raises:
            InfrastructureError: the disk is full.
        """
        data = content.fetch()
        try:
            at = self._file.seek(0, os.SEEK_END)
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise _no_room(error) from error
        return Content(content.size, partial(self._fetch, at, content.size))

    def _fetch(self, at: int, size: int) -> bytes:
        try:
            self._file.seek(at)
            return self._file.read(size)
        except OSError as error:
            raise RefusedFileError(f"it cannot be read ({error.strerror})") from error


def read_regular_file(path: Path, *, limit: int) -> bytes:
    """Read a file that must be a plain one and no longer than `limit` bytes.

    Raises:
        RefusedFileError: it is a link, a pipe, a device, too large, or can't be read.
    """
    with _opened(path, limit) as file:
        size = os.fstat(file.fileno()).st_size
        data = _read_up_to(file, limit + 1, first=size + 1)
    if len(data) > limit:
        raise _too_large(limit)
    return data


@contextmanager
def _opened(path: Path, limit: int) -> Iterator[BinaryIO]:
    # O_NONBLOCK: opening a pipe that was put there between the listing and now must not hang.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise RefusedFileError("it is no regular file")
            if found.st_size > limit:
                raise _too_large(limit)
            yield file
    except OSError as error:
        raise RefusedFileError(f"it cannot be read ({error.strerror})") from error


def _too_large(limit: int) -> RefusedFileError:
    return RefusedFileError(f"it is larger than {limit / 2**20:,.0f} MB")


def _read_up_to(file: BinaryIO, limit: int, *, first: int) -> bytes:
    """Read all at once if it is as long as it was said to be, `first`; else the rest in pieces.

    Asked for 64 MB at once, Python sets them aside for every small file.
    """
    pieces: list[bytes] = []
    left, ask = limit, first
    while left and (piece := file.read(min(left, ask))):
        pieces.append(piece)
        left -= len(piece)
        ask = _PIECE_BYTES
    return b"".join(pieces)


def _changed(name: str, how: str) -> InfrastructureError:
    return InfrastructureError(
        f"{name} was changed or removed after it was taken in: {how}; grade again",
        hint="Run the command again: it takes in what is there now.",
    )


def _folder() -> str | None:
    """Where large files may lie: on many systems /tmp is memory, and /var/tmp is not."""
    large = "/var/tmp"  # noqa: S108 - a file without a name can't be foreseen by anybody
    named = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    return large if not named and os.access(large, os.W_OK) else None


def _no_room(error: OSError) -> InfrastructureError:
    return InfrastructureError(
        f"what an archive holds can't be kept while it is worked on ({error.strerror})",
        where=_folder() or tempfile.gettempdir(),
        hint="Free some space there, or name another folder in TMPDIR.",
    )
