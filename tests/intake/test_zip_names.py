"""Names in zips that do not say how they are written: read right, and said."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from grader.course.matches import Matcher
from grader.course.roster import Person, Roster
from grader.intake.class_archives import CollectConfig
from grader.intake.collect import collect
from grader.intake.collected import Collected
from tests.intake.archives import NOTEBOOK, make_zip


class RawInfo(zipfile.ZipInfo):
    """Written with the bytes that it was given, without the flag that says UTF-8."""

    __slots__ = ("raw",)
    raw: bytes

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.raw, 0


def member(raw: bytes, extra: bytes = b"") -> tuple[zipfile.ZipInfo, bytes]:
    info = RawInfo("x", date_time=(2024, 10, 30, 12, 0, 0))
    info.raw, info.extra = raw, extra
    info.filename = raw.decode("cp437")
    return info, NOTEBOOK


def students(
    folder: Path, *raw: bytes, roster: Roster | None = None, extra: bytes = b""
) -> Collected:
    path = folder / "class.zip"
    path.write_bytes(make_zip(*(member(name, extra) for name in raw)))
    matcher = Matcher(roster or Roster({}), folder / "matches.csv")
    return collect([path], assignment="hw1", config=CollectConfig(matcher=matcher))


@pytest.mark.parametrize(
    ("codec", "names"),
    [
        ("cp437", ["José García", "Zoë Müller"]),
        ("cp857", ["Şule Öztürk", "Yıldız Gül", "Ayşe Çelik"]),
        ("cp852", ["Paweł Żółć", "Šárka Nováková"]),
        ("cp866", ["Иван Петров", "Анна Кузнецова"]),
        ("cp1251", ["Иван Петров", "Анна Кузнецова"]),
        ("cp737", ["Γιώργος Παπαδόπουλος"]),
        ("gbk", ["王小明", "李伟"]),
        ("cp932", ["たなか", "さとう けん"]),
        ("utf-8", ["Şule Öztürk", "王小明"]),
    ],
)
def test_names_are_read_by_the_letters_that_go_together(
    codec: str, names: list[str], tmp_path: Path
) -> None:
    got = students(tmp_path, *(f"{name}.ipynb".encode(codec) for name in names))
    assert {s.student for s in got.submissions} == set(names)
    said = [w for w in got.warnings if "does not say how the names" in w]
    assert len(said) == (codec != "utf-8")
    assert all(codec in w or codec == "cp437" for w in said)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("Yıldız Gül", "cp857"), ("Paweł Nowak", "cp852"), ("김민수", "cp949"), ("王偉", "big5")],
)
def test_the_roster_tells_where_letters_do_not(name: str, codec: str, tmp_path: Path) -> None:
    roster = Roster({"one": Person(id="one", name=name)})
    got = students(tmp_path, f"{name}.ipynb".encode(codec), roster=roster)
    assert [s.student for s in got.submissions] == ["one"]


def unicode_path(raw: bytes, name: str) -> bytes:
    data = b"\x01" + struct.pack("<I", zlib.crc32(raw)) + name.encode()
    return struct.pack("<HH", 0x7075, len(data)) + data


def test_the_unicode_path_of_a_member_holds_if_it_is_of_this_name(tmp_path: Path) -> None:
    raw = b"\x9eule.ipynb"
    got = students(tmp_path, raw, extra=unicode_path(raw, "Şule.ipynb"))
    assert [s.student for s in got.submissions] == ["Şule"]
    assert not [w for w in got.warnings if "does not say" in w]
    got = students(tmp_path, raw, extra=unicode_path(b"other", "ada.ipynb"))
    assert [s.student for s in got.submissions] != ["ada"]


def test_backslashes_are_between_folders_where_nothing_else_is(tmp_path: Path) -> None:
    got = students(tmp_path, b"ada\\hw1.ipynb", b"ben\\deep\\hw1.ipynb")
    assert {s.student: s.file for s in got.submissions} == {"ada": "hw1.ipynb", "ben": "hw1.ipynb"}


def test_a_roster_is_used_for_every_source_and_strangers_are_counted(tmp_path: Path) -> None:
    people = (
        Person(id="ada", name="Ada Lovelace", login="al1", number="17", email="ada@u.edu"),
        Person(id="ben", name="Ben Ali"),
    )
    roster = Roster({p.id: p for p in people})
    for name in ("ada", "AL1", "17", "ada@u.edu", "Lovelace, Ada"):
        got = students(tmp_path, f"{name}.ipynb".encode(), b"Eve.ipynb", roster=roster)
        assert {s.student for s in got.submissions} == {"ada", "Eve"}
        assert got.warnings == ("1 of 2 is not on the roster: Eve; see `grader roster match`.",)
    got = students(tmp_path, b"ada.ipynb", b"Ada Lovelace.ipynb", roster=roster)
    assert {s.student for s in got.submissions} == {"ada", "Ada Lovelace"}
