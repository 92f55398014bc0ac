"""Trees back to plain values. It runs in the judge on what a hostile box sent."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
import torch

from grader.wire.dtypes import ARRAY_KINDS, DTYPES, TENSOR_DTYPES, is_text
from grader.wire.kinds import (
    INT64,
    MAX_BIG_INT_DIGITS,
    MAX_DEPTH,
    MAX_DIMENSIONS,
    MAX_NODES,
    MAX_TEXT_BYTES,
    SHORT,
    FunctionSource,
    RemoteRef,
    Tree,
    Undecodable,
)
from grader.wire.tables import table

MAX_SAME_HASH = 64
_ARRAY_DTYPE = re.compile(rf"[<>|][{ARRAY_KINDS}]\d{{1,9}}")
_HEX = re.compile(rf"-?[0-9a-f]{{1,{MAX_BIG_INT_DIGITS}}}")


def decode(
    tree: Tree, blobs: Sequence[memoryview], *, remote: Callable[[RemoteRef], Any] | None = None
) -> Any:
    """Turn a tree back into plain values.

    Args:
        tree: from the wire, hostile.
        blobs: the message's own blobs: tensors and arrays are views of those that can be written
            to, and of a copy of the others.
        remote: makes something of a `RemoteRef`; without it the ref itself is the value.

    Raises:
        Undecodable: the tree is not one that `encode` makes.
    """
    try:
        return _Decoder(blobs, remote).decode(tree, 0)
    except Undecodable:
        raise
    except (TypeError, ValueError, LookupError, ArithmeticError, RuntimeError) as error:
        raise Undecodable(f"a malformed value: {error}") from error


class _Decoder:
    def __init__(
        self, blobs: Sequence[memoryview], remote: Callable[[RemoteRef], Any] | None
    ) -> None:
        self.blobs = blobs
        self.used = bytearray(len(blobs))
        self.remote = remote
        self.nodes = 0

    def decode(self, tree: Tree, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH + 1:
            raise Undecodable("a value with too many parts, or nested too deep")
        if tree is None or type(tree) in (bool, int, float, str):
            return tree
        if type(tree) is not list or not tree or type(tree[0]) is not str:
            raise Undecodable(f"a {type(tree).__name__} where a value was expected")
        read = self._TABLE.get(tree[0])
        if read is None:
            raise Undecodable(f"an unknown kind of value, {tree[0][:20]!r}")
        return read(self, tree[1:], depth + 1)

    def _blob(self, index: Any) -> memoryview:
        """The blob of that number, once: a tree that names one again would multiply its bytes."""
        if not 0 <= _int(index) < len(self.blobs) or self.used[index]:
            raise Undecodable("a blob that was not sent, or is used twice")
        self.used[index] = 1
        found: memoryview = self.blobs[index]
        return found

    def _text(self, args: list[Any], _depth: int) -> str:
        data = self._blob(*args)
        if len(data) > MAX_TEXT_BYTES:
            raise Undecodable("a text that is too long")
        return str(data, "utf-8")

    def _keys(self, items: Iterable[Any], depth: int) -> list[Any]:
        keys = [self.decode(x, depth) for x in items]
        _refuse_equal_hashes(keys)
        return keys

    def _dict(self, items: list[Any], depth: int) -> dict[Any, Any]:
        if len(items) % 2:
            raise Undecodable("a dict with a key and no value")
        flat = [self.decode(x, depth) for x in items]
        _refuse_equal_hashes(flat[::2])
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def _tensor(self, args: list[Any], _depth: int) -> torch.Tensor:
        name, raw_shape, blob, requires_grad = args
        dtype, shape, data = TENSOR_DTYPES[_str(name)], _shape(raw_shape), self._blob(blob)
        if type(requires_grad) is not bool:
            raise Undecodable("a tensor that does not say whether it requires a gradient")
        if len(data) != math.prod(shape) * dtype.itemsize:
            raise Undecodable("a tensor whose bytes don't fit its shape")
        if not len(data):
            tensor = torch.empty(shape, dtype=dtype)
        else:
            flat = torch.frombuffer(_private(data), dtype=torch.uint8)
            # A truth value of any byte but 0 and 1 would equal both true and false.
            flat = flat != 0 if dtype is torch.bool else flat.view(dtype)
            tensor = flat.reshape(shape)
        if requires_grad and (dtype.is_floating_point or dtype.is_complex):
            tensor.requires_grad_()
        return tensor

    def _array(self, args: list[Any], _depth: int) -> np.ndarray[Any, Any]:
        name, raw_shape, blob = args
        if not _ARRAY_DTYPE.fullmatch(_str(name)):
            raise Undecodable(f"a numpy array of dtype {name[:30]!r}")
        dtype, shape, data = np.dtype(name), _shape(raw_shape), self._blob(blob)
        if len(data) != math.prod(shape) * dtype.itemsize:
            raise Undecodable("an array whose bytes don't fit its shape")
        if not len(data):
            return _without_bytes(shape, dtype)
        if dtype.kind == "b":
            truth: np.ndarray[Any, Any] = np.frombuffer(data, dtype=np.uint8) != 0
            return truth.reshape(shape)
        flat = np.frombuffer(_private(data), dtype=dtype)
        if dtype.kind == "U" and not is_text(flat):
            raise Undecodable("an array of text with characters that are none")
        return flat.reshape(shape)

    def _scalar(self, args: list[Any], depth: int) -> Any:
        array = self._array(args, depth)
        if array.shape != ():
            raise Undecodable("a numpy scalar with a shape")
        return array[()]

    def _remote(self, args: list[Any], _depth: int) -> Any:
        handle, kind, type_name = args
        ref = RemoteRef(_int(handle), _str(kind)[:SHORT], _str(type_name)[:SHORT])
        return self.remote(ref) if self.remote else ref

    def _table(self, args: list[Any], depth: int) -> Any:
        columns, ref = args
        plain = self.decode(columns, depth)
        try:
            return table(plain)
        except ImportError as error:
            if ref is not None and type(ref) is list and ref[:1] == ["R"]:
                return self.decode(ref, depth)
            raise Undecodable(
                "a pandas table, and pandas is not installed where it arrives"
            ) from error

    def _function(self, args: list[Any], depth: int) -> FunctionSource:
        name, source, *flat = args
        names = {_str(k): self.decode(v, depth) for k, v in zip(flat[::2], flat[1::2], strict=True)}
        return FunctionSource(_str(name), _str(self.decode(source, depth)), names)

    _TABLE: ClassVar[dict[str, Callable[[_Decoder, list[Any], int], Any]]] = {
        "l": lambda e, a, d: [e.decode(x, d) for x in a],
        "t": lambda e, a, d: tuple(e.decode(x, d) for x in a),
        "S": lambda e, a, d: set(e._keys(a, d)),
        "F": lambda e, a, d: frozenset(e._keys(a, d)),
        "d": _dict,
        "z": lambda e, a, d: _size(a),
        "T": _tensor,
        "A": _array,
        "N": _scalar,
        "c": lambda e, a, d: complex(*map(_float, _exactly(2, a))),
        "i": lambda e, a, d: _big_int(a),
        "y": lambda e, a, d: bytes(e._blob(*a)),
        "s": _text,
        "r": lambda e, a, d: range(*(_int(e.decode(x, d)) for x in _exactly(3, a))),
        "L": lambda e, a, d: slice(*(e.decode(x, d) for x in _exactly(3, a))),
        "D": lambda e, a, d: DTYPES[_str(*a)],
        "V": lambda e, a, d: torch.device(_str(*a)),
        "R": _remote,
        "P": _table,
        "f": _function,
    }


def _private(data: memoryview) -> memoryview | bytearray:
    """The blob itself where it may be written to: it was read for this message and is used once."""
    return bytearray(data) if data.readonly else data


def _refuse_equal_hashes(keys: list[Any]) -> None:
    """Keys made to share a hash would cost the judge the square of their number in comparisons."""
    if len(keys) > MAX_SAME_HASH and max(Counter(map(hash, keys)).values()) > MAX_SAME_HASH:
        raise Undecodable("a set or dict whose keys all have the same hash")


def _without_bytes(shape: list[int], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """An array of no items, or of empty texts, of which any number would have no bytes."""
    if math.prod(shape) > MAX_NODES:
        raise Undecodable("an array of too many empty texts")
    return np.zeros(shape, dtype=dtype)


def _shape(items: Any) -> list[int]:
    if type(items) is not list or len(items) > MAX_DIMENSIONS:
        raise Undecodable("a shape that is none")
    shape = _ints(items)
    if any(n < 0 for n in shape):
        raise Undecodable("a negative dimension")
    return shape


def _size(args: list[Any]) -> torch.Size:
    if any(not -INT64 <= n < INT64 for n in _ints(args)):
        raise Undecodable("a size that no tensor has")
    return torch.Size(args)


def _ints(items: list[Any]) -> list[int]:
    if len(items) > MAX_NODES:
        raise Undecodable("too many numbers")
    return [_int(n) for n in items]


def _big_int(args: list[Any]) -> int:
    digits = _str(*args)
    if not _HEX.fullmatch(digits):
        raise Undecodable("a large integer that is none, or has too many digits")
    return int(digits, 16)


def _exactly(count: int, args: list[Any]) -> list[Any]:
    if len(args) != count:
        raise Undecodable("a value with parts missing, or too many")
    return args


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
