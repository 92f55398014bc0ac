"""A course file (`course.toml`): what counts how much, and by which rules."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import msgspec

from grader.course.components import Component, Item, lateness_rule
from grader.course.policy import (
    AppealRules,
    Extension,
    Lateness,
    LatePolicy,
    Letters,
    Rounding,
)
from grader.points import Points


class CourseFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of a course file.

    Attributes:
        timezone: by its IANA name, such as Europe/Istanbul; dates without an offset are local.
        assignments: what the course has of these, whether they count or not.
        database: the gradebook's address, where it is not `gradebook.db` in the course.
        cap: the highest total that extra credit may lead to.
        left_open: the keys that say "open": facts to be set before totals are computed.
    """

    title: str
    institution: str
    term: str
    timezone: str | None = None
    database: str | None = None
    assignments: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    late: LatePolicy | None = None
    extensions: tuple[Extension, ...] = ()
    rounding: Rounding = Rounding()
    letters: Letters | None = None
    appeals: AppealRules | None = None
    cap: Points | None = None
    left_open: tuple[str, ...] = ()

    @property
    def zone(self) -> dt.tzinfo:
        """The course's time zone; UTC where the file names none."""
        return ZoneInfo(self.timezone) if self.timezone else dt.UTC

    @property
    def items(self) -> tuple[Item, ...]:
        """All items, in the order of the file."""
        return tuple(item for component in self.components for item in component.items)

    def item(self, identifier: str) -> Item | None:
        """Return the item with this id, or None."""
        return next((item for item in self.items if item.id == identifier), None)

    def item_of(self, assignment: str) -> Item | None:
        """Return the first item that is this assignment, or None."""
        return next((item for item in self.items if item.assignment == assignment), None)

    def lateness(self, item: Item) -> Lateness:
        """Return how the course treats one of its items when it comes late."""
        component = next(c for c in self.components if item in c.items)
        return lateness_rule(item, component, self.late)
