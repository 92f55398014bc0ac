"""What went on in a test beside its result: to tell a fault of the suite from one of the student's.

An exception in a suite may come of what the student's code returned, or of the suite alone: its
text does not say. The judge decides by the reference solution: the same test, with the same draws,
with the reference in the student's place. What that does not pass either is a `suite_error`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import torch

from grader.diagnosis.kept_values import KeptValue
from grader.wire.values import RemoteRef

MAX_RECEIVED = 200
MAX_KINDS = 10_000
_MOST_PARTS = 64
_MAX_PARTS = 4
_MAX_NAME = 60
INSTANCE = "an object of the class"
EMPTY = "no numbers at all"
EMPTY_ARRAY = "an empty array"
COMPLEX = "complex numbers"
MISSING = "missing values"
_OF_ROUNDING = 1e-3
_NO_SIZE = 1e-9
_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_TABLES = frozenset(
    {
        *("DataFrame", "Series", "Index", "RangeIndex", "MultiIndex"),
        *("DatetimeIndex", "TimedeltaIndex", "CategoricalIndex"),
    }
)


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """Something that came from the box: what was asked, such as `f(…)`, and what kind it is."""

    asked: str
    kind: str


class Trusted(msgspec.Struct, frozen=True, kw_only=True):
    """An object that was asked for what a value would have said: `name` of what came as `asked`."""

    asked: str
    kind: str
    name: str


class Odd(msgspec.Struct, frozen=True, kw_only=True):
    """What came in a form in which comparisons hold for nothing: `kind` in what came as `asked`."""

    asked: str
    kind: str


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Of one test: what it received, in order, and what the reference has to be asked about.

    `kinds` are the kinds of all of it and of what tuples, lists and dicts among it hold, each once;
    `odd` is what no number may be replaced by.
    `doubtful`: its ending may be the suite's fault. `unusable`: an exception ended it, and no
    assertion. `trusted`: where it took an object's own word for what a tensor or an array would
    have said. `trusting`: it earned points so, or by what is odd. `refused` is the value at which a
    comparison ended it, as far as it is kept (see `grading.mistakes`).
    """

    received: tuple[Received, ...] = ()
    kinds: tuple[Received, ...] = ()
    odd: tuple[Odd, ...] = ()
    trusted: tuple[Trusted, ...] = ()
    doubtful: bool = False
    unusable: bool = False
    trusting: bool = False
    refused: KeptValue | None = None


NOTHING = Account()
_SCALARS = frozenset({"a number", "True or False", "text"})
_VALUES = _SCALARS | {"a tensor", "a numpy array"}
VALUE_NAMES = frozenset({*dir(torch.Tensor), *dir(np.ndarray)}) - frozenset(dir(torch.nn.Module))
"""What a tensor or an array is asked for, and a model is not."""
DECIDING = VALUE_NAMES | {"contains"}
"""What an object decides by itself; of its items and its length the suite sees what they are."""
UNSEEN = "contains what it does not give"
_CONTAINERS = frozenset({"a list", "a tuple", "a set", "a frozenset", "a dict", "a range"})


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
    for odd in account.odd:
        instead = "" if odd in reference.odd else _instead(odd, reference)
        if instead:
            return odd.asked, odd.kind, instead
    honest = {(one.asked, one.name) for one in reference.trusted}
    for one in account.trusted:
        if (one.asked, one.name) in honest:
            continue
        mine, wanted = _kinds(account, one.asked), _kinds(reference, one.asked)
        inside = next((kind for kind in mine if kind != one.kind), "")
        value = next((kind for kind in wanted if kind in _VALUES), "")
        if one.name == UNSEEN:
            value = value or next((k for k in wanted if k.split(" (")[0] in _CONTAINERS), "")
        if value and not inside:
            return one.asked, one.kind, value
        if complete and one.name in DECIDING and (inside or not wanted):
            return one.asked, one.kind + (f" in {inside}" if inside else ""), "a plain value"
    return None


def _instead(odd: Odd, reference: Account) -> str:
    """What the reference gives in the place of what is odd; empty where that may be odd, too.

    An empty list in the place of another list may be a right answer, such as of a draw; so may an
    empty array, in which comparisons are looked at themselves.
    """
    never = {EMPTY: _VALUES, EMPTY_ARRAY: _SCALARS}.get(odd.kind)
    kinds = _kinds(reference, odd.asked)
    return next((kind for kind in kinds if never is None or kind in never), "")


def _kinds(account: Account, asked: str) -> list[str]:
    came = (*account.received, *account.kinds)
    return [received.kind for received in came if received.asked == asked]


