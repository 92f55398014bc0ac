"""Values that cross the wire arrive equal, plain, and without running a student's methods."""

from __future__ import annotations

import enum
import math
from collections import Counter, OrderedDict, defaultdict, namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.wire import values
from grader.wire.dtypes import TENSOR_DTYPES
from grader.wire.values import RemoteRef, Unencodable


def round_trip(value: object, **options: Any) -> Any:
    """Through the same bytes as a message's blobs."""
    blobs: list[values.Blob] = []
    tree = values.encode(value, blobs, **options)
    sent = [memoryview(bytearray(memoryview(b).cast("B"))) for b in blobs]
    return values.decode(tree, sent)


def refusal(value: object) -> str:
    with pytest.raises(Unencodable) as caught:
        values.encode(value, [])
    return str(caught.value)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(1 << 300), max_value=1 << 300)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(max_size=30)
    | st.text(min_size=1100, max_size=1200)
    | st.binary(max_size=50)
    | st.builds(range, st.integers(), st.integers(), st.integers(min_value=1))
)
hashable = st.recursive(
    scalars, lambda s: st.tuples(s, s) | st.frozensets(s, max_size=3), max_leaves=5
)
plain = st.recursive(
    scalars | st.builds(slice, st.integers(), st.none() | st.integers()),
    lambda s: (
        st.lists(s, max_size=4)
        | st.lists(s, max_size=4).map(tuple)
        | st.dictionaries(hashable, s, max_size=4)
        | st.sets(hashable, max_size=4)
    ),
    max_leaves=20,
)


