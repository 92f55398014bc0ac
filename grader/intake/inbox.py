"""Hand in a notebook: validated, stored for good, and receipted."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from grader.errors import SubmissionError, UsageError
from grader.intake.advice import advice
from grader.intake.content import RefusedFileError, held, read_regular_file
from grader.intake.names import display_name, student_id
from grader.intake.notebook import MAX_FILE_BYTES, read_notebook
from grader.intake.receipt import Receipt, receipt_key, sign
from grader.intake.stored import assignment_folder, record_of, write_attempt
from grader.intake.submission import read_submission


def submit(
    notebook_path: Path,
    inbox: Path,
    *,
    student: str,
    assignment: str,
    now: dt.datetime,
    limit: int = 0,
) -> Receipt:
    """Store a notebook in an inbox as the student's next attempt and return the signed receipt.

    Nothing is stored unless the notebook can be read. What was stored is never overwritten; two
    submissions at the same time get different numbers.

    Args:
        notebook_path: the notebook.
        inbox: a folder; made if it is not there.
        student: who hands it in; the inbox believes it.
        assignment: the assignment's name.
        now: the time, with its zone.
        limit: how many attempts a student has; 0 for any number.

    Returns:
        The receipt, with `warnings`: what the student may want to mend and hand in again.

    Raises:
        UsageError: there is no such file, the limit is reached, or `now` has no zone.
        SubmissionError: the notebook can't be read.
        InfrastructureError: the inbox can't be written to.
    """
    if now.tzinfo is None:
        raise UsageError("the time of a submission needs a time zone", where=now)
    if not student.strip():
        raise UsageError("a submission needs the name of a student")
    data = _read(notebook_path)
    file = display_name(notebook_path.name)
    notebook = read_notebook(data, name=file)
    submission = read_submission(
        held(data),
        student=student_id(student),
        file=file,
        submitted_at=now.astimezone(dt.UTC).replace(microsecond=0),
        display_name=student,
    )
    folder = assignment_folder(inbox, assignment)
    receipt_key(inbox)  # before anything is stored: without the key there is no receipt
    _, record = write_attempt(folder, record_of(submission, assignment), data, limit=limit)
    receipt = Receipt(
        assignment=record.assignment,
        student=record.student,
        attempt=record.attempt,
        submitted_at=record.submitted_at or now,
        file=record.file,
        size=record.size,
        sha256=record.sha256,
        warnings=advice(notebook, file=file, size=len(data), assignment=assignment),
    )
    return sign(receipt, inbox)


def _read(path: Path) -> bytes:
    if not path.exists():
        raise UsageError("there is no such file", where=path)
    if path.is_dir():
        raise UsageError("a notebook is a file, not a folder", where=path)
    try:
        return read_regular_file(path.resolve(), limit=MAX_FILE_BYTES)
    except RefusedFileError as error:
        raise SubmissionError(
            f"The file was not taken: {error}.",
            where=path.name,
            hint="Hand in the notebook itself, the .ipynb file.",
        ) from error
