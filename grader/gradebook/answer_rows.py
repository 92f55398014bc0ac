"""The answers of an assignment as narrow rows: read from its verdicts once.

A verdict is large and never changes. What marking needs of it (which answer counts, its hash, what
it is worth) is kept in a table, so that the next answer costs no more with a class of fifteen
hundred, and no process needs to have read them before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import and_, delete, func, select, text
from sqlalchemy.orm import Session

from grader.gradebook.answer_list import AnswerList
from grader.gradebook.course_marks import answer_sha256
from grader.gradebook.database import reading, writing
from grader.gradebook.marking_tables import AnswerRow, AnswersReadRow
from grader.gradebook.store import Gradebook
from grader.gradebook.tables import VerdictRow
from grader.grading.verdict import Outcome, Verdict

_AT_ONCE = 200

Named = Callable[[str, str], str]
"""Makes the name of an answer, in addresses, of its question and student."""
Chosen = Callable[[Sequence[Verdict]], Sequence[Verdict]]
"""Returns, of the tries of some students, the one that counts for each."""
Dealer = Callable[[str, str, Counter[str]], str]
"""Says whose an answer is to mark: of a question, a student, and how many each marker has."""


class AnswerRows:
    """The rows of one assignment's answers, and whose they are to mark.

    Args:
        gradebook: of the course.
        assignment: its name.
        named: makes the names of answers.
        chosen: returns the verdict that counts of each student's.
        dealer: makes what says whose new answers are; asked where there are any.
    """

    def __init__(
        self,
        gradebook: Gradebook,
        assignment: str,
        *,
        named: Named,
        chosen: Chosen,
        dealer: Callable[[], Dealer],
    ) -> None:
        self._gradebook = gradebook
        self._engine = gradebook.engine
        self._assignment = assignment
        self._named = named
        self._chosen = chosen
        self._dealer = dealer
        self.answers = AnswerList(gradebook.engine, assignment)
        """What is asked of them; `refresh` first."""
        self.state: tuple[int, int, str] = (0, 0, "")
        """Up to where verdicts have been read: another one where the answers may be others."""

    def refresh(self, counts: str) -> None:
        """Read the verdicts that are new since the last time.

        Where `counts`, the rule by which the tries were chosen, is another one, all are read again.
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
        counts: str,
        seen: tuple[int, int, str],
        now: tuple[int, int, str],
    ) -> bool:
        """Put students' answers into the table; False where another process was quicker."""
        deal = self._dealer()
        for at in range(0, len(students), _AT_ONCE):
            some = students[at : at + _AT_ONCE]
            rows = self._rows(some)  # read before the lock: it takes a while
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

    def _rows(self, students: Sequence[str]) -> list[AnswerRow]:
        tries = self._gradebook.tried(self._assignment, students=students)
        entries = {(e.verdict.student, e.verdict.submission.attempt): e.id for e in tries}
        return [
            row
            for verdict in self._chosen([e.verdict for e in tries])
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

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with writing(self._engine) as session:
            if self._engine.dialect.name == "postgresql":
                # Two processes that read the same verdicts would both add their answers.
                session.execute(text("LOCK TABLE desk_answers IN SHARE ROW EXCLUSIVE MODE"))
            yield session


def _state(session: Session, assignment: str, after: int) -> tuple[int, int, int]:
    """The newest verdict, how many there are, and how many of them are newer than one."""
    query = select(
        func.coalesce(func.max(VerdictRow.id), 0),
        func.count(),
        func.count().filter(VerdictRow.id > after),
    ).where(VerdictRow.assignment == assignment)
    newest, total, more = session.execute(query).one()
    return newest, total, more
