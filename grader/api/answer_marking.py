"""Mark written answers one by one: which there are, in which order, and what a save records."""

from __future__ import annotations

import datetime as dt
import hmac
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from sqlalchemy.orm import Session

from grader.course.directory import Assignment, Course
from grader.course.roster import load_roster
from grader.course.secret import kept_secret
from grader.course.spec import Question
from grader.errors import SpecError, UsageError
from grader.gradebook.answer_list import AnswerList, AnswerRef, PiledAnswer
from grader.gradebook.answer_rows import AnswerRows
from grader.gradebook.course_tries import counted_verdicts, rule_of_choice
from grader.gradebook.hand_marks import (
    Change,
    Fact,
    HandMark,
    Kind,
    newest_marks,
    put_marks,
    recording,
)
from grader.gradebook.rubric_items import (
    Marking,
    Rubric,
    RubricItems,
    put_markings,
    rubric_of,
)
from grader.gradebook.splits import Split, Splits
from grader.gradebook.store import Gradebook
from grader.grading.verdict import Verdict
from grader.intake.answers import AnswerPlace
from grader.report.answers_page import AnswerSheet, GivenAnswer, answers_page
from grader.report.marks import place_words

_KEY = ".marking.key"
_COMMENTS = 30


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a form begins with: the items, the points beside them, and the comment.

    `earlier` is the mark of an earlier try with another answer, whose marks are offered.
    """

    items: tuple[int, ...] = ()
    adjustment: Decimal = Decimal(0)
    comment: str = ""
    earlier: HandMark | None = None


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What a marker says of an answer: items, points beside them, and a comment."""

    items: Collection[int] = ()
    adjustment: Decimal = Decimal(0)
    comment: str = ""


def turn(share: str, marker: str) -> int:
    """Return when an answer's turn comes for a marker: own share, nobody's, others'."""
    return 0 if share == marker else 2 if share else 1


