"""pandas' tables that came from the box without a value hold for nothing.

`(student.s > 0).all()` and `student.s.isna().sum() == 0` hold for an empty series. So an empty
table is marked when it comes, pandas hands the mark on to what is computed from it, and what sums
up something marked is refused. Where the other side is empty, too, the mark goes.

pandas is changed when the first such table comes, in the judge's process alone: only what is marked
behaves otherwise.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from grader.suite.failures import Unfit

_MARK = "_empty_from_the_box"
_OPERATIONS = (
    *("eq", "ne", "lt", "le", "gt", "ge", "add", "sub", "mul", "truediv", "floordiv", "mod", "pow"),
    *("radd", "rsub", "rmul", "rtruediv", "rfloordiv", "rmod", "rpow"),
)
_SUMMARIES = (
    *("all", "any", "sum", "prod", "product", "max", "min", "mean", "median", "std", "var", "sem"),
    *("count", "nunique"),
)
_PROPERTIES = ("is_unique", "is_monotonic_increasing", "is_monotonic_decreasing")


def mark_if_empty(value: Any) -> None:
    """Mark a table or a series that came without values; leave alone what is none, or has some."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series) and _empty(value):
        _watch(pandas)
        value.attrs[_MARK] = True


@functools.cache
def _watch(pandas: Any) -> None:
    for kind in (pandas.Series, pandas.DataFrame):
        for name in _OPERATIONS:
            for spelling in (name, f"__{name}__"):
                setattr(kind, spelling, _paired(getattr(kind, spelling)))
        for name in _SUMMARIES:
            if hasattr(kind, name):
                setattr(kind, name, _summary(getattr(kind, name)))
    for name in _PROPERTIES:
        setattr(pandas.Series, name, property(_summary(getattr(pandas.Series, name).fget)))


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
