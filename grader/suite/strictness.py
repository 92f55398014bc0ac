"""Comparisons that nothing from the box passes by being empty, repeated to fit, or no number.

`torch.allclose(student.f(x), expected)` holds for an empty tensor, `(a - b).abs().max() < eps` for
one number that is broadcast over all, and `not (a - b > eps).any()` for NaN. The second holds for
2**63 more, too: of integers that size is negative. So while a test runs, tensors and arrays that
came from the box are marked, and what is computed from them inherits the mark. Where one of them is
compared it must have values, as many as it is compared with, and numbers to be ordered; integers
must not be so far off that their distance comes round. Where the other side is empty, too, or the
suite itself has reshaped the value, nothing is asked.

What is refused here is the student's only if the reference passes the same test, as
`grading.baseline` finds out: a suite that repeats a value on purpose is told, and costs nobody.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.testing import _comparison

from grader.suite.box_tables import mark_table
from grader.suite.comparisons import Compared, is_of_a_library, note
from grader.suite.failures import Unfit

_MARK = "_from_the_box"
_ORDER = frozenset({"lt", "le", "gt", "ge", "less", "less_equal", "greater", "greater_equal"})
_ALIKE = frozenset(
    {
        *("eq", "ne", "equal", "not_equal", "array_equiv", "isclose", "allclose", "dist"),
        *("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"),
    }
)
_TOLERANT = frozenset({"isclose", "allclose"})
_EXACT = frozenset({"eq", "equal"})
_DIFFERENCE = frozenset({"sub", "rsub", "subtract", "isub"})
_DISTANCE = frozenset(
    {
        *("abs", "absolute", "pow", "power", "square"),
        *("norm", "linalg_norm", "linalg_vector_norm", "linalg_matrix_norm", "vector_norm"),
    }
)
_PAIRS = _ORDER | _ALIKE | _DIFFERENCE
_TRUTHS = frozenset({"item", "float", "int", "bool", "array"})


@dataclass(frozen=True)
class Mark:
    """What is known of a value that came from the box, or was computed from one.

    Attributes:
        shape: in which it came.
        empty: it came without values.
        as_came: it still has the shape in which it came, which the student chose.
        repeated: a difference for which it was repeated.
        distance: the size of such a difference.
    """

    shape: tuple[int, ...]
    empty: bool
    as_came: bool = True
    repeated: bool = False
    distance: bool = False


class BoxArray(np.ndarray[Any, Any]):
    """A numpy array that came from the box; for a suite an array like any other."""

    def __array_finalize__(self, obj: Any) -> None:
        """Inherit the mark of what this is a view or a copy of."""
        mark = _mark_of(obj)
        if mark is not None:
            self.__dict__[_MARK] = _now(mark, self.shape)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Look at what is compared, then do what numpy does."""
        marks = _marks(inputs)
        if method == "__call__" and not _asks_for_infinity(inputs, sys._getframe(1)):
            _check(ufunc.__name__, inputs, marks)
            _note(ufunc.__name__, inputs, marks, {})
        elif method == "reduce" and ufunc in (np.logical_and, np.logical_or) and marks[0]:
            _refuse_empty(marks[0], ())  # the methods `all` and `any`, which give a plain truth
        plain = [_plain(value) for value in inputs]
        if "out" in kwargs:
            kwargs["out"] = tuple(_plain(value) for value in kwargs["out"])
        result = getattr(ufunc, method)(*plain, **kwargs)
        return _with(result, _inherited(ufunc.__name__, inputs, marks, result))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Look at what is compared, then do what numpy does."""
        marks = _marks(args)
        _check(func.__name__, args, marks)
        _note(func.__name__, args, marks, kwargs)
        result = super().__array_function__(func, types, args, kwargs)
        return _with(result, _inherited(func.__name__, args, marks, result))


def _asks_for_infinity(operands: Sequence[Any], asked_in: FrameType) -> bool:
    """Whether `assert_allclose` of numpy 1.26 looks for infinities; later ones use `isinf`."""
    infinite = any(isinstance(value, float) and math.isinf(value) for value in operands)
    return infinite and asked_in.f_globals.get("__name__", "").startswith("numpy.testing.")


class _Strictly(TorchFunctionMode):
    """Looks at every function of torch that the suite calls."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        operands = [*args, *kwargs.values()] if kwargs else args
        marks = _marks(operands)
        if not any(marks):
            return func(*args, **kwargs)
        name = getattr(func, "__name__", "").strip("_")
        _check(name, operands, marks)
        _note(name, args, marks, kwargs)
        result = func(*args, **kwargs)
        return _with(result, _inherited(name, operands, marks, result))


