"""Which cell of a notebook that was handed in is which cell of the one that was released."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Sequence

from grader.intake.notebook_cells import Cell
from grader.release.given_cells import GivenCell

# What is compared word by word: bounded, so that a hostile notebook costs little.
MAX_COMPARED = 300
MAX_COMPARED_CHARACTERS = 4000
LEAST_WORDS = 4
LEAST_LIKENESS = 0.6

_WORD = re.compile(r"\w+|[^\w\s]")


def matched_cells(given: Sequence[GivenCell], cells: Sequence[Cell]) -> dict[int, int]:
    """Return place among the given cells -> place among the cells handed in, for those found.

    By id where it still names a cell of that kind; else by the same text; else by the most words
    in common. The order decides nothing: students move cells.
    """
    found: dict[int, int] = {}
    by_id = {cell.id: index for index, cell in enumerate(cells)}
    for index, one in enumerate(given):
        at = by_id.get(one.id)
        if at is not None and (cells[at].kind == one.kind or one.answers):
            found[index] = at
    taken = set(found.values())
    by_text: dict[tuple[str, str], deque[int]] = defaultdict(deque)
    for at, cell in enumerate(cells):
        if at not in taken:
            by_text[cell.kind, normal(cell.source)].append(at)
    for index, one in enumerate(given):
        same = by_text.get((one.kind, normal(one.source))) if one.source.strip() else None
        if index not in found and same:
            found[index] = same.popleft()
    _match_by_words(given, cells, found)
    return found


def normal(text: str) -> str:
    """Return a text in which only words and signs count, and no spaces."""
    return " ".join(text.split())


def _match_by_words(
    given: Sequence[GivenCell], cells: Sequence[Cell], found: dict[int, int]
) -> None:
    taken = set(found.values())
    left = [at for at in range(len(cells)) if at not in taken][:MAX_COMPARED]
    words = {at: _words(cells[at].source) for at in left}
    likeness = [
        (score, -index, -at)
        for index, one in enumerate(given[:MAX_COMPARED])
        # An answer's cell is known by its marker or its id: one reads like the other.
        if not one.answers
        and index not in found
        and len(wanted := _words(one.source)) >= LEAST_WORDS
        for at in left
        if cells[at].kind == one.kind and (score := _likeness(wanted, words[at])) >= LEAST_LIKENESS
    ]
    for _, index, at in sorted(likeness, reverse=True):
        if -index not in found and -at not in taken:
            found[-index] = -at
            taken.add(-at)


def _words(source: str) -> frozenset[str]:
    return frozenset(_WORD.findall(source[:MAX_COMPARED_CHARACTERS].casefold()))


def _likeness(given: frozenset[str], handed: frozenset[str]) -> float:
    """How much of the given cell is there, and how much of what is there is the given cell."""
    common = len(given & handed)
    return (common / len(given) + common / len(given | handed)) / 2
