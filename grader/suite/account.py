"""What went on in a test beside its result: to tell a fault of the suite from one of the student's.

An exception in a suite may come of what the student's code returned, or of the suite alone: its
text does not say. The judge decides by the reference solution: the same test, with the same draws,
with the reference in the student's place. What that does not pass either is a `suite_error`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import torch

from grader.diagnosis.kept_values import KeptValue
from grader.wire.values import RemoteRef

MAX_RECEIVED = 200
_MAX_PARTS = 4
_MAX_NAME = 60
INSTANCE = "an object of the class"


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """Something that came from the box: what was asked, such as `f(…)`, and what kind it is."""

    asked: str
    kind: str


class Trusted(msgspec.Struct, frozen=True, kw_only=True):
    """An object that was asked for what a value would have said: `name` of what came as `asked`."""

    asked: str
    kind: str
    name: str


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Of one test: what it received, in order, and what the reference has to be asked about.

    `doubtful`: its ending may be the suite's fault. `unusable`: an exception ended it, and no
    assertion. `trusted`: where it took an object's own word for what a tensor or an array would
    have said. `trusting`: it earned points so. `refused` is the value at which a comparison ended
    it, as far as it is kept (see `grading.mistakes`).
    """

    received: tuple[Received, ...] = ()
    trusted: tuple[Trusted, ...] = ()
    doubtful: bool = False
    unusable: bool = False
    trusting: bool = False
    refused: KeptValue | None = None


NOTHING = Account()
_VALUES = frozenset({"a tensor", "a numpy array", "a number", "True or False", "text"})
VALUE_NAMES = frozenset({*dir(torch.Tensor), *dir(np.ndarray)}) - frozenset(dir(torch.nn.Module))
"""What a tensor or an array is asked for, and a model is not."""
DECIDING = VALUE_NAMES | {"contains"}
"""What an object decides by itself; of its items and its length the suite sees what they are."""


def kind_of(value: object) -> str:
    """Name the kind of what came from the box as a student would."""
    ref_of = getattr(type(value), "__grader_ref__", None)
    if ref_of is not None:
        return _kind_of_ref(ref_of(value))
    if type(value) is tuple and 0 < len(value) <= _MAX_PARTS:
        return f"a tuple ({', '.join(kind_of(part) for part in value)})"
    for kinds, words in _KINDS:
        if isinstance(value, kinds):
            return words
    return f"a {type(value).__name__}"


def _kind_of_ref(ref: RemoteRef) -> str:
    if ref.kind != "instance":
        return f"a {ref.kind}"
    return f"{INSTANCE} {ref.type_name.rpartition('.')[2][:_MAX_NAME]}"


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "None"),
    ((bool, np.bool_), "True or False"),
    ((int, float, np.number), "a number"),
    (complex, "a complex number"),
    (str, "text"),
    (bytes, "bytes"),
    (torch.Size, "a size"),
    (torch.Tensor, "a tensor"),
    (np.ndarray, "a numpy array"),
    (torch.dtype, "a dtype"),
)


def pretender(
    account: Account, reference: Account, *, complete: bool
) -> tuple[str, str, str] | None:
    """Return the first object in the place of a plain value: asked, came, expected.

    What the reference's objects are asked, too, is no pretence. A class, a function and a model can
    answer as well as an instance, and so can what lies in a dict. Where the reference's run is not
    `complete`, what it was never asked says nothing.
    """
    honest = {(one.asked, one.name) for one in reference.trusted}
    for one in account.trusted:
        if (one.asked, one.name) in honest:
            continue
        mine, wanted = _kinds(account, one.asked), _kinds(reference, one.asked)
        inside = next((kind for kind in mine if kind != one.kind), "")
        value = next((kind for kind in wanted if kind in _VALUES), "")
        if value and not inside:
            return one.asked, one.kind, value
        if complete and one.name in DECIDING and (inside or not wanted):
            return one.asked, one.kind + (f" in {inside}" if inside else ""), "a plain value"
    return None


def _kinds(account: Account, asked: str) -> list[str]:
    return [received.kind for received in account.received if received.asked == asked]


def difference(
    received: Sequence[Received], expected: Sequence[Received]
) -> tuple[str, str, str] | None:
    """Return the first thing of another kind than the reference gives: asked, came, expected."""
    for came, wanted in zip(received, expected, strict=False):
        if came.asked != wanted.asked:
            return None
        if came.kind != wanted.kind:
            return came.asked, came.kind, wanted.kind
    return None
