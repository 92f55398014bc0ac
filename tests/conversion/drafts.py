"""Small drafts: a notebook's cells and one test, without any file."""

from __future__ import annotations

from decimal import Decimal
from textwrap import dedent

from grader.conversion.draft import CellPlace, Draft, DraftCell, DraftQuestion, DraftTest
from grader.conversion.translation import Translator, Written

NOTEBOOK = """
import math
import inspect
import torch
import torch.nn.functional as F
from torch import nn, optim
"""
ANSWER = """
def f(x):
    # BEGIN SOLUTION
    return x
    # END SOLUTION

class Net(nn.Module):
    # BEGIN SOLUTION
    pass
    # END SOLUTION

class Wrong(Exception):
    # BEGIN SOLUTION
    pass
    # END SOLUTION
"""


def draft(
    test: str, *, given: str = "", hidden: frozenset[int] = frozenset(), after: str = ""
) -> Draft:
    """A notebook with imports, given code, the student's f and Net, and a test of two points."""
    sources = [NOTEBOOK, dedent(given), ANSWER]
    cells: list[DraftCell | DraftTest] = [
        DraftCell(place=CellPlace("hw.ipynb", number), kind="code", source=source.strip("\n"))
        for number, source in enumerate(sources, 1)
    ]
    cells.append(
        DraftTest(
            place=CellPlace("hw.ipynb", 4),
            name="q1",
            question="q1",
            source=dedent(test).strip("\n"),
            points=Decimal(2),
            hidden=hidden,
            value_counts=True,
        )
    )
    if after:
        cells.append(
            DraftCell(place=CellPlace("hw.ipynb", 5), kind="code", source=dedent(after).strip())
        )
    question = DraftQuestion(id="q1", title="One", points=Decimal(2), manual=Decimal(0))
    return Draft(title="HW", cells=tuple(cells), questions=(question,))


def turned(test: str, *, given: str = "", after: str = "") -> Written:
    """What becomes of a test cell."""
    made = draft(test, given=given, after=after)
    return Translator(made).hidden(made.tests[0])


def body(test: str, *, given: str = "") -> str:
    """The statements of the test that it becomes, without its head."""
    made = turned(test, given=given)
    assert made.finished, made.remarks
    return dedent(made.text.partition('."""\n')[2]).strip("\n")
