"""What counts towards a final grade: components, their items, and the rubrics of these."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from grader.course.policy import Lateness, LatePolicy
from grader.points import Points

OUT_OF = Decimal(100)


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of a rubric; `machine`: its points come from the item's assignment."""

    id: str
    title: str
    points: Points
    machine: bool = False


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that is marked.

    Attributes:
        points: the highest mark; by default that of the assignment or rubric, else 100.
        assignment: which is graded by the machine for it.
        weight: percent of the final grade; without weights the items of a component count
            equally.
        due: local to the course, or with a UTC offset; a date alone is due when that day ends.
        held: the days on which it takes place, for people to read.
        group: handed in once by a group; each member gets the mark.
        group_size: the least and the greatest number of members.
        must_pass: whoever gets less than `pass_mark` points fails the course.
        extra_credit: its weight comes on top of the 100 percent.
        late: "policy" as the course says, "refused" (late is not accepted), "free" (costs
            nothing); by default the policy where it is about the item's component, else free.
        rubric: criteria that a person marks; their points add up to the item's.
    """

    id: str
    title: str
    points: Points | None = None
    assignment: str | None = None
    weight: Points | None = None
    due: dt.datetime | None = None
    held: tuple[dt.date, ...] = ()
    group: bool = False
    group_size: tuple[int, int] | None = None
    must_pass: bool = False
    pass_mark: Points | None = None
    extra_credit: bool = False
    late: Lateness | None = None
    rubric: tuple[Criterion, ...] = ()

    @property
    def max_points(self) -> Decimal:
        """The highest mark."""
        if self.points is not None:
            return self.points
        return sum((c.points for c in self.rubric), Decimal(0)) if self.rubric else OUT_OF

    @property
    def machine_criterion(self) -> Criterion | None:
        """The criterion whose points come from the assignment, in a rubric that has one."""
        return next((c for c in self.rubric if c.machine), None)


class Component(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A share of the final grade, in percent, and the items that it is made of.

    Attributes:
        weight: percent of the final grade.
        best: only so many items count, those with the highest share of their points.
        drop: so many items do not count, those with the lowest share of their points.
        by_points: items count by their points and not equally.
        extra_credit: the weight comes on top of the 100 percent.
        items: without any, the component is one item of the same id, marked out of 100.
    """

    id: str
    title: str
    weight: Points | None = None
    best: int | None = None
    drop: int = 0
    by_points: bool = False
    extra_credit: bool = False
    items: tuple[Item, ...] = ()


def lateness_rule(item: Item, component: Component, policy: LatePolicy | None) -> Lateness:
    """Return how the course treats an item when it comes late."""
    if item.late is not None:
        return "free" if item.late == "policy" and policy is None else item.late
    named = policy.components if policy else ()
    about = policy is not None and (not named or component.id in named)
    return "policy" if about else "free"