@contextlib.contextmanager
def comparing_strictly() -> Iterator[None]:
    """Look at the comparisons of the suite in this block."""
    from_numpy = torch.from_numpy  # it asks no mode of torch's

    def marking(array: Any) -> Any:
        return _with(from_numpy(array), _mark_of(array))

    torch.from_numpy = marking  # type: ignore[assignment]
    try:
        with _Strictly(), _assert_close_noted(), _arrays_kept(), _approx_of_something():
            yield
    finally:
        torch.from_numpy = from_numpy


@contextlib.contextmanager
def _arrays_kept() -> Iterator[None]:
    """Have `np.array` and `np.asarray` hand on a mark: they make plain arrays, and ask nobody.

    A library that asks for a plain array gets one, unless it is empty.
    """

    def keeping(make: Callable[..., Any]) -> Callable[..., Any]:
        def made(*args: Any, **kwargs: Any) -> Any:
            mark = _marks(args[:1])[0] if args else None
            result = make(*args, **kwargs)
            if mark is None or (
                not mark.empty and is_of_a_library(sys._getframe(1).f_code.co_filename)
            ):
                return result
            return _with(result, mark)

        return made

    own = {name: getattr(np, name) for name in ("array", "asarray")}
    try:
        for name, make in own.items():
            setattr(np, name, keeping(make))
        yield
    finally:
        for name, make in own.items():
            setattr(np, name, make)


@contextlib.contextmanager
def _approx_of_something() -> Iterator[None]:
    """Have `pytest.approx` refuse an empty array: each of its no items is near any number."""
    kinds: list[Any] = [type(pytest.approx(0.0)), type(pytest.approx(np.zeros(1)))]
    own = [kind.__eq__ for kind in kinds]

    def looking(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
        def compared(self: Any, actual: Any) -> bool:
            for mine, other in ((actual, self.expected), (self.expected, actual)):
                mark = _mark_of(mine)
                if mark is not None:
                    _refuse_empty(mark, other)
            return bool(compare(self, actual))

        return compared

    try:
        for kind, compare in zip(kinds, own, strict=True):
            kind.__eq__ = looking(compare)
        yield
    finally:
        for kind, compare in zip(kinds, own, strict=True):
            kind.__eq__ = compare


@contextlib.contextmanager
def _assert_close_noted() -> Iterator[None]:
    """Have `assert_close` say what it is given, before it looks at shapes and dtypes.

    A suite has mostly imported the function itself, so the one is replaced to which it hands its
    arguments: `torch/testing/_comparison.py`, `not_close_error_metas(actual, expected, …)`, in
    torch 2.4 to 2.15. Were that another, a wrong shape would have no diagnosis; nothing else.
    """
    compare = _comparison.not_close_error_metas

    def noting(actual: Any, expected: Any, **options: Any) -> Any:
        if not _note_pairs(actual, expected):
            note(Compared(actual, expected, sided=False))
        return compare(actual, expected, **options)

    _comparison.not_close_error_metas = noting
    try:
        yield
    finally:
        _comparison.not_close_error_metas = compare


def _note_pairs(actual: Any, expected: Any) -> bool:
    """Take note of what differs in its shape; whether one of the values came from the box."""
    if isinstance(actual, list | tuple) and isinstance(expected, list | tuple):
        found = [_note_pairs(*pair) for pair in zip(actual, expected, strict=False)]
        return any(found)
    if _mark_of(actual) is None and _mark_of(expected) is None:
        return False
    # Of one shape they are compared by their values, with the tolerance.
    if tuple(getattr(actual, "shape", ())) != tuple(getattr(expected, "shape", ())):
        is_first = _mark_of(actual) is not None
        note(Compared(actual, expected) if is_first else Compared(expected, actual))
    return True


@contextlib.contextmanager
def not_looking() -> Iterator[None]:
    """Leave alone what the judge itself does with tensors in this block."""
    with torch._C.DisableTorchFunction():
        yield


def marked(value: Any) -> Any:
    """Mark the tensors, arrays and tables in a value that came from the box; returns the value."""
    if isinstance(value, torch.Tensor | np.ndarray):
        return _with(value, Mark(tuple(value.shape), math.prod(value.shape) == 0))
    if type(value) in (list, tuple):
        return type(value)(marked(part) for part in value)
    if type(value) is dict:
        return {key: marked(part) for key, part in value.items()}
    mark_table(value, marked)
    return value


def _with(value: Any, mark: Mark | None) -> Any:
    if mark is None:
        return value
    if isinstance(value, torch.Tensor):
        setattr(value, _MARK, _now(mark, tuple(value.shape)))
    elif isinstance(value, np.ndarray):
        value = value.view(BoxArray)
        value.__dict__[_MARK] = _now(mark, value.shape)
    elif type(value) in (list, tuple) and all(isinstance(v, torch.Tensor) for v in value):
        for part in value:
            _with(part, mark)
    return value


def _now(mark: Mark, shape: tuple[int, ...]) -> Mark:
    return mark if shape == mark.shape else replace(mark, as_came=False)


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, BoxArray) else value


