"""Hostile archives are refused piece by piece; what is good in them is read."""

from __future__ import annotations

import datetime as dt
import stat
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from grader.intake.archive import (
    ArchiveLimits,
    Member,
    RefusedMember,
    archive_stem,
    is_archive_name,
    is_opened_archive,
    read_archive,
)
from grader.intake.content import Content, Shelf
from tests.helpers.cost import linear_time

from .archives import (
    NOTEBOOK,
    good,
    items,
    make_tar,
    make_zip,
    refused,
    tar_info,
    zip_info,
)

WHEN = dt.datetime(2024, 10, 30, 12, tzinfo=dt.UTC)

ODD_NAMES = {
    "../evil.ipynb": "..",
    "a/../../evil.ipynb": "..",
    "a/..": "..",
    "/etc/cron.d/x.ipynb": "absolute",
    "//host/share.ipynb": "absolute",
    "C:/x.ipynb": "drive letter",
    "c:x.ipynb": "drive letter",
    "a\\..\\..\\x.ipynb": "backslash",
    "a\nb.ipynb": "control",
    "a\x1b[2Jb.ipynb": "control",
    "a\x7f.ipynb": "control",
    "a\u2028b.ipynb": "control",
    "a\u202ebpyni.exe": "reading direction",
    "n" * 300 + ".ipynb": "255",
    "ş" * 130 + ".ipynb": "255",
    "a/" * 100 + "x.ipynb": "too long",
    ".": "empty",
}


@pytest.mark.parametrize(("name", "reason"), ODD_NAMES.items())
def test_zip_member_with_a_dangerous_name_is_refused(
    name: str, reason: str, tmp_path: Path
) -> None:
    found = items(make_zip((name, NOTEBOOK), ("anna.ipynb", NOTEBOOK)), tmp_path)
    assert good(found) == {"anna.ipynb": NOTEBOOK}
    [(shown, why)] = refused(found).items()
    # In a zip without slashes a backslash is one.
    assert ("leads out of the archive" if reason == "backslash" else reason) in why
    assert shown.isprintable()
    assert len(shown) <= 200


@pytest.mark.parametrize(("name", "reason"), [n for n in ODD_NAMES.items() if n[0] != "."])
def test_tar_member_with_a_dangerous_name_is_refused(
    name: str, reason: str, tmp_path: Path
) -> None:
    data = make_tar((name, NOTEBOOK), ("anna.ipynb", NOTEBOOK))
    found = items(data, tmp_path, "class.tar")
    assert good(found) == {"anna.ipynb": NOTEBOOK}
    [(shown, why)] = refused(found).items()
    assert reason in why
    assert shown.isprintable()


def test_name_with_a_nul_is_refused_and_not_cut_at_it(tmp_path: Path) -> None:
    data = make_zip(("anna.ipynbXevil", NOTEBOOK)).replace(b"anna.ipynbX", b"anna.ipynb\x00")
    found = items(data, tmp_path)
    assert good(found) == {}
    assert "control" in next(iter(refused(found).values()))


@pytest.mark.parametrize(
    ("mode", "what"),
    [
        (stat.S_IFLNK, "symbolic link"),
        (stat.S_IFIFO, "named pipe"),
        (stat.S_IFCHR, "device"),
        (stat.S_IFBLK, "device"),
        (stat.S_IFSOCK, "socket"),
    ],
)
def test_special_zip_member_is_refused(mode: int, what: str, tmp_path: Path) -> None:
    data = make_zip((zip_info("a.ipynb", mode=mode | 0o777), b"/etc/passwd"), ("b.ipynb", NOTEBOOK))
    found = items(data, tmp_path)
    assert good(found) == {"b.ipynb": NOTEBOOK}
    assert refused(found) == {"a.ipynb": f"it is a {what}"}


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.SYMTYPE, "symbolic link"),
        (tarfile.LNKTYPE, "hard link"),
        (tarfile.FIFOTYPE, "named pipe"),
        (tarfile.CHRTYPE, "device"),
        (tarfile.BLKTYPE, "device"),
    ],
)
@pytest.mark.parametrize("gz", [False, True])
def test_special_tar_member_is_refused(kind: bytes, what: str, gz: bool, tmp_path: Path) -> None:
    special = tar_info("a.ipynb", kind=kind, link="/etc/passwd")
    found = items(make_tar((special, b""), ("b.ipynb", NOTEBOOK), gz=gz), tmp_path, "class.tar")
    assert good(found) == {"b.ipynb": NOTEBOOK}
    assert refused(found) == {"a.ipynb": f"it is a {what}"}


