"""Plain pytest with `--notebook`: run one notebook and its suite, for whoever writes the suite."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.course.directory import Assignment, Course
from grader.course.secret import seeds_key
from grader.course.spec import AssignmentSpec
from grader.errors import GraderError, InfrastructureError, SuiteError, UsageError
from grader.points import show
from grader.printable import printable, printable_line
from grader.suite.binding import BINDING, SubmissionBinding
from grader.suite.box_link import BoxLink
from grader.suite.current_run import RUN
from grader.suite.executed_notebook import ExecutedNotebook
from grader.suite.execution import SuiteRun
from grader.suite.helpers import make_importable
from grader.suite.plan_checks import check_plan, run_order
from grader.suite.points import SuitePlan, read_plan
from grader.suite.randomness import Seeds
from grader.suite.reference import load_reference
from grader.suite.results import TestOutcome, TestResult
from grader.suite.student import Student

if TYPE_CHECKING:
    from grader.sandbox.base import Slot
    from grader.sandbox.notebook_box import NotebookBox

BATCH_SEED = 0
"""The draws are those of `grader grade --seed 0`, in a course that has graded something."""


@dataclass
class OpenNotebook:
    """A notebook that was run and still lives, with the slot it lives in."""

    client: NotebookBox
    slot: Slot
    executed: dict[str, Any]
    answers: dict[str, str]
    notes: list[str] = field(default_factory=list)

    def close(self) -> None:
        """End the session and the slot."""
        try:
            self.client.close()
        finally:
            self.slot.stop()


def open_notebook(path: Path, assignment: Assignment, sandbox: str, seeds: Seeds) -> OpenNotebook:
    """Run a notebook in a sandbox of this assignment.

    Raises:
        SubmissionError: the file can't be read.
        InfrastructureError: the sandbox can't be had here.
    """
    from grader.intake.notebook import read_notebook, written_answers
    from grader.sandbox.choose import open_slot
    from grader.sandbox.executed import executed_notebook
    from grader.sandbox.limits import run_limits, slot_options
    from grader.sandbox.notebook_box import NotebookBox

    if not path.is_file():
        raise UsageError("there is no such notebook", where=path)
    read = read_notebook(path.read_bytes(), name=path.name)
    data = assignment.data_dir
    options = slot_options(assignment.spec, data=data if data.is_dir() else None)
    slot = open_slot(sandbox, options, hide=(assignment.course_root,))
    limits, seed = run_limits(assignment.spec), seeds.of_notebook()
    box = NotebookBox(
        slot, read.sources, files=assignment.given_contents(), limits=limits, seed=seed
    )
    try:
        slot.wait_ready()
        run = box.run()
    except BaseException:
        slot.stop()
        raise
    executed = executed_notebook(read, run)
    return OpenNotebook(box, slot, executed, written_answers(read), run.notes)


class PlainRun:
    """Registered by the plugin for `--notebook`: the judge's rules in pytest's clothes."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._plan = SuitePlan(())
        self._assignment: Assignment | None = None
        self._opened: OpenNotebook | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self._plan = read_plan(items)
        # A suite run in part (`-k`) may lack what its tests need: that is no fault here.
        if self._plan.faults:
            raise pytest.UsageError("; ".join(self._plan.faults))
        order = {test.nodeid: place for place, test in enumerate(run_order(self._plan))}
        items.sort(key=lambda item: order[item.nodeid])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        if session.testsfailed or not session.items or self._config.option.collectonly:
            return
        try:
            self._open(session)
        except GraderError as error:
            pytest.exit(str(error), returncode=error.exit_code)

    def _open(self, session: pytest.Session) -> None:
        suite_file = session.items[0].path
        course = Course.find(suite_file.parent)
        assignment = course.assignment(_assignment_name(course, suite_file))
        public = suite_file.is_relative_to(assignment.public_dir)
        if assignment.spec.notebooks:
            assignment = _notebook_of(Path(self._config.getoption("notebook")), assignment)
            self._plan = _deselected(session, self._plan, assignment.spec)
        make_importable(assignment.folder, assignment.given_files())
        reference = None if public else load_reference(assignment.reference_path)
        path = Path(self._config.getoption("notebook"))
        seeds = Seeds(BATCH_SEED, seeds_key(course.root, make=False))
        opened = open_notebook(path, assignment, self._config.getoption("sandbox"), seeds)
        self._assignment, self._opened = assignment, opened
        link = BoxLink(opened.client)
        view = ExecutedNotebook(opened.executed, opened.answers)
        binding = SubmissionBinding(link, Student(link), view, reference)
        self._config.stash[BINDING] = binding
        self._config.stash[RUN] = SuiteRun(self._plan, binding, seeds=seeds)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        run = self._config.stash.get(RUN, None)
        if run is None:
            return None
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        try:
            result, reports = run.perform(item, nextitem)
        except InfrastructureError as error:
            pytest.exit(str(error), returncode=error.exit_code)
        for report in _as_reports(item, result, reports):
            hook.pytest_runtest_logreport(report=printable_report(report))
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        run = self._config.stash.get(RUN, None)
        if run is None:
            return
        results = run.results()
        terminalreporter.section("marks")
        for question in dict.fromkeys(result.question for result in results):
            own = [result for result in results if result.question == question]
            terminalreporter.line(f"{question or 'no question':<12} {_marks(own)}")
        terminalreporter.line(f"{'all':<12} {_marks(results)}")
        if self._opened is not None:
            for note in self._opened.notes:
                terminalreporter.line(f"notebook: {printable_line(note)}")
        if self._assignment is not None and self._is_whole_suite():
            for fault in check_plan(self._plan, self._assignment.spec):
                terminalreporter.line(f"suite: {fault}", yellow=True)

    def _is_whole_suite(self) -> bool:
        hidden = self._assignment.hidden_dir.resolve() if self._assignment else None
        chosen = self._config.getoption("keyword") or self._config.getoption("markexpr")
        return not chosen and [Path(arg).resolve() for arg in self._config.args] == [hidden]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        if self._opened is not None:
            with contextlib.suppress(InfrastructureError):
                self._opened.close()


