"""The answers of an assignment as narrow rows: read from its verdicts once, asked by SQL.

A verdict is large and never changes. What marking needs of it (which answer counts, its hash, what
it is worth) is kept in a table, so that the next answer costs no more with a class of fifteen
hundred, and no process needs to have read them before.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, distinct, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from grader.gradebook.counting import Counts, counted
from grader.gradebook.course_marks import answer_sha256
from grader.gradebook.database import reading, writing
from grader.gradebook.hand_marks import Kind
from grader.gradebook.marking_tables import AnswerRow, AnswersReadRow
from grader.gradebook.store import Gradebook
from grader.gradebook.tables import HandMarkRow, VerdictRow
from grader.grading.verdict import Outcome, Verdict

_AT_ONCE = 200

Named = Callable[[str, str], str]
"""Makes the name of an answer, in addresses, of its question and student."""
Dealer = Callable[[str, str, Counter[str]], str]
"""Says whose an answer is to mark: of a question, a student, and how many each marker has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenMark:
    """What holds for an answer: a line of the record, without its words."""

    id: int
    who: str
    points: Decimal | None
    max_points: Decimal | None
    answer_sha256: str
    change: str
    made_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRef:
    """One answer. `ref` names it in addresses, so that no student's name is in one.

    `points` are None before it is marked; `mark` is what was said last, also of an answer that
    another try has replaced. `share` is the marker whose it is, empty: anybody's.
    """

    ref: str
    student: str
    attempt: int
    entry: int
    sha256: str
    is_empty: bool
    worth: Decimal
    machine: Decimal
    machine_max: Decimal
    submission_sha256: str
    share: str
    mark: GivenMark | None = None

    @property
    def points(self) -> Decimal | None:
        """What this very answer was given, if it was marked."""
        mark = self.mark
        if mark is None or mark.answer_sha256 != self.sha256 or mark.max_points != self.worth:
            return None
        return mark.points


class PiledAnswer(NamedTuple):
    """One answer as far as the way through a pile needs it: its marks are not read."""

    ref: str
    student: str
    share: str


class MarkerSums(NamedTuple):
    """What one marker gave for one question: for how many answers, and how many points.

    `times` is how often: answers that are the same to the letter may have been marked at once.
    """

    who: str
    question: str
    answers: int
    times: int
    points: Decimal