def test_encrypted_member_is_refused(tmp_path: Path) -> None:
    data = bytearray(make_zip(("a.ipynb", NOTEBOOK), ("b.ipynb", NOTEBOOK)))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    found = items(bytes(data), tmp_path)
    assert list(good(found)) == ["b.ipynb"]
    assert "password" in refused(found)["a.ipynb"]


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_member_packed_by_a_method_that_can_ask_for_memory_is_refused(
    method: int, tmp_path: Path
) -> None:
    found = items(make_zip((zip_info("a.ipynb", method=method), NOTEBOOK)), tmp_path)
    assert "deflate" in refused(found)["a.ipynb"]


def test_member_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    stored = zip_info("a.ipynb", method=zipfile.ZIP_STORED)
    data = make_zip((stored, NOTEBOOK), ("b.ipynb", NOTEBOOK))
    found = items(data.replace(b"x = 1", b"x = 2", 1), tmp_path)
    assert list(good(found)) == ["b.ipynb"]
    assert "CRC" in refused(found)["a.ipynb"]


def test_member_with_damaged_packed_data_is_refused(tmp_path: Path) -> None:
    data = bytearray(make_zip(("a.ipynb", NOTEBOOK), ("b.ipynb", NOTEBOOK)))
    data[30 + len("a.ipynb")] = 0xFF
    found = items(bytes(data), tmp_path)
    assert list(good(found)) == ["b.ipynb"]
    assert "damaged" in refused(found)["a.ipynb"]


def test_bomb_is_stopped_while_it_unpacks(tmp_path: Path) -> None:
    bomb = make_zip(("a.ipynb", b"\x00" * (40 * 2**20)), ("b.ipynb", NOTEBOOK))
    found = items(bomb, tmp_path)
    assert list(good(found)) == ["b.ipynb"]
    assert "bomb" in refused(found)["a.ipynb"]


def test_bomb_that_lies_about_its_size_is_stopped_too(tmp_path: Path) -> None:
    size = 40 * 2**20
    honest = make_zip(("a.ipynb", b"\x00" * size))
    lying = honest.replace(struct.pack("<I", size), struct.pack("<I", 10))
    assert good(items(lying, tmp_path)) == {}


