"""What a receipt proves, and each way in which it can fail to."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import InfrastructureError, ReceiptError
from grader.intake.inbox import submit
from grader.intake.receipt import Receipt, receipt_key, verify

from .archives import NOTEBOOK

NOW = dt.datetime(2024, 10, 30, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Receipt]:
    return make(tmp_path_factory.mktemp("receipts"))


def make(folder: Path) -> tuple[Path, Receipt]:
    (folder / "hw1.ipynb").write_bytes(NOTEBOOK)
    receipt = submit(
        folder / "hw1.ipynb", folder / "inbox", student="Şafak Ö.x", assignment="hw1", now=NOW
    )
    return folder / "inbox", receipt


def reason(data: bytes, inbox: Path) -> str:
    with pytest.raises(ReceiptError) as caught:
        verify(data, inbox)
    assert caught.value.hint
    return caught.value.what


def changed(receipt: Receipt, **fields: Any) -> bytes:
    return json.dumps(json.loads(receipt.to_json()) | fields).encode()


def test_receipt_as_it_was_given_holds(handed_in: tuple[Path, Receipt]) -> None:
    inbox, receipt = handed_in
    got = verify(receipt.to_json(), inbox)
    assert (got.receipt.student, got.receipt.attempt) == ("Şafak Ö.x", 1)
    assert got.receipt.submitted_at == NOW
    assert (got.folder / "notebook.ipynb").read_bytes() == NOTEBOOK


def test_order_and_spaces_of_the_document_do_not_matter(handed_in: tuple[Path, Receipt]) -> None:
    inbox, receipt = handed_in
    document = dict(reversed(json.loads(receipt.to_json()).items()))
    assert verify(json.dumps(document, indent=7).encode(), inbox)
    in_turkey = changed(receipt, submitted_at="2024-10-30T15:00:00+03:00")
    assert verify(in_turkey, inbox), "the same instant in another zone is the same receipt"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("assignment", "hw2"),
        ("student", "ben"),
        ("attempt", 2),
        ("submitted_at", "2024-10-29T12:00:00+00:00"),
        ("file", "other.ipynb"),
        ("size", 5),
        ("sha256", "0" * 64),
        ("signature", "0" * 64),
    ],
)
def test_changed_field_breaks_the_signature(
    field: str, value: object, handed_in: tuple[Path, Receipt]
) -> None:
    inbox, receipt = handed_in
    assert "signature is wrong" in reason(changed(receipt, **{field: value}), inbox)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", "grader-receipt 2"),
        ("assignment", "../hw1"),
        ("assignment", ""),
        ("student", ".."),
        ("student", "a/b"),
        ("student", "a" * 101),
        ("student", "a\x00b"),
        ("attempt", "1"),
        ("attempt", 0),
        ("attempt", 1.5),
        ("attempt", 10**30),
        ("submitted_at", "2024-10-30T12:00:00"),
        ("submitted_at", "0001-01-01T00:00:00+23:00"),
        ("submitted_at", 0),
        ("size", -1),
        ("size", 2**40),
        ("sha256", "0" * 64 + "\n"),
        ("sha256", "Z" * 64),
        ("signature", "é" * 64),
        ("signature", ""),
        ("signature", None),
        ("extra", 1),
    ],
)
def test_receipt_of_a_wrong_shape_is_refused(
    field: str, value: object, handed_in: tuple[Path, Receipt]
) -> None:
    inbox, receipt = handed_in
    assert "no receipt" in reason(changed(receipt, **{field: value}), inbox)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b"[" * 50_000, b"null", b"{" + b" " * 100_000]
)
def test_what_is_no_receipt_is_refused(data: bytes, handed_in: tuple[Path, Receipt]) -> None:
    assert "receipt" in reason(data, handed_in[0])


def test_receipt_of_another_inbox_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    inbox, _ = make(tmp_path / "a")
    _, foreign = make(tmp_path / "b")
    assert "another inbox" in reason(foreign.to_json(), inbox)


def test_inbox_without_a_key_never_gave_a_receipt(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    _, receipt = make(tmp_path / "a")
    assert "no receipt key" in reason(receipt.to_json(), tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists(), "to verify never makes a key"


def test_attempt_that_is_gone_or_changed_is_named(tmp_path: Path) -> None:
    inbox, receipt = make(tmp_path)
    [folder] = (inbox / "hw1" / receipt.student).iterdir()
    notebook = folder / "notebook.ipynb"
    notebook.write_bytes(b"changed")
    assert "is not the one handed in" in reason(receipt.to_json(), inbox)
    notebook.unlink()
    notebook.symlink_to("/etc/passwd")
    assert "cannot be read" in reason(receipt.to_json(), inbox)
    folder.rename(folder.with_name("moved"))
    assert "does not hold attempt 1" in reason(receipt.to_json(), inbox)


def test_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    key = receipt_key(tmp_path)
    assert len(key) == 32
    assert receipt_key(tmp_path) == key
    assert (tmp_path / ".receipt-key").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == [".receipt-key"]


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_damaged_key_is_our_fault_and_not_the_receipts(content: bytes, tmp_path: Path) -> None:
    inbox, receipt = make(tmp_path)
    (inbox / ".receipt-key").write_bytes(content)
    with pytest.raises(InfrastructureError, match="receipt key"):
        verify(receipt.to_json(), inbox)


def test_key_that_is_a_link_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(bytes(32))
    (tmp_path / ".receipt-key").symlink_to("other")
    with pytest.raises(InfrastructureError, match="receipt key"):
        receipt_key(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_change_of_a_receipt_is_believed(
    data: st.DataObject, handed_in: tuple[Path, Receipt]
) -> None:
    inbox, receipt = handed_in
    whole = bytearray(receipt.to_json())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        got = verify(bytes(whole), inbox)
    except ReceiptError:
        return
    assert got.receipt.signed_bytes() == receipt.signed_bytes()


@given(data=st.binary(max_size=500))
def test_arbitrary_bytes_are_no_receipt(data: bytes, handed_in: tuple[Path, Receipt]) -> None:
    with pytest.raises(ReceiptError):
        verify(data, handed_in[0])
