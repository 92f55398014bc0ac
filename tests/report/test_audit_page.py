"""The page of an audit: what is to be mended stands first, and nothing on it runs."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from grader.api.auditing.audit_page import write_audit_page
from grader.audit.findings import (
    AttackFinding,
    Audit,
    LuckFinding,
    MutantFinding,
    RoomFinding,
    ToleranceFinding,
)
from grader.course.directory import Course
from grader.report.audit_page import audit_page

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)

MUTANT = MutantFinding(
    id="softmax:axis:1a2b3c",
    function="softmax",
    kind="axis",
    mistake="taken over another axis",
    diff=" a\n-    x.sum(1)\n+    x.sum(0) <script>",
    questions=("q1",),
    tests=("test_rows",),
)

AUDIT = Audit(
    assignment="warm-up",
    title="Warm-up <b>",
    sandbox="local, warm",
    parts=("mutants", "luck", "tolerances", "room", "tests", "attacks"),
    seconds=12.0,
    mutants=(MUTANT,),
    mutants_in_all=4,
    luck=(
        LuckFinding(
            test="test_rows",
            question="q1",
            notebook="right",
            seeds=20,
            differs=1,
            usual="passed",
            example="off",
        ),
    ),
    luck_seeds=20,
    luck_notebooks=("right",),
    tolerances=(ToleranceFinding(test="test_rows", question="q1", right=0.7, right_of="right"),),
    room=(RoomFinding(limit="suite_s", used=20, allowed=30, unit="s"),),
    idle_tests=("test_idle",),
    attacks=(AttackFinding(attack="zeros", test="t", question="q1", points=1.0, what="zeros"),),
    attacks_tried=30,
)


def test_everything_that_was_found_is_on_the_page_and_nothing_runs() -> None:
    page = audit_page(AUDIT, at_least=0.95, now=NOW)
    for words in ("1 of 1 mistakes go unseen", "uses 70%", "× 1.5", "test_idle", "of 20"):
        assert words in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "Warm-up &lt;b&gt;" in page


def test_it_lies_beside_the_findings_as_json(tmp_path: Path) -> None:
    path = write_audit_page(Course(tmp_path), AUDIT, at_least=0.95)
    assert path == tmp_path / "graded" / "warm-up" / "audit" / "audit.html"
    found = json.loads((path.parent / "audit.json").read_text())
    assert found["mutants"][0]["id"] == MUTANT.id
