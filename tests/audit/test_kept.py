"""Findings on mutants that are kept for the next audit."""

from __future__ import annotations

from pathlib import Path

from grader.audit.findings import MutantFinding
from grader.audit.kept import KeptFindings


def finding(name: str) -> MutantFinding:
    return MutantFinding(id=name, function="softmax", kind="sign")


def test_an_audit_that_is_stopped_loses_few_findings(tmp_path: Path) -> None:
    path = tmp_path / "audit" / "kept.json"
    kept = KeptFindings(path)
    for number in range(25):
        kept.add(f"{number}", finding(f"m{number}"))
    again = KeptFindings(path)
    assert [again.finding(f"{number}") is not None for number in range(25)] == [True] * 20 + [
        False
    ] * 5


def test_what_nobody_asks_for_any_more_is_let_go_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    kept = KeptFindings(path)
    kept.add("old", finding("old"))
    kept.add("new", finding("new"))
    kept.write()
    later = KeptFindings(path)
    assert later.finding("new") == finding("new")
    later.write()
    last = KeptFindings(path)
    assert last.finding("old") is None
    assert last.finding("new") is not None


def test_a_damaged_file_is_as_if_there_was_none(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text("{", encoding="utf-8")
    assert KeptFindings(path).finding("new") is None
