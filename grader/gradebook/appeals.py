"""Appeals: a student asks for a second look at one question, and whoever marked it answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ColumnElement, Engine, func, select
from sqlalchemy.orm import Session

from grader.errors import GradebookError, UsageError
from grader.gradebook.database import Along, ConflictError, reading, writing
from grader.gradebook.desk_tables import AppealChangeRow, AppealMessageRow, AppealRow
from grader.gradebook.hand_marks import Kind
from grader.gradebook.tables import HandMarkRow

MOST_CHARACTERS = 3_000
MOST_IN_A_THREAD = 10
"""So often does a student speak in one appeal."""
MOST_AN_HOUR = 8
"""So often does a student speak in all of them together."""


class AppealState(StrEnum):
    """Where an appeal is: it waits for an answer, has one, or is over."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class Speaker(StrEnum):
    """What somebody is in an appeal."""

    STUDENT = "student"
    MARKER = "marker"
    HEAD_MARKER = "head marker"


@dataclass(frozen=True, kw_only=True)
class Appeal:
    """One student and one question. `marker` is whose mark it is about; empty: the machine's."""

    id: int
    assignment: str
    question: str
    student: str
    marker: str
    state: AppealState
    made_at: dt.datetime
    changed_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class AppealChange:
    """A mark that an answer changed: the line of the record, and the points before and after."""

    mark: int
    kind: Kind
    was: Decimal
    becomes: Decimal


@dataclass(frozen=True, kw_only=True)
class AppealMessage:
    """One thing that was said, and what it changed."""

    id: int
    who: str
    speaks: Speaker
    says: str
    made_at: dt.datetime
    changes: tuple[AppealChange, ...] = ()


class SpokenMeanwhileError(GradebookError):
    """Somebody else has said something since the thread was looked at; nothing was recorded."""


