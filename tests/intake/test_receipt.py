"""What a receipt proves, and each way in which it can fail to."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import ReceiptError
from grader.intake.receipt import Receipt, parse_receipt, sign, verify

NOW = dt.datetime(2024, 10, 30, 12, tzinfo=dt.UTC)
KEY = bytes(range(32))
UNSIGNED = Receipt(
    assignment="hw1",
    student="Şafak Ö.x",
    login="safak",
    name=f"{'a' * 64}-{'b' * 32}",
    handed_in_at=NOW,
    collected_at=NOW + dt.timedelta(hours=1),
    file="hw1.ipynb",
    size=80,
    sha256="c" * 64,
)
SIGNED = sign(UNSIGNED, KEY)


def reason(data: bytes, key: bytes = KEY) -> str:
    with pytest.raises(ReceiptError) as caught:
        verify(parse_receipt(data), key)
    assert caught.value.hint
    return caught.value.what


def changed(receipt: Receipt, **fields: Any) -> bytes:
    return json.dumps(json.loads(receipt.to_json()) | fields).encode()


def test_receipt_as_it_was_signed_holds() -> None:
    got = parse_receipt(SIGNED.to_json())
    verify(got, KEY)
    assert got == SIGNED


def test_each_kind_says_what_it_proves() -> None:
    assert json.loads(UNSIGNED.to_json())["proves"].startswith("By itself nothing")
    assert "collected a file with these bytes" in json.loads(SIGNED.to_json())["proves"]


def test_order_and_spaces_of_the_document_do_not_matter() -> None:
    document = dict(reversed(json.loads(SIGNED.to_json()).items()))
    verify(parse_receipt(json.dumps(document, indent=7).encode()), KEY)
    in_turkey = changed(SIGNED, handed_in_at="2024-10-30T15:00:00+03:00")
    verify(parse_receipt(in_turkey), KEY)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("assignment", "hw2"),
        ("student", "ben"),
        ("login", "ben"),
        ("try", f"{'a' * 64}-{'0' * 32}"),
        ("handed_in_at", "2024-10-29T12:00:00+00:00"),
        ("collected_at", "2024-10-29T12:00:00+00:00"),
        ("collected_at", None),
        ("file", "other.ipynb"),
        ("size", 5),
        ("sha256", "0" * 64),
        ("signature", "0" * 64),
    ],
)
def test_changed_field_breaks_the_signature(field: str, value: object) -> None:
    assert "signature is wrong" in reason(changed(SIGNED, **{field: value}))


def test_a_receipt_of_another_key_or_of_none_does_not_hold() -> None:
    assert "another course's" in reason(SIGNED.to_json(), b"another")
    assert "not signed" in reason(UNSIGNED.to_json())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", "grader-receipt 3"),
        ("assignment", ""),
        ("assignment", "a" * 101),
        ("student", ""),
        ("try", "../../etc/passwd"),
        ("try", f"{'a' * 64}-{'b' * 32}\n"),
        ("try", 1),
        ("handed_in_at", "2024-10-30T12:00:00"),
        ("handed_in_at", "0001-01-01T00:00:00+23:00"),
        ("handed_in_at", 0),
        ("collected_at", "0001-01-01T00:00:00+23:00"),
        ("size", -1),
        ("size", 2**40),
        ("sha256", "0" * 64 + "\n"),
        ("sha256", "Z" * 64),
        ("signature", "é" * 64),
        ("signature", "0"),
        ("signature", None),
        ("proves", 1),
        ("extra", 1),
    ],
)
def test_receipt_of_a_wrong_shape_is_refused(field: str, value: object) -> None:
    assert "no receipt" in reason(changed(SIGNED, **{field: value}))


def test_a_receipt_of_an_earlier_version_proves_nothing() -> None:
    old = b'{"format": "grader-receipt 1", "assignment": "hw1", "signature": "00"}'
    assert "a key that students could read" in reason(old)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b"[" * 50_000, b"null", b"{" + b" " * 100_000]
)
def test_what_is_no_receipt_is_refused(data: bytes) -> None:
    assert "receipt" in reason(data)


@settings(deadline=None)
@given(data=st.data())
def test_no_change_of_a_receipt_is_believed(data: st.DataObject) -> None:
    whole = bytearray(SIGNED.to_json())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        got = parse_receipt(bytes(whole))
        verify(got, KEY)
    except ReceiptError:
        return
    assert got.signed_bytes() == SIGNED.signed_bytes()


@given(data=st.binary(max_size=500))
def test_arbitrary_bytes_are_no_receipt(data: bytes) -> None:
    with pytest.raises(ReceiptError):
        parse_receipt(data)
