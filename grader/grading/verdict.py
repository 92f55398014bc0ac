"""The verdict on one submission, with what produced it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum

import msgspec

from grader.errors import GradebookError
from grader.intake.answers import AnswerPlace, AnswerPosition
from grader.rules.violation import Violation
from grader.suite.results import TestOutcome, TestResult


class Outcome(StrEnum):
    """How the grading of one submission ended."""

    GRADED = "graded"
    INVALID_SUBMISSION = "invalid_submission"
    INFRASTRUCTURE_ERROR = "infrastructure_error"
    SUITE_ERROR = "suite_error"

    @property
    def is_mark(self) -> bool:
        """Whether it is the student's: what we or the suite failed at is no mark."""
        return self in (Outcome.GRADED, Outcome.INVALID_SUBMISSION)


class QuestionMark(msgspec.Struct, frozen=True, kw_only=True):
    """One question's machine-given points, and the points that a person will give.

    `by_hand` of the points (or less than none) are a person's, who says why in `comment`: they are
    kept beside the verdict, and are in it only where it is shown. `extra_credit`: its points come
    on top of the verdict's `max_points` and `manual_points`. `notebook` names the one that holds
    the question, where there are several.
    """

    id: str
    title: str
    points: Decimal
    max_points: Decimal
    manual_points: Decimal = Decimal(0)
    extra_credit: bool = False
    by_hand: Decimal = Decimal(0)
    comment: str = ""
    notebook: str | msgspec.UnsetType = msgspec.UNSET


class SubmissionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Which file was judged."""

    file: str
    sha256: str
    attempt: int = 1
    submitted_at: dt.datetime | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What the submission used. Seconds of wall clock and of CPU; bytes."""

    wall_s: float = 0.0
    notebook_s: float = 0.0
    suite_s: float = 0.0
    box_cpu_s: float = 0.0
    peak_memory_bytes: int = 0
    restarts: int = 0


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What produced the verdict; equal hashes mean that it can be reused.

    `suite` are the fingerprints of the hidden tests; `kept` are tests whose results an earlier run
    of the same notebook has given, since nothing that they are made of has changed.
    """

    bundle_sha256: str
    image: str
    sandbox: str
    isolation: str
    seed: int
    device: str = "cpu"
    grader_version: str = ""
    packages: dict[str, str] = {}
    limits: dict[str, float] = {}
    suite: dict[str, str] = {}
    kept: tuple[str, ...] = ()
    graded_at: dt.datetime | None = None


# Verdicts of before have `breaches`.
class Verdict(msgspec.Struct, frozen=True, kw_only=True, rename={"violations": "breaches"}):
    """Everything that the platform says about one submission, but for its executed notebook.

    `points` and `max_points` are the machine's; `manual_points` wait for a person. An outcome that
    is no mark has no points, whatever the tests gave.
    `collaborators` are whom the student declares, by question, "" for all of it.
    `violations` are what the rules of the spec forbid and the notebook does.
    `answers` are what a person reads, by question, as Markdown; `answer_places` say where each
    stands in the executed notebook.
    `notes` are sentences on how the run went, for student and instructor, the first cause first;
    `missing_modules` what the notebook would have imported and is not installed.
    """

    assignment: str
    student: str
    outcome: Outcome
    points: Decimal
    max_points: Decimal
    manual_points: Decimal = Decimal(0)
    reason: str = ""
    tests: tuple[TestResult, ...] = ()
    questions: tuple[QuestionMark, ...] = ()
    violations: tuple[Violation, ...] = ()
    answers: dict[str, str] = {}
    answer_places: dict[str, AnswerPlace] = {}
    collaborators: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    missing_modules: tuple[str, ...] = ()
    submission: SubmissionRecord
    usage: Usage = Usage()
    provenance: Provenance | None = None
    format: int = 1

    @property
    def untouched(self) -> tuple[str, ...]:
        """Questions in whose place stands what was released, and nothing else."""
        return self._answers_at(AnswerPosition.UNTOUCHED)

    @property
    def absent_answers(self) -> tuple[str, ...]:
        """Questions that a person marks, in a notebook that was not handed in."""
        return self._answers_at(AnswerPosition.ABSENT)

    def _answers_at(self, position: AnswerPosition) -> tuple[str, ...]:
        return tuple(q for q, at in self.answer_places.items() if at.place is position)

    @property
    def broken_tests(self) -> tuple[TestResult, ...]:
        """Tests that the suite itself has spoilt."""
        return tuple(t for t in self.tests if t.outcome is TestOutcome.SUITE_ERROR)


def verdict_to_json(verdict: Verdict, *, indent: int = 2) -> bytes:
    """Serialise a verdict; points are JSON numbers."""
    raw = msgspec.json.Encoder(decimal_format="number").encode(verdict)
    return msgspec.json.format(raw, indent=indent)


def verdict_from_json(data: bytes) -> Verdict:
    """Read a verdict that `verdict_to_json` wrote.

    Raises:
        GradebookError: it has been damaged, or a newer version wrote it.
    """
    try:
        return msgspec.json.decode(data, type=Verdict)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise GradebookError(
            f"a stored verdict can't be read: {error}",
            hint="Use the version of grader that wrote it, or grade again with --regrade.",
        ) from error
