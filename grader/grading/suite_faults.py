"""The faults of a hidden suite that a batch has met: which test, what it raised, who waits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grader.grading.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class SuiteFault:
    """One test that the suite itself has spoilt; `what` begins with file and line."""

    test: str
    what: str
    students: tuple[str, ...]


def suite_faults(verdicts: Iterable[Verdict]) -> list[SuiteFault]:
    """Gather the faults over a class, in the order of the suite's tests."""
    found: dict[str, tuple[str, list[str]]] = {}
    for verdict in verdicts:
        for test in verdict.broken_tests:
            what = "; ".join(test.details.splitlines()) or test.message
            found.setdefault(test.name, (what, []))[1].append(verdict.student)
    return [
        SuiteFault(test=name, what=what, students=tuple(students))
        for name, (what, students) in found.items()
    ]