def test_member_over_its_limit_is_refused_and_the_rest_is_read(tmp_path: Path) -> None:
    data = b"".join(zlib.crc32(bytes([i % 251, i // 251])).to_bytes(4) for i in range(9000))
    limits = ArchiveLimits(member_bytes=20_000)
    found = items(make_zip(("a.ipynb", data), ("b.ipynb", NOTEBOOK)), tmp_path, limits=limits)
    assert list(good(found)) == ["b.ipynb"]
    assert "larger than" in refused(found)["a.ipynb"]
    found = items(make_tar(("a.ipynb", data), ("b.ipynb", NOTEBOOK)), tmp_path, "t.tar", limits)
    assert list(good(found)) == ["b.ipynb"]
    assert "larger than" in refused(found)["a.ipynb"]


@pytest.mark.parametrize("name", ["class.zip", "class.tar", "class.tar.gz"])
def test_archive_that_gives_more_than_all_of_it_may_is_ended(name: str, tmp_path: Path) -> None:
    members = [(f"s{i}.ipynb", bytes(600_000)) for i in range(4)]
    data = make_zip(*members) if name == "class.zip" else make_tar(*members, gz="gz" in name)
    found = items(data, tmp_path, name, ArchiveLimits(total_bytes=2**20))
    assert list(good(found)) == ["s0.ipynb"]
    assert name in refused(found)


@pytest.mark.parametrize("name", ["class.zip", "class.tar"])
def test_archive_of_too_many_members_is_ended(name: str, tmp_path: Path) -> None:
    members = [(f"s{i}.ipynb", NOTEBOOK) for i in range(6)]
    data = make_zip(*members) if name == "class.zip" else make_tar(*members)
    found = items(data, tmp_path, name, ArchiveLimits(members=5))
    assert len(good(found)) == 5
    assert "more than 5 members" in refused(found)[name]


def test_zip_whose_table_of_contents_is_huge_is_refused_quickly(tmp_path: Path) -> None:
    entry = make_zip(("a" * 200, b""))
    directory = entry[entry.index(b"PK\x01\x02") : entry.index(b"PK\x05\x06")]
    count = 20 * 2**20 // len(directory)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 5, 5, len(directory) * count, 0, 0)
    with linear_time():
        found = items(directory * count + end, tmp_path)
    assert "too long" in refused(found)["class.zip"]


@pytest.mark.parametrize("name", ["class.zip", "class.tar"])
def test_second_member_of_the_same_name_is_refused(name: str, tmp_path: Path) -> None:
    members = [("anna.ipynb", NOTEBOOK), ("anna.ipynb", b"2"), ("Anna.ipynb", b"3")]
    data = make_zip(*members) if name == "class.zip" else make_tar(*members)
    found = items(data, tmp_path, name)
    assert good(found) == {"anna.ipynb": NOTEBOOK}
    assert refused(found) == {
        "anna.ipynb": "an earlier member has the same name",
        "Anna.ipynb": "an earlier member has a name that differs only in case",
    }


def test_what_systems_leave_behind_is_ignored_without_a_word(tmp_path: Path) -> None:
    found = items(
        make_zip(
            ("__MACOSX/._anna.ipynb", b"x"),
            (".DS_Store", b"x"),
            ("anna/.ipynb_checkpoints/hw1-checkpoint.ipynb", b"x"),
            ("anna/hw1.ipynb", NOTEBOOK),
        ),
        tmp_path,
    )
    assert good(found) == {"anna/hw1.ipynb": NOTEBOOK}
    assert refused(found) == {}


def test_archive_inside_the_archive_is_opened_once(tmp_path: Path) -> None:
    inner = make_zip(("hw1.ipynb", NOTEBOOK), ("../x.ipynb", b"x"), ("/abs.ipynb", b"x"))
    found = items(make_zip(("anna.zip", inner), ("ben.tgz", make_tar(("h.ipynb", b"y")))), tmp_path)
    assert good(found) == {"anna.zip/hw1.ipynb": NOTEBOOK, "ben.tgz/h.ipynb": b"y"}
    assert [r.split(" ")[-1] for r in refused(found).values()] == ["(..)", "absolute"]


def test_archive_three_deep_is_not_opened(tmp_path: Path) -> None:
    data = make_zip(("x.ipynb", NOTEBOOK))
    found = items(make_zip(("a.zip", make_zip(("b.zip", data)))), tmp_path)
    assert good(found) == {}
    assert "inside an archive inside" in refused(found)["a.zip/b.zip"]


def test_zip_that_holds_itself_over_and_over_ends(tmp_path: Path) -> None:
    data = make_zip(("x.ipynb", NOTEBOOK))
    for _ in range(50):
        data = make_zip(("x.zip", data))
    assert good(items(data, tmp_path)) == {}


@pytest.mark.parametrize("name", ["a.rar", "a.7z", "a.tar.xz", "a.ipynb.gz"])
def test_archive_of_a_kind_that_is_not_opened_is_refused(name: str, tmp_path: Path) -> None:
    assert "not opened" in refused(items(make_zip((name, b"x")), tmp_path))[name]


def test_damaged_inner_archive_is_refused_with_its_owner(tmp_path: Path) -> None:
    found = items(make_zip(("anna.zip", b"PK\x03\x04xx"), ("ben.ipynb", NOTEBOOK)), tmp_path)
    assert list(good(found)) == ["ben.ipynb"]
    assert "damaged" in refused(found)["anna.zip"]


def test_limits_hold_for_outer_and_inner_archives_together(tmp_path: Path) -> None:
    inner = make_zip(*[(f"{i}.ipynb", NOTEBOOK) for i in range(5)])
    limits = ArchiveLimits(members=8)
    found = items(make_zip(("a.zip", inner), ("b.zip", inner)), tmp_path, limits=limits)
    assert len(good(found)) == 6
    assert "more than 8 members" in next(iter(refused(found).values()))


def test_truncated_zip_is_refused_as_a_whole(tmp_path: Path) -> None:
    data = make_zip(("a.ipynb", NOTEBOOK), ("b.ipynb", NOTEBOOK))
    found = items(data[: len(data) - 30], tmp_path)
    assert "truncated zip" in refused(found)["class.zip"]


@pytest.mark.parametrize("cut", [100, 512, 700, 1024, 1500, 1600, 2048])
def test_truncated_tar_gives_what_was_whole_and_says_so(cut: int, tmp_path: Path) -> None:
    data = make_tar(("a.ipynb", NOTEBOOK), ("b.ipynb", NOTEBOOK))
    found = items(data[:cut], tmp_path, "class.tar")
    whole = (cut >= 512 + len(NOTEBOOK)) + (cut >= 1536 + len(NOTEBOOK))
    assert list(good(found)) == ["a.ipynb", "b.ipynb"][:whole]
    assert "class.tar" in refused(found)


@pytest.mark.parametrize("percent", [5, 30, 60])
def test_truncated_tar_gz_says_so(percent: int, tmp_path: Path) -> None:
    data = make_tar(("a.ipynb", NOTEBOOK), ("b.ipynb", bytes(range(256)) * 40), gz=True)
    found = items(data[: len(data) * percent // 100], tmp_path, "class.tgz")
    assert "truncated" in refused(found)["class.tgz"]


def test_tar_with_a_damaged_header_in_the_middle_says_so(tmp_path: Path) -> None:
    data = bytearray(make_tar(("a.ipynb", NOTEBOOK), ("b.ipynb", NOTEBOOK)))
    data[1024 + 10] ^= 0xFF
    found = items(bytes(data), tmp_path, "class.tar")
    assert list(good(found)) == ["a.ipynb"]
    assert "does not end" in refused(found)["class.tar"]


def test_tar_gz_of_members_that_fill_their_blocks_is_not_unpacked_twice(tmp_path: Path) -> None:
    members = [(f"{i}.ipynb", bytes([i]) * 65_536) for i in range(100)]
    found = items(make_tar(*members, gz=True, form=tarfile.USTAR_FORMAT), tmp_path, "c.tgz")
    assert good(found) == dict(members)
    assert refused(found) == {}


def test_tar_with_an_enormous_header_is_refused(tmp_path: Path) -> None:
    info = tar_info("@LongLink", kind=tarfile.GNUTYPE_LONGNAME)
    found = items(make_tar((info, b"n" * 5 * 2**20), gz=True), tmp_path, "c.tgz")
    assert "header is too long" in refused(found)["c.tgz"]


def test_tar_with_a_long_chain_of_headers_is_refused(tmp_path: Path) -> None:
    chain = [(tar_info("@LongLink", kind=tarfile.GNUTYPE_LONGNAME), b"n\0") for _ in range(3000)]
    found = items(make_tar(*chain), tmp_path, "c.tar")
    assert "damaged" in refused(found)["c.tar"]


@pytest.mark.parametrize("data", [b"", b"hello", bytes(5000), b"PK", b"PK\x05\x06", b"\x1f\x8b"])
def test_file_that_is_no_archive_is_refused(data: bytes, tmp_path: Path) -> None:
    for name in ("class.zip", "class.tar"):
        assert good(items(data, tmp_path, name)) == {}


def test_file_that_is_not_wanted_is_named_but_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "class.zip"
    path.write_bytes(make_zip(("anna/report.pdf", bytes(40 * 2**20)), ("anna/", b"")))
    found = list(read_archive(path, wanted=lambda p: p.endswith(".ipynb")))
    assert [(m.path, m.is_folder) for m in found if isinstance(m, Member)] == [
        ("anna/report.pdf", False),
        ("anna", True),
    ]
    assert good(found) == {}


def test_utf_8_name_that_does_not_say_so_is_read(tmp_path: Path) -> None:
    data = bytearray(make_zip(("Şağış.ipynb", NOTEBOOK)))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags + 1] &= ~0x08 & 0xFF
    assert list(good(items(bytes(data), tmp_path))) == ["Şağış.ipynb"]


def test_nothing_is_written_to_disk(tmp_path: Path) -> None:
    items(make_zip(("a/b.ipynb", NOTEBOOK), ("c.zip", make_zip(("d", b"x")))), tmp_path)
    assert [p.name for p in tmp_path.rglob("*")] == ["class.zip"]


def test_endings_of_archives_are_taken_off() -> None:
    assert archive_stem("x/hw1.tar.gz") == "hw1"
    assert archive_stem("Anna B.ZIP") == "Anna B"
    assert archive_stem("x/hw1.tar.xz") == "hw1"
    assert archive_stem("x/hw1.zip.ipynb") == "hw1.zip.ipynb"


@pytest.mark.parametrize("name", ["a.zip", "a.TAR", "a.tar.gz", "a.tgz"])
def test_an_archive_that_is_opened_is_told_by_its_ending(name: str) -> None:
    assert is_archive_name(name) and is_opened_archive(name)


@pytest.mark.parametrize(
    "name",
    ["a.7z", "a.RAR", "a.tar.bz2", "a.tbz2", "a.tar.xz", "a.txz", "a.gz", "a.bz2", "a.ipynb.xz"],
)
def test_an_archive_that_is_not_opened_is_told_by_its_ending(name: str) -> None:
    assert is_archive_name(name) and not is_opened_archive(name)


@pytest.mark.parametrize("name", ["a.ipynb", "zip", "a.zip.ipynb", ""])
def test_what_is_no_archive_is_none(name: str) -> None:
    assert not is_archive_name(name) and not is_opened_archive(name)


def test_an_archive_inside_is_told_as_a_folder_and_what_is_in_it_under_it(tmp_path: Path) -> None:
    found = items(make_zip(("ada.zip", make_zip(("b/hw1.ipynb", NOTEBOOK)))), tmp_path)
    folder, notebook = found
    assert folder == Member("ada.zip", is_folder=True, modified=WHEN)
    assert isinstance(notebook, Member) and notebook.path == "ada.zip/b/hw1.ipynb"


def test_a_folder_may_be_called_as_an_archive_is(tmp_path: Path) -> None:
    assert items(make_zip(("ada.zip/", b"")), tmp_path) == [Member("ada.zip", is_folder=True)]


@pytest.mark.parametrize(
    ("name", "data", "shown", "reason"),
    [
        (
            "a.rar",
            b"x",
            "a.rar",
            "this kind of archive is not opened; hand in the notebook, or a zip",
        ),
        (
            "a.zip",
            make_zip(("b.zip", make_zip(("c", b"x")))),
            "a.zip/b.zip",
            "it is an archive inside an archive inside an archive; it was not opened",
        ),
    ],
)
def test_an_archive_that_stays_shut_says_why(
    name: str, data: bytes, shown: str, reason: str, tmp_path: Path
) -> None:
    found = items(make_zip((name, data)), tmp_path)
    assert found[-1] == RefusedMember(shown, reason, path=shown)


def test_an_archive_inside_may_be_as_large_as_its_limit_and_not_a_byte_larger(
    tmp_path: Path,
) -> None:
    inner = make_zip(("hw1.ipynb", NOTEBOOK))
    outer = make_zip(("ada.zip", inner))
    most = ArchiveLimits(nested_bytes=len(inner))
    assert list(good(items(outer, tmp_path, limits=most))) == ["ada.zip/hw1.ipynb"]
    less = ArchiveLimits(nested_bytes=len(inner) - 1)
    assert items(outer, tmp_path, limits=less) == [
        RefusedMember(
            "ada.zip", "an archive inside an archive must not be so large", path="ada.zip"
        )
    ]


def test_a_damaged_archive_is_told_by_its_name_and_one_inside_by_its_path(tmp_path: Path) -> None:
    reason = "it is a damaged or truncated zip archive (File is not a zip file)"
    assert items(b"PK\x05\x06", tmp_path) == [RefusedMember("class.zip", reason, path=None)]
    found = items(make_zip(("a/b.zip", b"hello")), tmp_path)
    assert found[1:] == [RefusedMember("a/b.zip", reason, path="a/b.zip")]


def test_what_a_file_is_counts_and_not_what_it_is_called(tmp_path: Path) -> None:
    assert list(good(items(make_zip(("a.ipynb", NOTEBOOK)), tmp_path, "class.tar"))) == ["a.ipynb"]
    assert list(good(items(make_tar(("a.ipynb", NOTEBOOK)), tmp_path, "class"))) == ["a.ipynb"]
    empty = b"PK\x05\x06" + bytes(18)
    assert items(empty, tmp_path, "class.tar") == []


def test_members_lie_under_the_prefix_and_where_the_shelf_puts_them(tmp_path: Path) -> None:
    class Noted(Shelf):
        def put(self, content: Content) -> Content:
            put.append(content.read())
            return super().put(content)

    put: list[bytes] = []
    path = tmp_path / "class.zip"
    path.write_bytes(make_zip(("a.ipynb", NOTEBOOK), ("b/", b""), ("../c", b"x")))
    first, *others = read_archive(path, prefix="one/", shelf=Noted())
    assert isinstance(first, Member) and first.content is not None
    assert (first.path, first.content.read(), put) == ("one/a.ipynb", NOTEBOOK, [NOTEBOOK])
    assert others == [
        Member("one/b", is_folder=True),
        RefusedMember("one/../c", "the path leads out of the archive (..)"),
    ]
