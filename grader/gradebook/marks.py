"""A student's mark for one item of the course, wherever it comes from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class Source(StrEnum):
    """Where a mark comes from."""

    MACHINE = "machine"
    HAND = "hand"
    IMPORT = "import"


@dataclass(frozen=True, kw_only=True)
class MarkedTry:
    """One of several tries of which the best counts, once it is known what its lateness costs.

    Attributes:
        number: the attempt's.
        points: None while a part waits for a person.
        machine_points: those of the suite: they decide while a part of any try waits.
    """

    number: int
    points: Decimal | None
    machine_points: Decimal
    handed_in: dt.datetime | None
    criteria: Mapping[str, Decimal] = field(default_factory=dict)
    waits_for: str = ""


@dataclass(frozen=True, kw_only=True)
class ItemMark:
    """What is known about one student and one item, before late days and weights.

    Attributes:
        item: its id in the course file.
        points: None while something is handed in and not marked, or not marked whole (a part
            that a person still has to give).
        handed_in: when, with its time zone; None where that is not known.
        excused: the item leaves the sum.
        criteria: points by the id of the rubric's criterion, or of the assignment's question.
        extended_to: a later due date for this student, granted with the marks.
        extra_points: that may come on top of `max_points`, for extra credit within it.
        waits_for: what is still missing where `points` is None, in a few words for people.
        attempt: which one it is of; 0 where there are no attempts.
        tries: where lateness decides which of several counts, all of them, oldest first; the mark
            is then that of the one which counts before lateness.
        last_counts: of these the last that was accepted counts, and not the best.
    """

    student: str
    item: str
    points: Decimal | None
    max_points: Decimal
    handed_in: dt.datetime | None = None
    excused: bool = False
    source: Source = Source.HAND
    criteria: Mapping[str, Decimal] = field(default_factory=dict)
    extended_to: dt.datetime | None = None
    extra_points: Decimal = Decimal(0)
    waits_for: str = ""
    attempt: int = 0
    tries: tuple[MarkedTry, ...] = ()
    last_counts: bool = False

    @property
    def is_work(self) -> bool:
        """Whether something was handed in or marked; else there are terms alone."""
        return self.points is not None or bool(self.criteria) or self.attempt > 0


@dataclass(frozen=True, kw_only=True)
class MarkEvent:
    """One line of the history of a student's marks: nothing is overwritten, so each is known.

    Attributes:
        item: its id in the course file.
        at: when the mark was made or changed.
        what: in words, such as "31.33 → 35 points".
        who: the person; empty for the machine.
        why: as the person gave it.
    """

    student: str
    item: str
    at: dt.datetime
    what: str
    who: str = ""
    why: str = ""
