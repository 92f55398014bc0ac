"""Right answers in place of a student's own functions, for a test marked `with_right`.

The reference never enters the box. A stand-in there asks for each call by a message; the judge
computes with the reference, in its own process, and the value crosses.

What asks is hostile: whoever owns the box can ask for anything at any time within such a test. So
only the functions that the mark names are answered, for plain numbers and tensors, so often, for so
many bytes, and within the time of the call that is going on.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import torch

from grader.errors import BoxTimeout
from grader.suite.strictness import not_looking
from grader.wire import messages as m
from grader.wire import values
from grader.wire.values import Blob

MAX_ASKED = 10_000
MAX_BYTES = 256 << 20
_WORD = re.compile(r"[A-Za-z0-9_-]{0,32}")
"""A path, an address or code would make the judge read, on the student's behalf, what it may."""


class RightNames:
    """The functions that are answered for in one test, and how often that has been asked."""

    def __init__(self, reference: ModuleType | None, names: Sequence[str] = ()) -> None:
        self._reference = reference
        self.names = tuple(names)
        self.asked = 0
        self._bytes = 0

    def answer(
        self, wanted: m.Wanted, received: Sequence[memoryview], left_s: float
    ) -> tuple[m.Give, list[Blob]]:
        """Compute what the reference gives for a call.

        Args:
            wanted: from the box, hostile.
            received: its blobs.
            left_s: seconds within which the call that is going on must have ended.

        Raises:
            BoxTimeout: more is asked than may be.
        """
        self.asked += 1
        self._bytes += sum(len(blob) for blob in received)
        if self.asked > MAX_ASKED or self._bytes > MAX_BYTES or left_s <= 0:
            raise BoxTimeout("asked for more right answers than a check may")
        out: list[Blob] = []
        try:
            tree = values.encode(self._computed(wanted, received), out)
        except Exception as error:  # noqa: BLE001 - for inputs that a student chose: no fault of the suite
            # Of the reference's own words none cross.
            return m.Give(error=f"no right answer for this input ({type(error).__name__})"), []
        self._bytes += sum(len(blob) for blob in out)
        return m.Give(value=tree, timeout_s=left_s), out

    def _computed(self, wanted: m.Wanted, received: Sequence[memoryview]) -> Any:
        if wanted.name not in self.names:
            raise LookupError(wanted.name)
        args = [_plain(values.decode(tree, received)) for tree in wanted.args]
        kwargs = {k: _plain(values.decode(tree, received)) for k, tree in wanted.kwargs.items()}
        function = getattr(self._reference, wanted.name)
        # How often a student's code asks must not shift what the test draws next.
        with _own_draws(), not_looking():
            return function(*args, **kwargs)


def is_answerable(reference: ModuleType, name: str) -> bool:
    """Tell whether the reference has a plain function of this name."""
    return isinstance(getattr(reference, name, None), FunctionType)


def _plain(value: Any) -> Any:
    """Return a value of numbers and tensors, and refuse any other."""
    kind = type(value)
    if kind in (list, tuple):
        for part in value:
            _plain(part)
    elif kind is dict:
        for key, part in value.items():
            _plain(key)
            _plain(part)
    elif kind is str:
        if not _WORD.fullmatch(value):
            raise TypeError("a text")
    elif value is not None and not isinstance(
        value, bool | int | float | complex | torch.Tensor | np.ndarray | np.generic
    ):
        raise TypeError(kind.__name__)
    return value


@contextmanager
def _own_draws() -> Iterator[None]:
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])
