"""Which tests do nothing: those that no mutant fails, and those that always fail together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from grader.audit.findings import MutantFinding, QuestionFinding
from grader.grading.verdict import Verdict


def idle_tests(reference: Verdict, mutants: Sequence[MutantFinding]) -> list[str]:
    """The tests that were run on mutants and notice none of them."""
    run = {name for m in mutants for name in m.tests}
    failed = {name for m in mutants for name in m.failed}
    return [t.name for t in reference.tests if t.name in run and t.name not in failed]


def alike(reference: Verdict, mutants: Sequence[MutantFinding]) -> list[tuple[str, ...]]:
    """Groups of tests that notice the same mutants, of which each notices two at least."""
    groups: dict[frozenset[str], list[str]] = defaultdict(list)
    for test in reference.tests:
        noticed = frozenset(m.id for m in mutants if test.name in m.failed)
        if len(noticed) > 1:
            groups[noticed].append(test.name)
    return [tuple(names) for names in groups.values() if len(names) > 1]


def by_question(reference: Verdict, mutants: Sequence[MutantFinding]) -> list[QuestionFinding]:
    """Each question's points, its mutants, and how many of these are noticed."""
    found = []
    for question in reference.questions:
        own = [m for m in mutants if not m.equivalent and question.id in m.questions]
        found.append(
            QuestionFinding(
                question=question.id,
                points=float(question.max_points),
                mutants=len(own),
                noticed=sum(m.noticed for m in own),
            )
        )
    return found
