"""What a total is made of, line by line."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction


class State(StrEnum):
    """What became of an item in a student's total."""

    COUNTED = "counted"
    DROPPED = "dropped"
    EXCUSED = "excused"
    WAITS = "waits"
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class CriterionPoints:
    """One line of an item's rubric, with its points; None while it has none."""

    title: str
    points: Decimal | None
    max_points: Decimal


@dataclass(frozen=True, kw_only=True)
class ItemTotal:
    """One item in a student's total.

    Attributes:
        points: as they were given; None without a mark.
        earned: points after late days.
        days_late, grace_days: in days; fractions of a day where hours are charged.
        percent_off: what the late days cost, in percent of the points.
        refused: it came too late to be accepted.
        weight: percent of the final grade that it stands for here; 0 where it does not count.
        contribution: what it adds to the total, in percent.
        passed: of an item that must be passed; None for others, and while it has no mark.
        criteria: the item's rubric, where it has one and anything of it is known.
        attempt: which of the student's tries counts; 0 where there are none.
        why: one sentence for people.
    """

    item: str
    title: str
    state: State
    points: Decimal | None
    max_points: Decimal
    earned: Fraction | None
    due: dt.datetime | None = None
    handed_in: dt.datetime | None = None
    days_late: Fraction = Fraction(0)
    grace_days: Fraction = Fraction(0)
    percent_off: Fraction = Fraction(0)
    refused: bool = False
    weight: Fraction = Fraction(0)
    contribution: Fraction = Fraction(0)
    must_pass: bool = False
    passed: bool | None = None
    extra_credit: bool = False
    criteria: tuple[CriterionPoints, ...] = ()
    attempt: int = 0
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class ComponentTotal:
    """One component in a student's total.

    Attributes:
        weight: percent of the final grade that its counted items stand for; None where all its
            items are excused or wait.
        score: 0 to 1 of that weight, without extra credit.
        contribution: what it adds to the total, in percent, with extra credit.
    """

    component: str
    title: str
    weight: Fraction | None
    score: Fraction | None
    contribution: Fraction
    items: tuple[ItemTotal, ...]
    extra_credit: bool = False


@dataclass(frozen=True, kw_only=True)
class StudentTotal:
    """One student's total, with all that led to it.

    Attributes:
        components: as things stand: what waits for a mark is left out of the sum.
        so_far: percent of what has been marked; None where nothing has.
        at_least, at_most: the total if all that waits gets no points, or all of them.
        total: rounded as the course says; None while anything waits for a mark.
        letter: None where the course has none, and while anything waits.
        failed: titles of the items that had to be passed and were not.
        grace_used, grace_left: in days; None where the course has no late policy.
        waiting: titles of the items that wait for a mark.
    """

    student: str
    components: tuple[ComponentTotal, ...]
    so_far: Fraction | None
    at_least: Decimal
    at_most: Decimal
    total: Decimal | None
    letter: str | None
    failed: tuple[str, ...] = ()
    grace_used: Fraction | None = None
    grace_left: Fraction | None = None
    waiting: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[ItemTotal, ...]:
        """All items, in the order of the course file."""
        return tuple(item for component in self.components for item in component.items)
