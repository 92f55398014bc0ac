"""Messages: whatever bytes come, a message or `Malformed`; what is honest arrives as it was."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.wire import frames, values
from grader.wire import messages as m
from grader.wire.frames import Malformed, TooLarge

LIMIT = 1 << 16


class Reader:
    """Bytes that have arrived, and how many were asked for at once."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.largest = 0

    def __call__(self, size: int) -> memoryview:
        self.largest = max(self.largest, size)
        if size > len(self.data):
            raise EOFError
        part, self.data = self.data[:size], self.data[size:]
        return memoryview(bytearray(part))


def joined(parts: list[Any]) -> bytes:
    return b"".join(bytes(p) for p in parts)


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda b: b"\0\0\0\x20\0\0\0\1" + b))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_message_or_malformed_or_too_few(data: bytes) -> None:
    reader = Reader(data)
    try:
        message, _, size = frames.read_message(reader, m.FromBox, limit=LIMIT)
    except (Malformed, EOFError):
        assert reader.largest <= frames.MAX_TREE + LIMIT
        return
    assert isinstance(message, m.FromBox)
    assert size + len(reader.data) == len(data)


honest = joined(
    frames.message(
        m.Raised(
            type="E", text="é", frames=[m.TracebackLine(file="f", line=1, function="g", text="t")]
        ),
        [b"abc", b""],
    )
)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_an_honest_message_with_bytes_changed_is_one_or_malformed(data: st.DataObject) -> None:
    raw = bytearray(honest)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        message, _, _ = frames.read_message(Reader(bytes(raw)), m.FromBox, limit=LIMIT)
    except (Malformed, EOFError):
        return
    assert isinstance(message, m.FromBox)


@given(st.lists(st.binary(max_size=100), max_size=5), st.text(max_size=50))
@settings(deadline=None)
def test_a_message_arrives_with_its_blobs(blobs: list[bytes], text: str) -> None:
    sent = joined(frames.message(m.Raised(type="E", text=text), blobs)) + b"rest"
    reader = Reader(sent)
    message, came, size = frames.read_message(reader, m.FromBox, limit=LIMIT)
    assert message == m.Raised(type="E", text=text)
    assert [bytes(b) for b in came] == blobs
    assert (size, reader.data) == (len(sent) - 4, b"rest")


def head(tree: int, lengths: list[int]) -> bytes:
    return struct.pack(f">II{len(lengths)}Q", tree, len(lengths), *lengths)


@pytest.mark.parametrize(
    "data",
    [
        head(0xFFFFFFFF, []),
        struct.pack(">II", 10, 0xFFFFFFFF),
        head(10, [1 << 63, 1 << 63]),
        head(10, [LIMIT, 1]),
    ],
)
def test_a_length_beyond_the_limit_is_refused_before_it_is_waited_for(data: bytes) -> None:
    reader = Reader(data)
    with pytest.raises(TooLarge):
        frames.read_message(reader, m.FromBox, limit=LIMIT)
    assert reader.largest <= 8 * frames.MAX_BLOBS


def packed(value: Any) -> bytes:
    body = msgspec.msgpack.encode(value)
    return head(len(body), []) + body


class Cast(msgspec.Struct):
    """What msgpack can carry beyond a tree."""

    kind: str
    value: Any


@pytest.mark.parametrize(
    "value",
    [{"a": 1}, {1: 2}, {(1, 2): 3}, b"bytes", ["l", {}], msgspec.msgpack.Ext(5, b"x")],
    ids=["table", "numbers as keys", "tuple as key", "bytes", "table in a list", "extension"],
)
def test_a_tree_holds_scalars_and_lists_only(value: Any) -> None:
    """A map could have keys that all share one hash; bytes and extensions mean nothing here."""
    with pytest.raises(Malformed):
        frames.read_message(Reader(packed(Cast("value", value))), m.FromBox, limit=LIMIT)


def test_a_tree_that_nests_without_end_is_malformed() -> None:
    body = b"\x82\xa4kind\xa5value\xa5value" + b"\x91" * 1_000_000 + b"\xc0"
    with pytest.raises(Malformed):
        frames.read_message(Reader(head(len(body), []) + body), m.FromBox, limit=LIMIT)


def test_a_tree_may_nest_as_deep_as_values_do() -> None:
    deep: Any = "x" * 2000
    for _ in range(values.MAX_DEPTH):
        deep = [deep]
    blobs: list[values.Blob] = []
    sent = joined(frames.message(m.Value(value=values.encode(deep, blobs)), blobs))
    message, came, _ = frames.read_message(Reader(sent), m.FromBox, limit=LIMIT)
    assert values.decode(message.value, came) == deep


