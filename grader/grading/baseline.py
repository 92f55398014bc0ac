"""The reference solution in a student's place: whose fault it is when a test ends in an exception.

The same test is run with the same draws against the reference's own notebook, in the same sandbox.
What it does not pass either is a fault of the suite, which costs no student anything. Where it does
pass, the exception comes of what the student's code returned; then the reference says which kind of
value was expected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from grader.suite.account import NOTHING, Account, difference, pretender
from grader.suite.outcomes import BROKEN, MAX_DETAILS, UNUSABLE, bounded
from grader.suite.results import TestOutcome, TestResult


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """How the reference did in each test, by name, and what the test received of it."""

    results: dict[str, TestResult] = {}
    accounts: dict[str, Account] = {}

    def passes(self, name: str) -> bool:
        """Whether the reference gets all points of that test."""
        result = self.results.get(name)
        return result is not None and result.outcome is TestOutcome.PASSED


def is_needed(accounts: Mapping[str, Account]) -> bool:
    """Whether the reference has to be asked about one of the tests."""
    return any(account.doubtful or account.trusting for account in accounts.values())


def settled(
    results: Sequence[TestResult], accounts: Mapping[str, Account], baseline: Baseline
) -> tuple[TestResult, ...]:
    """Decide of every doubtful result whose fault it is."""
    return tuple(
        _settled(result, accounts.get(result.name, NOTHING), baseline) for result in results
    )


def _settled(result: TestResult, account: Account, baseline: Baseline) -> TestResult:
    if account.trusting:
        return _without_pretence(result, account, baseline)
    if not account.doubtful:
        return result
    if baseline.passes(result.name):
        return _with_kinds(result, account, baseline.accounts.get(result.name, NOTHING))
    return _of_the_suite(result, baseline.results.get(result.name))


def _with_kinds(result: TestResult, account: Account, reference: Account) -> TestResult:
    """Say which kind of value was expected and which came, if that is what differs."""
    unusable = account.unusable
    if result.outcome is TestOutcome.SUITE_ERROR:
        result = msgspec.structs.replace(result, outcome=TestOutcome.FAILED, message=f"{UNUSABLE}.")
        unusable = True
    found = difference(account.received, reference.received)
    if found is None or not unusable:
        return result
    rest = result.message.partition("\n")[1:]  # the details, where the test shows them
    message = f"{UNUSABLE}: {_told(*found)}{''.join(rest)}"
    return msgspec.structs.replace(result, message=message)


def _told(asked: str, came: str, expected: str) -> str:
    which = f"`{asked}` gave" if asked[:1].isidentifier() else "it gave"
    return f"{which} {came}; {expected} was expected."


def _without_pretence(result: TestResult, account: Account, baseline: Baseline) -> TestResult:
    """Take the points where an object said of itself what the judge must say of a value."""
    reference = baseline.accounts.get(result.name, NOTHING)
    found = pretender(account, reference, complete=baseline.passes(result.name))
    if found is None or not result.points:
        return result
    return msgspec.structs.replace(
        result,
        outcome=TestOutcome.FAILED,
        points=result.points * 0,
        message=f"{UNUSABLE}: {_told(*found)}",
        measured=None,
    )


def _of_the_suite(result: TestResult, reference: TestResult | None) -> TestResult:
    how = "could not be run"
    if reference is not None:
        how = f"{reference.outcome}: {reference.details or reference.message}"
    said = result.details or result.message
    return msgspec.structs.replace(
        result,
        outcome=TestOutcome.SUITE_ERROR,
        points=result.points * 0,
        message=BROKEN,
        traceback="",
        hints=(),
        details=bounded(f"{said}\nNor does the reference pass it: {how}", MAX_DETAILS),
        shows_details=False,
        measured=None,
    )
