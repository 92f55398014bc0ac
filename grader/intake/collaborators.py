"""Whom a student declares as collaborators: the field `**Collaborators q3.** Ada, Ben`."""

from __future__ import annotations

import re
from collections.abc import Collection

from grader.intake.notebook_cells import ReadNotebook

WHOLE = ""
TODO = "*Nobody, or the names of those with whom you worked.*"
_MAX_TEXT = 500
_MAX_NAMES = 40
# `**Collaborators q7.** Ada`, `__Collaborators:__ Ada`, `### Collaborator q1: Ada`; after the word
# and the id there must be a stop or a colon. Possessive: a hostile line costs linear time.
_FIELD = re.compile(
    r"^[ \t>*_#-]*+collaborators?+(?:[ \t]++(?:on[ \t]++|for[ \t]++)?+"
    r"(?P<id>[a-z0-9]++(?:[_-][a-z0-9]++)*+))?+[ \t]*+[*_]*+[ \t]*+[.:][ \t*_]*+(?P<names>.*+)$",
    re.IGNORECASE | re.MULTILINE,
)
_ANSWER = re.compile(
    r"^[ \t>]*+(?:\#{1,6}+[ \t]*+)?(?:[*_]{1,3}+[ \t]*+)?answer[ \t]++(?P<id>[\w-]++)", re.I | re.M
)
_NOBODY = frozenset({"", "-", "–", "—", "nobody", "none", "no one", "no-one", "n/a", "na", "no"})
_BETWEEN = re.compile(r"\s*(?:[,;/&\n]|\band\b)\s*", re.IGNORECASE)


def declared_collaborators(
    notebook: ReadNotebook, *, questions: Collection[str] = ()
) -> dict[str, str]:
    """Return question id -> whom the student names, where they name anybody.

    A field is a line of a Markdown cell that begins with the word and has a colon or a stop after
    it. It is of the question that it names; else of the answer above it in its cell; else of the
    whole notebook, under "". Of several for one question the last counts.

    Args:
        notebook: what was handed in.
        questions: ids of the assignment's; another word in the place of an id is none.
    """
    known = {question.casefold(): question for question in questions}
    declared: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.kind != "markdown":
            continue
        for field in _FIELD.finditer(cell.source):
            named = known.get((field["id"] or "").casefold())
            above = [
                known.get(answer["id"].casefold())
                for answer in _ANSWER.finditer(cell.source, 0, field.start())
            ]
            question = named or next((a for a in reversed(above) if a), WHOLE)
            text = _plain(field["names"])
            if text:
                declared[question] = text
            else:
                declared.pop(question, None)
    return declared


def without_collaborators(text: str) -> str:
    """Return a written answer without such fields, which are no part of it."""
    return _FIELD.sub("", text)


def names_in(text: str) -> list[str]:
    """Split what a student wrote into names."""
    parts = (part.strip(" .*_()[]") for part in _BETWEEN.split(text))
    return [part for part in parts if part.casefold() not in _NOBODY][:_MAX_NAMES]


def _plain(text: str) -> str:
    if text.strip("*_ ").casefold() == TODO.strip("*_ ").casefold():
        return ""
    plain = " ".join(text.strip(" \t*_").split())[:_MAX_TEXT]
    return "" if plain.rstrip(".").casefold() in _NOBODY else plain
