"""Run the collected tests against one submission and say how each ended."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from grader.diagnosis.explain import explain
from grader.diagnosis.kept_values import KeptValue, kept_value
from grader.suite.account import NOTHING, Account, Odd, Received, Trusted
from grader.suite.alarm import DeadlinePassed, deadline
from grader.suite.binding import SubmissionBinding
from grader.suite.comparisons import Comparisons, noted
from grader.suite.credit import Credit, given_credit
from grader.suite.hints import gathered_hints
from grader.suite.outcomes import PASSED, Ending, ending_of, of_box_failure, of_credit
from grader.suite.points import PlannedTest, SuitePlan
from grader.suite.pytest_internals import fresh_request, run_phase, tear_down
from grader.suite.randomness import Seeds, seed_judge
from grader.suite.results import TestOutcome, TestResult, Trial
from grader.suite.right_names import RightNames
from grader.suite.strictness import comparing_strictly
from grader.suite.trials import ending_of_trials, index_of_ending, is_decided, median_measured

MAX_TIMEOUTS = 2
"""So many tests of a question may run out of time; the rest of it is not run."""

MAX_TRIAL_MESSAGE = 300
_ENDS_TRIALS = frozenset(
    {
        TestOutcome.TIMEOUT,
        TestOutcome.OUT_OF_MEMORY,
        TestOutcome.CRASHED,
        TestOutcome.OUTPUT_LIMIT,
    }
)


@dataclass(frozen=True)
class TimeLimits:
    """Seconds of the suite's clock: for all tests together, and for those of one question.

    `spent_s` of the first have been used up before.
    """

    suite_s: float | None = None
    question_s: float | None = None
    spent_s: float = 0.0


class SuiteRun:
    """One submission's way through a suite.

    The plugin's `pytest_runtest_protocol` hands each item to `perform` and its
    `pytest_runtest_makereport` tells `note_exception` what a phase raised.
    """

    def __init__(
        self,
        plan: SuitePlan,
        binding: SubmissionBinding,
        *,
        seeds: Seeds,
        limits: TimeLimits = TimeLimits(),
        on_begin: Callable[[str], None] | None = None,
        on_result: Callable[[TestResult, Account], None] | None = None,
        earlier: Sequence[TestResult] = (),
        measures: bool = False,
        explains: bool = True,
    ) -> None:
        self._plan = plan
        self._link = binding.link
        self._seeds = seeds
        self._reference = binding.reference
        self._limits = limits
        self._on_begin = on_begin
        self._on_result = on_result
        self._earlier = {result.name: result for result in earlier}
        self._clock = binding.link.clock
        limit_s = math.inf if limits.suite_s is None else limits.suite_s
        self._until = self._clock.now() + limit_s - limits.spent_s
        self._timeouts: Counter[str] = Counter()
        self._seconds: dict[str, float] = {}
        self._raised: list[BaseException] = []
        self._results: dict[str, TestResult] = {}
        self._account = NOTHING
        self._out_of_time = False
        self._right_answers = 0
        self._measures = measures
        self._explains = explains
        self._refused: KeptValue | None = None
        self._shares_used: list[float] = []

    def results(self) -> list[TestResult]:
        """The results so far, in the order in which the suite states its tests."""
        done = (self._results.get(test.nodeid) for test in self._plan.tests)
        return [result for result in done if result is not None]

    def note_exception(self, call: pytest.CallInfo[Any]) -> None:
        """Take note of what setup, call or teardown of the running test raised."""
        if call.excinfo is not None:
            self._raised.append(call.excinfo.value)

    def perform(
        self, item: pytest.Item, next_item: pytest.Item | None
    ) -> tuple[TestResult, list[pytest.TestReport]]:
        """Run one item with all its trials, or say why it is not run.

        Raises:
            InfrastructureError: the sandbox failed; this is no result.
        """
        test = self._plan.of(item.nodeid)
        if test.name in self._earlier:
            tear_down(item, next_item)
            return self._keep(item, self._earlier[test.name]), []
        if self._on_begin is not None:
            self._on_begin(test.name)
        began = self._clock.now()
        self._account = NOTHING
        self._refused = None
        self._right_answers = 0
        self._shares_used.clear()
        reports: list[pytest.TestReport] = []
        reason = self._reason_not_to_run(test)
        if reason:
            tear_down(item, next_item)
            ending = Ending(outcome=TestOutcome.NOT_RUN, message=f"Not run: {reason}")
            result = _result(test, ending)
        else:
            result, reports = self._run_trials(item, test, next_item)
        seconds = self._clock.now() - began
        result = msgspec.structs.replace(result, right_answers=self._right_answers)
        if self._shares_used:
            result = msgspec.structs.replace(result, tolerance_used=max(self._shares_used))
        result = self._keep(item, _with_duration(result, seconds))
        if self._on_result is not None:
            self._on_result(result, self._account)
        return result, reports

    def _keep(self, item: pytest.Item, result: TestResult) -> TestResult:
        question = result.question
        self._seconds[question] = self._seconds.get(question, 0.0) + result.duration_s
        self._timeouts[question] += result.outcome is TestOutcome.TIMEOUT
        self._results[item.nodeid] = result
        return result

    # -- whether

    def _reason_not_to_run(self, test: PlannedTest) -> str:
        if self._out_of_time or self._left_s() <= 0:
            return f"the checks had used up their {self._limits.suite_s:g} s before it."
        if test.question and self._timeouts[test.question] >= MAX_TIMEOUTS:
            return "two checks of this question ran out of time before it."
        left = self._question_seconds_left(test)
        if left is not None and left <= 0:
            return (
                f"the checks of this question had used up their {self._limits.question_s:g} s "
                "before it."
            )
        for needed in self._plan.needed_by(test):
            result = self._results.get(needed.nodeid)
            if result is not None and result.outcome is not TestOutcome.PASSED:
                return f"it needs “{needed.title or needed.name}”, which did not pass."
        return ""

    def _question_seconds_left(self, test: PlannedTest) -> float | None:
        if self._limits.question_s is None:
            return None
        return self._limits.question_s - self._seconds.get(test.question, 0.0)

    # -- how

    def _run_trials(
        self, item: pytest.Item, test: PlannedTest, next_item: pytest.Item | None
    ) -> tuple[TestResult, list[pytest.TestReport]]:
        runs: list[_Run] = []
        reports: list[pytest.TestReport] = []
        for index in range(test.trials):
            run, reports = self._run_once(item, test, next_item, index)
            runs.append(run)
            endings = [run.ending for run in runs]
            stopped = sum(ending.outcome in _ENDS_TRIALS for ending in endings)
            skipped = run.ending.outcome is TestOutcome.NOT_RUN
            if is_decided(endings, test) or skipped or stopped >= MAX_TIMEOUTS:
                break
            if self._out_of_time:
                break
        counting = runs[0 if test.trials == 1 else index_of_ending(endings, test)]
        reached = counting.ending if test.trials == 1 else ending_of_trials(endings, test)
        # An object that a run trusted earned its points whichever run speaks for all of them.
        earning = [run for run in runs if run.ending.credit.share > 0]
        trusted = [one for run in earning for one in run.trusted]
        odd = [one for run in earning for one in run.odd]
        self._account = Account(
            received=counting.received,
            kinds=counting.kinds,
            odd=tuple(dict.fromkeys([*counting.odd, *odd])),
            doubtful=reached.doubtful,
            unusable=reached.unusable,
            trusted=tuple(dict.fromkeys([*counting.trusted, *trusted])),
            trusting=reached.credit.share > 0 and bool(trusted or odd),
            # Of several trials each has other values.
            refused=self._refused if test.trials == 1 else None,
        )
        trials = [run.trial for run in runs]
        if test.trials == 1:
            kept = trials if reached.credit.curve else ()
            return _result(test, reached, hints=counting.hints_if_missed, trials=kept), reports
        told = [text for run in runs for text in run.hints_if_missed]
        hints = tuple(dict.fromkeys(told)) if reached.outcome is not TestOutcome.PASSED else ()
        result = _result(test, reached, hints=hints, trials=trials)
        return msgspec.structs.replace(
            result,
            measured=median_measured(trials),
            most_trials=test.trials,
            needed_trials=test.trials_needed,
        ), reports

    def _run_once(
        self, item: pytest.Item, test: PlannedTest, next_item: pytest.Item | None, trial: int
    ) -> tuple[_Run, list[pytest.TestReport]]:
        self._link.revive()
        judge_seed = self._seeds.of_judge(test.name, trial)
        seed_judge(judge_seed)
        self._raised.clear()
        seed = self._seeds.of_box(test.name, trial)
        right = RightNames(self._reference, test.right)
        self._link.begin_test(seed=seed, until=self._call_deadline(test), right=right)
        reports: list[pytest.TestReport] = []
        with gathered_hints() as hints, given_credit() as given, noted() as compared:
            try:
                with deadline(self._left_s), comparing_strictly():
                    reports = self._run_phases(item, next_item)
            except DeadlinePassed:  # between two phases; within one pytest notes it
                self._out_of_time = True
        self._out_of_time |= any(isinstance(error, DeadlinePassed) for error in self._raised)
        if self._out_of_time:
            tear_down(item, None)
        if self._link.infrastructure is not None:
            raise self._link.infrastructure
        ending = self._ending(test, given)
        if ending.outcome is TestOutcome.FAILED and not test.right and self._raised:
            # A value that a right answer of the reference went into could be told apart by kinds.
            ending = replace(ending, diagnosis=self._diagnosis(compared, self._raised[0]))
        self._right_answers += right.asked
        raised = self._raised[0] if self._raised else None
        used = compared.tolerance_used(raised) if self._measures else None
        if used is not None:
            self._shares_used.append(used)
        if test.right:
            ending, hints = _untold(ending, test, hints), []
        run = _Run(
            seed=judge_seed,
            ending=ending,
            hints=tuple(hints),
            received=tuple(self._link.received),
            kinds=tuple(self._link.kinds),
            odd=tuple(self._link.odd),
            trusted=tuple(self._link.trusted),
        )
        return run, reports

    def _diagnosis(self, seen: Comparisons, raised: BaseException) -> str:
        """The kind of mistake that the value shows at which the test failed."""
        refused = seen.refused(raised)
        if refused is None:
            return ""
        one = refused.compared
        self._refused = kept_value(one.mine, one.other, place=refused.place, both=not one.sided)
        if not self._explains or not one.sided:
            return ""
        return explain(one.mine, one.other, rtol=one.rtol, atol=one.atol)

    def _left_s(self) -> float:
        return self._until - self._clock.now()

    def _call_deadline(self, test: PlannedTest) -> float:
        left = self._question_seconds_left(test)
        return self._until if left is None else min(self._until, self._clock.now() + left)

    def _run_phases(
        self, item: pytest.Item, next_item: pytest.Item | None
    ) -> list[pytest.TestReport]:
        """Do what pytest's own protocol does, and drop every fixture of a session that is gone."""
        generation = self._link.generation
        with fresh_request(item):
            reports = [run_phase(item, "setup")]
            if reports[0].passed:
                reports.append(run_phase(item, "call"))
            if self._link.failure is not None or self._link.generation != generation:
                # Fixtures of a wider scope may hold objects of the session that ended: other
                # questions' tests must get new ones.
                next_item = None
            reports.append(run_phase(item, "teardown", nextitem=next_item))
        return reports

    def _ending(self, test: PlannedTest, given: Sequence[Credit]) -> Ending:
        raised = self._raised[0] if self._raised else None
        if self._out_of_time:
            return Ending(
                outcome=TestOutcome.TIMEOUT,
                message=f"The checks took more than the {self._limits.suite_s:g} s they have.",
            )
        if self._link.failure is not None:
            # Also when the suite swallowed it: a call that never came back earns nothing.
            return of_box_failure(self._link.failure)
        if raised is None:
            return of_credit(given[-1], test.max_points) if given else PASSED
        return ending_of(raised, shows_details=test.shows_details, reference=self._reference)


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One run of a test, with what it received from the box."""

    seed: int
    ending: Ending
    hints: tuple[str, ...]
    received: tuple[Received, ...]
    kinds: tuple[Received, ...]
    odd: tuple[Odd, ...]
    trusted: tuple[Trusted, ...]

    @property
    def trial(self) -> Trial:
        credit = self.ending.credit
        return Trial(
            seed=self.seed,
            outcome=self.ending.outcome,
            message=self.ending.message[:MAX_TRIAL_MESSAGE],
            measured=msgspec.UNSET if credit.measured is None else credit.measured,
            curve=credit.curve or msgspec.UNSET,
        )

    @property
    def hints_if_missed(self) -> tuple[str, ...]:
        return () if self.ending.outcome is TestOutcome.PASSED else self.hints


def _untold(ending: Ending, test: PlannedTest, hints: Sequence[str]) -> Ending:
    """Keep from the student whatever could hold an answer of the reference.

    Their code can raise it as an error's text, return it into an assertion's message or a hint, or
    draw it as a curve.
    """
    ending = replace(ending, credit=replace(ending.credit, curve=()))
    if ending.outcome is TestOutcome.PASSED:
        return ending
    told = "\n".join(t for t in (ending.message, *hints, ending.traceback, ending.details) if t)
    names = ", ".join(f"`{name}`" for name in test.right)
    return replace(
        ending,
        message=f"This check was given a right {names} in place of yours.",
        traceback="",
        details=told,
    )


def unfinished(test: PlannedTest, outcome: TestOutcome, message: str) -> TestResult:
    """The result of a test that could not be run to its end."""
    return _result(test, Ending(outcome=outcome, message=message))


def _result(
    test: PlannedTest, ending: Ending, *, hints: Sequence[str] = (), trials: Sequence[Trial] = ()
) -> TestResult:
    return TestResult(
        name=test.name,
        question=test.question,
        points=ending.points(test.max_points),
        max_points=test.max_points,
        outcome=ending.outcome,
        title=test.title,
        message=ending.message,
        hints=tuple(hints),
        traceback=ending.traceback,
        details=ending.details,
        diagnosis=ending.diagnosis or msgspec.UNSET,
        shows=test.shows,
        # What the suite itself raised is no student's to read.
        shows_details=test.shows_details
        and not test.right
        and ending.outcome is not TestOutcome.SUITE_ERROR,
        trials=tuple(trials),
        measured=ending.credit.measured,
        right=test.right,
    )


def _with_duration(result: TestResult, seconds: float) -> TestResult:
    return msgspec.structs.replace(result, duration_s=round(seconds, 4))
