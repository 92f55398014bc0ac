"""What of a verdict its reader may see, and what it adds up to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

import msgspec

from grader.course.spec import AssignmentSpec, WhenTold
from grader.diagnosis.kinds import sentence_of
from grader.gradebook.whole_mark import Given, WholeMark, whole_mark
from grader.grading.verdict import Outcome, SubmissionRecord, Verdict
from grader.intake.answers import AnswerPosition
from grader.rules.violation import Violation
from grader.suite.results import TestOutcome, TestResult

MOST_TRIES_DIAGNOSED = 10
"""A notebook can ask with each try, and each answer is one of so many kinds: what all of them tell
of an expected value is bounded. The first tries tell; so does every try that was handed in before
any kind was told."""

Audience = Literal["student", "instructor"]

OUTCOME_WORDS = {
    TestOutcome.PASSED: "passed",
    TestOutcome.FAILED: "failed",
    TestOutcome.STUDENT_ERROR: "raised an error",
    TestOutcome.TIMEOUT: "ran out of time",
    TestOutcome.OUT_OF_MEMORY: "ran out of memory",
    TestOutcome.CRASHED: "crashed",
    TestOutcome.OUTPUT_LIMIT: "sent too much output",
    TestOutcome.NOT_RUN: "not run",
    TestOutcome.SUITE_ERROR: "is broken itself",
}


PLACE_WORDS = {
    AnswerPosition.LED: "The marker of the answer is gone, or nothing stands at it. This stands in "
    "its "
    "place, between the cells that were given.",
    AnswerPosition.PART: "What was made of the question's part of the notebook.",
    AnswerPosition.UNTOUCHED: "The answer was not touched: it is as it was handed out.",
    AnswerPosition.LOST: "No answer was found: its marker is gone, and so is what stood round it. "
    "Look into the notebook.",
}

PARTLY = "partly passed"


def outcome_words(test: TestResult) -> str:
    """How the test ended, for a sentence such as “This test …”."""
    return PARTLY if test.partly else OUTCOME_WORDS[test.outcome]


def place_words(verdict: Verdict, question: str) -> str:
    """What the reader of an answer must know of where it was found; "" where nothing."""
    at = verdict.answer_places.get(question)
    return PLACE_WORDS.get(at.place, "") if at else ""


@dataclass(frozen=True, kw_only=True)
class QuestionSheet:
    """One question as its reader sees it. `points` and `max_points` are of what is counted.

    Of the points `by_hand` were added (or taken off) by a person, who says why in `comment`.
    `given` are the points of a person, None before; `whole` is both together, of `whole_max`, and
    `waits` of these a person has yet to give. `diagnoses` are sentences on what values show, by the
    test's name.
    """

    id: str
    title: str
    points: Decimal
    max_points: Decimal
    manual_points: Decimal
    tests: tuple[TestResult, ...]
    hidden: int
    hidden_points: Decimal
    answer: str
    extra_credit: bool = False
    by_hand: Decimal = Decimal(0)
    comment: str = ""
    given: Decimal | None = None
    diagnoses: Mapping[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> Decimal:
        """Points of machine and person together."""
        return self.points + (self.given or 0)

    @property
    def whole_max(self) -> Decimal:
        """What the question is worth, as far as it is counted."""
        return self.max_points + self.manual_points

    @property
    def waits(self) -> Decimal:
        """What a person has yet to give."""
        return self.manual_points if self.given is None else Decimal(0)


@dataclass(frozen=True, kw_only=True)
class MarkSheet:
    """A verdict as its reader sees it.

    Before the due date a student's `points` leave out the tests that are not shown yet, worth
    `withheld_points`: else the sum would tell what they hide, and handing in again and again
    would search them out. `whole` is the one number, of machine and people together.
    """

    whole: WholeMark | None
    points: Decimal
    max_points: Decimal
    manual_points: Decimal
    withheld_points: Decimal
    hidden: int
    hidden_points: Decimal
    due: dt.datetime | None
    questions: tuple[QuestionSheet, ...]

    @property
    def complete(self) -> bool:
        """Whether the points are all that the suite gives."""
        return self.withheld_points == 0


def with_due(spec: AssignmentSpec, due: dt.datetime | None) -> AssignmentSpec:
    """Return the spec as it is for a student who may hand in until `due`, if that is later.

    What is shown after the due date would tell who has longer what their next try must do.
    """
    own, theirs = aware(spec.dates.due), aware(due)
    if own is None or theirs is None or theirs <= own:
        return spec
    return msgspec.structs.replace(spec, dates=msgspec.structs.replace(spec.dates, due=theirs))


def mark_sheet(
    verdict: Verdict,
    *,
    spec: AssignmentSpec,
    audience: Audience,
    now: dt.datetime,
    given: Given | None = None,
    by_hand: tuple[Decimal, Decimal] | None = None,
) -> MarkSheet:
    """Return what this reader may see of the verdict now. `now` is an aware time."""
    given = given or {}
    due = aware(spec.dates.due)
    past_due = due is None or now >= due
    shown = {
        t.name: audience == "instructor" or is_shown(t, due=due, now=now) for t in verdict.tests
    }
    counted = [t for t in verdict.tests if shown[t.name] or past_due]
    withheld = _worth(t for t in verdict.tests if t not in counted)
    hidden = [t for t in verdict.tests if not shown[t.name]]
    extra = {q.id for q in spec.questions if q.extra_credit}
    if withheld:
        points = _points(counted)
        max_points = _worth(t for t in counted if t.question not in extra)
    else:
        points, max_points = verdict.points, verdict.max_points
    return MarkSheet(
        whole=whole_mark(verdict, given, machine=(points, max_points), by_hand=by_hand),
        points=points,
        max_points=max_points,
        manual_points=verdict.manual_points or spec.manual_points,
        withheld_points=withheld,
        hidden=len(hidden),
        hidden_points=_worth(hidden),
        due=due,
        questions=tuple(
            replace(question, diagnoses=_diagnoses(question.tests, spec, audience, now, verdict))
            for question in _questions(verdict, spec, shown, counted, given)
        ),
    )


def shown_violations(
    verdict: Verdict, *, spec: AssignmentSpec, audience: Audience, now: dt.datetime
) -> list[Violation]:
    """What of the violations this reader may see.

    A student sees those that a shown test concerns or that the source alone shows, and what they
    cost only where no test that is held back is among them; what can't be told is for a person.
    """
    if audience == "instructor":
        return list(verdict.violations)
    due = aware(spec.dates.due)
    shown = {t.name for t in verdict.tests if is_shown(t, due=due, now=now)}
    found = []
    for violation in verdict.violations:
        known = shown.issuperset(violation.tests)
        traced_unseen = violation.seen == "trace" and not shown.intersection(violation.tests)
        if violation.unclear or traced_unseen:
            continue
        kept = tuple(name for name in violation.tests if name in shown)
        points = violation.points if known else Decimal(0)
        found.append(msgspec.structs.replace(violation, tests=kept, points=points))
    return found


def consequence(violation: Violation, audience: Audience) -> str:
    """What a violation cost, for its reader; a student may not see all the tests it concerns."""
    if audience == "student" and violation.charges and not violation.points:
        return "Checks that use it give no points."
    return violation.consequence


def is_shown(test: TestResult, *, due: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether a student may see the result of this test now. Without a due date it never comes."""
    if test.shows == "after_due":
        return due is not None and now >= due
    return test.shows == "always"


