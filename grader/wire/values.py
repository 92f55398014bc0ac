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

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

Blob = bytes | bytearray | memoryview
Tree = Any
Other = Callable[[object], Tree | None]

MAX_DEPTH = 32
MAX_NODES = 200_000
MAX_DIMENSIONS = 25
SHORT = 1024
INT64 = 1 << 63
MAX_BIG_INT_DIGITS = 5_000

_DTYPES: dict[str, torch.dtype] = {
    str(d).removeprefix("torch."): d
    for d in vars(torch).values()
    if isinstance(d, torch.dtype) and not str(d).startswith(("torch.q", "torch.bits"))
}
_ARRAY_KINDS = "biufcSU"


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


def encode(value: object, blobs: list[Blob], *, other: Other | None = None) -> Tree:
    """Turn a value into a tree; its bulk is appended to `blobs`.

    Args:
        value: what to send.
        blobs: receives memoryviews of tensors and arrays, bytes of long strings.
        other: called for what can't be sent by value; returns a tree, or None to refuse.

    Raises:
        Unencodable: too deep, too many parts, or of a kind that `other` refuses.
    """
    return _Encoder(blobs, other).encode(value, 0)


def decode(
    tree: Tree, blobs: Sequence[memoryview], *, remote: Callable[[RemoteRef], Any] | None = None
) -> Any:
    """Turn a tree back into plain values.

    Args:
        tree: from the wire, hostile.
        blobs: the message's blobs. Tensors and arrays are views of a private copy.
        remote: makes something of a `RemoteRef`; without it the ref itself is the value.

    Raises:
        Undecodable: the tree is not one that `encode` makes.
    """
    try:
        return _Decoder(blobs, remote).decode(tree, 0)
    except Undecodable:
        raise
    except (TypeError, ValueError, IndexError, KeyError, OverflowError, RuntimeError) as error:
        raise Undecodable(f"a malformed value: {error}") from error


