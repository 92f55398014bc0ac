"""Agreement of two markers: figures that others have published, and where there is none."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.report.agreement import MarkedTwice, agreement, by_markers, kappa, quadratic_kappa

# Cohen (1960), as in many textbooks: 20 both yes, 5 and 10 apart, 15 both no.
GRANTS = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
_MARKS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=40)


def twice(
    first: str, second: str, items: tuple[set[int], set[int]] = (set(), set())
) -> MarkedTwice:
    return MarkedTwice(
        first_who="mia",
        second_who="max",
        first=Decimal(first),
        second=Decimal(second),
        first_items=items[0],
        second_items=items[1],
    )


def weighted_by_its_definition(pairs: list[tuple[int, int]]) -> Fraction | None:
    """With a table of weights and of what chance gives, as Cohen (1968) writes it."""
    n, marks = len(pairs), range(9)
    seen = expected = Fraction(0)
    for i in marks:
        for j in marks:
            weight = Fraction((i - j) ** 2, 64)
            seen += weight * Fraction(pairs.count((i, j)), n)
            rows = sum(a == i for a, _ in pairs)
            columns = sum(b == j for _, b in pairs)
            expected += weight * Fraction(rows * columns, n * n)
    return None if expected == 0 else 1 - seen / expected


def test_kappa_is_that_of_the_textbook() -> None:
    assert kappa(GRANTS) == Fraction(2, 5)


@given(_MARKS)
def test_the_weighted_kappa_is_that_of_its_definition(pairs: list[tuple[int, int]]) -> None:
    found = quadratic_kappa([(Decimal(a), Decimal(b)) for a, b in pairs])
    assert found == weighted_by_its_definition(pairs)


def test_who_always_agrees_has_one_and_who_always_says_the_same_has_none() -> None:
    assert kappa([("y", "y"), ("n", "n")]) == 1
    assert quadratic_kappa([(Decimal(1), Decimal(1)), (Decimal(2), Decimal(2))]) == 1
    assert kappa([("y", "y")] * 5) is None
    assert quadratic_kappa([(Decimal(1), Decimal(1))] * 5) is None
    assert kappa([]) is None and quadratic_kappa([]) is None


def test_an_agreement_says_how_many_are_equal_and_who_gives_more() -> None:
    found = agreement(
        [
            twice("2", "1.5", ({1}, {1, 2})),
            twice("1", "1", ({1}, {1})),
            twice("0", "1", (set(), {2})),
        ],
        items=[1, 2],
    )
    assert found is not None
    assert (found.answers, found.equal, found.decisions) == (3, 1, 6)
    assert found.difference == Fraction(1, 6)
    assert found.apart == Fraction(1, 2)
    # 4 of 6 alike; the first gave 2 of 6, the second 4: by chance 2·4 + 4·2 of 36.
    assert found.items_kappa == (Fraction(4, 6) - Fraction(16, 36)) / (1 - Fraction(16, 36))


def test_points_that_came_of_no_rubric_are_compared_and_no_items_of_theirs() -> None:
    one = MarkedTwice(
        first_who="a",
        second_who="b",
        first=Decimal(1),
        second=Decimal(2),
        first_items=None,
        second_items={1},
    )
    found = agreement([one], items=[1])
    assert found is not None and (found.answers, found.decisions) == (1, 0)
    assert found.items_kappa is None


def test_of_nothing_there_is_no_agreement() -> None:
    assert agreement([], items=[1]) is None


@pytest.mark.parametrize("shift", ["0.25", "-1"])
def test_who_is_always_stricter_by_the_same_shows_in_the_difference(shift: str) -> None:
    marks = [twice(str(i), str(i + Decimal(shift))) for i in range(1, 6)]
    found = agreement(marks, items=[])
    assert found is not None and found.difference == Fraction(shift)
    assert found.points_kappa is not None and found.points_kappa < 1


def test_for_each_two_markers_it_is_said_who_gives_more() -> None:
    found = by_markers([twice("1", "2"), twice("2", "2")])
    assert [(p.first, p.second, p.answers, p.difference) for p in found] == [
        ("mia", "max", 2, Fraction(1, 2))
    ]
