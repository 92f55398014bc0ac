"""The course file of a course directory, filled in with what its assignments say."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import msgspec

from grader.course.components import Component, Item
from grader.course.course_file import CourseFile
from grader.course.course_reading import load_course_file
from grader.course.directory import Course
from grader.course.local_times import later_reading
from grader.course.roster import Roster, load_roster
from grader.course.spec import AssignmentSpec
from grader.course.strict_toml import wrong_key
from grader.errors import SpecError, UsageError
from grader.points import show


def load_scheme(course: Course) -> CourseFile:
    """Read `course.toml`; items take points and due dates from their assignments.

    Every date in it has a time zone.

    Raises:
        UsageError: the course has no course file, or not an assignment that it names.
        SpecError: the file is wrong, or says something else than an assignment.
    """
    path = course.course_file
    if not path.is_file():
        raise UsageError(
            "the course has no course file, which says what counts how much",
            where=path,
            hint="Write one; `grader init DIR --course koc-comp541` makes an example to start "
            "from.",
        )
    facts = load_course_file(path)
    specs = {
        item.assignment: course.assignment(item.assignment).spec
        for item in facts.items
        if item.assignment is not None
    }
    roster = load_roster(course) if facts.extensions else Roster({})
    return msgspec.structs.replace(
        facts,
        components=tuple(_filled(component, specs, facts, path) for component in facts.components),
        extensions=tuple(
            msgspec.structs.replace(
                extension,
                student=roster.own_id(extension.student),
                due=local(extension.due, facts),
            )
            for extension in facts.extensions
        ),
    )


def check_open(course: CourseFile, path: Path) -> None:
    """Refuse to go on while facts are open, and name each.

    Raises:
        SpecError: what has to be set, by key.
    """
    if course.left_open:
        listed = "".join(f"\n    {key}" for key in course.left_open)
        raise SpecError(
            f"these facts are left open, and totals need them:{listed}",
            where=path,
            hint='Write a value in place of each "open"; the comments beside them say what is '
            "known.",
        )


def local(time: dt.datetime, course: CourseFile) -> dt.datetime:
    """Give a time without an offset the course's zone."""
    return later_reading(time, course.zone)


def _filled(
    component: Component, specs: dict[str, AssignmentSpec], course: CourseFile, path: Path
) -> Component:
    items = []
    for item in component.items:
        spec = specs.get(item.assignment) if item.assignment else None
        due = item.due or (spec.dates.due if spec else None)
        items.append(
            msgspec.structs.replace(
                item,
                points=_points(item, spec, path),
                due=local(due, course) if due else None,
            )
        )
    return msgspec.structs.replace(component, items=tuple(items))


def _points(item: Item, spec: AssignmentSpec | None, path: Path) -> Decimal:
    if spec is None or item.rubric:
        return item.max_points
    if item.points is not None and item.points != spec.points:
        raise wrong_key(
            path,
            f"items.{item.id}.points",
            f"the assignment {item.assignment} has {show(spec.points)} points, "
            f"but the item says {show(item.points)}",
            hint="Leave the points out: they are the assignment's.",
        )
    return spec.points
