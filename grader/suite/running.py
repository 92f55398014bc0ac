"""The judge's core: collect a suite once, then run it for one submission after the other.

`collect_suite` starts pytest in this process and stops where the tests would run. What is called
there (`on_ready`) forks once for each submission; the child calls `CollectedSuite.run`.
"""

from __future__ import annotations

import contextlib
import copy
import io
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from types import ModuleType

import pytest

from grader.errors import SuiteError
from grader.suite import plugin
from grader.suite.account import Account
from grader.suite.binding import BINDING, SubmissionBinding
from grader.suite.box_link import BoxClient, BoxLink
from grader.suite.current_run import RUN
from grader.suite.evidence import FixtureNotes, Witness
from grader.suite.executed_notebook import ExecutedNotebook
from grader.suite.execution import SuiteRun, TimeLimits
from grader.suite.plan_checks import check_needs, check_notebooks, run_order
from grader.suite.points import PlannedTest, SuitePlan, read_plan
from grader.suite.pytest_internals import drop_logging, fixture_definitions, fixture_names
from grader.suite.randomness import Seeds, tamed_hypothesis
from grader.suite.reference import load_reference
from grader.suite.results import TestResult
from grader.suite.reusable_results import reusable_results
from grader.suite.right_names import is_answerable
from grader.suite.student import Student

MAX_ERROR = 4_000
_LINE_OF_ERROR = re.compile(r"^(?:E\s+)?(?:File \")?([^\n\":]+\.py)(?:\", line |:)(\d+)", re.M)
_TEXT_OF_ERROR = re.compile(r"^E\s+(.+)$", re.M)


@dataclass(frozen=True, kw_only=True)
class NotebookOfSuite:
    """One of several notebooks that a suite judges: its questions, and its reference solution."""

    name: str
    questions: Collection[str]
    reference_path: Path | None = None