def same(a: object, b: object) -> bool:
    """Equal, and of the same types all the way down (so that 1, 1.0 and True differ)."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))  # type: ignore[arg-type]
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))  # type: ignore[attr-defined]
    return bool(a == b)


@given(plain)
@settings(max_examples=150, deadline=None)
def test_plain_values_arrive_as_they_were(value: object) -> None:
    assert same(round_trip(value), value)


@pytest.mark.parametrize("number", [float("nan"), math.inf, -math.inf, -0.0])
def test_numbers_that_are_none_arrive_too(number: float) -> None:
    came = round_trip(number)
    assert repr(came) == repr(number)
    assert repr(round_trip(complex(number, number))) == repr(complex(number, number))


@pytest.mark.parametrize("name", sorted(TENSOR_DTYPES))
def test_a_tensor_of_every_dtype_arrives(name: str) -> None:
    dtype = TENSOR_DTYPES[name]
    stored = torch.arange(6 * dtype.itemsize, dtype=torch.uint8).reshape(2, -1)
    tensor = stored.remainder(2).bool() if dtype is torch.bool else stored.view(dtype)
    came = round_trip(tensor)
    assert (came.dtype, came.shape) == (tensor.dtype, tensor.shape)
    assert torch.equal(came.view(torch.uint8), tensor.view(torch.uint8))


BASE = torch.arange(24.0).reshape(2, 3, 4)
TENSORS = {
    "0-d": torch.tensor(3.5),
    "empty": torch.empty(0, 3),
    "transposed": BASE.transpose(0, 2),
    "strided": BASE[:, ::2, 1:],
    "one number of a column": BASE[0, :1, 1],
    "expanded": torch.ones(1, 3).expand(5, 3),
    "one element of a large storage": torch.zeros(1_000_000)[3:4],
    "conjugated": torch.view_as_complex(torch.randn(3, 2)).conj(),
    "negated lazily": torch.view_as_complex(torch.randn(3, 2)).conj().imag,
    "of NaN and infinity": torch.tensor([math.nan, math.inf, -math.inf]),
    "of many dimensions": torch.zeros([1] * 40),
}


@pytest.mark.parametrize("name", TENSORS)
def test_a_tensor_arrives_whatever_its_memory_looks_like(name: str) -> None:
    came = round_trip(TENSORS[name])
    assert type(came) is torch.Tensor
    torch.testing.assert_close(came, TENSORS[name].resolve_neg(), rtol=0, atol=0, equal_nan=True)
    assert came.is_contiguous()


def test_a_small_view_sends_its_own_bytes_only() -> None:
    blobs: list[values.Blob] = []
    values.encode(torch.zeros(1_000_000)[3:5], blobs)
    assert [len(b) for b in blobs] == [8]


def test_a_parameter_arrives_detached_as_a_leaf_that_requires_grad() -> None:
    layer = torch.nn.Linear(2, 3)
    came = round_trip(layer.weight)
    assert type(came) is torch.Tensor
    assert came.requires_grad and came.is_leaf
    assert not round_trip(layer.weight.detach()).requires_grad
    assert round_trip(layer(torch.ones(1, 2))).is_leaf


def test_what_arrives_can_be_written_to_and_is_no_view_of_what_was_sent() -> None:
    sent = torch.zeros(3)
    came = round_trip(sent)
    came += 1
    array = round_trip(np.zeros(3))
    array += 1
    assert sent.sum() == 0


ARRAYS = {
    "0-d": np.array(3.5),
    "empty": np.empty((0, 3), dtype=np.float32),
    "negative strides": np.arange(12).reshape(3, 4)[::-1, ::-2],
    "column order": np.asfortranarray(np.arange(12).reshape(3, 4)),
    "big endian": np.arange(3, dtype=">i4"),
    "bool": np.array([True, False]),
    "half": np.array([1.5], dtype=np.float16),
    "complex": np.array([1 + 2j]),
    "long double": np.array([1.25], dtype=np.longdouble),
    "text": np.array(["", "añb", "😀"]),
    "empty text": np.array(["", ""]).astype("U0"),
    "bytes": np.array([b"ab", b"c"]),
    "broadcast": np.broadcast_to(np.float32(2), (3, 2)),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_arrives_whatever_its_memory_looks_like(name: str) -> None:
    came = round_trip(ARRAYS[name])
    assert type(came) is np.ndarray
    assert came.dtype == ARRAYS[name].dtype
    np.testing.assert_array_equal(came, ARRAYS[name])


@pytest.mark.parametrize(
    "scalar", [np.float64(1.5), np.int8(-3), np.bool_(True), np.complex64(1j), np.str_("é")]
)
def test_a_numpy_scalar_arrives_as_one(scalar: np.generic) -> None:
    came = round_trip(scalar)
    assert type(came) is type(scalar)
    assert came == scalar


@pytest.mark.parametrize(
    "value",
    [
        torch.Size([2, 0, 3]),
        torch.Size([-1, 4]),
        torch.float32,
        torch.qint8,
        torch.device("cuda:1"),
        torch.device("cpu"),
        (1 << 63) - 1,
        1 << 63,
        -(1 << 63),
        -(1 << 63) - 1,
        slice(None, 3, -1),
        range(0, 1 << 70, 7),
        b"",
        (),
        set(),
        frozenset({1}),
        {},
        [[[]]],
    ],
    ids=repr,
)
def test_other_plain_values_arrive_with_their_type(value: object) -> None:
    assert same(round_trip(value), value)


class Colour(enum.IntEnum):
    RED = 3


class Word(str):
    __slots__ = ()

    def encode(self, *args: Any, **kwargs: Any) -> bytes:
        raise AssertionError("a student's method ran")

    __len__ = __str__ = encode  # type: ignore[assignment]


class Number(float):
    def __float__(self) -> float:
        raise AssertionError("a student's method ran")


class Whole(int):
    def __int__(self) -> int:
        raise AssertionError("a student's method ran")

    __index__ = bit_length = __int__


class Pair(complex):
    real = imag = property(lambda self: 1 / 0)  # type: ignore[assignment]


class Items(list):  # type: ignore[type-arg]
    def __iter__(self) -> Any:
        raise AssertionError("a student's method ran")

    __len__ = __getitem__ = __iter__


class Table(dict):  # type: ignore[type-arg]
    def items(self) -> Any:
        raise AssertionError("a student's method ran")

    __iter__ = keys = values = items  # type: ignore[assignment]


class Group(set):  # type: ignore[type-arg]
    def __iter__(self) -> Any:
        raise AssertionError("a student's method ran")


class Octets(bytes):
    def __bytes__(self) -> bytes:
        raise AssertionError("a student's method ran")

    __iter__ = __len__ = __bytes__  # type: ignore[assignment]


class Array(np.ndarray):  # type: ignore[type-arg]
    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a student's method ran")


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "arrives_as"),
    [
        (Colour.RED, 3),
        (Word("word"), "word"),
        (Word("w" * 3000), "w" * 3000),
        (Number(2.5), 2.5),
        (Whole(7), 7),
        (Whole(1 << 80), 1 << 80),
        (Pair(1, 2), 1 + 2j),
        (Items([1, 2]), [1, 2]),
        (Table(a=1), {"a": 1}),
        (Group({1}), {1}),
        (Octets(b"ab"), b"ab"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"abcd")[::2], b"ac"),
        (Point(1, 2), (1, 2)),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (Counter("aab"), {"a": 2, "b": 1}),
    ],
    ids=lambda v: type(v).__name__,
)
def test_a_subclass_arrives_as_its_base_type_and_none_of_its_methods_run(
    value: object, arrives_as: object
) -> None:
    assert same(round_trip(value), arrives_as)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_subclasses_of_ndarray_arrive_as_plain_arrays(tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "m", dtype=np.int32, mode="w+", shape=(3,))
    mapped[:] = 5
    masked = np.ma.array([1, 2], mask=[False, True])
    for value in (mapped, masked, np.matrix([[1, 2]]), np.arange(3).view(Array)):
        came = round_trip(value)
        assert type(came) is np.ndarray
        np.testing.assert_array_equal(came, np.ndarray.view(value, np.ndarray))


class Sly(torch.Tensor):
    """Answers for every function of torch, and lies."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError("a student's method ran")

    def detach(self) -> Any:
        raise AssertionError("a student's method ran")

    requires_grad = property(lambda self: 1 / 0)  # type: ignore[assignment]


