"""What comes out of an archive, and how much may."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from grader.intake.content import Content
from grader.intake.names import UnsafeNameError, display_name, safe_member_path
from grader.intake.zip_names import Naming

MB = 2**20
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class ArchiveLimits:
    """How much one archive may hold, nested archives included. Bytes are counted as they come."""

    members: int = 20_000
    member_bytes: int = 64 * MB
    total_bytes: int = 4096 * MB
    ratio: int = 200
    ratio_from_bytes: int = 8 * MB
    nested_bytes: int = 64 * MB


@dataclass(frozen=True)
class Member:
    """A member that is what it should be.

    `path` is relative, normalised and safe to show; `content` is None for a folder and for a file
    that the caller did not want. `modified` has no time zone in a zip and is only good to compare.
    """

    path: str
    content: Content | None = None
    is_folder: bool = False
    modified: dt.datetime | None = None


@dataclass(frozen=True)
class RefusedMember:
    """A member that was not read: `name` can be printed; `path` is there if it was a safe one."""

    name: str
    reason: str
    path: str | None = None


class ArchiveEndedError(Exception):
    """Nothing more of this archive is read; the message is the reason."""


class MemberRefusedError(Exception):
    """This member is not read; the message is the reason."""


class Readable(Protocol):
    """What can be read piece by piece."""

    def read(self, size: int, /) -> bytes: ...


class Budget:
    """What is left of the limits, and how names are read; shared with archives inside it."""

    def __init__(self, limits: ArchiveLimits, naming: Naming | None = None) -> None:
        self.limits = limits
        self.naming = naming or Naming()
        self._members = 0
        self._bytes = 0
        self._files: dict[str, str] = {}

    def count_member(self) -> None:
        """Count one more member. Raises ArchiveEndedError: there are too many."""
        self._members += 1
        if self._members > self.limits.members:
            raise ArchiveEndedError(
                f"it has more than {self.limits.members:,} members; the rest was not read"
            )

    def admit(self, name: str, *, prefix: str = "", folder: bool = False) -> str | RefusedMember:
        """Return the safe path of a member, or why it has none or is there twice.

        `prefix` is put before the path after it was checked: it must not make an absolute name
        inside a nested archive look relative.
        """
        try:
            path = prefix + safe_member_path(name)
        except UnsafeNameError as error:
            return RefusedMember(display_name(prefix + name), str(error))
        if folder:
            return path
        if (first := self._files.get(path.casefold())) is not None:
            same = "the same name" if first == path else "a name that differs only in case"
            return RefusedMember(display_name(path), f"an earlier member has {same}", path=path)
        self._files[path.casefold()] = path
        return path

    def read(self, stream: Readable, *, packed_bytes: int | None) -> bytes:
        """Read a member to its end, whatever its header says about its size.

        Raises:
            MemberRefusedError: it is larger than a member may be, or packed as only bombs are.
            ArchiveEndedError: the archive as a whole has given all that it may.
        """
        parts: list[bytes] = []
        size = 0
        while chunk := stream.read(CHUNK_BYTES):
            size += len(chunk)
            self._bytes += len(chunk)
            if self._bytes > self.limits.total_bytes:
                raise ArchiveEndedError(
                    f"it holds more than {self.limits.total_bytes // MB:,} MB; "
                    "the rest was not read"
                )
            if size > self.limits.member_bytes:
                raise MemberRefusedError(
                    f"it is larger than {self.limits.member_bytes / MB:,.0f} MB"
                )
            if packed_bytes is not None and self._is_bomb(size, packed_bytes):
                raise MemberRefusedError("it unpacks to far more than it holds (a zip bomb)")
            parts.append(chunk)
        return b"".join(parts)

    def _is_bomb(self, size: int, packed_bytes: int) -> bool:
        limits = self.limits
        return size > limits.ratio_from_bytes and size > limits.ratio * max(packed_bytes, 1)


Wanted = Callable[[str], bool]
