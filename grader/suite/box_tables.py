"""pandas' tables that came from the box: an empty one holds for nothing, and arrays are marked.

`(student.s > 0).all()` and `student.s.isna().sum() == 0` hold for an empty series. So a table is
marked when it comes, pandas hands the mark on to what is computed from it, and what sums up
something marked as empty is refused. Where the other side is empty, too, that mark goes. The array
that a marked table is made into (`.values`, `to_numpy()`) is an array from the box.

pandas is changed when the first table comes, in the judge's process alone: only what is marked
behaves otherwise.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from grader.suite.failures import Unfit

_MARK = "_empty_from_the_box"
_CAME = "_from_the_box"
_OPERATIONS = (
    *("eq", "ne", "lt", "le", "gt", "ge", "add", "sub", "mul", "truediv", "floordiv", "mod", "pow"),
    *("radd", "rsub", "rmul", "rtruediv", "rfloordiv", "rmod", "rpow"),
)
_SUMMARIES = (
    *("all", "any", "sum", "prod", "product", "max", "min", "mean", "median", "std", "var", "sem"),
    *("count", "nunique"),
)
_PROPERTIES = ("is_unique", "is_monotonic_increasing", "is_monotonic_decreasing")


def mark_table(value: Any, mark_array: Callable[[Any], Any]) -> None:
    """Mark a table or a series; leave alone what is none.

    Args:
        value: what came from the box.
        mark_array: marks an array as one that came from the box, and returns it.
    """
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series):
        _watch(pandas, mark_array)
        value.attrs[_CAME] = True
        if _empty(value):
            value.attrs[_MARK] = True


@functools.cache
def _watch(pandas: Any, mark_array: Callable[[Any], Any]) -> None:
    for kind in (pandas.Series, pandas.DataFrame):
        kind.to_numpy = _array_of(kind.to_numpy, mark_array)
        kind.values = property(_array_of(kind.values.fget, mark_array))
        for name in _OPERATIONS:
            for spelling in (name, f"__{name}__"):
                setattr(kind, spelling, _paired(getattr(kind, spelling)))
        for name in _SUMMARIES:
            if hasattr(kind, name):
                setattr(kind, name, _summary(getattr(kind, name)))
    for name in _PROPERTIES:
        setattr(pandas.Series, name, property(_summary(getattr(pandas.Series, name).fget)))


def _array_of(method: Callable[..., Any], mark_array: Callable[[Any], Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def marked(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = method(self, *args, **kwargs)
        return mark_array(found) if _CAME in getattr(self, "attrs", ()) else found

    return marked


def _paired(operation: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(operation)
    def looked_at(self: Any, other: Any, *args: Any, **kwargs: Any) -> Any:
        marked = [value for value in (self, other) if _is_marked(value)]
        if not marked:
            return operation(self, other, *args, **kwargs)
        result = operation(self, other, *args, **kwargs)
        attrs = getattr(result, "attrs", None)
        if attrs is not None:
            attrs.pop(_MARK, None)
            if len(marked) == 2 or not (_empty(self) and _empty(other)):
                attrs[_MARK] = True
        return result

    return looked_at


def _summary(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def looked_at(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _is_marked(self):
            raise Unfit("Your code gave an empty table; one was expected that holds something.")
        return method(self, *args, **kwargs)

    return looked_at


def _is_marked(value: Any) -> bool:
    return _MARK in getattr(value, "attrs", ())


def _empty(value: Any) -> bool:
    try:
        return int(getattr(value, "size", None) or len(value)) == 0
    except TypeError:  # a number
        return False
