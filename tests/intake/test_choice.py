"""Which of several notebooks counts."""

from __future__ import annotations

import datetime as dt
import json
from itertools import permutations

import pytest

from grader.intake.choice import choose_notebook, notebook_stem, resembles
from grader.intake.content import held
from grader.intake.members import Member

HW = "mlp-backprop"


def member(path: str, code: str = "", *, released_as: object = None, day: int = 1) -> Member:
    cell = {"cell_type": "code", "source": code or f"# {path}", "metadata": {}, "outputs": []}
    metadata = {} if released_as is None else {"grader": {"assignment": released_as}}
    notebook = {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    modified = dt.datetime(2024, 10, day, tzinfo=dt.UTC)
    return Member(path, held(json.dumps(notebook).encode()), modified=modified)


def broken(path: str) -> Member:
    return Member(path, held(b'{"cells": ['))


def chosen(*members: Member) -> tuple[str, str]:
    """The path that counts and the reason, in whatever order and with whatever times."""
    found = set()
    for order in permutations(members):
        for day in (1, 9):
            dated = [
                Member(m.path, m.content, modified=dt.datetime(2024, 10, day + at, tzinfo=dt.UTC))
                for at, m in enumerate(order)
            ]
            got = choose_notebook(dated, assignment=HW)
            found.add((got.member.path, " ".join(got.notes)))
    assert len(found) == 1, "neither order nor times of copies decide"
    return found.pop()


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


@pytest.mark.parametrize(
    ("members", "why"),
    [
        (
            [member("own.ipynb"), member(f"{HW}.ipynb", "x = 1", released_as="gans")],
            "the others belong to another assignment",
        ),
        ([member(f"{HW}.ipynb"), member("long.ipynb", "y" * 99)], "it is named as the assignment"),
        (
            [member(f"{HW}.ipynb"), member("draft.ipynb", "y" * 99, released_as=HW)],
            "it is named as the assignment",
        ),
        (
            [member("final.ipynb", released_as=HW), member(f"my-{HW}-old.ipynb", "y" * 99)],
            "it was released as this assignment",
        ),
        ([member(f"anna_{HW}_end.ipynb"), member("a.ipynb", "y" * 99)], "its name holds the assig"),
        ([member(f"{HW} (1).ipynb"), broken(f"{HW}.ipynb")], "the others can't be read"),
        (
            [member(f"{HW}.ipynb"), member(f"{HW} (1).ipynb", "y" * 99)],
            "it is no copy by its name",
        ),
        (
            [member(f"{HW} (10).ipynb"), member(f"{HW} (9).ipynb", "y" * 99)],
            "the copy with the highest number",
        ),
        ([member("homework_final.ipynb", "y" * 99), member("draft.ipynb")], "holds the most code"),
        ([member("a.ipynb", "x = 1"), member("b.ipynb", "x = 2")], "it is the first by name"),
    ],
)
def test_a_rule_tells_which_counts_and_what_is_passed_over_is_named(
    members: list[Member], why: str
) -> None:
    path, note = chosen(*members)
    assert path == members[0].path
    assert "2 different notebooks were handed in." in note
    assert f"{path} counts: " in note
    assert why in note
    assert f"Passed over: {members[1].path}." in note


def test_identical_files_are_one_and_no_word_is_lost_on_them() -> None:
    same = "x = 1"
    assert chosen(member("b.ipynb", same), member("a.ipynb", same)) == ("a.ipynb", "")
    path, note = chosen(member("b.ipynb", same), member("c.ipynb", same), member("d.ipynb", "x"))
    assert path == "b.ipynb"
    assert note.endswith("Passed over: d.ipynb.")


def test_files_of_one_name_are_named_with_their_folders() -> None:
    path, note = chosen(member("new/a.ipynb", "y" * 9), member("old/a.ipynb", "x"))
    assert path == "new/a.ipynb"
    assert note.endswith("new/a.ipynb counts: it holds the most code. Passed over: old/a.ipynb.")


def test_a_notebook_of_another_assignment_alone_is_taken_and_said() -> None:
    assert chosen(member("x.ipynb", released_as="gans")) == (
        "x.ipynb",
        f"The notebook says that it was released as gans, not {HW}.",
    )


@pytest.mark.parametrize("hostile", [5, [], {"a": 1}, "\x1b[31m", "../x", "x" * 70, ""])
def test_hostile_metadata_are_no_hint_and_no_fault(hostile: object) -> None:
    assert chosen(member("x.ipynb", released_as=hostile)) == ("x.ipynb", "")


def test_endings_that_browsers_add_are_taken_off() -> None:
    assert notebook_stem("x/anna.ipynb.json") == "anna"
