"""Marks that people gave for what is no longer there: a renamed question, criterion or item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from grader.course.course_file import CourseFile
from grader.course.spec import AssignmentSpec
from grader.gradebook.adjustments import adjustment_notes
from grader.gradebook.hand_marks import Fact, HandMark, Kind, Newest
from grader.grading.verdict import Verdict
from grader.points import show

_OF_QUESTIONS = (Kind.ANSWER, Kind.ADJUSTMENT)
_SHOWN = 8


def gives(mark: HandMark) -> bool:
    """Tell whether a line gives something; else it takes back what was given."""
    says = mark.says
    return says.points is not None or says.moment is not None or says.excused


def stray_questions(assignment: str, spec: AssignmentSpec, newest: Newest) -> list[str]:
    """Say of how many students there are marks that no question of the assignment takes."""
    lost: Counter[str] = Counter()
    unfit: Counter[tuple[str, str, str]] = Counter()
    for _, part in sorted({(f.student, f.part) for f in _given(newest, assignment)}):
        lost[part] += spec.question(part) is None
    for fact, mark in newest.items():
        question = spec.question(fact.part)
        if fact.item != assignment or question is None or fact.kind is not Kind.ANSWER:
            continue
        if mark.says.points is not None and mark.says.max_points != question.manual:
            unfit[question.id, show(mark.says.max_points or Decimal(0)), show(question.manual)] += 1
    return [
        *(
            f"marks of {_students(count)} are for {part}, which {assignment} no longer has; "
            f"`grader move-marks {part} NEW --of {assignment}` moves them"
            for part, count in lost.items()
            if count
        ),
        *(
            f"answers of {_students(count)} to {part} were marked out of {then}, and it is now out "
            f"of {now}: they wait to be marked again"
            for (part, then, now), count in unfit.items()
        ),
    ]


def stray_items(scheme: CourseFile, newest: Newest) -> list[str]:
    """Say of how many students there are marks for items and criteria that are no longer there."""
    lost: dict[tuple[str, str], set[str]] = {}
    for fact, mark in newest.items():
        if fact.kind in _OF_QUESTIONS or not gives(mark):
            continue
        item = scheme.item(fact.item)
        if item is None:
            lost.setdefault((fact.item, ""), set()).add(fact.student)
        elif fact.part and fact.part not in {c.id for c in item.rubric}:
            lost.setdefault((fact.item, fact.part), set()).add(fact.student)
    return [
        f"marks of {_students(len(students))} are for {part}, which the rubric of {item} no longer "
        f"has; `grader move-marks {part} NEW --of {item}` moves them"
        if part
        else f"marks of {_students(len(students))} are for {item}, which course.toml no longer "
        f"has; `grader move-marks {item} NEW` moves them"
        for (item, part), students in sorted(lost.items())
    ]


def mark_notes(
    assignment: str, spec: AssignmentSpec, newest: Newest, verdicts: Sequence[Verdict] = ()
) -> list[str]:
    """Say all that a marker should know of an assignment's marks by hand.

    Args:
        assignment, spec, newest: of these.
        verdicts: those that count.
    """
    notes = [note for verdict in verdicts for note in adjustment_notes(verdict, newest)]
    if len(notes) > _SHOWN:
        notes = [*notes[:_SHOWN], f"and {len(notes) - _SHOWN} more adjustments that no longer fit"]
    return [*stray_questions(assignment, spec, newest), *notes]


def _given(newest: Newest, assignment: str) -> Iterator[Fact]:
    for fact, mark in newest.items():
        if fact.item == assignment and fact.kind in _OF_QUESTIONS and gives(mark):
            yield fact


def _students(count: int) -> str:
    return f"{count} student" if count == 1 else f"{count} students"
