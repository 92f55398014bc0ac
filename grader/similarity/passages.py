"""What two submissions have in common, as passages that stand side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

from grader.similarity.fingerprints import ComparedCode, Fingerprint, Kind, SourcePlace

GAP = 2
"""So many lines that differ may lie within a passage."""


@dataclass(frozen=True)
class Passage:
    """A place in each of two notebooks, and the lines of each that the other has too."""

    left: SourcePlace
    right: SourcePlace
    left_lines: frozenset[int]
    right_lines: frozenset[int]


def passages(
    left: ComparedCode, right: ComparedCode, ignored: Set[tuple[Kind, int]]
) -> list[Passage]:
    """Return the passages of two notebooks, in the order of the left one, none within another.

    Args:
        left: one of the two.
        right: the other.
        ignored: fingerprints that say nothing: the starter code's and the common ones.
    """
    theirs: dict[tuple[Kind, int], list[SourcePlace]] = defaultdict(list)
    for one in right.fingerprints:
        theirs[one.kind, one.value].append(one.place)
    found: list[Passage] = []
    for one in sorted(left.fingerprints, key=_order):
        key = (one.kind, one.value)
        if key in theirs and key not in ignored:
            _add(found, one.place, theirs[key])
    return sorted(_whole(found), key=lambda p: (p.left.cell, p.left.first))


def _order(one: Fingerprint) -> tuple[int, int, int]:
    return one.place.cell, one.place.first, -one.place.last


def _add(found: list[Passage], place: SourcePlace, theirs: Sequence[SourcePlace]) -> None:
    """Let a passage grow by a match, or begin another."""
    for passage in reversed(found[-8:]):
        for other in theirs:
            if _touches(passage.left, place) and _touches(passage.right, other):
                found[found.index(passage)] = _grown(passage, place, other)
                return
    other = theirs[0]
    found.append(Passage(place, other, _lines(place), _lines(other)))


def _touches(whole: SourcePlace, part: SourcePlace) -> bool:
    near = part.first <= whole.last + GAP + 1 and part.last >= whole.first - GAP - 1
    return whole.cell == part.cell and near


def _grown(passage: Passage, left: SourcePlace, right: SourcePlace) -> Passage:
    return replace(
        passage,
        left=_union(passage.left, left),
        right=_union(passage.right, right),
        left_lines=passage.left_lines | _lines(left),
        right_lines=passage.right_lines | _lines(right),
    )


def _union(one: SourcePlace, other: SourcePlace) -> SourcePlace:
    return SourcePlace(one.cell, min(one.first, other.first), max(one.last, other.last))


def _lines(place: SourcePlace) -> frozenset[int]:
    return frozenset(range(place.first, place.last + 1))


def _whole(found: list[Passage]) -> Iterator[Passage]:
    """Leave out passages whose left lines all lie in a larger one."""
    seen: dict[int, set[int]] = defaultdict(set)
    for passage in sorted(found, key=lambda p: -len(p.left_lines)):
        lines = seen[passage.left.cell]
        if not passage.left_lines <= lines:
            lines |= passage.left_lines
            yield passage
