"""Marks out of the course: into a system's own file, or into a plain table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from grader.api.pages import page_comments
from grader.api.totals import course_totals
from grader.course.course_file import CourseFile
from grader.course.directory import Course
from grader.course.groups import load_groups
from grader.course.matches import Matcher, load_matcher
from grader.course.roster import Person, Roster, load_roster
from grader.course.scheme import load_scheme
from grader.errors import UsageError
from grader.gradebook.course_marks import course_marks
from grader.gradebook.exports.filling import Filled, fill
from grader.gradebook.exports.scores import Column, ExportScore, item_column
from grader.gradebook.spreadsheet import write_sheet
from grader.gradebook.store import Gradebook
from grader.lms.lms_table import read_table
from grader.lms.registry import named, system_of
from grader.report.files import write_pages
from grader.suggestions import did_you_mean

TOTAL = "total"


@dataclass(frozen=True)
class Exported:
    """The file that was written, how many marks are in it, and what a person should know."""

    path: Path
    filled: int
    changed: int = 0
    warnings: tuple[str, ...] = ()
    to_match: int = 0
    comments: int = 0


@dataclass(frozen=True)
class Wish:
    """What is to be exported: items (all without any), or the totals, and into which columns.

    With `comments` also what is said on the work, of one item.
    """

    items: Sequence[str] = ()
    totals: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    scale: bool = False
    comments: bool = False


@dataclass(frozen=True, kw_only=True)
class FilledTable:
    """A system's own file with marks in it, of which nothing is written yet."""

    data: bytes
    done: Filled
    matcher: Matcher


def filled_table(course: Course, system: str, into: Path, wish: Wish) -> FilledTable:
    """Fill marks into the file that a system exported; the file itself stays as it is.

    Raises:
        UsageError: the file isn't that system's, or has no column for an item.
    """
    table = read_table(into)
    seen = system_of(table, where=into)
    chosen = named(system)
    if seen is not chosen:
        raise UsageError(f"this file is of {seen.title}, not of {chosen.title}", where=into)
    columns = columns_of(course, wish)
    matcher = _matcher(course, columns)
    said = comments_on(course, columns) if wish.comments else None
    done = fill(
        table, chosen, columns, matcher, named=wish.columns, scale=wish.scale, comments=said
    )
    done.warnings = [*chosen.aged(_age(into)), *done.warnings]
    return FilledTable(data=table.to_bytes(), done=done, matcher=matcher)


def export_into(
    course: Course, system: str, into: Path, wish: Wish, *, out: Path | None = None
) -> Exported:
    """Fill marks into the file that a system exported, and write the result beside nothing of it.

    Raises:
        UsageError: the file isn't that system's, has no column for an item, or would be
            overwritten.
    """
    filled = filled_table(course, system, into, wish)
    done = filled.done
    path = out or course.root / "exports" / f"{into.stem}-filled{into.suffix}"
    _never_over(into, path)
    write_pages(path.parent, {path.name: filled.data})
    to_match = filled.matcher.save()
    return Exported(
        path, done.filled, done.changed, tuple(done.warnings), to_match, comments=done.comments
    )


def comments_on(course: Course, columns: Sequence[Column]) -> dict[str, list[str]]:
    """Return what is said on each student's work, in lines of plain text.

    Raises:
        UsageError: it isn't of one item that is an assignment of the course.
    """
    items = [load_scheme(course).item(column.id) for column in columns]
    names = [item.assignment for item in items if item is not None and item.assignment]
    if len(items) != 1 or len(names) != 1:
        raise UsageError(
            "comments are for one assignment at a time", hint="Name its item with --item."
        )
    return page_comments(course, names[0])


def export_table(course: Course, wish: Wish, *, kind: str, out: Path | None = None) -> Exported:
    """Write a plain table, as CSV or xlsx: one line for each student, one column for each item.

    Raises:
        UsageError: no such item, or the path has another ending.
    """
    path = out or course.root / "exports" / f"{'totals' if wish.totals else 'marks'}.{kind}"
    if path.suffix.lower() != f".{kind}":
        raise UsageError(f"the file must end in .{kind}", where=path)
    columns = columns_of(course, wish)
    roster = load_roster(course)
    everybody = sorted({*roster.people, *(s for column in columns for s in column.scores)})
    header = ["id", "name", "email", "section"]
    header += [f"{column.title} ({column.max_points.normalize():f})" for column in columns]
    rows, warnings, filled = [], [], 0
    for student in everybody:
        person = roster.people.get(student) or Person(id=student)
        if roster and student not in roster.people:
            warnings.append(f"{student} is not on the roster")
        cells: list[object] = [student, person.name, person.email, person.section]
        for column in columns:
            score = column.scores.get(student, ExportScore(None, why="no mark"))
            filled += score.points is not None
            if score.points is None and not score.excused:
                warnings.append(f"{student}: {column.title}: {score.why}")
            cells.append("excused" if score.excused else score.points)
        rows.append(cells)
    write_sheet(path, header, rows)
    return Exported(path, filled, warnings=tuple(warnings))


def columns_of(course: Course, wish: Wish) -> list[Column]:
    """Return what is to be exported.

    Raises:
        UsageError: there is no such item.
    """
    scheme = load_scheme(course)
    if wish.totals:
        return [_totals(course)]
    unknown = [item for item in wish.items if scheme.item(item) is None]
    if unknown:
        raise UsageError(
            f"there is no item {unknown[0]!r}",
            hint=did_you_mean(unknown[0], [i.id for i in scheme.items]),
        )
    return _items(course, scheme, wish.items)


def _items(course: Course, scheme: CourseFile, wanted: Sequence[str]) -> list[Column]:
    with Gradebook(course.database_url) as gradebook:
        marks = course_marks(course, gradebook, scheme=scheme)
    groups = load_groups(course, scheme).members
    marked = {mark.item for mark in marks}
    return [
        item_column(item.id, item.title, item.max_points, marks, groups.get(item.id, {}))
        for item in scheme.items
        if item.id in wanted or (not wanted and item.id in marked)
    ]


def _totals(course: Course) -> Column:
    computed = course_totals(course)
    scores = {
        student: ExportScore(total.total, why=f"waits for {', '.join(total.waiting)}")
        for student, total in computed.totals.items()
    }
    return Column(TOTAL, "Total", Decimal(100), scores)


def _matcher(course: Course, columns: Sequence[Column]) -> Matcher:
    """Without a roster the students are those of the marks, known by their ids alone."""
    roster = load_roster(course)
    if not roster:
        everybody = {student for column in columns for student in column.scores}
        roster = Roster({s: Person(id=s, name=s) for s in sorted(everybody)})
    return load_matcher(course, roster)


def _never_over(source: Path, path: Path) -> None:
    if path.resolve() == source.resolve() or (path.exists() and path.samefile(source)):
        raise UsageError(
            "the file that was exported would be overwritten",
            where=path,
            hint="Write to another file with -o; should the import go wrong, this one is needed.",
        )


def _age(path: Path) -> dt.timedelta:
    return dt.datetime.now(dt.UTC) - dt.datetime.fromtimestamp(path.stat().st_mtime, tz=dt.UTC)
