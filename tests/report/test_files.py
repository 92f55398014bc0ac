"""Pages on disk are whole or not there, under names that no student chooses."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import InfrastructureError
from grader.report.files import file_name, write_pages


def test_pages_are_written_below_the_folder(tmp_path: Path) -> None:
    written = write_pages(tmp_path / "out", {"class.html": "é", "students/ada.json": b"{}"})
    assert [p.read_bytes() for p in written] == ["é".encode(), b"{}"]
    assert {p.name for p in (tmp_path / "out").rglob("*")} == {"class.html", "students", "ada.json"}


@pytest.mark.parametrize("name", ["../up.html", "/etc/x.html", "a/../../x.html"])
def test_a_name_that_climbs_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InfrastructureError, match="leads out"):
        write_pages(tmp_path / "out", {name: "x"})
    assert not list(tmp_path.rglob("*.html"))


def test_a_page_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pages(tmp_path, {"class.html": "old"})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InfrastructureError, match="No space left"):
        write_pages(tmp_path, {"class.html": "new"})
    assert [p.name for p in tmp_path.iterdir()] == ["class.html"]
    assert (tmp_path / "class.html").read_text() == "old"


def test_a_plain_name_is_its_own_file_name() -> None:
    assert file_name("ada-1815") == "ada-1815"
    assert file_name("Ada Lovelace").startswith("ada-lovelace-")


@given(st.text(max_size=300) | st.sampled_from(["..", ".", "", "a/b", "CON", "x" * 5000, "a\x00b"]))
def test_any_name_becomes_a_short_plain_file_name(student: str) -> None:
    name = file_name(student)
    assert name.isascii() and 0 < len(name) <= 60
    assert all(c.isalnum() or c in "-_" for c in name)


def test_a_name_made_to_be_another_students_file_gets_its_own() -> None:
    for victim in ("Ömer Seyfettin", "日本"):
        assert file_name(file_name(victim)) != file_name(victim)


def test_names_that_differ_in_case_or_accents_have_their_own_files() -> None:
    names = ["ada", "Ada", "ADA", "áda", "ada ", "ada/"]
    assert len({file_name(n).casefold() for n in names}) == len(names)
