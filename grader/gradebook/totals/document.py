"""Totals as one JSON document, for scripts; percents and points as exact decimals in text."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from grader.course.course_file import CourseFile
from grader.gradebook.marks import MarkEvent
from grader.gradebook.totals.need import Need, plainly
from grader.gradebook.totals.rounding import show_fraction
from grader.gradebook.totals.total_lines import ComponentTotal, ItemTotal, StudentTotal
from grader.points import show

FORMAT = 1


def totals_document(course: CourseFile, totals: Sequence[StudentTotal]) -> dict[str, Any]:
    """Return plain values: `total` and `letter` are null while anything waits for a mark.

    Percents and points are texts such as "79.22", rounded to hundredths, so that no reader makes
    a binary fraction of them; `total` has the course's own rounding.
    """
    return {
        "format": FORMAT,
        "course": {"title": course.title, "institution": course.institution, "term": course.term},
        "students": [_student(total) for total in totals],
    }


def need_document(found: Need) -> dict[str, Any]:
    """Return plain values: `percent` is null where the target is out of reach."""
    return {
        "target": found.target,
        "percent": _number(found.percent),
        "at_most": _number(found.at_most),
        "items": [
            {"item": i.item, "points": _number(i.points), "max_points": _number(i.max_points)}
            for i in found.items
        ],
        "said": plainly(found),
    }


def event_document(event: MarkEvent) -> dict[str, str]:
    """Return plain values of one line of the history."""
    return {
        "at": event.at.isoformat(),
        "item": event.item,
        "what": event.what,
        "who": event.who,
        "why": event.why,
    }


def _student(total: StudentTotal) -> dict[str, Any]:
    return {
        "student": total.student,
        "total": _number(total.total),
        "letter": total.letter,
        "so_far": _number(total.so_far),
        "at_least": _number(total.at_least),
        "at_most": _number(total.at_most),
        "failed": list(total.failed),
        "waiting": list(total.waiting),
        "grace_days_used": _number(total.grace_used),
        "grace_days_left": _number(total.grace_left),
        "components": [_component(component) for component in total.components],
    }


def _component(component: ComponentTotal) -> dict[str, Any]:
    return {
        "component": component.component,
        "title": component.title,
        "weight": _number(component.weight),
        "score_percent": None if component.score is None else _number(component.score * 100),
        "adds": _number(component.contribution),
        "items": [_item(item) for item in component.items],
    }


def _item(item: ItemTotal) -> dict[str, Any]:
    return {
        "item": item.item,
        "title": item.title,
        "state": str(item.state),
        "points": _number(item.points),
        "max_points": _number(item.max_points),
        "earned": _number(item.earned),
        "due": item.due.isoformat() if item.due else None,
        "attempt": item.attempt or None,
        "handed_in": item.handed_in.isoformat() if item.handed_in else None,
        "days_late": _number(item.days_late),
        "grace_days": _number(item.grace_days),
        "percent_off": _number(item.percent_off),
        "refused": item.refused,
        "weight": _number(item.weight),
        "adds": _number(item.contribution),
        "must_pass": item.must_pass,
        "passed": item.passed,
        "extra_credit": item.extra_credit,
        "criteria": [
            {
                "title": c.title,
                "points": _number(c.points),
                "max_points": _number(c.max_points),
            }
            for c in item.criteria
        ],
        "why": item.why,
    }


def _number(value: Decimal | Fraction | None) -> str | None:
    if value is None:
        return None
    return show(value) if isinstance(value, Decimal) else show_fraction(value)
