"""Names and points of questions, fitted to what a spec may say."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from grader.conversion.draft import wrong
from grader.points import to_points

# "(2 points)" behind a heading: pages say the points themselves.
_POINTS = re.compile(r"\s*[(\[]\s*\d+(\.\d+)?\s*(points?|pts?\.?|marks?|%)\s*[)\]]", re.I)
_LEAD = re.compile(r"\s*(?P<mark>\*\*|__)(?P<lead>[^\n]+?)(?P=mark)(?P<rest>.*)", re.DOTALL)
_NUMBERED = re.compile(r"(Question|Problem|Exercise|Part|Task|Q)?\s*[\d.]*\s*[a-z]?", re.IGNORECASE)
_LONGEST_SENTENCE = 80
_HEADING = re.compile(r"^#{1,6}\s+(?P<text>.+?)\s*#*$", re.MULTILINE)


class Ids:
    """Hands out ids of questions: lower case, short, each once."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def make(self, wanted: str, *, prefix: str = "q") -> str:
        """An id as near to the wanted one as the spec allows."""
        plain = re.sub(r"[^a-z0-9]+", "_", wanted.lower()).strip("_")
        if not plain[:1].isalpha():
            plain = f"{prefix}{plain}" if plain else prefix
        base = plain[:28]
        made, number = base, 1
        while made in self._used:
            number += 1
            made = f"{base}_{number}"
        self._used.add(made)
        return made


def points_of(value: object, where: object) -> Decimal:
    """Points that a source states, exact in hundredths.

    Raises:
        SpecError: they are no number of 0 or more in hundredths.
    """
    try:
        exact = Decimal(str(value))
        if isinstance(value, bool) or not exact.is_finite() or not 0 <= exact < 1_000_000:
            raise InvalidOperation
    except InvalidOperation as error:
        raise wrong(f"points must be a number of 0 or more, not {value!r}", where) from error
    points = to_points(exact)
    if points != exact:
        raise wrong(f"{value} points have more than two decimals", where)
    return points


def heading(text: str) -> str | None:
    """The last heading of a text cell, without emphasis and links."""
    found = [match["text"] for match in _HEADING.finditer(_without_code(text))]
    if not found:
        return None
    return _plain(found[-1])[:120] or None


def question_title(text: str) -> str | None:
    """What a question's text is headed by: its heading, or the words in bold that it begins with.

    Behind "Question 3" alone, its first sentence says what it is about.
    """
    found = heading(text)
    if found:
        return found
    match = _LEAD.match(_without_code(text))
    if match is None:
        return None
    lead = _plain(match["lead"])
    if _NUMBERED.fullmatch(lead):
        sentence = re.split(r"(?<=[.?!])\s|\n\s*\n", match["rest"].strip(), maxsplit=1)[0]
        said = _plain(sentence)
        lead = f"{lead}: {said}" if said and len(said) <= _LONGEST_SENTENCE else lead
    return lead[:120] or None


def first_heading(text: str) -> str | None:
    """The first heading of a text cell."""
    found = _HEADING.search(_without_code(text))
    return heading(found[0]) if found else None


def _plain(text: str) -> str:
    """Without links, emphasis, tags and points."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"<[^>]*>|[*`]+|__+", "", text)
    return _POINTS.sub("", " ".join(text.split())).strip(" :.-–")


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
