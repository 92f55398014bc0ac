"""How far the record goes, so that what was made of it is made again only when it has changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grader.gradebook.tables import BriefRow, HandInRow, HandMarkRow


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The newest line of each part of the record: rows are only ever added.

    Attributes:
        verdicts, hand_ins: by assignment.
        hand_marks: by item; what is said of answers is under the assignment's name.
    """

    verdicts: Mapping[str, int]
    hand_ins: Mapping[str, int]
    hand_marks: Mapping[str, int]

    def of(self, assignment: str, items: Collection[str] = ()) -> tuple[int, ...]:
        """Return what changes when anything of an assignment, or of its items, does."""
        marks = (self.hand_marks.get(item, 0) for item in (assignment, *items))
        return self.verdicts.get(assignment, 0), self.hand_ins.get(assignment, 0), *marks

    @property
    def whole(self) -> tuple[int, ...]:
        """What changes when anything of the course does."""
        parts = (self.verdicts, self.hand_ins, self.hand_marks)
        return tuple(max(part.values(), default=0) for part in parts)


def changes_of(session: Session) -> Changes:
    """Read how far the record goes: from indexes alone, in three statements."""

    def newest(query: Any) -> dict[str, int]:
        return {name: number for name, number in session.execute(query)}  # noqa: C416 - rows

    verdict, hand_in, mark = BriefRow, HandInRow, HandMarkRow
    return Changes(
        verdicts=newest(
            select(verdict.assignment, func.max(verdict.verdict)).group_by(verdict.assignment)
        ),
        hand_ins=newest(
            select(hand_in.assignment, func.max(hand_in.id)).group_by(hand_in.assignment)
        ),
        hand_marks=newest(select(mark.item, func.max(mark.id)).group_by(mark.item)),
    )
