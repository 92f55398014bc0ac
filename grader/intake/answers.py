"""Written answers: found by the marker text `**Answer qID.**`, never by cell metadata."""

from __future__ import annotations

import re
from collections.abc import Collection

from grader.intake.cells import Cell, ReadNotebook
from grader.intake.collaborators import without_collaborators

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
_PLACEHOLDER = re.compile(r"^[ \t>]*[*_]*write your answer here\.?[*_]*[ \t]*$", re.I | re.M)
_SOLUTION_MARKS = re.compile(r"<!--\s*(?:BEGIN|END) SOLUTION\s*-->")


def written_answers(notebook: ReadNotebook, *, given: Collection[str] = ()) -> dict[str, str]:
    """Return question id (in lower case) -> what the student wrote, where they wrote anything.

    An answer is what follows its marker in the same cell, and then every Markdown cell below it,
    up to a code cell with code in it, a cell that starts with a heading, or the next marker:
    students often write into the cell below. A marker inside a cell (two cells merged) counts
    when it is bold or a heading. The untouched placeholder is no answer. Of several answers to
    the same question the last that is not empty wins.

    Args:
        notebook: the notebook that was handed in.
        given: sources of the cells that the released notebook came with; cells below a marker
            that equal one of them are the instructor's text and no part of an answer.
    """
    instructors = {" ".join(source.split()) for source in given}
    answers: dict[str, str] = {}
    current: str | None = None
    parts: list[str] = []

    def close() -> None:
        text = _tidy("\n\n".join(parts))
        if current is not None and text:
            answers[current] = text
        parts.clear()

    for cell in notebook.cells:
        if cell.kind != "markdown":
            if cell.source.strip():
                close()
                current = None
            continue
        before, marked = _split_at_markers(cell)
        if _HEADING.match(before):
            close()
            current = None
        elif current is not None and " ".join(before.split()) not in instructors:
            parts.append(before)
        for identifier, text in marked:
            close()
            current = identifier
            parts.append(text)
    close()
    return answers


def _split_at_markers(cell: Cell) -> tuple[str, list[tuple[str, str]]]:
    """Return the text before the first marker, and (id, text) for each marker in the cell."""
    text = cell.source
    markers = [
        match
        for match in _MARKER.finditer(text)
        if match["head"] or match["open"] or not text[: match.start()].strip()
    ]
    if not markers:
        return text, []
    ends = [match.start() for match in markers[1:]] + [len(text)]
    return text[: markers[0].start()], [
        (match["id"].lower(), text[match.end() : end])
        for match, end in zip(markers, ends, strict=True)
    ]


def _tidy(text: str) -> str:
    return _PLACEHOLDER.sub("", _SOLUTION_MARKS.sub("", without_collaborators(text))).strip()
