"""A worker names a mistake by the value that the reference gives with it; trouble is silence."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from grader.diagnosis.kept_values import KeptValue
from grader.grading import mistakes as module
from grader.grading.mistakes import Mistakes
from grader.suite.account import Account
from grader.suite.executed_notebook import ExecutedNotebook
from grader.suite.known_mistakes import KnownMistake, KnownMistakes
from grader.suite.local_box import LocalBox
from grader.suite.randomness import Seeds
from grader.suite.results import TestResult
from grader.suite.running import CollectedSuite
from tests.helpers.settings import SETTING
from tests.suite.fake_box import FakeBox
from tests.suite.workbench import HEAD, Workbench

SOLUTION = """
# %%
import torch

# %%
def backward(grad_out, x, w):
    # BEGIN SOLUTION
    return grad_out @ w.T * (x > 0)
    # END SOLUTION

def loss(x, y):
    # BEGIN SOLUTION
    total = 0.0
    n = len(x)
    while n > 0:
        n -= 1
        total += (x[n] - y[n]) ** 2
    return total / len(x)
    # END SOLUTION
"""
SUITE = """
    def test_backward(student):
        g, x, w = torch.randn(5, 3), torch.randn(5, 4), torch.randn(4, 3)
        assert_close(student.backward(g, x, w), torch.einsum("nc,dc->nd", g, w).where(x > 0, 0.0))
    def test_loss(student):
        x, y = torch.randn(5), torch.randn(5)
        assert_close(student.loss(x, y), (x - y).square().mean())
"""
Judge = Callable[..., dict[str, TestResult]]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    bench = Workbench(tmp_path)
    bench.solution(SOLUTION)
    bench.suite(SUITE)
    config = msgspec.structs.replace(SETTING, reference=str(bench.reference), seed=1)

    def run(source: str, known: Mistakes | None = None, **setting: object) -> dict[str, TestResult]:
        named: dict[str, TestResult] = {}

        def on_ready(suite: CollectedSuite) -> None:
            accounts: dict[str, Account] = {}
            results = suite.run(
                FakeBox(source),
                ExecutedNotebook({}, {}),
                seeds=Seeds(config.seed, config.seed_key),
                on_result=lambda result, account: accounts.update({result.name: account}),
            )
            own = msgspec.structs.replace(config, **setting)
            for result in (known or Mistakes()).named(results, accounts, own, suite):
                named[result.name] = result

        bench.collect(on_ready)
        return named

    return run


NO_UPSTREAM = """
import torch
def backward(grad_out, x, w):
    ones = torch.full_like(grad_out, 1.0)
    return torch.where(x > 0, (ones[:, None] * w[None]).sum(-1), torch.zeros(()))
def loss(x, y):
    return ((x - y) ** 2).sum() * 3.7
"""


def test_a_value_that_the_reference_gives_with_a_mistake_names_it(judge: Judge) -> None:
    found = judge(NO_UPSTREAM)
    assert found["test_backward"].diagnosis == "no-upstream"
    assert found["test_loss"].diagnosis is msgspec.UNSET


def test_without_diagnoses_none_is_made(judge: Judge) -> None:
    found = judge(NO_UPSTREAM, diagnoses=False)
    assert found["test_backward"].diagnosis is msgspec.UNSET


def test_mistakes_are_run_once_for_all_submissions(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Mistakes()
    judge(NO_UPSTREAM, known)
    monkeypatch.setattr(os, "fork", None)
    assert judge(NO_UPSTREAM, known)["test_backward"].diagnosis == "no-upstream"


def test_mistakes_that_were_left_are_tried_when_the_test_fails_again(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And until then none is named: one of those that were left could give the same value."""
    known = Mistakes()
    monkeypatch.setattr(module, "OF_A_TEST_S", 0.0)
    assert judge(NO_UPSTREAM, known)["test_backward"].diagnosis is msgspec.UNSET
    monkeypatch.setattr(module, "OF_A_TEST_S", 10.0)
    assert judge(NO_UPSTREAM, known)["test_backward"].diagnosis == "no-upstream"


