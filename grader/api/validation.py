"""Try an assignment before students do: each fault in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from grader.api.attacks.earned import check_attack_names
from grader.api.batch_config import trial_config
from grader.api.checking import PublicSuite, run_public_suite
from grader.api.measuring import Measured, measurements
from grader.api.trial_jobs import bytes_of_notebooks, job_of_notebooks
from grader.course.directory import Assignment, Course, check_assignment
from grader.course.spec import AssignmentSpec
from grader.errors import GraderError, InfrastructureError
from grader.grading.job import BatchConfig, Job, Judged
from grader.grading.reference_runs import keep_reference_runs
from grader.grading.trials import judge_trials
from grader.grading.verdict import Verdict
from grader.intake.notebook import read_notebook
from grader.points import show
from grader.release.leaks import find_leaks
from grader.release.notebooks import solution_notebook, student_notebook
from grader.rules.checking import check_rule_names
from grader.sandbox.choose import Choice, choose
from grader.sandbox.executed import places_of_cells
from grader.suite.idioms import careless_lines
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
    seeds: int = 5,
    tell: Callable[[str], None] = lambda text: None,
    on_step: Callable[[int, int, str], None] = lambda done, total, name: None,
    on_measured: Callable[[list[Measured]], None] = lambda measured: None,
) -> list[Fault]:
    """Say what is wrong with an assignment; an empty list is one that can be released.

    Checked are the spec; the suites against it; that the release holds no trace of the solution
    and runs without an error; that the reference gets full marks through the sandbox and passes
    the public tests, and that the released notebook gets none.

    Args:
        course: the course directory.
        assignment: its name there.
        sandbox: as in `grade`.
        isolation: as in `grade`.
        seed: of the batch.
        seeds: with how many the reference is run where a test measures something, to see how far
            what it measures spreads.
        tell: told which sandbox it is.
        on_step: told after each step how many are done, of how many, and which it was.
        on_measured: told what the suite measured of the reference, if it measures anything.

    Raises:
        InfrastructureError: it could not be tried here.
    """
    faults: list[Fault] = []
    try:
        chosen = course.assignment(assignment)
        check_assignment(chosen)
        check_attack_names(chosen)
        for part in chosen.notebooks:
            check_rule_names(part.spec, part.reference_path, part.name)
        solution = bytes_of_notebooks(chosen, solution_notebook)
        released = bytes_of_notebooks(chosen, student_notebook)
        faults += [Fault(check="release", what=str(leak)) for leak in find_leaks(chosen)]
    except InfrastructureError:
        raise
    except GraderError as error:
        return [*faults, Fault(check="spec", what=str(error))]
    faults += [Fault(check="hidden suite", what=line) for line in careless_lines(chosen.hidden_dir)]
    choice = choose(sandbox, isolation, box=chosen.spec.box, hide=(course.root,))
    tell(f"{choice.sandbox} sandbox, {choice.isolation}")
    steps = _Steps(on_step)
    faults += _public(chosen, choice, solution)
    steps.done("public tests")
    try:
        jobs = [_job(REFERENCE, solution), _job(RELEASED, released)]
        judged = _judged(trial_config(chosen, choice, seed), jobs, steps.done)
        reference = judged[REFERENCE].verdict
        others: list[Verdict] = []
        if any(test.measured is not None for test in reference.tests):
            more = [_job(f"seed {n}", solution, seed + n) for n in range(1, seeds)]
            steps.total += len(more)
            again = _judged(trial_config(chosen, choice, seed), more, steps.done)
            others = [again[job.student].verdict for job in more]
            on_measured(measurements([reference, *others]))
            keep_reference_runs(course, chosen, [reference, *others])
    except InfrastructureError:
        raise
    except GraderError as error:
        return [*faults, Fault(check="hidden suite", what=str(error))]
    faults += _reference_faults(judged[REFERENCE])
    faults += _leaderboard_faults(chosen.spec, reference)
    faults += _released_faults(judged[RELEASED])
    faults += _seed_faults(reference, others)
    return faults


class _Steps:
    """Counts what is done: the public tests, the reference, the released notebook, and more."""

    def __init__(self, on_step: Callable[[int, int, str], None]) -> None:
        self._on_step = on_step
        self._done = 0
        self.total = 3

    def done(self, name: str) -> None:
        self._done += 1
        self._on_step(self._done, self.total, name)


def _job(name: str, notebooks: Mapping[str, bytes], seed: int | None = None) -> Job:
    return msgspec.structs.replace(job_of_notebooks(name, notebooks), seed=seed)


def _judged(
    config: BatchConfig, jobs: Sequence[Job], on_done: Callable[[str], None]
) -> dict[str, Judged]:
    return judge_trials(config, jobs, lambda judged: on_done(judged.verdict.student))


def _seed_faults(reference: Verdict, others: Sequence[Verdict]) -> Iterator[Fault]:
    """Tests that the reference passes with one seed, and with another not."""
    passed = {t.name for t in reference.tests if t.outcome is TestOutcome.PASSED}
    for test in reference.tests:
        outcomes = [t for v in others for t in v.tests if t.name == test.name]
        lost = [t for t in outcomes if t.outcome is not TestOutcome.PASSED]
        if test.name in passed and lost:
            yield Fault(
                check="reference",
                what=f"the reference passes {test.name} with some seeds, and not with "
                f"{len(lost)} of {len(outcomes) + 1} ({lost[0].outcome}): "
                f"{' '.join((lost[0].message or lost[0].details).split())[:200]}",
            )


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
    for violation in verdict.violations:
        if not violation.unclear:
            yield Fault(check="rules", what=f"the reference: {violation.sentence}")
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
    for violation in verdict.violations:
        if not violation.unclear:
            yield Fault(check="rules", what=f"the released notebook: {violation.sentence}")
    yield from _cell_errors("released notebook", judged.executed)


def _cell_errors(check: str, executed: bytes) -> Iterator[Fault]:
    document = json.loads(executed)
    places = places_of_cells(document)
    for place, cell in zip(places, document["cells"], strict=True):
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                yield Fault(
                    check=check,
                    what=f"{place} raises {output['ename']}: {output['evalue'][:200]}",
                )


def _public(
    assignment: Assignment, choice: Choice, solution: Mapping[str, bytes]
) -> Iterator[Fault]:
    if not assignment.spec.machine_points:
        return  # a person gives all points: there is nothing to check with
    data = assignment.data_dir if assignment.data_files() else None
    suite = PublicSuite(
        folder=assignment.public_dir, data=data, spec=assignment.spec, given=assignment.folder
    )
    if not any(assignment.public_dir.glob("test_*.py")):
        yield Fault(check="public suite", what="students get no public test to check with")
        return
    for name, notebook in solution.items():
        try:
            checked = run_public_suite(
                read_notebook(notebook, name="reference.ipynb"),
                notebook,
                replace(suite, notebook=name),
                sandbox=choice.sandbox,
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
