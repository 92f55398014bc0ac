"""Names of students and of members become safe, and no two students become one."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.intake.names import (
    MAX_NAME,
    UnsafeNameError,
    checked_assignment_name,
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


@pytest.mark.parametrize(
    "device",
    [
        *("con", "PRN", "aux", "Nul", "nul.ipynb"),
        *(f"{port}{number}" for port in ("com", "LPT") for number in "0123456789¹²³"),
    ],
)
def test_no_student_is_called_as_a_device_of_windows_is(device: str) -> None:
    assert student_id(device).startswith("student-")
    assert student_id(f"{device[:3]}x") == f"{device[:3]}x"


LONGEST = "abc" + "𐍈" * 58
"""235 bytes in 61 letters."""


@pytest.mark.parametrize("name", ["x" * 100, LONGEST], ids=["letters", "bytes"])
def test_longest_name_that_fits_stays_as_it_is(name: str) -> None:
    assert student_id(name) == name


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a/b", "a_b"),
        ("a.", "a_"),
        ("-rf", "_rf"),
        ("...", "student"),
        ("\u0301anna", "student"),
        ("con", "student"),
        ("x" * 101, "x" * 91),
        ("x" * 90 + " " + "y" * 20, "x" * 90),
        ("X" * 101, "X" * 91),
        ("x" * 90 + "." + "y" * 20, "x" * 90),
        (LONGEST + "de", "abc" + "𐍈" * 53),
        ("_" * 91 + "anna" * 10, "student"),
    ],
    ids=ascii,
)
def test_name_that_is_changed_stays_readable_beside_its_hash(name: str, kept: str) -> None:
    assert student_id(name) == f"{kept}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


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


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("a\0", "the name holds control characters"),
        ("a\ud800", "the name holds control characters"),
        ("a\u2028b", "the name holds control characters"),
        ("a\u2029b", "the name holds control characters"),
        ("a\u202ab", "the name holds characters that change the reading direction"),
        ("a\u202eb", "the name holds characters that change the reading direction"),
        ("a\u2066b", "the name holds characters that change the reading direction"),
        ("a\u2069b", "the name holds characters that change the reading direction"),
        ("a\\b", "the name holds a backslash"),
        ("/etc/passwd", "the path is absolute"),
        ("C:/x", "the path starts with a drive letter"),
        ("z:x", "the path starts with a drive letter"),
        ("a/../b", "the path leads out of the archive (..)"),
        ("", "the name is empty"),
        ("./.", "the name is empty"),
        ("a/" + "x" * 256, "the name is longer than 255 bytes"),
        ("a/" * 64 + "a", "the path is too long"),
        (f"{'x' * 255}/" * 16 + "a", "the path is too long"),
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_member_path_of_an_attack_is_refused_with_the_reason(raw: str, reason: str) -> None:
    with pytest.raises(UnsafeNameError) as refused:
        safe_member_path(raw)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("anna/hw1.ipynb", "anna/hw1.ipynb"),
        ("./anna//hw1.ipynb/", "anna/hw1.ipynb"),
        ("Jose\u0301/a", "Jos\u00e9/a"),
        ("王小明/a b.ipynb", "王小明/a b.ipynb"),
        ("ab:c/..d", "ab:c/..d"),
        ("x" * 255, "x" * 255),
        ("a/" * 63 + "a", "a/" * 63 + "a"),
        (f"{'x' * 255}/" * 15 + "x" * 255, f"{'x' * 255}/" * 15 + "x" * 255),
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_honest_member_path_is_kept_up_to_the_bounds(raw: str, path: str) -> None:
    assert safe_member_path(raw) == path


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


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Zoë 王/b", "Zoë 王/b"),
        ("a\n\x1b[2Jb", "a\\n\\x1b[2Jb"),
        ("exe\u202egpj", "exe\\u202egpj"),
        ("x" * 200, "x" * 200),
        ("a" * 151 + "b" * 50, "a" * 150 + "…" + "b" * 40),
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_name_is_shown_as_it_is_but_for_what_a_terminal_obeys(raw: str, shown: str) -> None:
    assert display_name(raw) == shown


@pytest.mark.parametrize("name", ["hw1", "Übung 1", "x" * MAX_NAME])
def test_assignment_may_have_any_name_that_a_folder_can(name: str) -> None:
    assert checked_assignment_name(name) == name


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("a/b", "not the name of an assignment"),
        (".git", "not the name of an assignment"),
        ("x" * 101, "not the name of an assignment"),
        ("../a", "not the name of an assignment: the path leads out of the archive (..)"),
    ],
    ids=lambda text: text[:30],
)
def test_name_that_no_assignment_has_is_refused_with_the_reason(name: str, what: str) -> None:
    with pytest.raises(UsageError) as refused:
        checked_assignment_name(name)
    assert (refused.value.what, refused.value.where) == (what, name)


@pytest.mark.parametrize(
    "path",
    [
        "__MACOSX/a.ipynb",
        "a/.ipynb_checkpoints/x.ipynb",
        "a/.DS_Store",
        "Thumbs.db",
        "a/b/desktop.ini",
        "a/._x.ipynb",
        "._a/x.ipynb",
    ],
)
def test_what_systems_leave_behind_is_clutter(path: str) -> None:
    assert is_clutter(path)


@pytest.mark.parametrize("path", ["a/b.ipynb", "a/.hidden", "MACOSX", "a._b"])
def test_what_a_student_may_hand_in_is_no_clutter(path: str) -> None:
    assert not is_clutter(path)
