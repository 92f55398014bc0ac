"""Findings that are kept for the next audit."""

from __future__ import annotations

from pathlib import Path

from grader.audit.findings import MutantFinding
from grader.audit.kept import Kept, key_of


def kept_in(path: Path) -> Kept[MutantFinding]:
    return Kept(path, MutantFinding)


def finding(name: str) -> MutantFinding:
    return MutantFinding(id=name, function="softmax", kind="sign")


def test_an_audit_that_is_stopped_loses_few_findings(tmp_path: Path) -> None:
    path = tmp_path / "audit" / "kept.json"
    kept = kept_in(path)
    for number in range(25):
        kept.add(f"{number}", finding(f"m{number}"))
    again = kept_in(path)
    assert [again.get(f"{number}") is not None for number in range(25)] == [True] * 20 + [False] * 5


def test_what_nobody_asks_for_any_more_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    kept = kept_in(path)
    assert kept.get("new") is None
    kept.add("old", finding("old"))
    kept.add("new", finding("new"))
    kept.write()
    later = kept_in(path)
    assert later.get("new") == finding("new")
    later.write()
    assert kept_in(path).get("old") == finding("old")
    later.forget_unused()
    later.write()
    last = kept_in(path)
    assert last.get("old") is None
    assert last.get("new") is not None


def test_a_damaged_file_is_as_if_there_was_none(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text("{", encoding="utf-8")
    assert kept_in(path).get("new") is None


def test_a_key_tells_contents_apart() -> None:
    assert key_of(b"a", {"u": "1"}) == key_of(b"a", {"u": "1"})
    assert len({key_of(b"a", "bc"), key_of(b"ab", "c"), key_of(b"a", "b", "c")}) == 3
