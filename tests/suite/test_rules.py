"""Needs, trials, timeouts, deadlines, seeds: the rules by which a suite is run."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from grader.suite.randomness import Seeds, seed_judge
from grader.suite.results import TestOutcome
from grader.wire import messages
from tests.helpers.waiting import Clock
from tests.suite.fake_box import FakeBox
from tests.suite.workbench import Workbench

NEEDS = """
    @pytest.mark.needs("test_forward")
    def test_backward(student): assert student.backward
    @pytest.mark.parametrize("size", [1, 2])
    def test_forward(student, size): assert student.forward >= size
    @pytest.mark.needs("test_backward")
    def test_training(student): pass
    """


def test_needed_tests_run_first_and_results_keep_the_suites_order(bench: Workbench) -> None:
    bench.suite(NEEDS)
    results = bench.judge("forward, backward = 2, True")
    assert list(results) == [
        "test_backward",
        "test_forward[1]",
        "test_forward[2]",
        "test_training",
    ]
    assert {r.outcome for r in results.values()} == {TestOutcome.PASSED}


def test_test_is_not_run_when_a_case_that_it_needs_fails(bench: Workbench) -> None:
    bench.suite(NEEDS)
    results = bench.judge("forward, backward = 1, True")
    assert results["test_backward"].outcome is TestOutcome.NOT_RUN
    said = results["test_backward"].message
    assert said == "Not run: it needs “test_forward[2]”, which did not pass."
    assert results["test_training"].message.startswith("Not run: it needs “test_backward”")


def test_needs_across_files_and_classes(bench: Workbench) -> None:
    bench.suite("class TestQ1:\n    def test_a(self, student): assert student.a\n")
    bench.suite(
        "@pytest.mark.needs('TestQ1::test_a')\ndef test_b(student): pass\n"
        "@pytest.fixture(scope='module', autouse=True)\ndef around(): yield\n"
        "def test_c(student): pass\n",
        "test_a0.py",
    )
    bench.suite("def test_d(student): pass\n", "test_z.py")
    results = bench.judge("a = False")
    outcomes = {name: result.outcome.value for name, result in results.items()}
    assert outcomes == {
        "test_b": "not_run",
        "test_c": "passed",
        "TestQ1::test_a": "failed",
        "test_d": "passed",
    }


TRIALS = """
    @pytest.mark.points(3)
    @pytest.mark.trials(5, need=3)
    def test_training(student):
        assert student.train() > 0
    """


def test_trials_stop_as_soon_as_enough_have_passed(bench: Workbench) -> None:
    bench.suite(TRIALS)
    result = bench.judge_one("n = iter([1, 0, 1, 1, 1])\ndef train(): return next(n)")
    assert (result.outcome, result.points) == (TestOutcome.PASSED, 3)
    assert [trial.outcome.value for trial in result.trials] == [
        "passed",
        "failed",
        "passed",
        "passed",
    ]
    assert len({trial.seed for trial in result.trials}) == 4
    assert result.message == ""


def test_trials_stop_as_soon_as_they_cannot_pass_any_more(bench: Workbench) -> None:
    bench.suite(TRIALS)
    result = bench.judge_one("n = iter([1, 0, 0, 0, 1])\ndef train(): return next(n)")
    assert result.outcome is TestOutcome.FAILED
    assert len(result.trials) == 4
    assert result.message == "This check failed. 1 of 4 tries passed, 3 are needed."


def test_trials_of_a_loop_end_after_the_second(bench: Workbench) -> None:
    bench.suite(TRIALS)
    result = bench.judge_one("def train(): raise Slow")
    assert result.outcome is TestOutcome.TIMEOUT
    assert len(result.trials) == 2


def test_each_trial_seeds_the_judge_anew_and_the_same_for_all(bench: Workbench) -> None:
    bench.suite(
        """
        @pytest.mark.trials(3, need=3)
        def test_noise(): raise AssertionError(torch.rand(1).item())
        """
    )
    first, again = bench.judge_one(""), bench.judge_one("")
    other = bench.judge_one("", seeds=Seeds(2))
    assert first.details == again.details
    assert first.details != other.details


def test_box_gets_the_same_seed_in_every_submission_and_another_in_each_trial(
    bench: Workbench,
) -> None:
    bench.suite("@pytest.mark.trials(2, need=2)\ndef test_a(student): student.x\n")
    seeds = []
    for _ in range(2):
        box = FakeBox("x = 1")
        bench.judge(box)
        seeds.append([r.seed for r in box.requests if isinstance(r, messages.Seed)])
    assert seeds[0] == seeds[1]
    assert len(set(seeds[0])) == 2


def test_seed_is_documented_arithmetic() -> None:
    seeds = Seeds(7, b"secret")
    assert seeds.of_judge("test_a", 0) == Seeds(7, b"secret").of_judge("test_a")
    assert len({seeds.of_judge("test_a", trial) for trial in range(100)}) == 100
    made = {"key": b"secret", "digest_size": 8, "person": b"grader's judge"}
    digest = hashlib.blake2b(b"7\0test_a\x003", **made).digest()
    assert seeds.of_judge("test_a", 3) == int.from_bytes(digest, "big") >> 11


def test_no_seed_of_a_box_is_one_of_the_judge_or_known_without_the_courses_secret() -> None:
    seeds = Seeds(7, b"secret")
    sides = (seeds.of_judge, seeds.of_box)
    made = [side("test_a", trial) for side in sides for trial in range(20)]
    made.append(seeds.of_notebook())
    for guess in (Seeds(7), Seeds(7, b"other"), Seeds(8, b"secret")):
        made += [guess.of_judge("test_a"), guess.of_box("test_a"), guess.of_notebook()]
    assert len(set(made)) == len(made)


def test_seeds_that_torch_takes_for_the_same_lead_to_other_draws() -> None:
    drawn = []
    for seed in (5, 5 + (1 << 32), 5 + (1 << 40), 5):
        seed_judge(seed)
        drawn.append((torch.rand(1).item(), np.random.rand(), random.random()))
    assert drawn[0] == drawn[3]
    assert len({numbers for numbers, _, _ in drawn}) == 2  # so few draws are thrown away: 0 and 8
    assert len({numbers for _, numbers, _ in drawn}) == 3
    assert len({numbers for _, _, numbers in drawn}) == 3


def test_box_is_seeded_only_when_a_test_asks_something_of_it(bench: Workbench) -> None:
    bench.suite("def test_a(notebook): pass\ndef test_b(student): student.x; student.x\n")
    box = FakeBox("x = 1")
    bench.judge(box)
    assert [type(request).__name__ for request in box.requests] == ["Seed", "Fetch", "Fetch"]


def test_after_two_timeouts_the_rest_of_the_question_is_not_run(bench: Workbench) -> None:
    bench.suite("".join(f"def test_{i}(student): student.loop()\n" for i in range(4)))
    bench.suite("def test_other(student): assert student.fine\n", "test_q2.py")
    box = FakeBox("fine = True\ndef loop(): raise Slow")
    results = bench.judge(box)
    assert [r.outcome.value for r in results.values()] == [
        "timeout",
        "timeout",
        "not_run",
        "not_run",
        "passed",
    ]
    assert "two checks of this question ran out of time" in results["test_3"].message


def test_call_after_a_timeout_in_the_same_test_is_refused_at_once(bench: Workbench) -> None:
    bench.suite(
        """
        def test_a(student):
            for _ in range(1000):
                try:
                    student.loop()
                except Exception:
                    pass
        """
    )
    box = FakeBox("def loop(): raise Slow")
    assert bench.judge_one(box).outcome is TestOutcome.TIMEOUT
    assert len(box.requests) <= 4


def test_rest_is_not_run_when_the_deadline_has_passed(bench: Workbench) -> None:
    bench.suite("import time\ndef test_a(student): time.sleep(600)\ndef test_b(student): pass\n")
    results = bench.judge("", deadline_s=1.5)
    assert results["test_a"].outcome is TestOutcome.TIMEOUT
    assert results["test_b"].outcome is TestOutcome.NOT_RUN
    assert results["test_b"].message == "Not run: the checks had used up their 1.5 s before it."


def test_endless_loop_of_the_suite_itself_is_stopped(bench: Workbench) -> None:
    bench.suite(
        """
        def test_a(student):
            while True:
                try:
                    while student is not None:
                        pass
                except Exception:
                    pass
        """
    )
    result = bench.judge_one("", deadline_s=1.5)  # else it never comes back
    assert result.outcome is TestOutcome.TIMEOUT


def test_loop_that_swallows_every_exception_is_stopped_by_a_later_alarm(bench: Workbench) -> None:
    bench.suite(
        """
        def test_a(student):
            for _ in range(2):
                try:
                    while True:
                        pass
                except BaseException:
                    pass
            while True:
                pass
        """
    )
    assert bench.judge_one("", deadline_s=1.5).outcome is TestOutcome.TIMEOUT


def test_calls_get_no_more_time_than_the_deadline_leaves(bench: Workbench) -> None:
    bench.suite("def test_a(student): student.x\n")
    box = FakeBox("x = 1", call_timeout_s=600)
    bench.judge(box, deadline_s=60)
    assert 0 < box.requests[-1].timeout_s <= 60  # type: ignore[union-attr]


def test_one_slow_question_leaves_the_others_their_time(bench: Workbench, clock: Clock) -> None:
    bench.suite("".join(f"def test_{i}(student): student.slow()\n" for i in range(9)))
    bench.suite("def test_other(student): assert student.fine\n", "test_q2.py")
    box = FakeBox("fine = True")
    box.namespace["slow"] = lambda: clock.skip(300)
    results = bench.judge(box, deadline_s=2000)
    assert results["test_other"].outcome is TestOutcome.PASSED
    assert "this question had used up their 1000 s" in results["test_8"].message


def test_fixtures_of_a_session_that_ended_are_made_anew(bench: Workbench) -> None:
    bench.suite(
        """
        @pytest.fixture(scope="session")
        def model(student): return student.Model()
        def test_a(model): assert model.size() == 3
        def test_b(student): student.crash()
        def test_c(model): assert model.size() == 3
        """
    )
    results = bench.judge(
        "from grader.errors import BoxCrashed\n"
        "class Model:\n    def size(self): return 3\n"
        "def crash(): raise BoxCrashed('exit 1')"
    )
    assert [r.outcome.value for r in results.values()] == ["passed", "crashed", "passed"]


def test_results_are_told_as_they_come(bench: Workbench) -> None:
    bench.suite("def test_a(student): pass\ndef test_b(student): assert 0\n")
    told: list[str] = []
    bench.judge("", on_result=lambda result, _: told.append(result.name))
    assert told == ["test_a", "test_b"]


def test_what_an_earlier_process_has_judged_is_not_run_again_and_counts(bench: Workbench) -> None:
    bench.suite(
        "def test_a(student): student.a\n@pytest.mark.needs('test_a')\ndef test_b(student): pass\n"
    )
    earlier = list(bench.judge("").values())[:1]
    begun: list[str] = []
    box = FakeBox("a = 1")
    results = bench.judge(box, earlier=earlier, on_begin=begun.append)
    assert results["test_a"] == earlier[0]
    assert results["test_b"].outcome is TestOutcome.NOT_RUN
    assert begun == ["test_b"]
    assert box.requests == []


def test_one_collected_suite_serves_many_submissions(bench: Workbench) -> None:
    bench.suite(
        """
        made = []
        @pytest.fixture(scope="session")
        def model(student):
            made.append(1)
            return student.x
        def test_a(model): assert model == 1
        """
    )
    from grader.suite.executed_notebook import ExecutedNotebook

    outcomes: list[str] = []

    def grade_all(suite: object) -> None:
        for value in (1, 2, 1):
            (result,) = suite.run(  # type: ignore[attr-defined]
                FakeBox(f"x = {value}"), ExecutedNotebook({}, {}), seeds=Seeds(0)
            )
            outcomes.append(result.outcome.value)

    bench.collect(grade_all)
    assert outcomes == ["passed", "failed", "passed"]


def test_hypothesis_works_is_reproducible_and_leaves_no_trace(
    bench: Workbench, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.suite(
        """
        from hypothesis import given, settings, strategies as st
        @pytest.mark.points(1)
        @settings(max_examples=20)
        @given(st.integers(-1000, 1000))
        def test_square(student, n):
            assert student.square(n) == n * n
        """
    )
    monkeypatch.chdir(bench.folder.parent)
    assert bench.judge_one("def square(n): return n * n").outcome is TestOutcome.PASSED
    asked = []
    for _ in range(2):
        box = FakeBox("def square(n): return abs(n)")
        assert bench.judge_one(box).outcome is TestOutcome.FAILED
        asked.append([r.args for r in box.requests if isinstance(r, messages.Act)])
    assert asked[0] == asked[1]
    assert len(asked[0]) > 1
    assert not (bench.folder.parent / ".hypothesis").exists()


def test_each_submission_can_have_a_forked_process_of_its_own(bench: Workbench) -> None:
    bench.suite("def test_a(student): assert student.x == 1\n")
    program = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {str(bench.folder.parents[0])!r})
from grader.suite.executed_notebook import ExecutedNotebook
from grader.suite.randomness import Seeds
from grader.suite.running import collect_suite
from grader.wire import messages
from tests.suite.fake_box import FakeBox

def ready(suite):
    for value in (1, 2):
        pid = os.fork()
        if pid == 0:
            box, seeds = FakeBox(f"x = {{value}}"), Seeds(0)
            results = suite.run(box, ExecutedNotebook({{}}, {{}}), seeds=seeds)
            print(value, results[0].outcome, flush=True)
            os._exit(0)
        os.waitpid(pid, 0)

collect_suite(Path({str(bench.folder)!r}), reference_path=None, on_ready=ready)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "1 passed\n2 failed\n"
    assert done.stderr == ""


def test_running_the_notebook_anew_takes_no_time_from_the_checks(
    bench: Workbench, clock: Clock
) -> None:
    bench.suite(
        """
        @pytest.mark.points(1)
        def test_a(student):
            student.crash()

        @pytest.mark.points(1)
        def test_b(student):
            assert student.x == 1
        """
    )
    crash = "def crash(): raise BoxCrashed('it ended')"
    box = FakeBox(f"from grader.errors import BoxCrashed\nx = 1\n{crash}")
    box.ready = lambda: clock.skip(1500)  # type: ignore[method-assign]
    results = bench.judge(box, deadline_s=1000, question_s=1000)
    assert [str(r.outcome) for r in results.values()] == ["crashed", "passed"]
    assert sum(r.duration_s for r in results.values()) < 1000
