"""Courses and marks made in a test, and the shipped courses with their open facts set."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from grader.course.course_file import CourseFile
from grader.course.course_reading import load_course_file
from grader.course.directory import Course
from grader.course.scheme import load_scheme
from grader.gradebook.marks import ItemMark
from grader.gradebook.totals.students import class_totals
from grader.gradebook.totals.total_lines import ItemTotal, StudentTotal
from grader.resources import shipped_dir

AFTER = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
SHIPPED = ("iith-dl", "koc-comp541", "ntu-ce7454", "sutd-50039", "umn-dl")

HEAD = """\
title = "A course"
institution = "A university"
term = "Fall"
timezone = "Europe/Istanbul"
"""

Given = str | int | tuple[str | int | None, str] | None


def course_of(text: str) -> CourseFile:
    """Read a course file, with a head where it has none of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "course.toml").write_text(text if "institution" in text else HEAD + text)
        return load_scheme(Course(root))


def shipped(name: str, settings: Mapping[str, Sequence[str]] | None = None) -> CourseFile:
    """Read a course that ships; open facts get values, one after the other, by their last word."""
    text = path_of(name).read_text()
    for key, values in (settings or {}).items():
        for value in values:
            assert f'{key} = "open"' in text
            text = text.replace(f'{key} = "open"', f"{key} = {value}", 1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "course.toml").write_text(text)
        # The assignments of the repository, beside the course file of the test.
        for kind in ("assignments", "reference"):
            (root / kind).symlink_to(shipped_dir(kind))
        return load_scheme(Course(root))


def path_of(name: str) -> Path:
    """The file of a course that ships."""
    return shipped_dir("assignments") / "courses" / f"{name}.toml"


def as_it_ships(name: str) -> CourseFile:
    """Read a course that ships, open facts and all."""
    return load_course_file(path_of(name))


def mark(
    course: CourseFile,
    item: str,
    points: str | int | None,
    *,
    student: str = "ada",
    at: str | None = None,
    excused: bool = False,
) -> ItemMark:
    """Make a mark; `at` is when it was handed in, local to the course."""
    found = course.item(item)
    assert found is not None, item
    return ItemMark(
        student=student,
        item=item,
        points=None if points is None else Decimal(points),
        max_points=found.max_points,
        handed_in=None if at is None else dt.datetime.fromisoformat(at).replace(tzinfo=course.zone),
        excused=excused,
    )


def marks_of(
    course: CourseFile, given: Mapping[str, Given], student: str = "ada"
) -> list[ItemMark]:
    """Make a student's marks: points by item, or points and when they were handed in."""
    return [
        mark(course, item, value[0], at=value[1], student=student)
        if isinstance(value, tuple)
        else mark(course, item, value, student=student)
        for item, value in given.items()
    ]


def total_of(course: CourseFile, given: Mapping[str, Given], *, final: bool = True) -> StudentTotal:
    """Return one student's total."""
    return totals_of(course, marks_of(course, given), final=final)[0]


def totals_of(
    course: CourseFile, marks: Sequence[ItemMark], *, final: bool = True
) -> list[StudentTotal]:
    """Return a class's totals, long after every due date."""
    return class_totals(course, marks, now=AFTER, final=final)


def line(total: StudentTotal, item: str) -> ItemTotal:
    """Return the line of one item."""
    return next(i for i in total.items if i.item == item)


def adds(total: StudentTotal) -> dict[str, Decimal]:
    """What each component adds to the total, as a decimal."""
    return {
        c.component: Decimal(c.contribution.numerator) / Decimal(c.contribution.denominator)
        for c in total.components
    }
