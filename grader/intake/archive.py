"""Read zip and tar archives piece by piece; nothing is ever unpacked to disk.

A class's archive is read although some of its members are hostile: each one is either good, or
refused with its reason, and the rest goes on.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from grader.intake.content import Shelf
from grader.intake.members import (
    ArchiveEndedError,
    ArchiveLimits,
    Budget,
    Member,
    RefusedMember,
    Wanted,
)
from grader.intake.names import display_name
from grader.intake.tar_members import tar_members
from grader.intake.zip_members import zip_members
from grader.intake.zip_names import Naming

__all__ = [
    "ArchiveLimits",
    "Member",
    "RefusedMember",
    "archive_stem",
    "is_archive_name",
    "is_opened_archive",
    "read_archive",
]

_OPENED = (".zip", ".tar", ".tar.gz", ".tgz")
_NOT_OPENED = (".7z", ".rar", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".gz", ".bz2", ".xz")

DEFAULT_LIMITS = ArchiveLimits()


def is_archive_name(name: str) -> bool:
    """Say whether a file name is that of an archive, of a kind that is opened or not."""
    return name.lower().endswith(_OPENED + _NOT_OPENED)


def is_opened_archive(name: str) -> bool:
    """Say whether a file name is that of an archive which `read_archive` opens."""
    return name.lower().endswith(_OPENED)


def archive_stem(name: str) -> str:
    """Return the file name without the endings of an archive."""
    base = PurePosixPath(name).name
    ending = next((e for e in _OPENED + _NOT_OPENED if base.lower().endswith(e)), "")
    return base[: len(base) - len(ending)]


def read_archive(
    path: Path,
    *,
    wanted: Wanted = lambda _path: True,
    limits: ArchiveLimits = DEFAULT_LIMITS,
    prefix: str = "",
    shelf: Shelf | None = None,
    naming: Naming | None = None,
) -> Iterator[Member | RefusedMember]:
    """Yield every member of a zip, tar or tar.gz file: good, or refused with the reason.

    An archive inside the archive (as when students hand in zips) is opened too, one level deep
    and under the same limits; its members are named ``outer.zip/inner.ipynb``. What ends or
    damages an archive as a whole is a RefusedMember with the archive's own name.

    Args:
        path: the archive.
        wanted: which paths are to be read; other files are yielded without data.
        limits: how much it may hold.
        prefix: what to put before the paths of its members.
        shelf: where what is read is to lie; default: in memory.
        naming: helps to read names that a zip does not say the encoding of.

    Raises:
        OSError: the file itself can't be opened.
    """
    with path.open("rb") as file:
        budget = Budget(limits, naming)
        for member in _members(file, path.name, budget, wanted, prefix=prefix, depth=0):
            if shelf is not None and isinstance(member, Member) and member.content is not None:
                yield replace(member, content=shelf.put(member.content))
            else:
                yield member


def _members(
    file: BinaryIO, name: str, budget: Budget, wanted: Wanted, *, prefix: str, depth: int
) -> Iterator[Member | RefusedMember]:
    def wanted_here(path: str) -> bool:
        return wanted(path) or (depth == 0 and path.lower().endswith(_OPENED))

    owner = prefix.rstrip("/") or None
    start = file.read(4)
    file.seek(0)
    try:
        # What it is counts, not what it is called. An empty zip has only its end record.
        is_zip = start in {b"PK\x03\x04", b"PK\x05\x06"} or name.lower().endswith(".zip")
        found = (
            zip_members(file, budget, wanted_here, prefix=prefix, archive_name=owner or name)
            if is_zip
            else tar_members(file, budget, wanted_here, prefix=prefix)
        )
        for member in found:
            if isinstance(member, RefusedMember) or not is_archive_name(member.path):
                yield member
            else:
                yield from _inner(member, budget, wanted, depth=depth + 1)
    except ArchiveEndedError as error:
        yield RefusedMember(display_name(owner or name), str(error), path=owner)


def _inner(
    member: Member, budget: Budget, wanted: Wanted, *, depth: int
) -> Iterator[Member | RefusedMember]:
    def refused(reason: str) -> RefusedMember:
        return RefusedMember(display_name(member.path), reason, path=member.path)

    if member.is_folder:
        yield member
    elif depth > 1:
        yield refused("it is an archive inside an archive inside an archive; it was not opened")
    elif not member.path.lower().endswith(_OPENED) or member.content is None:
        yield refused("this kind of archive is not opened; hand in the notebook, or a zip")
    elif member.content.size > budget.limits.nested_bytes:
        yield refused("an archive inside an archive must not be so large")
    else:
        yield Member(member.path, is_folder=True, modified=member.modified)
        inner = io.BytesIO(member.content.read())
        yield from _members(
            inner, member.path, budget, wanted, prefix=f"{member.path}/", depth=depth
        )
