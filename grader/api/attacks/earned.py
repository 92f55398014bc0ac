"""What attacks earned, and what of it the instructor accepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader.api.attacks.corpus import Attack, shipped_attacks
from grader.course.directory import Assignment
from grader.course.spec import Accepted
from grader.course.strict_toml import wrong_key
from grader.grading.verdict import Verdict
from grader.points import show
from grader.suggestions import did_you_mean


@dataclass(frozen=True, kw_only=True)
class EarnedPoint:
    """Points of one test that an attack earned, and the released notebook does not."""

    question: str
    test: str
    points: Decimal
    attack: str
    what: str

    def __str__(self) -> str:
        return (
            f"{self.what} earned {show(self.points)} points of {self.question} from {self.test} "
            f"(attack {self.attack})"
        )


@dataclass(frozen=True, kw_only=True)
class AcceptedPoint:
    """Points that an attack earned, and why the instructor leaves it so."""

    earned: EarnedPoint
    reason: str


@dataclass(frozen=True, kw_only=True)
class Attacked:
    """What came of all attacks; an assignment that holds has `earned` nothing.

    `accepted` is what the spec says may be earned; of `outdated` that it says so of what no attack
    earned.
    """

    assignment: str
    attacks: int
    earned: tuple[EarnedPoint, ...]
    accepted: tuple[AcceptedPoint, ...] = ()
    outdated: tuple[Accepted, ...] = ()


def sorted_out(
    assignment: Assignment, attacks: Sequence[Attack], earned: Sequence[EarnedPoint]
) -> Attacked:
    """Tell what was earned apart from what the spec accepts of it."""
    tried = {a.name for a in attacks}
    known = [a for a in assignment.spec.accepted if a.attack in tried]
    reasons = {
        e: [a for a in known if accepts(a, attack=e.attack, question=e.question, test=e.test)]
        for e in earned
    }
    used = [a for found in reasons.values() for a in found]
    return Attacked(
        assignment=assignment.name,
        attacks=len(attacks),
        earned=tuple(e for e in earned if not reasons[e]),
        accepted=tuple(
            AcceptedPoint(earned=e, reason=found[0].reason) for e, found in reasons.items() if found
        ),
        outdated=tuple(a for a in known if a not in used),
    )


def accepts(accepted: Accepted, *, attack: str, question: str, test: str) -> bool:
    """Whether an instructor leaves it as it is that this attack earns points of this test."""
    if accepted.attack != attack:
        return False
    if accepted.question:
        return accepted.question == question
    return accepted.test in (test, _without_cases(test))


def _without_cases(test: str) -> str:
    return test.partition("[")[0]


def check_attack_names(assignment: Assignment, attacks: Sequence[Attack] = ()) -> None:
    """Look for an attack of each name that the spec accepts.

    Raises:
        SpecError: there is none of that name.
    """
    known = {a.name for a in (*shipped_attacks(), *attacks)}
    for index, accepted in enumerate(assignment.spec.accepted):
        if accepted.attack not in known:
            raise wrong_key(
                assignment.spec_path,
                f"accepted[{index}].attack",
                f"there is no attack {accepted.attack!r}",
                hint=did_you_mean(accepted.attack, known),
            )


def check_test_names(assignment: Assignment, verdict: Verdict) -> None:
    """Look for a test of each name that the spec accepts, in a verdict on any notebook.

    Raises:
        SpecError: there is none of that name.
    """
    known = {name for t in verdict.tests for name in (t.name, _without_cases(t.name))}
    for index, accepted in enumerate(assignment.spec.accepted):
        if accepted.test and accepted.test not in known:
            raise wrong_key(
                assignment.spec_path,
                f"accepted[{index}].test",
                f"the hidden suite has no test {accepted.test!r}",
                hint=did_you_mean(accepted.test, known),
            )
