"""Receipts: what a student can show of a try, and what each kind of receipt proves.

A receipt is a small JSON document. The one that `submit` writes is unsigned, since whatever a
student's process could sign with, a student could sign with: by itself it proves nothing. It holds
the name of the try, which nobody else can know, so that who holds it finds the try in the inbox
(and nobody else's), with the file's owner and change time.

When the staff collect, they sign what they found with HMAC-SHA256 under a key of the course, which
lies in the course directory and never in an inbox. A signed receipt that verifies proves: whoever
holds that key collected a file with these bytes, owned by that login, unchanged since that time as
the file system of the inbox told it; and nothing in the receipt was changed since. It does not
prove that the owner wrote the notebook, nor that the machine's clock was right.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import msgspec

from grader.errors import ReceiptError
from grader.intake.names import MAX_NAME
from grader.intake.notebook import MAX_FILE_BYTES

FORMAT = "grader-receipt 2"
MAX_RECEIPT_BYTES = 64 * 1024
UNSIGNED = (
    "By itself nothing: it is not signed. It names a file in the inbox, which shows when and by "
    "whom it was handed in. After the staff have collected: grader receipt fetch."
)
SIGNED = (
    "The staff collected a file with these bytes, owned by that login, unchanged since that time "
    "by the inbox's file system."
)

_HINT = "Use the file as it was saved by `grader submit` or `grader receipt fetch`."

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
Hex64 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
# A receipt must not lead to a file outside the inbox.
TryName = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}-[0-9a-f]{32}\Z")]


class FileReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file that was handed in beside the notebook."""

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    sha256: Hex64


class _ReceiptJson(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: Literal["grader-receipt 2"]
    proves: Annotated[str, msgspec.Meta(max_length=1000)]
    assignment: Name
    student: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    login: Annotated[str, msgspec.Meta(max_length=1000)]
    name: TryName = msgspec.field(name="try")
    handed_in_at: Annotated[dt.datetime, msgspec.Meta(tz=True)]
    collected_at: Annotated[dt.datetime, msgspec.Meta(tz=True)] | None
    file: Annotated[str, msgspec.Meta(max_length=1000)]
    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_FILE_BYTES)]
    sha256: Hex64
    files: tuple[FileReceipt, ...] = ()
    signature: Annotated[str, msgspec.Meta(pattern=r"\A(?:[0-9a-f]{64})?\Z")]


@dataclass(frozen=True)
class Receipt:
    """What is known of a try; `warnings` are advice and no part of the document.

    `name` is that of the file in the inbox, `login` its owner's, which only the staff fill in;
    `sha256` and `size` are the notebook's, `files` what lies beside it. `handed_in_at` is the
    file's change time.
    """

    assignment: str
    student: str
    name: str
    handed_in_at: dt.datetime
    file: str
    size: int
    sha256: str
    files: tuple[FileReceipt, ...] = ()
    login: str = ""
    collected_at: dt.datetime | None = None
    signature: str = ""
    warnings: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """Return the document that the student keeps."""
        document = {
            "format": FORMAT,
            "proves": SIGNED if self.signature else UNSIGNED,
            **self._signed_fields(),
            "signature": self.signature,
        }
        return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"

    def signed_bytes(self) -> bytes:
        """Return what is signed: every field, in one order and one spelling."""
        fields = {"format": FORMAT, **self._signed_fields()}
        return msgspec.json.encode(fields, order="sorted")

    def _signed_fields(self) -> dict[str, Any]:
        collected = self.collected_at and self.collected_at.astimezone(dt.UTC).isoformat()
        return {
            "assignment": self.assignment,
            "student": self.student,
            "login": self.login,
            "try": self.name,
            "handed_in_at": self.handed_in_at.astimezone(dt.UTC).isoformat(),
            "collected_at": collected,
            "file": self.file,
            "size": self.size,
            "sha256": self.sha256,
            # Left out where there are none: receipts of before still verify.
            **({"files": self.files} if self.files else {}),
        }


def sign(receipt: Receipt, key: bytes) -> Receipt:
    """Return the receipt with its signature."""
    return replace(receipt, signature=_signature(receipt, key))


def verify(receipt: Receipt, key: bytes) -> None:
    """Check a receipt's signature; the module's text says what that proves.

    Raises:
        ReceiptError: it has none, or not one of this key's.
    """
    if not receipt.signature:
        raise ReceiptError(
            "The receipt is not signed, and proves nothing by itself.",
            hint="See what the inbox holds of it with --inbox; `grader receipt fetch` gets the "
            "signed one, after the staff have collected.",
        )
    # compare_digest: a comparison that stops early would tell a forger how far they got.
    if not hmac.compare_digest(_signature(receipt, key), receipt.signature):
        raise ReceiptError(
            "The signature is wrong: the receipt was changed, or is another course's.", hint=_HINT
        )


def parse_receipt(receipt_bytes: bytes) -> Receipt:
    """Read a receipt, of which nothing is believed yet.

    Raises:
        ReceiptError: its shape is wrong.
    """
    if len(receipt_bytes) > MAX_RECEIPT_BYTES:
        raise ReceiptError("The file is too large to be a receipt.", hint=_HINT)
    try:
        parsed = msgspec.json.decode(receipt_bytes, type=_ReceiptJson)
    except msgspec.ValidationError as error:
        if b'"grader-receipt 1"' in receipt_bytes:
            raise _of_before() from None
        raise ReceiptError(f"The file is no receipt: {error}.", hint=_HINT) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise ReceiptError("The file is no receipt: it does not hold JSON.", hint=_HINT) from None
    fields = msgspec.structs.asdict(parsed)
    del fields["format"], fields["proves"]
    try:
        for name in ("handed_in_at", "collected_at"):
            fields[name] = fields[name] and fields[name].astimezone(dt.UTC)
    except OverflowError:
        raise ReceiptError("The file is no receipt: its time is no time.", hint=_HINT) from None
    return Receipt(**fields)


def _of_before() -> ReceiptError:
    return ReceiptError(
        "The receipt is of an earlier version, signed with a key that students could read: it "
        "proves nothing.",
        hint="Compare its sha256 with the notebook that was collected.",
    )


def _signature(receipt: Receipt, key: bytes) -> str:
    return hmac.new(key, receipt.signed_bytes(), hashlib.sha256).hexdigest()
