"""Bytes on the wire: frames between judge and zygote, and in them messages of a session.

A *frame* is ``kind, session, length`` and a payload. The zygote alone writes frames; what a child
sends is payload, whatever it looks like, so a submission can forge neither a header nor a status
nor another session's bytes. A session's number is drawn by the judge from 64 bits when the session
begins: what one session writes can't name another that is to come.

A *message* is ``tree length, number of blobs, blob lengths`` then a msgpack tree and the blobs as
they are. The tree is small (it may cost its length many times over in objects), the blobs are not
parsed at all.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from grader.wire.kinds import Blob

FRAME = struct.Struct(">BQI")
CONTROL, DATA, STATUS = 1, 2, 3
NO_SESSION = 0
"""What a frame names that is about the slot itself."""
SESSIONS = 1 << 64
"""Numbers of sessions are below it."""
MAX_FRAME = 1 << 20
MAX_STATUS = 1 << 16

_HEAD = struct.Struct(">II")
MAX_TREE = 4 << 20
MAX_BLOBS = 20_000


class Bounds(NamedTuple):
    """What one message may hold: bytes of its tree, and blobs.

    They are of one layer. Who puts what came over one into a message of another must give that one
    more room: a field that was left out is written out, and a number of four bytes with eight.
    """

    tree: int
    blobs: int


OF_BOX = Bounds(tree=MAX_TREE, blobs=MAX_BLOBS)
SMALL = 1 << 16
"""Bytes up to which copying is cheaper than a system call and a wake-up of its own."""


class Malformed(Exception):
    """Bytes that no honest writer sends."""


class TooLarge(Malformed):
    """A message that may be honest, but is larger than it may be."""


def frame(kind: int, session: int, payload: Blob) -> bytes:
    """One whole frame; the payload is at most `MAX_FRAME` bytes."""
    return FRAME.pack(kind, session, len(payload)) + bytes(payload)


def unpack(data: Blob, kind: Any) -> Any:
    """Decode msgpack as a struct, or a union of tagged structs.

    Raises:
        msgspec.MsgspecError: it is not one.
    """
    return decoder(kind).decode(data)


@functools.cache
def decoder(kind: Any) -> Any:
    """What decodes a kind. Making one takes 20 ms: a process that forks makes it before."""
    return msgspec.msgpack.Decoder(kind)


def message(
    tree: msgspec.Struct, blobs: Sequence[Blob] = (), *, bounds: Bounds = OF_BOX
) -> list[Blob]:
    """A message as a list of buffers to be sent one after the other, large blobs uncopied.

    Raises:
        Malformed: text with a lone surrogate.
        TooLarge: more than a message can hold.
    """
    try:
        body = msgspec.msgpack.encode(tree)
    except UnicodeEncodeError as error:
        raise Malformed("a message with text that has no bytes in UTF-8") from error
    if len(body) > bounds.tree:
        raise TooLarge(f"a message of {len(body):,} bytes without its blobs")
    if len(blobs) > bounds.blobs:
        raise TooLarge(f"a message with {len(blobs):,} tensors or long strings")
    views = [memoryview(b).cast("B") if len(b) else b"" for b in blobs]
    head = _HEAD.pack(len(body), len(views)) + struct.pack(f">{len(views)}Q", *map(len, views))
    if len(body) + sum(map(len, views)) <= SMALL:
        return [b"".join((head, body, *views))]
    return [head + body, *(v for v in views if len(v))]


def empty(size: int) -> memoryview:
    """A writable buffer to be filled; a large one is not zeroed first."""
    if size <= SMALL:
        return memoryview(bytearray(size))
    import numpy as np  # which a command that only hands notebooks out has no other use for

    return np.empty(size, dtype=np.uint8).data


def read_message(
    read_exactly: Callable[[int], memoryview], kind: Any, *, limit: int, bounds: Bounds = OF_BOX
) -> tuple[Any, list[memoryview], int]:
    """Read one message and check its shape.

    Args:
        read_exactly: returns a writable view of that many bytes from the stream.
        kind: the struct, or union of tagged structs, that it must be.
        limit: bytes of all blobs together.
        bounds: of the tree, and how many blobs.

    Returns:
        The message, its blobs, and the number of bytes that it took.

    Raises:
        Malformed: too long, too many, not msgpack, or not of that kind.
    """
    tree_length, count = _HEAD.unpack(read_exactly(_HEAD.size))
    if tree_length > bounds.tree or count > bounds.blobs:
        raise TooLarge(f"a message of {tree_length:,} bytes and {count:,} blobs")
    lengths = struct.unpack(f">{count}Q", read_exactly(8 * count)) if count else ()
    if sum(lengths) > limit:
        raise TooLarge(f"values of {sum(lengths):,} bytes, where {limit:,} are allowed")
    body = read_exactly(tree_length)
    blobs = [read_exactly(n) if n else memoryview(b"") for n in lengths]
    try:
        value = unpack(body, kind)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise Malformed(f"a message that is none: {error}") from error
    return value, blobs, _HEAD.size + 8 * count + tree_length + sum(lengths)
