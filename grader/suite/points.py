"""What a suite's marks say: points, question, who sees it, how often it is tried, what it needs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

import pytest

from grader.points import Points, split, to_points
from grader.suite.results import Shows

MAX_NAME = 200
MAX_TITLE = 500
MAX_TRIALS = 50


_FILE = re.compile(r"test_(q\d+[a-z]?)(?:_|$)")
_CLASS = re.compile(r"Test_?(Q\d+[A-Za-z]?)(?:_|$|(?=[A-Z]))")


@dataclass(frozen=True, kw_only=True)
class PlannedTest:
    """One test or one case of a parametrized test, as its marks say.

    `function` is the test without its parameters; `where` is file:line.
    """

    name: str
    nodeid: str
    function: str
    question: str
    max_points: Points = Decimal(0)
    graded: bool = False
    title: str = ""
    shows: Shows = "always"
    shows_details: bool = False
    trials: int = 1
    trials_needed: int = 1
    needs: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True)
class SuitePlan:
    """All tests in the order in which the suite states them, and what is wrong with its marks."""

    tests: tuple[PlannedTest, ...]
    faults: tuple[str, ...] = ()

    def of(self, nodeid: str) -> PlannedTest:
        """Return the test that pytest calls so."""
        return next(test for test in self.tests if test.nodeid == nodeid)

    def needed_by(self, test: PlannedTest) -> list[PlannedTest]:
        """List the tests (every case of them) that this one needs."""
        return [other for need in test.needs for other in self.tests if answers_to(other, need)]

    @property
    def max_points(self) -> Points:
        """The points of all tests together."""
        return sum((test.max_points for test in self.tests), Decimal(0))


def answers_to(test: PlannedTest, name: str) -> bool:
    """Say whether `needs(name)` means this test: by function, by Class::function, or by case."""
    return name in (test.name, test.function, test.function.rpartition("::")[2])


def read_plan(items: Sequence[pytest.Item]) -> SuitePlan:
    """Read the marks of the collected tests."""
    faults: list[str] = []
    names = _names(items)
    drafts = [_read(item, name, faults) for item, name in zip(items, names, strict=True)]
    return SuitePlan(tuple(_share_points(drafts)), tuple(dict.fromkeys(faults)))


def _names(items: Sequence[pytest.Item]) -> list[str]:
    short = [item.nodeid.partition("::")[2] or item.nodeid for item in items]
    return [
        (name if short.count(name) == 1 else item.nodeid)[:MAX_NAME]
        for name, item in zip(short, items, strict=True)
    ]


def _read(item: pytest.Item, name: str, faults: list[str]) -> tuple[PlannedTest, Points | None]:
    """Return the test, and its own points where a case has them by itself."""
    path, line, _ = item.location
    where = f"{path}:{(line or 0) + 1}"
    reader = _Reader(item, f"{where}: {name}", faults)
    trials, needed = reader.trials()
    points, own = reader.points()
    test = PlannedTest(
        name=name,
        nodeid=item.nodeid,
        function=_function_name(item),
        question=reader.question(),
        max_points=points or Decimal(0),
        graded=points is not None,
        title=_title(item),
        shows=reader.shows(),
        shows_details=item.get_closest_marker("shows_details") is not None,
        trials=trials,
        trials_needed=needed,
        needs=reader.needs(),
        right=reader.right(),
        where=where,
    )
    return test, points if own else None


def _share_points(drafts: Iterable[tuple[PlannedTest, Points | None]]) -> Iterator[PlannedTest]:
    drafts = list(drafts)
    groups: dict[str, list[str]] = {}
    for test, own in drafts:
        if own is None:
            groups.setdefault(_group(test), []).append(test.nodeid)
    for test, own in drafts:
        if own is not None or not test.graded:
            yield test
            continue
        cases = groups[_group(test)]
        shares = split(test.max_points, len(cases))
        yield replace(test, max_points=shares[cases.index(test.nodeid)])


def _group(test: PlannedTest) -> str:
    return f"{test.nodeid.partition('::')[0]}::{test.function}"


def _function_name(item: pytest.Item) -> str:
    name = getattr(item, "originalname", None) or item.name
    kind = getattr(item, "cls", None)
    return f"{kind.__name__}::{name}" if kind is not None else str(name)


def _title(item: pytest.Item) -> str:
    text = getattr(getattr(item, "obj", None), "__doc__", None) or ""
    paragraph = re.split(r"\n\s*\n", text.strip(), maxsplit=1)[0]
    return " ".join(paragraph.split())[:MAX_TITLE]


class _Reader:
    """The marks of one item; what is wrong with them goes to `faults`."""

    def __init__(self, item: pytest.Item, label: str, faults: list[str]) -> None:
        self._item = item
        self._label = label
        self._faults = faults

    def points(self) -> tuple[Points | None, bool]:
        case = getattr(self._item, "callspec", None)
        own = [mark for mark in getattr(case, "marks", ()) if mark.name == "points"]
        mark = own[0] if own else self._item.get_closest_marker("points")
        if mark is None:
            return None, False
        value = mark.args[0] if len(mark.args) == 1 and not mark.kwargs else None
        points = _as_points(value)
        if points is None:
            self._fault(f"points({_shown(mark)}): expected one number, 0 or more, in hundredths")
        return points, bool(own)

    def question(self) -> str:
        mark = self._item.get_closest_marker("question")
        if mark is not None:
            if len(mark.args) == 1 and isinstance(mark.args[0], str) and mark.args[0]:
                return mark.args[0]
            self._fault(f"question({_shown(mark)}): expected the id of a question")
            return ""
        kind = getattr(self._item, "cls", None)
        found = _CLASS.match(kind.__name__) if kind is not None else None
        found = found or _FILE.match(self._item.path.stem)
        return found[1].lower() if found else ""

    def shows(self) -> Shows:
        mark = self._item.get_closest_marker("shows")
        if mark is None:
            return "always"
        for when in get_args(Shows):
            if mark.args == (when,):
                return when  # type: ignore[no-any-return]
        self._fault(f'shows({_shown(mark)}): expected "always", "after_due" or "never"')
        return "never"

    def trials(self) -> tuple[int, int]:
        mark = self._item.get_closest_marker("trials")
        if mark is None:
            return 1, 1
        count = mark.args[0] if len(mark.args) == 1 else mark.kwargs.get("n")
        need = mark.kwargs.get("need", count // 2 + 1 if type(count) is int else None)
        known = set(mark.kwargs) <= {"n", "need"} and len(mark.args) <= 1
        if type(count) is int and type(need) is int and known and 1 <= need <= count <= MAX_TRIALS:
            return count, need
        self._fault(
            f"trials({_shown(mark)}): expected trials(n, need=k) with 1 <= k <= n <= {MAX_TRIALS}"
        )
        return 1, 1

    def needs(self) -> tuple[str, ...]:
        names: list[str] = []
        for mark in self._item.iter_markers("needs"):
            if not mark.args or mark.kwargs or not all(isinstance(n, str) for n in mark.args):
                self._fault(f"needs({_shown(mark)}): expected names of tests")
            names += [name for name in mark.args if isinstance(name, str)]
        return tuple(dict.fromkeys(names))

    def right(self) -> tuple[str, ...]:
        names: set[str] = set()
        for mark in self._item.iter_markers("with_right"):
            named = [n for n in mark.args if isinstance(n, str) and n.isidentifier()]
            if not mark.args or mark.kwargs or len(named) < len(mark.args):
                self._fault(f"with_right({_shown(mark)}): expected names of functions")
            names.update(named)
        return tuple(sorted(names))

    def _fault(self, text: str) -> None:
        self._faults.append(f"{self._label}: {text}")


def _as_points(value: Any) -> Points | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return None
    if not math.isfinite(exact) or exact < 0 or exact > 1_000_000:
        return None
    points = to_points(exact)
    return points if points == exact else None


def _shown(mark: pytest.Mark) -> str:
    parts = [repr(a) for a in mark.args] + [f"{k}={v!r}" for k, v in mark.kwargs.items()]
    return ", ".join(parts)[:80]