class _Encoder:
    def __init__(self, blobs: list[Blob], other: Other | None) -> None:
        self.blobs = blobs
        self.other = other
        self.nodes = 0

    def encode(self, value: Any, depth: int) -> Tree:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise Unencodable(f"the value has more than {MAX_NODES:,} parts")
        if depth > MAX_DEPTH:
            raise Unencodable(f"the value is nested more than {MAX_DEPTH} deep, or contains itself")
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return value
        if kind is int:
            return _encode_int(value)
        if kind is str:
            return self._text(value)
        return self._encode_other(value, kind, depth + 1)

    def _encode_other(self, value: Any, kind: type, depth: int) -> Tree:
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, torch.Size):
            return ["z", *(int(n) for n in value)]
        if isinstance(value, list):
            return ["l", *(self.encode(v, depth) for v in list.__iter__(value))]
        if isinstance(value, tuple):
            return ["t", *(self.encode(v, depth) for v in tuple.__iter__(value))]
        if isinstance(value, dict):
            return ["d", *(self.encode(x, depth) for kv in dict.items(value) for x in kv)]
        if isinstance(value, set | frozenset):
            tag = "S" if isinstance(value, set) else "F"
            return [tag, *(self.encode(v, depth) for v in value)]
        if isinstance(value, np.ndarray | np.generic):
            return self._array(value)
        if isinstance(value, complex):
            return ["c", float(value.real), float(value.imag)]
        if isinstance(value, bytes | bytearray | memoryview):
            return ["y", self._blob(bytes(value))]
        if isinstance(value, range):
            return ["r", *(_encode_int(n) for n in (value.start, value.stop, value.step))]
        if isinstance(value, slice):
            return ["L", *(self.encode(v, depth) for v in (value.start, value.stop, value.step))]
        if isinstance(value, torch.dtype):
            return ["D", str(value).removeprefix("torch.")]
        if isinstance(value, torch.device):
            return ["V", str(value)]
        if isinstance(value, RemoteRef):
            return ["R", value.handle, value.kind, value.type_name[:SHORT]]
        if isinstance(value, FunctionSource):
            names = {k: self.encode(v, depth) for k, v in value.globals.items()}
            flat = [x for pair in names.items() for x in pair]
            return ["f", value.name, self._text(value.source), *flat]
        return self._refused(value, kind)

    def _refused(self, value: Any, kind: type) -> Tree:
        if self.other is not None:
            tree = self.other(value)
            if tree is not None:
                return tree
        if isinstance(value, bool | int):
            return _encode_int(int(value))
        if isinstance(value, float):
            return float(value)
        if isinstance(value, str):
            return self._text(str.__str__(value))
        raise Unencodable(f"a {kind.__module__}.{kind.__qualname__} can't be sent by value")

    def _blob(self, data: Blob) -> int:
        self.blobs.append(data)
        return len(self.blobs) - 1

    def _text(self, text: str) -> Tree:
        if len(text) <= SHORT:
            return text.encode("utf-8", "replace").decode()
        return ["s", self._blob(text.encode("utf-8", "replace"))]

    def _tensor(self, value: torch.Tensor) -> Tree:
        plain = value.detach()
        if type(plain) is not torch.Tensor:
            plain = plain.as_subclass(torch.Tensor)
        if plain.layout != torch.strided:
            raise Unencodable(f"a tensor of layout {plain.layout}; make it dense first")
        if plain.is_quantized:
            raise Unencodable("a quantized tensor; dequantize it first")
        if plain.device.type == "meta":
            raise Unencodable("a tensor on the meta device has no values")
        plain = plain.resolve_conj().resolve_neg().cpu().contiguous()
        name = str(plain.dtype).removeprefix("torch.")
        shape = [int(n) for n in plain.shape]
        data: Blob = b""
        if plain.numel():
            flat = plain.reshape(-1).view(torch.uint8)
            data = flat.numpy().data
        return ["T", name, shape, self._blob(data), bool(value.requires_grad)]

    def _array(self, value: Any) -> Tree:
        array = np.asarray(value)
        if array.dtype.kind not in _ARRAY_KINDS:
            raise Unencodable(f"a numpy array of dtype {array.dtype} can't be sent by value")
        shape = list(array.shape)
        array = np.ascontiguousarray(array)
        data: Blob = b""
        if array.size and array.dtype.itemsize:
            data = array.reshape(-1).view(np.uint8).data
        tag = "N" if isinstance(value, np.generic) else "A"
        return [tag, array.dtype.str, shape, self._blob(data)]


def _encode_int(value: int) -> Tree:
    value = int(value)
    if -INT64 <= value < INT64:
        return value
    if value.bit_length() > 4 * MAX_BIG_INT_DIGITS:
        raise Unencodable(f"an integer of more than {MAX_BIG_INT_DIGITS:,} hexadecimal digits")
    return ["i", f"{value:x}"]


