"""The cells of a released notebook, as they are compared with what is handed in."""

from __future__ import annotations

import re
from typing import Literal

import msgspec


class GivenCell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of the notebook that students get.

    `question` is the one in whose part of the notebook it stands, `answers` the one whose written
    answer goes into it; "" is none. `asked`: students are to write into it.
    """

    kind: Literal["code", "markdown", "raw"]
    id: str
    source: str
    question: str = ""
    answers: str = ""
    asked: bool = False


def as_code_block(code: str) -> str:
    """Return code as a Markdown block, whose fence is longer than any in the code."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}python\n{code}\n{fence}"
