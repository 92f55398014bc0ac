"""`with_right`: the reference answers for a student's function, and never enters the box."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from grader.errors import BoxTimeout, SuiteError
from grader.sandbox.base import SlotOptions
from grader.sandbox.local_slot import LocalSlot
from grader.sandbox.notebook_box import NotebookBox, RunLimits
from grader.suite import right_names, running
from grader.suite.executed_notebook import ExecutedNotebook
from grader.suite.randomness import Seeds
from grader.suite.results import TestOutcome, TestResult
from grader.suite.right_names import RightNames
from grader.suite.running import CollectedSuite
from grader.wire import messages as m
from grader.wire import values
from tests.helpers.light_boxes import LIGHT
from tests.suite.workbench import Workbench

SOLUTION = """
    import torch
    SECRET = "only in the reference"
    def forward(x):
        return x * 3
    def loss(x):
        return forward(x).sum()
    def careless(text):
        return open(text).read()
"""

SUITE = """
    @pytest.mark.question("q2")
    @pytest.mark.points(2)
    @pytest.mark.shows("always")
    @pytest.mark.with_right("forward")
    def test_loss(student, reference):
        x = torch.randn(4)
        assert_close(student.loss(x), reference.loss(x), msg=str(student.loss(x)))

    @pytest.mark.question("q1")
    @pytest.mark.points(1)
    def test_forward(student, reference):
        x = torch.ones(2)
        assert_close(student.forward(x), reference.forward(x))
"""

CARRIED = """
import torch
def forward(x):
    return x * 2          # wrong: q1
def loss(x):
    return forward(x).sum()
"""

Judge = Callable[[str], dict[str, TestResult]]


@pytest.fixture(scope="module")
def slot() -> Iterator[LocalSlot]:
    """A warm slot; each notebook has its own session."""
    found = LocalSlot(SlotOptions(preloads=LIGHT))
    try:
        found.wait_ready()
        yield found
    finally:
        found.stop()


@pytest.fixture
def judge(bench: Workbench, slot: LocalSlot) -> Judge:
    """Judge a notebook of one cell in a real box."""
    bench.solution(SOLUTION)
    bench.suite(SUITE)

    def call(source: str) -> dict[str, TestResult]:
        box = NotebookBox(slot, [textwrap.dedent(source)], limits=RunLimits(call_s=60), seed=1)
        results: list[TestResult] = []

        def run(suite: CollectedSuite) -> None:
            results.extend(suite.run(box, ExecutedNotebook({}, {}), seeds=Seeds(1)))

        try:
            box.run()
            bench.collect(run)
        finally:
            box.close()
        return {result.name: result for result in results}

    return call


def test_a_mistake_is_not_carried_into_the_next_question(judge: Judge) -> None:
    results = judge(CARRIED)
    assert results["test_forward"].outcome is TestOutcome.FAILED
    assert results["test_loss"].outcome is TestOutcome.PASSED
    assert (results["test_loss"].right, results["test_loss"].right_answers) == (("forward",), 2)
    assert results["test_forward"].right_answers == 0


def test_a_function_that_was_never_written_is_answered_for_too(judge: Judge) -> None:
    results = judge("def loss(x):\n    return forward(x).sum()\n")
    assert results["test_loss"].outcome is TestOutcome.PASSED


KEEPS = """
    import torch
    kept = []
    def forward(x):
        return kept[0] if kept else x
    def loss(x):
        kept.append(forward(torch.ones(2)))
        return forward(x).sum()
"""


def test_answers_that_a_notebook_keeps_come_after_the_tests_that_they_would_pass(
    judge: Judge,
) -> None:
    results = judge(KEEPS)
    assert results["test_loss"].outcome is TestOutcome.PASSED
    assert results["test_forward"].outcome is TestOutcome.FAILED


def test_in_the_order_of_the_suite_answers_that_are_kept_would_pass(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "run_order", lambda plan: list(plan.tests))
    assert judge(KEEPS)["test_forward"].outcome is TestOutcome.PASSED


def test_nothing_that_could_hold_an_answer_is_told_to_the_student(judge: Judge) -> None:
    for source in (
        "def loss(x):\n    raise ValueError(forward(x).tolist())\n",
        "def loss(x):\n    return forward(x).sum() + 1\n",
    ):
        result = judge(source)["test_loss"]
        assert result.outcome is not TestOutcome.PASSED
        assert result.message == "This check was given a right `forward` in place of yours."
        assert (result.traceback, result.hints, result.shows_details) == ("", (), False)
        assert result.details


ASKS = """
    import gc, torch
    from grader.box.replaced import Replaced
    def loss(x):
        [it] = [o for o in gc.get_objects() if type(o) is Replaced]
        return {call}
