"""Which of several notebooks counts."""

from __future__ import annotations

import datetime as dt

import pytest

from grader.intake.choice import NoChoiceError, choose_notebook, notebook_stem, resembles
from grader.intake.content import held
from grader.intake.members import Member

HW = "mlp-backprop"


def member(path: str, data: bytes | None = None, day: int | None = None) -> Member:
    modified = dt.datetime(2024, 10, day, tzinfo=dt.UTC) if day else None
    return Member(path, held(data or path.encode()), modified=modified)


def chosen(*members: Member) -> str:
    return choose_notebook(members, assignment=HW).path


@pytest.mark.parametrize(
    ("name", "how_much"),
    [
        ("mlp-backprop.ipynb", 2),
        ("MLP_Backprop.ipynb", 2),
        ("mlp backprop (2).ipynb", 2),
        ("mlp-backprop-Copy1.ipynb", 2),
        ("mlp-backprop copy.ipynb", 2),
        ("mlp-backprop-2.ipynb", 2),
        ("mlp-backprop.ipynb.txt", 2),
        ("anna_mlp-backprop_final.ipynb", 1),
        ("homework.ipynb", 0),
        ("(2).ipynb", 0),
    ],
)
def test_resemblance_disregards_copies_case_and_dashes(name: str, how_much: int) -> None:
    assert resembles(name, HW) == how_much


def test_assignment_that_ends_in_a_number_is_still_matched() -> None:
    assert resembles("hw-1.ipynb", "hw-1") == 2
    assert resembles("hw-1 (3).ipynb", "hw-1") == 2


def test_notebook_named_as_the_assignment_goes_before_a_newer_one() -> None:
    assert chosen(member("scratch.ipynb", day=9), member("mlp-backprop.ipynb", day=1)) == (
        "mlp-backprop.ipynb"
    )


def test_newest_of_equals_counts() -> None:
    assert chosen(member("a.ipynb", day=1), member("b.ipynb", day=2)) == "b.ipynb"


def test_highest_copy_counts_where_no_time_tells() -> None:
    names = ["mlp-backprop.ipynb", "mlp-backprop (10).ipynb", "mlp-backprop (9).ipynb"]
    assert chosen(*map(member, names)) == "mlp-backprop (10).ipynb"


def test_identical_files_are_one() -> None:
    assert chosen(member("b.ipynb", b"same"), member("a.ipynb", b"same")) == "a.ipynb"


def test_it_is_a_problem_where_nothing_tells() -> None:
    with pytest.raises(NoChoiceError, match=r"a\.ipynb, b\.ipynb.*mlp-backprop\.ipynb"):
        chosen(member("a.ipynb"), member("b.ipynb"))


def test_endings_that_browsers_add_are_taken_off() -> None:
    assert notebook_stem("x/anna.ipynb.json") == "anna"
