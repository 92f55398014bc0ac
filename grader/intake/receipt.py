"""Receipts: what a student can show to prove that something was handed in, and when.

A receipt is a small JSON document, signed with HMAC-SHA256 under a key that lies in the inbox
(`.receipt-key`, readable by its owner only). What a receipt that verifies proves: somebody who
could read that key wrote it, nothing in it was changed since, and the inbox still holds that
attempt with those bytes. What it does not prove: who the student is (the inbox believes the name
it was given), that the clock of the machine was right, or anything against people who can
themselves read the inbox's key, since whoever can do that can sign.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from grader.errors import InfrastructureError, ReceiptError
from grader.intake.content import RefusedFileError, read_regular_file
from grader.intake.names import MAX_NAME
from grader.intake.notebook import MAX_FILE_BYTES
from grader.intake.stored import NOTEBOOK_FILE, attempts_in

KEY_FILE = ".receipt-key"
FORMAT = "grader-receipt 1"

_KEY_BYTES = 32
_MAX_RECEIPT_BYTES = 64 * 1024

# One component of a path: a receipt must not lead to a file outside the inbox.
_COMPONENT = r"\A[^./\\\x00][^/\\\x00]*\Z"
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME, pattern=_COMPONENT)]
Hex64 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class _ReceiptJson(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: Literal["grader-receipt 1"]
    assignment: Name
    student: Name
    attempt: Annotated[int, msgspec.Meta(ge=1, le=999_999_999)]
    submitted_at: Annotated[dt.datetime, msgspec.Meta(tz=True)]
    file: Annotated[str, msgspec.Meta(max_length=1000)]
    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_FILE_BYTES)]
    sha256: Hex64
    signature: Hex64


@dataclass(frozen=True)
class Receipt:
    """What a student gets for a submission; `warnings` are advice and no part of the document."""

    assignment: str
    student: str
    attempt: int
    submitted_at: dt.datetime
    file: str
    size: int
    sha256: str
    signature: str = ""
    warnings: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """Return the document that the student keeps."""
        document = self._signed_fields() | {"signature": self.signature}
        return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"

    def signed_bytes(self) -> bytes:
        """Return what is signed: every field, in one order and one spelling."""
        return msgspec.json.encode(self._signed_fields(), order="sorted")

    def _signed_fields(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "assignment": self.assignment,
            "student": self.student,
            "attempt": self.attempt,
            "submitted_at": self.submitted_at.astimezone(dt.UTC).isoformat(),
            "file": self.file,
            "size": self.size,
            "sha256": self.sha256,
        }


@dataclass(frozen=True)
class VerifiedReceipt:
    """A receipt that holds, and the folder of the attempt that it is for."""

    receipt: Receipt
    folder: Path


def sign(receipt: Receipt, inbox: Path) -> Receipt:
    """Return the receipt with its signature.

    Raises:
        InfrastructureError: the inbox's key can't be made or read.
    """
    return replace(receipt, signature=_signature(receipt, receipt_key(inbox)))


def verify(receipt_bytes: bytes, inbox: Path) -> VerifiedReceipt:
    """Check a receipt against the inbox; the module's text says what that proves.

    Raises:
        ReceiptError: its shape is wrong, its signature is not this inbox's, or the inbox no
            longer holds what it is for. Each has its own sentence.
        InfrastructureError: the inbox's key is there and can't be read.
    """
    receipt = _parse(receipt_bytes)
    if not (inbox / KEY_FILE).exists():
        raise ReceiptError(
            "This inbox has no receipt key, so it never gave a receipt.",
            where=inbox,
            hint="Name the inbox that the notebook was handed in to.",
        )
    expected = _signature(receipt, receipt_key(inbox))
    # compare_digest: a comparison that stops early would tell a forger how far they got.
    if not hmac.compare_digest(expected, receipt.signature):
        raise ReceiptError(
            "The signature is wrong: the receipt was changed, or is another inbox's.",
            hint="Use the file as it was saved by `grader submit`.",
        )
    return VerifiedReceipt(receipt, _held_attempt(receipt, inbox))


def receipt_key(inbox: Path) -> bytes:
    """Return the inbox's key, made at first use.

    Raises:
        InfrastructureError: it can't be made or read, or is not a key.
    """
    path = inbox / KEY_FILE
    try:
        if not os.path.lexists(path):
            _make_key(path)
        key = read_regular_file(path, limit=_KEY_BYTES)
    except OSError as error:
        raise InfrastructureError(
            f"the inbox's receipt key cannot be made ({error.strerror})",
            where=path,
            hint="The inbox must be a folder that you can write to.",
        ) from error
    except RefusedFileError as error:
        raise InfrastructureError(
            f"the inbox's receipt key cannot be used: {error}",
            where=path,
            hint="Only its owner can read it; submit under the account that runs the inbox.",
        ) from error
    if len(key) != _KEY_BYTES:
        raise InfrastructureError(
            f"the inbox's receipt key has {len(key)} bytes instead of {_KEY_BYTES}",
            where=path,
            hint="Restore it from a backup; with a new key no earlier receipt verifies.",
        )
    return key


def _make_key(path: Path) -> None:
    """Write the key under another name and link it to its own: nobody reads half a key."""
    fresh = path.with_name(f"{KEY_FILE}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)
    except FileExistsError:
        pass  # another submission was first; its key is the key
    finally:
        fresh.unlink()


def _signature(receipt: Receipt, key: bytes) -> str:
    return hmac.new(key, receipt.signed_bytes(), hashlib.sha256).hexdigest()


def _parse(receipt_bytes: bytes) -> Receipt:
    hint = "Use the file as it was saved by `grader submit`."
    if len(receipt_bytes) > _MAX_RECEIPT_BYTES:
        raise ReceiptError("The file is too large to be a receipt.", hint=hint)
    try:
        parsed = msgspec.json.decode(receipt_bytes, type=_ReceiptJson)
    except msgspec.ValidationError as error:
        raise ReceiptError(f"The file is no receipt: {error}.", hint=hint) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise ReceiptError("The file is no receipt: it does not hold JSON.", hint=hint) from None
    fields = msgspec.structs.asdict(parsed)
    del fields["format"]
    try:
        fields["submitted_at"] = parsed.submitted_at.astimezone(dt.UTC)
    except OverflowError:
        raise ReceiptError("The file is no receipt: its time is no time.", hint=hint) from None
    return Receipt(**fields)


def _held_attempt(receipt: Receipt, inbox: Path) -> Path:
    """Return the folder of the attempt, if it is there and holds those bytes."""
    student = inbox / receipt.assignment / receipt.student
    name = f"attempt {receipt.attempt} of {receipt.student} at {receipt.assignment}"
    folder = attempts_in(student).get(receipt.attempt) if student.is_dir() else None
    if folder is None:
        raise ReceiptError(
            f"The receipt is genuine, but the inbox does not hold {name}.",
            where=student,
            hint="It was moved or deleted after it was handed in; look in the backups.",
        )
    try:
        data = read_regular_file(folder / NOTEBOOK_FILE, limit=MAX_FILE_BYTES)
    except RefusedFileError as error:
        raise ReceiptError(
            f"The receipt is genuine, but the notebook of {name} cannot be read: {error}.",
            where=folder,
            hint="It was changed after it was handed in; look in the backups.",
        ) from None
    if not hmac.compare_digest(hashlib.sha256(data).hexdigest(), receipt.sha256):
        raise ReceiptError(
            f"The receipt is genuine, but the notebook of {name} is not the one handed in.",
            where=folder,
            hint="It was changed after it was handed in; look in the backups.",
        )
    return folder