def parts_of(asked: str, value: object) -> Iterator[Received]:
    """A value, and what a tuple, a list or a dict holds, each as a student would write it."""
    yield Received(asked=asked, kind=kind_of(value))
    for key, part in islice(_parts(value), _MOST_PARTS):
        yield Received(asked=_part(asked, key), kind=kind_of(part))


def odd_in(asked: str, value: object) -> Iterator[Odd]:
    """Find what numpy and pandas compare with anything: no numbers, imaginary or missing ones.

    `np.allclose([], 0.5)` holds, and so does `np.mean((out - right) ** 2) < 1e-6` for a large
    imaginary number, whose square is negative: numpy orders complex numbers by their real parts.
    `.all()` of pandas passes over what is missing. A list can't be marked as a tensor can, so it is
    the reference that says whether one may come.
    """
    if kind := _lacking(value):
        yield Odd(asked=asked, kind=kind)
    for key, part in () if _is_plain(value) else _parts(value):
        if kind := _lacking(part):
            yield Odd(asked=_part(asked, key), kind=kind)
    if _is_imaginary(value):
        yield Odd(asked=asked, kind=COMPLEX)


def _parts(value: Any) -> Iterator[tuple[int | str, Any]]:
    if type(value) in (list, tuple):
        yield from enumerate(value)
    elif type(value) is dict:
        yield from ((name, value[name]) for name in value if type(name) is str)


def _part(asked: str, key: int | str) -> str:
    return f"{asked}[{(key[:_MAX_NAME] if isinstance(key, str) else key)!r}]"


def _is_plain(value: Any) -> bool:
    """Whether it is a list of plain numbers and words, which may be a million."""
    return type(value) in (list, tuple) and _PLAIN.issuperset(map(type, value))


def _lacking(value: Any) -> str:
    """How numbers are lacking; an empty text where they are not."""
    if isinstance(value, torch.Tensor | np.ndarray):
        return EMPTY_ARRAY if _is_empty(value) else ""
    if _is_hollow(value):
        return EMPTY
    return MISSING if type(value).__name__ in _TABLES and _misses_some(value) else ""


def _is_hollow(value: Any) -> bool:
    """Whether it is a container of no number that numpy would take for an array."""
    if isinstance(value, list | tuple | range):
        return all(_is_hollow(part) or _is_empty(part) for part in value)
    return type(value).__name__ in _TABLES and _is_empty(value)


def _is_empty(value: Any) -> bool:
    """Whether it is an array or a table of nothing; an object of the box is never asked."""
    known = isinstance(value, torch.Tensor | np.ndarray) or type(value).__name__ in _TABLES
    return known and math.prod(value.shape) == 0


def _misses_some(table: Any) -> bool:
    """Whether a value is missing as `pandas.NA`, of which no comparison is true or false."""
    missing = sys.modules["pandas"].NA
    of_own = (c for c in _columns(table) if getattr(c.dtype, "na_value", None) is missing)
    return any(bool(c.isna().any()) for c in of_own)


def _columns(table: Any) -> list[Any]:
    return [table.iloc[:, n] for n in range(table.shape[1])] if table.ndim == 2 else [table]


def _is_imaginary(value: Any) -> bool:
    """Whether it holds complex numbers that are more than real ones with an error of rounding."""
    if isinstance(value, dict):
        return any(map(_is_imaginary, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        if _is_plain(value):
            return False
        numbers = [part for part in value if isinstance(part, complex | np.complexfloating)]
        rest = (part for part in value if not isinstance(part, complex | np.generic))
        return bool(numbers and _is_imaginary(np.asarray(numbers))) or any(map(_is_imaginary, rest))
    if isinstance(value, torch.Tensor):
        if not value.is_complex():
            return False
        value = value.detach().cpu().to(torch.complex128).numpy()
    elif type(value).__name__ in _TABLES:
        # Not the table as one array: of many types that would be an object for each cell.
        columns = [c for c in _columns(value) if isinstance(c.dtype, np.dtype)]
        return any(_is_imaginary(c.to_numpy()) for c in columns if c.dtype.kind == "c") or any(
            _is_imaginary(c.tolist()) for c in columns if c.dtype.kind == "O"
        )
    elif not isinstance(value, complex | np.complexfloating | np.ndarray):
        return False
    array = np.asarray(value)
    return array.dtype.kind == "c" and array.size > 0 and _is_turned(array.astype(np.complex128))


def _is_turned(numbers: np.ndarray[Any, Any]) -> bool:
    """Whether imaginary parts are more than a thousandth of the whole: as large as an error."""
    largest = float(np.abs(numbers).max())
    if not math.isfinite(largest):
        return True
    if float(np.abs(numbers.imag).max()) <= _NO_SIZE:
        return False
    numbers = numbers / largest
    share = float(np.linalg.norm(numbers.imag)) / float(np.linalg.norm(numbers))
    return not share <= _OF_ROUNDING


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