def _mark_of(value: Any) -> Mark | None:
    found = getattr(value, _MARK, None) if isinstance(value, torch.Tensor | BoxArray) else None
    return found if isinstance(found, Mark) else None


def _marks(operands: Sequence[Any]) -> list[Mark | None]:
    """The mark of each operand; a list of tensors has that of its first marked part."""
    return [
        next((mark for part in value if (mark := _mark_of(part))), None)
        if type(value) in (list, tuple) and len(value) < _MANY
        else _mark_of(value)
        for value in operands
    ]


_MANY = 64


def _inherited(
    name: str, operands: Sequence[Any], marks: Sequence[Mark | None], result: Any
) -> Mark | None:
    """The mark of a result."""
    own = [mark for mark in marks if mark is not None]
    if not own:
        return None
    shape = tuple(getattr(result, "shape", ()))
    # Of the operands it is one that the result has its shape from, if there is one.
    mark = next((one for one in own if one.as_came and one.shape == shape), own[0])
    repeated = name in _DIFFERENCE and any(
        map(_is_repeated, operands[:2], marks[:2], _swapped(operands))
    )
    alone = sum(isinstance(value, torch.Tensor | np.ndarray) for value in operands) < 2
    before = alone and own[0].repeated
    return replace(
        mark,
        empty=any(one.empty for one in own) and not _is_rightly_empty(name, operands, marks),
        repeated=repeated or before,
        distance=alone and (own[0].distance or (before and name in _DISTANCE)),
    )


def _is_rightly_empty(name: str, operands: Sequence[Any], marks: Sequence[Mark | None]) -> bool:
    """Whether an empty value was compared with an empty one of the suite's own."""
    if name not in _PAIRS or len(operands) < 2:
        return False
    own = [value for value, mark in zip(operands[:2], marks[:2], strict=True) if mark is None]
    return len(own) == 1 and math.prod(getattr(own[0], "shape", ())) == 0


def _swapped(operands: Sequence[Any]) -> Sequence[Any]:
    return (operands[1], operands[0]) if len(operands) > 1 else (None,)


