"""Names of students and of members become safe, and no two students become one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake.names import (
    MAX_NAME,
    UnsafeNameError,
    display_name,
    is_clutter,
    look_alikes,
    safe_member_path,
    student_id,
)


@pytest.mark.parametrize(
    "name",
    [
        "anna",
        "Anna Müller",
        "o'brien",
        "a.b-c_d@x.org",
        "çağrı şıldır",
        "王小明",
        "0071234",
        "Ana, B (2)",
    ],
)
def test_ordinary_name_stays_as_it_is(name: str) -> None:
    assert student_id(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "...",
        "../../etc/passwd",
        "/abs",
        "a/b",
        "a\\b",
        "C:x",
        "con",
        "NUL",
        "com1.txt",
        "lpt¹",
        ".hidden",
        "-rf",
        "=cmd|'/c calc'!A1",
        "+1+1",
        "@SUM(1)",
        "<script>alert(1)</script>",
        "a\nb",
        "a\x00b",
        "a\u202eb",
        "a\u200bb",
        "\ud800",
        "a.",
        "x" * 500,
        "ş" * 500,
        "𐍈" * 99,
        "\u0301" * 90,
        "____",
    ],
)
def test_hostile_name_becomes_a_safe_one_with_a_hash(name: str) -> None:
    safe = student_id(name)
    assert_safe(safe)
    assert safe != name


def assert_safe(name: str) -> None:
    assert 0 < len(name) <= MAX_NAME
    assert len(name.encode()) <= 255
    assert unicodedata.is_normalized("NFC", name)
    assert name not in {".", ".."}
    assert name[0] not in ".-+@= "
    assert name[-1] not in ". "
    assert not set(name) & set('/\\:*?"<>|=\0')
    assert all(unicodedata.category(c)[0] not in "CZ" or c == " " for c in name)


@given(st.text(st.characters(exclude_categories=[]), max_size=150))
def test_every_name_becomes_safe_and_stays_so(name: str) -> None:
    safe = student_id(name)
    assert_safe(safe)
    assert student_id(safe) == safe


@given(st.text(max_size=40), st.text(max_size=40))
def test_two_different_names_never_become_one(one: str, other: str) -> None:
    def same(a: str) -> str:
        return " ".join(unicodedata.normalize("NFC", a).split())

    assert (student_id(one) == student_id(other)) <= (same(one) == same(other))


def test_composed_and_decomposed_spelling_are_one_student() -> None:
    assert student_id(unicodedata.normalize("NFD", "José")) == student_id("José")


def test_look_alikes_are_reported_as_groups() -> None:
    students = ["anna", "Anna", "аnnа", "ben", "jose", "josé", "o'brien", "obrien", "carl"]
    assert look_alikes(students) == [
        ("Anna", "anna", "аnnа"),
        ("jose", "josé"),
        ("o'brien", "obrien"),
    ]


@given(st.text(st.characters(exclude_categories=[]), max_size=60))
def test_member_path_is_safe_or_refused(name: str) -> None:
    try:
        path = safe_member_path(name)
    except UnsafeNameError as error:
        assert str(error)
        return
    parts = path.split("/")
    assert not {"", ".", ".."} & set(parts)
    assert "\\" not in path
    assert safe_member_path(path) == path


@given(st.text(st.characters(exclude_categories=[]), max_size=400))
def test_displayed_name_can_be_printed(name: str) -> None:
    shown = display_name(name)
    shown.encode()
    assert shown.isprintable()
    assert len(shown) <= 200


def test_clutter_is_known() -> None:
    assert is_clutter("a/.ipynb_checkpoints/x.ipynb")
    assert is_clutter("__MACOSX/a.ipynb")
    assert not is_clutter("a/b.ipynb")