class _Decoder:
    def __init__(
        self, blobs: Sequence[memoryview], remote: Callable[[RemoteRef], Any] | None
    ) -> None:
        self.blobs = blobs
        self.remote = remote
        self.nodes = 0
        self.table: dict[str, Callable[[list[Any], int], Any]] = {
            "l": lambda a, d: [self.decode(x, d) for x in a],
            "t": lambda a, d: tuple(self.decode(x, d) for x in a),
            "S": lambda a, d: {self.decode(x, d) for x in a},
            "F": lambda a, d: frozenset(self.decode(x, d) for x in a),
            "d": self._dict,
            "z": lambda a, d: torch.Size(_shape(a)),
            "T": self._tensor,
            "A": self._array,
            "N": lambda a, d: self._array(a, d)[()],
            "c": lambda a, d: complex(_float(a[0]), _float(a[1])),
            "i": self._big_int,
            "y": lambda a, d: bytes(self._blob(a[0])),
            "s": lambda a, d: str(self._blob(a[0]), "utf-8", "replace"),
            "r": lambda a, d: range(*(_int(self.decode(x, d)) for x in a)),
            "L": lambda a, d: slice(*(self.decode(x, d) for x in a)),
            "D": lambda a, d: _DTYPES[a[0]],
            "V": lambda a, d: torch.device(_str(a[0])),
            "R": self._remote,
            "f": self._function,
        }

    def decode(self, tree: Tree, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH + 1:
            raise Undecodable("a value with too many parts, or nested too deep")
        if tree is None or type(tree) in (bool, int, float, str):
            return tree
        if type(tree) is not list or not tree or type(tree[0]) is not str:
            raise Undecodable(f"a {type(tree).__name__} where a value was expected")
        read = self.table.get(tree[0])
        if read is None:
            raise Undecodable(f"an unknown kind of value, {tree[0][:20]!r}")
        return read(tree[1:], depth + 1)

    def _blob(self, index: Any) -> memoryview:
        index = _int(index)
        if not 0 <= index < len(self.blobs):
            raise Undecodable("a blob that was not sent")
        found: memoryview = self.blobs[index]
        return found

    def _dict(self, items: list[Any], depth: int) -> dict[Any, Any]:
        if len(items) % 2:
            raise Undecodable("a dict with a key and no value")
        flat = [self.decode(x, depth) for x in items]
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def _big_int(self, args: list[Any], depth: int) -> int:
        if len(_str(args[0])) > MAX_BIG_INT_DIGITS + 1:
            raise Undecodable("an integer with too many digits")
        return int(args[0], 16)

    def _tensor(self, args: list[Any], depth: int) -> torch.Tensor:
        name, raw_shape, blob, requires_grad = args
        dtype, shape, data = _DTYPES[_str(name)], _shape(raw_shape), self._blob(blob)
        if len(data) != math.prod(shape) * dtype.itemsize:
            raise Undecodable("a tensor whose bytes don't fit its shape")
        if not len(data):
            tensor = torch.empty(shape, dtype=dtype)
        else:
            tensor = torch.frombuffer(bytearray(data), dtype=torch.uint8).view(dtype).reshape(shape)
        if requires_grad is True and (dtype.is_floating_point or dtype.is_complex):
            tensor.requires_grad_()
        return tensor

    def _array(self, args: list[Any], depth: int) -> Any:
        name, raw_shape, blob = args
        dtype, shape, data = np.dtype(_str(name)), _shape(raw_shape), self._blob(blob)
        if dtype.kind not in _ARRAY_KINDS or dtype.hasobject or dtype.subdtype or dtype.names:
            raise Undecodable(f"a numpy array of dtype {name[:30]!r}")
        if len(data) != math.prod(shape) * dtype.itemsize:
            raise Undecodable("an array whose bytes don't fit its shape")
        return np.frombuffer(bytearray(data), dtype=dtype).reshape(shape)

    def _remote(self, args: list[Any], depth: int) -> Any:
        handle, kind, type_name = args
        ref = RemoteRef(_int(handle), _str(kind)[:SHORT], _str(type_name)[:SHORT])
        return self.remote(ref) if self.remote else ref

    def _function(self, args: list[Any], depth: int) -> FunctionSource:
        name, source, *flat = args
        names = {_str(k): self.decode(v, depth) for k, v in zip(flat[::2], flat[1::2], strict=True)}
        return FunctionSource(_str(name), _str(self.decode(source, depth)), names)


def _shape(items: Any) -> list[int]:
    if type(items) is not list or len(items) > MAX_DIMENSIONS:
        raise Undecodable("a shape that is none")
    shape = [_int(n) for n in items]
    if any(n < 0 for n in shape):
        raise Undecodable("a negative dimension")
    return shape


def _int(value: Any) -> int:
    if type(value) is not int:
        raise Undecodable("an integer was expected")
    return value


def _float(value: Any) -> float:
    if type(value) not in (int, float):
        raise Undecodable("a number was expected")
    return float(value)


def _str(value: Any) -> str:
    if type(value) is not str:
        raise Undecodable("text was expected")
    return value