class CollectedSuite:
    """A suite that is collected, checked, and ready to run for any number of submissions."""

    def __init__(
        self,
        session: pytest.Session,
        reference: ModuleType | None,
        notebooks: Mapping[NotebookOfSuite, ModuleType | None] | None = None,
    ) -> None:
        self.plan: SuitePlan = read_plan(session.items)
        self._session = session
        self._reference = reference
        self._notebooks = {} if notebooks is None else dict(notebooks)
        items = {item.nodeid: item for item in session.items}
        self._check(session.items)
        self._has_questions = len({test.question for test in self.plan.tests}) > 1
        self._items = [items[test.nodeid] for test in run_order(self.plan)]

    def run(
        self,
        client: BoxClient,
        notebook: ExecutedNotebook,
        *,
        seeds: Seeds,
        deadline_s: float | None = None,
        question_s: float | None = None,
        spent_s: float = 0.0,
        on_begin: Callable[[str], None] | None = None,
        on_result: Callable[[TestResult, Account], None] | None = None,
        earlier: Sequence[TestResult] = (),
        measures: bool = False,
        explains: bool = True,
    ) -> list[TestResult]:
        """Run every test for one submission, in a process forked for it.

        Args:
            client: the box in which the submission's notebook lives; or a witness between.
            notebook: the executed notebook.
            seeds: of the batch; each test has its own of them, on both sides.
            deadline_s: seconds for all tests; what has not run by then is not run.
            spent_s: seconds of them that earlier processes have used.
            question_s: seconds for the tests of one question; by default half of `deadline_s`
                where there are several, so that one slow question can't take the others' time.
            on_begin: called with each test's name before it is run.
            on_result: called after each test, in the order in which they run, with what went on in
                it.
            earlier: results of a process that ended before it was through; they stand.
            measures: whether each result says how much of its tolerances its test has used.
            explains: whether a result says what kind of mistake a wrong value shows.

        Raises:
            InfrastructureError: the sandbox failed; none of the results is a mark.
        """
        link = BoxLink(client)
        if isinstance(client, Witness):
            self._session.config.pluginmanager.register(FixtureNotes(client))
        if question_s is None and deadline_s is not None and self._has_questions:
            question_s = deadline_s / 2
        binding = SubmissionBinding(link, Student(link), notebook, self._reference)
        run = SuiteRun(
            self.plan,
            binding,
            seeds=seeds,
            limits=TimeLimits(deadline_s, question_s, spent_s),
            on_begin=on_begin,
            on_result=on_result,
            earlier=earlier,
            measures=measures,
            explains=explains,
        )
        self._go_through(run, binding)
        return run.results()

    def of_notebook(self, name: str) -> CollectedSuite:
        """Return the suite as far as it judges one of several notebooks.

        It has the tests of that notebook's questions, and those that name no question.
        """
        notebook, reference = next(
            (n, module) for n, module in self._notebooks.items() if n.name == name
        )
        tests = [t for t in self.plan.tests if not t.question or t.question in notebook.questions]
        kept = {test.nodeid for test in tests}
        part = copy.copy(self)
        part.plan = replace(self.plan, tests=tuple(tests))
        part._items = [item for item in self._items if item.nodeid in kept]
        part._reference = reference
        part._has_questions = len({test.question for test in tests}) > 1
        part._notebooks = {}
        return part

    def only(self, names: Collection[str]) -> CollectedSuite:
        """Return the suite as far as it is these tests, by their names."""
        tests = [test for test in self.plan.tests if test.name in names]
        kept = {test.nodeid for test in tests}
        part = copy.copy(self)
        part.plan = replace(self.plan, tests=tuple(tests))
        part._items = [item for item in self._items if item.nodeid in kept]
        return part

    def said(
        self, box: BoxClient, notebook: ExecutedNotebook, *, seeds: Seeds, deadline_s: float
    ) -> list[tuple[TestResult, Account]]:
        """Run it on what the course itself wrote, and return what each test said.

        Args:
            box: such as a `LocalBox`.
            notebook: what the suite reads of sources.
            seeds: of the draws.
            deadline_s: of the wall clock, for all of it.
        """
        heard: list[tuple[TestResult, Account]] = []
        self.run(
            box,
            notebook,
            seeds=seeds,
            deadline_s=deadline_s,
            on_result=lambda result, account: heard.append((result, account)),
            explains=False,
        )
        return heard

    def standing(
        self, unchanged: Collection[str], before: Sequence[TestResult]
    ) -> list[TestResult]:
        """Return the results of an earlier run that stand; see `suite.reusable_results`."""
        return reusable_results(self.plan, self._items, unchanged, before)

    def _go_through(self, run: SuiteRun, binding: SubmissionBinding) -> None:
        stash = self._session.config.stash
        stash[BINDING], stash[RUN] = binding, run
        try:
            # What a suite prints is nobody's: the judge's stdout may be a document.
            with contextlib.redirect_stdout(_Sink()), contextlib.redirect_stderr(_Sink()):
                for item, following in zip_longest(self._items, self._items[1:]):
                    item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        finally:
            del stash[BINDING], stash[RUN]

    def _check(self, items: Sequence[pytest.Item]) -> None:
        faults = [*self.plan.faults, *check_needs(self.plan)]
        if not items and any(self._session.path.rglob("test_*.py")):
            faults = ["the suite has no tests"]
        faults += check_notebooks(self.plan, {n.name: n.questions for n in self._notebooks})
        for test in self.plan.tests:
            faults += _without_answers(test, self._reference_for(test))
        has_reference = self._reference is not None or any(self._notebooks.values())
        for item in items:
            faults += _missing_fixtures(item, has_reference=has_reference)
        if faults:
            raise SuiteError("; ".join(dict.fromkeys(faults)), hint="Fix the suite's marks.")

    def _reference_for(self, test: PlannedTest) -> ModuleType | None:
        held = (m for n, m in self._notebooks.items() if test.question in n.questions)
        return next(held, self._reference)


