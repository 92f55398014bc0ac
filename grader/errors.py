"""The one tree of errors: each says what happened, where, and what to do next."""

from __future__ import annotations

from grader.printable import printable_line


class GraderError(Exception):
    """Something that the user must know about.

    Args:
        what: one sentence, what happened.
        where: file, key, line or cell, if there is one.
        hint: what to do next.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: object = None, hint: str | None = None) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.hint = hint
        super().__init__(what)

    def __str__(self) -> str:
        # A file whose name has a newline in it must not begin a line of its own.
        text = f"{printable_line(self.where)}: {self.what}" if self.where else self.what
        return f"{text}\n  {self.hint}" if self.hint else text


class UsageError(GraderError):
    """The command was called in a way that cannot work."""

    exit_code = 2


class UnknownStudentError(UsageError):
    """A name that the course does not know, such as one that is on no roster."""


class SpecError(GraderError):
    """A file that an instructor wrote (spec, reference, course file) is wrong."""


class SuiteError(GraderError):
    """A pytest suite of an assignment cannot be used; said before the first mark."""


class SubmissionError(GraderError):
    """What a student handed in cannot be read; becomes the verdict `invalid_submission`."""


class ReceiptError(GraderError):
    """A receipt does not hold."""


class GradebookError(GraderError):
    """The record cannot be read or written."""


class WireError(GraderError):
    """What came over the wire is not what may come over it. Hostile until shown otherwise."""


class InfrastructureError(GraderError):
    """Ours to mend, never a mark: the engine, the image, the GPU, the disk."""


class SlowError(InfrastructureError):
    """No answer yet. It is not known that a thing does not work, and nothing is concluded."""


class ImageError(InfrastructureError):
    """The sandbox image is missing, stale or cannot be built."""


class BoxFailure(GraderError):
    """The submission ended its own session; the student's doing, judged as such."""


class BoxTimeout(BoxFailure):
    """A cell, a call or the notebook ran longer than the spec allows."""


class BoxOutOfMemory(BoxFailure):
    """The session was killed for the memory it used."""


class BoxCrashed(BoxFailure):
    """The session's process ended: a segmentation fault, `os._exit`, a signal."""


class BoxOutputLimit(BoxFailure):
    """The session sent more than it may."""
