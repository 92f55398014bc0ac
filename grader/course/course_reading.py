"""Read a course file and check it, as a whole and strictly."""

from __future__ import annotations

from pathlib import Path

import msgspec

from grader.course.components import Component, Item
from grader.course.course_checks import check_course
from grader.course.course_file import CourseFile
from grader.course.strict_toml import read_struct


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
