"""Each assignment's sample class, graded for real and held against the marks it must get."""

from __future__ import annotations

import os
import shutil
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader.api import find_course, grade
from grader.course.secret import SEEDS_KEY_NAME
from grader.grading.verdict import Verdict
from grader.resources import shipped_dir
from tests.sandbox.places import docker_image

ASSIGNMENTS = sorted(p.parent.name for p in shipped_dir("assignments").glob("*/assignment.toml"))
EVERYWHERE = os.environ.get("GRADER_SAMPLES") == "everywhere"
SEED = None if EVERYWHERE else 20_241
SEEDS_KEY = bytes(range(32))
"""The long run draws fresh numbers: a mark that depends on them is a fault of the suite. The short
one draws the same each time, which takes the course's secret as well as the seed."""
_PLACES = [pytest.param("local", "warm", marks=pytest.mark.local_box)]
_MORE = [
    pytest.param("docker", "warm", marks=pytest.mark.docker),
    pytest.param("docker", "single-use", marks=pytest.mark.docker),
    pytest.param("local", "single-use", marks=pytest.mark.local_box),
]


def _cases() -> list[object]:
    """Every assignment in the local sandbox; with GRADER_SAMPLES=everywhere in all of them.

    Docker, warm, is tried with one assignment in any case.
    """
    cases = []
    for name in ASSIGNMENTS:
        places = [*_PLACES]
        if EVERYWHERE:
            places += _MORE
        elif name == ASSIGNMENTS[0]:
            places += _MORE[:1]
        cases += [pytest.param(name, *p.values, marks=p.marks) for p in places]
    return cases


def _fits(points: Decimal, want: dict[str, Any]) -> bool:
    """Where a mark hangs on the luck of a training, `least` and `most` are given for `points`."""
    least, most = (Decimal(str(want.get(key, want.get("points")))) for key in ("least", "most"))
    return least <= points <= most


def _broken(verdict: Verdict) -> set[str]:
    """The rules that a sample breaks: none is flagged in honest work, not even as unclear."""
    return {f"{b.question} {b.rule}{' ?' if b.unclear else ''}" for b in verdict.violations}


@pytest.fixture
def course_dir(tmp_path: Path) -> Path:
    shutil.copytree(shipped_dir("assignments"), tmp_path / "assignments")
    shutil.copytree(shipped_dir("reference"), tmp_path / "reference")
    if not EVERYWHERE:
        (tmp_path / SEEDS_KEY_NAME).write_bytes(SEEDS_KEY)
    return tmp_path


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "sandbox", "isolation"), _cases())
def test_the_sample_class_gets_the_marks_it_must_get(
    course_dir: Path, name: str, sandbox: str, isolation: str
) -> None:
    if sandbox == "docker":
        docker_image()
    course = find_course(course_dir)
    samples = course.assignment(name).folder / "samples"
    expected = tomllib.loads((samples / "expected.toml").read_text(), parse_float=Decimal)
    graded = grade(course, name, [samples], sandbox=sandbox, isolation=isolation, seed=SEED)

    found = {f"{v.student}.ipynb": v for v in graded.verdicts}
    wanted = expected["samples"]
    assert set(found) == set(wanted)
    assert len(wanted) >= 8
    failures = {
        file: [(t.name, str(t.outcome), t.details[:200]) for t in v.tests if not t.points]
        for file, v in found.items()
        if not _fits(v.points, wanted[file])
    }
    marks = {file: v.points for file, v in found.items() if not _fits(v.points, wanted[file])}
    assert marks == {}, failures
    broken = {file: _broken(v) for file, v in found.items()}
    assert broken == {file: set(want.get("breaks", ())) for file, want in wanted.items()}
    for file, want in wanted.items():
        for question, outcome in want.get("outcomes", {}).items():
            outcomes = {str(t.outcome) for t in found[file].tests if t.question == question}
            assert outcome in outcomes, (file, question, outcomes)
