"""What a course says about late work, rounding and letters."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

from grader.points import HUNDREDTH, Points

Lateness = Literal["policy", "refused", "free"]


class LatePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a late hand-in costs: days of grace first, then percent, up to a cut-off.

    A day is a calendar day in the course's time zone: what is due at 23:59 is one day late until
    23:59 of the next day, also where clocks are put forward or back in between.

    Attributes:
        grace_days: a student's budget for the whole semester; they cost nothing.
        grace_days_per_item: of these, at most so many on one item.
        charge: "whole days", each day that has begun; or "hours", each hour that has begun.
        order: who gets the grace days where they do not suffice: the items on which they gain
            the student most, or those handed in first.
        percent_per_day: of the points earned, for each day that no grace day covers.
        cutoff_days: later than this nothing is accepted, with grace days or without.
        tolerance_minutes: so late is not late.
        components: ids of those whose items this is about; all where none are named.
    """

    grace_days: int = 0
    grace_days_per_item: int | None = None
    charge: Literal["whole days", "hours"] = "whole days"
    order: Literal["best for the student", "as handed in"] = "best for the student"
    percent_per_day: Points | None = None
    cutoff_days: int | None = None
    tolerance_minutes: int = 0
    components: tuple[str, ...] = ()


class AppealRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether students can ask at the desk for a second look at a question, and for how long.

    Attributes:
        days: after the mark of the question was published; each has 24 hours.
        most_per_assignment: of one student.
        marker_names: students see the name of whoever answers.
    """

    days: int
    most_per_assignment: int = 3
    marker_names: bool = False


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A later due date for one student and one item; the late policy then counts from there."""

    student: str
    item: str
    due: dt.datetime
    why: str = ""


class Rounding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a total is rounded, once, at the end; nothing is rounded before.

    Attributes:
        to: 1 for whole percent, 0.5 for halves, 0.01 for hundredths.
        way: "nearest", or always "up" or always "down".
        ties: where a total lies exactly between two: "up", "down" or to the "even" one.
    """

    to: Points = HUNDREDTH
    way: Literal["nearest", "up", "down"] = "nearest"
    ties: Literal["up", "down", "even"] = "up"


class Letters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Letter grades: each band with the lowest total that it is given for.

    Attributes:
        bands: for example A = 90, B = 80.
        failed: for a total below all bands, or an item that had to be passed and was not.
        of: whether bands are looked up with the rounded total or the exact one.
    """

    bands: dict[str, Points]
    failed: str = "F"
    of: Literal["rounded", "exact"] = "rounded"

    def letter(self, total: Decimal | Fraction) -> str:
        """Return the letter for a total, whatever had to be passed."""
        exact = Fraction(total)
        reached = [(least, name) for name, least in self.bands.items() if exact >= Fraction(least)]
        return max(reached)[1] if reached else self.failed