def _notebook_of(path: Path, assignment: Assignment) -> Assignment:
    """Return the assignment cut down to the one of its notebooks that a file is.

    Raises:
        UsageError: it is none of them.
    """
    from grader.intake.accepted_files import AskedNotebook
    from grader.intake.notebook import read_notebook
    from grader.intake.several_notebooks import which_notebook

    if not path.is_file():
        raise UsageError("there is no such notebook", where=path)
    read = read_notebook(path.read_bytes(), name=path.name)
    asked = [AskedNotebook(n) for n in assignment.spec.notebooks]
    named, _ = which_notebook(read, path.name, asked, assignment.name)
    if not named:
        names = " or ".join(n.file for n in assignment.spec.notebooks)
        raise UsageError(
            "it is not one of the assignment's notebooks", where=path, hint=f"Name it {names}."
        )
    return next(part for part in assignment.notebooks if part.notebook == named)


def _deselected(session: pytest.Session, plan: SuitePlan, spec: AssignmentSpec) -> SuitePlan:
    """Leave out the tests of other notebooks."""
    questions = {"", *(question.id for question in spec.questions)}
    tests = tuple(test for test in plan.tests if test.question in questions)
    kept = {test.nodeid for test in tests}
    others = [item for item in session.items if item.nodeid not in kept]
    session.items[:] = [item for item in session.items if item.nodeid in kept]
    session.config.hook.pytest_deselected(items=others)
    return replace(plan, tests=tests)


def _assignment_name(course: Course, suite_file: Path) -> str:
    try:
        return suite_file.relative_to(course.root / "assignments").parts[0]
    except ValueError as error:
        raise SuiteError(
            "this suite belongs to no assignment",
            where=suite_file,
            hint="It must lie in assignments/NAME/hidden or assignments/NAME/public.",
        ) from error


def _as_reports(
    item: pytest.Item, result: TestResult, reports: list[pytest.TestReport]
) -> list[pytest.TestReport]:
    """Tell pytest what the judge decided, which may differ: trials, swallowed failures."""
    if result.outcome is TestOutcome.PASSED:
        return [report for report in reports if report.when == "call" or report.passed]
    if result.outcome is TestOutcome.NOT_RUN:
        return [_report(item, "skipped", result)]
    bad = [report for report in reports if report.failed]
    if not bad:
        return [_report(item, "failed", result)]
    told = [result.message, result.traceback, *(f"hint: {hint}" for hint in result.hints)]
    bad[0].sections.append(("what the student sees", "\n".join(part for part in told if part)))
    return reports


def _report(item: pytest.Item, outcome: Any, result: TestResult) -> pytest.TestReport:
    path, line, _ = item.location
    text: Any = (path, (line or 0) + 1, result.message) if outcome == "skipped" else result.message
    return pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords={},
        outcome=outcome,
        longrepr=text,
        when="call",
        duration=result.duration_s,
    )


def printable_report(report: pytest.TestReport) -> pytest.TestReport:
    """Spell out what a terminal would obey of a notebook's words in a report, and return it."""
    text = report.longreprtext
    if isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        report.longrepr = (path, line, printable(reason))
    elif (shown := printable(text)) != text:
        report.longrepr = shown
    report.sections = [(name, printable(said)) for name, said in report.sections]
    return report


def _marks(results: list[TestResult]) -> str:
    points = sum((result.points for result in results), Decimal(0))
    most = sum((result.max_points for result in results), Decimal(0))
    passed = sum(result.outcome is TestOutcome.PASSED for result in results)
    partly = sum(result.partly for result in results)
    told = f"{show(points)} of {show(most)} points, {passed} of {len(results)} tests passed"
    return f"{told}, {partly} partly" if partly else told
