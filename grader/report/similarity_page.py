"""Pairs of submissions side by side, with the passages marked; for instructors only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.report.templates import render
from grader.similarity.code import CodeCell
from grader.similarity.comparison import Comparison, Pair
from grader.similarity.fingerprints import ComparedCode, SourcePlace
from grader.similarity.passages import Passage, passages

MAX_PAIRS = 60
MAX_PASSAGES = 40
MAX_LINE = 400


@dataclass(frozen=True)
class CodeLine:
    """A line of a passage; `marked` where the other notebook has it too."""

    number: int
    text: str
    marked: bool


@dataclass(frozen=True)
class Shown:
    """A passage, ready to be shown."""

    left: SourcePlace
    right: SourcePlace
    left_lines: tuple[CodeLine, ...]
    right_lines: tuple[CodeLine, ...]


@dataclass(frozen=True)
class ShownPair:
    """A pair with its passages; `more` were left out."""

    pair: Pair
    passages: tuple[Shown, ...]
    more: int = 0


def similarity_page(
    comparison: Comparison,
    codes: Mapping[str, ComparedCode],
    *,
    title: str,
    now: dt.datetime,
    names: Mapping[str, str] | None = None,
    unread: Mapping[str, str] | None = None,
    places: Mapping[str, Sequence[str]] | None = None,
    template_dirs: Sequence[Path] = (),
) -> str:
    """Return one self-contained HTML file; everything that a student wrote is escaped.

    Args:
        comparison: what came out.
        codes: by student: the code to show.
        title: of the assignment.
        now: when the page is made.
        names: of students, where they are known.
        unread: students whose file is no notebook, with the reason.
        places: by student: what each cell is called, where it is not called by its number.
        template_dirs: a course's own template folders.
    """
    shown = [
        _shown_pair(pair, codes, comparison) if index < MAX_PAIRS else ShownPair(pair, ())
        for index, pair in enumerate(comparison.pairs)
    ]
    return render(
        "report/similarity.html.j2",
        {
            "comparison": comparison,
            "pairs": shown,
            "detailed": MAX_PAIRS,
            "title": title,
            "names": names or {},
            "unread": unread or {},
            "places": places or {},
            "now": now,
        },
        template_dirs,
    )


def _shown_pair(pair: Pair, codes: Mapping[str, ComparedCode], comparison: Comparison) -> ShownPair:
    left, right = (codes[student] for student in pair.students)
    found = passages(left, right, comparison.ignored)
    shown = tuple(_shown(passage, left, right) for passage in found[:MAX_PASSAGES])
    return ShownPair(pair, shown, len(found) - len(shown))


def _shown(passage: Passage, left: ComparedCode, right: ComparedCode) -> Shown:
    return Shown(
        passage.left,
        passage.right,
        _lines(left.cells, passage.left, passage.left_lines),
        _lines(right.cells, passage.right, passage.right_lines),
    )


def _lines(
    cells: Sequence[CodeCell], place: SourcePlace, marked: frozenset[int]
) -> tuple[CodeLine, ...]:
    source = next(cell.source for cell in cells if cell.number == place.cell)
    lines = source.split("\n")
    return tuple(
        CodeLine(number, lines[number - 1][:MAX_LINE], number in marked)
        for number in range(place.first, min(place.last, len(lines)) + 1)
    )
