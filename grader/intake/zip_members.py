"""The members of a zip archive, one after the other, from a file that may be hostile."""

from __future__ import annotations

import datetime as dt
import stat
import struct
import zipfile
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
from grader.intake.zip_names import names_of

# The table of contents is read in one piece; a hostile one would become gigabytes of objects.
_MAX_DIRECTORY_BYTES = 16 * 2**20

# What zipfile raises for archives that are damaged on purpose.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    OSError,
)

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


class _BoundedReads:
    """A file that hands out no piece larger than a table of contents may be."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        bounded = min(size, _MAX_DIRECTORY_BYTES + 1) if size >= 0 else _MAX_DIRECTORY_BYTES + 1
        data = self._file.read(bounded)
        if len(data) > _MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("its table of contents is too long")
        return data


def zip_members(
    file: BinaryIO, budget: Budget, wanted: Wanted, *, prefix: str = "", archive_name: str
) -> Iterator[Member | RefusedMember]:
    """Yield the members of a zip archive; a folder is a member without data.

    Raises:
        ArchiveEndedError: the archive can't be opened, or its limits are spent.
    """
    try:
        archive = zipfile.ZipFile(_BoundedReads(file))
    except _DAMAGE as error:
        raise ArchiveEndedError(f"it is a damaged or truncated zip archive ({error})") from error
    with archive:
        infos = archive.infolist()
        named = names_of(infos, budget.naming, archive=display_name(archive_name))
        for info, name in zip(infos, named, strict=True):
            budget.count_member()
            if is_clutter(name.replace("\\", "/")):
                continue
            path = budget.admit(name, prefix=prefix, folder=name.endswith("/"))
            if isinstance(path, RefusedMember):
                yield path
                continue
            try:
                yield _read(archive, info, path, budget, wanted)
            except MemberRefusedError as error:
                yield RefusedMember(display_name(path), str(error), path=path)
            except _DAMAGE as error:
                reason = f"it is damaged ({error})"
                yield RefusedMember(display_name(path), reason, path=path)


def _read(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str, budget: Budget, wanted: Wanted
) -> Member | RefusedMember:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind in _KINDS:
        raise MemberRefusedError(f"it is {_KINDS[kind]}")
    modified = _modified(info)
    if info.orig_filename.endswith(("/", "\\")) or kind == stat.S_IFDIR:
        return Member(path, is_folder=True)
    if info.flag_bits & 0x1:
        raise MemberRefusedError("it is encrypted; archives must not have a password")
    # bzip2 and lzma are no LMS's doing, and lzma's header asks for as much memory as it likes.
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise MemberRefusedError("it is packed by a method other than deflate")
    if not wanted(path):
        return Member(path, modified=modified)
    with archive.open(info) as stream:
        data = budget.read(stream, packed_bytes=info.compress_size)
    return Member(path, held(data), modified=modified)


def _modified(info: zipfile.ZipInfo) -> dt.datetime | None:
    try:
        return dt.datetime(*info.date_time, tzinfo=dt.UTC)
    except ValueError:
        return None
