"""pandas' tables, series and indexes as plain columns, and back; pandas itself is optional.

A table becomes nested lists of numpy arrays and scalars, which cross like any other value:

    frame   ["frame", index, index of the columns, [column, …]]
    series  ["series", index, name, column]
    index   ["range", start, stop, step, name] | ["labels", column, name]
            | ["levels", [column, …], [name, …]]
    column  an array | ["times", "M" or "m", unit, array of int64] | ["objects", [scalar, …]]
            | ["text", type, [text or None, …]] | ["masked", type, array, array of bool]
            | ["categories", array of codes, column, ordered]

No pickle, no class of a student's: only pandas' own types are taken, exactly, and what comes out
is built anew. pandas is never imported to send something: who has a table has imported it.
"""

from __future__ import annotations

import importlib
import re
import sys
from typing import Any

import numpy as np

from grader.wire.dtypes import ARRAY_KINDS
from grader.wire.kinds import INT64, Undecodable, Unencodable

MAX_COLUMNS = 10_000
MAX_ROWS = 1 << 25
"""As many numbers as a value has bytes for; an index that counts has none."""
MAX_LEVELS = 16
MAX_SAME_HASH = 64
NUMBERS = "biufc"
_UNITS = frozenset({"s", "ms", "us", "ns"})
_MASKED = re.compile(r"U?Int(8|16|32|64)|Float(32|64)|boolean")
_INDEXES = ("Index", "DatetimeIndex", "TimedeltaIndex", "CategoricalIndex")
_TEXTS = frozenset({"str", "string"})
_SCALARS = (type(None), bool, int, float, str)


def plain_table(value: object) -> list[Any] | None:
    """Take a pandas DataFrame, Series or Index apart; None for what is none.

    Raises:
        Unencodable: a column holds what can't be sent: which, and what.
    """
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return None
    try:
        return _plain(value, type(value), pandas)
    except Unencodable:
        raise
    except Exception as error:  # a student may have put anything into pandas
        raise Unencodable(f"a table that can't be read: {str(error)[:200]}") from error


def table(plain: object) -> Any:
    """Build the table again of what `plain_table` made, which may be forged.

    Raises:
        Undecodable: it is none.
        ImportError: pandas is not installed here.
    """
    pandas: Any = importlib.import_module("pandas")
    try:
        return _built(plain, pandas)
    except Undecodable:
        raise
    except Exception as error:
        raise Undecodable(f"a malformed table: {str(error)[:200]}") from error


def _plain(value: Any, kind: type, pandas: Any) -> list[Any] | None:
    if kind is getattr(pandas, "DataFrame", None):
        if value.shape[1] > MAX_COLUMNS:
            raise Unencodable(f"a table of more than {MAX_COLUMNS:,} columns")
        columns = [
            _column(value.iloc[:, n], f"the column {_shown(value.columns[n])}", pandas)
            for n in range(value.shape[1])
        ]
        return ["frame", _index(value.index, pandas), _index(value.columns, pandas), columns]
    if kind is getattr(pandas, "Series", None):
        column = _column(value, "the series", pandas)
        return ["series", _index(value.index, pandas), _label(value.name), column]
    if issubclass(kind, getattr(pandas, "Index", ())):
        return ["index", _index(value, pandas)]
    return None


def _index(index: Any, pandas: Any) -> list[Any]:
    kind = type(index)
    if kind is pandas.RangeIndex:
        return ["range", index.start, index.stop, index.step, _label(index.name)]
    if kind is pandas.MultiIndex:
        levels = [
            _column(index.get_level_values(n), "the index", pandas) for n in range(index.nlevels)
        ]
        return ["levels", levels, [_label(name) for name in index.names]]
    if kind not in [getattr(pandas, name, None) for name in _INDEXES]:
        raise Unencodable(f"an index of the type {_shown(kind.__name__)}")
    return ["labels", _column(index, "the index", pandas), _label(index.name)]


def _column(values: Any, what: str, pandas: Any) -> Any:
    """The values of a series or an index."""
    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        array = values.to_numpy()
        if dtype.kind in NUMBERS:
            return np.ascontiguousarray(array)
        if dtype.kind in "mM":
            unit = np.datetime_data(dtype)[0]
            return ["times", dtype.kind, unit, np.ascontiguousarray(array).view(np.int64)]
        if dtype.kind == "O":
            return ["objects", [_scalar(part, what) for part in array.tolist()]]
    elif isinstance(dtype, pandas.CategoricalDtype):
        codes = values.cat.codes.to_numpy() if hasattr(values, "cat") else values.codes
        categories = _column(dtype.categories, what, pandas)
        return ["categories", np.ascontiguousarray(codes), categories, bool(dtype.ordered)]
    elif isinstance(dtype, pandas.StringDtype):
        missing = values.isna().tolist()
        texts = [
            None if gone else part for part, gone in zip(values.tolist(), missing, strict=True)
        ]
        return ["text", str(dtype), texts]
    elif _MASKED.fullmatch(str(dtype)):
        gone = np.asarray(values.isna(), dtype=bool)
        numbers = values.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        return ["masked", str(dtype), np.ascontiguousarray(numbers), gone]
    raise Unencodable(
        f"{what} of a table has the type {_shown(dtype)}, which can't be sent by value; numbers, "
        "times, text and categories can"
    )


def _scalar(part: Any, what: str) -> Any:
    kind = type(part)
    if kind in _SCALARS or (
        issubclass(kind, np.generic) and np.generic.dtype.__get__(part).kind in ARRAY_KINDS
    ):
        return part
    raise Unencodable(
        f"{what} of a table holds a {_shown(kind.__name__)}, which can't be sent by value; text, "
        "numbers, truth values and None can"
    )


