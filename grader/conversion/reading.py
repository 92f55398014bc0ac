"""What has been read of a notebook of another system so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from grader.conversion.draft import Draft, DraftCell, DraftQuestion, DraftTest, Remark
from grader.conversion.fitted_questions import Ids, first_heading, heading
from grader.conversion.notebook_file import ForeignCell
from grader.errors import SpecError


class NothingGraded(SpecError):
    """Nothing in a notebook gives points: it is no assignment of its own."""


@dataclass
class DraftReading:
    """The parts of a draft, in the order in which they are found."""

    path: Path
    cells: list[DraftCell | DraftTest] = field(default_factory=list)
    questions: list[DraftQuestion] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    ids: Ids = field(default_factory=Ids)
    title: str | None = None
    heading: str | None = None
    pictures: dict[str, bytes] = field(default_factory=dict)

    def look(self, place: object, what: str) -> None:
        """Note what a person must look at."""
        self.remarks.append(Remark("look", str(place), what))

    def head(self, cell: ForeignCell, lead: str | None = None) -> None:
        """Take note of what a text cell is headed by; the first heading is the title."""
        self.title = self.title or first_heading(cell.source)
        self.heading = heading(cell.source) or lead or self.heading

    def show(self, cell: ForeignCell, source: str, *, editable: bool = False) -> None:
        """Add a cell that students see."""
        made = DraftCell(place=cell.place, kind=cell.kind, source=source, editable=editable)
        self.cells.append(made)

    def ask(
        self, name: str, title: str, *, points: Decimal = Decimal(0), manual: Decimal = Decimal(0)
    ) -> None:
        """Add a question."""
        self.questions.append(DraftQuestion(id=name, title=title, points=points, manual=manual))

    def draft(self, title: str, *, nothing: str, hint: str) -> Draft:
        """All that was read.

        Raises:
            NothingGraded: `nothing` of it gives points.
        """
        if not self.questions:
            raise NothingGraded(nothing, where=self.path, hint=hint)
        return Draft(
            title=self.title or title,
            cells=tuple(self.cells),
            questions=tuple(self.questions),
            remarks=tuple(self.remarks),
            pictures=self.pictures,
        )
