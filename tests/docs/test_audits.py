"""The table of the audits is made from their figures, and is what would be made today."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import audit_figures, make_audits
from docs.audit_figures import Figures, keep_figures, kept_figures
from docs.make_audits import page, with_audit
from grader.audit.findings import Audit, LuckFinding, MutantFinding, Part, ToleranceFinding
from grader.audit.targets import targets
from grader.course.audit_file import read_audit_file
from grader.course.directory import Course
from grader.resources import shipped_dir

SEEN = MutantFinding(id="a", kind="sign", failed=("test_sign",))
UNSEEN = MutantFinding(id="b", kind="axis")
NO_MISTAKE = MutantFinding(id="c", kind="sign", equivalent="It is symmetric.")
FLIPS = LuckFinding(
    test="test_fit",
    question="q1",
    notebook="right",
    seeds=20,
    differs=1,
    usual="passed",
    example="",
)
TIGHT = ToleranceFinding(test="test_fit", question="q1", right=0.25, wrong=40.0)


def found(*parts: Part) -> Audit:
    return Audit(
        assignment="warm-up",
        title="Warm up",
        sandbox="local, warm",
        parts=parts,
        seconds=1.0,
        tests=9,
        reference_cpu_s=3.21,
        mutants=(SEEN, UNSEEN, NO_MISTAKE),
        mutants_in_all=7,
        luck=(FLIPS,),
        luck_seeds=20,
        luck_notebooks=("reference", "right"),
        tolerances=(TIGHT,),
        idle_tests=("test_shape",),
        attacks_tried=50,
    )


def test_the_table_is_made_from_the_figures() -> None:
    assert make_audits.PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.make_audits"


def test_an_audit_replaces_what_it_has_asked_and_nothing_else() -> None:
    first = with_audit(Figures(), found("mutants", "tests", "room"))
    assert first.mutants == {"in_all": 7, "mistakes": 2, "noticed": 1, "equivalent": 1}
    assert first.tests == {"all": 9, "idle": 1}
    assert first.room == {"cpu_s": 3.2}
    assert first.luck is None
    second = with_audit(first, found("luck", "tolerances", "attacks"))
    assert second.mutants == first.mutants
    assert second.luck == {"tests": 1, "seeds": 20, "notebooks": 2}
    assert second.tolerances == {"right": 0.25, "wrong": 40.0}
    assert second.attacks == {"tried": 50, "earned": 0}


def test_what_nobody_has_asked_is_no_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_figures, "FIGURES", tmp_path)
    assert kept_figures("cnn") == Figures()
    assert "cnn" not in page()
    keep_figures("cnn", Figures())
    (row,) = [line for line in page().splitlines() if line.startswith("| `cnn`")]
    assert set(row.removeprefix("| `cnn` |").split()) == {"–", "|"}


@pytest.mark.parametrize(
    "name", sorted(p.parent.name for p in shipped_dir("assignments").glob("*/audit.toml"))
)
def test_each_equivalent_mutant_of_what_ships_is_one_of_its_reference(name: str) -> None:
    assignment = Course(shipped_dir("assignments").parent).assignment(name)
    every = {mutant.id for target in targets(assignment) for mutant in target.mutants()}
    assert set(read_audit_file(assignment.folder).reasons) <= every
