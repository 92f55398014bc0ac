"""Pages that would come out the same are left alone, and every other one is made again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from grader.grading.verdict import Verdict
from grader.report.kept import NOTE
from grader.report.page_writer import PageWriter
from tests.helpers.notebooks import realistic_notebook
from tests.helpers.verdicts import AFTER_DUE, SPEC, graded

ADA = graded("ada", ability=0.5)
PAGE = "students/ada.html"


def write(folder: Path, verdict: Verdict = ADA, **changed: object) -> bool:
    """Write ada's pages into the folder; returns whether they were made anew."""
    asked: list[str] = []

    def notebook() -> bytes:
        asked.append("notebook")
        return realistic_notebook()

    of_all = {"spec": SPEC, "now": AFTER_DUE, "keep": True} | {
        name: changed.pop(name)
        for name in ("spec", "now", "keep", "template_dirs")
        if name in changed
    }
    writer = PageWriter(folder, **of_all)  # type: ignore[arg-type]
    page = writer.student(verdict, notebook, **({"entry": "batch 1"} | changed))  # type: ignore[arg-type]
    assert page == folder / PAGE
    writer.class_page([verdict])
    return bool(asked)


def test_what_has_not_changed_is_left_alone(tmp_path: Path) -> None:
    assert write(tmp_path)
    before = {p: p.stat().st_ino for p in tmp_path.rglob("ada.*")}
    assert len(before) == 4
    assert not write(tmp_path)
    assert {p: p.stat().st_ino for p in tmp_path.rglob("ada.*")} == before


def test_only_who_says_so_keeps_pages(tmp_path: Path) -> None:
    write(tmp_path)
    assert write(tmp_path, keep=False)
    assert not write(tmp_path)


def test_without_the_name_of_a_record_nothing_is_kept(tmp_path: Path) -> None:
    write(tmp_path, entry="")
    assert write(tmp_path, entry="")


@pytest.mark.parametrize(
    "changed",
    [
        {"entry": "batch 2"},
        {"verdict": graded("ada", ability=0.4)},
        {"given": {"q1": (Decimal(1), "well said")}},
        {"spec": msgspec.structs.replace(SPEC, title="Another title")},
        {"now": SPEC.dates.due.astimezone() - dt.timedelta(days=1)},  # type: ignore[union-attr]
    ],
    ids=["record", "verdict", "marks by hand", "spec", "due date"],
)
def test_a_page_is_made_again_when_what_it_is_made_of_changed(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    write(tmp_path)
    assert write(tmp_path, **changed)  # type: ignore[arg-type]
    assert not write(tmp_path, **changed)  # type: ignore[arg-type]


def test_a_page_is_made_again_when_a_template_changed(tmp_path: Path) -> None:
    templates = tmp_path / "templates" / "report"
    templates.mkdir(parents=True)
    dirs = [templates.parent]
    folder = tmp_path / "graded"
    write(folder, template_dirs=dirs)
    (templates / "footer.html.j2").write_text("Good luck.")
    assert write(folder, template_dirs=dirs)
    assert not write(folder, template_dirs=dirs)


@pytest.mark.parametrize(
    "harm",
    [
        lambda page: page.unlink(),
        lambda page: page.write_text("100 points"),
        lambda page: page.write_bytes(page.read_bytes()),
        lambda page: page.rename(page.with_suffix(".old")) or page.symlink_to("ada.old"),
    ],
    ids=["deleted", "changed", "written again", "replaced by a link"],
)
@pytest.mark.parametrize("name", [PAGE, "instructors/ada.json", "gradescope/ada.json"])
def test_a_file_that_somebody_touched_is_made_again(
    tmp_path: Path, harm: Callable[[Path], object], name: str
) -> None:
    write(tmp_path)
    whole = (tmp_path / PAGE).read_bytes()
    harm(tmp_path / name)
    assert write(tmp_path)
    assert (tmp_path / PAGE).read_bytes() == whole
    assert not (tmp_path / name).is_symlink()


@pytest.mark.parametrize("note", [b"", b"[]", b'{"pages": 3}', b"\xff", b'{"pages": {}}'])
def test_a_note_that_cannot_be_read_makes_everything_anew(tmp_path: Path, note: bytes) -> None:
    write(tmp_path)
    (tmp_path / NOTE).write_bytes(note)
    assert write(tmp_path)
    assert not write(tmp_path)
