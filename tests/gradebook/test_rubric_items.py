"""What an answer gets of its rubric, and with what it begins."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.gradebook.database import writing
from grader.gradebook.rubric_items import Rubric, RubricItem, RubricItems, put_beginning
from grader.gradebook.store import Gradebook

_POINTS = st.decimals(-5, 5, places=2)
_CAPS = st.none() | st.decimals(0, 5, places=2)
NONE = Decimal(0)


def rubric(*worth: str, all_points: bool = False) -> Rubric:
    """Items by their points; "<1" allows at most one."""
    items = [
        RubricItem(
            id=i,
            says="x",
            points=Decimal(0 if said.startswith("<") else said),
            cap=Decimal(said[1:]) if said.startswith("<") else None,
        )
        for i, said in enumerate(worth)
    ]
    return Rubric(items=tuple(items), begins_with_all=all_points)


@given(
    st.lists(st.tuples(_POINTS, _CAPS), max_size=6),
    st.sets(st.integers(0, 5)),
    _POINTS,
    st.integers(1, 10),
    st.booleans(),
)
def test_points_stay_within_the_question_and_the_items_within_their_caps(
    worth: list[tuple[Decimal, Decimal | None]],
    chosen: set[int],
    adjustment: Decimal,
    most: int,
    all_points: bool,
) -> None:
    items = tuple(
        RubricItem(id=i, says="x", points=points, cap=cap) for i, (points, cap) in enumerate(worth)
    )
    own = Rubric(items=items, begins_with_all=all_points)
    assert 0 <= own.points(chosen, adjustment, Decimal(most)) <= most
    for item in items:
        if item.cap is not None and item.id in chosen:
            assert own.points(chosen, NONE, Decimal(most)) <= item.cap
    assert own.points((), NONE, Decimal(most)) == (most if all_points else 0)


@pytest.mark.parametrize(
    ("worth", "all_points", "chosen", "beside", "points"),
    [
        (("1", "0.5"), False, {0, 1}, "0", "1.5"),
        (("1.5", "1"), False, {0, 1}, "0", "2"),  # no more than all
        (("1.5", "1"), False, {0, 1}, "-0.5", "1.5"),  # taken off what is shown
        (("-1", "-1.5"), True, {0, 1}, "0", "0"),  # no less than none
        (("-1", "-1.5"), True, {0, 1}, "0.5", "0.5"),
        (("2", "<1"), False, {0, 1}, "0", "1"),
        (("2", "<1", "<0.5"), False, {0, 1, 2}, "0", "0.5"),
        (("2", "<1"), False, {0}, "0", "2"),  # a cap that is not given caps nothing
        (("2", "<1"), False, {0, 1}, "0.25", "1.25"),  # a marker may go beyond a cap, by hand
        (("-0.5", "<1"), True, {0, 1}, "0", "1"),
    ],
)
def test_an_answer_gets_what_its_items_give(
    worth: tuple[str, ...], all_points: bool, chosen: set[int], beside: str, points: str
) -> None:
    own = rubric(*worth, all_points=all_points)
    assert own.points(chosen, Decimal(beside), Decimal(2)) == Decimal(points)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        yield book


@pytest.fixture
def items(book: Gradebook) -> RubricItems:
    return RubricItems(book.engine)


def test_the_first_item_with_points_settles_with_what_answers_begin(
    book: Gradebook, items: RubricItems
) -> None:
    items.add("hw", "q1", "copied", NONE, cap=Decimal(1))
    assert not items.rubric("hw", "q1").begins_with_all
    items.add("hw", "q1", "no reason", Decimal(-1))
    assert not items.rubric("hw", "q1").begins_with_all  # an item stood there before
    items.add("hw", "q2", "no reason", Decimal(-1))
    assert items.rubric("hw", "q2").begins_with_all
    items.add("hw", "q2", "a second way", Decimal(1))
    assert items.rubric("hw", "q2").begins_with_all  # a later item moves nobody's points
    with writing(book.engine) as session:
        put_beginning(session, "hw", "q2", all_points=False)
    assert not items.rubric("hw", "q2").begins_with_all
