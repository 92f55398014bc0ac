"""A zip is read piece by piece, and each member that is refused says why."""

from __future__ import annotations

import datetime as dt
import io
import stat
import zipfile
from collections.abc import Callable

import pytest

from grader.intake.members import (
    ArchiveEndedError,
    ArchiveLimits,
    Budget,
    Member,
    RefusedMember,
)
from grader.intake.zip_members import _BoundedReads, zip_members

from .archives import NOTEBOOK, make_zip, zip_info

MB = 2**20
WHEN = dt.datetime(2024, 10, 30, 12, tzinfo=dt.UTC)


def members(
    data: bytes, wanted: Callable[[str], bool] = lambda _: True, prefix: str = "", **limits: int
) -> list[Member | RefusedMember]:
    budget = Budget(ArchiveLimits(**limits))
    return list(zip_members(io.BytesIO(data), budget, wanted, prefix=prefix, archive_name="a.zip"))


def test_a_file_has_its_path_its_bytes_and_when_it_was_changed() -> None:
    [found] = members(make_zip(("ada/hw1.ipynb", NOTEBOOK)), prefix="class.zip/")
    assert isinstance(found, Member)
    assert (found.path, found.modified) == ("class.zip/ada/hw1.ipynb", WHEN)
    assert found.content is not None and found.content.read() == NOTEBOOK
    assert not found.is_folder


def test_a_folder_is_told_by_its_name_or_its_kind() -> None:
    by_kind = zip_info("b", mode=stat.S_IFDIR | 0o755)
    assert members(make_zip(("a/", b""), (by_kind, b""))) == [
        Member("a", is_folder=True),
        Member("b", is_folder=True),
    ]
    # In a zip without slashes a backslash is one.
    assert members(make_zip(("c\\", b""))) == [Member("c", is_folder=True)]


def test_a_file_that_is_not_wanted_is_told_with_its_time_and_not_read() -> None:
    asked: list[str] = []

    def wanted(path: str) -> bool:
        asked.append(path)
        return False

    data = make_zip(("./a.pdf", bytes(2 * MB)))
    assert members(data, wanted, prefix="x/", member_bytes=MB) == [Member("x/a.pdf", modified=WHEN)]
    assert asked == ["x/a.pdf"]


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (stat.S_IFLNK, "a symbolic link"),
        (stat.S_IFIFO, "a named pipe"),
        (stat.S_IFCHR, "a device"),
        (stat.S_IFBLK, "a device"),
        (stat.S_IFSOCK, "a socket"),
    ],
)
def test_what_is_no_file_is_refused_under_its_path(kind: int, what: str) -> None:
    refused, kept = members(
        make_zip((zip_info("./a", mode=kind | 0o777), b"x"), ("b", NOTEBOOK)), prefix="x/"
    )
    assert refused == RefusedMember("x/a", f"it is {what}", path="x/a")
    assert isinstance(kept, Member)


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(make_zip(("a", NOTEBOOK)))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert members(bytes(data)) == [
        RefusedMember("a", "it is encrypted; archives must not have a password", path="a")
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_method_other_than_deflate_is_refused(method: int) -> None:
    assert members(make_zip((zip_info("a", method=method), NOTEBOOK))) == [
        RefusedMember("a", "it is packed by a method other than deflate", path="a")
    ]


def test_a_member_that_is_stored_is_read() -> None:
    [found] = members(make_zip((zip_info("a", method=zipfile.ZIP_STORED), NOTEBOOK)))
    assert isinstance(found, Member)


def test_a_damaged_member_is_refused_with_what_is_wrong_and_the_rest_is_read() -> None:
    stored = zip_info("a", method=zipfile.ZIP_STORED)
    data = make_zip((stored, NOTEBOOK), ("b", NOTEBOOK)).replace(b"x = 1", b"x = 2", 1)
    refused, kept = members(data, prefix="x/")
    assert isinstance(refused, RefusedMember) and isinstance(kept, Member)
    assert (refused.name, refused.path) == ("x/a", "x/a")
    assert refused.reason.startswith("it is damaged (Bad CRC-32")


def test_a_bomb_is_measured_by_what_it_is_packed_into() -> None:
    [refused] = members(make_zip(("a", bytes(2 * MB))), ratio_from_bytes=MB)
    assert refused == RefusedMember(
        "a", "it unpacks to far more than it holds (a zip bomb)", path="a"
    )


def test_what_systems_leave_behind_is_passed_over_with_backslashes_too() -> None:
    data = make_zip(("__MACOSX\\._a", b"x"), ("a\\Thumbs.db", b"x"), ("a", NOTEBOOK))
    assert [found.path for found in members(data) if isinstance(found, Member)] == ["a"]


def test_a_backslash_hides_no_clutter_in_a_zip_with_slashes() -> None:
    found = members(make_zip(("__MACOSX\\._a", b"x"), ("b/a", NOTEBOOK)))
    assert [one.path for one in found] == ["b/a"]


def test_a_folder_may_be_there_twice_and_beside_a_file_of_its_name() -> None:
    found = members(make_zip(("a/", b""), ("a/", b""), ("a", NOTEBOOK)))
    assert [(type(one), one.path) for one in found] == [(Member, "a")] * 3


def test_a_dangerous_name_is_refused_and_the_rest_is_read() -> None:
    refused, kept = members(make_zip(("../a", b"x"), ("b", NOTEBOOK)), prefix="x/")
    assert refused == RefusedMember("x/../a", "the path leads out of the archive (..)")
    assert isinstance(kept, Member)


def test_a_file_that_is_no_zip_ends_with_what_is_wrong() -> None:
    with pytest.raises(ArchiveEndedError) as ended:
        members(b"hello")
    assert str(ended.value) == ("it is a damaged or truncated zip archive (File is not a zip file)")


def test_a_date_that_no_calendar_has_is_left_out() -> None:
    info = zip_info("a")
    info.date_time = (2024, 15, 39, 12, 0, 0)
    [found] = members(make_zip((info, NOTEBOOK)))
    assert isinstance(found, Member) and found.modified is None


def test_a_table_of_contents_is_read_up_to_its_bound_and_no_further() -> None:
    most = 16 * MB
    assert len(_BoundedReads(io.BytesIO(bytes(most))).read()) == most
    assert len(_BoundedReads(io.BytesIO(bytes(most + 9))).read(most)) == most
    assert _BoundedReads(io.BytesIO(b"abc")).read(0) == b""
    for size in (-1, most + 1, most + 9):
        with pytest.raises(zipfile.BadZipFile) as refused:
            _BoundedReads(io.BytesIO(bytes(most + 9))).read(size)
        assert str(refused.value) == "its table of contents is too long"
