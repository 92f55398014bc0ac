"""What goes out: one column of points for students."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from grader.gradebook.changed import changed
from grader.gradebook.group_marks import mark_of_member
from grader.gradebook.marks import ItemMark


@dataclass(frozen=True)
class ExportScore:
    """One student's points; without any, `why` says what they wait for."""

    points: Decimal | None
    excused: bool = False
    why: str = ""


@dataclass(frozen=True)
class Column:
    """An item (or the total), and everybody's score."""

    id: str
    title: str
    max_points: Decimal
    scores: Mapping[str, ExportScore]


def item_column(
    item: str,
    title: str,
    max_points: Decimal,
    marks: Iterable[ItemMark],
    groups: Mapping[str, Iterable[str]],
) -> Column:
    """Return an item's column; who has no mark gets that of the group, where it has but one.

    Args:
        item, title, max_points: of the item.
        marks: of everybody, for any items.
        groups: by student, the members of the group for this item.
    """
    own = {mark.student: mark for mark in marks if mark.item == item}
    scores = {student: _score(mark) for student, mark in own.items()}
    for student, members in groups.items():
        # Points go out as they were given: when each member handed in makes no difference.
        others = [
            changed(own[m], handed_in=None) for m in sorted(members) if m in own and m != student
        ]
        mark = mark_of_member(student, own.get(student), others)
        if mark is not None:
            scores[student] = _score(mark)
    return Column(item, title, max_points, dict(sorted(scores.items())))


def _score(mark: ItemMark) -> ExportScore:
    if mark.excused:
        return ExportScore(None, excused=True)
    return ExportScore(mark.points, why=mark.waits_for or "not marked yet")