class AnswerList:
    """The answers of one assignment.

    Args:
        gradebook: of the course.
        assignment: its name.
        named: makes the names of answers.
        dealer: makes what says whose new answers are; asked where there are any.
    """

    def __init__(
        self,
        gradebook: Gradebook,
        assignment: str,
        *,
        named: Named,
        dealer: Callable[[], Dealer],
    ) -> None:
        self._gradebook = gradebook
        self._engine = gradebook.engine
        self._assignment = assignment
        self._named = named
        self._dealer = dealer
        self.state: tuple[int, int, str] = (0, 0, "")
        """Up to where verdicts have been read: another one where the answers may be others."""

    def of(self, question: str, ref: str = "") -> list[AnswerRef]:
        """Return a question's answers with what was given for them, or the one of that name."""
        with reading(self._engine) as session:
            return self._found(session, question, Kind.ANSWER, ref)

    def of_in(self, session: Session, question: str) -> list[AnswerRef]:
        """Return them as they are in a transaction."""
        return self._found(session, question, Kind.ANSWER)

    def pile(self, question: str) -> list[PiledAnswer]:
        """Return a question's answers, narrower than `of`."""
        query = select(*_OF_PILE).where(*self._own(question), AnswerRow.worth > 0)
        with reading(self._engine) as session:
            return [PiledAnswer(*row) for row in session.execute(query)]

    def shared(self, question: str) -> dict[str, str]:
        """Return by name whose share the answers are that are somebody's."""
        query = select(AnswerRow.ref, AnswerRow.share).where(
            *self._own(question), AnswerRow.worth > 0, AnswerRow.share != ""
        )
        with reading(self._engine) as session:
            return {ref: share for ref, share in session.execute(query)}  # noqa: C416 - rows

    def unmarked(
        self,
        question: str,
        *,
        like: AnswerRef | None = None,
        among: Sequence[str] | None = None,
    ) -> list[PiledAnswer]:
        """Return those that nobody has marked.

        Args:
            question: that they answer.
            like: the others that are the same as this one.
            among: those of these names.
        """
        newest = _newest()
        query = (
            select(*_OF_PILE)
            .outerjoin(newest, _holds(newest, Kind.ANSWER))
            .where(*self._own(question), AnswerRow.worth > 0)
            .where(or_(newest.id.is_(None), ~_is_marked(newest)))
        )
        if like is not None:
            query = query.where(AnswerRow.sha256 == like.sha256, AnswerRow.ref != like.ref)
        if among is not None:
            query = query.where(AnswerRow.ref.in_(among))
        with reading(self._engine) as session:
            return [PiledAnswer(*row) for row in session.execute(query)]

    def beside(self, question: str, ref: str = "") -> list[AnswerRef]:
        """Return them with what was given beside the tests instead."""
        with reading(self._engine) as session:
            return self._found(session, question, Kind.ADJUSTMENT, ref)

    def comments(self, question: str, *, limit: int) -> list[str]:
        """Return what was said of a question's answers, the most frequent first."""
        newest = _newest()
        query = (
            select(newest.comment)
            .select_from(AnswerRow)
            .join(newest, _holds(newest, Kind.ANSWER))
            .where(*self._own(question), newest.comment != "", newest.points.is_not(None))
            .group_by(newest.comment)
            .order_by(func.count().desc(), newest.comment)
            .limit(limit)
        )
        with reading(self._engine) as session:
            return list(session.scalars(query))

    def progress(self) -> dict[str, tuple[int, int]]:
        """Return by question how many answers are marked, of how many that are to be."""
        return {question: (marked, total) for question, marked, total in self._counted("question")}

    def shares(self) -> dict[str, tuple[int, int]]:
        """Return by marker how many of their share are marked, of how many; "" is nobody's."""
        return {share: (marked, total) for share, marked, total in self._counted("share")}

    def given(self) -> list[MarkerSums]:
        """Return by marker and question what they gave, where that holds."""
        newest = _newest()
        times = func.count(distinct(newest.change + AnswerRow.sha256))
        query = (
            select(newest.who, AnswerRow.question, func.count(), times, func.sum(newest.points))
            .select_from(AnswerRow)
            .join(newest, _holds(newest, Kind.ANSWER))
            .where(AnswerRow.assignment == self._assignment, _is_marked(newest))
            .group_by(newest.who, AnswerRow.question)
        )
        with reading(self._engine) as session:
            return [
                MarkerSums(who, question, count, often, points or Decimal(0))
                for who, question, count, often, points in session.execute(query)
            ]

    def marked_with(self, question: str, answer: AnswerRef) -> int:
        """Return how many answers the same to the letter got this one's mark in the same save."""
        if answer.mark is None:
            return 0
        query = select(func.count()).where(
            HandMarkRow.change == answer.mark.change,
            HandMarkRow.item == self._assignment,
            HandMarkRow.part == question,
            HandMarkRow.kind == Kind.ANSWER.value,
            HandMarkRow.answer_sha256 == answer.sha256,
        )
        with reading(self._engine) as session:
            return session.scalar(query) or 0

    def saves(self) -> list[tuple[str, dt.datetime]]:
        """Return who saved marks of answers, and when, oldest first; answers alike are one save."""
        query = (
            select(HandMarkRow.who, func.min(HandMarkRow.made_at))
            .where(HandMarkRow.item == self._assignment, HandMarkRow.kind == Kind.ANSWER.value)
            .group_by(HandMarkRow.change, HandMarkRow.who)
            .order_by(func.min(HandMarkRow.id))
        )
        with reading(self._engine) as session:
            return [(who, at) for who, at in session.execute(query)]

    def deal(self) -> None:
        """Say anew of every answer whose it is to mark."""
        deal = self._dealer()
        with self._writing() as session:
            rows = session.scalars(
                select(AnswerRow)
                .where(AnswerRow.assignment == self._assignment, AnswerRow.worth > 0)
                .order_by(AnswerRow.ref)  # by chance, and the same each time
            ).all()
            dealt: Counter[str] = Counter()
            for row in rows:
                row.share = deal(row.question, row.student, dealt)
                dealt[row.share] += 1

    # -- reading verdicts -------------------------------------------------------------------

    def refresh(self, counts: Counts) -> None:
        """Read the verdicts that are new since the last time; which try counts is said by `counts`.

        Of tries of which the best counts, it is the one with most points of the tests.
        """
        while True:
            with reading(self._engine) as session:
                read = session.get(AnswersReadRow, self._assignment)
                seen = (read.newest, read.verdicts, read.counts) if read else (0, 0, counts)
                now = _state(session, self._assignment, seen[0])
            newest, total, more = now
            self.state = (newest, total, counts)
            if read is not None and seen == (newest, total, counts):
                return
            # Where one was committed after a later one was read, all are read again.
            all_again = seen[2] != counts or seen[1] + more != total
            students = self._students(0 if all_again else seen[0])
            if self._read(students, counts, seen, (newest, total, counts)):
                return

    def _students(self, after: int) -> list[str]:
        query = (
            select(VerdictRow.student)
            .where(VerdictRow.assignment == self._assignment, VerdictRow.id > after)
            .distinct()
        )
        with reading(self._engine) as session:
            return sorted(session.scalars(query))

    def _read(
        self,
        students: Sequence[str],
        counts: Counts,
        seen: tuple[int, int, str],
        now: tuple[int, int, str],
    ) -> bool:
        """Put students' answers into the table; False where another process was quicker."""
        deal = self._dealer()
        for at in range(0, len(students), _AT_ONCE):
            some = students[at : at + _AT_ONCE]
            rows = self._rows(some, counts)  # read before the lock: it takes a while
            with self._writing() as session:
                if not self._is_at(session, seen):
                    return False
                self._put(session, some, rows, deal)
        with self._writing() as session:
            if not self._is_at(session, seen):
                return False
            session.merge(
                AnswersReadRow(
                    assignment=self._assignment, newest=now[0], verdicts=now[1], counts=now[2]
                )
            )
        return True

    def _is_at(self, session: Session, seen: tuple[int, int, str]) -> bool:
        read = session.get(AnswersReadRow, self._assignment)
        return seen[:2] == ((read.newest, read.verdicts) if read else (0, 0))

    def _rows(self, students: Sequence[str], counts: Counts) -> list[AnswerRow]:
        tries = self._gradebook.tried(self._assignment, students=students)
        entries = {(e.verdict.student, e.verdict.submission.attempt): e.id for e in tries}
        return [
            row
            for verdict in counted((e.verdict for e in tries), counts)
            if verdict.outcome is Outcome.GRADED
            for row in self._of(verdict, entries[verdict.student, verdict.submission.attempt])
        ]

    def _of(self, verdict: Verdict, entry: int) -> Iterable[AnswerRow]:
        for question in verdict.questions:
            yield AnswerRow(
                assignment=self._assignment,
                question=question.id,
                student=verdict.student,
                ref=self._named(question.id, verdict.student),
                entry=entry,
                attempt=verdict.submission.attempt,
                sha256=answer_sha256(verdict, question.id),
                is_empty=not verdict.answers.get(question.id, "").strip(),
                worth=question.manual_points,
                machine=question.points - question.by_hand,
                machine_max=question.max_points,
                submission_sha256=verdict.submission.sha256,
                share="",
            )

    def _put(
        self, session: Session, students: Sequence[str], rows: Sequence[AnswerRow], deal: Dealer
    ) -> None:
        whose = select(AnswerRow.share, func.count()).where(
            AnswerRow.assignment == self._assignment, AnswerRow.worth > 0
        )
        dealt = Counter(
            {share: count for share, count in session.execute(whose.group_by(AnswerRow.share))}  # noqa: C416
        )
        own = and_(AnswerRow.assignment == self._assignment, AnswerRow.student.in_(students))
        before = {
            (question, student): share
            for question, student, share in session.execute(
                select(AnswerRow.question, AnswerRow.student, AnswerRow.share).where(own)
            )
        }
        session.execute(delete(AnswerRow).where(own))
        for row in rows:
            known = before.get((row.question, row.student))
            if known is not None:
                row.share = known
            elif row.worth:
                row.share = deal(row.question, row.student, dealt)
                dealt[row.share] += 1
        session.add_all(rows)

    # -- asking -----------------------------------------------------------------------------

    def _found(self, session: Session, question: str, kind: Kind, ref: str = "") -> list[AnswerRef]:
        newest = _newest()
        wanted = self._own(question)
        wanted.append(AnswerRow.worth > 0 if kind is Kind.ANSWER else AnswerRow.machine_max > 0)
        if ref:
            wanted.append(AnswerRow.ref == ref)
        query = (
            select(
                *(getattr(AnswerRow, name) for name in _OF_ANSWER),
                *(getattr(newest, name) for name in _OF_MARK),
            )
            .outerjoin(newest, _holds(newest, kind))
            .where(*wanted)
        )
        return [_ref(tuple(row)) for row in session.execute(query)]

    def _counted(self, by: str) -> Sequence[Any]:
        newest, column = _newest(), getattr(AnswerRow, by)
        query = (
            select(column, func.count().filter(_is_marked(newest)), func.count())
            .outerjoin(newest, _holds(newest, Kind.ANSWER))
            .where(AnswerRow.assignment == self._assignment, AnswerRow.worth > 0)
            .group_by(column)
        )
        with reading(self._engine) as session:
            return session.execute(query).all()

    def _own(self, question: str) -> list[ColumnElement[bool]]:
        return [AnswerRow.assignment == self._assignment, AnswerRow.question == question]

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with writing(self._engine) as session:
            if self._engine.dialect.name == "postgresql":
                # Two processes that read the same verdicts would both add their answers.
                session.execute(text("LOCK TABLE desk_answers IN SHARE ROW EXCLUSIVE MODE"))
            yield session


