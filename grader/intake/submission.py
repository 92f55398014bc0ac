"""One student's attempt at an assignment, as the rest of the house sees it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from grader.errors import SubmissionError
from grader.intake.accepted_files import Files, Taken, hash_with
from grader.intake.content import Content, held
from grader.intake.notebook_in import notebook_in


@dataclass(frozen=True)
class Submission:
    """What one student handed in at one time.

    `problem` is not empty where no notebook can be read from it: it then becomes the verdict
    `invalid_submission` with that text, which the student reads. `student` is a safe identifier,
    `display_name` the name as it came, which only pages may show, escaped. `submitted_at` is None
    where nothing trustworthy tells it; the time of a file on disk is that of its last copy.
    `files` lie beside the notebook, `unused` are names of others that do not. Where the assignment
    has several notebooks, `notebook` names the one in `content`; the others are among the files.
    `notes` are sentences for student and class, such as on what was passed over.
    `time_from` names the file that tells it.
    """

    student: str
    file: str
    content: Content
    submitted_at: dt.datetime | None
    attempt: int
    problem: str = ""
    display_name: str = ""
    repairs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: Files = ()
    unused: tuple[str, ...] = ()
    time_from: str = ""
    notebook: str = ""

    @property
    def sha256(self) -> str:
        """Of all that was taken in: of the notebook's bytes, where there is nothing beside it."""
        files = ((n, c.sha256) for n, c in self.files)
        return hash_with(self.content.sha256, files, notebook=self.notebook)

    def notebooks(self) -> dict[str, Content]:
        """Return every notebook, by its name; "" where there is one alone."""
        further = {n.removesuffix(".ipynb"): c for n, c in self.files if n.endswith(".ipynb")}
        return {self.notebook: self.content, **further}

    def read_notebooks(self) -> dict[str, bytes]:
        """Read every notebook, by its name."""
        return {name: content.read(name or self.file) for name, content in self.notebooks().items()}

    def read_files(self) -> dict[str, bytes]:
        """Read what lies beside the notebook, by its path there.

        Raises:
            InfrastructureError: it was changed or removed since it was taken in.
        """
        return {name: content.read(name) for name, content in self.files}

    def read(self) -> bytes:
        """Read what was handed in.

        Raises:
            InfrastructureError: it was changed or removed since it was taken in.
        """
        return self.content.read(self.file)


def read_submission(
    content: Content,
    *,
    student: str,
    file: str,
    submitted_at: dt.datetime | None = None,
    attempt: int = 1,
    display_name: str = "",
    notes: tuple[str, ...] = (),
    beside: Taken | None = None,
    notebook: str = "",
) -> Submission:
    """Return the submission of a file; one that is no notebook has a `problem`, and is not lost.

    Of several notebooks, all of which can't be read, too; else `notes` name those that can't.

    Raises:
        InfrastructureError: the file was changed or removed since it was found.
    """
    problem = ""
    repairs: tuple[str, ...] = ()
    further = [(n, c) for n, c in beside.files if n.endswith(".ipynb")] if beside else []
    problems = {}
    for name, one in [(f"{notebook}.ipynb" if notebook else file, content), *further]:
        try:
            mended = notebook_in(one, name=name).repairs
            repairs += tuple(f"{name}: {m}" for m in mended) if further else mended
        except SubmissionError as error:
            problems[name] = sentences(error)
    if len(problems) > len(further):
        problem = " ".join(problems.values())
    else:
        unread = tuple(unreadable_notebook(name, why) for name, why in problems.items())
        notes = (*unread, *notes)
    return Submission(
        student=student,
        file=file,
        content=content,
        submitted_at=submitted_at,
        attempt=attempt,
        problem=problem,
        display_name=_encodable(display_name or student),
        repairs=repairs,
        notes=(*notes, *beside.notes) if beside else notes,
        files=beside.files if beside else (),
        unused=beside.unused if beside else (),
        notebook=notebook,
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
        content=held(b""),
        submitted_at=submitted_at,
        attempt=attempt,
        problem=problem,
        display_name=_encodable(display_name or student),
    )


def _encodable(name: str) -> str:
    """Return a name that can be stored: a file's may have bytes in it that are no UTF-8."""
    return name.encode("utf-8", "replace").decode()


def sentences(error: SubmissionError) -> str:
    """Return what happened and what to do, for the student."""
    return f"{error.what} {error.hint}" if error.hint else error.what


def unreadable_notebook(file: str, why: str) -> str:
    """Say of one of several notebooks that it can't be read."""
    return f"{file} can't be read: {why}"
