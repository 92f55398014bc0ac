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
class Listed(Generic[Line]):
    """One page of a list, with what its links need.

    Attributes:
        lines: of this page.
        total: how many there are, on all pages.
        start: how many are before these.
        counts: how many lines each filter would leave, of those that match the search.
    """

    lines: Sequence[Line]
    total: int
    start: int
    counts: Mapping[str, int]
    asked: Mapping[str, str]
    step: int = PAGE

    def at(self, **changes: Any) -> str:
        """Return the address of the same list with something changed; from its beginning."""
        wanted = {**self.asked, "from": "", **{k: str(v) for k, v in changes.items()}}
        return "?" + urlencode({name: value for name, value in wanted.items() if value})

    def by(self, sort: str) -> str:
        """Return the address of the same list by another column, or the other way round."""
        return self.at(sort=f"-{sort}" if self.asked["sort"] == sort else sort)

    def order(self, sort: str) -> str:
        """Say how the list is sorted by a column, as `aria-sort` does."""
        return {sort: "ascending", f"-{sort}": "descending"}.get(self.asked["sort"], "none")


def listed(
    visit: Visit,
    lines: Sequence[Line],
    *,
    filters: Mapping[str, Callable[[Line], bool]],
    sorts: Mapping[str, Callable[[Line], Any]],
    text: Callable[[Line], str],
) -> Listed[Line]:
    """Return the page of a list that the address asks for.

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
    start = min(whole_number(query.get("from", "")) or 0, max(len(found) - 1, 0))
    return Listed(
        lines=found[start : start + PAGE],
        total=len(found),
        start=start,
        counts=counts,
        asked=asked,
    )


def _has(text: str, words: Sequence[str]) -> bool:
    folded = text.casefold()
    return all(word in folded for word in words)
