"""Plain values to a tree and back, by value: nothing that crosses here can carry code.

A value becomes a *tree* of what msgpack knows (None, bool, int, float, short str, list) and
*blobs* (the bytes of tensors, arrays, long strings). Every list in a tree is a tagged node:
`["l", item, …]` a list, `["T", dtype, shape, blob, requires_grad]` a tensor. The tree is small and
bounded, the blobs are never copied on the way.

Both sides use `encode`; only plain types come out of `decode`, whatever went in: a subclass of
Tensor, str or dict arrives as its base type. What can't be sent by value is handed to `other`
(the box keeps it and sends a `RemoteRef`), or is an `Unencodable`.
"""

from __future__ import annotations

from grader.wire.decoding import decode
from grader.wire.encoding import encode, type_name
from grader.wire.kinds import (
    MAX_BIG_INT_DIGITS,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_DIMENSIONS,
    MAX_NODES,
    MAX_TEXT_BYTES,
    SHORT,
    Blob,
    FunctionSource,
    Other,
    RemoteRef,
    Tree,
    Undecodable,
    Unencodable,
)

__all__ = [
    "MAX_BIG_INT_DIGITS",
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_DIMENSIONS",
    "MAX_NODES",
    "MAX_TEXT_BYTES",
    "SHORT",
    "Blob",
    "FunctionSource",
    "Other",
    "RemoteRef",
    "Tree",
    "Undecodable",
    "Unencodable",
    "decode",
    "encode",
    "type_name",
]
