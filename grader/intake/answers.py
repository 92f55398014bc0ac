"""Written answers: what a student put where the released notebook asks for one.

Where the released notebook is known, an answer reaches from its marker `**Answer qID.**` to the
next cell that was given, whatever kinds of cells the student made of it. A marker that is gone is
looked for by its place. Where it is not known (a student's own check), the marker is all there is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from grader.intake.collaborators import without_collaborators
from grader.intake.matching import matched_cells, normal
from grader.intake.notebook_cells import Cell, ReadNotebook
from grader.release.given_cells import GivenCell, as_code_block

# `**Answer q7.**`, `__Answer q7__.`, `## Answer q7`, `Answer q7:`, in any case and spacing. After
# the id there must be a stop, a colon, emphasis or the line's end: "Answer q7 below" is prose.
# Possessive throughout, so that a hostile line (a megabyte of spaces) costs linear time.
_MARKER = re.compile(
    r"^[ \t>]*+(?P<head>\#{1,6}+[ \t]*+)?(?P<open>[*_]{1,3}+[ \t]*+)?answer[ \t]++"
    r"(?P<id>[a-z0-9]++(?:[_-][a-z0-9]++)*+)[ \t]*+"
    r"(?:(?:[.:*_]++|[ \t]++(?=[.:*_]))++|$)[ \t]*+",
    re.IGNORECASE | re.MULTILINE,
)
_HEADING = re.compile(r"\s*#{1,6}\s")
_NEXT_PART = re.compile(r"\s*#{1,6}\s+(?:question|exercise|problem|task|part|section|q?\d)", re.I)
_PLACEHOLDER = re.compile(r"^[ \t>#]*[*_]*write your answer here\.?[*_]*[ \t]*$", re.I | re.M)
_SOLUTION_MARKS = re.compile(r"<!--\s*(?:BEGIN|END) SOLUTION\s*-->")


class AnswerPosition(StrEnum):
    """How an answer was found.

    `marked`: at its marker. `led`: the marker is gone, and it stands where the marker was, or in
    the text of the question. `part`: there is no marker; it is the question's whole part of the
    notebook. `untouched`: what was released stands there, and nothing else. `absent`: its notebook
    was not handed in, of several. `lost`: not found.
    """

    MARKED = "marked"
    LED = "led"
    PART = "part"
    UNTOUCHED = "untouched"
    ABSENT = "absent"
    LOST = "lost"


class AnswerPart(msgspec.Struct, frozen=True):
    """A piece of an answer: a cell, from 0 among all cells, and the characters of its source."""

    cell: int
    begin: int
    end: int


class AnswerPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where an answer stands in the notebook; `pictures` is a hash of those that it shows."""

    place: AnswerPosition
    pieces: tuple[AnswerPart, ...] = ()
    pictures: str = ""


@dataclass(frozen=True, kw_only=True)
class FoundAnswers:
    """Answers by question, each as Markdown where there is one, and where each stands."""

    texts: dict[str, str] = field(default_factory=dict)
    places: dict[str, AnswerPlace] = field(default_factory=dict)


def written_answers(
    notebook: ReadNotebook, *, given: Sequence[GivenCell] = (), asked: Collection[str] = ()
) -> dict[str, str]:
    """Return question id -> what the student wrote, where they wrote anything."""
    return find_answers(notebook, given=given, asked=asked).texts


def find_answers(
    notebook: ReadNotebook, *, given: Sequence[GivenCell] = (), asked: Collection[str] = ()
) -> FoundAnswers:
    """Find the answers that a person reads.

    Args:
        notebook: what was handed in.
        given: the cells of the released notebook; without them a marker's text is all there is.
        asked: ids of the questions for which a person gives points. One whose answer has no marker
            in the released notebook is answered by its whole part of the notebook.
    """
    finder = _AnswerFinder(notebook.cells, given, asked)
    found = finder.find()
    texts, places = {}, {}
    for question, (place, pieces) in found.items():
        text = _joined(notebook.cells, pieces)
        if text or question in finder.expected:
            places[question] = AnswerPlace(
                place=place, pieces=tuple(pieces), pictures=_pictures(notebook.cells, pieces)
            )
        if text:
            texts[question] = text
    return FoundAnswers(texts=texts, places=places)


def shown_text(source: str) -> str:
    """Return a piece of an answer as it is shown: without placeholder and collaborators' field."""
    return _PLACEHOLDER.sub("", _SOLUTION_MARKS.sub("", without_collaborators(source))).strip()


@dataclass(frozen=True)
class _Marker:
    question: str
    cell: int
    begin: int
    end: int


Found = tuple[AnswerPosition, list[AnswerPart]]


