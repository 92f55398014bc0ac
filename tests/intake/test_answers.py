"""How written answers are found in what students hand in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.intake.answers import AnswerPosition, FoundAnswers, find_answers, written_answers
from grader.intake.notebook_cells import Cell, CellKind, ReadNotebook
from grader.release.given_cells import GivenCell
from tests.helpers.cost import linear_time


def answers(*cells: str | tuple[CellKind, str]) -> dict[str, str]:
    made = [("markdown", c) if isinstance(c, str) else c for c in cells]
    notebook = ReadNotebook(
        tuple(Cell(kind=k, source=s, id=str(i)) for i, (k, s) in enumerate(made))  # type: ignore[arg-type]
    )
    return written_answers(notebook)


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


def test_answer_may_begin_with_a_heading_of_its_own() -> None:
    assert answers("**Answer q1.**", "# My answer\nYes.") == {"q1": "# My answer\nYes."}
    assert answers("**Answer q1.**", "## Question 2\ntext") == {}


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
    marker = Cell("markdown", "**Answer q3.** Mine.", "a")
    theirs = Cell("markdown", "Read  the\nbook first.", "b")
    given = (*GIVEN, GivenCell(kind="markdown", id="z", source="Read the book first."))
    assert written_answers(ReadNotebook((marker, theirs)), given=given) == {"q3": "Mine."}


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
    with linear_time():
        answers(hostile, "**Answer q1.**" + hostile)


GIVEN = (
    GivenCell(kind="markdown", id="intro-text-1", source="# Homework\nRead the book first."),
    GivenCell(kind="markdown", id="q1-text-1", source="## Question 1: softmax", question="q1"),
    GivenCell(
        kind="code",
        id="q1-code-1",
        source="def softmax(x):\n    # YOUR CODE HERE\n    raise NotImplementedError",
        question="q1",
        asked=True,
    ),
    GivenCell(kind="code", id="q1-code-2", source="plot(softmax)", question="q1"),
    GivenCell(
        kind="markdown", id="q3-text-1", source="## Question 3: why the maximum?", question="q3"
    ),
    GivenCell(
        kind="markdown",
        id="q3-answer",
        source="**Answer q3.**\n\n*Write your answer here.*",
        question="q3",
        answers="q3",
        asked=True,
    ),
    GivenCell(kind="markdown", id="q4-text-1", source="## Question 4: and then?", question="q4"),
    GivenCell(
        kind="markdown",
        id="q4-answer",
        source="**Answer q4.**\n\nBegin with *because*.",
        question="q4",
        answers="q4",
        asked=True,
    ),
)
RELEASED = {one.id: (one.kind, one.source) for one in GIVEN}


def handed_in(
    change: dict[str, list[tuple[CellKind, str]]] | None = None, *, ids: bool = True
) -> FoundAnswers:
    """The released notebook with cells replaced (or dropped) by what a student made of them."""
    cells: list[Cell] = []
    for name, cell in RELEASED.items():
        for number, (kind, source) in enumerate((change or {}).get(name, [cell])):
            kept = ids and number == 0 and (kind, source) != ("raw", "new")
            cells.append(Cell(kind=kind, source=source, id=name if kept else f"x{len(cells)}"))
    return find_answers(ReadNotebook(tuple(cells)), given=GIVEN, asked=["q3", "q4"])


MARKER: tuple[CellKind, str] = ("markdown", "**Answer q3.**")


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ([MARKER, ("markdown", "# My answer\nOverflow.")], "# My answer\nOverflow."),
        (
            [("markdown", "**Answer q3.** One"), ("code", "plot()"), ("markdown", "Two")],
            "One\n\n```python\nplot()\n```\n\nTwo",
        ),
        ([MARKER, ("code", "# It overflows.")], "```python\n# It overflows.\n```"),
        ([MARKER, ("raw", "It overflows.")], "It overflows."),
        ([MARKER, ("markdown", "## Question of style\nYes.")], "## Question of style\nYes."),
        (
            [RELEASED["q3-answer"], ("code", "x = '```'"), ("markdown", "So.")],
            "````python\nx = '```'\n````\n\nSo.",
        ),
    ],
)
def test_an_answer_reaches_to_the_next_given_cell_whatever_it_is_made_of(
    cells: list[tuple[CellKind, str]], text: str, ids: bool
) -> None:
    found = handed_in({"q3-answer": cells}, ids=ids)
    assert found.texts == {"q3": text}
    assert found.places["q3"].place is AnswerPosition.MARKED
    assert found.places["q4"].place is AnswerPosition.UNTOUCHED


def test_an_answer_above_its_marker_is_found() -> None:
    above: list[tuple[CellKind, str]] = [RELEASED["q3-text-1"], ("markdown", "It overflows.")]
    found = handed_in({"q3-text-1": above})
    assert found.texts == {"q3": "It overflows."}
    found = handed_in({"q3-answer": [("markdown", "It overflows.\n\n**Answer q3.**")]})
    assert found.texts == {"q3": "It overflows."}


def test_what_stands_above_the_question_is_no_answer_to_it() -> None:
    tried: list[tuple[CellKind, str]] = [RELEASED["q1-code-2"], ("code", "softmax(1)")]
    found = handed_in({"q1-code-2": tried})
    assert (found.texts, found.places["q3"].place) == ({}, AnswerPosition.UNTOUCHED)


@pytest.mark.parametrize("kind", ["markdown", "code"])
def test_an_answer_that_replaced_its_marker_is_known_by_its_cell(kind: CellKind) -> None:
    found = handed_in({"q3-answer": [(kind, "It overflows.")]})
    assert "It overflows." in found.texts["q3"]


def test_a_marker_in_a_comment_counts_where_the_cell_was_made_code() -> None:
    found = handed_in({"q3-answer": [("code", "# **Answer q3.** It overflows.")]}, ids=False)
    assert "It overflows." in found.texts["q3"]


def test_a_marker_that_is_gone_leads_to_its_place() -> None:
    found = handed_in({"q3-answer": [("markdown", "It overflows."), ("code", "1")]}, ids=False)
    assert found.texts == {"q3": "It overflows.\n\n```python\n1\n```"}
    assert found.places["q3"].place is AnswerPosition.LED
    assert [piece.cell for piece in found.places["q3"].pieces] == [5, 6]


def test_an_answer_in_the_text_of_the_question_is_found() -> None:
    text = "## Question 3: why the maximum?\nSince it overflows."
    found = handed_in({"q3-text-1": [("markdown", text)]})
    assert (found.texts["q3"], found.places["q3"].place) == (text, AnswerPosition.LED)


def test_an_answer_that_was_deleted_is_lost_and_not_untouched() -> None:
    found = handed_in({"q3-answer": []})
    assert (found.texts, found.places["q3"].place) == ({}, AnswerPosition.LOST)


def test_cells_in_another_order_keep_their_answers() -> None:
    cells = [Cell(kind=k, source=s, id=i) for i, (k, s) in reversed(RELEASED.items())]
    cells.insert(
        cells.index(next(c for c in cells if c.id == "q3-answer")) + 1,
        Cell("markdown", "Yes.", "y"),
    )
    found = find_answers(ReadNotebook(tuple(cells)), given=GIVEN)
    assert found.texts == {"q3": "Yes."}


def test_a_starter_of_the_course_is_no_answer_and_what_follows_it_is() -> None:
    assert handed_in().places["q4"].place is AnswerPosition.UNTOUCHED
    more = "**Answer q4.**\n\nBegin with *because*.\n\nBecause."
    assert handed_in({"q4-answer": [("markdown", more)]}).texts["q4"].endswith("Because.")


def part_of(change: dict[str, list[tuple[CellKind, str]]]) -> FoundAnswers:
    cells = [
        Cell(kind=kind, source=source, id=f"{name}" if not n else f"{name}-{n}")
        for name, cell in RELEASED.items()
        for n, (kind, source) in enumerate(change.get(name, [cell]))
    ]
    return find_answers(ReadNotebook(tuple(cells)), given=GIVEN, asked=["q1"])


def test_code_and_plots_of_a_question_can_be_read_by_a_person() -> None:
    assert part_of({}).places["q1"].place is AnswerPosition.UNTOUCHED
    mine: list[tuple[CellKind, str]] = [("code", "def softmax(x):\n    return x")]
    found = part_of({"q1-code-1": [*mine, ("markdown", "See the plot.")]})
    assert found.places["q1"].place is AnswerPosition.PART
    assert [piece.cell for piece in found.places["q1"].pieces] == [2, 3, 4]
    assert "plot(softmax)" in found.texts["q1"]


def test_another_picture_under_the_same_name_is_another_answer() -> None:
    def pictures(data: str) -> str:
        cell = Cell("markdown", "**Answer q3.** ![](attachment:a.png)", "q3-answer")
        cell = replace(cell, attachments={"a.png": {"image/png": data}})
        return find_answers(ReadNotebook((cell,)), given=GIVEN).places["q3"].pictures

    assert pictures("aGk=") == pictures("aGk=") != pictures("aGo=")
