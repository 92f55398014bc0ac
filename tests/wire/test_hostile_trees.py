"""Whatever a box sends as a value: a plain value or `Undecodable`, in bounded time and memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.wire import values
from grader.wire.values import FunctionSource, RemoteRef, Undecodable
from tests.helpers.cost import linear_time

TAGS = list("ltSFdzTANcisyrLDVRf")
PLAIN = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    list,
    tuple,
    dict,
    set,
    frozenset,
    range,
    slice,
    torch.Tensor,
    torch.Size,
    torch.dtype,
    torch.device,
    np.ndarray,
    RemoteRef,
    FunctionSource,
)

atoms = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(1 << 63), max_value=(1 << 64) - 1)
    | st.floats()
    | st.sampled_from([*TAGS, "float32", "bool", "<f8", "|b1", "<U2", "|S0", "cpu", "1f", "qint8"])
    | st.text(max_size=8)
)
trees = st.recursive(
    atoms, lambda t: st.builds(lambda tag, rest: [tag, *rest], st.sampled_from(TAGS), st.lists(t))
    | st.lists(t, max_size=5),
    max_leaves=25,
)  # fmt: skip


def view(data: bytes) -> memoryview:
    return memoryview(bytearray(data))


def is_plain(value: object) -> bool:
    if isinstance(value, np.generic):
        return True
    if type(value) in (list, tuple, set, frozenset):
        return all(map(is_plain, value))  # type: ignore[call-overload]
    if type(value) is dict:
        return all(is_plain(k) and is_plain(v) for k, v in value.items())
    return type(value) in PLAIN


@given(trees, st.lists(st.binary(max_size=40), max_size=3))
@settings(max_examples=500, deadline=None)
def test_any_tree_gives_a_plain_value_or_is_undecodable(tree: Any, blobs: list[bytes]) -> None:
    try:
        value = values.decode(tree, [view(b) for b in blobs])
    except Undecodable:
        return
    assert is_plain(value)


HONEST = {
    "a": [torch.ones(2, 3), np.arange(4), (1 << 80), "x" * 2000, b"bytes"],
    ("k", 2): {1.5, None, 2j},
    None: slice(1, range(3), None),
    True: [torch.float32, torch.Size([2]), torch.device("cpu"), np.str_("é"), np.array(["ab"])],
}


def replace_part(tree: Any, at: int, new: Any) -> tuple[Any, int]:
    """The tree with its part number `at`, in the order of reading, put in place of by another."""
    if at == 0:
        return new, -1
    at -= 1
    if not isinstance(tree, list):
        return tree, at
    parts = []
    for part in tree:
        if at >= 0:
            part, at = replace_part(part, at, new)
        parts.append(part)
    return parts, at


@given(st.integers(min_value=0, max_value=90), trees)
@settings(max_examples=300, deadline=None)
def test_an_honest_tree_with_one_part_changed_is_plain_or_undecodable(at: int, new: Any) -> None:
    blobs: list[values.Blob] = []
    tree, _ = replace_part(values.encode(HONEST, blobs), at, new)
    try:
        value = values.decode(tree, [view(bytes(b)) for b in blobs])
    except Undecodable:
        return
    assert is_plain(value)


@pytest.mark.parametrize(
    "tree",
    [
        [],
        {},
        b"x",
        ["unknown", 1],
        [["l"]],
        ["T", "float32", [1 << 62, 1 << 62], 0, False],
        ["T", "float32", [-1], 0, False],
        ["T", "float32", [-2, -2], 0, False],
        ["T", "float32", [True], 0, False],
        ["T", "float32", [1.0], 0, False],
        ["T", "float32", "4", 0, False],
        ["T", "float32", [2], 0, False],
        ["T", "float32", [1], 1, False],
        ["T", "float32", [1], -1, False],
        ["T", "float32", [1], 0, 1],
        ["T", "float32", [1], 0],
        ["T", "qint8", [4], 0, False],
        ["T", "Tensor", [4], 0, False],
        ["T", "float32", [1] * 65, 0, False],
        ["T", ["l"], [1], 0, False],
        ["T", "float32", [0, 1 << 63, 1 << 63], 2, False],
        ["A", "|O", [1], 0],
        ["A", "O", [1], 0],
        ["A", "f4,(", [1], 0],
        ["A", "i2,i2", [1], 0],
        ["A", "<M8[s]", [1], 0],
        ["A", "|V4", [1], 0],
        ["A", "<f3", [1], 0],
        ["A", "<U999999999999", [1], 0],
        ["A", "<U1", [1], 3],
        ["A", "<U0", [1 << 40], 2],
        ["A", "|S0", [1 << 40], 2],
        ["N", "<f4", [1], 0],
        ["N", "<U1", [], 3],
        ["S", ["l", 1]],
        ["S", ["d"]],
        ["F", ["S", 1]],
        ["d", 1],
        ["d", ["l"], 1],
        ["i", "zz"],
        ["i", "1_0"],
        ["i", "f" * 6000],
        ["i", 5],
        ["i"],
        ["c", 1.0],
        ["c", 1.0, 2.0, 3.0],
        ["c", "1", "2"],
        ["s", 3],
        ["s", None],
        ["r", 1, 2],
        ["r", 1, 2, 0],
        ["r", 1.5, 2, 1],
        ["L", 1, 2],
        ["D", "Tensor"],
        ["D", []],
        ["V", "toaster"],
        ["V", "cpu:-5"],
        ["z", 1 << 63],
        ["z", ["i", "1"]],
        ["R", 1, "kind"],
        ["R", "1", "kind", "name"],
        ["f", "name"],
        ["f", "name", "source", "odd"],
        ["f", "name", 5],
    ],
    ids=str,
)
def test_a_tree_that_encode_never_makes_is_undecodable(tree: Any) -> None:
    blobs = [view(b"\0\0\0\0"), view(b"\xff"), view(b""), view(b"\xff\xff\xff\xff")]
    with pytest.raises(Undecodable):
        values.decode(tree, blobs if tree != ["T", "float32", [1], 1, False] else blobs[:1])


def nested(depth: int, tag: str = "l") -> Any:
    tree: Any = None
    for _ in range(depth):
        tree = [tag, tree]
    return tree


def test_a_deep_tree_is_undecodable_and_not_a_recursion_error() -> None:
    assert values.decode(nested(20), []) is not None
    with pytest.raises(Undecodable):
        values.decode(nested(500), [])


def test_a_wide_tree_is_undecodable() -> None:
    with pytest.raises(Undecodable):
        values.decode(["l", *[None] * 300_000], [])


@pytest.mark.parametrize("node", [["y", 0], ["s", 0], ["T", "uint8", [4], 0, False]], ids=str)
def test_a_blob_named_twice_is_undecodable_for_it_would_multiply_memory(node: list[Any]) -> None:
    assert values.decode(["l", node], [view(b"abcd")]) is not None
    with pytest.raises(Undecodable, match="twice"):
        values.decode(["l", node, node], [view(b"abcd")])


def test_truth_values_of_other_bytes_arrive_as_true() -> None:
    """A bool of byte 2 equals True and equals False: a wrong answer that compares as right."""
    tensor = values.decode(["T", "bool", [3], 0, False], [view(b"\0\1\2")])
    assert tensor.tolist() == [False, True, True]
    assert tensor.view(torch.uint8).tolist() == [0, 1, 1]
    array = values.decode(["A", "|b1", [3], 0], [view(b"\0\1\xff")])
    assert array.view(np.uint8).tolist() == [0, 1, 1]


def colliding_pairs(count: int) -> list[Any]:
    """Tuples of two integers which all have one hash (CPython's xxHash of tuples, undone)."""
    p1, p2, p5 = 11400714785074694791, 14029467366897019727, 2870177450012600261
    word = 1 << 64

    def lane(acc: int, value: int) -> int:
        acc = (acc + value * p2) % word
        acc = ((acc << 31) | (acc >> 33)) % word
        return acc * p1 % word

    target = lane(lane(p5, 1), 1)
    wanted = target * pow(p1, -1, word) % word
    wanted = ((wanted >> 31) | (wanted << 33)) % word
    pairs: list[Any] = []
    first = 1
    while len(pairs) < count:
        second = (wanted - lane(p5, first)) * pow(p2, -1, word) % word
        second = second - word if second >> 63 else second
        if abs(second) < (1 << 61) - 1 and second != -1:
            pairs.append(["t", first, second])
        first += 1
    return pairs


COMPLEX_PAIRS = [["c", float(-1_000_003 * n), float(n)] for n in range(1, 20_000)]
BIG_INTS = [["i", f"{n * ((1 << 61) - 1):x}"] for n in range(1, 20_000)]


@pytest.mark.parametrize("keys", [colliding_pairs(20_000), COMPLEX_PAIRS, BIG_INTS], ids=len)
def test_keys_made_to_share_one_hash_cost_little_and_are_undecodable(keys: list[Any]) -> None:
    assert len({hash(values.decode(k, [])) for k in keys[:50]}) == 1
    with linear_time():
        for tree in (["S", *keys], ["F", *keys], ["d", *[x for k in keys for x in (k, None)]]):
            with pytest.raises(Undecodable, match="hash"):
                values.decode(tree, [])


def test_a_large_honest_set_is_no_such_set() -> None:
    numbers = set(range(-50_000, 50_000))
    assert values.decode(values.encode(numbers, []), []) == numbers
