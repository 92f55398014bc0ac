"""How a call into the box can end badly, as exceptions that a suite's author can name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from grader.errors import BoxTimeout
from grader.wire.messages import TracebackLine

MAX_TEXT = 2_000

_AS_BUILTIN: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        ArithmeticError,
        AssertionError,
        AttributeError,
        FileNotFoundError,
        FloatingPointError,
        IndexError,
        KeyError,
        LookupError,
        NameError,
        NotImplementedError,
        OSError,
        OverflowError,
        RecursionError,
        RuntimeError,
        TypeError,
        ValueError,
        ZeroDivisionError,
    )
}


class StudentError(Exception):
    """Student code raised; `type` and `text` are what it raised, `frames` where.

    What is raised is also an instance of the builtin exception of that name, so that
    `pytest.raises(ValueError)` means what it says. Name the type that you expect: a bare
    `pytest.raises(StudentError)` passes for a notebook in which the function is missing.
    """

    def __init__(self, type_name: str, text: str, frames: Sequence[TracebackLine] = ()) -> None:
        self.type = type_name[:200]
        self.text = text[:MAX_TEXT]
        self.frames = tuple(frames)
        super().__init__(self.type, self.text)

    def __str__(self) -> str:
        return f"{self.type}: {self.text}" if self.text else self.type

    @property
    def sentence(self) -> str:
        """What the student reads."""
        return f"Your code raised {self}"


class MissingName(StudentError, AttributeError):
    """The notebook does not define the name that was asked for."""

    def __init__(self, name: str, similar: Sequence[str] = ()) -> None:
        self.missing = name[:200]
        near = ", ".join(text[:60] for text in similar[:3])
        text = f"The notebook does not define {self.missing}."
        super().__init__("MissingName", f"{text} It defines {near}." if near else text)

    def __str__(self) -> str:
        return self.text

    @property
    def sentence(self) -> str:
        """What the student reads."""
        return self.text


class NotPlain(StudentError):
    """A plain value was needed, and the box holds or sent something else."""

    def __init__(self, text: str) -> None:
        super().__init__("NotPlain", text)

    def __str__(self) -> str:
        return self.text

    @property
    def sentence(self) -> str:
        """What the student reads."""
        return self.text


class Unfit(NotPlain):
    """A value that a comparison can't judge: it is empty, or would be repeated, or is no number."""


class StaleRemote(NotPlain):
    """The object is gone: the notebook had to be run anew since the suite got hold of it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is gone: the notebook had to be started again after a call that did not "
            "come back."
        )


class CallTimeout(BoxTimeout):
    """A call was interrupted at its limit; `frames` say where the student's code was."""

    def __init__(self, seconds: float, frames: Sequence[TracebackLine] = ()) -> None:
        self.frames = tuple(frames)
        super().__init__(f"the call ran longer than {seconds:.3g} s and was stopped")


def student_error(type_name: str, text: str, frames: Sequence[TracebackLine] = ()) -> StudentError:
    """Make the `StudentError` for what student code raised."""
    return _class_for(type_name if type_name in _AS_BUILTIN else "")(type_name, text, frames)


@cache
def _class_for(builtin: str) -> type[StudentError]:
    # Only names of the table get here: a box that invents names must not fill our memory.
    if not builtin:
        return StudentError
    return type(f"Student{builtin}", (StudentError, _AS_BUILTIN[builtin]), {"__module__": __name__})