def _check(name: str, operands: Sequence[Any], marks: Sequence[Mark | None]) -> None:
    """Refuse a comparison in which what came from the box can't be judged.

    Raises:
        Unfit: says what came.
    """
    if name in _TRUTHS and marks and marks[0] is not None:
        _refuse_empty(marks[0], ())
        _refuse_distance(marks[0])
    if name not in _PAIRS or len(operands) < 2:
        return
    for mine, mark, other in zip(operands[:2], marks[:2], _swapped(operands), strict=False):
        if mark is None:
            continue
        other_mark = _mark_of(other)
        if other_mark is None or not other_mark.empty:
            _refuse_empty(mark, other)
        if name in _ALIKE and _is_repeated(mine, mark, other):
            raise Unfit(_REPEATED.format(mark.shape))
        if name not in _DIFFERENCE:
            _refuse_distance(mark)
        elif other_mark is None and _is_too_far(_plain(mine), _plain(other)):
            raise Unfit("Your code gave an integer that is far from any that was expected.")
        if name in _ORDER and _has_nan(mine):
            raise Unfit("Your code gave NaN where a number was expected.")


def _note(
    name: str, args: Sequence[Any], marks: Sequence[Mark | None], kwargs: dict[str, Any]
) -> None:
    """Keep what is compared, for a diagnosis; which of the two came from the box is known here."""
    if (name not in _TOLERANT and name not in _EXACT) or len(args) < 2:
        return
    mine, other = (args[0], args[1]) if marks[0] is not None else (args[1], args[0])
    if name in _EXACT:
        note(Compared(mine, other))
        return
    given = dict(zip(("rtol", "atol"), args[2:4], strict=False))
    given |= {key: kwargs[key] for key in ("rtol", "atol") if key in kwargs}
    # Both torch and numpy take these where nothing is said.
    note(Compared(mine, other, given.get("rtol", 1e-5), given.get("atol", 1e-8)))


_REPEATED = "Your code gave a value of shape {}, which would have to be repeated to be compared."


def _refuse_empty(mark: Mark, other: Any) -> None:
    if mark.empty and math.prod(getattr(other, "shape", ())) != 0:
        raise Unfit(
            f"Your code gave an empty value, of shape {mark.shape}; one was expected that "
            "holds something."
        )


def _refuse_distance(mark: Mark) -> None:
    if mark.distance:
        raise Unfit(_REPEATED.format(mark.shape))


def _is_repeated(mine: Any, mark: Mark | None, other: Any) -> bool:
    """Whether a value in the shape in which it came is broadcast over more values than it has."""
    if mark is None or not mark.as_came or not isinstance(other, torch.Tensor | np.ndarray):
        return False
    other_mark = _mark_of(other)
    if other_mark is not None and other_mark.as_came:
        return False
    try:
        together = np.broadcast_shapes(tuple(mine.shape), tuple(other.shape))
    except ValueError:
        return False
    return bool(math.prod(together) > math.prod(mine.shape))


def _is_too_far(mine: Any, other: Any) -> bool:
    """Whether integers differ by so much that their distance may come round to nothing.

    The size of -2**63 is -2**63, the square of 2**32 is 0, and so may the sum of a few squares be.
    """
    pair = [v for v in (mine, other) if isinstance(v, np.ndarray | torch.Tensor)]
    if len(pair) == 2 and type(pair[0]) is not type(pair[1]):
        return False
    if any(v.dtype not in _INTEGERS for v in pair) or not isinstance(other, _WHOLE):
        return False
    try:
        apart = _doubles(mine) - _doubles(other)
    except (RuntimeError, ValueError):  # of shapes that don't fit
        return False
    count = math.prod(apart.shape)
    return count > 0 and float(abs(apart).max()) >= math.isqrt(2**63 // count)


_INTEGERS = (torch.int64, np.int64)
_WHOLE = (int, np.integer, np.ndarray, torch.Tensor)


def _doubles(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().double()
    return value.astype(np.float64) if isinstance(value, np.ndarray) else float(value)


def _has_nan(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return bool(value.is_floating_point() and value.detach().isnan().any())
    plain = _plain(value)
    return (
        isinstance(plain, np.ndarray) and plain.dtype.kind == "f" and bool((plain != plain).any())
    )
