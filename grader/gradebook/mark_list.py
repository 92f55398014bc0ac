"""A list of marks from a file: student, item, points; all of it is right, or none is taken."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from grader.course.course_file import CourseFile
from grader.errors import GraderError, UnknownStudentError, UsageError
from grader.gradebook.hand_marks import Change, Fact, Kind
from grader.gradebook.mark_cells import points_from, time_from, yes_or_no
from grader.gradebook.spreadsheet import Sheet, SheetRow, read_sheet
from grader.suggestions import did_you_mean

NEEDED = ("student", "item", "points")
OPTIONAL = ("handed in", "excused", "comment")
_SHOWN_FAULTS = 20


def read_mark_list(
    path: Path, scheme: CourseFile, students: Collection[str] | None
) -> list[Change]:
    """Read a file of marks.

    Args:
        path: CSV or xlsx.
        scheme: with the items.
        students: those that are known; None takes any.

    Raises:
        UsageError: names each fault with its line.
    """
    sheet = read_sheet(path)
    sheet = _with_plain_columns(sheet)
    faults: list[str] = []
    changes: list[Change] = []
    seen: dict[tuple[str, str], int] = {}
    for row in sheet.rows:
        try:
            found = list(_changes(row, sheet, scheme, students))
        except GraderError as error:
            faults.append(str(error))
            continue
        key = (row.cells["student"], row.cells["item"])
        if key in seen:
            faults.append(f"{sheet.where(row)}: {key[0]!r} has {key[1]!r} in line {seen[key]} too")
        seen.setdefault(key, row.number)
        changes += found
    if faults:
        more = len(faults) - _SHOWN_FAULTS
        listed = "\n  ".join(faults[:_SHOWN_FAULTS])
        raise UsageError(
            f"nothing was imported: {len(faults)} of {len(sheet.rows)} lines can't be taken\n"
            f"  {listed}" + (f"\n  and {more} more" if more > 0 else ""),
            where=path,
        )
    return changes


def _with_plain_columns(sheet: Sheet) -> Sheet:
    columns = tuple(c.casefold().replace("_", " ") for c in sheet.columns)
    missing = [c for c in NEEDED if c not in columns]
    unknown = [c for c in columns if c not in NEEDED + OPTIONAL]
    if missing or unknown or len(set(columns)) < len(columns):
        raise UsageError(
            f"expected the columns {', '.join(NEEDED)} (and {', '.join(OPTIONAL)} if you like), "
            f"got {', '.join(sheet.columns)}",
            where=f"{sheet.path}:1",
        )
    rows = [
        SheetRow(r.number, dict(zip(columns, r.cells.values(), strict=True))) for r in sheet.rows
    ]
    return Sheet(sheet.path, columns, tuple(rows))


def _changes(
    row: SheetRow, sheet: Sheet, scheme: CourseFile, students: Collection[str] | None
) -> Iterator[Change]:
    where, cells = sheet.where(row), row.cells
    student = known_student(cells["student"], students, where=where)
    item = scheme.item(cells["item"])
    if item is None:
        raise UsageError(
            f"there is no item {cells['item']!r}",
            where=where,
            hint=did_you_mean(cells["item"], [i.id for i in scheme.items]),
        )
    points = points_from(cells["points"], item.max_points, where=where)
    handed_in = time_from(cells.get("handed in", ""), scheme.zone, where=where)
    excused = yes_or_no(cells.get("excused", ""), where=where)
    if points is None and handed_in is None and not excused:
        raise UsageError("the line gives nothing: points are missing", where=where)

    def fact(kind: Kind) -> Fact:
        return Fact(student=student, item=item.id, kind=kind)

    if points is not None:
        yield Change(
            fact=fact(Kind.POINTS),
            points=points,
            max_points=item.max_points,
            comment=cells.get("comment", ""),
        )
    if handed_in is not None:
        yield Change(fact=fact(Kind.HANDED_IN), moment=handed_in)
    if cells.get("excused", ""):
        yield Change(fact=fact(Kind.EXCUSED), excused=excused)


def known_student(name: str, students: Collection[str] | None, *, where: object = None) -> str:
    """Return a student's id as it was written, if the course knows it.

    Raises:
        UnknownStudentError: it doesn't, with those that are near.
        UsageError: there is no name.
    """
    if not name:
        raise UsageError("the student is missing", where=where)
    if students is not None and name not in students:
        raise UnknownStudentError(
            f"the course knows no student {name!r}", where=where, hint=did_you_mean(name, students)
        )
    return name
