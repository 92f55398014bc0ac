"""Mark written answers one by one: which there are, in which order, and what a save records."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader.course.directory import Assignment, Course
from grader.course.secret import kept_secret
from grader.course.spec import Question
from grader.errors import SpecError, UsageError
from grader.gradebook.course_marks import answer_sha256
from grader.gradebook.hand_marks import Change, Fact, HandMark, Kind
from grader.gradebook.rubric_items import Marking, RubricItem, RubricItems, points_of
from grader.gradebook.store import Gradebook
from grader.grading.verdict import Outcome, Verdict
from grader.report.answers_page import AnswerSheet, GivenAnswer, answers_page
from grader.report.marks import place_words

_KEY = ".marking.key"


@dataclass(frozen=True, kw_only=True)
class AnswerRef:
    """One answer. `ref` names it in addresses, so that no student's name is in one.

    `points` are None before it is marked; `mark` is the line of the record that says so.
    """

    ref: str
    student: str
    attempt: int
    entry: int
    sha256: str
    is_empty: bool
    points: Decimal | None = None
    mark: HandMark | None = None


@dataclass(frozen=True, kw_only=True)
class _Read:
    """What is kept of a verdict between two looks."""

    student: str
    attempt: int
    graded: bool
    points: Decimal
    answers: Mapping[str, tuple[str, bool]]
    worth: Mapping[str, Decimal]


class AnswerMarking:
    """The written answers of one assignment, for whoever marks them.

    Verdicts are read once and kept, since they never change: the next answer costs no more with a
    class of fifteen hundred.

    Attributes:
        assignment: as it was when this was made.
    """

    def __init__(self, course: Course, assignment: Assignment, gradebook: Gradebook) -> None:
        self.assignment = assignment
        self._gradebook = gradebook
        self._course = course
        self._read: dict[int, _Read] = {}
        self._key = kept_secret(course.root / _KEY, of="the order of answers")

    @property
    def items(self) -> RubricItems:
        """The rubric items."""
        return RubricItems(self._gradebook.engine)

    def questions(self) -> list[Question]:
        """Return the questions that a person marks."""
        return [q for q in self.assignment.spec.questions if q.manual]

    def question(self, identifier: str) -> Question | None:
        """Return one of them, or None."""
        return next((q for q in self.questions() if q.id == identifier), None)

    def answers(self, question: Question, *, marker: str) -> list[AnswerRef]:
        """Return everybody's answer, in an order that is this marker's own for this question.

        Whoever is marked late in a pile gets less: so the pile is another one for each question
        and marker, and stays the same from day to day.
        """
        self._refresh()
        newest = self._gradebook.hand_marks.newest(item=self.assignment.name)
        found = []
        for number, one in self._counting().items():
            if question.id not in one.answers:
                continue
            sha256, is_empty = one.answers[question.id]
            fact = self._fact(one.student, question)
            mark = newest.get(fact)
            holds = (
                mark is not None
                and mark.says.points is not None
                and mark.says.answer_sha256 == sha256
                and mark.says.max_points == one.worth[question.id]
            )
            found.append(
                AnswerRef(
                    ref=self._digest(question.id, one.student)[:16],
                    student=one.student,
                    attempt=one.attempt,
                    entry=number,
                    sha256=sha256,
                    is_empty=is_empty,
                    points=mark.says.points if holds and mark else None,
                    mark=mark,
                )
            )
        return sorted(found, key=lambda a: self._digest(question.id, marker, a.student))

    def page(self, answer: AnswerRef, question: Question, shown_as: str) -> str:
        """Return what stands beside the form: the answer, the findings, model and rubric."""
        entry = self._gradebook.entry(answer.entry)
        if entry is None:
            raise UsageError("the answer is not there any more")
        verdict = entry.verdict
        mark = next((m for m in verdict.questions if m.id == question.id), None)
        given = GivenAnswer(
            shown_as=shown_as,
            text=verdict.answers.get(question.id, ""),
            place=place_words(verdict, question.id),
            at=verdict.answer_places.get(question.id),
            notebook=lambda: self._gradebook.executed_notebook(verdict),
            tests=tuple(t for t in verdict.tests if t.question == question.id),
            machine_points=mark.points if mark else Decimal(0),
            points=answer.points,
        )
        sheet = AnswerSheet(question=question, answers=[given], model=self._model(question))
        return answers_page(
            [sheet],
            spec=self.assignment.spec,
            anonymous=True,
            alone=True,
            template_dirs=self._course.template_dirs,
        )

    def save(
        self,
        question: Question,
        answers: Sequence[AnswerRef],
        *,
        items: Collection[int],
        adjustment: Decimal,
        comment: str,
        who: str,
        seen: int,
        now: dt.datetime,
    ) -> Decimal:
        """Record the points of an answer, and of those that are the same to the letter.

        Args:
            question: that they answer.
            answers: the first is the one that was looked at; the others get the same.
            items: the rubric items that hold.
            adjustment: points beside the items.
            comment: for the student.
            who: the marker.
            seen: the line of the record that the marker saw of the first (0: none).
            now: when.

        Returns the points.

        Raises:
            GradebookError: somebody else marked it meanwhile.
            UsageError: an item is not one of the question's.
        """
        known = [i for i in self.items.of(self.assignment.name, question.id) if not i.retired]
        unknown = set(items) - {item.id for item in known}
        if unknown:
            raise UsageError(
                "an item of the rubric was taken away meanwhile", hint="Load the page again."
            )
        points = points_of(known, items, adjustment, question.manual)
        changes = [self._change(question, one, points, comment) for one in answers]
        first = self._fact(answers[0].student, question)
        self._gradebook.hand_marks.record(changes, who=who, why="marked", seen={first: seen})
        markings = [
            Marking(
                student=one.student,
                answer_sha256=one.sha256,
                items=tuple(sorted(items)),
                adjustment=adjustment,
                who=who,
            )
            for one in answers
        ]
        self.items.put_markings(self.assignment.name, question.id, markings, now=now)
        return points

    def rescored(
        self, question: Question, item: RubricItem, *, marker: str
    ) -> list[tuple[AnswerRef, Decimal]]:
        """Return whose points would be others if an item were as given, with these points."""
        old = self.items.of(self.assignment.name, question.id)
        new = [item if one.id == item.id else one for one in old]
        live = [one for one in new if not one.retired]
        markings = self.items.markings(self.assignment.name, question.id)
        found = []
        for answer in self.answers(question, marker=marker):
            marking = markings.get(answer.student)
            if answer.points is None or marking is None:
                continue
            if marking.answer_sha256 != answer.sha256:
                continue
            points = points_of(live, marking.items, marking.adjustment, question.manual)
            if points != answer.points:
                found.append((answer, points))
        return found

    def change_item(
        self, question: Question, item: RubricItem, *, who: str
    ) -> list[tuple[AnswerRef, Decimal]]:
        """Change an item, and the points of everybody whose answer has it; return whose."""
        changed = self.rescored(question, item, marker=who)
        self.items.change(item.id, says=item.says, points=item.points, retired=item.retired)
        changes = []
        for answer, points in changed:
            comment = answer.mark.says.comment if answer.mark else ""
            changes.append(self._change(question, answer, points, comment))
        self._gradebook.hand_marks.record(
            changes, who=who, why=f"the rubric item changed: {item.says}"
        )
        return changed

    def having(self, question: Question, item: int, *, marker: str) -> list[AnswerRef]:
        """Return the answers that have an item."""
        markings = self.items.markings(self.assignment.name, question.id)
        return [
            answer
            for answer in self.answers(question, marker=marker)
            if (own := markings.get(answer.student))
            and item in own.items
            and own.answer_sha256 == answer.sha256
        ]

    def by_marker(self, question: Question) -> Counter[str]:
        """Return how many answers each marker has marked."""
        marked = self.answers(question, marker="")
        return Counter(a.mark.who for a in marked if a.points is not None and a.mark)

    def _change(
        self, question: Question, answer: AnswerRef, points: Decimal, comment: str
    ) -> Change:
        return Change(
            fact=self._fact(answer.student, question),
            points=points,
            max_points=question.manual,
            comment=comment,
            answer_sha256=answer.sha256,
        )

    def _fact(self, student: str, question: Question) -> Fact:
        return Fact(student=student, item=self.assignment.name, kind=Kind.ANSWER, part=question.id)

    def _digest(self, *parts: str) -> str:
        said = "\0".join((self.assignment.name, *parts)).encode("utf-8", "replace")
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()

    def _refresh(self) -> None:
        names = self._gradebook.entry_names(self.assignment.name)
        numbers = {int(name.rpartition(" ")[2]) for name in names.values()}
        for number in numbers - set(self._read):
            entry = self._gradebook.entry(number)
            if entry is not None:
                self._read[number] = _read(entry.verdict)
        for number in set(self._read) - numbers:
            del self._read[number]

    def _counting(self) -> dict[int, _Read]:
        """By entry, the try that counts of each student."""
        best = self.assignment.spec.attempts.counts == "best"
        chosen: dict[str, tuple[int, _Read]] = {}
        for number, one in sorted(self._read.items(), key=lambda pair: pair[1].attempt):
            before = chosen.get(one.student)
            if one.graded and not (best and before and before[1].points >= one.points):
                chosen[one.student] = (number, one)
        return dict(chosen.values())

    def _model(self, question: Question) -> str:
        from grader.release.questions import model_answers

        try:
            return model_answers(self.assignment).get(question.id, "")
        except SpecError:
            return ""


def _read(verdict: Verdict) -> _Read:
    by_hand = [q for q in verdict.questions if q.manual_points]
    return _Read(
        student=verdict.student,
        attempt=verdict.submission.attempt,
        graded=verdict.outcome is Outcome.GRADED,
        points=verdict.points,
        answers={
            q.id: (answer_sha256(verdict, q.id), not verdict.answers.get(q.id, "").strip())
            for q in by_hand
        },
        worth={q.id: q.manual_points for q in by_hand},
    )
