"""Lists of a class: what they show, in which order, and a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from grader.desk.routing import Visit, whole_number

PAGE = 100
_MAX_SEARCH = 100

Line = TypeVar("Line")


@dataclass(frozen=True, kw_only=True)
class Paged(Generic[Line]):
    """One page of a list, with the addresses of the pages beside it.

    Attributes:
        lines: of this page.
        total: how many there are, on all pages.
        start: how many are before these.
        asked: what else the address says.
        name: what the address calls the start of this list; a page may have several lists.
    """

    lines: Sequence[Line]
    total: int
    start: int
    asked: Mapping[str, str]
    step: int = PAGE
    name: str = "from"

    def at(self, **changes: Any) -> str:
        """Return the address of the same list with something changed; from its beginning."""
        wanted = {**self.asked, self.name: "", **{k: str(v) for k, v in changes.items()}}
        return "?" + urlencode({name: value for name, value in wanted.items() if value})

    @property
    def end(self) -> int:
        """How many there are up to the last of these."""
        return self.start + len(self.lines)

    @property
    def before(self) -> str:
        """The address of the page before this one; empty: this is the first."""
        if not self.start:
            return ""
        return self.at(**{self.name: max(self.start - self.step, 0) or ""})

    @property
    def after(self) -> str:
        """The address of the page after this one; empty: this is the last."""
        return self.at(**{self.name: self.end}) if self.end < self.total else ""


@dataclass(frozen=True, kw_only=True)
class Listed(Paged[Line]):
    """One page of a list that is filtered, searched and sorted.

    `counts` says how many lines each filter would leave, of those that match the search.
    """

    counts: Mapping[str, int]

    def by(self, sort: str) -> str:
        """Return the address of the same list by another column, or the other way round."""
        return self.at(sort=f"-{sort}" if self.asked["sort"] == sort else sort)

    def order(self, sort: str) -> str:
        """Say how the list is sorted by a column, as `aria-sort` does."""
        return {sort: "ascending", f"-{sort}": "descending"}.get(self.asked["sort"], "none")


def paged(
    visit: Visit, lines: Sequence[Line], *, step: int = PAGE, name: str = "from"
) -> Paged[Line]:
    """Return the page of a list that the address asks for.

    Args:
        visit: its query has `name`.
        lines: all of them.
        step: so many are on one page.
        name: a page with several lists gives each another one.
    """
    start = _start(visit, name, len(lines))
    return Paged(
        lines=lines[start : start + step],
        total=len(lines),
        start=start,
        asked=dict(visit.request.query_params),
        step=step,
        name=name,
    )


def listed(
    visit: Visit,
    lines: Sequence[Line],
    *,
    filters: Mapping[str, Callable[[Line], bool]],
    sorts: Mapping[str, Callable[[Line], Any]],
    text: Callable[[Line], str],
) -> Listed[Line]:
    """Return the page of a list that the address asks for, of what it asks for.

    Args:
        visit: its query has `show` (a filter), `q` (words), `section`, `sort` and `from`.
        lines: all of them, as they stand without `sort`.
        filters: by the word in the address.
        sorts: what each column sorts by.
        text: what the search looks at.
    """
    query = visit.request.query_params
    asked = {
        "show": query.get("show", "") if query.get("show", "") in filters else "",
        "q": " ".join(query.get("q", "").split())[:_MAX_SEARCH],
        "section": query.get("section", "")[:200],
        "sort": query.get("sort", "") if query.get("sort", "").lstrip("-") in sorts else "",
    }
    words = asked["q"].casefold().split()
    found = [line for line in lines if not words or _has(text(line), words)]
    if asked["section"]:
        found = [one for one in found if getattr(one, "section", "") == asked["section"]]
    counts = {name: sum(map(fits, found)) for name, fits in filters.items()}
    if asked["show"]:
        found = [line for line in found if filters[asked["show"]](line)]
    if asked["sort"]:
        found.sort(key=sorts[asked["sort"].lstrip("-")], reverse=asked["sort"].startswith("-"))
    start = _start(visit, "from", len(found))
    return Listed(
        lines=found[start : start + PAGE],
        total=len(found),
        start=start,
        counts=counts,
        asked=asked,
    )


def _start(visit: Visit, name: str, total: int) -> int:
    """Where the address says that a page begins; at the last line of a list that became shorter."""
    asked = whole_number(visit.request.query_params.get(name, "")) or 0
    return min(asked, max(total - 1, 0))


def _has(text: str, words: Sequence[str]) -> bool:
    folded = text.casefold()
    return all(word in folded for word in words)
