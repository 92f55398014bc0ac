"""A course file (`course.toml`): what counts how much, and by which rules."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from grader.course.components import Component, Item
from grader.course.course_checks import check_course
from grader.course.policy import Extension, LatePolicy, Letters, Rounding
from grader.course.strict_toml import read_struct
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


def load_course_file(path: Path) -> CourseFile:
    """Read and check a course file.

    Raises:
        SpecError: names the file, the key and what was expected.
    """
    left_open: list[str] = []
    course = read_struct(path, CourseFile, left_open=left_open, whole_days=True)
    check_course(course, path, frozenset(left_open))
    components = tuple(_with_items(component) for component in course.components)
    return msgspec.structs.replace(
        course,
        components=components,
        left_open=tuple(named_key(course, key) for key in left_open),
    )


def named_key(course: CourseFile, key: str) -> str:
    """Write `components[0].items[1].weight` with the ids: `components.quiz.items.theory.weight`."""
    named, owner = [], course
    for step in key.split("."):
        name, _, index = step.rstrip("]").partition("[")
        named.append(name)
        owner = getattr(owner, name, None)  # type: ignore[assignment]
        if index:
            owner = owner[int(index)]  # type: ignore[index]
            named.append(getattr(owner, "id", index))
    return ".".join(named)


def _with_items(component: Component) -> Component:
    if component.items:
        return component
    only = Item(id=component.id, title=component.title)
    return msgspec.structs.replace(component, items=(only,))
