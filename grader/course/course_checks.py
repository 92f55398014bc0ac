"""What the types of a course file cannot say: sums, names that must be known, and bounds."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from grader.course.components import Component, Criterion, Item
from grader.course.course_file import CourseFile
from grader.course.policy import AppealRules, LatePolicy, Letters
from grader.course.strict_toml import wrong_key
from grader.points import show

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_STEPS = (Decimal(10), Decimal(5), Decimal(1), Decimal("0.5"), Decimal("0.1"), Decimal("0.01"))


def check_course(course: CourseFile, path: Path, left_open: frozenset[str]) -> None:
    """Raise the first fault of a course file; what is left open is not missed.

    Raises:
        SpecError: names the file, the key and what was expected.
    """
    for key, what in _faults(course, left_open):
        raise wrong_key(path, key, what)


_Faults = Iterator[tuple[str, str]]


def _faults(course: CourseFile, left_open: frozenset[str]) -> _Faults:
    if course.left_open:
        yield "left_open", 'no such key; write "open" in place of a value that is not known yet'
    if course.timezone is not None and not _is_zone(course.timezone):
        yield "timezone", f"expected a name such as Europe/Istanbul, got {course.timezone!r}"
    if course.cap is not None and course.cap < 100:
        yield "cap", f"expected 100 or more, got {show(course.cap)}"
    yield from _ids(course)
    for index, component in enumerate(course.components):
        yield from _component(component, f"components[{index}]", course, left_open)
    yield from _total_weight(course, left_open)
    if course.late is not None:
        yield from _late(course.late, course, left_open)
    yield from _extensions(course)
    if course.rounding.to not in _STEPS:
        steps = ", ".join(show(s) for s in _STEPS)
        yield "rounding.to", f"expected one of {steps}, got {show(course.rounding.to)}"
    if course.letters is not None:
        yield from _letters(course.letters)
    if course.appeals is not None:
        yield from _appeals(course.appeals)


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _ids(course: CourseFile) -> _Faults:
    named = [
        (f"components[{i}]", component.id, "component")
        for i, component in enumerate(course.components)
    ]
    for i, component in enumerate(course.components):
        key = f"components[{i}].items"
        named += [(f"{key}[{j}]", item.id, "item") for j, item in enumerate(component.items)]
        if not component.items:
            named.append((f"components[{i}]", component.id, "item"))
    yield from _duplicates(named)


def _duplicates(named: list[tuple[str, str, str]]) -> _Faults:
    seen: set[tuple[str, str]] = set()
    for key, identifier, kind in named:
        if not _ID.fullmatch(identifier):
            yield f"{key}.id", f"expected letters, digits, - and _, got {identifier!r}"
        if (kind, identifier) in seen:
            yield f"{key}.id", f"{identifier!r} is the id of more than one {kind}"
        seen.add((kind, identifier))


def _component(
    component: Component, key: str, course: CourseFile, left_open: frozenset[str]
) -> _Faults:
    if component.weight is None and f"{key}.weight" not in left_open:
        yield f"{key}.weight", "this key is missing"
    if component.weight is not None and component.weight < 0:
        yield f"{key}.weight", f"expected 0 or more, got {show(component.weight)}"
    yield from _choice(component, key)
    yield from _item_weights(component, key, left_open)
    for index, item in enumerate(component.items):
        yield from _item(item, f"{key}.items[{index}]", course, left_open)


def _choice(component: Component, key: str) -> _Faults:
    count = sum(not item.extra_credit for item in component.items) or 1
    if component.best is not None and component.drop:
        yield f"{key}.drop", "give best or drop, not both"
    if component.best is not None and not 1 <= component.best <= count:
        yield f"{key}.best", f"expected 1 to {count}, the number of items, got {component.best}"
    if not 0 <= component.drop < count:
        yield f"{key}.drop", f"expected 0 to {count - 1}, got {component.drop}"
    chosen = component.best is not None or component.drop
    weighted = any(item.weight is not None and not item.extra_credit for item in component.items)
    if chosen and (weighted or component.by_points):
        yield (
            f"{key}.best" if component.best is not None else f"{key}.drop",
            "needs items that count equally: take their weights (or by_points) away",
        )
    if component.by_points and weighted:
        yield f"{key}.by_points", "the items have weights of their own; give one or the other"


def _item_weights(component: Component, key: str, left_open: frozenset[str]) -> _Faults:
    given, missing, opened = [], 0, 0
    for index, item in enumerate(component.items):
        own = f"{key}.items[{index}].weight"
        if item.weight is not None and item.weight < 0:
            yield own, f"expected 0 or more, got {show(item.weight)}"
        if item.extra_credit:
            if item.weight is None and own not in left_open:
                yield own, "an extra-credit item needs a weight, in percent of the final grade"
        elif own in left_open:
            opened += 1
        elif item.weight is None:
            missing += 1
        else:
            given.append(item.weight)
    if (given or opened) and missing:
        yield f"{key}.items", "give every item a weight, or none"
    total = sum(given, Decimal(0))
    if given and not opened and component.weight is not None and total != component.weight:
        yield (
            f"{key}.weight",
            f"the items add up to {show(total)}, but the component says {show(component.weight)}",
        )


def _item(item: Item, key: str, course: CourseFile, left_open: frozenset[str]) -> _Faults:
    if item.points is not None and item.points <= 0:
        yield f"{key}.points", f"expected more than 0, got {show(item.points)}"
    if item.assignment is not None and item.assignment not in course.assignments:
        yield f"{key}.assignment", f"{item.assignment!r} is not among the course's assignments"
    yield from _passing(item, key, left_open)
    if item.due is not None and item.due.tzinfo is None and course.timezone is None:
        yield f"{key}.due", "this time is local, so the course file must name its timezone"
    if item.group_size is not None:
        least, most = item.group_size
        if not item.group:
            yield f"{key}.group_size", "say also: group = true"
        if not 1 <= least <= most:
            yield f"{key}.group_size", f"expected the least and the most, got {least} and {most}"
    if item.rubric:
        yield from _rubric(item, key)


def _passing(item: Item, key: str, left_open: frozenset[str]) -> _Faults:
    mark = f"{key}.pass_mark"
    if item.must_pass and item.pass_mark is None and mark not in left_open:
        yield mark, "an item that must be passed needs the points that pass it"
    if item.pass_mark is not None and not item.must_pass:
        yield mark, "say also: must_pass = true"
    known = item.points is not None or item.rubric or item.assignment is None
    if item.pass_mark is not None and (
        item.pass_mark <= 0 or (known and item.pass_mark > item.max_points)
    ):
        yield mark, f"expected more than 0 and at most {show(item.max_points)}"


def _rubric(item: Item, key: str) -> _Faults:
    named = [(f"{key}.rubric[{i}]", c.id, "criterion") for i, c in enumerate(item.rubric)]
    yield from _duplicates(named)
    for index, criterion in enumerate(item.rubric):
        if criterion.points <= 0:
            yield f"{key}.rubric[{index}].points", "expected more than 0"
    total = sum((c.points for c in item.rubric), Decimal(0))
    if item.points is not None and item.points != total:
        yield (
            f"{key}.points",
            f"the criteria add up to {show(total)}, but the item says {show(item.points)}",
        )
    yield from _machine(item.rubric, item.assignment, key)


def _machine(rubric: tuple[Criterion, ...], assignment: str | None, key: str) -> _Faults:
    machines = sum(criterion.machine for criterion in rubric)
    if machines > 1:
        yield f"{key}.rubric", "only one criterion can be the machine's"
    if machines and assignment is None:
        yield f"{key}.rubric", "a machine's criterion needs the item's assignment"
    if assignment is not None and not machines:
        yield f"{key}.rubric", "say which criterion the assignment gives: machine = true"


def _total_weight(course: CourseFile, left_open: frozenset[str]) -> _Faults:
    counted = [
        (f"components[{i}].weight", component.weight)
        for i, component in enumerate(course.components)
        if not component.extra_credit
    ]
    if not counted or any(key in left_open for key, _ in counted):
        return
    total = sum((weight for _, weight in counted if weight is not None), Decimal(0))
    if total != 100:
        yield "components", f"the weights add up to {show(total)}, expected 100"


def _late(late: LatePolicy, course: CourseFile, left_open: frozenset[str]) -> _Faults:
    for name in ("grace_days", "grace_days_per_item", "cutoff_days", "tolerance_minutes"):
        value = getattr(late, name)
        if value is not None and not 0 <= value <= 366 * (1440 if "minutes" in name else 1):
            yield f"late.{name}", f"expected 0 or more, and at most a year, got {value}"
    if late.percent_per_day is None:
        if "late.percent_per_day" not in left_open:
            yield (
                "late.percent_per_day",
                "this key is missing: what a day costs that no grace day covers (0 to 100)",
            )
    elif not 0 <= late.percent_per_day <= 100:
        yield "late.percent_per_day", f"expected 0 to 100, got {show(late.percent_per_day)}"
    known = {component.id for component in course.components}
    for name in late.components:
        if name not in known:
            yield "late.components", f"there is no component {name!r}"


def _extensions(course: CourseFile) -> _Faults:
    items = {i.id for c in course.components for i in c.items}
    items |= {c.id for c in course.components if not c.items}
    seen: set[tuple[str, str]] = set()
    for index, extension in enumerate(course.extensions):
        key = f"extensions[{index}]"
        if extension.item not in items:
            yield f"{key}.item", f"there is no item {extension.item!r}"
        if (extension.student, extension.item) in seen:
            yield key, f"{extension.student} has two extensions for {extension.item}"
        seen.add((extension.student, extension.item))
        if extension.due.tzinfo is None and course.timezone is None:
            yield f"{key}.due", "this time is local, so the course file must name its timezone"


def _letters(letters: Letters) -> _Faults:
    if not letters.bands:
        yield "letters.bands", "expected at least one band, such as A = 90"
    if len(set(letters.bands.values())) != len(letters.bands):
        yield "letters.bands", "two letters begin at the same total"
    for name, least in letters.bands.items():
        if not name.strip() or len(name) > 12:
            yield "letters.bands", f"expected a short name, got {name!r}"
        if least < 0:
            yield f"letters.bands.{name}", f"expected 0 or more, got {show(least)}"


def _appeals(appeals: AppealRules) -> _Faults:
    for name, most in (("days", 366), ("most_per_assignment", 100)):
        value = getattr(appeals, name)
        if not 1 <= value <= most:
            yield f"appeals.{name}", f"expected 1 to {most}, got {value}"
