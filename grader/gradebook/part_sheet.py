"""Parts that a person marks, as a table to fill in: criteria of a rubric, or a written answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from grader.errors import GraderError, UsageError
from grader.gradebook.hand_marks import Change, Fact, Newest
from grader.gradebook.mark_cells import points_from
from grader.gradebook.spreadsheet import Sheet, SheetRow, read_sheet, write_sheet
from grader.points import show

STATE = "state"
ANSWER = "answer"
_SHOWN_FAULTS = 20


@dataclass(frozen=True)
class Part:
    """One thing that gets points: a criterion, or a question."""

    id: str
    points: Decimal

    @property
    def column(self) -> str:
        """The column of its points; with the maximum, so that a changed rubric is noticed."""
        return f"{self.id} (of {show(self.points)})"

    @property
    def comment_column(self) -> str:
        """The column of its comments."""
        return f"{self.id} comment"


@dataclass(frozen=True, kw_only=True)
class PartLine:
    """One student.

    Attributes:
        student: whose marks these are.
        shown_as: what stands in the table: the student, or a pseudonym.
        answer: the written answer, and its hash.
    """

    student: str
    shown_as: str
    answer: str = ""
    answer_sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class PartSheet:
    """The table of one item or question.

    Attributes:
        fact: of a student and a part.
        answers: whether it has a column with what the students wrote.
    """

    parts: Sequence[Part]
    lines: Sequence[PartLine]
    fact: Callable[[str, str], Fact]
    answers: bool = False

    def write(self, path: Path, newest: Newest) -> None:
        """Write it with what is marked already; `state` tells later what was seen."""
        rows = []
        for line in self.lines:
            row: list[object] = [line.shown_as, *([line.answer] if self.answers else [])]
            for part in self.parts:
                mark = newest.get(self.fact(line.student, part.id))
                holds = mark is not None and mark.says.answer_sha256 == line.answer_sha256
                row += [
                    mark.says.points if mark and holds else None,
                    mark.says.comment if mark and holds else "",
                ]
            rows.append([*row, self._state(line, newest)])
        write_sheet(path, self._columns(), rows)

    def read(self, path: Path) -> tuple[list[Change], dict[Fact, int]]:
        """Read it back: the changes, and for each the line of the record that was seen.

        Raises:
            UsageError: names each fault with its line.
        """
        sheet = read_sheet(path)
        if set(sheet.columns) != set(self._columns()):
            raise UsageError(
                f"expected the columns {', '.join(self._columns())}; "
                f"got {', '.join(sheet.columns)}",
                where=f"{path}:1",
                hint="Criteria or their points have changed, or a column was renamed: export the "
                "table again.",
            )
        changes: list[Change] = []
        seen: dict[Fact, int] = {}
        faults, read = [], dict[str, int]()
        by_name = {line.shown_as: line for line in self.lines}
        for row in sheet.rows:
            try:
                found = self._changes(row, sheet, by_name, read)
            except GraderError as error:
                faults.append(str(error))
                continue
            changes += [change for change, _ in found]
            seen |= {change.fact: identifier for change, identifier in found}
        if faults:
            listed = "\n  ".join(faults[:_SHOWN_FAULTS])
            raise UsageError(
                f"nothing was recorded: {len(faults)} lines can't be taken\n  {listed}", where=path
            )
        return changes, seen

    def _columns(self) -> list[str]:
        parts = [c for part in self.parts for c in (part.column, part.comment_column)]
        return ["student", *([ANSWER] if self.answers else []), *parts, STATE]

    def _state(self, line: PartLine, newest: Newest) -> str:
        marks = [newest.get(self.fact(line.student, part.id)) for part in self.parts]
        ids = ".".join(str(mark.id if mark else 0) for mark in marks)
        return f"s{ids}.{line.answer_sha256[:16] or '-'}"

    def _changes(
        self, row: SheetRow, sheet: Sheet, by_name: Mapping[str, PartLine], read: dict[str, int]
    ) -> list[tuple[Change, int]]:
        where, name = sheet.where(row), row.cells["student"]
        line = by_name.get(name)
        if line is None:
            raise UsageError(f"there is nothing to mark of {name!r}", where=where)
        if name in read:
            raise UsageError(f"{name!r} is in line {read[name]} too", where=where)
        read[name] = row.number
        *ids, answer = row.cells[STATE].removeprefix("s").split(".")
        if len(ids) != len(self.parts) or not all(i.isascii() and i.isdigit() for i in ids):
            raise UsageError("the column `state` was changed", where=where)
        if answer != (line.answer_sha256[:16] or "-"):
            raise UsageError(
                f"{name!r} has another answer by now", where=where, hint="Export the table again."
            )
        found = []
        for part, identifier in zip(self.parts, ids, strict=True):
            points = points_from(row.cells[part.column], part.points, where=where)
            comment = row.cells[part.comment_column]
            if points is None and comment:
                raise UsageError(f"{part.id} has a comment and no points", where=where)
            if points is None and identifier == "0":
                continue
            change = Change(
                fact=self.fact(line.student, part.id),
                points=points,
                max_points=part.points,
                comment=comment,
                answer_sha256=line.answer_sha256 if points is not None else "",
            )
            found.append((change, int(identifier)))
        return found