class Appeals:
    """The appeals of a course, in its gradebook."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, number: int) -> Appeal | None:
        """Return an appeal, or None."""
        with reading(self._engine) as session:
            row = session.get(AppealRow, number)
            return _appeal(row) if row is not None else None

    def of_student(self, student: str, assignment: str | None = None) -> list[Appeal]:
        """Return a student's appeals, oldest first; of one assignment, or of all."""
        query = select(AppealRow).where(AppealRow.student == student).order_by(AppealRow.id)
        if assignment is not None:
            query = query.where(AppealRow.assignment == assignment)
        with reading(self._engine) as session:
            return [_appeal(row) for row in session.scalars(query)]

    def listed(
        self,
        states: Collection[AppealState],
        *,
        students: Collection[str] | None = None,
        before: int = 0,
        limit: int,
    ) -> list[Appeal]:
        """Return appeals, newest first, a page at a time.

        Args:
            states: those that are in one of these.
            students: of these alone, such as a section's.
            before: older than this one.
            limit: at most so many.
        """
        query = select(AppealRow).where(*_among(states, students))
        if before:
            query = query.where(AppealRow.id < before)
        with reading(self._engine) as session:
            rows = session.scalars(query.order_by(AppealRow.id.desc()).limit(limit))
            return [_appeal(row) for row in rows]

    def count(
        self, states: Collection[AppealState], *, students: Collection[str] | None = None
    ) -> int:
        """Return how many appeals are in one of these states; `students` as in `listed`."""
        with reading(self._engine) as session:
            return session.scalar(select(func.count()).where(*_among(states, students))) or 0

    def messages(self, appeal: int) -> list[AppealMessage]:
        """Return what was said, oldest first."""
        said = (
            select(AppealMessageRow)
            .where(AppealMessageRow.appeal == appeal)
            .order_by(AppealMessageRow.id)
        )
        changed = (
            select(AppealChangeRow, HandMarkRow.kind)
            .join(AppealMessageRow, AppealMessageRow.id == AppealChangeRow.message)
            .join(HandMarkRow, HandMarkRow.id == AppealChangeRow.mark)
            .where(AppealMessageRow.appeal == appeal)
            .order_by(AppealChangeRow.id)
        )
        with reading(self._engine) as session:
            changes: dict[int, list[AppealChange]] = {}
            for row, kind in session.execute(changed):
                one = AppealChange(mark=row.mark, kind=Kind(kind), was=row.was, becomes=row.becomes)
                changes.setdefault(row.message, []).append(one)
            return [_message(row, changes) for row in session.scalars(said)]

    def open(
        self,
        *,
        assignment: str,
        question: str,
        student: str,
        marker: str,
        says: str,
        key: str,
        most: int,
        now: dt.datetime,
        along: Along | None = None,
    ) -> Appeal:
        """Begin an appeal; of a form that was sent before, return what came of that.

        Args:
            assignment, question, student: what it is about, and whose.
            marker: whose mark it is; empty: the machine's alone.
            says: by the student.
            key: of the form.
            most: so many appeals may a student make about one assignment.
            now: when.
            along: done with a new appeal, given its number.

        Raises:
            UsageError: it says nothing or too much, or is one too many.
        """
        _check_words(says)
        row = AppealRow(
            assignment=assignment,
            question=question,
            student=student,
            marker=marker,
            state=AppealState.OPEN,
            made_at=now,
            changed_at=now,
        )
        try:
            with writing(self._engine) as session:
                known = _of_key(session, key) or _of_question(session, row)
                if known is not None:
                    return _appeal(known)
                _check_number(session, assignment, student, most)
                _check_rate(session, student, now)
                session.add(row)
                session.flush()
                _say(session, row, student, Speaker.STUDENT, says, key, now)
                if along is not None:
                    along(session, row.id)
                return _appeal(row)
        except ConflictError as error:  # the same form, sent twice at the same moment
            with reading(self._engine) as session:
                known = _of_question(session, row)
            if known is None:
                raise GradebookError(
                    "the appeal could not be kept", hint="Send it again."
                ) from error
            return _appeal(known)

    def reply(
        self,
        appeal: int,
        *,
        who: str,
        says: str,
        key: str,
        now: dt.datetime,
        along: Along | None = None,
    ) -> None:
        """Let the student say something more: the appeal is open again.

        `along` is done with it, given the message's number.

        Raises:
            UsageError: it is closed, or says nothing or too much, or too often.
        """
        _check_words(says)
        with writing(self._engine) as session:
            row = session.get_one(AppealRow, appeal, with_for_update=True)
            if _of_key(session, key) is not None:
                return
            if row.state == AppealState.CLOSED:
                raise UsageError("the appeal is closed", hint="Ask the course staff.")
            _check_thread(session, appeal, who)
            _check_rate(session, who, now)
            message = _say(session, row, who, Speaker.STUDENT, says, key, now)
            row.state = AppealState.OPEN
            if along is not None:
                along(session, message.id)

    def answer(
        self,
        appeal: int,
        *,
        who: str,
        speaks: Speaker,
        says: str,
        key: str,
        closes: bool,
        seen: int,
        change: Callable[[Session], Sequence[AppealChange]] = lambda session: (),
        now: dt.datetime,
        along: Callable[[Session, int, Sequence[AppealChange]], None] | None = None,
    ) -> None:
        """Answer an appeal; what is said and what it changes are one transaction.

        Args:
            appeal: its number.
            who, speaks: the person, and what they are here.
            says: for the student.
            key: of the form.
            closes: nothing is to follow.
            seen: the last message that the person saw.
            change: changes marks in that transaction, and returns which.
            now: when.
            along: done with it, given the message's number and what was changed.

        Raises:
            UsageError: it says nothing or too much.
            SpokenMeanwhileError: more was said since.
        """
        _check_words(says)
        with writing(self._engine) as session:
            row = session.get_one(AppealRow, appeal, with_for_update=True)
            if _of_key(session, key) is not None:
                return
            _check_seen(session, appeal, seen)
            changes = change(session)
            message = _say(session, row, who, speaks, says, key, now)
            for one in changes:
                session.add(
                    AppealChangeRow(
                        message=message.id, mark=one.mark, was=one.was, becomes=one.becomes
                    )
                )
            row.state = AppealState.CLOSED if closes else AppealState.ANSWERED
            if along is not None:
                along(session, message.id, changes)