def _label(name: Any) -> Any:
    if type(name) is tuple:
        return tuple(_scalar(part, "a name") for part in name)
    return _scalar(name, "a name")


def _shown(name: object) -> str:
    return repr(str(name)[:60])


# -- back again, of what a hostile box may have sent ------------------------------------------


def _built(plain: Any, pandas: Any) -> Any:
    match plain:
        case ["frame", index, names, list(columns)]:
            rows, labels = _index_of(index, pandas), _index_of(names, pandas)
            if len(columns) > MAX_COLUMNS or len(columns) != len(labels):
                raise Undecodable("a table whose columns don't fit their names")
            made = [_values(column, pandas) for column in columns]
            if any(len(column) != len(rows) for column in made):
                raise Undecodable("a table whose columns don't fit its index")
            series = {n: _series(column, rows, None, pandas) for n, column in enumerate(made)}
            frame = pandas.DataFrame(series, index=rows)
            frame.columns = labels
            return frame
        case ["series", index, name, column]:
            rows, values = _index_of(index, pandas), _values(column, pandas)
            if len(values) != len(rows):
                raise Undecodable("a series that does not fit its index")
            return _series(values, rows, _name(name), pandas)
        case ["index", index]:
            return _index_of(index, pandas)
    raise Undecodable("a table that is none")


def _series(values: Any, rows: Any, name: Any, pandas: Any) -> Any:
    return pandas.Series(values, index=rows, dtype=values.dtype, name=name)


def _index_of(plain: Any, pandas: Any) -> Any:
    match plain:
        case ["range", int(start), int(stop), int(step), name] if step:
            if not all(-INT64 <= n < INT64 for n in (start, stop, step)):
                raise Undecodable("an index beyond all numbers")
            if len(range(start, stop, step)) > MAX_ROWS:
                raise Undecodable(f"an index of more than {MAX_ROWS:,} rows")
            return pandas.RangeIndex(start, stop, step, name=_name(name))
        case ["labels", column, name]:
            values = _values(column, pandas)
            # Said anew: what is left to pandas to find out, each of its versions finds otherwise.
            return pandas.Index(values, dtype=values.dtype, name=_name(name), tupleize_cols=False)
        case ["levels", list(levels), list(names)] if 0 < len(levels) == len(names) <= MAX_LEVELS:
            columns = [_values(level, pandas) for level in levels]
            if len({len(column) for column in columns}) != 1:
                raise Undecodable("an index whose levels have different lengths")
            return pandas.MultiIndex.from_arrays(columns, names=[_name(name) for name in names])
    raise Undecodable("an index that is none")


def _values(plain: Any, pandas: Any) -> Any:
    match plain:
        case np.ndarray() if plain.dtype.kind in NUMBERS:
            return _one_dimensional(plain)
        case ["times", "M" | "m" as kind, str(unit), np.ndarray() as stored] if unit in _UNITS:
            if _one_dimensional(stored).dtype != np.int64:
                raise Undecodable("times that are no whole numbers")
            return stored.view(f"{kind}8[{unit}]")
        case ["objects", list(parts)]:
            return _objects(parts)
        case ["text", str(name), list(parts)] if name in _TEXTS:
            if not all(part is None or type(part) is str for part in parts):
                raise Undecodable("a column of text that holds something else")
            return pandas.array(
                parts, dtype=name if name == "string" else pandas.Series([""]).dtype
            )
        case ["masked", str(name), np.ndarray() as numbers, np.ndarray() as gone]:
            return _masked(name, _one_dimensional(numbers), _one_dimensional(gone), pandas)
        case ["categories", np.ndarray() as codes, column, bool(ordered)]:
            if _one_dimensional(codes).dtype.kind != "i":
                raise Undecodable("codes that are no whole numbers")
            kinds = _index_of(["labels", column, None], pandas)
            return pandas.Categorical.from_codes(codes, categories=kinds, ordered=ordered)
    raise Undecodable("a column that is none")


def _masked(
    name: str, numbers: np.ndarray[Any, Any], gone: np.ndarray[Any, Any], pandas: Any
) -> Any:
    if not _MASKED.fullmatch(name) or gone.dtype != bool or len(gone) != len(numbers):
        raise Undecodable("a column of missing numbers that is none")
    dtype = pandas.api.types.pandas_dtype(name)
    if numbers.dtype != dtype.numpy_dtype:
        raise Undecodable("a column whose numbers are of another type")
    made = pandas.array(numbers, dtype=dtype)
    made[gone] = pandas.NA
    return made


def _objects(parts: list[Any]) -> np.ndarray[Any, Any]:
    if not all(type(part) in _SCALARS or isinstance(part, np.generic) for part in parts):
        raise Undecodable("a table that holds something else than scalars")
    _refuse_equal_hashes(parts)
    made = np.empty(len(parts), dtype=object)
    for index, part in enumerate(parts):
        made[index] = part
    return made


def _one_dimensional(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.ndim != 1:
        raise Undecodable("a column of several dimensions")
    return array


def _name(name: Any) -> Any:
    parts = name if type(name) is tuple else (name,)
    if not all(type(part) in _SCALARS or isinstance(part, np.generic) for part in parts):
        raise Undecodable("a name that is none")
    return name


def _refuse_equal_hashes(parts: list[Any]) -> None:
    """Values made to share a hash would cost the judge the square of their number to look up."""
    if len(parts) <= MAX_SAME_HASH:
        return
    alike: dict[int, list[Any]] = {}
    for part in parts:
        bucket = alike.setdefault(hash(part), [])
        if part not in bucket:
            bucket.append(part)
            if len(bucket) > MAX_SAME_HASH:
                raise Undecodable("a table whose values all have the same hash")
