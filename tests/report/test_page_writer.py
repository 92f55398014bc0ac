"""What belongs to a batch, for students and for instructors, and what only the latter get."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import msgspec

from grader.grading.verdict import verdict_from_json
from grader.report.files import file_name
from grader.report.page_writer import PageWriter
from grader.suite.results import Trial
from tests.helpers.notebooks import realistic_notebook
from tests.helpers.verdicts import AFTER_DUE, SPEC, broken, graded


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
