"""pandas' tables cross by value, and nothing that is forged becomes one."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.wire import tables, values
from grader.wire.tables import MAX_ROWS, table
from grader.wire.values import RemoteRef, Undecodable, Unencodable
from tests.wire.test_values import refusal, round_trip

TIMES = pd.to_datetime(["2025-01-01", None, "2025-03-01"])
FRAME = pd.DataFrame(
    {
        "whole": [1, 2, 3],
        "real": [0.5, float("nan"), -1.0],
        "truth": [True, False, True],
        "text": ["a", "ü\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), ""],
        "gaps": ["a", None, "c"],
        "mixed": pd.Series(["a", None, 1.5], dtype=object),
        "time": TIMES,
        "span": TIMES - TIMES[0],
        "kind": pd.Categorical(["x", None, "y"], categories=["y", "x"], ordered=True),
        "maybe": pd.array([1, None, 3], dtype="Int64"),
        "perhaps": pd.array([True, None, False], dtype="boolean"),
        "string": pd.array(["p", None, "q"], dtype="string"),
        7: np.array([1, 2, 3], dtype=np.uint8),
    }
)
TABLES = {
    "all types": FRAME,
    "one type": FRAME[["real"]],
    "no rows": FRAME[:0],
    "no columns": FRAME[[]],
    "nothing": pd.DataFrame(),
    "labels": FRAME.set_index("text"),
    "times as labels": pd.DataFrame({"a": [1, 2]}, index=pd.to_datetime(["2025-01-01"] * 2)),
    "two levels": FRAME.set_index(["text", "whole"])[["real"]],
    "two levels of columns": pd.DataFrame({"g": [1, 1], "v": [2, 3]})
    .groupby("g")
    .agg({"v": ["min", "max"]}),
    "a name twice": pd.DataFrame([[1, "a"]], columns=["x", "x"]),
    "a named range": pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(4, 0, -2, name="n")),
    "strided": pd.DataFrame(np.arange(12.0).reshape(3, 4))[::2],
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_arrives_as_it_was(name: str) -> None:
    came = round_trip(TABLES[name])
    assert type(came) is pd.DataFrame
    pd.testing.assert_frame_equal(came, TABLES[name], check_freq=False)


@pytest.mark.parametrize("column", list(FRAME))
def test_a_series_and_an_index_arrive_as_they_were(column: Any) -> None:
    came = round_trip(FRAME[column])
    pd.testing.assert_series_equal(came, FRAME[column])
    index = pd.Index(FRAME[column])
    pd.testing.assert_index_equal(round_trip(index), index)


def test_a_table_within_other_values_arrives() -> None:
    came = round_trip({"a": [FRAME, (FRAME["whole"], None)]})
    pd.testing.assert_frame_equal(came["a"][0], FRAME)
    pd.testing.assert_series_equal(came["a"][1][0], FRAME["whole"])


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
)


@given(
    st.integers(0, 5).flatmap(
        lambda rows: st.tuples(
            st.lists(st.lists(scalars, min_size=rows, max_size=rows), max_size=4),
            st.lists(scalars, min_size=rows, max_size=rows),
        )
    ),
    st.data(),
)
@settings(max_examples=80, deadline=None)
def test_columns_of_any_scalars_arrive(made: Any, data: Any) -> None:
    columns, index = made
    names = data.draw(st.lists(scalars, min_size=len(columns), max_size=len(columns)))
    frame = pd.DataFrame(
        {n: pd.Series(column, dtype=object) for n, column in enumerate(columns)},
        index=range(len(index)),
    )
    frame.index = pd.Index(index, dtype=object)
    frame.columns = pd.Index(names, dtype=object)
    came = round_trip(frame)
    pd.testing.assert_frame_equal(came, frame)
    assert [list(map(type, came.iloc[:, n])) for n in range(came.shape[1])] == [
        list(map(type, column)) for column in columns
    ]


class Theirs(pd.DataFrame):
    """A student's own: its methods could say anything."""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (pd.DataFrame({"x": [[1]]}), "the column 'x' of a table holds a 'list'"),
        (pd.Series([{1}]), "the series of a table holds a 'set'"),
        (pd.Series([object()], index=["a"]), "holds a 'object'"),
        (pd.Series(pd.interval_range(0, 2)), "has the type 'interval"),
        (pd.DataFrame({"x": [1]}, index=pd.Index([(1, 2)], tupleize_cols=False)), "a 'tuple'"),
        (Theirs({"a": [1]}), "Theirs can't be sent by value"),
    ],
)
def test_what_a_table_may_not_hold_is_named(value: object, said: str) -> None:
    assert said in refusal(value)


