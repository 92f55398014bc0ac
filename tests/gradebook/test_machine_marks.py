"""From verdicts to marks for items."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from grader.course.components import Criterion, Item
from grader.gradebook.machine_marks import item_mark
from grader.gradebook.marks import Source
from grader.grading.verdict import Verdict
from tests.helpers.verdicts import graded, invalid

ITEM = Item(id="a1", title="MLPs", assignment="mlp-backprop")


def verdict(points: str, max_points: str, manual: str = "0") -> Verdict:
    return msgspec.structs.replace(
        graded("ada", points=Decimal(points)),
        max_points=Decimal(max_points),
        manual_points=Decimal(manual),
    )


def test_a_verdict_is_a_mark_with_its_time_and_questions() -> None:
    found = item_mark(ITEM, verdict("31.33", "52"))
    assert (found.student, found.item, found.points, found.max_points) == (
        "ada",
        "a1",
        Decimal("31.33"),
        52,
    )
    assert found.source is Source.MACHINE
    assert isinstance(found.handed_in, dt.datetime) and found.handed_in.tzinfo
    assert set(found.criteria) == {q.id for q in graded("ada").questions}


def test_while_a_person_has_to_read_answers_there_are_no_points() -> None:
    found = item_mark(ITEM, verdict("31", "52", manual="8"))
    assert (found.points, found.max_points) == (None, 60)
    assert found.waits_for == "A part is marked by a person"


def test_what_could_not_be_read_is_a_mark_of_nothing() -> None:
    found = item_mark(ITEM, msgspec.structs.replace(invalid("ada"), manual_points=Decimal(8)))
    assert (found.points, found.waits_for) == (0, "")


@pytest.mark.parametrize(
    ("points", "max_points", "worth"),
    [("52", "52", "30"), ("26", "52", "15"), ("0", "52", "0"), ("1", "3", "10"), ("0", "0", "0")],
)
def test_of_a_rubric_the_machine_gives_one_criterion(
    points: str, max_points: str, worth: str
) -> None:
    rubric = (
        Criterion(id="accuracy", title="Accuracy", points=Decimal(30), machine=True),
        Criterion(id="clarity", title="Clarity", points=Decimal(70)),
    )
    item = msgspec.structs.replace(ITEM, rubric=rubric)
    found = item_mark(item, verdict(points, max_points))
    assert found.criteria == {"accuracy": Decimal(worth)}
    assert (found.points, found.max_points) == (None, 100)
