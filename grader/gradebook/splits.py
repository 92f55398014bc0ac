"""How the answers of an assignment are divided among its markers."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from grader.gradebook.database import reading, writing
from grader.gradebook.marking_tables import SplitRow

How = Literal["question", "section", "random"]
HOWS: tuple[How, ...] = ("question", "section", "random")


@dataclass(frozen=True, kw_only=True)
class Split:
    """A division of work.

    Attributes:
        how: by question, by section of the roster, or at random.
        groups: the markers of each question or section; at random all stand under "".
        limits: the section of each marker who sees that one alone.
    """

    how: How
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)

    def share(self, question: str, section: str, dealt: Counter[str]) -> str:
        """Return whose an answer is: of those who may mark it, who has fewest; "" for nobody.

        Args:
            question: that it answers.
            section: of its student.
            dealt: how many answers each marker has.
        """
        group = {"question": question, "section": section, "random": ""}[self.how]
        may = [m for m in self.groups.get(group, ()) if self.limits.get(m, section) == section]
        return min(may, key=lambda marker: (dealt[marker], marker), default="")


class Splits:
    """The divisions of a course's assignments, in its gradebook."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, assignment: str) -> Split | None:
        """Return how an assignment is divided, or None: everybody marks everything."""
        with reading(self._engine) as session:
            row = session.get(SplitRow, assignment)
            if row is None:
                return None
            how = next(how for how in HOWS if how == row.how)
            return Split(how=how, groups=row.groups, limits=row.limits)

    def put(
        self,
        assignment: str,
        split: Split | None,
        *,
        who: str,
        now: dt.datetime,
        beside: Callable[[Session], None] | None = None,
    ) -> None:
        """Divide an assignment, or, with None, let everybody mark everything.

        `beside` writes more, in the same transaction.
        """
        with writing(self._engine) as session:
            if beside is not None:
                beside(session)
            row = session.get(SplitRow, assignment)
            if split is None:
                if row is not None:
                    session.delete(row)
                return
            session.merge(
                SplitRow(
                    assignment=assignment,
                    how=split.how,
                    groups={name: list(markers) for name, markers in split.groups.items()},
                    limits=dict(split.limits),
                    who=who,
                    made_at=now,
                )
            )
