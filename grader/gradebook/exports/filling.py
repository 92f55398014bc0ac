"""Fill marks into the file that a system exported: its ids, columns and dialect stay."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from grader.course.matches import Matcher
from grader.course.roster import plain_name
from grader.errors import UsageError
from grader.gradebook.exports.scores import Column, Score
from grader.intake.lms.moodle_words import COLUMNS, column_of
from grader.intake.lms.people import System, people_in
from grader.intake.lms.table import Line, Table
from grader.points import HUNDREDTH, show

_CANVAS_ID = re.compile(r"\s*\((\d+)\)\s*$")
_BLACKBOARD_HEAD = re.compile(
    r"^(?P<title>.*?)\s*\[Total Pts:\s*(?:up to\s*)?(?P<points>[\d.,]+)?[^\]]*\]\s*(?P<id>\|.*)?$",
    re.IGNORECASE,
)
EXCUSED = "EX"


@dataclass(frozen=True)
class Target:
    """The column of a file that a score goes into, and what the system counts it out of."""

    place: int
    name: str
    max_points: Decimal | None = None


@dataclass
class Filled:
    """What became of a file.

    Attributes:
        filled, changed: cells that were written, and those of them that had held another mark.
        warnings: what a person should know before the import, in sentences.
    """

    filled: int = 0
    changed: int = 0
    warnings: list[str] = field(default_factory=list)


def fill(
    table: Table,
    system: System,
    columns: Sequence[Column],
    matcher: Matcher,
    *,
    named: Mapping[str, str] | None = None,
    scale: bool = False,
) -> Filled:
    """Write scores into a table, in place.

    Args:
        table: as the system exported it.
        system: which.
        columns: what goes in; Moodle and Gradescope take one at a time.
        matcher: tells which line is whose.
        named: by item, the file's column, where its title isn't the item's.
        scale: give points as a share of what the system counts out of.

    Raises:
        UsageError: a column isn't there or can't be told from another, or the system would
            refuse the file.
    """
    done = Filled()
    if system in {System.MOODLE, System.GRADESCOPE} and len(columns) != 1:
        raise UsageError(
            f"a file of {system.capitalize()}'s holds one item, and {len(columns)} were named",
            hint="Name one with --item.",
        )
    _check_header(table, system)
    targets = {
        column.id: target(table, system, column, (named or {}).get(column.id, ""))
        for column in columns
    }
    for column in columns:
        _check_maximum(column, targets[column.id], scale, done)
    lines = list(_lines(table, system, matcher, done))
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
            table.set(line, into.place, text)
            if system is System.GRADESCOPE:
                _finish_gradescope(table, line, column)
        there = {student for student, _ in lines}
        done.warnings += [
            f"{student}: {column.title}: has a mark and no line in the file"
            for student, score in column.scores.items()
            if student not in there and score.points is not None
        ]
    return done


def target(table: Table, system: System, column: Column, named: str) -> Target:
    """Return where an item's scores go.

    Raises:
        UsageError: no such column, or several.
    """
    if system is System.MOODLE:
        return _only(table, COLUMNS["grade"], COLUMNS["maximum"])
    if system is System.GRADESCOPE:
        return _only(table, ("total score",), ("max points",))
    wanted = {plain_name(n) for n in ((named,) if named else (column.title, column.id))}
    found = [t for t in targets_of(table, system) if _titles(t, system) & wanted]
    if len(found) != 1:
        there = ", ".join(t.name for t in targets_of(table, system)) or "none"
        raise UsageError(
            f"{'no' if not found else 'more than one'} column of the file is for "
            f"{named or column.title!r}",
            hint=f"Name it with --column {column.id}=TITLE. There are: {there}",
        )
    return found[0]


def targets_of(table: Table, system: System) -> list[Target]:
    """Return the columns that take marks: those with the id that the system gave them."""
    if system is System.BLACKBOARD:
        found = [(i, name, _BLACKBOARD_HEAD.match(name)) for i, name in enumerate(table.columns)]
        return [Target(i, name, number(m["points"] or "")) for i, name, m in found if m and m["id"]]
    points = next(
        (line for line in table.lines if line.cell(0).casefold() == "points possible"), None
    )
    return [
        Target(i, name, number(points.cell(i)) if points else None)
        for i, name in enumerate(table.columns)
        if _CANVAS_ID.search(name) and "(read only)" not in (points.cell(i) if points else "")
    ]


def number(text: str) -> Decimal | None:
    """Read a number with a point or a comma; None for anything else."""
    if not re.fullmatch(r"\d{1,9}(?:[.,]\d{1,9})?", text.strip()):
        return None
    try:
        return Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return None


def _titles(found: Target, system: System) -> set[str]:
    if system is System.CANVAS:
        return {plain_name(found.name), plain_name(_CANVAS_ID.sub("", found.name))}
    match = _BLACKBOARD_HEAD.match(found.name)
    return {plain_name(found.name), plain_name(match["title"] if match else "")}


def _only(table: Table, names: Sequence[str], maximum: Sequence[str]) -> Target:
    place = table.column(*names)
    if place is None:
        raise UsageError(f"the file has no column {names[0].title()}")
    most = table.column(*maximum)
    highest = next((number(line.cell(most)) for line in table.lines if line.cell(most)), None)
    return Target(place, table.columns[place], highest)


def _check_header(table: Table, system: System) -> None:
    if system is not System.MOODLE:
        return
    for piece in ("identifier", "grade", "graded"):
        if table.column(*COLUMNS[piece]) is None:  # by its title: Moodle looks for no other
            needed = COLUMNS[piece][0].capitalize()
            raise UsageError(
                f"Moodle's import needs the column {needed!r}, and the file has none that is known",
                hint="Take the grading worksheet of the assignment (Download grading worksheet), "
                "not the course's gradebook.",
            )


def _check_maximum(column: Column, into: Target, scale: bool, done: Filled) -> None:
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


def _lines(
    table: Table, system: System, matcher: Matcher, done: Filled
) -> Iterator[tuple[str, Line]]:
    """Yield the lines of students; of two lines of one student neither, since one is wrong."""
    found: dict[str, list[Line]] = {}
    for line, who, identifier, _ in people_in(table, system):
        if identifier and identifier in matcher.roster.people:
            found.setdefault(identifier, []).append(line)
            continue
        match = matcher.match(system.value, who)
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
    score: Score, column: Column, into: Target, system: System, *, scale: bool, comma: bool
) -> str | None:
    """Return the cell's text; None where the system knows no word for it."""
    if score.points is None:
        return EXCUSED if system is System.CANVAS else None
    points = score.points
    if scale and into.max_points is not None and column.max_points:
        points = points * into.max_points / column.max_points
    text = f"{points.quantize(HUNDREDTH, ROUND_HALF_UP):f}"
    return text.replace(".", ",") if comma else text


