"""Whether a suite's plan can be carried out, and whether it agrees with the spec."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

from grader.course.spec import AssignmentSpec
from grader.points import show
from grader.suggestions import perhaps
from grader.suite.points import PlannedTest, SuitePlan, answers_to


def check_plan(plan: SuitePlan, spec: AssignmentSpec, *, graded: bool = True) -> list[str]:
    """Say what is wrong with a suite, each fault in one sentence; an empty list is a good suite.

    Args:
        plan: of the collected suite.
        spec: what the assignment promises.
        graded: the hidden suite, whose points must add up; a public suite needs none.
    """
    if not plan.tests:
        # What a person marks alone needs no suite.
        by_hand = graded and not spec.machine_points and not plan.faults
        return [] if by_hand else ["the suite has no tests"]
    faults = [*plan.faults, *check_needs(plan), *_unknown_questions(plan, spec, graded)]
    if graded:
        faults += [
            f"{test.where}: {test.name} has no points; give it @pytest.mark.points(n)"
            for test in _once_per_function(plan)
            if not test.graded
        ]
        faults += _wrong_sums(plan, spec)
    return faults


def check_needs(plan: SuitePlan) -> list[str]:
    """Say which tests need one that does not exist, or each other in a circle."""
    faults = []
    for test in _once_per_function(plan):
        for need in test.needs:
            if not any(answers_to(other, need) for other in plan.tests):
                names = [other.function for other in plan.tests]
                faults.append(
                    f"{test.where}: {test.name} needs {need}, which the suite does not have"
                    f"{perhaps(need, names)}"
                )
    faults += _unsound_rights(plan)
    circle = _circle(plan)
    if circle:
        faults.append("these tests need each other in a circle: " + " → ".join(circle))
    return faults


def check_notebooks(plan: SuitePlan, notebooks: Mapping[str, Collection[str]]) -> list[str]:
    """Say which tests need one of another notebook: each notebook is judged by itself.

    Args:
        plan: of the collected suite.
        notebooks: the questions of each, by its name; none where there is one notebook.
    """
    held = {question: name for name, questions in notebooks.items() for question in questions}
    return [
        f"{test.where}: {test.name}, of the notebook {held[test.question]}, needs {needed.name}, "
        f"of {held[needed.question]}: a test can only need tests of its own notebook"
        for test in _once_per_function(plan)
        for needed in plan.needed_by(test)
        if test.question in held
        and needed.question in held
        and held[test.question] != held[needed.question]
    ]


def run_order(plan: SuitePlan) -> list[PlannedTest]:
    """Put each test after those that it needs, and otherwise leave the order alone.

    Tests in which the reference answers for a function come last, those with more of them later:
    a notebook that keeps the answers has them only where they are given anyway.
    """
    done: dict[str, PlannedTest] = {}
    visited: set[str] = set()

    def visit(test: PlannedTest) -> None:
        if test.nodeid in visited:
            return
        visited.add(test.nodeid)
        for needed in plan.needed_by(test):
            visit(needed)
        done[test.nodeid] = test

    for test in sorted(plan.tests, key=lambda test: len(test.right)):
        visit(test)
    return list(done.values())


def _unsound_rights(plan: SuitePlan) -> Iterator[str]:
    """Say where a notebook could use answers of the reference in a test that doesn't give them."""
    tests = sorted((t for t in _once_per_function(plan) if t.right), key=lambda t: len(t.right))
    for before, test in pairwise(tests):
        if not set(before.right) <= set(test.right):
            yield (
                f"{test.where}: {test.name} runs after {before.name}, in which the notebook gets "
                f"right answers of {', '.join(sorted(set(before.right) - set(test.right)))} that "
                "it could keep: name these in its with_right too, or in neither"
            )
    for test in _once_per_function(plan):
        for needed in plan.needed_by(test):
            if not set(needed.right) <= set(test.right):
                yield (
                    f"{test.where}: {test.name} needs {needed.name}, which is run with right "
                    f"answers of {', '.join(needed.right)}, and is run without them itself"
                )


def _circle(plan: SuitePlan) -> list[str]:
    finished: set[str] = set()

    def visit(test: PlannedTest, path: list[PlannedTest]) -> list[str]:
        if test in path:
            return [t.name for t in [*path[path.index(test) :], test]]
        if test.nodeid in finished:
            return []
        for needed in plan.needed_by(test):
            found = visit(needed, [*path, test])
            if found:
                return found
        finished.add(test.nodeid)
        return []

    return next((found for test in plan.tests if (found := visit(test, []))), [])


def _unknown_questions(plan: SuitePlan, spec: AssignmentSpec, graded: bool) -> Iterator[str]:
    known = [question.id for question in spec.questions]
    for test in _once_per_function(plan):
        if not test.question:
            if graded:
                yield (
                    f"{test.where}: {test.name} belongs to no question; give it "
                    f'@pytest.mark.question("{known[0]}"), or name the file test_{known[0]}.py'
                )
        elif test.question not in known:
            yield (
                f"{test.where}: {test.name} is for question {test.question}, which the spec does "
                f"not have{perhaps(test.question, known)}"
            )


def _wrong_sums(plan: SuitePlan, spec: AssignmentSpec) -> Iterator[str]:
    for question in spec.questions:
        given = sum(
            (t.max_points for t in plan.tests if t.question == question.id), question.points * 0
        )
        if given != question.points:
            yield (
                f"question {question.id}: its tests add up to {show(given)} points, "
                f"the spec says {show(question.points)}"
            )


def _once_per_function(plan: SuitePlan) -> list[PlannedTest]:
    """One case of each parametrized test: its faults are said once."""
    return list({test.where: test for test in reversed(plan.tests)}.values())[::-1]
