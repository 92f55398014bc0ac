"""Canvas's archives and gradebook: whose a file is, and which columns take marks."""

from __future__ import annotations

from decimal import Decimal

import pytest

from grader.course.roster import Identity, Person
from grader.lms.canvas import Canvas
from grader.lms.lms_table import table_from
from grader.lms.system import AmbiguousError, FileOwner, MarkColumn

from .told import owner

CANVAS = Canvas()
ADA = Identity(canvas="900", name="lovelaceada")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("lovelaceada_900_5001_hw1-1.ipynb", FileOwner(ADA, "hw1-1.ipynb")),
        ("lovelaceada_LATE_900_5001_hw1.ipynb", FileOwner(ADA, "hw1.ipynb", late=True)),
        ("lovelaceada_900_5001_a.zip/b/hw1.ipynb", FileOwner(ADA, "a.zip/b/hw1.ipynb")),
        ("lovelaceada_900_text.html", FileOwner(ADA, "text.html")),
        ("anon_x7_5001_hw1.ipynb", FileOwner(Identity(name="anon_x7"), "hw1.ipynb")),
        (
            "anon_x7_LATE_hw1.zip/a",
            FileOwner(Identity(name="anon_x7"), "hw1.zip/a", late=True),
        ),
        ("_900_5001_hw1.ipynb", None),
        ("hw1.ipynb", None),
    ],
)
def test_a_file_is_told_by_its_name(path: str, found: FileOwner | None) -> None:
    assert owner(CANVAS, path) == found


def test_of_two_readings_the_one_is_taken_that_the_roster_knows() -> None:
    assert owner(CANVAS, "x_1_2_901_3_hw1.ipynb") == FileOwner(
        Identity(canvas="901", name="x_1_2"), "hw1.ipynb"
    )
    for path in ("x_900_1_901_3_hw1.ipynb", "x_1_2_5_3_hw1.ipynb"):
        with pytest.raises(AmbiguousError) as doubtful:
            owner(CANVAS, path)
        assert str(doubtful.value) == "its name can be read as that of several students"


def test_an_archive_is_canvas_where_every_file_is() -> None:
    assert CANVAS.made(["lovelaceada_900_5001_hw1.ipynb", "anon_x7_5001_hw1.zip/a"])
    assert not CANVAS.made(["lovelaceada_900_5001_hw1.ipynb", "hw1.ipynb"])


@pytest.mark.parametrize(
    ("squeezed", "name", "may"),
    [
        ("lovelaceada", "Ada Lovelace", True),
        ("obriennunezzoe", "Zoë O'Brien-Núñez", True),
        ("obriennezzo", "Zoë O'Brien-Núñez", True),
        ("obriennúñezzoë", "Zoë O'Brien-Núñez", True),
        ("x_900_1", "Ada Lovelace", False),
        ("anything", "", True),
    ],
)
def test_a_name_is_compared_as_canvas_squeezes_it(squeezed: str, name: str, may: bool) -> None:
    assert CANVAS.may_be(Identity(name=squeezed), Person(id="x", name=name)) is may


@pytest.mark.parametrize(
    ("columns", "is_canvas"),
    [
        ({"section", "id", "student"}, True),
        ({"section", "id", "lastname"}, True),
        ({"section", "id"}, False),
        ({"section", "student"}, False),
        ({"id", "student"}, False),
    ],
)
def test_a_gradebook_is_told_by_its_columns(columns: set[str], is_canvas: bool) -> None:
    assert CANVAS.exported(frozenset(columns)) is is_canvas


GRADEBOOK = (
    "Student,ID,SIS Login ID,Section,Warm-up (77),Total (78),Notes,Final (79)\n"
    '    Points Possible,,,,10,(read only),,"12,5"\n'
    '"Lovelace, Ada",900,lovea,A,,,,\n'
)


def test_columns_with_an_id_take_marks_but_for_those_that_canvas_computes() -> None:
    table = table_from(GRADEBOOK.encode())
    assert CANVAS.targets(table) == [
        MarkColumn(4, "Warm-up (77)", Decimal(10), "Warm-up"),
        MarkColumn(7, "Final (79)", Decimal("12.5"), "Final"),
    ]


def test_a_gradebook_without_its_line_of_points_has_no_maximum() -> None:
    table = table_from(b"Student,ID,Section,Warm-up (77)\nAda,900,A,\n")
    assert CANVAS.targets(table) == [MarkColumn(3, "Warm-up (77)", None, "Warm-up")]


def test_only_lines_with_a_users_number_are_of_a_person() -> None:
    table = table_from(GRADEBOOK.encode())
    [(line, who, _, section)] = CANVAS.people(table)
    assert (line.number, who.name, who.canvas, who.login, section) == (
        3,
        "Lovelace, Ada",
        "900",
        "lovea",
        "A",
    )


@pytest.mark.parametrize(
    ("path", "user", "begins"),
    [
        ("lovelaceada_900_5001_hw1.ipynb", "900", "900_5001"),
        ("lovelaceada_LATE_900_5001_a.zip/b_900_7_x/c_900_8_y", "900", "900_5001"),
        ("x_901_2_900_5001_hw1.ipynb", "900", "900_5001"),
        ("anon_x7_5001_hw1.ipynb", "", "anon_x7_5001"),
        ("anon_x7_LATE_5001_hw1.ipynb", "", "anon_x7_5001"),
        ("anon_x7_hw1.ipynb", "", ""),
        ("lovelaceada_900_text.html", "900", ""),
        ("x_900_1_900_5001_hw1.ipynb", "900", ""),
        ("_900_5001_hw1.ipynb", "900", ""),
        ("lovelaceada_900_5001_hw1.ipynb", "901", ""),
    ],
)
def test_feedback_on_a_file_is_named_by_the_numbers_of_user_and_attachment(
    path: str, user: str, begins: str
) -> None:
    assert CANVAS.feedback_beside(path, Identity(canvas=user)) == begins
