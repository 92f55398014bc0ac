"""Why a line of a total is what it is, in a sentence for people."""

from __future__ import annotations

from fractions import Fraction

from grader.course.course_file import CourseFile
from grader.gradebook.totals.entries import Entry
from grader.gradebook.totals.rounding import show_fraction
from grader.gradebook.totals.total_lines import ItemTotal, State
from grader.points import show


def reason(total: ItemTotal, entry: Entry, course: CourseFile) -> str:
    """Say what happened to an item: dropped, excused, late, refused, failed; else nothing."""
    said = [_state(total, entry), lateness_words(total, entry, course), _passing(total, entry)]
    if entry.mark and len(entry.mark.tries) > 1 and entry.counts:
        number = [t.number for t in entry.mark.tries].index(entry.attempt) + 1
        said.append(f"Try {number} of {len(entry.mark.tries)}: the best after late days.")
    if entry.extended and entry.due and entry.item.due:
        local = entry.due.astimezone(course.zone)
        said.insert(0, f"Extended to {local:%-d %B %Y, %H:%M}.")
    return " ".join(part for part in said if part)


def _state(total: ItemTotal, entry: Entry) -> str:
    match total.state:
        case State.EXCUSED:
            return "Excused: it is not in the sum."
        case State.WAITS:
            told = entry.mark.waits_for if entry.mark else ""
            handed = "Handed in, not marked yet" if entry.mark else "No mark yet"
            return f"{told or handed}: not in the sum so far."
        case State.MISSING:
            return "Not handed in: 0 points."
        case State.DROPPED:
            component = entry.component
            if component.best is not None:
                return f"Dropped: the best {component.best} count."
            return f"Dropped: the lowest {component.drop} do not count."
    return "Extra credit, on top of the sum." if total.extra_credit else ""


def lateness_words(total: ItemTotal, entry: Entry, course: CourseFile) -> str:
    """Say how late an item is and what that costs; empty where it is not late."""
    if not total.days_late:
        return ""
    late = _days(total.days_late)
    if total.refused:
        return f"{late} late: not accepted, 0 points."
    if not total.grace_days and not total.percent_off:
        free = "" if course.late else " (the course file has no late policy)"
        dropped = total.state is State.DROPPED or not total.points
        return f"{late} late{'' if dropped else f': costs nothing{free}'}."
    parts = []
    if total.grace_days:
        parts.append(f"{_days(total.grace_days)} of grace")
    if total.percent_off:
        parts.append(f"{show_fraction(total.percent_off)} % off")
    return f"{late} late: {', '.join(parts)}."


def _passing(total: ItemTotal, entry: Entry) -> str:
    if not total.must_pass:
        return ""
    needed = show(entry.item.pass_mark or entry.item.max_points)
    if total.passed is None:
        return f"Must be passed, with {needed} points."
    return f"Passed ({needed} needed)." if total.passed else f"Not passed: {needed} points needed."


def _days(number: Fraction) -> str:
    if number.denominator != 1:
        hours = number * 24
        return f"{show_fraction(hours)} {'hour' if hours == 1 else 'hours'}"
    return f"{number} {'day' if number == 1 else 'days'}"
