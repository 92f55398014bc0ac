"""Collaborators are read from the notebook's field, whatever students do to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake.answers import written_answers
from grader.intake.collaborators import TODO, declared_collaborators, names_in
from grader.intake.notebook_cells import Cell, ReadNotebook
from tests.helpers.cost import linear_time


def notebook(*texts: str) -> ReadNotebook:
    return ReadNotebook(tuple(Cell("markdown", t, f"c{i}") for i, t in enumerate(texts)))


def declared(*texts: str) -> dict[str, str]:
    return declared_collaborators(notebook(*texts), questions=["q1", "q2", "Q-3"])


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("**Collaborators q1.** Ada, Ben", {"q1": "Ada, Ben"}),
        ("**Collaborators q1:** *Ada*", {"q1": "Ada"}),
        ("### collaborator q2: Zoë O'Brien", {"q2": "Zoë O'Brien"}),
        ("Collaborators for q-3: Ada", {"Q-3": "Ada"}),
        ("Collaborators: Ada", {"": "Ada"}),
        ("__Collaborators:__ Ada", {"": "Ada"}),
        ("- Collaborators: Ada", {"": "Ada"}),
        ("**Answer q2.**\n\nBecause.\n\nCollaborators: Ada", {"q2": "Ada"}),
        ("Collaborators list: Ada", {"": "Ada"}),
        (f"**Collaborators q1.** {TODO}", {}),
        ("**Collaborators q1.** None.", {}),
        ("**Collaborators q1.**", {}),
        ("Collaborators are welcome", {}),
        ("I thank my collaborators: Ada", {}),
    ],
)
def test_fields_are_read_as_students_leave_them(text: str, want: dict[str, str]) -> None:
    assert declared(text) == want


def test_the_last_field_of_a_question_counts() -> None:
    fields = ("Collaborators q1: Ada", "Collaborators q2: Ben", "Collaborators q1: nobody")
    assert declared(*fields) == {"q2": "Ben"}


def test_a_field_in_code_is_none() -> None:
    cell = Cell("code", "Collaborators: Ada", "c")
    assert declared_collaborators(ReadNotebook((cell,))) == {}


def test_a_field_is_no_part_of_the_answer_beside_it() -> None:
    text = "**Answer q2.**\n\n**Collaborators q2.** Ada\n\nBecause it overflows."
    assert written_answers(notebook(text)) == {"q2": "Because it overflows."}


def test_names_are_told_apart() -> None:
    assert names_in("Ada Lovelace, Ben & Zoë and Sandy; nobody") == [
        "Ada Lovelace",
        "Ben",
        "Zoë",
        "Sandy",
    ]


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert all(len(names) <= 500 for names in declared(text, f"Collaborators {text}").values())


def test_hostile_lines_cost_linear_time() -> None:
    with linear_time():
        for line in (
            "*" * 300_000,
            "Collaborators " + " " * 300_000,
            "collaborators a" + "-a" * 99_999,
        ):
            declared(line)