class _AnswerFinder:
    def __init__(
        self, cells: Sequence[Cell], given: Sequence[GivenCell], asked: Collection[str]
    ) -> None:
        self._cells = cells
        self._given = given
        self._marker_of = {one.answers: i for i, one in enumerate(given) if one.answers}
        self._at = matched_cells(given, cells) if given else {}
        self.expected = dict.fromkeys([*self._marker_of, *asked]) if given else {}
        self._ids = {question.casefold(): question for question in self._marker_of}
        self._markers = self._find_markers()
        marked = {marker.cell for marker in self._markers}
        self._instructors = {normal(g.source) for g in given if not g.answers and not g.asked}
        self._walls = {
            at for i, at in self._at.items() if not given[i].answers and at not in marked
        }

    def find(self) -> dict[str, Found]:
        found: dict[str, Found] = {}
        taken: set[AnswerPart] = set()
        for number, marker in enumerate(self._markers):
            pieces = self._below(number)
            taken.update(pieces)
            # Of several answers to one question the last that is not empty holds.
            if marker.question not in found or _joined(self._cells, pieces):
                found[marker.question] = (AnswerPosition.MARKED, pieces)
        if not self._given:
            return found
        for marker in self._markers:
            above = self._above(marker, taken)
            taken.update(above)
            found[marker.question] = (AnswerPosition.MARKED, [*above, *found[marker.question][1]])
        for question in self.expected:
            held = found.get(question)
            if held is None or not self._says_something(question, held[1]):
                found[question] = self._without_marker(question, marked=held is not None)
        return found

    # -- markers

    def _find_markers(self) -> list[_Marker]:
        found = [m for at, c in enumerate(self._cells) if c.kind != "code" for m in self._in(at, c)]
        seen = {marker.question for marker in found}
        if self._given:
            # The answer's cell was made a code cell: then the marker is a comment, or its id is
            # all that is left of it.
            for at, cell in enumerate(self._cells):
                if cell.kind == "code":
                    found += [
                        m for m in self._in(at, cell)[:1] if m.question not in seen and not m.begin
                    ]
            seen = {marker.question for marker in found}
            holding = {marker.cell for marker in found}
            for question, index in self._marker_of.items():
                at = self._at.get(index, -1)
                if question not in seen and at >= 0 and at not in holding:
                    found.append(_Marker(question, at, 0, 0))
        return sorted(found, key=lambda marker: (marker.cell, marker.begin))

    def _in(self, at: int, cell: Cell) -> list[_Marker]:
        text = cell.source
        return [
            _Marker(question, at, match.start(), match.end())
            for match in _MARKER.finditer(text)
            if (match["head"] or match["open"] or not text[: match.start()].strip())
            and (question := self._question(match["id"]))
        ]

    def _question(self, named: str) -> str:
        if not self._given:
            return named.lower()
        named = named.casefold()
        return self._ids.get(named) or self._ids.get(f"q{named}") or ""

    # -- where an answer stands

    def _below(self, number: int) -> list[AnswerPart]:
        """What follows a marker: in its cell, and in the cells down to the next one given."""
        marker = self._markers[number]
        after = self._markers[number + 1] if number + 1 < len(self._markers) else None
        if after is not None and after.cell == marker.cell:
            return [AnswerPart(marker.cell, marker.end, after.begin)]
        pieces = [AnswerPart(marker.cell, marker.end, len(self._cells[marker.cell].source))]
        stop = after.cell if after else len(self._cells)
        for at in range(marker.cell + 1, stop):
            if self._ends(at, pieces):
                return pieces
            if self._is_free(self._whole(at)):
                pieces.append(self._whole(at))
        if after is not None and not self._ends(stop, pieces, upto=after.begin):
            before = AnswerPart(stop, 0, after.begin)
            pieces += [before] if self._is_free(before) else []
        return pieces

    def _ends(self, at: int, pieces: list[AnswerPart], upto: int | None = None) -> bool:
        if self._given:
            return at in self._walls
        cell = self._cells[at]
        if cell.kind == "code":
            return upto is None and bool(cell.source.strip())
        if not _HEADING.match(cell.source[:upto]):
            return False
        # Nothing is there yet: an answer may begin with a heading of its own.
        begun = bool(_joined(self._cells, pieces))
        return begun or _NEXT_PART.match(cell.source) is not None

    def _above(self, marker: _Marker, taken: set[AnswerPart]) -> list[AnswerPart]:
        """What stands above a marker: in its cell, and up to the given text of its question."""
        if any(m.cell == marker.cell and m.begin < marker.begin for m in self._markers):
            return []
        inside = AnswerPart(marker.cell, 0, marker.begin)
        own = [inside] if self._is_free(inside) and inside not in taken else []
        question = self._given[self._marker_of[marker.question]].question
        given = {at: self._given[i] for i, at in self._at.items()}
        above: list[AnswerPart] = []
        for at in range(marker.cell - 1, -1, -1):
            whole = self._whole(at)
            if at in self._walls:
                return [*reversed(above), *own] if given[at].question == question else own
            if whole in taken or any(m.cell == at for m in self._markers):
                break
            if self._is_free(whole):
                above.append(whole)
        return own

    def _without_marker(self, question: str, *, marked: bool) -> Found:
        index = self._marker_of.get(question)
        if index is None:
            return self._part(question)
        if changed := self._in_the_question(question):
            return AnswerPosition.LED, changed
        if marked:
            return AnswerPosition.UNTOUCHED, []
        between = self._between(index)
        return (
            (AnswerPosition.LED, between)
            if _joined(self._cells, between)
            else (AnswerPosition.LOST, between)
        )

    def _in_the_question(self, question: str) -> list[AnswerPart]:
        """Given text of the question into which something was written."""
        return [
            self._whole(self._at[i])
            for i, one in enumerate(self._given)
            if one.question == question
            and one.kind == "markdown"
            and not one.answers
            and i in self._at
            and normal(self._cells[self._at[i]].source) != normal(one.source)
        ]

    def _between(self, index: int) -> list[AnswerPart]:
        """What stands where a marker was: between the given cells before and after it."""
        before = next((self._at[i] for i in range(index - 1, -1, -1) if i in self._at), -1)
        after = next(
            (self._at[i] for i in range(index + 1, len(self._given)) if i in self._at),
            len(self._cells),
        )
        given = {*self._at.values(), *(marker.cell for marker in self._markers)}
        return [
            self._whole(at)
            for at in range(before + 1, after)
            if at not in given and self._is_free(self._whole(at))
        ]

    def _part(self, question: str) -> Found:
        """A question without a marker: what was made of its part of the notebook."""
        own = [i for i, one in enumerate(self._given) if one.question == question]
        there = sorted(self._at[i] for i in own if i in self._at)
        if not there:
            return AnswerPosition.LOST, []
        others = set(self._at.values()) - set(there)
        stop = min((at for at in others if at > there[-1]), default=len(self._cells))
        given = {self._at[i]: self._given[i] for i in own if i in self._at}
        marked = {marker.cell for marker in self._markers}
        pieces, touched = [], not any(self._given[i].asked for i in own)
        for at in range(there[0], stop):
            cell, one = self._cells[at], given.get(at)
            if at in others or at in marked or not cell.source.strip():
                continue
            changed = one is None or normal(cell.source) != normal(one.source)
            if changed and self._is_free(self._whole(at)):
                touched = True
            elif cell.kind != "code":
                continue
            pieces.append(self._whole(at))
        return (AnswerPosition.PART, pieces) if touched else (AnswerPosition.UNTOUCHED, [])

    def _says_something(self, question: str, pieces: list[AnswerPart]) -> bool:
        text = _joined(self._cells, pieces)
        index = self._marker_of.get(question)
        if not text or index is None:
            return bool(text)
        # A starter of the course's own (not our placeholder) is no answer either.
        released = self._given[index].source
        match = _MARKER.search(released)
        return normal(text) != normal(shown_text(released[match.end() if match else 0 :]))

    def _whole(self, at: int) -> AnswerPart:
        return AnswerPart(at, 0, len(self._cells[at].source))

    def _is_free(self, piece: AnswerPart) -> bool:
        """Whether it holds a text, and none that the released notebook has."""
        text = normal(self._cells[piece.cell].source[piece.begin : piece.end])
        return bool(text) and text not in self._instructors


def _joined(cells: Sequence[Cell], pieces: Iterable[AnswerPart]) -> str:
    """The answer as one Markdown text; code in blocks."""
    texts = []
    for piece in pieces:
        text = shown_text(cells[piece.cell].source[piece.begin : piece.end])
        if text:
            texts.append(as_code_block(text) if cells[piece.cell].kind == "code" else text)
    return "\n\n".join(texts)


def _pictures(cells: Sequence[Cell], pieces: Iterable[AnswerPart]) -> str:
    """A hash of the pictures in an answer: another one under the same name is another answer."""
    digest, some = hashlib.sha256(), False
    for at in dict.fromkeys(piece.cell for piece in pieces):
        for name, kinds in sorted(cells[at].attachments.items()):
            for media, data in sorted(kinds.items()):
                digest.update(f"{name}\0{media}\0{data}\n".encode("utf-8", "replace"))
                some = True
    return digest.hexdigest() if some else ""