def collect_suite(
    folder: Path,
    *,
    reference_path: Path | None,
    on_ready: Callable[[CollectedSuite], None],
    notebooks: Sequence[NotebookOfSuite] = (),
    extra_plugins: Sequence[object] = (),
) -> None:
    """Collect the suite in `folder` and call `on_ready` with it, once, in this process.

    Only the suite's own `conftest.py` counts: configuration and plugins of the machine are left
    out, so that a mark does not depend on what is installed beside us.

    Args:
        folder: holds `test_*.py`.
        reference_path: the reference solution; None for a public suite, which has none.
        on_ready: what it raises goes through.
        notebooks: where there are several, instead of a reference path.
        extra_plugins: pytest plugins for this run.

    Raises:
        SuiteError: the suite or the reference can't be used: file, line, what to do.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise SuiteError("there is no such suite", where=folder)
    reference = None if reference_path is None else load_reference(reference_path.resolve())
    references = {
        n: None if n.reference_path is None else load_reference(n.reference_path.resolve(), n.name)
        for n in notebooks
    }
    judge = _Judge(folder, lambda session: CollectedSuite(session, reference, references), on_ready)
    hypothesis = tamed_hypothesis() if _uses_hypothesis(folder) else contextlib.nullcontext()
    out, err = contextlib.redirect_stdout(judge.said), contextlib.redirect_stderr(judge.said)
    with _alone(folder), hypothesis, out, err:
        pytest.main(_arguments(folder), plugins=[plugin, judge, *extra_plugins])
    judge.finish()


def _arguments(folder: Path) -> list[str]:
    return [
        str(folder),
        f"--rootdir={folder}",
        f"--confcutdir={folder}",
        "-c",
        os.devnull,
        "--import-mode=importlib",
        "--strict-markers",
        "--capture=no",
        "--tb=native",
        "--color=no",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:faulthandler",
        # It collects garbage ten times at the end (pytest 8.4, `_pytest/unraisableexception.py`),
        # which with torch loaded takes longer than most suites, and nobody reads its warnings.
        "-p",
        "no:unraisableexception",
    ]


class _Judge:
    """The pytest plugin that stops before the first test."""

    def __init__(
        self,
        folder: Path,
        make: Callable[[pytest.Session], CollectedSuite],
        on_ready: Callable[[CollectedSuite], None],
    ) -> None:
        self._folder = folder
        self._make = make
        self._on_ready = on_ready
        self._streams = sys.stdout, sys.stderr
        self._reports: list[pytest.CollectReport] = []
        self._error: BaseException | None = None
        self._was_ready = False
        self.said = _Sink(MAX_ERROR)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._reports.append(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if self._reports:
            return True
        out, err = self._streams
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                _drop_unused_logging(session)
                suite = self._make(session)
                self._was_ready = True
                self._on_ready(suite)
        except BaseException as error:  # noqa: BLE001 - pytest would swallow it; `finish` raises it
            self._error = error
        return True

    def finish(self) -> None:
        """Raise what went wrong in pytest's hands."""
        if self._error is not None:
            if isinstance(self._error, SuiteError) and self._error.where is None:
                self._error.where = str(self._folder)
            raise self._error
        if self._reports:
            first, others = self._reports[0], len(self._reports) - 1
            raise self._broken(str(first.longrepr), self._folder / first.nodeid, others)
        if not self._was_ready:
            raise self._broken(self.said.getvalue(), self._folder)

    def _broken(self, text: str, place: Path, others: int = 0) -> SuiteError:
        # pytest writes a path relative to where it was started when that is shorter.
        found = [(Path(file).resolve(), line) for file, line in _LINE_OF_ERROR.findall(text)]
        lines = [(file, line) for file, line in found if file.is_relative_to(self._folder)]
        said = _TEXT_OF_ERROR.findall(text) or [line for line in text.splitlines() if line.strip()]
        what = " ".join(part.strip() for part in said[-3:]) or "pytest says nothing"
        more = f" ({others} more of its files can't be collected either)" if others else ""
        return SuiteError(
            f"the suite can't be collected: {what[:MAX_ERROR]}{more}",
            where=f"{lines[-1][0]}:{lines[-1][1]}" if lines else place,
            hint="Fix it and start again: no submission has been graded.",
        )


def _drop_unused_logging(session: pytest.Session) -> None:
    """Where no test takes `caplog`: each phase of a test would visit every library's loggers."""
    if not any("caplog" in getattr(item, "fixturenames", ()) for item in session.items):
        drop_logging(session.config)


class _Sink(io.StringIO):
    """A stream that keeps the first characters and drops the rest."""

    def __init__(self, limit: int = 0) -> None:
        super().__init__()
        self._left = limit

    def write(self, text: str) -> int:
        kept = text[: self._left]
        self._left -= len(kept)
        super().write(kept)
        return len(text)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep what surrounds us out of the suite, and the suite's traces out of what surrounds us."""
    names = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    environment = {name: os.environ.pop(name, None) for name in names}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = writes_bytecode
        for name, value in environment.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        # The next suite may have files of the same names.
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(f"{folder}{os.sep}"):
                del sys.modules[name]


def _uses_hypothesis(folder: Path) -> bool:
    return any(b"hypothesis" in path.read_bytes() for path in folder.rglob("*.py"))


def _missing_fixtures(item: pytest.Item, *, has_reference: bool) -> Iterator[str]:
    given = {"request", *fixture_definitions(item), *getattr(item, "callspec", _NoCase).params}
    needed = fixture_names(item)
    for name in needed:
        if name not in given:
            yield f"{item.nodeid} asks for the fixture {name}, which the suite does not have"
    if not has_reference and "reference" in needed:
        yield f"{item.nodeid} asks for the reference, which a public suite does not have"


def _without_answers(test: PlannedTest, reference: ModuleType | None) -> Iterator[str]:
    if test.right and reference is None:
        yield f"{test.where}: {test.name} is marked with_right, and a public suite has no reference"
        return
    for name in test.right:
        if reference is not None and not is_answerable(reference, name):
            yield f"{test.where}: with_right: the reference has no function {name}"


class _NoCase:
    params: dict[str, object] = {}  # noqa: RUF012 - never written to