def diagnosis_of(
    test: TestResult,
    *,
    spec: AssignmentSpec,
    audience: Audience,
    now: dt.datetime,
    tried: SubmissionRecord,
) -> str:
    """What kind of mistake a test's value shows, in a sentence; empty where it may not be told.

    Of `tried`, the try that the test judged, a student is told no kind once so many tries were made
    that could have been chosen by the kinds of those before: see `MOST_TRIES_DIAGNOSED`.
    """
    kind = test.diagnosis if isinstance(test.diagnosis, str) else ""
    when, due = when_diagnosed(test, spec), aware(spec.dates.due)
    told = is_told(when, spec=spec, audience=audience, now=now)
    if audience == "student" and told:
        handed_in = aware(tried.submitted_at)
        chosen = when == "always" or (due is not None and handed_in is not None and handed_in > due)
        told = is_shown(test, due=due, now=now) and not (
            chosen and tried.attempt > MOST_TRIES_DIAGNOSED
        )
    return sentence_of(kind) if told else ""


def when_diagnosed(test: TestResult, spec: AssignmentSpec) -> WhenTold:
    """When students read what kind of mistake a test's value shows, by the spec."""
    question = spec.question(test.question)
    return (question.diagnose if question else None) or spec.diagnose


def is_told(when: WhenTold, *, spec: AssignmentSpec, audience: Audience, now: dt.datetime) -> bool:
    """Whether this reader may have now what the spec tells students at that time."""
    due = aware(spec.dates.due)
    past_due = due is not None and now >= due
    return audience == "instructor" or when == "always" or (when == "after_due" and past_due)


def aware(time: dt.datetime | None) -> dt.datetime | None:
    """A time of the spec with its zone; without one it is local to the course's machine."""
    return time.astimezone() if time is not None and time.tzinfo is None else time


def _questions(
    verdict: Verdict,
    spec: AssignmentSpec,
    shown: dict[str, bool],
    counted: list[TestResult],
    given: Given,
) -> Iterable[QuestionSheet]:
    if verdict.outcome is not Outcome.GRADED:
        return
    marks = {q.id: q for q in verdict.questions}
    others = dict.fromkeys(t.question for t in verdict.tests if not spec.question(t.question))
    known = [(q.id, q.title, q.points, q.manual) for q in spec.questions]
    for identifier, title, worth, manual in [*known, *((o, o, None, Decimal(0)) for o in others)]:
        tests = [t for t in verdict.tests if t.question == identifier]
        taken = [t for t in tests if t in counted]
        mark = marks.get(identifier)
        complete = len(taken) == len(tests)
        hidden = [t for t in tests if not shown[t.name]]
        yield QuestionSheet(
            id=identifier,
            title=title,
            points=mark.points if mark and complete else _points(taken),
            max_points=worth if worth is not None and complete else _worth(taken),
            manual_points=manual,
            tests=tuple(t for t in tests if shown[t.name]),
            hidden=len(hidden),
            hidden_points=_worth(hidden),
            answer=verdict.answers.get(identifier, ""),
            extra_credit=mark.extra_credit if mark else False,
            by_hand=mark.by_hand if mark and complete else Decimal(0),
            comment=mark.comment if mark and complete else "",
            given=given[identifier][0] if identifier in given else None,
        )


def _diagnoses(
    tests: Iterable[TestResult],
    spec: AssignmentSpec,
    audience: Audience,
    now: dt.datetime,
    verdict: Verdict,
) -> dict[str, str]:
    tried = verdict.submission
    said = {
        t.name: diagnosis_of(t, spec=spec, audience=audience, now=now, tried=tried) for t in tests
    }
    return {name: sentence for name, sentence in said.items() if sentence}


def _points(tests: Iterable[TestResult]) -> Decimal:
    return sum((t.points for t in tests), Decimal(0))


def _worth(tests: Iterable[TestResult]) -> Decimal:
    return sum((t.max_points for t in tests), Decimal(0))
