"""Try an assignment before students do: each fault in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from grader.api.checking import PublicSuite, run_public_suite
from grader.api.setting import trial_setting
from grader.course.directory import Assignment, Course, check_assignment
from grader.course.spec import AssignmentSpec
from grader.errors import GraderError, InfrastructureError
from grader.grading.batch import Watchers, grade_batch
from grader.grading.job import Job, Judged
from grader.grading.verdict import Outcome, Verdict
from grader.intake.notebook import read_notebook
from grader.points import show
from grader.release.leaks import find_leaks
from grader.release.notebooks import notebook_bytes, solution_notebook, student_notebook
from grader.rules.checking import check_rule_names
from grader.sandbox.choose import Choice, choose
from grader.suite.results import TestOutcome

REFERENCE, RELEASED = "reference", "released"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something to mend before the assignment is released: which check, and what it found."""

    check: str
    what: str


def validate(
    course: Course,
    assignment: str,
    *,
    sandbox: str = "auto",
    isolation: str = "auto",
    seed: int = 0,
    tell: Callable[[str], None] = lambda text: None,
) -> list[Fault]:
    """Say what is wrong with an assignment; an empty list is one that can be released.

    Checked are the spec; the suites against it; that the release holds no trace of the solution
    and runs without an error; that the reference gets full marks through the sandbox and passes
    the public tests, and that the released notebook gets none.

    Raises:
        InfrastructureError: it could not be tried here.
    """
    faults: list[Fault] = []
    try:
        chosen = course.assignment(assignment)
        check_assignment(chosen)
        check_rule_names(chosen.spec, chosen.reference_path, chosen.name)
        solution = notebook_bytes(solution_notebook(chosen))
        released = notebook_bytes(student_notebook(chosen))
        faults += [Fault(check="release", what=str(leak)) for leak in find_leaks(chosen)]
    except InfrastructureError:
        raise
    except GraderError as error:
        return [*faults, Fault(check="spec", what=str(error))]
    choice = choose(sandbox, isolation, libraries=chosen.spec.box.libraries, hide=(course.root,))
    tell(f"{choice.sandbox} sandbox, {choice.isolation}")
    faults += _judge(chosen, choice, solution, released, seed)
    faults += _public(chosen, choice, solution)
    return faults


def _judge(
    assignment: Assignment, choice: Choice, solution: bytes, released: bytes, seed: int
) -> Iterator[Fault]:
    judged: dict[str, Judged] = {}
    jobs = [
        Job(student=name, file=f"{name}.ipynb", data=data, sha256=name)
        for name, data in ((REFERENCE, solution), (RELEASED, released))
    ]
    watchers = Watchers(on_verdict=lambda j: judged.update({j.verdict.student: j}))
    try:
        grade_batch(trial_setting(assignment, choice, seed), jobs, watchers)
    except InfrastructureError:
        raise
    except GraderError as error:
        yield Fault(check="hidden suite", what=str(error))
        return
    for result in judged.values():
        if result.verdict.outcome is Outcome.INFRASTRUCTURE_ERROR:
            raise InfrastructureError(result.verdict.reason, hint="Run `grader doctor`.")
    yield from _reference_faults(judged[REFERENCE])
    yield from _leaderboard_faults(assignment.spec, judged[REFERENCE].verdict)
    yield from _released_faults(judged[RELEASED])


def _reference_faults(judged: Judged) -> Iterator[Fault]:
    verdict = judged.verdict
    for test in verdict.tests:
        if test.outcome is not TestOutcome.PASSED:
            detail = test.details or test.traceback or test.message
            yield Fault(
                check="reference",
                what=f"the reference does not pass {test.name} ({test.outcome}): "
                f"{' '.join(detail.split())[:300]}",
            )
    for breach in verdict.breaches:
        if not breach.unclear:
            yield Fault(check="rules", what=f"the reference: {breach.sentence}")
    yield from _cell_errors("reference", judged.executed)
    for note in verdict.notes:
        yield Fault(check="reference", what=f"running the reference's notebook: {note}")


def _leaderboard_faults(spec: AssignmentSpec, verdict: Verdict) -> Iterator[Fault]:
    board = spec.leaderboard
    if board and not any(t.name == board.test and t.measured is not None for t in verdict.tests):
        yield Fault(
            check="leaderboard",
            what=f"the test {board.test!r} measured nothing for the reference: expected a test of "
            "the hidden suite that calls credit(…, measured=…)",
        )


def _released_faults(judged: Judged) -> Iterator[Fault]:
    verdict = judged.verdict
    for test in verdict.broken_tests:
        yield Fault(
            check="hidden suite",
            what=f"{test.name} breaks on the released notebook, through a fault of its own: "
            f"{' '.join(test.details.split())[:300]}",
        )
    for test in verdict.tests:
        if test.points:
            yield Fault(
                check="released notebook",
                what=f"the released notebook, untouched, earns {show(test.points)} points from "
                f"{test.name}",
            )
    for breach in verdict.breaches:
        if not breach.unclear:
            yield Fault(check="rules", what=f"the released notebook: {breach.sentence}")
    yield from _cell_errors("released notebook", judged.executed)


def _cell_errors(check: str, executed: bytes) -> Iterator[Fault]:
    for number, cell in enumerate(json.loads(executed)["cells"], 1):
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                yield Fault(
                    check=check,
                    what=f"cell {number} raises {output['ename']}: {output['evalue'][:200]}",
                )


def _public(assignment: Assignment, choice: Choice, solution: bytes) -> Iterator[Fault]:
    data = assignment.data_dir if assignment.data_files() else None
    suite = PublicSuite(
        folder=assignment.public_dir, data=data, spec=assignment.spec, given=assignment.folder
    )
    if not any(assignment.public_dir.glob("test_*.py")):
        yield Fault(check="public suite", what="students get no public test to check with")
        return
    try:
        checked = run_public_suite(
            read_notebook(solution, name="reference.ipynb"), suite, sandbox=choice.sandbox
        )
    except InfrastructureError:
        raise
    except GraderError as error:
        yield Fault(check="public suite", what=str(error))
        return
    for test in checked.results:
        if test.outcome is not TestOutcome.PASSED:
            yield Fault(
                check="public suite",
                what=f"the reference does not pass the public {test.name} ({test.outcome})",
            )
