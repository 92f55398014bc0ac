"""The page of pairs side by side."""

from __future__ import annotations

import datetime as dt

from grader.report.similarity_page import similarity_page
from grader.similarity.comparison import compare
from tests.similarity.disguises import RENAMED, RIGHT, code

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>"


def page(known: str = "", left: str = RIGHT, name: str = "Ada") -> str:
    codes = {"ada": code(left), "bob": code(RENAMED)}
    found = compare(codes, known={("ada", "bob"): known})
    return similarity_page(found, codes, title="Softmax", now=NOW, names={"ada": name})


def test_passages_of_both_stand_side_by_side_and_are_marked() -> None:
    html = page()
    assert 'class="codeline same"' in html
    assert "shifted = torch" not in html
    assert "shifted = scores" in html
    assert "d = x_in" in html


def test_it_says_that_it_is_a_signal_for_a_person_and_that_the_class_is_small() -> None:
    html = page()
    assert "A signal for a person, never a mark." in html
    assert "<strong>small</strong>" in html


def test_a_group_is_marked_as_one() -> None:
    assert "Expected: one group." in page("one group")
    assert "Expected:" not in page()


def test_code_and_names_of_students_are_escaped() -> None:
    html = page(
        left=RIGHT.replace("return float", f"h = '{HOSTILE}'\n    return float"), name=HOSTILE
    )
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html
