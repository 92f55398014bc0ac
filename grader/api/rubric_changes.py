"""Change a rubric that answers are marked by: the marks of its items change with it, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from sqlalchemy.orm import Session

from grader.api.answer_marking import AnswerMarking
from grader.course.spec import Question
from grader.errors import GradebookError
from grader.gradebook.answer_list import AnswerRef
from grader.gradebook.database import reading
from grader.gradebook.hand_marks import newest_marks, put_marks, recording
from grader.gradebook.rubric_items import (
    Rubric,
    RubricItem,
    markings_of,
    put_beginning,
    put_item,
    rubric_of,
)

Beside = Callable[[Session, int], None]
"""Writes something more in a transaction that changes marks; given how many."""


class RubricChangedError(GradebookError):
    """Somebody else has changed the rubric since it was looked at; nothing was changed."""


class RubricChanges:
    """The rubric of one question, for whoever changes it."""

    def __init__(self, marking: AnswerMarking, question: Question) -> None:
        self._marking = marking
        self._question = question
        self._assignment = marking.assignment.name
        self._engine = marking.gradebook.engine

    def having(self, item: int, *, marker: str) -> list[AnswerRef]:
        """Return the answers that have an item."""
        markings = self._marking.items.markings(self._assignment, self._question.id)
        return [
            answer
            for answer in self._marking.answers(self._question, marker=marker)
            if (own := markings.get(answer.student))
            and item in own.items
            and own.answer_sha256 == answer.sha256
            and answer.points is not None
        ]

    def rescored(self, new: Rubric) -> list[tuple[AnswerRef, Decimal]]:
        """Return whose points would be others if the rubric were as given, with these points.

        Points that came from elsewhere (a table, a command) are none of the rubric's, and stay.
        """
        _ = self._marking.table  # before the session: it may have new verdicts to read
        with reading(self._engine) as session:
            return self._rescored(session, rubric_of(session, *self._names), new)

    def change_item(
        self, item: RubricItem, *, was: RubricItem, who: str, beside: Beside | None = None
    ) -> None:
        """Change an item, and the points of everybody whose answer has it, or nothing of it.

        Args:
            item: as it is to be.
            was: as the person saw it.
            who: the person.
            beside: writes more, in the same transaction; it is given how many marks changed.

        Raises:
            RubricChangedError: somebody else has changed the item since it was seen.
            UsageError: it says nothing.
        """

        def put(session: Session, old: Rubric) -> Rubric:
            if old.item(item.id) not in (was, item):
                raise RubricChangedError("somebody else changed this item meanwhile")
            put_item(session, item)
            return old.with_item(item)

        why = f"the rubric item changed: {item.says}"
        self._change(put, who=who, why=why, beside=beside)

    def begin_with(
        self, *, all_points: bool, was: bool, who: str, beside: Beside | None = None
    ) -> None:
        """Have answers begin with all points or none, and score them anew, or nothing of it.

        Args:
            all_points: with all of them.
            was: how the person saw it.
            who: the person.
            beside: as in `change_item`.

        Raises:
            RubricChangedError: somebody else has changed it since it was seen.
        """

        def put(session: Session, old: Rubric) -> Rubric:
            if old.begins_with_all not in (was, all_points):
                raise RubricChangedError("somebody else changed with what answers begin")
            put_beginning(session, *self._names, all_points=all_points)
            return replace(old, begins_with_all=all_points)

        why = f"answers begin with {'all points' if all_points else 'none'}"
        self._change(put, who=who, why=why, beside=beside)

    @property
    def _names(self) -> tuple[str, str]:
        return self._assignment, self._question.id

    def _change(
        self,
        put: Callable[[Session, Rubric], Rubric],
        *,
        who: str,
        why: str,
        beside: Beside | None,
    ) -> None:
        """Put another rubric in the place of what is there, and score its marks anew."""
        _ = self._marking.table  # before the lock, under which it could read no new verdicts
        with recording(self._engine) as session:
            old = rubric_of(session, *self._names)
            changed = self._rescored(session, old, put(session, old))
            newest = newest_marks(session, item=self._assignment)
            changes = []
            for answer, points in changed:
                mark = newest.get(self._marking.fact(answer.student, self._question))
                comment = mark.says.comment if mark else ""
                changes.append(self._marking.change(self._question, answer, points, comment))
            put_marks(session, changes, who=who, why=why)
            if beside is not None:
                beside(session, len(changed))

    def _rescored(
        self, session: Session, old: Rubric, new: Rubric
    ) -> list[tuple[AnswerRef, Decimal]]:
        markings = markings_of(session, *self._names)
        found = []
        for answer in self._marking.table.of_in(session, self._question.id):
            marking = markings.get(answer.student)
            if answer.points is None or marking is None or marking.answer_sha256 != answer.sha256:
                continue
            was = old.points(marking.items, marking.adjustment, self._question.manual)
            now = new.points(marking.items, marking.adjustment, self._question.manual)
            if was == answer.points != now:
                found.append((answer, now))
        return found
