"""From the exception that ended a test to what is recorded: outcome, sentence, traceback."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

from grader.errors import (
    BoxCrashed,
    BoxFailure,
    BoxOutOfMemory,
    BoxOutputLimit,
    BoxTimeout,
    SuiteError,
)
from grader.points import Points, to_points
from grader.suite.credit import FULL, NONE, Credit
from grader.suite.failures import MissingName, StudentError, Unfit
from grader.suite.results import TestOutcome
from grader.wire.messages import TracebackLine

MAX_MESSAGE = 2_000
MAX_DETAILS = 4_096
MAX_TRACEBACK = 4_096
MAX_FRAMES = 12

FAILED = "This check failed."
UNUSABLE = "The check could not use what your code returned"
BROKEN = (
    "The check itself is broken, not your work. It does not count, and your instructor can see it."
)
_NEVER_OF_A_VALUE = (ImportError, SyntaxError, pytest.FixtureLookupError, pytest.UsageError)
_NO_MEMORY = ("DefaultCPUAllocator: can't allocate memory", "CUDA out of memory")
_TROUBLE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ESTALE, errno.EROFS}
)

TOO_MUCH_MEMORY = "To check what your code returned took more memory than a check may use"
_OF_BOX: tuple[tuple[type[BoxFailure], TestOutcome, str], ...] = (
    (BoxTimeout, TestOutcome.TIMEOUT, "Your code ran out of time"),
    (BoxOutOfMemory, TestOutcome.OUT_OF_MEMORY, "Your code used more memory than it may"),
    (BoxCrashed, TestOutcome.CRASHED, "Your code ended its own process"),
    (BoxOutputLimit, TestOutcome.OUTPUT_LIMIT, "Your code put out more than it may"),
)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How one run of a test ended, and the credit it gives. `details` are the instructor's.

    `doubtful`: it may be the suite's fault, and not what the student's code returned.
    `unusable`: an exception of the suite's ended it, and no assertion.
    """

    outcome: TestOutcome
    message: str = ""
    traceback: str = ""
    details: str = ""
    diagnosis: str = ""
    credit: Credit = NONE
    doubtful: bool = False
    unusable: bool = False

    def points(self, max_points: Points) -> Points:
        """What a test of so many points gives, in hundredths."""
        share = self.credit.share
        # A fraction is not a decimal: the quotient has 28 digits, far below a hundredth.
        return to_points(max_points * Decimal(share.numerator) / Decimal(share.denominator))


PASSED = Ending(outcome=TestOutcome.PASSED, credit=FULL)


def of_credit(credit: Credit, max_points: Points) -> Ending:
    """Say how a test ended that came to its end and gave this credit: all of it has passed."""
    ending = Ending(outcome=TestOutcome.FAILED, message=credit.reason or FAILED, credit=credit)
    if credit.share == 1 or (max_points and ending.points(max_points) == max_points):
        return replace(PASSED, message=credit.reason, credit=replace(credit, share=FULL.share))
    return ending


