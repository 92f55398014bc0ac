"""One student's attempt at an assignment, as the rest of the house sees it."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field

from grader.errors import SubmissionError
from grader.intake.notebook import read_notebook


@dataclass(frozen=True)
class Submission:
    """What one student handed in at one time.

    `problem` is not empty where no notebook can be read from it: it then becomes the verdict
    `invalid_submission` with that text, which the student reads. `student` is a safe identifier,
    `display_name` the name as it came, which only pages may show, escaped. `submitted_at` is None
    where nothing trustworthy tells it; the time of a file on disk is that of its last copy.
    """

    student: str
    file: str
    data: bytes = field(repr=False)
    sha256: str
    submitted_at: dt.datetime | None
    attempt: int
    problem: str = ""
    display_name: str = ""
    repairs: tuple[str, ...] = ()
    earlier_attempts: int = 0


def read_submission(
    data: bytes,
    *,
    student: str,
    file: str,
    submitted_at: dt.datetime | None = None,
    attempt: int = 1,
    display_name: str = "",
) -> Submission:
    """Return the submission of a file; one that can't be read has a `problem`, and is not lost."""
    problem = ""
    repairs: tuple[str, ...] = ()
    try:
        repairs = read_notebook(data, name=file).repairs
    except SubmissionError as error:
        problem = sentences(error)
    return Submission(
        student=student,
        file=file,
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        submitted_at=submitted_at,
        attempt=attempt,
        problem=problem,
        display_name=display_name or student,
        repairs=repairs,
    )


def unread_submission(
    problem: str,
    *,
    student: str,
    file: str = "",
    submitted_at: dt.datetime | None = None,
    attempt: int = 1,
    display_name: str = "",
) -> Submission:
    """Return the submission of a student who handed in no file that could be taken."""
    return Submission(
        student=student,
        file=file,
        data=b"",
        sha256=hashlib.sha256(b"").hexdigest(),
        submitted_at=submitted_at,
        attempt=attempt,
        problem=problem,
        display_name=display_name or student,
    )


def sentences(error: SubmissionError) -> str:
    """Return what happened and what to do, for the student."""
    return f"{error.what} {error.hint}" if error.hint else error.what