def test_numbers_keep_their_type_in_a_tree() -> None:
    sent = joined(frames.message(m.Value(value=["l", 1, 1.0, True])))
    message, _, _ = frames.read_message(Reader(sent), m.FromBox, limit=LIMIT)
    assert [type(v) for v in message.value[1:]] == [int, float, bool]


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: frames.message(m.Value(value=["l", "x" * (5 << 20)])), TooLarge),
        (lambda: frames.message(m.Value(value=None), [b""] * 20_001), TooLarge),
        (lambda: frames.message(m.Raised(type="\ud800", text="")), Malformed),
    ],
    ids=["long tree", "many blobs", "lone surrogate"],
)
def test_what_cannot_be_sent_is_refused_by_the_sender(
    make: Callable[[], Any], kind: type[Malformed]
) -> None:
    with pytest.raises(kind):
        make()


@given(st.binary(max_size=100), st.integers(0, 0xFFFFFFFF))
def test_a_frame_says_kind_session_and_length(payload: bytes, session: int) -> None:
    made = frames.frame(frames.DATA, session, payload)
    assert frames.FRAME.unpack(made[: frames.FRAME.size]) == (frames.DATA, session, len(payload))
    assert made[frames.FRAME.size :] == payload


class Said(msgspec.Struct):
    """A message of one text."""

    text: str = ""


def test_what_is_sent_is_bounded_and_what_is_too_large_is_told() -> None:
    size = len(msgspec.msgpack.encode(Said("x" * 40)))
    bounds = frames.Bounds(tree=size, blobs=2)
    frames.message(Said("x" * 40), [b"a", b"b"], bounds=bounds)
    with pytest.raises(TooLarge) as tree:
        frames.message(Said("x" * 41), bounds=bounds)
    assert str(tree.value) == f"a message of {size + 1:,} bytes without its blobs"
    with pytest.raises(TooLarge) as blobs:
        frames.message(Said(), [b"a"] * 3, bounds=bounds)
    assert str(blobs.value) == "a message with 3 tensors or long strings"
    with pytest.raises(Malformed) as text:
        frames.message(Said("\ud800"))
    assert str(text.value) == "a message with text that has no bytes in UTF-8"


def test_what_is_read_is_bounded_and_what_is_too_large_is_told() -> None:
    whole = joined(frames.message(Said("x" * 40), [b"abc", b"", b"de"]))
    size = len(msgspec.msgpack.encode(Said("x" * 40)))
    most = frames.Bounds(tree=size, blobs=3)
    found, blobs, taken = frames.read_message(Reader(whole), Said, limit=5, bounds=most)
    assert (found, [bytes(b) for b in blobs]) == (Said("x" * 40), [b"abc", b"", b"de"])
    assert taken == len(whole)
    for bounds in (most._replace(tree=size - 1), most._replace(blobs=2)):
        with pytest.raises(TooLarge) as large:
            frames.read_message(Reader(whole), Said, limit=5, bounds=bounds)
        assert str(large.value) == f"a message of {size:,} bytes and 3 blobs"
    with pytest.raises(TooLarge) as values_:
        frames.read_message(Reader(whole), Said, limit=4, bounds=most)
    assert str(values_.value) == "values of 5 bytes, where 4 are allowed"
    with pytest.raises(Malformed, match=r"^a message that is none: "):
        frames.read_message(Reader(joined(frames.message(Said()))), m.FromBox, limit=5)


def test_small_messages_go_in_one_piece_and_large_blobs_uncopied() -> None:
    head = len(joined(frames.message(Said(), [b""]))) - len(msgspec.msgpack.encode(Said()))
    fits = bytearray(frames.SMALL - len(msgspec.msgpack.encode(Said())))
    assert len(frames.message(Said(), [fits])) == 1
    large = bytearray(len(fits) + 1)
    first, blob = frames.message(Said(), [large, b""])
    assert len(first) == head + 8 + len(msgspec.msgpack.encode(Said()))
    assert isinstance(blob, memoryview) and blob.obj is large


def test_room_for_bytes_can_be_written_to() -> None:
    for size in (0, 1, frames.SMALL, frames.SMALL + 1):
        room = frames.empty(size)
        assert (room.nbytes, room.readonly) == (size, False)
    assert bytes(frames.empty(frames.SMALL)) == bytes(frames.SMALL)
