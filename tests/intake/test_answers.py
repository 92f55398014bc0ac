"""How written answers are found in what students hand in."""

from __future__ import annotations

import time

import pytest

from grader.intake.answers import written_answers
from grader.intake.cells import Cell, CellKind, ReadNotebook


def answers(*cells: str | tuple[CellKind, str], given: tuple[str, ...] = ()) -> dict[str, str]:
    made = [("markdown", c) if isinstance(c, str) else c for c in cells]
    notebook = ReadNotebook(
        tuple(Cell(kind=k, source=s, id=str(i)) for i, (k, s) in enumerate(made))  # type: ignore[arg-type]
    )
    return written_answers(notebook, given=given)


@pytest.mark.parametrize(
    "marker",
    [
        "**Answer q7.**",
        "**Answer q7**.",
        "**Answer q7.** ",
        "__Answer q7.__",
        "*Answer q7*:",
        "***Answer q7.***",
        "** answer  Q7 . **",
        "**ANSWER Q7:**",
        "## Answer q7",
        "### **Answer q7.**",
        "> **Answer q7.**",
        "Answer q7.",
        "answer q7:",
        "\n\n  **Answer q7.**",
    ],
)
def test_marker_is_found_however_it_is_written(marker: str) -> None:
    assert answers(f"{marker}\nBecause it is convex.") == {"q7": "Because it is convex."}


def test_answer_may_follow_on_the_same_line() -> None:
    assert answers("**Answer q7.** Because.") == {"q7": "Because."}
    assert answers("Answer q7.Because.") == {"q7": "Because."}


@pytest.mark.parametrize(
    "prose", ["Answer q7 in the cell below.", "The answer q7. is", "Answers q7.", "Answer:", "q7."]
)
def test_prose_is_no_marker(prose: str) -> None:
    assert answers(prose) == {}


@pytest.mark.parametrize(
    "placeholder",
    [
        "*Write your answer here.*",
        "_write your answer here_",
        "Write your answer here.",
        "",
        "  \n",
    ],
)
def test_untouched_placeholder_is_no_answer(placeholder: str) -> None:
    assert answers(f"**Answer q7.**\n\n{placeholder}") == {}


def test_placeholder_left_above_the_answer_is_removed() -> None:
    assert answers("**Answer q7.**\n\n*Write your answer here.*\n\nYes.") == {"q7": "Yes."}


def test_answer_written_into_the_cells_below_is_found() -> None:
    got = answers(
        "**Answer q7.**\n\n*Write your answer here.*", "First.", ("code", " "), "Second.", "# Next"
    )
    assert got == {"q7": "First.\n\nSecond."}


def test_answer_ends_at_code_a_heading_or_the_next_marker() -> None:
    assert answers("**Answer q1.** a", ("code", "x = 1"), "later") == {"q1": "a"}
    assert answers("**Answer q1.** a", "## Question 2\ntext", "more") == {"q1": "a"}
    assert answers("**Answer q1.** a", "**Answer q2.** b") == {"q1": "a", "q2": "b"}


def test_two_answers_in_one_merged_cell_are_told_apart() -> None:
    assert answers("**Answer q1.** a\n\n**Answer q2.**\nb") == {"q1": "a", "q2": "b"}


def test_marker_without_emphasis_counts_only_at_the_start_of_a_cell() -> None:
    assert answers("**Answer q1.** see\nAnswer q2: no") == {"q1": "see\nAnswer q2: no"}


def test_last_answer_that_is_not_empty_wins() -> None:
    assert answers("**Answer q1.** a", "**Answer q1.** b", "**Answer q1.**") == {"q1": "b"}


def test_text_of_the_instructor_below_a_marker_is_no_answer() -> None:
    given = ("Now  we train\nthe model.",)
    assert answers("**Answer q1.**", "Now we train the model.", given=given) == {}
    assert answers("**Answer q1.**", "Mine.", "Now we train the model.", given=given) == {
        "q1": "Mine."
    }


def test_marks_of_the_reference_solution_are_removed() -> None:
    text = "**Answer q1.**\n<!-- BEGIN SOLUTION -->\nModel.\n<!-- END SOLUTION -->"
    assert answers(text) == {"q1": "Model."}


def test_marker_in_a_code_cell_is_none() -> None:
    assert answers(("code", "**Answer q1.** a")) == {}


@pytest.mark.parametrize(
    "hostile",
    [
        " " * 10**6 + "x",
        "> " * 10**6,
        "**Answer q1" + " " * 10**6 + "x",
        "Answer " + "q_" * 10**6,
        "**Answer q1" + "*" * 10**6 + "x",
        "*" * 10**6 + "write your answer here",
        "<!--" * 10**5 + " " * 10**5,
    ],
)
def test_hostile_text_costs_linear_time(hostile: str) -> None:
    began = time.monotonic()
    answers(hostile, "**Answer q1.**" + hostile)
    assert time.monotonic() - began < 3