def test_a_tensor_subclass_arrives_plain_and_its_torch_function_is_not_asked() -> None:
    came = round_trip(torch.tensor([1.0, 2.0]).as_subclass(Sly))
    assert type(came) is torch.Tensor
    assert came.tolist() == [1.0, 2.0]


class Hollow(torch.Tensor):
    """A tensor without memory of its own, whose every operation is student code."""

    @staticmethod
    def __new__(cls) -> Any:
        return torch.Tensor._make_wrapper_subclass(cls, (3,))

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return cls()


def test_a_tensor_without_memory_is_refused() -> None:
    assert "can't be read" in refusal(Hollow())


def lying(about: type) -> object:
    return type(
        "Liar", (), {"__class__": about, "__iter__": lambda s: iter([1]), "__len__": None}
    )()


@pytest.mark.parametrize(
    "about", [torch.Tensor, list, tuple, dict, set, int, float, str, bytes, np.ndarray, complex]
)
def test_an_object_that_lies_about_its_class_is_what_its_type_says(about: type) -> None:
    liar = lying(about)
    assert isinstance(liar, about)
    assert "Liar can't be sent by value" in refusal(liar)
    ref = ["R", 1, "instance", "Liar"]
    assert round_trip(liar, other=lambda _: ref) == RemoteRef(1, "instance", "Liar")


class HostileMeta(type):
    @property
    def __module__(cls) -> str:  # type: ignore[override]
        raise AssertionError("a student's method ran")

    __name__ = __module__  # type: ignore[assignment]

    def __hash__(cls) -> int:
        raise AssertionError("a student's method ran")

    def __eq__(cls, _other: object) -> bool:
        raise AssertionError("a student's method ran")


@pytest.mark.parametrize(
    ("base", "value"), [(list, [1, 2]), (dict, {"a": 1}), (float, 1.5), (str, "text")]
)
def test_what_a_type_was_made_by_is_not_asked_either(base: type, value: object) -> None:
    kind = HostileMeta("Odd", (base,), {})
    assert same(round_trip([kind(value)]), [value])


def test_a_type_may_hide_its_name_and_is_refused_all_the_same() -> None:
    kind = HostileMeta("Nameless", (), {"__module__": "odd\ud800"})
    assert "Nameless can't be sent" in refusal(kind())


REFUSED: dict[str, Callable[[], object]] = {
    "layout torch.sparse_coo": lambda: torch.eye(3).to_sparse(),
    "layout torch.sparse_csr": lambda: torch.eye(3).to_sparse_csr(),
    "no values": lambda: torch.ones(2, device="meta"),
    "dequantize it first": lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
    "65 dimensions": lambda: torch.zeros([1] * 65),
    "4,398,046,511,104 bytes": lambda: torch.zeros(1).expand(1 << 40),
    "8,796,093,022,208 bytes": lambda: np.broadcast_to(np.float64(1), 1 << 40),
    "dtype object": lambda: np.array([object()]),
    "dtype datetime64": lambda: np.array(["2020-01-01"], dtype="M8[D]"),
    "('f1', '<i4')": lambda: np.array([(1, 2)], dtype="i4,i4"),
    "hexadecimal digits": lambda: 1 << 30_000,
    "more than 200,000 parts": lambda: [0] * 300_000,
    "characters that are none": lambda: np.array(["\ud800"]),
    "builtin_function_or_method can't be sent": lambda: len,
    "type can't be sent": lambda: object,
    "list_iterator can't be sent": lambda: iter([1]),
}


@pytest.mark.parametrize("sentence", REFUSED)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_cannot_be_sent_is_refused_with_a_sentence(sentence: str) -> None:
    assert sentence in refusal(REFUSED[sentence]())


def test_a_nested_tensor_is_refused() -> None:
    ragged = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged)
    assert "tensor" in refusal(ragged)


def test_a_value_that_contains_itself_is_refused() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert "contains itself" in refusal(circle)
    table: dict[str, Any] = {}
    table["table"] = [table]
    assert "contains itself" in refusal(table)


def test_a_value_of_many_large_parts_is_refused_before_it_is_copied() -> None:
    part = torch.zeros(1).expand(20 << 20)
    assert "bytes in all" in refusal([part] * 4)


def test_a_text_with_lone_surrogates_arrives_with_question_marks() -> None:
    assert round_trip("a\ud800b") == "a?b"
    assert round_trip("\ud800" * 2000) == "?" * 2000
