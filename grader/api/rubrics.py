"""Rubrics as a table: written for a person to fill in, and read back."""

from __future__ import annotations

from pathlib import Path

from grader.api.marking import item_of, known_students
from grader.course.components import Item
from grader.course.course_file import CourseFile
from grader.course.directory import Course
from grader.course.scheme import load_scheme
from grader.errors import UsageError
from grader.gradebook.hand_marks import Fact, Kind, Newest
from grader.gradebook.part_sheet import Part, PartLine, PartSheet
from grader.gradebook.store import Gradebook


def export_rubric(course: Course, item: str, path: Path) -> int:
    """Write the table of an item with a line for each student; returns how many."""
    scheme = load_scheme(course)
    with Gradebook(course.database_url) as gradebook:
        sheet = _sheet(course, scheme, item_of(scheme, item), gradebook)
        sheet.write(path, gradebook.hand_marks.newest(item=item))
    return len(sheet.lines)


def import_rubric(course: Course, item: str, path: Path, *, who: str, why: str) -> int:
    """Read the table back, all of it or nothing; returns how many marks are new.

    Raises:
        UsageError: a line can't be taken.
        GradebookError: a mark was changed since the table was written.
    """
    scheme = load_scheme(course)
    with Gradebook(course.database_url) as gradebook:
        changes, seen = _sheet(course, scheme, item_of(scheme, item), gradebook).read(path)
        return len(gradebook.hand_marks.record(changes, who=who, why=why, seen=seen))


def marked_parts(course: Course, item: str) -> tuple[Item, Newest]:
    """Return an item with a rubric, and all that people have marked.

    Raises:
        UsageError: there is no such item, or it has no rubric.
    """
    chosen = item_of(load_scheme(course), item)
    parts_of(chosen)
    with Gradebook(course.database_url) as gradebook:
        return chosen, gradebook.hand_marks.newest(item=chosen.id)


def parts_of(item: Item) -> list[Part]:
    """Return what a person marks of an item.

    Raises:
        UsageError: it has no rubric.
    """
    parts = [Part(c.id, c.points) for c in item.rubric if not c.machine]
    if not parts:
        raise UsageError(
            f"the item {item.id} has no rubric",
            hint="Write its criteria into course.toml, or give points for the whole item with "
            "--points.",
        )
    return parts


def _sheet(course: Course, scheme: CourseFile, item: Item, gradebook: Gradebook) -> PartSheet:
    students = sorted(known_students(course, scheme, gradebook))
    return PartSheet(
        parts=parts_of(item),
        lines=[PartLine(student=s, shown_as=s) for s in students],
        fact=lambda s, part: Fact(student=s, item=item.id, kind=Kind.POINTS, part=part),
    )
