"""Marks by hand moved to where a question, a criterion or an item is called otherwise now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from grader.course.course_file import CourseFile
from grader.course.directory import Course
from grader.course.scheme import load_scheme
from grader.errors import UsageError
from grader.gradebook.hand_marks import Change, Fact, HandMark, Kind, Newest
from grader.gradebook.store import Gradebook
from grader.gradebook.strays import gives
from grader.points import show
from grader.suggestions import did_you_mean

_NAMED = 5


@dataclass(frozen=True)
class Moved:
    """How many marks, and whose; `recorded` unless it was only tried."""

    marks: int
    students: tuple[str, ...]
    recorded: bool


def move_marks(
    course: Course,
    old: str,
    new: str,
    *,
    of: str = "",
    who: str,
    why: str = "",
    dry_run: bool = False,
) -> Moved:
    """Move everybody's marks; what they said stays in the history, under both names.

    Args:
        course: the course.
        old, new: ids of questions or criteria with `of`; else of items of the course file.
        of: the assignment or the item that they are in.
        who: who moves them.
        why: shown in the history.
        dry_run: check it all, and record nothing.

    Raises:
        UsageError: there are no such marks, there is no such place, or it has marks or other
            points already.
        GradebookError: somebody changed one of them meanwhile.
    """
    with Gradebook(course.database_url) as gradebook:
        newest = gradebook.hand_marks.newest()
        places = list(_places(course, old, new, of, newest))
        if not places:
            where = f" of {of}" if of else ""
            there = sorted({f.part if of else f.item for f in newest if not of or f.item == of})
            raise UsageError(
                f"there are no marks for {old!r}{where}", hint=did_you_mean(old, there)
            )
        _refuse_conflicts(places, newest, new)
        changes: list[Change] = []
        seen: dict[Fact, int] = {}
        for mark, target in places:
            changes += [Change(fact=mark.fact), replace(mark.says, fact=target)]
            seen |= {mark.fact: mark.id, target: newest[target].id if target in newest else 0}
        if not dry_run:
            reason = why or f"{old} is called {new} now"
            gradebook.hand_marks.record(changes, who=who, why=reason, seen=seen)
    students = tuple(sorted({mark.fact.student for mark, _ in places}))
    return Moved(len(places), students, not dry_run)


def _places(
    course: Course, old: str, new: str, of: str, newest: Newest
) -> Iterator[tuple[HandMark, Fact]]:
    """Each mark with the fact that it becomes, once it is known that the new place takes it."""
    if old == new:
        raise UsageError("OLD and NEW are the same")
    scheme = load_scheme(course) if course.course_file.is_file() else None
    for fact, mark in newest.items():
        if not gives(mark):
            continue
        of_question = fact.kind in (Kind.ANSWER, Kind.ADJUSTMENT)
        if of and fact.item == of and fact.part == old:
            _check_part(course, scheme, mark, new)
            yield mark, fact._replace(part=new)
        elif not of and fact.item == old and not of_question:
            _check_item(scheme, mark, new)
            yield mark, fact._replace(item=new)


def _check_part(course: Course, scheme: CourseFile | None, mark: HandMark, new: str) -> None:
    fact = mark.fact
    if fact.kind in (Kind.ANSWER, Kind.ADJUSTMENT):
        spec = course.assignment(fact.item).spec
        question = spec.question(new)
        known = [q.id for q in spec.questions]
        highest = None
        if question is not None:
            highest = question.manual if fact.kind is Kind.ANSWER else question.points
    else:
        item = scheme.item(fact.item) if scheme else None
        by_id = {c.id: c.points for c in item.rubric if not c.machine} if item else {}
        known, highest = list(by_id), by_id.get(new)
    if highest is None:
        raise UsageError(f"{fact.item} has no {new!r}", hint=did_you_mean(new, known))
    if fact.kind is Kind.ADJUSTMENT:
        if not highest:
            raise UsageError(f"{new} has no points from the tests to add to")
        return
    _check_points(mark, new, highest)


def _check_item(scheme: CourseFile | None, mark: HandMark, new: str) -> None:
    item = scheme.item(new) if scheme else None
    if item is None:
        known = [i.id for i in scheme.items] if scheme else []
        raise UsageError(f"there is no item {new!r}", hint=did_you_mean(new, known))
    part = mark.fact.part
    if part and part not in {c.id for c in item.rubric}:
        raise UsageError(f"the rubric of {new} has no criterion {part!r}")
    if not part and mark.fact.kind is Kind.POINTS:
        _check_points(mark, new, item.max_points)


def _check_points(mark: HandMark, new: str, highest: Decimal) -> None:
    then = mark.says.max_points
    if then is not None and then != highest:
        raise UsageError(
            f"{mark.fact.student} was marked out of {show(then)}, and {new} is out of "
            f"{show(highest)}",
            hint=f"Nothing was moved. Give {new} the same points, or mark it again.",
        )


def _refuse_conflicts(places: list[tuple[HandMark, Fact]], newest: Newest, new: str) -> None:
    taken = [t.student for _, t in places if t in newest and gives(newest[t])]
    if taken:
        more = f" and {len(taken) - _NAMED} more" if len(taken) > _NAMED else ""
        raise UsageError(
            f"{new} has marks of {', '.join(sorted(taken)[:_NAMED])}{more} already",
            hint="Nothing was moved. Look at them with `grader history`; take back those "
            "that are wrong.",
        )
