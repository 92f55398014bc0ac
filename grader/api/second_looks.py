"""Second looks: a sample is marked again by others, and what the two marks say of each other."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from grader.api.answer_marking import AnswerMarking, Marks
from grader.course.spec import Question
from grader.errors import UsageError
from grader.gradebook.answer_list import AnswerRef
from grader.gradebook.database import writing
from grader.gradebook.second_looks import Asked, SecondLook, SecondLookOutcome, SecondLooks, decide
from grader.report.agreement import Agreement, MarkedTwice, agreement


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An answer whose two marks are not the same, with the answer as it is now."""

    look: SecondLook
    answer: AnswerRef


class SecondMarking:
    """The second looks of one assignment."""

    def __init__(self, marking: AnswerMarking) -> None:
        self._marking = marking
        self._name = marking.assignment.name
        self.looks = SecondLooks(marking.gradebook.engine)

    def draw(
        self,
        question: Question,
        percent: int,
        markers: Mapping[str, str],
        *,
        who: str,
        now: dt.datetime,
        beside: Callable[[Session, Counter[str]], None] | None = None,
    ) -> int:
        """Ask for second looks until so many of a question's marked answers have one.

        The answers are drawn by chance. Nobody looks twice at an answer; of the other markers it
        goes to who has the fewest.

        Args:
            question: of these answers.
            percent: of the marked answers, rounded up.
            markers: who may be asked, with the section that each sees alone ("" for all).
            who: asks.
            now: when.
            beside: writes more, in the same transaction; it is given whom how many are asked of.

        Returns how many are new.

        Raises:
            UsageError: no such share, or nobody else can be asked.
        """
        if not 1 <= percent <= 100:
            raise UsageError("a sample is 1 to 100 percent of the marked answers")
        known = {(one.student, one.answer_sha256) for one in self.looks.of(self._name, question.id)}
        marked = [a for a in self._marking.answers(question, marker="") if a.points is not None]
        fresh = [a for a in marked if (a.student, a.sha256) not in known]
        wanted = math.ceil(len(marked) * percent / 100) - (len(marked) - len(fresh))
        random.SystemRandom().shuffle(fresh)
        work = Counter(one.who for one in self.looks.of(self._name) if one.waits)
        sections = self._marking.sections() if any(markers.values()) else {}
        asked: list[Asked] = []
        for answer in fresh:
            if len(asked) >= wanted:
                break
            section, mark = sections.get(answer.student, ""), answer.mark
            others = [
                m for m, own in markers.items() if mark and m != mark.who and own in ("", section)
            ]
            if not others or mark is None or mark.points is None:
                continue
            second = min(others, key=lambda marker: (work[marker], marker))
            work[second] += 1
            asked.append(
                Asked(
                    student=answer.student,
                    answer_sha256=answer.sha256,
                    who=second,
                    first_who=mark.who,
                    first_points=mark.points,
                )
            )
        if wanted > 0 and not asked:
            raise UsageError(
                "nobody can be asked for a second look",
                hint="Choose a marker who has not marked these answers.",
            )
        if asked:
            of_whom = Counter(one.who for one in asked)
            self.looks.ask(
                self._name,
                question.id,
                asked,
                asked_by=who,
                now=now,
                beside=None if beside is None else lambda session: beside(session, of_whom),
            )
        return len(asked)

    def at(self, question: Question, answer: AnswerRef) -> SecondLook | None:
        """Return the second look at an answer, or None."""
        return self.looks.at(self._name, question.id, answer.student, answer.sha256)

    def waiting(self, question: Question, who: str) -> list[AnswerRef]:
        """Return the answers at which a marker is to look, in that marker's order."""
        asked = {
            (one.student, one.answer_sha256)
            for one in self.looks.of(self._name, question.id, who=who)
            if one.waits
        }
        if not asked:
            return []
        answers = self._marking.answers(question, marker=who)
        return [a for a in answers if (a.student, a.sha256) in asked and a.points is not None]

    def save(
        self,
        question: Question,
        answer: AnswerRef,
        marks: Marks,
        *,
        who: str,
        now: dt.datetime,
        beside: Callable[[Session], None] | None = None,
    ) -> None:
        """Keep the second marks of an answer; the mark itself stays as it is.

        `beside` writes more, in the same transaction.

        Raises:
            UsageError: it was not asked of this marker, is done, or an item is not the question's.
        """
        look = self.at(question, answer)
        if look is None or look.who != who:
            raise UsageError("this second look was not asked of you")
        mark = answer.mark
        if answer.points is None or mark is None:
            raise UsageError("the first marks were taken back", hint="There is nothing to compare.")
        rubric = self._marking.items.rubric(self._name, question.id)
        points = self._marking.points(question, rubric, marks)
        marking = self._marking.items.marking(self._name, question.id, answer.student)
        own = marking is not None and marking.answer_sha256 == answer.sha256
        if marking is not None and own:
            of_items = rubric.points(marking.items, marking.adjustment, question.manual)
            own = of_items == answer.points
        self.looks.mark(
            look,
            first=(mark.who, answer.points, marking.items if marking and own else None),
            points=points,
            items=sorted(marks.items),
            adjustment=marks.adjustment,
            comment=marks.comment,
            now=now,
            beside=beside,
        )

    def differences(self, question: Question) -> list[Difference]:
        """Return the answers whose two marks differ and of which nobody has decided."""
        looks = {
            (one.student, one.answer_sha256): one
            for one in self.looks.of(self._name, question.id)
            if one.differs
        }
        if not looks:
            return []
        return [
            Difference(look=looks[answer.student, answer.sha256], answer=answer)
            for answer in self._marking.answers(question, marker="")
            if (answer.student, answer.sha256) in looks
        ]

    def decided(self, question: Question) -> list[SecondLook]:
        """Return the second looks whose difference somebody has decided."""
        return [one for one in self.looks.of(self._name, question.id) if one.decided_by]

    def decide(
        self,
        question: Question,
        answer: AnswerRef,
        outcome: SecondLookOutcome,
        *,
        who: str,
        now: dt.datetime,
        beside: Callable[[Session], None] | None = None,
    ) -> None:
        """Let the first marks stand, or record the second ones as any mark.

        `beside` writes more, in the same transaction.

        Raises:
            UsageError: there is no difference, or somebody has decided already.
        """
        look = self.at(question, answer)
        if look is None or not look.differs:
            raise UsageError("there is no difference to decide", hint="Load the page again.")

        def settle(session: Session) -> None:
            decide(session, look.id, outcome, who, now=now)
            if beside is not None:
                beside(session)

        if outcome is SecondLookOutcome.SECOND:
            rubric = self._marking.items.rubric(self._name, question.id)
            live = {item.id for item in rubric.live}
            self._marking.save(
                question,
                [answer],
                Marks(
                    items=[item for item in look.items if item in live],
                    adjustment=look.adjustment,
                    comment=look.comment,
                ),
                who=who,
                seen=None,
                now=now,
                why=f"second look: the marks of {look.who} hold over those of {look.first_who}",
                beside=settle,
            )
            return
        with writing(self._marking.gradebook.engine) as session:
            settle(session)

    def agreement(self, question: Question) -> Agreement | None:
        """Return how far first and second marks of a question agree."""
        rubric = self._marking.items.rubric(self._name, question.id)
        return agreement(self.marked_twice(question), [item.id for item in rubric.items])

    def marked_twice(self, question: Question) -> list[MarkedTwice]:
        """Return all answers to a question that were marked twice, with both marks."""
        return [
            MarkedTwice(
                first_who=one.first_who,
                second_who=one.who,
                first=one.first_points,
                second=one.points,
                first_items=one.first_items,
                second_items=one.items,
            )
            for one in self.looks.of(self._name, question.id)
            if one.points is not None
        ]
