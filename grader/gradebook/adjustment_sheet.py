"""Points beside the machine's for one question, as a table to fill in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from grader.errors import GraderError, UsageError
from grader.gradebook.adjustments import adjustment_fact
from grader.gradebook.hand_marks import Change, Fact, Newest
from grader.gradebook.mark_cells import difference_from
from grader.gradebook.spreadsheet import Sheet, SheetRow, read_sheet, write_sheet
from grader.grading.verdict import QuestionMark, Verdict
from grader.points import show

COLUMNS = ("student", "tests", "add", "comment", "state")
_SHOWN_FAULTS = 20

Checked = Callable[[Verdict, str, Decimal | None, str], Change]
"""Makes a change of a verdict, a question, points and a comment, or refuses it."""


@dataclass(frozen=True)
class AdjustmentSheet:
    """The table of one question: students, points of the tests, and what a person adds."""

    assignment: str
    question: str
    marks: Sequence[tuple[Verdict, QuestionMark]]

    def write(self, path: Path, newest: Newest) -> None:
        """Write it with what is added already; `state` tells later what was seen."""
        rows: list[list[object]] = []
        for verdict, question in self.marks:
            mark = newest.get(self._fact(verdict.student))
            holds = mark is not None and mark.says.answer_sha256 == verdict.submission.sha256
            machine = f"{show(question.points - question.by_hand)} of {show(question.max_points)}"
            rows.append(
                [
                    verdict.student,
                    machine,
                    mark.says.points if mark and holds else None,
                    mark.says.comment if mark and holds else "",
                    f"s{mark.id if mark else 0}.{verdict.submission.sha256[:16]}",
                ]
            )
        write_sheet(path, COLUMNS, rows)

    def read(self, path: Path, checked: Checked) -> tuple[list[Change], dict[Fact, int]]:
        """Read it back: the changes, and for each the line of the record that was seen.

        Raises:
            UsageError: names each fault with its line.
        """
        sheet = read_sheet(path)
        if set(sheet.columns) != set(COLUMNS):
            raise UsageError(
                f"expected the columns {', '.join(COLUMNS)}; got {', '.join(sheet.columns)}",
                where=f"{path}:1",
                hint="Export the table again.",
            )
        changes: list[Change] = []
        seen: dict[Fact, int] = {}
        faults: list[str] = []
        lines: dict[str, int] = {}
        for row in sheet.rows:
            try:
                change, identifier = self._change(row, sheet, lines, checked)
            except GraderError as error:
                faults.append(str(error))
                continue
            if change.points is not None or identifier:
                changes.append(change)
                seen[change.fact] = identifier
        if faults:
            listed = "\n  ".join(faults[:_SHOWN_FAULTS])
            raise UsageError(
                f"nothing was recorded: {len(faults)} lines can't be taken\n  {listed}", where=path
            )
        return changes, seen

    def _fact(self, student: str) -> Fact:
        return adjustment_fact(student, self.assignment, self.question)

    def _change(
        self, row: SheetRow, sheet: Sheet, lines: dict[str, int], checked: Checked
    ) -> tuple[Change, int]:
        where, name = sheet.where(row), row.cells["student"]
        verdict = next((v for v, _ in self.marks if v.student == name), None)
        if verdict is None:
            raise UsageError(f"nothing of {name!r} is graded", where=where)
        if name in lines:
            raise UsageError(f"{name!r} is in line {lines[name]} too", where=where)
        lines[name] = row.number
        identifier, _, submission = row.cells["state"].removeprefix("s").partition(".")
        if not (identifier.isascii() and identifier.isdigit()):
            raise UsageError("the column `state` was changed", where=where)
        if submission != verdict.submission.sha256[:16]:
            raise UsageError(
                f"{name!r} has handed in another submission by now",
                where=where,
                hint="Export the table again.",
            )
        points = difference_from(row.cells["add"], where=where)
        comment = row.cells["comment"]
        if points is None and comment:
            raise UsageError("a comment and no points", where=where)
        try:
            return checked(verdict, self.question, points, comment), int(identifier)
        except UsageError as error:
            raise UsageError(error.what, where=where, hint=error.hint) from error
