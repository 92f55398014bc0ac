"""`shown(value)`, `share_shown(value, points)`: for tests that judge what a cell would show."""

from __future__ import annotations

from grader.suite.failures import NotPlain
from grader.suite.student import Remote


def shown(value: object) -> str:
    """Return the `repr` of a plain value that came from the student's code.

    An object that stayed in the box has none here: its own `__repr__` could say anything.

    Raises:
        NotPlain: the value, or one in a list, tuple, set or dict of it, is such an object.
    """
    __tracebackhide__ = True
    _refuse_remote(value)
    return repr(value)


def share_shown(value: object, points: float) -> float:
    """Return the share of its points that a test's last value stands for.

    A number from 0 to `points` is so many of them, more is all, less is none. What is no number
    says nothing: the test has come to its end, and gives all.

    Raises:
        NotPlain: the value is an object that stayed in the box.
    """
    __tracebackhide__ = True
    text = shown(value)
    try:
        number = float(text)
    except ValueError:
        return 1.0
    return min(max(number, 0.0), points) / points if number == number else 0.0


def _refuse_remote(value: object) -> None:
    __tracebackhide__ = True
    if isinstance(value, Remote):
        raise NotPlain("The check needs a plain value, and your code gives an object of its own.")
    if isinstance(value, dict):
        for key, part in value.items():
            _refuse_remote(key)
            _refuse_remote(part)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            _refuse_remote(part)
