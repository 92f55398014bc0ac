"""A course file (`course.toml`): its facts, its assignments and what counts how much."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import msgspec

from grader.course.strict_toml import read_struct, wrong_key
from grader.points import Points, show


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A share of a component, in percent of the final grade; several days where it has several."""

    id: str
    title: str
    weight: Points
    dates: tuple[dt.date, ...] = ()


class Component(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What counts towards the final grade, with its weight in percent."""

    id: str
    title: str
    weight: Points
    dates: tuple[dt.date, ...] = ()
    must_pass: bool = False
    assignments: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


class CourseFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of a course file."""

    title: str
    institution: str
    term: str
    assignments: tuple[str, ...] = ()
    grace_days: int = 0
    components: tuple[Component, ...] = ()


def load_course_file(path: Path) -> CourseFile:
    """Read and check a course file.

    Raises:
        SpecError: names the file, the key and what was expected.
    """
    course = read_struct(path, CourseFile)
    if course.grace_days < 0:
        raise wrong_key(path, "grace_days", f"expected 0 or more, got {course.grace_days}")
    for index, component in enumerate(course.components):
        key = f"components[{index}]"
        parts = sum((part.weight for part in component.parts), Decimal(0))
        if component.parts and parts != component.weight:
            raise wrong_key(
                path,
                f"{key}.weight",
                f"the parts add up to {show(parts)}, "
                f"but the component says {show(component.weight)}",
            )
        for name in component.assignments:
            if name not in course.assignments:
                raise wrong_key(
                    path, f"{key}.assignments", f"{name!r} is not among the course's assignments"
                )
    total = sum((component.weight for component in course.components), Decimal(0))
    if course.components and total != 100:
        raise wrong_key(path, "components", f"the weights add up to {show(total)}, expected 100")
    return course