def _among(
    states: Collection[AppealState], students: Collection[str] | None
) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [AppealRow.state.in_(states)]
    return wanted if students is None else [*wanted, AppealRow.student.in_(students)]


def _say(
    session: Session,
    row: AppealRow,
    who: str,
    speaks: Speaker,
    says: str,
    key: str,
    now: dt.datetime,
) -> AppealMessageRow:
    message = AppealMessageRow(
        key=key, appeal=row.id, who=who, speaks=speaks, says=says.strip(), made_at=now
    )
    session.add(message)
    row.changed_at = now
    session.flush()
    return message


def _of_key(session: Session, key: str) -> AppealRow | None:
    query = (
        select(AppealRow)
        .join(AppealMessageRow, AppealMessageRow.appeal == AppealRow.id)
        .where(AppealMessageRow.key == key)
    )
    return session.scalars(query).first()


def _of_question(session: Session, row: AppealRow) -> AppealRow | None:
    query = select(AppealRow).where(
        AppealRow.assignment == row.assignment,
        AppealRow.question == row.question,
        AppealRow.student == row.student,
    )
    return session.scalars(query).first()


def _check_words(says: str) -> None:
    if not says.strip():
        raise UsageError("the message says nothing", hint="Say in a few sentences what is wrong.")
    if len(says) > MOST_CHARACTERS:
        raise UsageError(f"the message is longer than {MOST_CHARACTERS} characters")


def _check_number(session: Session, assignment: str, student: str, most: int) -> None:
    query = select(func.count()).where(
        AppealRow.assignment == assignment, AppealRow.student == student
    )
    if (session.scalar(query) or 0) >= most:
        raise UsageError(
            f"there are {most} appeals of yours about this assignment; the course allows no more"
        )


def _check_thread(session: Session, appeal: int, who: str) -> None:
    query = select(func.count()).where(
        AppealMessageRow.appeal == appeal, AppealMessageRow.who == who
    )
    if (session.scalar(query) or 0) >= MOST_IN_A_THREAD:
        raise UsageError(
            f"you have written {MOST_IN_A_THREAD} times here", hint="Speak with the course staff."
        )


def _check_rate(session: Session, who: str, now: dt.datetime) -> None:
    query = select(func.count()).where(
        AppealMessageRow.who == who, AppealMessageRow.made_at > now - dt.timedelta(hours=1)
    )
    if (session.scalar(query) or 0) >= MOST_AN_HOUR:
        raise UsageError(
            f"you have written {MOST_AN_HOUR} times within an hour", hint="Wait a while."
        )


def _check_seen(session: Session, appeal: int, seen: int) -> None:
    query = select(func.max(AppealMessageRow.id)).where(AppealMessageRow.appeal == appeal)
    if (session.scalar(query) or 0) != seen:
        raise SpokenMeanwhileError("more was said in this appeal meanwhile")


def _appeal(row: AppealRow) -> Appeal:
    return Appeal(
        id=row.id,
        assignment=row.assignment,
        question=row.question,
        student=row.student,
        marker=row.marker,
        state=AppealState(row.state),
        made_at=row.made_at,
        changed_at=row.changed_at,
    )


def _message(row: AppealMessageRow, changes: Mapping[int, Sequence[AppealChange]]) -> AppealMessage:
    return AppealMessage(
        id=row.id,
        who=row.who,
        speaks=Speaker(row.speaks),
        says=row.says,
        made_at=row.made_at,
        changes=tuple(changes.get(row.id, ())),
    )