"""


@pytest.mark.parametrize(
    "call",
    [
        'it._answer("loss", (x,), {})',  # a function that the mark does not name
        'it._answer("careless", ("/etc/passwd",), {})',
        'it._answer("SECRET", (), {})',
        'it._answer("__init__", (), {})',
        'it._answer("forward", ("/etc/passwd",), {})',  # a text that is a path
        'it._answer("forward", (x,), {"y": 1})',
        "forward(object())",
    ],
)
def test_only_what_the_mark_names_is_answered_and_for_plain_inputs(judge: Judge, call: str) -> None:
    results = judge(ASKS.format(call=call))
    assert results["test_loss"].outcome is TestOutcome.STUDENT_ERROR
    assert results["test_loss"].points == 0
    assert results["test_forward"].outcome is TestOutcome.STUDENT_ERROR  # it has none


def test_who_asks_without_end_loses_the_check_and_no_more(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(right_names, "MAX_ASKED", 20)
    results = judge("""
        def forward(x):
            return x * 3
        def loss(x):
            while True:
                try:
                    forward(x)
                except BaseException:
                    pass
    """)
    assert results["test_forward"].outcome is TestOutcome.PASSED
    assert results["test_loss"].outcome is not TestOutcome.PASSED
    assert results["test_loss"].points == 0


def test_a_stand_in_is_gone_after_the_last_check_that_asks_for_it(
    bench: Workbench, slot: LocalSlot
) -> None:
    box = NotebookBox(slot, [CARRIED], limits=RunLimits(call_s=60), seed=1)
    try:
        box.run()
        box.request(m.Replace(names=["forward"]))
        box.request(m.Replace(names=[]))
        reply, _ = box.request(m.Fetch(name="forward", timeout_s=60))
        assert isinstance(reply, m.Value)
        blobs: list[values.Blob] = []
        x = values.encode(torch.ones(2), blobs)
        act = m.Act(verb="call", target=reply.value, args=[x], timeout_s=60)
        got, received = box.request(act, blobs)
        assert isinstance(got, m.Value)
        assert torch.equal(values.decode(got.value, received), torch.ones(2) * 2)
    finally:
        box.close()


def test_asking_does_not_shift_what_a_test_draws(bench: Workbench) -> None:
    bench.solution("import torch\ndef noise(x):\n    return torch.randn(3) + x\n")
    bench.suite("def test_a(student): pass")
    answers = []

    def ready(suite: CollectedSuite) -> None:
        right = RightNames(suite._reference, ("noise",))
        torch.manual_seed(1)
        right.answer(m.Wanted(name="noise", args=[1]), [], 60.0)
        answers.append(torch.randn(3))

    bench.collect(ready)
    torch.manual_seed(1)
    assert torch.equal(answers[0], torch.randn(3))


def test_bytes_and_time_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BoxTimeout):
        RightNames(None, ("f",)).answer(m.Wanted(name="f"), [], -1.0)
    monkeypatch.setattr(right_names, "MAX_BYTES", 10)
    with pytest.raises(BoxTimeout):
        wanted = m.Wanted(name="f")
        RightNames(None, ("f",)).answer(wanted, [memoryview(b"x" * 11)], 60.0)


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ('with_right("nothing")', "the reference has no function nothing"),
        ('with_right("SECRET")', "the reference has no function SECRET"),
        ("with_right()", "expected names of functions"),
        ('with_right("loss")', "that it could keep"),
    ],
)
def test_a_suite_that_gives_answers_away_is_refused(
    bench: Workbench, marks: str, message: str
) -> None:
    bench.solution(SOLUTION)
    bench.suite(f"""
    @pytest.mark.question("q3")
    @pytest.mark.{marks}
    def test_other(student):
        pass

    @pytest.mark.with_right("forward")
    def test_loss(student):
        pass
    """)
    with pytest.raises(SuiteError, match=message):
        bench.collect(lambda suite: None)


def test_a_public_suite_answers_for_nothing(bench: Workbench) -> None:
    bench.suite('@pytest.mark.with_right("forward")\ndef test_a(student): pass\n')
    with pytest.raises(SuiteError, match="a public suite has no reference"):
        bench.collect(lambda suite: None)


def test_a_plain_test_may_not_need_one_that_gives_answers(bench: Workbench, tmp_path: Path) -> None:
    bench.solution(SOLUTION)
    bench.suite("""
    @pytest.mark.with_right("forward")
    def test_loss(student):
        pass

    @pytest.mark.needs("test_loss")
    def test_after(student):
        pass
    """)
    with pytest.raises(SuiteError, match="is run without them itself"):
        bench.collect(lambda suite: None)
