"""A tar is read forwards only, to its bounds, and each member that is refused says why."""

from __future__ import annotations

import datetime as dt
import io
import tarfile
from collections.abc import Callable

import pytest

from grader.intake.members import (
    ArchiveEndedError,
    ArchiveLimits,
    Budget,
    Member,
    RefusedMember,
)
from grader.intake.tar_members import _Metered, tar_members

from .archives import NOTEBOOK, make_tar, tar_info

MB = 2**20
WHEN = dt.datetime.fromtimestamp(1_730_000_000, tz=dt.UTC)


def members(
    data: bytes, wanted: Callable[[str], bool] = lambda _: True, prefix: str = "", **limits: int
) -> list[Member | RefusedMember]:
    budget = Budget(ArchiveLimits(**limits))
    return list(tar_members(io.BytesIO(data), budget, wanted, prefix=prefix))


def ended(data: bytes, **limits: int) -> str:
    with pytest.raises(ArchiveEndedError) as error:
        members(data, **limits)
    return str(error.value)


def test_a_file_has_its_path_its_bytes_and_when_it_was_changed() -> None:
    [found] = members(make_tar(("ada/hw1.ipynb", NOTEBOOK)), prefix="class.tar/")
    assert isinstance(found, Member)
    assert (found.path, found.modified) == ("class.tar/ada/hw1.ipynb", WHEN)
    assert found.content is not None and found.content.read() == NOTEBOOK
    assert not found.is_folder


def test_a_folder_has_no_bytes_and_the_top_of_the_archive_is_none() -> None:
    data = make_tar(
        *[(tar_info(name, kind=tarfile.DIRTYPE), b"") for name in (".", "./", "./ada", "ada/b/")]
    )
    assert members(data) == [Member("ada", is_folder=True), Member("ada/b", is_folder=True)]


def test_a_file_that_is_not_wanted_is_told_with_its_time_and_not_read() -> None:
    asked: list[str] = []

    def wanted(path: str) -> bool:
        asked.append(path)
        return False

    # Larger than a member may be: it is not looked at.
    data = make_tar(("./a.pdf", bytes(2 * MB)))
    assert members(data, wanted, prefix="x/", member_bytes=MB) == [Member("x/a.pdf", modified=WHEN)]
    assert asked == ["x/a.pdf"]


def test_a_member_may_be_as_large_as_its_limit_and_not_a_byte_larger() -> None:
    data = make_tar(("a", bytes(2 * MB)), ("b", bytes(2 * MB + 1)))
    first, second = members(data, member_bytes=2 * MB)
    assert isinstance(first, Member)
    assert second == RefusedMember("b", "it is larger than 2 MB", path="b")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (tarfile.SYMTYPE, "it is a symbolic link"),
        (tarfile.LNKTYPE, "it is a hard link"),
        (tarfile.FIFOTYPE, "it is a named pipe"),
        (tarfile.CHRTYPE, "it is a device"),
        (tarfile.BLKTYPE, "it is a device"),
        (tarfile.GNUTYPE_SPARSE, "it is no regular file"),
    ],
)
def test_what_is_no_file_is_refused_under_its_path(kind: bytes, reason: str) -> None:
    data = make_tar((tar_info("./a", kind=kind, link="/etc/passwd"), b""), ("b", NOTEBOOK))
    refused, kept = members(data, prefix="x/")
    assert refused == RefusedMember("x/a", reason, path="x/a")
    assert isinstance(kept, Member)


def test_a_member_that_is_cut_off_is_refused_and_the_archive_ended() -> None:
    data = make_tar(("a", NOTEBOOK), ("b", bytes(3000)))[: 1024 + 512 + 1000]
    budget = Budget(ArchiveLimits())
    found = []
    with pytest.raises(ArchiveEndedError) as error:
        for member in tar_members(io.BytesIO(data), budget, lambda _: True):
            found.append(member)
    assert str(error.value).startswith("it is a damaged or truncated tar archive (")
    assert len(found) <= 2 and isinstance(found[0], Member)


def test_a_tar_without_its_end_says_so() -> None:
    data = make_tar(("a", bytes(512)))
    assert ended(data[:1024]) == (
        "it is a damaged or truncated tar archive (it does not end where it should)"
    )


def test_a_header_of_more_than_a_megabyte_is_refused() -> None:
    info = tar_info("@LongLink", kind=tarfile.GNUTYPE_LONGNAME)
    data = make_tar((info, b"n" * (MB + 1)))
    assert ended(data) == "it is a damaged or truncated tar archive (a header is too long)"


def test_a_packed_tar_is_not_unpacked_beyond_all_that_it_may_hold() -> None:
    data = make_tar(("a", bytes(3 * MB)), ("b", NOTEBOOK), gz=True)
    told = ended(data, total_bytes=2 * MB, member_bytes=MB)
    assert told == (
        "it is a damaged or truncated tar archive (it unpacks to more than an archive may)"
    )


def test_a_stream_is_read_forwards_and_only_its_last_byte_again() -> None:
    stream = _Metered(io.BytesIO(b"abcdefgh"), 8)
    assert (stream.read(4), stream.tell()) == (b"abcd", 4)
    assert (stream.seek(3), stream.tell()) == (3, 3)
    assert (stream.read(0), stream.read(1), stream.tell()) == (b"", b"d", 4)
    assert (stream.read(1), stream.tell()) == (b"e", 5)
    assert (stream.seek(4), stream.seek(6), stream.read(2)) == (4, 6, b"gh")


@pytest.mark.parametrize("position", [0, 2])
def test_no_other_way_back_is_gone(position: int) -> None:
    stream = _Metered(io.BytesIO(b"abcdefgh"), 8)
    stream.read(4)
    with pytest.raises(tarfile.ReadError) as refused:
        stream.seek(position)
    assert str(refused.value) == "its members overlap"


def test_a_byte_that_was_passed_over_is_not_read_again() -> None:
    stream = _Metered(io.BytesIO(b"abcdefgh"), 8)
    stream.seek(4)
    with pytest.raises(tarfile.ReadError, match="overlap"):
        stream.seek(3)


def test_a_stream_is_bounded_in_pieces_and_in_all() -> None:
    stream = _Metered(io.BytesIO(bytes(MB + 8)), MB + 4)
    assert len(stream.read(MB)) == MB
    for size in (-1, MB + 1):
        with pytest.raises(tarfile.ReadError) as refused:
            stream.read(size)
        assert str(refused.value) == "a header is too long"
    assert stream.seek(MB + 4) == MB + 4
    for position, whence in ((MB + 5, 0), (0, 1), (0, 2)):
        with pytest.raises(tarfile.ReadError) as refused:
            stream.seek(position, whence)
        assert str(refused.value) == "it unpacks to more than an archive may"


def test_a_time_that_no_calendar_has_is_left_out() -> None:
    info = tar_info("a")
    info.mtime = 1e15
    [found] = members(make_tar((info, NOTEBOOK)))
    assert isinstance(found, Member) and found.modified is None
