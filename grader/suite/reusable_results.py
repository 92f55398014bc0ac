"""Which results of an earlier run stand when only some tests of a suite have changed.

A result stands when its test has not changed, nor a test that it needs, nor one with which it
shares a fixture that is made once for several tests: such a fixture is made with the seed of the
first test that asks for it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest

from grader.suite.fingerprints import unit_of
from grader.suite.points import PlannedTest, SuitePlan
from grader.suite.pytest_internals import fixture_definitions, fixture_names
from grader.suite.results import TestResult

_OURS = frozenset({"student", "notebook", "reference"})
"""Fixtures that are the same for every test."""


def reusable_results(
    plan: SuitePlan,
    items: Sequence[pytest.Item],
    unchanged: Collection[str],
    before: Sequence[TestResult],
) -> list[TestResult]:
    """Return the results that need not be made again, in the order of `before`.

    Args:
        plan: of the suite as it is now.
        items: its tests.
        unchanged: units whose fingerprints are as they were.
        before: every result of the earlier run.
    """
    results = {result.name: result for result in before}
    stands = {
        test.nodeid
        for test in plan.tests
        if unit_of(test.nodeid) in unchanged and _fits(test, results.get(test.name))
    }
    shared = {item.nodeid: _wide_fixtures(item) for item in items}
    while True:
        gone = {f for node, own in shared.items() if node not in stands for f in own}
        fallen = {
            test.nodeid
            for test in plan.tests
            if test.nodeid in stands
            and (
                any(needed.nodeid not in stands for needed in plan.needed_by(test))
                or shared[test.nodeid] & gone
            )
        }
        if not fallen:
            break
        stands -= fallen
    names = {test.name for test in plan.tests if test.nodeid in stands}
    return [result for result in before if result.name in names]


def _fits(test: PlannedTest, result: TestResult | None) -> bool:
    """A share of points may have changed with the number of cases."""
    return result is not None and (result.question, result.max_points) == (
        test.question,
        test.max_points,
    )


def _wide_fixtures(item: pytest.Item) -> frozenset[int]:
    needed = fixture_names(item)
    return frozenset(
        id(definition)
        for name, definitions in fixture_definitions(item).items()
        if name not in _OURS and name in needed
        for definition in definitions
        if definition.scope != "function"
    )
