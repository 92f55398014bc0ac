"""What a regrade would change, mark by mark, before it replaces anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from grader.grading.verdict import Verdict
from grader.suite.results import TestResult


@dataclass(frozen=True, kw_only=True)
class TestChange:
    """One test that ended otherwise; None where there was, or is, no such test."""

    __test__ = False

    name: str
    question: str
    old_points: Decimal | None
    new_points: Decimal | None


@dataclass(frozen=True, kw_only=True)
class MarkChange:
    """One student's mark, before and after; None where there was, or is, no verdict."""

    student: str
    old_points: Decimal | None
    new_points: Decimal | None
    tests: tuple[TestChange, ...]

    @property
    def change(self) -> Decimal:
        """By how many points the mark moves."""
        return (self.new_points or Decimal(0)) - (self.old_points or Decimal(0))


def differences(old: Iterable[Verdict], new: Iterable[Verdict]) -> list[MarkChange]:
    """Compare the verdicts on a class, one per student, and return what changed, by name.

    A new outcome that is no mark changes nothing.
    """
    before = {v.student: v for v in old}
    after = {v.student: v for v in new if v.outcome.is_mark}
    changes = (_compare(s, before.get(s), after[s]) for s in sorted(after))
    return [c for c in changes if c is not None]


def _compare(student: str, old: Verdict | None, new: Verdict) -> MarkChange | None:
    tests = _changed_tests(old.tests if old else (), new.tests)
    same = old is not None and (old.points, old.outcome) == (new.points, new.outcome)
    if same and not tests:
        return None
    return MarkChange(
        student=student,
        old_points=old.points if old else None,
        new_points=new.points,
        tests=tests,
    )


def _changed_tests(
    old: tuple[TestResult, ...], new: tuple[TestResult, ...]
) -> tuple[TestChange, ...]:
    before, after = {t.name: t for t in old}, {t.name: t for t in new}
    questions = {t.name: t.question for t in (*old, *new)}
    changes = []
    for name in dict.fromkeys([*before, *after]):
        was, is_ = before.get(name), after.get(name)
        if was and is_ and (was.points, was.outcome) == (is_.points, is_.outcome):
            continue
        changes.append(
            TestChange(
                name=name,
                question=questions[name],
                old_points=was.points if was else None,
                new_points=is_.points if is_ else None,
            )
        )
    return tuple(changes)
