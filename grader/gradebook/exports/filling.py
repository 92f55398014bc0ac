"""Fill marks into the file that a system exported: its ids, columns and dialect stay."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from grader.course.matches import Matcher
from grader.course.roster import plain_name
from grader.errors import UsageError
from grader.gradebook.exports.scores import Column, ExportScore
from grader.lms.lms_table import LmsLine, LmsTable
from grader.lms.system import MarkColumn, System, number
from grader.points import show


@dataclass(frozen=True, kw_only=True)
class FilledCell:
    """One cell that takes a mark: whose line, which column, and what stood there before."""

    student: str
    column: str
    before: str
    text: str


@dataclass
class Filled:
    """What became of a file.

    Attributes:
        filled, changed: cells that were written, and those of them that had held another mark.
        comments: of how many students something is said.
        warnings: what a person should know before the import, in sentences.
        cells: those that were written.
    """

    filled: int = 0
    changed: int = 0
    comments: int = 0
    warnings: list[str] = field(default_factory=list)
    cells: list[FilledCell] = field(default_factory=list)


def fill(
    table: LmsTable,
    system: System,
    columns: Sequence[Column],
    matcher: Matcher,
    *,
    named: Mapping[str, str] | None = None,
    scale: bool = False,
    comments: Mapping[str, Sequence[str]] | None = None,
) -> Filled:
    """Write scores into a table, in place.

    Args:
        table: as the system exported it.
        system: which.
        columns: what goes in; Moodle and Gradescope take one at a time.
        matcher: tells which line is whose.
        named: by item, the file's column, where its title isn't the item's.
        scale: give points as a share of what the system counts out of.
        comments: by student, lines for the system's column of comments.

    Raises:
        UsageError: a column isn't there or can't be told from another, or the system would
            refuse the file.
    """
    done = Filled()
    if system.one_item and len(columns) != 1:
        raise UsageError(
            f"a file of {system.title}'s holds one item, and {len(columns)} were named",
            hint="Name one with --item.",
        )
    there = system.targets(table)
    targets = {
        column.id: _target(there, system, column, (named or {}).get(column.id, ""))
        for column in columns
    }
    for column in columns:
        _check_maximum(column, targets[column.id], scale, done)
    lines = list(students_in(table, system, matcher, done))
    if comments is not None:
        for student, line in lines:
            if said := comments.get(student):
                system.set_comment(table, line, said)
                done.comments += 1
    for column in columns:
        into, comma = targets[column.id], _writes_commas(table, targets[column.id].place)
        for student, line in lines:
            score = column.scores.get(student)
            place = f"line {line.number}, {student}"
            if score is None or (score.points is None and not score.excused):
                why = score.why if score else "no mark"
                done.warnings.append(f"{place}: {column.title}: {why}; left as it is")
                continue
            text = _text(score, column, into, system, scale=scale, comma=comma)
            if text is None:
                done.warnings.append(f"{place}: {column.title}: excused; left as it is")
                continue
            done.warnings += [f"{place}: {w}" for w in _skipped(table, system, line, into, text)]
            before = line.cell(into.place)
            done.changed += bool(before) and not _same(before, text)
            done.filled += 1
            done.cells.append(
                FilledCell(student=student, column=into.name, before=before, text=text)
            )
            table.set(line, into.place, text)
            system.finish(table, line, column.max_points)
        in_file = {student for student, _ in lines}
        done.warnings += [
            f"{student}: {column.title}: has a mark and no line in the file"
            for student, score in column.scores.items()
            if student not in in_file and score.points is not None
        ]
    return done


def _target(there: Sequence[MarkColumn], system: System, column: Column, named: str) -> MarkColumn:
    """Return where an item's scores go.

    Raises:
        UsageError: no such column, or several.
    """
    if system.one_item:
        return there[0]
    wanted = {plain_name(n) for n in ((named,) if named else (column.title, column.id))}
    found = [t for t in there if {plain_name(t.name), plain_name(t.title)} & wanted]
    if len(found) != 1:
        known = ", ".join(t.name for t in there) or "none"
        raise UsageError(
            f"{'no' if not found else 'more than one'} column of the file is for "
            f"{named or column.title!r}",
            hint=f"Name it with --column {column.id}=TITLE. There are: {known}",
        )
    return found[0]


def _check_maximum(column: Column, into: MarkColumn, scale: bool, done: Filled) -> None:
    if into.max_points is None:
        if scale:
            done.warnings.append(
                f"{column.title}: the file doesn't say what it counts out of; not scaled"
            )
        return
    if into.max_points != column.max_points and not scale:
        done.warnings.append(
            f"{column.title}: marked out of {show(column.max_points)}, and the file says out of "
            f"{show(into.max_points)}; --scale would give the same share of that"
        )


def students_in(
    table: LmsTable, system: System, matcher: Matcher, done: Filled
) -> Iterator[tuple[str, LmsLine]]:
    """Yield the lines of students; of two lines of one student neither, since one is wrong."""
    found: dict[str, list[LmsLine]] = {}
    for line, who, identifier, _ in system.people(table):
        if identifier and identifier in matcher.roster.people:
            found.setdefault(identifier, []).append(line)
            continue
        match = matcher.match(system.name, who)
        if match.student is None:
            perhaps = f" ({' or '.join(match.candidates)}?)" if match.candidates else ""
            done.warnings.append(
                f"line {line.number}: {who.name or who.key}: {match.why}{perhaps}; left as it is"
            )
            continue
        found.setdefault(match.student, []).append(line)
    for student, lines in found.items():
        if len(lines) > 1:
            numbers = " and ".join(str(line.number) for line in lines)
            done.warnings.append(f"lines {numbers} are both {student}'s; left as they are")
            continue
        yield student, lines[0]


def _text(
    score: ExportScore,
    column: Column,
    into: MarkColumn,
    system: System,
    *,
    scale: bool,
    comma: bool,
) -> str | None:
    """Return the cell's text; None where the system knows no word for it."""
    if score.points is None:
        return system.excused or None
    points = score.points
    if scale and into.max_points is not None and column.max_points:
        points = points * into.max_points / column.max_points
    return system.cell(points, into, comma=comma)


def _writes_commas(table: LmsTable, place: int) -> bool:
    """Say whether the file writes 9,50: it then divides its cells by something else."""
    if table.delimiter == ",":
        return False
    return any(re.fullmatch(r"\d+,\d+", line.cell(place)) for line in table.lines)


def _same(before: str, text: str) -> bool:
    old, new = number(before), number(text)
    return before == text if old is None or new is None else old == new


def _skipped(
    table: LmsTable, system: System, line: LmsLine, into: MarkColumn, text: str
) -> Iterator[str]:
    """Say why the system's import would pass over a line without a word."""
    points = number(text)
    if points is not None and into.max_points is not None and points > into.max_points:
        over = system.over_maximum()
        yield f"{show(points)} is more than the maximum of {show(into.max_points)}{over}"
    yield from system.skipped(table, line, into, text)