def test_a_table_that_cannot_be_sent_stays_where_it_is_and_leaves_nothing_behind() -> None:
    blobs: list[values.Blob] = []
    odd = pd.DataFrame({"a": np.arange(3), "x": [[1], [2], [3]]})
    ref = ["R", 1, "instance", "pandas.DataFrame"]
    tree = values.encode([odd, np.zeros(2)], blobs, other=lambda _: ref)
    assert tree[1] == ref
    assert len(blobs) == 1


def test_a_table_is_bounded_like_any_value() -> None:
    assert "parts" in refusal(pd.Series(["a"] * 300_000, dtype=object))
    big = pd.DataFrame(np.broadcast_to(np.zeros((1, 1)), (20_000_000, 2)), copy=False)
    assert "bytes" in refusal(big)


def test_without_pandas_the_object_itself_can_still_be_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blobs: list[values.Blob] = []
    ref = RemoteRef(3, "instance", "pandas.DataFrame")
    tree = values.encode(FRAME[["real"]], blobs, other=lambda _: values.encode(ref, blobs))
    alone = values.encode(FRAME[["real"]], [])
    monkeypatch.setitem(sys.modules, "pandas", None)  # as if it were not installed
    sent = [memoryview(bytearray(memoryview(b).cast("B"))) for b in blobs]
    assert values.decode(tree, sent) == ref
    with pytest.raises(Undecodable, match="pandas is not installed"):
        values.decode(alone, sent)


