"""`grader release`: what it refuses to hand out."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.api import release
from grader.course.directory import Course
from grader.errors import SpecError
from tests.helpers.assignments import REFERENCE, SPEC, make_assignment

RULE = """points = 5
[questions.rules]
forbid = ["{forbid}"]
names = ["softmax"]
cost = "flag"
"""


def released(root: Path, forbid: str, reference: str = REFERENCE) -> Path:
    spec = SPEC.replace("points = 5\n", RULE.format(forbid=forbid), 1)
    make_assignment(root, "warm-up", spec=spec, reference=reference)
    return release(Course(root), "warm-up", out=root / "out").folder


def test_an_assignment_whose_reference_keeps_its_rules_is_released(tmp_path: Path) -> None:
    assert released(tmp_path, "torch.nn.functional.softmax").is_dir()


def test_an_assignment_whose_reference_breaks_its_rules_is_not_released(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refused:
        released(tmp_path, "torch.exp")
    assert "the reference: The code uses what the rules forbid, torch.exp" in refused.value.what
    assert "cell 2, line 4" in refused.value.what
    assert "grader validate warm-up" in (refused.value.hint or "")
    assert not (tmp_path / "out").exists()


def test_an_assignment_whose_rules_name_nothing_is_not_released(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="softmaxx"):
        released(tmp_path, "torch.softmaxx")


def test_what_the_reference_may_use_cannot_be_told_and_so_refuses_nothing(tmp_path: Path) -> None:
    unclear = REFERENCE.replace("shifted.exp()", "getattr(torch, x.name)(shifted)")
    assert released(tmp_path, "torch.nn.functional.softmax", unclear).is_dir()
