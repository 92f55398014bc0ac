"""Which mark a member of a group has: one rule for totals, pages and files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grader.gradebook.changed import changed
from grader.gradebook.marks import ItemMark

DIFFERENT = "The members of the group have different marks and this one has none"


def mark_of_member(
    student: str, own: ItemMark | None, others: Iterable[ItemMark]
) -> ItemMark | None:
    """Return the mark of a student for an item that is handed in by groups.

    Whoever has work of their own keeps its mark; everybody else has the group's. An excuse, a later
    date and a time that a person wrote down are one member's own, and no work: who has only these
    has the group's mark on these terms.

    Args:
        student: whose mark it is.
        own: what is known of the student alone.
        others: what is known of the other members, in a fixed order.
    """
    if own is not None and (own.excused or own.is_work):
        return own
    there = [mark for mark in others if not mark.excused]
    work = [mark for mark in there if mark.is_work]
    if not work and own is None:  # a person wrote down when it was handed in; no mark yet
        work = [mark for mark in there if mark.handed_in is not None]
    if not work:
        return own
    mark = changed(_the_one_mark(work), student=student, extended_to=None)
    return mark if own is None else _on_terms_of(mark, own)


def _the_one_mark(marks: Sequence[ItemMark]) -> ItemMark:
    if len({(mark.points, mark.handed_in) for mark in marks}) == 1:
        return marks[0]
    return changed(marks[0], points=None, tries=(), waits_for=DIFFERENT)


def _on_terms_of(mark: ItemMark, own: ItemMark) -> ItemMark:
    mark = changed(mark, extended_to=own.extended_to)
    if own.handed_in is None:
        return mark
    tries = tuple(changed(one, handed_in=own.handed_in) for one in mark.tries)
    return changed(mark, handed_in=own.handed_in, tries=tries)
