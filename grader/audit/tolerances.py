"""Are tolerances right? What right solutions use of them, and what wrong ones would need."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from grader.audit.findings import MutantFinding, ToleranceFinding
from grader.grading.verdict import Verdict
from grader.suite.results import TestOutcome, TestResult

FLOAT32 = """
def _in_float32(function):
    import functools
    import torch

    def converted(value, dtype, only):
        if isinstance(value, torch.Tensor) and value.dtype == only:
            return value.to(dtype)
        if type(value) in (list, tuple):
            return type(value)(converted(part, dtype, only) for part in value)
        if type(value) is dict:
            return {key: converted(part, dtype, only) for key, part in value.items()}
        return value

    @functools.wraps(function)
    def call(*args, **kwargs):
        args, kwargs = converted((args, kwargs), torch.float32, torch.float64)
        return converted(function(*args, **kwargs), torch.float64, torch.float32)

    return call


"""
"""Makes a right solution compute in single precision, whatever precision it is given."""


def float32_cell(functions: Sequence[str]) -> str:
    """Return a cell that has functions of the notebook compute in single precision."""
    lines = [f"{name} = _in_float32({name})" for name in functions]
    return FLOAT32 + "\n".join(lines)


def written_functions(sources: Sequence[str], names: Sequence[str]) -> list[str]:
    """Those of some names that cells define as functions, in their order."""
    found = []
    for source in sources:
        try:
            body = ast.parse(source).body
        except SyntaxError:
            continue
        found += [n.name for n in body if isinstance(n, ast.FunctionDef) and n.name in names]
    return list(dict.fromkeys(found))


def tolerances(
    right: Mapping[str, Verdict],
    float32: Verdict | None,
    mutants: Sequence[MutantFinding],
) -> list[ToleranceFinding]:
    """Say of each test with a tolerance what is used of it, in the suite's order.

    Args:
        right: verdicts on right solutions, by what each is called; the first names the tests.
        float32: that on the reference in single precision.
        mutants: which were run with tolerances measured.
    """
    found = []
    for test in next(iter(right.values())).tests:
        used = {
            name: share
            for name, verdict in right.items()
            if (share := _share(verdict, test.name)) is not None
        }
        wrong = [
            m.tolerance_used[test.name]
            for m in mutants
            if test.name in m.failed and m.tolerance_used.get(test.name, 0.0) > 1
        ]
        missed = [
            m.tolerance_used[test.name]
            for m in mutants
            if m.unseen and 0 < m.tolerance_used.get(test.name, 0.0) <= 1
        ]
        if used or wrong or missed:
            most = max(used, key=lambda name: used[name], default="")
            found.append(
                ToleranceFinding(
                    test=test.name,
                    question=test.question,
                    right=used.get(most),
                    right_of=most,
                    float32=None if float32 is None else _share(float32, test.name, failed=True),
                    wrong=min(wrong, default=None),
                    missed=max(missed, default=None),
                )
            )
    return found


def _share(verdict: Verdict, name: str, *, failed: bool = False) -> float | None:
    test = next((t for t in verdict.tests if t.name == name), None)
    if test is None or (test.outcome is not TestOutcome.PASSED and not failed):
        return None
    return share_of(test)


def share_of(test: TestResult) -> float | None:
    """What a test has used of its tolerances, where that was measured."""
    return test.tolerance_used if isinstance(test.tolerance_used, float) else None
