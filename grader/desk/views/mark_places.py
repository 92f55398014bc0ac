"""What the addresses of marking name: a question, an answer, an item; and what its forms say."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

from grader.api.answer_marking import AnswerMarking, Marks, turn
from grader.api.second_looks import SecondMarking
from grader.course.roster import ROSTER_NAME
from grader.course.spec import Question
from grader.desk.forms import points_in
from grader.desk.kept import file_stamp
from grader.desk.may import Action, Thing, may
from grader.desk.routing import NotFound, Visit, whole_number
from grader.desk.views.course import assignment_of
from grader.gradebook.answer_list import AnswerRef, PiledAnswer
from grader.gradebook.rubric_items import RubricItem
from grader.gradebook.second_looks import SecondLook

MARK = "/c/{course}/a/{assignment}/mark"
QUESTION = f"{MARK}/{{question}}"
_MOST_WORDS = 5_000
Answer = TypeVar("Answer", AnswerRef, PiledAnswer)


def marking_of(visit: Visit) -> AnswerMarking:
    """Return the answers of the assignment in the address; read once a request."""
    marking: AnswerMarking | None = visit.kept.get("marking")
    if marking is None:
        marking = visit.course.marking(assignment_of(visit))
        visit.kept["marking"] = marking
    return marking


def question_of(visit: Visit) -> tuple[AnswerMarking, Question]:
    """Return the question in the address, which a person marks."""
    marking = marking_of(visit)
    question = marking.question(visit.named("question"))
    if question is None:
        raise NotFound
    return marking, question


def tested_question_of(visit: Visit) -> tuple[AnswerMarking, Question]:
    """Return the question in the address, which has points of tests."""
    marking = marking_of(visit)
    for question in marking.tested_questions():
        if question.id == visit.named("tested"):
            return marking, question
    raise NotFound


def answer_of(visit: Visit) -> tuple[AnswerMarking, Question, AnswerRef]:
    """Return the answer in the address."""
    marking, question = question_of(visit)
    answer: AnswerRef | None = visit.kept.get("answer")
    if answer is None:
        answer = visit.kept["answer"] = marking.answer(question, visit.named("ref"))
    if answer is None:
        raise NotFound
    return marking, question, answer


def tested_answer_of(visit: Visit) -> tuple[AnswerMarking, Question, AnswerRef]:
    """Return the work in the address on a question with tests."""
    marking, question = tested_question_of(visit)
    answer = marking.answer(question, visit.named("work"), tested=True)
    if answer is None:
        raise NotFound
    return marking, question, answer


def item_of(visit: Visit) -> tuple[AnswerMarking, Question, RubricItem]:
    """Return the rubric item in the address."""
    marking, question = question_of(visit)
    number = whole_number(visit.named("item"))
    rubric = marking.items.rubric(marking.assignment.name, question.id)
    item = rubric.item(number) if number is not None else None
    if item is None:
        raise NotFound
    return marking, question, item


def of_question(visit: Visit) -> Thing:
    """A question that is there."""
    question_of(visit)
    return Thing()


def of_tested_question(visit: Visit) -> Thing:
    """A question with tests that is there."""
    tested_question_of(visit)
    return Thing()


def of_item(visit: Visit) -> Thing:
    """A rubric item that is there."""
    item_of(visit)
    return Thing()


def whose_answer(visit: Visit) -> Thing:
    """The answer is its student's, whom the page does not name."""
    answer = answer_of(visit)[2]
    return Thing(student=answer.student, section=visit.course.section_of(answer.student))


def whose_tested_answer(visit: Visit) -> Thing:
    """The work is its student's, whom the page does not name."""
    answer = tested_answer_of(visit)[2]
    return Thing(student=answer.student, section=visit.course.section_of(answer.student))


def answers_for(visit: Visit, marking: AnswerMarking, question: Question) -> list[AnswerRef]:
    """Return the answers that this marker may see, in this marker's order; read once a request."""
    key = f"answers to {question.id}"
    found: list[AnswerRef] | None = visit.kept.get(key)
    if found is None:
        found = own_section(visit, marking, marking.answers(question, marker=visit.me.person))
        visit.kept[key] = found
    return found


def pile_for(visit: Visit, marking: AnswerMarking, question: Question) -> tuple[str, ...]:
    """Return the names of the same answers in the same order, most of it kept between requests."""
    found = shuffled_for(visit, marking, question)
    shares = marking.table.shared(question.id)
    if not shares:
        return found
    return tuple(sorted(found, key=lambda ref: turn(shares.get(ref, ""), visit.me.person)))


def shuffled_for(visit: Visit, marking: AnswerMarking, question: Question) -> tuple[str, ...]:
    """Return them in this marker's order, whoever's share they are; kept between requests."""
    me, course = visit.me, visit.course
    roster = file_stamp(course.course.root / ROSTER_NAME) if me.section else None

    def make() -> tuple[str, ...]:
        pile = own_section(visit, marking, marking.shuffled(question, marker=me.person))
        return tuple(answer.ref for answer in pile)

    name = (marking.assignment.name, question.id, me.person, me.section)
    return course.piles.get(name, (marking.state, roster), make)


def place_in(pile: Sequence[str], answer: AnswerRef) -> int:
    """Return where an answer is in a pile; at its end where it has come this very moment."""
    return pile.index(answer.ref) if answer.ref in pile else len(pile)


def own_section(visit: Visit, marking: AnswerMarking, answers: list[Answer]) -> list[Answer]:
    """Return those that this marker may see: a section's, where the marker has one."""
    own = visit.me.section
    if not own:
        return answers
    sections = marking.sections()
    return [a for a in answers if sections.get(a.student, "") == own]


def second_looks(marking: AnswerMarking) -> SecondMarking:
    """Return the second looks of an assignment."""
    return SecondMarking(marking)


def look_at(
    visit: Visit, marking: AnswerMarking, question: Question, answer: AnswerRef
) -> SecondLook | None:
    """Return the second look at an answer, or None; read once a request."""
    if "look" not in visit.kept:
        visit.kept["look"] = second_looks(marking).at(question, answer)
    found: SecondLook | None = visit.kept["look"]
    return found


def leads(visit: Visit) -> bool:
    """Whether this person changes rubrics, divides the work and decides."""
    return may(visit.me, Action.LEAD_MARKING, Thing())


def marks_of(visit: Visit) -> Marks:
    """Return what the form says: items, points beside them, comment."""
    return Marks(
        items=chosen_items(visit),
        adjustment=points_said(visit, "adjustment"),
        comment=comment_said(visit),
    )


def chosen_items(visit: Visit) -> list[int]:
    """Return the rubric items that are ticked."""
    given = [whole_number(i) for i in visit.form.getlist("item") if isinstance(i, str)]
    return sorted({number for number in given if number is not None})


def comment_said(visit: Visit) -> str:
    """Return the comment for the student."""
    return visit.said("comment", _MOST_WORDS)


def points_said(visit: Visit, field: str) -> Decimal:
    """Return a field's points; none where it is empty.

    Raises:
        UsageError: it is no number of points.
    """
    return points_in(visit.said(field, 20))


def address(visit: Visit, question: Question, *more: str) -> str:
    """Return the address of a question's marking, or of what is below it."""
    name = visit.named("assignment")
    return "/".join((f"/c/{visit.course.slug}/a/{name}/mark/{question.id}", *more))
