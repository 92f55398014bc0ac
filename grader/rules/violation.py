"""A violation of a rule, with what shows it."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from grader.points import Points, show

MAX_TEXT = 300


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a rule forbids, and where it was seen.

    `rule` is the name that the rule forbids, `found` what the notebook uses or what ran. `seen`
    says whether the source shows it, the trace of a call, or both. Where `unclear` says why it
    can't be told, it costs nothing. `tests` are those that it concerns, `points` what they lost.
    `notebook` names the one in which it is, where there are several.
    """

    rule: str
    found: str
    seen: Literal["source", "trace", "both"]
    cost: Literal["points", "flag"]
    question: str = ""
    cell: int = 0
    line: int = 0
    text: str = ""
    function: str = ""
    unclear: str = ""
    tests: tuple[str, ...] = ()
    points: Points = Decimal(0)
    notebook: str | msgspec.UnsetType = msgspec.UNSET

    @property
    def charges(self) -> bool:
        """Whether a test that it concerns loses its points."""
        return self.cost == "points" and not self.unclear

    @property
    def key(self) -> tuple[str, str, str, int, int, str]:
        """What is the same for one violation, however often it is seen."""
        return (self.question, self.rule, self.cost, self.cell, self.line, self.unclear)

    @property
    def place(self) -> str:
        """Where it is, for a sentence; empty where no cell shows it."""
        of = f" of {self.notebook}.ipynb" if self.notebook else ""
        return f"cell {self.cell}, line {self.line}{of}" if self.cell else ""

    @property
    def sentence(self) -> str:
        """What was seen and where, in one sentence for the student."""
        where = f" ({self.place})" if self.place else ""
        if self.unclear:
            return f"Whether {self.rule} is used can't be told{where}: {self.unclear}."
        verb = "ran" if self.seen == "trace" else "uses"
        other = f": {self.found}" if self.found != self.rule else ""
        return f"The code {verb} what the rules forbid, {self.rule}{other}{where}."

    @property
    def consequence(self) -> str:
        """What it costs, in one sentence."""
        if self.unclear or self.cost == "flag":
            return "It has cost nothing: a person will look at it."
        if self.points:
            return f"It cost {show(self.points)} {'point' if self.points == 1 else 'points'}."
        if not self.tests:
            return "No check uses it, so it cost nothing."
        return "It cost no points that were not lost already."
