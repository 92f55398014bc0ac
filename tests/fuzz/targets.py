"""What parses hostile bytes, each as a function of bytes: it returns, or raises an error of ours.

Anything else that comes out is a fault, and so is a hang or memory beyond the limit.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch

from grader.course.loading import load_spec
from grader.errors import GraderError
from grader.grading.relay import Begun, FromChild
from grader.grading.verdict import verdict_from_json, verdict_to_json
from grader.intake.answers import written_answers
from grader.intake.archive import read_archive
from grader.intake.members import ArchiveLimits
from grader.intake.notebook import read_notebook
from grader.intake.receipt import Receipt, parse_receipt, verify
from grader.wire import frames
from grader.wire import messages as m
from grader.wire.decoding import decode
from grader.wire.encoding import encode
from grader.wire.kinds import Undecodable
from tests.fuzz import class_targets
from tests.helpers.assignments import SPEC
from tests.helpers.notebooks import realistic_notebook
from tests.helpers.verdicts import graded
from tests.intake.archives import make_tar, make_zip

LIMIT = 1 << 20
ARCHIVE_LIMITS = ArchiveLimits()


def notebook(data: bytes) -> None:
    """A student's notebook through intake."""
    try:
        found = read_notebook(data, name="hw1.ipynb")
    except GraderError as error:
        assert error.what and error.hint
        return
    written_answers(found)


def archive(data: bytes) -> None:
    """A class's archive, by either of its names."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("class.zip", "class.tar", "class.tgz"):
            path = Path(folder, name)
            path.write_bytes(data)
            for member in read_archive(path, limits=ARCHIVE_LIMITS):
                assert member


def _message(data: bytes, kind: Any) -> tuple[Any, list[memoryview]] | None:
    rest = memoryview(bytearray(data))

    def exactly(size: int) -> memoryview:
        nonlocal rest
        if size > len(rest):
            raise EOFError
        part, rest = rest[:size], rest[size:]
        return part

    try:
        found, blobs, _ = frames.read_message(exactly, kind, limit=LIMIT)
    except (frames.Malformed, EOFError):
        return None
    return found, blobs


def wire(data: bytes) -> None:
    """A message from a box, its value tree and its tensors."""
    found = _message(data, m.FromBox)
    if found is None:
        return
    message, blobs = found
    for name in message.__struct_fields__:
        try:
            decode(getattr(message, name), blobs)  # only `value` is a tree; the rest is refused
        except Undecodable as error:
            assert str(error)


def tree(data: bytes) -> None:
    """A value tree on its own, with a blob of the same bytes."""
    try:
        decode(msgspec.msgpack.decode(data), [memoryview(bytearray(data))])
    except (msgspec.MsgspecError, UnicodeDecodeError, Undecodable):
        pass


def verdict(data: bytes) -> None:
    """What the judge's child says to its worker."""
    _message(data, FromChild)


def stored(data: bytes) -> None:
    """A verdict as the gradebook keeps it."""
    try:
        found = verdict_from_json(data)
    except GraderError as error:
        assert error.what and error.hint
        return
    assert verdict_from_json(verdict_to_json(found)) == found


def receipt(data: bytes) -> None:
    """A receipt that somebody shows."""
    try:
        verify(parse_receipt(data), b"key")
    except GraderError as error:
        assert error.what


def spec(data: bytes) -> None:
    """An assignment.toml."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "assignment.toml")
        path.write_bytes(data)
        try:
            load_spec(path)
        except GraderError as error:
            assert error.what


def _sent() -> tuple[bytes, bytes]:
    """A message with tensors in it, and its tree alone."""
    value = {"x": torch.randn(2, 3), "l": [1, 2.5, None, "é", b"b", (True, 2**70)], "s": {1, 2}}
    blobs: list[Any] = []
    encoded = encode(value, blobs)
    parts = frames.message(m.Value(value=encoded), blobs)
    return b"".join(bytes(p) for p in parts), msgspec.msgpack.encode(encoded)


def seeds() -> dict[str, Sequence[bytes]]:
    """Sound inputs of each target, to start from."""
    inner = realistic_notebook()
    small = b'{"nbformat":4,"metadata":{},"cells":[{"cell_type":"code","source":"x"}]}'
    archives = [make_zip(("a/b.ipynb", small)), make_tar(("a.ipynb", small))]
    archives += [make_tar(("a.ipynb", small), gz=True)]
    raised = m.Raised(
        type="E", text="é", frames=[m.TracebackLine(file="f", line=1, function="g", text="")]
    )
    message = b"".join(bytes(p) for p in frames.message(raised, [b"abc"]))
    value, value_tree = _sent()
    done = b"".join(bytes(p) for p in frames.message(Begun(name="test_x")))
    signed = Receipt(
        assignment="a",
        student="s",
        name=f"{'0' * 64}-{'0' * 32}",
        handed_in_at=dt.datetime(2024, 10, 2, 9, tzinfo=dt.UTC),
        file="f",
        size=1,
        sha256="0" * 64,
        signature="0" * 64,
    ).to_json()
    return {
        "notebook": [small, inner],
        "archive": archives,
        "wire": [message, value],
        "tree": [value_tree],
        "verdict": [done, message],
        "stored": [verdict_to_json(graded())],
        "receipt": [signed],
        "spec": [SPEC.encode()],
        **class_targets.seeds(),
    }


TARGETS: dict[str, Callable[[bytes], None]] = {
    "notebook": notebook,
    "archive": archive,
    "wire": wire,
    "tree": tree,
    "verdict": verdict,
    "receipt": receipt,
    "spec": spec,
    "stored": stored,
    **class_targets.TARGETS,
}