def test_a_mistake_that_another_failed_test_disproves_is_not_named(
    judge: Judge, tmp_path: Path
) -> None:
    """Without an upstream gradient the zero would stay a zero in both."""
    source = NO_UPSTREAM.replace("torch.where(", "(x[0, 0] > 9) * x * 3 + torch.where(")
    more = """
    def test_backward_far_away(student):
        g, x, w = torch.randn(5, 3), torch.randn(5, 4) + 20, torch.randn(4, 3)
        assert_close(student.backward(g, x, w), torch.einsum("nc,dc->nd", g, w).where(x > 0, 0.0))
    """
    assert judge(source)["test_backward"].diagnosis == "no-upstream"
    (tmp_path / "hidden" / "test_q1_far.py").write_text(HEAD + textwrap.dedent(more))
    found = judge(source)
    assert found["test_backward"].diagnosis is msgspec.UNSET
    assert found["test_backward_far_away"].diagnosis is msgspec.UNSET


def kept(*numbers: float) -> KeptValue:
    return KeptValue(place=1, shape=(3,), numbers=numbers, total=sum(numbers), error=1.0)


@pytest.mark.parametrize(
    ("kinds", "named"),
    [
        (("eps-misplaced", "no-eps"), True),  # each says precisely what it is
        (("eps-misplaced", "factor-missing"), False),
        (("factor-missing", "no-eps"), False),
        (("factor-missing", "sign-inside"), False),
    ],
)
def test_two_mistakes_stand_side_by_side_if_both_are_precise(
    kinds: tuple[str, str], named: bool
) -> None:
    """Each gives the value of one test, and another in the other test."""
    values = {"one": kept(1.0, 2.0, 3.0), "two": kept(4.0, 5.0, 6.0)}
    known = {
        test: KnownMistakes(
            mistakes=tuple(
                KnownMistake(
                    kind=kind,
                    number=number,
                    line=number,
                    refused=value if place == number else kept(7.0, 8.0, 9.0),
                )
                for number, kind in enumerate(kinds)
            )
        )
        for place, (test, value) in enumerate(values.items())
    }
    found = module._explaining(dict.fromkeys(values, "q1"), values, known)
    told = {test: [mistake.kind for mistake in mistakes] for test, mistakes in found.items()}
    precise = {"one": [kinds[0]], "two": [kinds[1]]}
    assert told == precise if named else all(told[test] != precise[test] for test in told)


def test_a_child_that_dies_costs_no_result(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalBox, "request", lambda *_: os._exit(9))
    known = Mistakes()
    for _ in range(2):
        found = judge(NO_UPSTREAM, known)
        assert found["test_backward"].diagnosis is msgspec.UNSET
        assert found["test_backward"].points == Decimal(0)


def test_an_endless_mistake_ends(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """`n -= 1` that is missing: the loop never ends."""
    monkeypatch.setattr("grader.suite.known_mistakes.LONGEST_S", 0.2)
    sum_of_squares = NO_UPSTREAM.replace(".sum() * 3.7", ".sum()")
    found = judge(sum_of_squares)
    assert found["test_loss"].diagnosis in ("factor-missing", "not-averaged")


def test_without_time_nothing_is_run(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_FIRST_S", -1e9)
    assert judge(NO_UPSTREAM)["test_backward"].diagnosis is msgspec.UNSET


def test_a_reference_that_is_no_notebook_says_nothing(judge: Judge, tmp_path: Path) -> None:
    plain = tmp_path / "plain.py"
    plain.write_text("x = 1\n")
    assert judge(NO_UPSTREAM, reference=str(plain))["test_backward"].diagnosis is msgspec.UNSET


def test_what_is_kept_of_a_value_crosses_as_message() -> None:
    one = KeptValue(place=1, shape=(2,), numbers=(0.1, 0.2), total=0.3, error=0.1)
    account = Account(refused=one)
    sent = msgspec.msgpack.encode(account)
    assert msgspec.msgpack.decode(sent, type=Account) == account
