"""A suite's children that die at any moment, over a notebook that writes what it likes."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import BoxFailure, WireError
from grader.grading.relay import RelayedBox
from grader.grading.suite_children import SuiteChildren
from grader.sandbox import conversation, stream
from grader.sandbox.notebook_box import MAX_RESTARTS, NotebookBox, RunLimits
from grader.suite.account import Account
from grader.suite.points import PlannedTest, SuitePlan
from grader.suite.results import TestOutcome, TestResult
from grader.wire import messages as m
from tests.helpers.settings import SETTING
from tests.sandbox.hostile_child import FORGED, HONEST, PATIENT_S, ScriptedSlot, script
from tests.sandbox.test_hostile_child import scripts

MANY = os.environ.get("GRADER_FUZZ") == "nightly"
HASTY_S = 0.05
LIMITS = RunLimits(call_s=PATIENT_S, cell_s=PATIENT_S, processes=512, memory_bytes=2 << 30)
Test = Callable[[RelayedBox], str]


def asks(steps: Any, dies: str) -> Test:
    """A test that asks once, and whose process is killed at that moment."""

    def test(client: RelayedBox) -> str:
        if dies == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        if dies == "within":  # a timer of another process: it comes in the middle of anything
            me = os.getpid()
            if os.fork() == 0:
                time.sleep(HASTY_S / 2)
                os.kill(me, signal.SIGKILL)
                os._exit(0)
        try:
            reply = client.request(m.Fetch(name=script(steps), timeout_s=HASTY_S))[0]
        except (BoxFailure, WireError) as failure:
            said = type(failure).__name__
        else:
            said = json.dumps(getattr(reply, "value", None) or repr(reply))
        if dies == "within":
            time.sleep(HASTY_S)
        return said

    return test


class Suite:
    """A collected suite of such tests; a result's message says what was believed."""

    def __init__(self, tests: list[Test]) -> None:
        self._tests = {f"t{number}": test for number, test in enumerate(tests)}
        planned = (PlannedTest(name=n, nodeid=n, function=n, question="q1") for n in self._tests)
        self.plan = SuitePlan(tests=tuple(planned))

    def run(self, client: Any, view: Any, **options: Any) -> None:
        done = {result.name for result in options["earlier"]}
        for name, test in self._tests.items():
            if name in done:
                continue
            options["on_begin"](name)
            options["on_result"](
                TestResult(
                    name=name,
                    question="q1",
                    points=Decimal(0),
                    max_points=Decimal(0),
                    outcome=TestOutcome.PASSED,
                    message=test(client),
                ),
                Account(),
            )


def judged(slot: ScriptedSlot, seed: int, tests: list[Test]) -> tuple[list[str], NotebookBox]:
    """What each test of a submission says that it believed; "" of one whose child was lost."""
    box = NotebookBox(slot, [script(HONEST)], limits=LIMITS, seed=seed)
    try:
        assert [cell.status for cell in box.run().cells] == ["ok"]
        run = SuiteChildren(Suite(tests), SETTING, box, {"cells": []}, {})  # type: ignore[arg-type]
        found = run.results()
    finally:
        box.close()
    return [r.message if r.outcome is TestOutcome.PASSED else "" for r in found], box


@given(
    tests=st.lists(
        st.tuples(scripts, st.sampled_from(["", "", "before", "within"])), min_size=1, max_size=5
    )
)
@settings(max_examples=300 if MANY else 8, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_next_submission_starts_clean_whatever_killed_the_suites_child(tests: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversation, "GRACE_S", 0.05)
        patch.setattr(stream, "CLOSE_S", 0.2)
        slot = ScriptedSlot()
        try:
            said, box = judged(slot, 1, [asks(steps, dies) for steps, dies in tests])
            for one in said:
                assert FORGED not in one or one.startswith("[1,") or "'1 FORGED'" in one, one
                assert "honest" not in one or one == '[1, "honest"]'
            assert box.restarts <= MAX_RESTARTS
            patch.setattr(stream, "CLOSE_S", PATIENT_S)
            patch.setattr(conversation, "GRACE_S", PATIENT_S)
            for seed in (2, 3):
                said, _ = judged(slot, seed, [asks(HONEST, "")] * 2)
                assert said == [f'[{seed}, "honest"]'] * 2
        finally:
            slot.remove()
