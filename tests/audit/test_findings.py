"""What an audit says of luck, tolerances, room and tests, from plain verdicts."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from grader.audit.findings import (
    Audit,
    MutantFinding,
    RoomFinding,
    ToleranceFinding,
)
from grader.audit.luck import flips, is_steady
from grader.audit.room import room
from grader.audit.separation import alike, by_question, idle_tests
from grader.audit.tolerances import tolerances
from grader.course.spec import AssignmentSpec
from grader.grading.verdict import Outcome, QuestionMark, SubmissionRecord, Usage, Verdict
from grader.suite.results import TestOutcome, TestResult


def result(name: str, outcome: str = "passed", **fields: object) -> TestResult:
    made = TestResult(
        name=name,
        question="q1",
        points=Decimal(1 if outcome == "passed" else 0),
        max_points=Decimal(1),
        outcome=TestOutcome(outcome),
    )
    return msgspec.structs.replace(made, **fields)


def verdict(*tests: TestResult) -> Verdict:
    question = QuestionMark(id="q1", title="", points=Decimal(1), max_points=Decimal(4))
    return Verdict(
        assignment="a",
        student="s",
        outcome=Outcome.GRADED,
        points=Decimal(0),
        max_points=Decimal(0),
        tests=tests,
        questions=(question,),
        submission=SubmissionRecord(file="f", sha256="0"),
    )


def mutant(name: str, failed: tuple[str, ...] = (), **fields: object) -> MutantFinding:
    made = MutantFinding(
        id=name, kind="sign", questions=("q1",), tests=("a", "b", "c"), failed=failed
    )
    return msgspec.structs.replace(made, **fields)


def audit(**fields: object) -> Audit:
    made = Audit(assignment="a", title="A", sandbox="local", parts=("mutants", "room"), seconds=1.0)
    return msgspec.structs.replace(made, **fields)


def test_a_test_that_flips_is_named_with_its_rate() -> None:
    each = [(result("a"), result("b")) for _ in range(9)]
    each.append((result("a", "failed", message="off by 3"), result("b")))
    (found,) = flips({"right": each})
    assert (found.test, found.notebook, found.differs, found.seeds) == ("a", "right", 1, 10)
    assert found.rate == pytest.approx(0.1)
    assert found.example == "off by 3"


def test_other_points_are_another_ending_and_another_message_is_none() -> None:
    half = result("a", "failed", points=Decimal("0.5"))
    assert len(flips({"n": [(half,), (result("a", "failed"),)]})) == 1
    one, other = result("a", "failed", message="1"), result("a", "failed", message="2")
    assert flips({"n": [(one,), (other,)]}) == []


def test_what_was_stopped_at_a_limit_says_nothing_of_luck() -> None:
    assert is_steady(verdict(result("a", "failed")))
    assert not is_steady(verdict(result("a", "timeout")))
    assert is_steady(verdict(result("a", "failed"), result("needs a", "not_run")))


def test_a_tolerance_is_tight_for_right_ones_and_loose_for_wrong_ones() -> None:
    right = {
        "reference": verdict(result("a", tolerance_used=1e-4), result("b", tolerance_used=0.8)),
        "other": verdict(result("a", tolerance_used=3e-4), result("b", "failed")),
    }
    found = tolerances(
        right,
        None,
        [
            mutant("seen", ("a",), tolerance_used={"a": 40.0}),
            mutant("missed", tolerance_used={"a": 0.2}),
            mutant("listed", equivalent="why", tolerance_used={"a": 0.9}),
        ],
    )
    first, second = found
    assert (first.right, first.right_of, first.wrong, first.missed) == (3e-4, "other", 40.0, 0.2)
    assert first.fault.startswith("loose")
    assert second.fault.startswith("tight: reference uses 80%")


def test_a_mutant_that_differs_by_rounding_makes_no_tolerance_loose() -> None:
    assert ToleranceFinding(test="a", question="q", right=1e-4, missed=2e-4).fault == ""


def test_the_reference_is_held_beside_each_limit() -> None:
    used = msgspec.structs.replace(
        verdict(result("a", duration_s=2.0)),
        usage=Usage(notebook_s=10.0, suite_s=4.0, peak_memory_bytes=512 << 20),
    )
    spec = msgspec.convert(
        {"title": "A", "points": 1, "questions": [], "resources": {"notebook_s": 20}},
        AssignmentSpec,
        strict=False,
    )
    found = {one.limit: one for one in room(spec, used)}
    assert found["notebook_s"].times == 2.0
    assert found["notebook_s"].scarce
    assert found["memory_mb"].used == 512


def test_less_than_three_times_the_room_is_scarce() -> None:
    assert RoomFinding(limit="suite_s", used=11, allowed=30, unit="s").scarce
    assert not RoomFinding(limit="suite_s", used=10, allowed=30, unit="s").scarce


def test_tests_that_tell_nothing_apart_are_named() -> None:
    reference = verdict(result("a"), result("b"), result("c"))
    mutants = [mutant("1", ("a", "b")), mutant("2", ("a", "b")), mutant("3")]
    assert idle_tests(reference, mutants) == ["c"]
    assert alike(reference, mutants) == [("a", "b")]
    (question,) = by_question(reference, [*mutants, mutant("4", equivalent="why")])
    assert (question.mutants, question.noticed, question.points) == (3, 2, 4.0)


def test_equivalent_mutants_are_not_counted_and_the_rest_must_reach_the_share() -> None:
    mutants = (mutant("1", ("a",)), mutant("2"), mutant("3", equivalent="why"))
    made = audit(mutants=mutants)
    assert (made.noticed, made.mistakes, made.share) == (1, 2, 0.5)
    assert "1 of 2 mistakes go unseen" in made.faults(0.95)[0]
    assert made.faults(0.5) == []
    assert audit().share == 1.0
