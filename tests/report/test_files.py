"""Pages on disk are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import InfrastructureError
from grader.report.files import write_pages


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

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InfrastructureError, match="No space left"):
        write_pages(tmp_path, {"class.html": "new"})
    assert [p.name for p in tmp_path.iterdir()] == ["class.html"]
    assert (tmp_path / "class.html").read_text() == "old"
