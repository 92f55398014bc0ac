"""What a value becomes on the wire, what of it is counted, and why another is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from grader.wire import encoding
from grader.wire.encoding import encode, type_name
from grader.wire.values import FunctionSource, RemoteRef, Tree, Unencodable


def made(value: object, **options: Any) -> tuple[Tree, list[bytes]]:
    blobs: list[Any] = []
    tree = encode(value, blobs, **options)
    return tree, [bytes(blob) for blob in blobs]


def refusal(value: object, **options: Any) -> str:
    with pytest.raises(Unencodable) as refused:
        encode(value, [], **options)
    return str(refused.value)


@pytest.mark.parametrize(
    ("value", "tree", "blobs"),
    [
        (None, None, []),
        (True, True, []),
        (1.5, 1.5, []),
        (-(1 << 63), -(1 << 63), []),
        ((1 << 63) - 1, (1 << 63) - 1, []),
        (1 << 63, ["i", "8000000000000000"], []),
        (-(1 << 63) - 1, ["i", "-8000000000000001"], []),
        ("é" * 1024, "é" * 1024, []),
        ("é" * 1025, ["s", 0], [("é" * 1025).encode()]),
        (b"ab", ["y", 0], [b"ab"]),
        ([1, (2,)], ["l", 1, ["t", 2]], []),
        ({"a": {1}}, ["d", "a", ["S", 1]], []),
        (frozenset({1}), ["F", 1], []),
        (1 + 2j, ["c", 1.0, 2.0], []),
        (range(1, 9, 2), ["r", 1, 9, 2], []),
        (slice(None, 3), ["L", None, 3, None], []),
        (torch.Size([2, 3]), ["z", 2, 3], []),
        (torch.float16, ["D", "float16"], []),
        (torch.device("cuda:1"), ["V", "cuda:1"], []),
        (RemoteRef(7, "k", "t" * 2000), ["R", 7, "k", "t" * 1024], []),
        (np.float32(1.5), ["N", "<f4", [], 0], [np.float32(1.5).tobytes()]),
        (np.zeros((2, 0)), ["A", "<f8", [2, 0], 0], [b""]),
        (torch.ones(2, 1), ["T", "float32", [2, 1], 0, False], [np.ones(2, "<f4").tobytes()]),
        (torch.ones(0, requires_grad=True), ["T", "float32", [0], 0, True], [b""]),
        (
            FunctionSource("f", "x" * 1025, {"a": (1,), "b": 2}),
            ["f", "f", ["s", 0], "a", ["t", 1], "b", 2],
            [b"x" * 1025],
        ),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_value_becomes_this_tree_with_these_blobs(
    value: object, tree: Tree, blobs: list[bytes]
) -> None:
    found, sent = made(value)
    assert repr(found) == repr(tree)
    assert sent == blobs


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_a_value_may_be_as_deep_and_wide_as_the_bounds_and_no_more() -> None:
    made(nested(32))
    assert refusal(nested(33)) == "the value is nested more than 32 deep, or contains itself"
    assert refusal({"a": nested(32)}) == refusal(FunctionSource("f", "", {"a": nested(32)}))
    made([0] * 199_999)
    assert refusal([0] * 200_000) == "the value has more than 200,000 parts"


def test_all_bytes_of_a_value_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "MAX_BYTES", 4000)
    parts = [torch.zeros(250), np.zeros(125), b"x" * 1000]
    made([*parts, np.zeros(125)])
    for part, what in (
        (torch.zeros(251), "a tensor of 1,004 bytes"),
        (np.zeros(126), "an array of 1,008 bytes"),
        (b"x" * 1001, "bytes of 1,001 bytes"),
        (memoryview(np.zeros(126)), "bytes of 1,008 bytes"),
        ("x" * 1025, "a text of 1,025 bytes"),
    ):
        assert refusal([*parts, part]) == f"{what}; a value may have 4,000 bytes in all"


def test_one_text_has_a_bound_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "MAX_TEXT_BYTES", 2050)
    made("é" * 1025)
    assert refusal("é" * 1026) == "a text of 2,052 bytes; it may have 2,050"


def test_an_integer_is_bounded_in_its_digits() -> None:
    made((1 << 20_000) - 1)
    assert refusal(1 << 20_000) == "an integer of more than 5,000 hexadecimal digits"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_a_tensor_can_not_be_is_said_in_a_sentence() -> None:
    assert refusal(torch.eye(2).to_sparse()) == (
        "a tensor of layout torch.sparse_coo; make it dense first"
    )
    quantized = torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)
    assert refusal(quantized) == "a quantized tensor; dequantize it first"
    assert refusal(torch.ones(2, device="meta")) == "a tensor on the meta device has no values"
    made(torch.zeros([1] * 64))
    assert refusal(torch.zeros([1] * 65)) == "a tensor of 65 dimensions"
    assert refusal(torch.empty(2, dtype=torch.bits8)) == "a tensor of dtype torch.bits8"


def test_what_an_array_can_not_be_is_said_in_a_sentence() -> None:
    assert refusal(np.array([object()])) == "a numpy array of dtype object can't be sent by value"
    assert refusal(np.array(["\ud800"])) == "a numpy array of text with characters that are none"


def test_what_can_not_be_sent_is_handed_on_or_refused_by_its_type() -> None:
    class Thing:
        pass

    thing = Thing()
    name = type_name(Thing)
    assert name.endswith(".Thing") and name.startswith(f"{Thing.__module__}.")
    assert refusal(thing) == f"a {name} can't be sent by value"
    assert refusal(thing, other=lambda _: None) == f"a {name} can't be sent by value"
    asked: list[object] = []

    def other(value: object) -> Tree:
        asked.append(value)
        return ["R", 1, "instance", "Thing"]

    assert made([thing], other=other)[0] == ["l", ["R", 1, "instance", "Thing"]]
    assert asked == [thing]


def test_the_name_of_a_type_is_text_and_short() -> None:
    assert type_name(int) == "builtins.int"
    odd = type("Odd", (), {"__module__": 5})
    assert type_name(odd) == "Odd"
    assert type_name(type("A", (), {"__module__": "m\ud800"})) == "m?.A"
    assert type_name(type("A" * 2000, (), {"__module__": "m"})) == "m." + "A" * 1022


def test_a_table_that_can_not_be_sent_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Table:
        pass

    held = Table()

    def plain(value: object) -> list[Any] | None:
        return [np.zeros(4), nested(40)] if value is held else None

    monkeypatch.setattr(encoding, "plain_table", plain)
    monkeypatch.setattr(encoding, "MAX_BYTES", 32)
    ref = ["R", 1, "instance", "Table"]
    tree, blobs = made([held, np.ones(4)], other=lambda _: ref)
    assert tree == ["l", ref, ["A", "<f8", [4], 0]]
    assert blobs == [np.ones(4).tobytes()]
    assert refusal(held) == "the value is nested more than 32 deep, or contains itself"


def test_a_table_goes_with_the_object_that_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Table:
        pass

    held = Table()
    monkeypatch.setattr(encoding, "plain_table", lambda value: [1] if value is held else None)
    assert made(held)[0] == ["P", ["l", 1], None]
    assert made(held, other=lambda _: ["R", 1, "k", "t"])[0] == ["P", ["l", 1], ["R", 1, "k", "t"]]
