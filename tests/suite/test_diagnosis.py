"""A test that fails says what kind of mistake the compared value shows."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from grader.suite.results import TestOutcome
from tests.suite.workbench import Workbench


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


SUITE = """
    import torch, numpy as np
    from torch.testing import assert_close
    X = torch.arange(12.0).reshape(3, 4).cos()
    def test_a(student):
        {compare}
"""
MINE = "import torch\ndef f(x): return {value}\n"


@pytest.mark.parametrize(
    "compare",
    [
        "assert_close(student.f(X), X.sum(1))",
        "assert torch.allclose(student.f(X), X.sum(1))",
        "assert torch.allclose(X.sum(1), student.f(X))",
        "assert torch.equal(student.f(X), X.sum(1))",
        "np.testing.assert_allclose(student.f(X).numpy(), X.sum(1).numpy(), rtol=1e-5)",
    ],
)
def test_a_wrong_value_is_explained(bench: Workbench, compare: str) -> None:
    bench.suite(SUITE.format(compare=compare))
    result = bench.judge_one(MINE.format(value="-x.sum(1)"))
    assert result.outcome is TestOutcome.FAILED
    assert result.diagnosis == "sign"


def test_another_shape_is_explained(bench: Workbench) -> None:
    bench.suite(SUITE.format(compare="assert_close(student.f(X), X)"))
    assert bench.judge_one(MINE.format(value="x.T")).diagnosis == "transposed"


def test_what_passes_has_no_diagnosis(bench: Workbench) -> None:
    bench.suite(SUITE.format(compare="assert_close(student.f(X), X)"))
    assert bench.judge_one(MINE.format(value="x + 0")).diagnosis is msgspec.UNSET


def test_what_the_student_raised_is_no_wrong_value(bench: Workbench) -> None:
    bench.suite(SUITE.format(compare="torch.allclose(student.f(X), X); student.f('text')"))
    result = bench.judge_one("def f(x): return -x")
    assert result.outcome is TestOutcome.STUDENT_ERROR
    assert result.diagnosis is msgspec.UNSET


def test_a_check_that_was_given_right_answers_tells_no_kind(bench: Workbench) -> None:
    """A notebook could pass on the right answer, changed, and learn of it by kinds."""
    bench.solution("def right(x): return 2 * x\n")
    bench.suite(
        """
        import torch
        @pytest.mark.with_right("right")
        def test_a(student):
            assert torch.equal(student.f(torch.ones(3)), torch.full((3,), 2.0))
        """
    )
    result = bench.judge_one("def right(x): return x\ndef f(x): return -2 * x")
    assert result.outcome is TestOutcome.FAILED
    assert result.diagnosis is msgspec.UNSET
