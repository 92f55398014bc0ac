"""A hostile tree is refused with what is wrong in it, and what lies on a bound is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from grader.wire import decoding
from grader.wire.decoding import decode
from grader.wire.values import FunctionSource, RemoteRef, Undecodable

NUMBER = np.float32(1.5).tobytes()


def read(tree: Any, *blobs: bytes, **options: Any) -> Any:
    return decode(tree, [memoryview(blob) for blob in blobs], **options)


REFUSED: list[tuple[Any, tuple[bytes, ...], str]] = [
    ({}, (), "a dict where a value was expected"),
    ([], (), "a list where a value was expected"),
    ([1], (), "a list where a value was expected"),
    (["?" * 30], (), f"an unknown kind of value, {'?' * 20!r}"),
    (["y", 0], (), "a blob that was not sent, or is used twice"),
    (["y", -1], (b"x",), "a blob that was not sent, or is used twice"),
    (["l", ["y", 0], ["y", 0]], (b"x",), "a blob that was not sent, or is used twice"),
    (["y", True], (b"x",), "an integer was expected"),
    (["d", 1], (), "a dict with a key and no value"),
    (["T", 1, [], 0, False], (NUMBER,), "text was expected"),
    (
        ["T", "float32", [], 0, 1],
        (NUMBER,),
        "a tensor that does not say whether it requires a gradient",
    ),
    (["T", "float32", [2], 0, False], (NUMBER,), "a tensor whose bytes don't fit its shape"),
    (["T", "float32", (1,), 0, False], (NUMBER,), "a shape that is none"),
    (["T", "float32", [1] * 65, 0, False], (NUMBER,), "a shape that is none"),
    (["T", "float32", [-1], 0, False], (NUMBER,), "a negative dimension"),
    (["T", "float32", [1.0], 0, False], (NUMBER,), "an integer was expected"),
    (["A", "<O8", [1], 0], (b"8" * 8,), "a numpy array of dtype '<O8'"),
    (["A", "<f4" + "x" * 40, [1], 0], (NUMBER,), f"a numpy array of dtype {'<f4' + 'x' * 27!r}"),
    (["A", "<f4", [2], 0], (NUMBER,), "an array whose bytes don't fit its shape"),
    (["A", "<U0", [200_001], 0], (b"",), "an array of too many empty texts"),
    (
        ["A", "<U1", [1], 0],
        (b"\x00\xd8\x00\x00",),
        "an array of text with characters that are none",
    ),
    (["N", "<f4", [1], 0], (NUMBER,), "a numpy scalar with a shape"),
    (["R", "1", "k", "t"], (), "an integer was expected"),
    (["R", 1, 2, "t"], (), "text was expected"),
    (["R", 1, "k", 3], (), "text was expected"),
    (["c", 1.0], (), "a value with parts missing, or too many"),
    (["c", 1.0, "2"], (), "a number was expected"),
    (["r", 1, 2], (), "a value with parts missing, or too many"),
    (["r", 1, 2, ["l"]], (), "an integer was expected"),
    (["L", 1, 2], (), "a value with parts missing, or too many"),
    (["i", "0x10"], (), "a large integer that is none, or has too many digits"),
    (["i", "1" * 5_001], (), "a large integer that is none, or has too many digits"),
    (["z", 1 << 63], (), "a size that no tensor has"),
    (["z", -(1 << 63) - 1], (), "a size that no tensor has"),
    (["z", *[1] * 200_001], (), "too many numbers"),
    (["f", "name", 5], (), "text was expected"),
    (["f", 5, "source"], (), "text was expected"),
    (["f", "name", "source", 5, 1], (), "text was expected"),
]


@pytest.mark.parametrize(("tree", "blobs", "why"), REFUSED, ids=range(len(REFUSED)))
def test_a_tree_that_no_honest_box_sends_is_refused_with_what_is_wrong(
    tree: Any, blobs: tuple[bytes, ...], why: str
) -> None:
    with pytest.raises(Undecodable) as refused:
        read(tree, *blobs)
    assert str(refused.value) == why


@pytest.mark.parametrize("tree", [["D", "nothing"], ["T", "q", [], 0, False], ["f", "a", "b", "c"]])
def test_what_python_refuses_is_refused_too(tree: Any) -> None:
    with pytest.raises(Undecodable, match=r"^a malformed value: "):
        read(tree, NUMBER)


def nested(depth: int) -> Any:
    tree: Any = 1
    for _ in range(depth):
        tree = ["l", tree]
    return tree


def test_a_tree_may_be_as_deep_and_wide_as_the_bounds_and_no_more() -> None:
    why = "a value with too many parts, or nested too deep"
    assert read(nested(33)) is not None
    with pytest.raises(Undecodable) as refused:
        read(nested(34))
    assert str(refused.value) == why
    assert len(read(["l", *[0] * 199_999])) == 199_999
    with pytest.raises(Undecodable) as refused:
        read(["l", *[0] * 200_000])
    assert str(refused.value) == why


def test_a_text_beside_the_tree_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_TEXT_BYTES", 4)
    assert read(["s", 0], "añb".encode()) == "añb"
    with pytest.raises(Undecodable) as refused:
        read(["s", 0], b"abcde")
    assert str(refused.value) == "a text that is too long"


@pytest.mark.parametrize("kind", ["S", "F", "d"])
def test_keys_of_one_hash_are_refused_beyond_a_bound(kind: str) -> None:
    prime = (1 << 61) - 1  # the modulus of Python's hash of numbers
    keys: list[Any] = [["i", f"{n * prime:x}"] for n in range(65)]
    tree = [kind, *(x for key in keys for x in ((key, 0) if kind == "d" else (key,)))]
    with pytest.raises(Undecodable) as refused:
        read(tree)
    assert str(refused.value) == "a set or dict whose keys all have the same hash"
    fewer = tree[: 1 + 64 * (2 if kind == "d" else 1)]
    assert len(read(fewer)) == 64


def test_many_keys_of_many_hashes_are_read() -> None:
    assert read(["S", *range(1000)]) == set(range(1000))


def test_values_on_the_bounds_are_read() -> None:
    assert read(["z", -(1 << 63), (1 << 63) - 1]) == torch.Size([-(1 << 63), (1 << 63) - 1])
    assert read(["i", "-" + "f" * 5_000]) == -(16**5_000 - 1)
    assert read(["T", "float32", [1] * 64, 0, False], NUMBER).dim() == 64
    empty = read(["A", "<U0", [200_000], 0], b"")
    assert empty.shape == (200_000,) and set(empty.tolist()) == {""}
    assert read(["c", 1, 2.5]) == 1 + 2.5j


def test_a_truth_value_is_true_or_false_whatever_its_byte() -> None:
    tensor = read(["T", "bool", [3], 0, False], b"\x00\x01\x07")
    assert tensor.view(torch.uint8).tolist() == [0, 1, 1]
    array = read(["A", "|b1", [3], 0], b"\x00\x01\x07")
    assert array.view(np.uint8).tolist() == [0, 1, 1]


def test_only_what_can_have_a_gradient_asks_for_one() -> None:
    assert read(["T", "float32", [], 0, True], NUMBER).requires_grad
    assert read(["T", "complex64", [], 0, True], NUMBER * 2).requires_grad
    assert not read(["T", "int32", [], 0, True], NUMBER).requires_grad
    assert not read(["T", "float32", [], 0, False], NUMBER).requires_grad


def test_a_blob_that_may_be_written_to_is_not_copied_and_another_is() -> None:
    mine = bytearray(NUMBER)
    tensor = decode(["T", "float32", [1], 0, False], [memoryview(mine)])
    tensor += 1
    assert np.frombuffer(mine, dtype=np.float32)[0] == 2.5
    kept = bytes(NUMBER)
    tensor = decode(["T", "float32", [1], 0, False], [memoryview(kept)])
    tensor += 1
    assert kept == NUMBER


def test_a_remote_is_its_ref_or_what_is_made_of_it() -> None:
    tree = ["R", 7, "k" * 2000, "t" * 2000]
    ref = RemoteRef(7, "k" * 1024, "t" * 1024)
    assert read(tree) == ref
    assert read(["l", tree], remote=lambda found: [found]) == [[ref]]


def test_a_function_arrives_as_its_source_with_its_globals() -> None:
    tree = ["f", "norm", ["s", 0], "EPS", 0.5, "SHAPE", ["t", 2, 3]]
    assert read(tree, b"def norm(): ...") == FunctionSource(
        "norm", "def norm(): ...", {"EPS": 0.5, "SHAPE": (2, 3)}
    )


def test_a_table_without_pandas_is_its_remote_or_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(plain: object) -> Any:
        raise ImportError("no pandas")

    monkeypatch.setattr(decoding, "table", missing)
    assert read(["P", ["l"], ["R", 7, "k", "t"]]) == RemoteRef(7, "k", "t")
    for ref in (None, ["l"], "R"):
        with pytest.raises(Undecodable) as refused:
            read(["P", ["l"], ref])
        assert str(refused.value) == (
            "a pandas table, and pandas is not installed where it arrives"
        )
