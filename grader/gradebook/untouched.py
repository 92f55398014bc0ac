"""Answers that nobody wrote: listed, and given no points where the course says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from grader.course.spec import AssignmentSpec
from grader.gradebook.course_marks import answer_sha256
from grader.gradebook.hand_marks import Change, Fact, HandMark, Kind
from grader.gradebook.marks import Source
from grader.gradebook.store import Gradebook
from grader.grading.verdict import Outcome, Verdict

WHO = "the course's rule"
COMMENT = "The answer was not touched: no points, by the course's rule."
ABSENT = "Its notebook was not handed in: no points, by the course's rule."


@dataclass(frozen=True, kw_only=True)
class Untouched:
    """Students by question, and whether they have no points for it by rule.

    `absent`: those whose notebook with the question was not handed in.
    """

    students: Mapping[str, Sequence[str]] = field(default_factory=dict)
    absent: Mapping[str, Sequence[str]] = field(default_factory=dict)
    zero: bool = False


def mark_untouched(
    gradebook: Gradebook, spec: AssignmentSpec, verdicts: Sequence[Verdict]
) -> Untouched:
    """List the answers that nobody wrote, and record what the rule gives; return the list.

    What a person said about the same answer stands. Where the course no longer wants the rule, what
    it gave is taken back.

    Args:
        gradebook: of the course.
        spec: of the assignment.
        verdicts: those that count; all of one assignment.
    """
    zero = spec.answers.untouched == "zero"
    graded = [v for v in verdicts if v.outcome is Outcome.GRADED]
    if not spec.manual_points or not graded:
        return Untouched(zero=zero)
    newest = gradebook.hand_marks.newest(item=graded[0].assignment)
    students: dict[str, list[str]] = {}
    absent: dict[str, list[str]] = {}
    changes = []
    for question in spec.questions:
        for verdict in graded if question.manual else []:
            fact = Fact(
                student=verdict.student,
                item=verdict.assignment,
                kind=Kind.ANSWER,
                part=question.id,
            )
            said, sha256 = newest.get(fact), answer_sha256(verdict, question.id)
            untouched = question.id in verdict.untouched
            missing = question.id in verdict.absent_answers
            if untouched or missing:
                listed = students if untouched else absent
                listed.setdefault(question.id, []).append(verdict.student)
            if zero and (untouched or missing) and not _said_by_a_person(said, sha256):
                changes.append(
                    Change(
                        fact=fact,
                        points=Decimal(0),
                        max_points=question.manual,
                        comment=COMMENT if untouched else ABSENT,
                        answer_sha256=sha256,
                    )
                )
            elif not zero and said and is_by_rule(said) and said.says.points is not None:
                changes.append(Change(fact=fact, answer_sha256=sha256))
    why = f'[answers] untouched = "{spec.answers.untouched}"'
    gradebook.hand_marks.record(changes, who=WHO, why=why, source=Source.MACHINE)
    return Untouched(students=students, absent=absent, zero=zero)


def is_by_rule(mark: HandMark) -> bool:
    """Whether the rule gave it, and no person."""
    return mark.source is Source.MACHINE


def _said_by_a_person(said: HandMark | None, answer: str) -> bool:
    return said is not None and not is_by_rule(said) and said.says.answer_sha256 == answer
