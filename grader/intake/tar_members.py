"""The members of a tar archive, gzipped or not, from a file that may be hostile."""

from __future__ import annotations

import datetime as dt
import gzip
import struct
import tarfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from grader.intake.content import held
from grader.intake.members import (
    ArchiveEndedError,
    Budget,
    Member,
    MemberRefusedError,
    RefusedMember,
    Wanted,
)
from grader.intake.names import display_name, is_clutter

# Headers (long names, pax records) are read in one piece; honest ones have a few kilobytes.
_MAX_PIECE_BYTES = 2**20

# What tarfile and gzip raise for archives that are damaged on purpose; a chain of a thousand
# long-name headers makes tarfile recurse too deeply.
_DAMAGE = (
    tarfile.TarError,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    OverflowError,
    RecursionError,
    OSError,
)


class _Metered:
    """A stream that is only read forwards, and not past the limit, however it is packed.

    tarfile looks at the last byte of a member again when it goes on to the next. In a gzip stream
    that could mean to unpack everything from the start again, for each of thousands of members;
    so that byte comes from memory, and any other way back is refused.
    """

    def __init__(self, file: BinaryIO | gzip.GzipFile, limit: int) -> None:
        self._file = file
        self._limit = limit
        self._position = 0
        self._again = b""
        self.last_read = b""

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MAX_PIECE_BYTES:
            raise tarfile.ReadError("a header is too long")
        if self._again and size:
            data, self._again = self._again, b""
            return data
        self.last_read = self._file.read(size)
        self._position += len(self.last_read)
        return self.last_read

    def seek(self, position: int, whence: int = 0) -> int:
        if whence != 0 or position > self._limit:
            raise tarfile.ReadError("it unpacks to more than an archive may")
        if position < self._position:
            if position != self._position - 1 or not self.last_read:
                raise tarfile.ReadError("its members overlap")
            self._again = self.last_read[-1:]
        else:
            self._again = b""
            self._position = self._file.seek(position)
        return position

    def tell(self) -> int:
        return self._position - len(self._again)


def tar_members(
    file: BinaryIO, budget: Budget, wanted: Wanted, *, prefix: str = ""
) -> Iterator[Member | RefusedMember]:
    """Yield the members of a tar archive; a folder is a member without data.

    Raises:
        ArchiveEndedError: the archive can't be opened or read on, or its limits are spent.
    """
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    stream: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=file) if packed else file
    metered = _Metered(stream, budget.limits.total_bytes)
    try:
        # errors="surrogateescape" is the default: names that are not UTF-8 are refused by name.
        with tarfile.open(fileobj=metered, mode="r:") as archive:  # type: ignore[call-overload]
            while (info := archive.next()) is not None:
                budget.count_member()
                yield from _member(archive, info, budget, wanted, prefix)
            # tarfile takes a damaged header for the end; the true end is a block of zeros.
            if not metered.last_read or metered.last_read.strip(b"\x00"):
                raise tarfile.ReadError("it does not end where it should")
    except _DAMAGE as error:
        raise ArchiveEndedError(f"it is a damaged or truncated tar archive ({error})") from error


def _member(
    archive: tarfile.TarFile, info: tarfile.TarInfo, budget: Budget, wanted: Wanted, prefix: str
) -> Iterator[Member | RefusedMember]:
    if is_clutter(info.name) or info.name in {".", "./"}:
        return
    path = budget.admit(info.name, prefix=prefix, folder=info.isdir())
    if isinstance(path, RefusedMember):
        yield path
        return
    try:
        yield _read(archive, info, path, budget, wanted)
    except MemberRefusedError as error:
        yield RefusedMember(display_name(path), str(error), path=path)


def _read(
    archive: tarfile.TarFile, info: tarfile.TarInfo, path: str, budget: Budget, wanted: Wanted
) -> Member:
    if info.isdir():
        return Member(path, is_folder=True)
    if info.issym():
        raise MemberRefusedError("it is a symbolic link")
    if info.islnk():
        raise MemberRefusedError("it is a hard link")
    if info.isfifo():
        raise MemberRefusedError("it is a named pipe")
    if info.isdev():
        raise MemberRefusedError("it is a device")
    if not info.isreg() or info.issparse():
        raise MemberRefusedError("it is no regular file")
    if not wanted(path):
        return Member(path, modified=_modified(info))
    if info.size > budget.limits.member_bytes:
        raise MemberRefusedError(f"it is larger than {budget.limits.member_bytes / 2**20:,.0f} MB")
    stream = archive.extractfile(info)
    if stream is None:
        raise MemberRefusedError("it is no regular file")
    data = budget.read(stream, packed_bytes=None)
    if len(data) < info.size:
        raise MemberRefusedError("the archive was cut off in the middle of it")
    return Member(path, held(data), modified=_modified(info))


def _modified(info: tarfile.TarInfo) -> dt.datetime | None:
    try:
        return dt.datetime.fromtimestamp(info.mtime, tz=dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