_OF_PILE = tuple(getattr(AnswerRow, name) for name in PiledAnswer._fields)
_OF_ANSWER = tuple(name for name in AnswerRef.__dataclass_fields__ if name != "mark")
_OF_MARK = tuple(GivenMark.__dataclass_fields__)


def _newest() -> type[HandMarkRow]:
    return aliased(HandMarkRow)


def _holds(newest: type[HandMarkRow], kind: Kind) -> ColumnElement[bool]:
    """Joins to an answer the line of the record that holds."""
    held = (
        select(func.max(HandMarkRow.id))
        .where(
            HandMarkRow.item == AnswerRow.assignment,
            HandMarkRow.part == AnswerRow.question,
            HandMarkRow.student == AnswerRow.student,
            HandMarkRow.kind == kind.value,
        )
        .correlate(AnswerRow)
        .scalar_subquery()
    )
    return newest.id == held


def _is_marked(newest: type[HandMarkRow]) -> ColumnElement[bool]:
    """Says in SQL what `AnswerRef.points` says: this very answer was marked."""
    return and_(
        newest.points.is_not(None),
        newest.answer_sha256 == AnswerRow.sha256,
        newest.max_points == AnswerRow.worth,
    )


def _state(session: Session, assignment: str, after: int) -> tuple[int, int, int]:
    """The newest verdict, how many there are, and how many of them are newer than one."""
    query = select(
        func.coalesce(func.max(VerdictRow.id), 0),
        func.count(),
        func.count().filter(VerdictRow.id > after),
    ).where(VerdictRow.assignment == assignment)
    newest, total, more = session.execute(query).one()
    return newest, total, more


def _ref(row: Sequence[Any]) -> AnswerRef:
    answer = dict(zip(_OF_ANSWER, row, strict=False))
    mark = dict(zip(_OF_MARK, row[len(_OF_ANSWER) :], strict=True))
    return AnswerRef(**answer, mark=GivenMark(**mark) if mark["id"] is not None else None)