def _writes_commas(table: Table, place: int) -> bool:
    """Say whether the file writes 9,50: it then divides its cells by something else."""
    if table.delimiter == ",":
        return False
    return any(re.fullmatch(r"\d+,\d+", line.cell(place)) for line in table.lines)


def _same(before: str, text: str) -> bool:
    old, new = number(before), number(text)
    return before == text if old is None or new is None else old == new


def _skipped(table: Table, system: System, line: Line, into: Target, text: str) -> Iterator[str]:
    """Say why the system's import would pass over a line without a word."""
    points = number(text)
    if points is not None and into.max_points is not None and points > into.max_points:
        skips = "; Moodle's import skips the line in silence" if system is System.MOODLE else ""
        yield f"{show(points)} is more than the maximum of {show(into.max_points)}{skips}"
    if system is not System.MOODLE:
        return
    if not re.search(r"\d+\s*$", line.cell(column_of(table, "identifier"))):
        yield "without an Identifier Moodle's import skips the line in silence"
    changeable = line.cell(column_of(table, "changeable"))
    if changeable.casefold() in {"no", "false", "0"}:
        yield "the file says that the grade can't be changed; Moodle's import skips the line"
    modified = line.cell(column_of(table, "graded"))
    if line.cell(into.place) not in {"", "-"} and modified in {"", "-"}:
        yield (
            "it has a grade and no time of it (Last modified (grade)); Moodle's import takes the "
            "line for stale and skips it in silence"
        )


def _finish_gradescope(table: Table, line: Line, column: Column) -> None:
    for name, text in (("max points", show(column.max_points)), ("status", "Graded")):
        place = table.column(name)
        if place is not None and not line.cell(place):
            table.set(line, place, text)