class AnswerMarking:
    """The written answers of one assignment, for whoever marks them; made anew for each request.

    Attributes:
        assignment: its name, spec and folders.
        items: the rubrics of its questions.
    """

    def __init__(self, course: Course, assignment: Assignment, gradebook: Gradebook) -> None:
        self.assignment = assignment
        self.gradebook = gradebook
        self.items = RubricItems(gradebook.engine)
        self._course = course
        self._key = kept_secret(course.root / _KEY, of="the order of answers")
        self._splits = Splits(gradebook.engine)

    # -- what there is to mark --------------------------------------------------------------

    def questions(self) -> list[Question]:
        """Return the questions that a person marks."""
        return [q for q in self.assignment.spec.questions if q.manual]

    def question(self, identifier: str) -> Question | None:
        """Return one of them, or None."""
        return next((q for q in self.questions() if q.id == identifier), None)

    def tested_questions(self) -> list[Question]:
        """Return the questions beside whose tests a person may give or take points."""
        return [q for q in self.assignment.spec.questions if q.points]

    def answers(self, question: Question, *, marker: str) -> list[AnswerRef]:
        """Return everybody's answer, in an order that is this marker's own for this question.

        Whoever is marked late in a pile gets less: so the pile is another one for each question
        and marker, and stays the same from day to day. The marker's own share comes first, then
        what is nobody's, then what is others'.
        """
        return self._in_order(question, self.table.of(question.id), marker)

    def shuffled(self, question: Question, *, marker: str) -> list[PiledAnswer]:
        """Return them, without their marks, in this marker's order, whoever's share they are.

        It is the same as long as `state` is.
        """
        pile = self.table.pile(question.id)
        return sorted(pile, key=lambda a: self._digest(question.id, marker, a.student))

    def tested(self, question: Question, *, marker: str) -> list[AnswerRef]:
        """Return everybody's work on a question with tests, with what was given beside them."""
        return self._in_order(question, self.table.beside(question.id), marker)

    def answer(self, question: Question, ref: str, *, tested: bool = False) -> AnswerRef | None:
        """Return one answer by its name in addresses, or None."""
        found = self.table.beside(question.id, ref) if tested else self.table.of(question.id, ref)
        return found[0] if found else None

    def progress(self) -> Mapping[str, tuple[int, int]]:
        """Return by question how many answers are marked, of how many."""
        return self.table.progress()

    def comments(self, question: Question) -> list[str]:
        """Return what was said of a question before, the most frequent first."""
        return self.table.comments(question.id, limit=_COMMENTS)

    @property
    def table(self) -> AnswerList:
        """The answers: those of the tries that count when this is first asked."""
        return self._rows.answers

    @cached_property
    def _rows(self) -> AnswerRows:
        rows = AnswerRows(
            self.gradebook,
            self.assignment.name,
            named=lambda question, student: self._digest(question, student)[:16],
            chosen=self._counted,
            dealer=self._dealer,
        )
        rows.refresh(self._rule)
        return rows

    def refresh(self) -> None:
        """Read the answers of tries that were judged since they were read last."""
        self._rows.refresh(self._rule)

    @property
    def _rule(self) -> str:
        return rule_of_choice(self._course, self.assignment, self.gradebook)

    def _counted(self, tries: Sequence[Verdict]) -> list[Verdict]:
        """Those of the totals: an answer of a try that doesn't count nobody need read."""
        return counted_verdicts(self._course, self.assignment, self.gradebook, tries)

    @property
    def state(self) -> tuple[int, int, str]:
        """Up to where verdicts have been read: another one where the answers may be others."""
        return self._rows.state

    # -- one answer -------------------------------------------------------------------------

    def mark(self, answer: AnswerRef, question: Question) -> HandMark | None:
        """Return what holds of an answer, with its words; also that of an earlier try."""
        newest = self.gradebook.hand_marks.newest(student=answer.student, item=self.assignment.name)
        return newest.get(self.fact(answer.student, question))

    def given(self, answer: AnswerRef, question: Question, rubric: Rubric) -> Given:
        """Return with what the form of an answer begins.

        That is what it was given; of an answer that another try has replaced, what the earlier one
        was given, as an offer.
        """
        mark = self.mark(answer, question)
        if mark is None or mark.says.points is None:
            return Given()
        marking = self.items.marking(self.assignment.name, question.id, answer.student)
        earlier = mark if answer.points is None else None
        if marking is None or marking.answer_sha256 != mark.says.answer_sha256:
            marking = None
        elif rubric.points(marking.items, marking.adjustment, question.manual) != mark.says.points:
            marking = None  # a mark from elsewhere, such as a table: not of these items
        live = {item.id for item in rubric.live}
        beside = mark.says.points - rubric.points((), Decimal(0), question.manual)
        return Given(
            items=tuple(i for i in marking.items if i in live) if marking else (),
            adjustment=marking.adjustment if marking else beside,
            comment=mark.says.comment,
            earlier=earlier,
        )

    def page(self, answer: AnswerRef, question: Question, shown_as: str) -> str:
        """Return what stands beside the form: the answer, the findings, model and rubric."""
        entry = self.gradebook.entry(answer.entry)
        if entry is None:
            raise UsageError("the answer is not there any more")
        place = entry.verdict.answer_places.get(question.id)
        return self.page_of(entry.verdict, answer, question, shown_as, place=place)

    def page_of(
        self,
        verdict: Verdict,
        answer: AnswerRef,
        question: Question,
        shown_as: str,
        *,
        place: AnswerPlace | None,
    ) -> str:
        """Return the page of one answer, which stands at a place in the executed notebook."""
        given = GivenAnswer(
            shown_as=shown_as,
            text=verdict.answers.get(question.id, ""),
            place=place_words(verdict, question.id),
            at=place,
            notebook=lambda: self.gradebook.executed_notebook(verdict),
            tests=tuple(t for t in verdict.tests if t.question == question.id),
            machine_points=answer.machine,
        )
        sheet = AnswerSheet(question=question, answers=[given], model=self._model(question))
        return answers_page(
            [sheet],
            spec=self.assignment.spec,
            anonymous=True,
            alone=True,
            template_dirs=self._course.template_dirs,
        )

    def points(self, question: Question, rubric: Rubric, marks: Marks) -> Decimal:
        """Return the points of what a marker says.

        Raises:
            UsageError: an item is not one of the question's.
        """
        if set(marks.items) - {item.id for item in rubric.live}:
            raise UsageError(
                "an item of the rubric was taken away meanwhile", hint="Load the page again."
            )
        return rubric.points(marks.items, marks.adjustment, question.manual)

    def save(
        self,
        question: Question,
        answers: Sequence[AnswerRef],
        marks: Marks,
        *,
        who: str,
        seen: int | None,
        now: dt.datetime,
        why: str = "marked",
        beside: Callable[[Session], None] | None = None,
    ) -> Decimal:
        """Record the points of an answer, and of those that are the same to the letter.

        Points and the way to them are committed together.

        Args:
            question: that they answer.
            answers: the first is the one that was looked at; the others get the same, but for
                those that somebody has marked since they were read.
            marks: what the marker says.
            who: the marker.
            seen: the line of the record that the marker saw of the first (0: none); None for
                whoever decides over what was said before.
            now: when.
            why: for the history.
            beside: writes, in the same transaction, what else is settled by it.

        Returns the points.

        Raises:
            ChangedMeanwhileError: somebody else marked it meanwhile.
            UsageError: an item is not one of the question's.
        """
        with recording(self.gradebook.engine) as session:
            # By the rubric as it is now, and as it stays until the marks are there.
            rubric = rubric_of(session, self.assignment.name, question.id)
            points = self.points(question, rubric, marks)
            first, *alike = answers
            wanted = [first, *self._as_seen(session, question, alike)]
            put_marks(
                session,
                [self.change(question, one, points, marks.comment) for one in wanted],
                who=who,
                why=why,
                seen={} if seen is None else {self.fact(first.student, question): seen},
            )
            markings = [
                Marking(
                    student=one.student,
                    answer_sha256=one.sha256,
                    items=tuple(sorted(marks.items)),
                    adjustment=marks.adjustment,
                    who=who,
                )
                for one in wanted
            ]
            put_markings(session, self.assignment.name, question.id, markings, now=now)
            if beside is not None:
                beside(session)
        return points

    def _as_seen(
        self, session: Session, question: Question, answers: Sequence[AnswerRef]
    ) -> list[AnswerRef]:
        """Those that nobody has marked since they were read."""
        if not answers:
            return []
        newest = newest_marks(session, item=self.assignment.name)
        found = []
        for one in answers:
            holds = newest.get(self.fact(one.student, question))
            if (holds.id if holds else 0) == (one.mark.id if one.mark else 0):
                found.append(one)
        return found

    # -- who marks what ---------------------------------------------------------------------

    @property
    def split(self) -> Split | None:
        """How the work is divided among markers; None: everybody marks everything."""
        return self._splits.of(self.assignment.name)

    def divide(
        self,
        split: Split | None,
        *,
        who: str,
        now: dt.datetime,
        beside: Callable[[Session], None] | None = None,
    ) -> None:
        """Divide the work, of what there is and of what comes.

        `beside` writes more, in the transaction in which it is said how.
        """
        self._splits.put(self.assignment.name, split, who=who, now=now, beside=beside)
        self._rows.deal()

    def sections(self) -> dict[str, str]:
        """Return everybody's section, as the roster has it now."""
        people = load_roster(self._course).people
        return {student: person.section for student, person in people.items()}

    def fact(self, student: str, question: Question) -> Fact:
        """Return what the record calls the points of an answer."""
        return Fact(student=student, item=self.assignment.name, kind=Kind.ANSWER, part=question.id)

    def change(
        self, question: Question, answer: AnswerRef, points: Decimal, comment: str
    ) -> Change:
        """Return what is recorded where an answer gets points."""
        return Change(
            fact=self.fact(answer.student, question),
            points=points,
            max_points=question.manual,
            comment=comment,
            answer_sha256=answer.sha256,
        )

    # -- inside -----------------------------------------------------------------------------

    def _dealer(self) -> Callable[[str, str, Counter[str]], str]:
        """Deals answers: the split and the roster are read once for all of them."""
        split = self.split
        if split is None:
            return lambda question, student, dealt: ""
        sections = self.sections()
        return lambda question, student, dealt: split.share(
            question, sections.get(student, ""), dealt
        )

    def _in_order(
        self, question: Question, answers: Sequence[AnswerRef], marker: str
    ) -> list[AnswerRef]:
        return sorted(
            answers,
            key=lambda a: (
                turn(a.share, marker),
                self._digest(question.id, marker, a.student),
            ),
        )

    def _digest(self, *parts: str) -> str:
        said = "\0".join((self.assignment.name, *parts)).encode("utf-8", "replace")
        return hmac.digest(self._key, said, "sha256").hex()

    def _model(self, question: Question) -> str:
        from grader.release.questions import model_answers

        try:
            return model_answers(self.assignment).get(question.id, "")
        except SpecError:
            return ""
