"""`shown(value)`: what a value looks like at the prompt, for tests that compare that."""

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
