"""A suite's time stands still while the suite, or the box for it, waits for a processor."""

from __future__ import annotations

import time
from math import inf, nan
from typing import Any

import pytest

from grader.suite import clock as suite_clock
from grader.suite.alarm import DeadlinePassed, deadline
from grader.suite.clock import SuiteClock
from grader.suite.results import TestOutcome
from grader.wire import messages as m
from tests.helpers.waiting import Clock
from tests.suite.fake_box import FakeBox
from tests.suite.workbench import Workbench

CALLS = "def test_{i}(student):\n    assert student.f() == 1\n"


class Stopwatch:
    """The time that passes and that which this process waits, both by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.waited = 0.0
        monkeypatch.setattr(suite_clock, "time", self)
        monkeypatch.setattr(suite_clock, "waited_s", lambda: self.waited)

    def monotonic(self) -> float:
        return self.now

    def skip(self, seconds: float, *, waiting: float = 0.0) -> None:
        self.now += seconds
        self.waited += waiting


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    return Stopwatch(monkeypatch)


def test_what_the_suite_itself_waits_is_not_counted(watch: Stopwatch) -> None:
    clock = SuiteClock()
    began = clock.now()
    watch.skip(10, waiting=9)
    assert clock.now() - began == pytest.approx(1)


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        pytest.param(0.0, 10, id="it had its processor"),
        pytest.param(3.0, 7, id="it waited for one"),
        pytest.param(9.9, 5, id="of more than the half it is not believed"),
        pytest.param(11.0, 10, id="nor what can't be"),
        pytest.param(-5.0, 10, id="nor less than nothing"),
        pytest.param(nan, 10, id="nor what is no number"),
        pytest.param(inf, 10, id="nor this"),
    ],
)
def test_of_what_the_box_says_it_waits_a_part_is_believed(
    watch: Stopwatch, said: float, counted: float
) -> None:
    clock = SuiteClock()
    began = clock.now()
    clock.begin_call()
    watch.skip(10)
    clock.end_call(waited=said)
    assert clock.now() - began == pytest.approx(counted)


def test_an_open_call_counts_what_it_will_count_at_least(watch: Stopwatch) -> None:
    clock = SuiteClock()
    began = clock.now()
    clock.begin_call()
    watch.skip(10)
    assert clock.now() - began == pytest.approx(5)


def test_a_call_that_was_given_up_counts_its_own_limit(watch: Stopwatch) -> None:
    clock = SuiteClock()
    began = clock.now()
    clock.begin_call()
    watch.skip(25)
    clock.end_call(at_most=15)
    assert clock.now() - began == pytest.approx(15)


def test_a_session_that_is_made_anew_is_no_time_of_the_suite(watch: Stopwatch) -> None:
    clock = SuiteClock()
    began = clock.now()
    with clock.stopped():
        watch.skip(30, waiting=5)
    assert clock.now() - began == pytest.approx(0)


class Waiting(FakeBox):
    """Each call takes 100,000 s, of which it says that it waited for so many."""

    def __init__(self, clock: Clock, said: float) -> None:
        super().__init__("def f(): return 1")
        self._clock = clock
        self._said = said

    def request(self, request: m.Request, blobs: Any = ()) -> tuple[m.Reply, list[memoryview]]:
        reply, parts = super().request(request, blobs)
        if isinstance(request, m.Act):
            self._clock.skip(100_000)
            assert isinstance(reply, m.Value)
            reply = m.Value(value=reply.value, waited_s=self._said)
        return reply, parts


@pytest.mark.parametrize(("said", "passed"), [(0.0, 4), (25e3, 5), (90e3, 6), (1e9, 4)])
def test_a_busy_machine_takes_no_test_from_an_honest_notebook(
    bench: Workbench, clock: Clock, said: float, passed: int
) -> None:
    bench.suite("".join(CALLS.format(i=i) for i in range(6)))
    # A test that begins in time is not stopped before hours of the real clock have passed.
    results = bench.judge(Waiting(clock, said), deadline_s=320_000)
    outcomes = [r.outcome for r in results.values()]
    assert outcomes == [TestOutcome.PASSED] * passed + [TestOutcome.NOT_RUN] * (6 - passed)


def test_a_ring_that_comes_too_early_is_put_off() -> None:
    asked: list[float] = []

    def left_s() -> float:
        asked.append(time.monotonic())
        return 0.05 if len(asked) < 4 else 0.0

    with pytest.raises(DeadlinePassed), deadline(left_s):
        while True:
            time.sleep(0.01)
    assert len(asked) >= 4
