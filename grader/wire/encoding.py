"""Plain values to trees. It runs next to the student's objects, and trusts none of their methods.

What an object is, its type says (`type(value)`); `isinstance` would ask the object's `__class__`,
which can lie. What it holds, the base type's own methods say (`dict.items(value)`), so that an
override can neither run nor raise here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np
import torch

from grader.wire.dtypes import ARRAY_KINDS, DTYPES, TENSOR_DTYPES, is_text
from grader.wire.kinds import (
    INT64,
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
    Unencodable,
)
from grader.wire.tables import plain_table


def encode(value: object, blobs: list[Blob], *, other: Other | None = None) -> Tree:
    """Turn a value into a tree; its bulk is appended to `blobs`.

    Args:
        value: what to send.
        blobs: receives memoryviews of tensors and arrays, bytes of long strings.
        other: called for what can't be sent by value; returns a tree, or None to refuse.

    Raises:
        Unencodable: too deep, too many parts or bytes, or of a kind that `other` refuses.
    """
    return _Encoder(blobs, other).encode(value, 0)


_Encode = Callable[["_Encoder", Any, int], Tree]


class _Encoder:
    def __init__(self, blobs: list[Blob], other: Other | None) -> None:
        self.blobs = blobs
        self.other = other
        self.nodes = 0
        self.bytes = 0

    def encode(self, value: Any, depth: int) -> Tree:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise Unencodable(f"the value has more than {MAX_NODES:,} parts")
        if depth > MAX_DEPTH:
            raise Unencodable(f"the value is nested more than {MAX_DEPTH} deep, or contains itself")
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return value
        encode = self._encoder_of(kind)
        if encode is not None:
            return encode(self, value, depth + 1)
        why = ""
        nodes, size, blobs = self.nodes, self.bytes, len(self.blobs)
        try:
            plain = plain_table(value)
            if plain is not None:
                columns = self.encode(plain, depth + 1)
                # Whose pandas is missing can still ask the object itself, where there is one.
                return ["P", columns, self.other(value) if self.other is not None else None]
        except Unencodable as error:
            why = str(error)
            self.nodes, self.bytes = nodes, size
            del self.blobs[blobs:]
        tree = self.other(value) if self.other is not None else None
        if tree is None:
            raise Unencodable(why or f"a {type_name(kind)} can't be sent by value")
        return tree

    @classmethod
    def _encoder_of(cls, kind: type) -> _Encode | None:
        # A student's metaclass would be asked for its hash: only plain types are looked up.
        if type(kind) is type and (exact := cls._EXACT.get(kind)) is not None:
            return exact
        return next((encode for bases, encode in cls._TABLE if issubclass(kind, bases)), None)

    def _parts(self, values: Iterable[Any], depth: int) -> list[Tree]:
        return [self.encode(value, depth) for value in values]

    def _blob(self, data: Blob) -> int:
        self.blobs.append(data)
        return len(self.blobs) - 1

    def _count(self, size: int, what: str) -> None:
        """Refuse before the bytes are copied: an expanded tensor may claim more than there are."""
        self.bytes += size
        if self.bytes > MAX_BYTES:
            raise Unencodable(
                f"{what} of {size:,} bytes; a value may have {MAX_BYTES:,} bytes in all"
            )

    def _text(self, text: str) -> Tree:
        data = text.encode("utf-8", "replace")
        if len(text) <= SHORT:
            return data.decode()
        if len(data) > MAX_TEXT_BYTES:
            raise Unencodable(f"a text of {len(data):,} bytes; it may have {MAX_TEXT_BYTES:,}")
        self._count(len(data), "a text")
        return ["s", self._blob(data)]

    def _bytes(self, value: bytes | bytearray | memoryview, _depth: int) -> Tree:
        view = memoryview(value)
        self._count(view.nbytes, "bytes")
        return ["y", self._blob(view.tobytes())]

    def _function(self, value: FunctionSource, depth: int) -> Tree:
        flat = [x for k, v in value.globals.items() for x in (k, self.encode(v, depth))]
        return ["f", value.name, self._text(value.source), *flat]

    def _tensor(self, value: torch.Tensor, _depth: int) -> Tree:
        # A subclass's `__torch_function__` is student code: it must not decide what is sent.
        with torch._C.DisableTorchFunctionSubclass():
            try:
                return self._plain_tensor(value)
            except (RuntimeError, TypeError, ValueError, AttributeError) as error:
                raise Unencodable(f"a tensor that can't be read: {str(error)[:200]}") from error

    def _plain_tensor(self, value: torch.Tensor) -> Tree:
        plain = torch.Tensor.detach(value)
        if type(plain) is not torch.Tensor:
            plain = torch.Tensor.as_subclass(plain, torch.Tensor)
        name = str(plain.dtype).removeprefix("torch.")
        if plain.layout != torch.strided or plain.is_nested:
            raise Unencodable(f"a tensor of layout {plain.layout}; make it dense first")
        if plain.is_quantized:
            raise Unencodable("a quantized tensor; dequantize it first")
        if name not in TENSOR_DTYPES:
            raise Unencodable(f"a tensor of dtype {plain.dtype}")
        if plain.device.type == "meta":
            raise Unencodable("a tensor on the meta device has no values")
        if plain.dim() > MAX_DIMENSIONS:
            raise Unencodable(f"a tensor of {plain.dim()} dimensions")
        self._count(plain.numel() * plain.element_size(), "a tensor")
        asks = bool(torch.Tensor.requires_grad.__get__(value))  # type: ignore[attr-defined]
        plain = plain.resolve_conj().resolve_neg().cpu().contiguous()
        data: Blob = b""
        if plain.numel():
            # A single number is contiguous whatever its stride, and `view` asks for a stride of 1.
            flat = plain.reshape(-1).as_strided((plain.numel(),), (1,))
            data = flat.view(torch.uint8).numpy().data
        return ["T", name, [int(n) for n in plain.shape], self._blob(data), asks]

    def _array(self, value: Any, _depth: int) -> Tree:
        array = np.asarray(value)
        if array.dtype.kind not in ARRAY_KINDS:
            raise Unencodable(f"a numpy array of dtype {array.dtype} can't be sent by value")
        self._count(array.size * array.dtype.itemsize, "an array")
        flat = np.ascontiguousarray(array).reshape(-1)
        if array.dtype.kind == "U" and array.dtype.itemsize and not is_text(flat):
            raise Unencodable("a numpy array of text with characters that are none")
        data: Blob = b""
        if array.size and array.dtype.itemsize:
            data = flat.view(np.uint8).data
        tag = "N" if issubclass(type(value), np.generic) else "A"
        return [tag, array.dtype.str, list(array.shape), self._blob(data)]

    # The first that fits: numpy's scalars are also Python floats, complex, str and bytes.
    _TABLE: ClassVar[tuple[tuple[tuple[type, ...], _Encode], ...]] = (
        ((torch.Tensor,), _tensor),
        ((np.ndarray, np.generic), _array),
        ((torch.Size,), lambda e, v, d: ["z", *map(_whole, tuple.__iter__(v))]),
        ((list,), lambda e, v, d: ["l", *e._parts(list.__iter__(v), d)]),
        ((tuple,), lambda e, v, d: ["t", *e._parts(tuple.__iter__(v), d)]),
        ((dict,), lambda e, v, d: ["d", *e._parts((x for p in dict.items(v) for x in p), d)]),
        ((set,), lambda e, v, d: ["S", *e._parts(set.__iter__(v), d)]),
        ((frozenset,), lambda e, v, d: ["F", *e._parts(frozenset.__iter__(v), d)]),
        ((int,), lambda e, v, d: _encode_int(int.__int__(v))),
        ((float,), lambda e, v, d: float.__float__(v)),
        ((str,), lambda e, v, d: e._text(str.__str__(v))),
        ((complex,), lambda e, v, d: ["c", complex.real.__get__(v), complex.imag.__get__(v)]),
        ((bytes, bytearray, memoryview), _bytes),
        ((range,), lambda e, v, d: ["r", *map(_whole, (v.start, v.stop, v.step))]),
        ((slice,), lambda e, v, d: ["L", *e._parts((v.start, v.stop, v.step), d)]),
        ((torch.dtype,), lambda e, v, d: _dtype(v)),
        ((torch.device,), lambda e, v, d: ["V", str(v)]),
        ((RemoteRef,), lambda e, v, d: ["R", v.handle, v.kind, v.type_name[:SHORT]]),
        ((FunctionSource,), _function),
    )
    _EXACT: ClassVar[dict[type, _Encode]] = {
        base: encode for bases, encode in _TABLE for base in bases
    }


def type_name(kind: type) -> str:
    """A type's full name; a student's metaclass may have put anything in its place."""
    module = type.__dict__["__module__"].__get__(kind)
    name = type.__dict__["__qualname__"].__get__(kind)
    full = f"{module}.{name}" if type(module) is str else name
    return full.encode("utf-8", "replace").decode()[:SHORT]


def _dtype(value: torch.dtype) -> Tree:
    name = str(value).removeprefix("torch.")
    if name not in DTYPES:
        raise Unencodable(f"the dtype {name}")
    return ["D", name]


def _whole(value: Any) -> Tree:
    return _encode_int(int(value))


def _encode_int(value: int) -> Tree:
    if -INT64 <= value < INT64:
        return value
    if value.bit_length() > 4 * MAX_BIG_INT_DIGITS:
        raise Unencodable(f"an integer of more than {MAX_BIG_INT_DIGITS:,} hexadecimal digits")
    return ["i", f"{value:x}"]