def test_pandas_is_not_imported_to_send_something_else() -> None:
    code = (
        "import sys; from grader.wire import values\n"
        "try: values.encode([1, object()], [])\n"
        "except values.Unencodable: print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


INTS = np.arange(2)
RANGE = ["range", 0, 2, 1, None]
COLLIDING = [n * ((1 << 61) - 1) for n in range(1, 200)]
FORGED = {
    "no table": ["chair"],
    "nothing": [],
    "a scalar": 3,
    "of another length": ["series", RANGE, None, np.arange(3)],
    "a frame of other lengths": ["frame", RANGE, ["range", 0, 1, 1, None], [np.arange(3)]],
    "names that don't fit": ["frame", RANGE, RANGE, [INTS]],
    "two dimensions": ["series", RANGE, None, np.zeros((2, 2))],
    "text as numbers": ["series", RANGE, None, np.array(["a", "b"])],
    "a list among scalars": ["series", RANGE, None, ["objects", [1, [2]]]],
    "a function among scalars": ["series", RANGE, None, ["objects", [1, len]]],
    "a name that is a list": ["series", RANGE, [1], INTS],
    "no step": ["index", ["range", 0, 2, 0, None]],
    "an endless index": ["index", ["range", 0, MAX_ROWS + 1, 1, None]],
    "an index beyond int64": ["index", ["range", 0, 1 << 70, 1 << 69, None]],
    "codes beyond the categories": ["series", RANGE, None, ["categories", INTS + 9, INTS, False]],
    "codes that are reals": ["series", RANGE, None, ["categories", INTS / 2, INTS, False]],
    "categories twice": ["series", RANGE, None, ["categories", INTS, INTS * 0, False]],
    "times of no unit": ["series", RANGE, None, ["times", "M", "generic", INTS]],
    "times that are reals": ["series", RANGE, None, ["times", "M", "ns", INTS / 2]],
    "text that is none": ["series", RANGE, None, ["text", "str", ["a", 1]]],
    "text of another type": ["series", RANGE, None, ["text", "object", ["a", "b"]]],
    "gaps of another length": ["series", RANGE, None, ["masked", "Int64", INTS, INTS[:1] > 0]],
    "gaps in another type": ["series", RANGE, None, ["masked", "Int8", INTS, INTS > 0]],
    "gaps of any type": ["series", RANGE, None, ["masked", "object", INTS, INTS > 0]],
    "levels of other lengths": ["index", ["levels", [INTS, np.arange(3)], [None, None]]],
    "no levels": ["index", ["levels", [], []]],
    "equal hashes": ["index", ["labels", ["objects", COLLIDING], None]],
    "too many columns": ["frame", RANGE, ["range", 0, 20_000, 1, None], [INTS] * 20_000],
}


WHY = {
    "no table": "a table that is none",
    "nothing": "a table that is none",
    "a scalar": "a table that is none",
    "of another length": "a series that does not fit its index",
    "a frame of other lengths": "a table whose columns don't fit its index",
    "names that don't fit": "a table whose columns don't fit their names",
    "two dimensions": "a column of several dimensions",
    "text as numbers": "a column that is none",
    "a list among scalars": "a table that holds something else than scalars",
    "a function among scalars": "a table that holds something else than scalars",
    "a name that is a list": "a name that is none",
    "no step": "an index that is none",
    "an endless index": "an index of more than 33,554,432 rows",
    "an index beyond int64": "an index beyond all numbers",
    "codes that are reals": "codes that are no whole numbers",
    "times of no unit": "a column that is none",
    "times that are reals": "times that are no whole numbers",
    "text that is none": "a column of text that holds something else",
    "text of another type": "a column that is none",
    "gaps of another length": "a column of missing numbers that is none",
    "gaps in another type": "a column whose numbers are of another type",
    "gaps of any type": "a column of missing numbers that is none",
    "levels of other lengths": "an index whose levels have different lengths",
    "no levels": "an index that is none",
    "equal hashes": "a table whose values all have the same hash",
    "too many columns": "a table whose columns don't fit their names",
}
"""The others are refused by pandas itself."""


@pytest.mark.parametrize("name", FORGED)
def test_no_forged_table_is_built(name: str) -> None:
    with pytest.raises(Undecodable) as refused:
        table(FORGED[name])
    if name in WHY:
        assert str(refused.value) == WHY[name]
    else:
        assert str(refused.value).startswith("a malformed table: ")


def test_a_table_may_have_as_many_columns_as_the_bound_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "MAX_COLUMNS", 3)
    frame = pd.DataFrame(np.zeros((2, 3)), columns=list("abc"))
    pd.testing.assert_frame_equal(round_trip(frame), frame)
    assert refusal(frame.assign(d=1)) == "a table of more than 3 columns"
    sent = ["frame", RANGE, ["range", 0, 4, 1, None], [INTS] * 4]
    with pytest.raises(Undecodable, match="columns don't fit their names"):
        table(sent)


def test_names_and_columns_that_can_not_be_sent_are_named() -> None:
    series = pd.Series([1], name=(1, frozenset()))
    assert refusal(series) == (
        "a name of a table holds a 'frozenset', which can't be sent by value; text, numbers, "
        "truth values and None can"
    )
    named = pd.Series([1], index=pd.Index([1], name=frozenset()))
    assert refusal(named).startswith("a name of a table holds a 'frozenset'")
    odd = pd.DataFrame({"x" * 80: pd.period_range("2024", periods=2, freq="D")})
    assert refusal(odd) == (
        f"the column '{'x' * 60}' of a table has the type 'period[D]', which can't be sent by "
        "value; numbers, times, text and categories can"
    )
    periods = pd.Series([1, 2], index=pd.period_range("2024", periods=2, freq="D"))
    assert refusal(periods) == "an index of the type 'PeriodIndex'"


