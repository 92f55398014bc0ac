"""Pages on disk are whole or not there, under names that no student chooses."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import InfrastructureError
from grader.grading.verdict import verdict_from_json
from grader.report.files import PageWriter, file_name, write_pages
from grader.suite.results import Trial
from tests.helpers.notebooks import realistic_notebook
from tests.helpers.verdicts import AFTER_DUE, SPEC, broken, graded


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


def test_a_batch_has_pages_for_students_and_for_instructors(tmp_path: Path) -> None:
    verdict = graded("Ömer Seyfettin", ability=0.3)
    writer = PageWriter(tmp_path, spec=SPEC, now=AFTER_DUE)
    page = writer.student(verdict, realistic_notebook)
    assert page.parent == tmp_path / "students"
    whole = (tmp_path / "instructors" / page.name).read_text()
    assert "assert_close: 0.9321" in whole and "assert_close" not in page.read_text()
    kept = (tmp_path / "instructors" / page.name).with_suffix(".json").read_bytes()
    assert verdict_from_json(kept) == verdict
    results = json.loads((tmp_path / "gradescope" / page.name).with_suffix(".json").read_text())
    assert results["score"] == float(verdict.points)


def test_no_seed_of_the_judge_is_in_what_a_student_gets(tmp_path: Path) -> None:
    batch, trials = 8_161_235_977_031, (7_231_402_366_111, 5_022_197_404_127)
    verdict = graded("Ada")
    made = msgspec.structs.replace(verdict.provenance, seed=batch)  # type: ignore[type-var]
    tests = [
        msgspec.structs.replace(
            test, trials=tuple(Trial(seed=seed, outcome=test.outcome) for seed in trials)
        )
        for test in verdict.tests
    ]
    verdict = msgspec.structs.replace(verdict, provenance=made, tests=tuple(tests))
    writer = PageWriter(tmp_path, spec=SPEC, now=AFTER_DUE)
    writer.student(verdict, realistic_notebook)
    writer.class_page([verdict])
    holding = {
        path.relative_to(tmp_path).as_posix()
        for path in tmp_path.rglob("*")
        if path.is_file()
        and any(str(seed) in path.read_text(errors="replace") for seed in (batch, *trials))
    }
    name = file_name("Ada")
    assert holding == {f"instructors/{name}.html", f"instructors/{name}.json"}


def test_the_class_page_links_to_pages_that_are_there(tmp_path: Path) -> None:
    verdicts = [graded("Ada"), graded("ada"), graded("a/../b"), broken("=cmd|x")]
    writer = PageWriter(tmp_path, spec=SPEC, now=AFTER_DUE)
    for verdict in verdicts:
        writer.student(verdict, lambda: None)
    html = writer.class_page(verdicts).read_text()
    links = [part.partition('"')[0] for part in html.split('<a href="')[1:]]
    assert len(set(links)) == len(verdicts)
    assert all((tmp_path / unquote(link)).is_file() for link in links)


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