def ending_of(
    error: BaseException, *, shows_details: bool = False, reference: ModuleType | None = None
) -> Ending:
    """Classify what ended a test.

    Only `StudentError` and the failures of the box speak of the student's code. An assertion that
    does not hold is a failed check. What else a suite raises is its own fault, or comes of what the
    student's code returned: an exception that no value can cause is the suite's, any other is
    `doubtful`. Of an exception that is no assertion the student reads the type alone, since its
    text may hold expected values.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, StudentError):
        missing = error.missing if isinstance(error, MissingName) else ""
        return Ending(
            outcome=TestOutcome.STUDENT_ERROR,
            message=bounded(error.sentence, MAX_MESSAGE),
            traceback=student_traceback(error.frames, str(error)),
            details=_details(error),
            # A name that the reference lacks, too: the suite may have misspelt it. And a suite may
            # mean to compare what else can't be judged.
            doubtful=isinstance(error, Unfit)
            or (bool(missing) and reference is not None and not hasattr(reference, missing)),
        )
    if isinstance(error, BoxFailure):
        return of_box_failure(error)
    if isinstance(error, pytest.skip.Exception):
        reason = bounded(str(error.msg or "the suite skipped it"), MAX_MESSAGE)
        return Ending(
            outcome=TestOutcome.NOT_RUN,
            message=f"Not run: {reason}",
            details=_details(error),
            doubtful=True,
        )
    details = _details(error)
    if _is_for_memory(error):
        return Ending(
            outcome=TestOutcome.OUT_OF_MEMORY,
            message=f"{TOO_MUCH_MEMORY}.",
            details=details,
            doubtful=True,
        )
    if _is_the_suites_own(error):
        return Ending(outcome=TestOutcome.SUITE_ERROR, message=BROKEN, details=details)
    if isinstance(error, SuiteError):
        # A misuse of ours; that, too, may come of a value, as of a share that is not finite.
        return Ending(
            outcome=TestOutcome.SUITE_ERROR, message=BROKEN, details=details, doubtful=True
        )
    asserted = isinstance(error, AssertionError | pytest.fail.Exception)
    message = FAILED if asserted else f"{UNUSABLE}: {type(error).__name__}."
    if shows_details:
        message = f"{message}\n{details}"
    return Ending(
        outcome=TestOutcome.FAILED,
        message=bounded(message, MAX_MESSAGE),
        details=details,
        doubtful=not asserted or _came_through(error, reference),
        unusable=not asserted,
    )


def _is_for_memory(error: BaseException) -> bool:
    """Whether Python, numpy or torch could not have the memory that it asked for."""
    if isinstance(error, RuntimeError):
        return any(words in _text(error) for words in _NO_MEMORY)
    return isinstance(error, MemoryError)


def _is_the_suites_own(error: BaseException) -> bool:
    """Whether no value that a student's code returns can be the cause."""
    if isinstance(error, NameError):
        return not isinstance(error, UnboundLocalError)  # that may come of a loop over nothing
    if isinstance(error, AttributeError):
        return isinstance(error.obj, ModuleType)
    if isinstance(error, OSError):
        return error.errno in _TROUBLE
    return isinstance(error, _NEVER_OF_A_VALUE)


def _came_through(error: BaseException, module: ModuleType | None) -> bool:
    """Whether it was raised in that module, or in what it called."""
    file, trace = getattr(module, "__file__", None), error.__traceback__
    while trace is not None:
        if file is not None and trace.tb_frame.f_code.co_filename == file:
            return True
        trace = trace.tb_next
    return False


def of_box_failure(failure: BoxFailure) -> Ending:
    """Say how a call ended the session, or was stopped."""
    outcome, sentence = next(
        ((outcome, text) for kind, outcome, text in _OF_BOX if isinstance(failure, kind)),
        (TestOutcome.CRASHED, "Your code ended its session"),
    )
    frames = getattr(failure, "frames", ())
    return Ending(
        outcome=outcome,
        message=bounded(f"{sentence}: {failure.what.rstrip('.')}.", MAX_MESSAGE),
        traceback=student_traceback(frames, f"{sentence}."),
        details=_details(failure),
    )


def student_traceback(frames: Sequence[TracebackLine], last_line: str) -> str:
    """Format the student's own frames as Python does, with cells for files."""
    if not frames:
        return ""
    lines = ["Traceback (most recent call last):"]
    for frame in frames[-MAX_FRAMES:]:
        file, function = frame.file[:200], frame.function[:200]
        lines.append(f"  {file}, line {frame.line}, in {function}")
        if frame.text.strip():
            lines.append(f"    {frame.text.strip()[:300]}")
    return bounded("\n".join([*lines, last_line]), MAX_TRACEBACK)


def bounded(text: str, limit: int) -> str:
    """Cut a text, and take out what JSON and terminals can't take."""
    clean = text[: limit + 1].encode("utf-8", "replace").decode().replace("\0", "␀")
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _details(error: BaseException) -> str:
    """What was raised and where in the suite, for the instructor."""
    where = ""
    trace = error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.name.startswith(("test_", "conftest")) or path.name.endswith("_test.py"):
            where = f"{path.name}:{trace.tb_lineno}: "
        trace = trace.tb_next
    return bounded(f"{where}{type(error).__name__}: {_text(error)}", MAX_DETAILS)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001 - a suite's own exception class
        return f"(its text can't be shown: {type(second).__name__})"
