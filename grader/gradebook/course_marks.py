"""Everybody's marks for the items of a course, from suites, people and imports."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from grader.course.components import Criterion, Item
from grader.course.course_file import CourseFile
from grader.course.directory import Course
from grader.course.scheme import load_scheme
from grader.gradebook.adjustments import all_adjusted
from grader.gradebook.changed import changed
from grader.gradebook.counting import Counts, counted, may_be_refused, tries_of
from grader.gradebook.hand_marks import Fact, HandMark, Kind, MarkReader, Newest
from grader.gradebook.machine_marks import item_mark, unjudged_mark
from grader.gradebook.marks import ItemMark, MarkedTry, Source
from grader.gradebook.store import Gradebook
from grader.gradebook.strays import gives
from grader.grading.verdict import Outcome, QuestionMark, Verdict
from grader.points import show

NOT_MARKED = "Not marked yet"
_FEW = 20
"""So many students are read one by one; where more are wanted, the whole class is."""
_OF_AN_ITEM = (Kind.POINTS, Kind.HANDED_IN, Kind.EXCUSED, Kind.EXTENSION)


def course_marks(
    course: Course,
    gradebook: Gradebook,
    *,
    scheme: CourseFile | None = None,
    marks: MarkReader | None = None,
    students: Collection[str] | None = None,
) -> list[ItemMark]:
    """Return what is known of each student and item, sorted; at most one mark for each.

    Points that a person gave for the whole item hold over everything else. Else a rubric's are the
    sum of its criteria, and an assignment's those of the suite and of the written answers. While
    one part is missing there are no points, and the mark says what it waits for.

    Args:
        course: with its course file.
        gradebook: of that course.
        scheme: the course file, where it has been read already.
        marks: what is to be known of what people said; default: all of it.
        students: who is wanted; others' marks are left out where these are few.
    """
    scheme = scheme or load_scheme(course)
    if students is not None and len(students) > _FEW:
        students = None
    newest = _said(marks or gradebook.hand_marks, students)
    verdicts = dict(_tries(course, scheme, gradebook, newest, students))
    unjudged = dict(_unjudged(scheme, gradebook, verdicts, students))
    known = {item.id for item in scheme.items}
    pairs = (
        verdicts.keys()
        | unjudged.keys()
        | {
            (fact.student, fact.item)
            for fact, mark in newest.items()
            if fact.kind in _OF_AN_ITEM and fact.item in known and gives(mark)
        }
    )
    return [
        _of_tries(
            student, item, verdicts.get((student, item.id), ()), newest, _counts(course, item)
        )
        if (student, item.id) not in unjudged
        else _with_people(unjudged[student, item.id], item, None, newest)
        for student, identifier in sorted(pairs)
        if (item := scheme.item(identifier)) is not None
    ]


def joined(student: str, item: Item, verdict: Verdict | None, newest: Newest) -> ItemMark:
    """Join what the machine and people say about one student and one item."""
    mark = item_mark(item, verdict) if verdict else _blank(student, item)
    return _with_people(mark, item, verdict, newest)


def _with_people(mark: ItemMark, item: Item, verdict: Verdict | None, newest: Newest) -> ItemMark:
    if item.rubric:
        mark = _with_rubric(mark, item, newest)
    elif verdict is not None and verdict.outcome.is_mark and mark.points is None:
        mark = _with_answers(mark, verdict, newest)
    whole = newest.get(Fact(student=mark.student, item=item.id, kind=Kind.POINTS))
    if whole is not None and whole.says.points is not None:
        mark = changed(
            mark,
            points=whole.says.points,
            max_points=whole.says.max_points or item.max_points,
            source=whole.source,
            waits_for="",
        )
    return _with_terms(mark, newest)


def answer_sha256(verdict: Verdict, question: str) -> str:
    """Return what tells one written answer from another."""
    text = verdict.answers.get(question, "")
    place = verdict.answer_places.get(question)
    if place is not None and place.pictures:  # the same words under another picture
        text = f"{text}\0{place.pictures}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def answer_mark(verdict: Verdict, question: QuestionMark, newest: Newest) -> HandMark | None:
    """Return the mark of a written answer, if it is of this very answer and for these points."""
    fact = Fact(
        student=verdict.student, item=verdict.assignment, kind=Kind.ANSWER, part=question.id
    )
    mark = newest.get(fact)
    if mark is None or mark.says.points is None:
        return None
    same = mark.says.answer_sha256 == answer_sha256(verdict, question.id)
    return mark if same and mark.says.max_points == question.manual_points else None


def marked_answers(verdict: Verdict, newest: Newest) -> dict[str, tuple[Decimal, str]]:
    """Return points and comment by question, where this very answer was marked."""
    found = {}
    for question in verdict.questions:
        mark = answer_mark(verdict, question, newest)
        if mark is not None and mark.says.points is not None:
            found[question.id] = (mark.says.points, mark.says.comment)
    return found


def _said(marks: MarkReader, students: Collection[str] | None) -> Newest:
    if students is None:
        return marks.newest()
    return {fact: mark for s in students for fact, mark in marks.newest(student=s).items()}


def _tries(
    course: Course,
    scheme: CourseFile,
    gradebook: Gradebook,
    newest: Newest,
    students: Collection[str] | None,
) -> Iterator[tuple[tuple[str, str], list[Verdict]]]:
    """The tries of which one counts, by lateness; where that decides nothing, this one alone."""
    for item in scheme.items:
        if item.assignment is not None:
            counts = _counts(course, item)
            tried = all_adjusted(_verdicts(gradebook, item.assignment, students), newest)
            for student, tries in tries_of(tried).items():
                open_ = may_be_refused(tries[-1], item.due)
                if counts == "best":
                    open_ = all(verdict.outcome.is_mark for verdict in tries)
                yield (student, item.id), tries if open_ else counted(tries, counts)


def _counts(course: Course, item: Item) -> Counts:
    return course.assignment(item.assignment).spec.attempts.counts if item.assignment else "last"


def _verdicts(
    gradebook: Gradebook, assignment: str, students: Collection[str] | None
) -> Iterable[Verdict]:
    if students is None:
        return gradebook.briefs(assignment).values()
    return [entry.verdict for entry in gradebook.tried(assignment, students=students)]


def _unjudged(
    scheme: CourseFile,
    gradebook: Gradebook,
    verdicts: Mapping[tuple[str, str], Sequence[Verdict]],
    students: Collection[str] | None,
) -> Iterator[tuple[tuple[str, str], ItemMark]]:
    """The marks of who handed in through the desk and has no verdict: open, and not missing."""
    for item in scheme.items:
        if item.assignment is None:
            continue
        for student, one in gradebook.unjudged(item.assignment).items():
            wanted = students is None or student in students
            if wanted and (student, item.id) not in verdicts:
                yield (student, item.id), unjudged_mark(item, one)


def _of_tries(
    student: str, item: Item, tries: Sequence[Verdict], newest: Newest, counts: Counts
) -> ItemMark:
    """Join what is known of each try; totals choose, who know what lateness costs."""
    if len(tries) < 2:
        return joined(student, item, tries[0] if tries else None, newest)
    marks = {
        verdict.submission.attempt: joined(student, item, verdict, newest) for verdict in tries
    }
    (chosen,) = counted(tries, counts)
    mark = marks[chosen.submission.attempt]
    by_hand = newest.get(Fact(student=student, item=item.id, kind=Kind.POINTS))
    if by_hand is not None and by_hand.says.points is not None:
        return mark
    return changed(
        mark,
        last_counts=counts == "last",
        tries=tuple(
            MarkedTry(
                number=verdict.submission.attempt,
                points=(one := marks[verdict.submission.attempt]).points,
                machine_points=verdict.points,
                handed_in=one.handed_in,
                criteria=one.criteria,
                waits_for=one.waits_for,
            )
            for verdict in tries
        ),
    )


def _blank(student: str, item: Item) -> ItemMark:
    return ItemMark(
        student=student,
        item=item.id,
        points=None,
        max_points=item.max_points,
        waits_for=NOT_MARKED,
    )


def _with_rubric(mark: ItemMark, item: Item, newest: Newest) -> ItemMark:
    criteria, missing = dict(mark.criteria), []
    for criterion in item.rubric:
        if criterion.machine:
            if criterion.id not in criteria:
                missing.append(f"{criterion.title} (from the tests)")
            continue
        given = newest.get(
            Fact(student=mark.student, item=item.id, kind=Kind.POINTS, part=criterion.id)
        )
        if given is None or given.says.points is None:
            missing.append(criterion.title)
        elif given.says.max_points != criterion.points:
            missing.append(_marked_out_of(criterion, given.says.max_points))
        else:
            criteria[criterion.id] = given.says.points
    whole = not missing
    return changed(
        mark,
        criteria=criteria,
        points=sum(criteria.values(), Decimal(0)) if whole else None,
        source=Source.HAND,
        waits_for="" if whole else f"Waits for: {', '.join(missing)}",
    )


def _marked_out_of(criterion: Criterion, max_points: Decimal | None) -> str:
    return (
        f"{criterion.title} (marked out of {show(max_points or Decimal(0))}, "
        f"now of {show(criterion.points)})"
    )


def _with_answers(mark: ItemMark, verdict: Verdict, newest: Newest) -> ItemMark:
    criteria, missing = dict(mark.criteria), []
    for question in verdict.questions:
        if not question.manual_points:
            continue
        given = answer_mark(verdict, question, newest)
        if given is None or given.says.points is None:
            missing.append(question.id)
        else:
            criteria[question.id] = criteria.get(question.id, Decimal(0)) + given.says.points
    if missing or verdict.outcome is not Outcome.GRADED:
        waits = f"Written answers to be read: {', '.join(missing)}" if missing else mark.waits_for
        return changed(mark, criteria=criteria, waits_for=waits)
    points = sum(criteria.values(), Decimal(0))
    return changed(mark, criteria=criteria, points=points, waits_for="")


def _with_terms(mark: ItemMark, newest: Newest) -> ItemMark:
    """When it was handed in, whether it is excused, and until when it is extended."""

    def said(kind: Kind) -> HandMark | None:
        return newest.get(Fact(student=mark.student, item=mark.item, kind=kind))

    handed_in, excused, extended = map(said, (Kind.HANDED_IN, Kind.EXCUSED, Kind.EXTENSION))
    if handed_in is not None and handed_in.says.moment is not None:
        mark = changed(mark, handed_in=handed_in.says.moment)
    if excused is None and extended is None:
        return mark
    return changed(
        mark,
        excused=bool(excused and excused.says.excused),
        extended_to=extended.says.moment if extended else None,
    )