def test_an_index_may_be_as_long_and_far_as_the_bounds() -> None:
    far = 1 << 63
    assert len(table(["index", ["range", 0, MAX_ROWS, 1, None]])) == MAX_ROWS
    assert table(["index", ["range", -far, far - 1, far - 1, None]])[0] == -far
    with pytest.raises(Undecodable, match="beyond all numbers"):
        table(["index", ["range", far - 1, far, 1, None]])
    with pytest.raises(Undecodable, match="an index that is none"):
        table(["index", ["levels", [INTS] * 17, [None] * 17]])


@given(
    st.recursive(
        st.sampled_from(
            [
                0,
                1,
                "a",
                "index",
                "range",
                "labels",
                "M",
                "ns",
                None,
                True,
                INTS,
                INTS > 0,
                RANGE,
                "frame",
                "series",
                "objects",
                "categories",
            ]
        ),
        lambda s: st.lists(s, max_size=5),
        max_leaves=12,
    )
)
@settings(max_examples=300, deadline=None)
def test_whatever_is_sent_as_a_table_is_one_or_is_refused(plain: Any) -> None:
    try:
        made = table(plain)
    except Undecodable:
        return
    assert isinstance(made, pd.DataFrame | pd.Series | pd.Index)


def test_many_equal_labels_are_no_attack() -> None:
    index = pd.Index(["a", None] * 500, dtype=object)
    pd.testing.assert_index_equal(round_trip(index), index)


def test_a_ref_that_is_none_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = values.encode(FRAME[["whole"]][:0], [])
    assert tree[0] == "P"
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(Undecodable):
        values.decode(["P", ["l", "index"], ["l", 1]], [])
    with pytest.raises(Unencodable):
        values.encode(object(), [])


def test_a_series_keeps_its_labels_and_name() -> None:
    series = pd.Series([1.5, 2.5], index=["a", "b"], name=("x", 1))
    pd.testing.assert_series_equal(round_trip(series), series)


def test_a_long_honest_column_of_different_objects_arrives() -> None:
    column = pd.Series([f"n{n}" for n in range(3 * tables.MAX_SAME_HASH)], dtype=object)
    pd.testing.assert_series_equal(round_trip(column), column)


def test_as_many_values_may_share_a_hash_as_the_bound_and_no_more() -> None:
    bound = tables.MAX_SAME_HASH
    same = [n * ((1 << 61) - 1) for n in range(bound + 1)]
    assert len({hash(part) for part in same}) == 1
    assert len(table(["index", ["labels", ["objects", same[:bound]], None]])) == bound
    twice = [*same[:bound], *same[:bound]]
    assert len(table(["index", ["labels", ["objects", twice], None]])) == 2 * bound
    with pytest.raises(Undecodable, match="all have the same hash"):
        table(["index", ["labels", ["objects", same], None]])


def test_an_index_may_have_from_one_to_as_many_levels_as_the_bound() -> None:
    def levels(count: int) -> object:
        return table(["index", ["levels", [INTS] * count, [None] * count]])

    assert [pd.MultiIndex] * 2 == [type(levels(n)) for n in (1, tables.MAX_LEVELS)]
    with pytest.raises(Undecodable, match="an index that is none"):
        levels(tables.MAX_LEVELS + 1)


@pytest.mark.parametrize(
    "index",
    [
        pd.Index([1, [2]], dtype=object),
        pd.MultiIndex(levels=[pd.Index([(1, 2)], tupleize_cols=False), [1]], codes=[[0], [0]]),
        pd.CategoricalIndex([(1, 2)], categories=pd.Index([(1, 2)], tupleize_cols=False)),
    ],
)
def test_an_index_that_can_not_be_sent_is_named(index: pd.Index) -> None:
    assert refusal(index).startswith("the index of a table holds a '")
