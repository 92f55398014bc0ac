"""What both ends of the wire agree on: kinds of values, limits, and what goes wrong.

Without torch: whoever only carries messages need not wait for its import.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Blob = bytes | bytearray | memoryview
Tree = Any
Other = Callable[[object], Tree | None]

MAX_DEPTH = 32
MAX_NODES = 200_000
MAX_DIMENSIONS = 64
MAX_BYTES = 256 << 20
"""Bytes of all tensors, arrays and long strings of one value."""
MAX_TEXT_BYTES = 64 << 20
"""Of one string: in memory it may take four times its bytes."""
SHORT = 1024
INT64 = 1 << 63
MAX_BIG_INT_DIGITS = 5_000


class Unencodable(Exception):
    """The value can't be sent: says which part and why."""


class Undecodable(Exception):
    """The tree is not one that `encode` makes."""


@dataclass(frozen=True, slots=True)
class RemoteRef:
    """An object that stays in the box: its handle, what it is, and its type's name."""

    handle: int
    kind: str
    type_name: str


@dataclass(frozen=True, slots=True)
class FunctionSource:
    """A suite's function as source, with the plain globals that it uses."""

    name: str
    source: str
    globals: dict[str, Any]
