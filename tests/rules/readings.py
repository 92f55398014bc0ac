"""Rules held against a few cells, for tests."""

from __future__ import annotations

import textwrap
from decimal import Decimal
from typing import Any

import torch  # noqa: F401 - names of rules are looked up in what is imported

from grader.course.spec import AssignmentSpec, Question, Rules
from grader.rules.book import Rulebook, rulebook
from grader.rules.reading import Reading
from grader.rules.violation import Violation

SOFTMAX = "torch.nn.functional.softmax"
LINEAR = "torch.nn.Linear"


def book_of(*rules: Rules | None, everywhere: Rules | None = None) -> Rulebook:
    """The rules of questions q1, q2, … and of the whole assignment."""
    questions = tuple(
        Question(id=f"q{n}", title="?", points=Decimal(1), rules=r) for n, r in enumerate(rules, 1)
    )
    spec = AssignmentSpec(
        title="?", points=Decimal(len(rules)), questions=questions, rules=everywhere
    )
    made = rulebook(spec)
    assert made is not None
    return made


def read(*cells: str, forbid: tuple[str, ...] = (SOFTMAX, LINEAR), **options: Any) -> Reading:
    """Cells, held against one rule of question q1."""
    return Reading(book_of(Rules(forbid=forbid, **options)), [textwrap.dedent(c) for c in cells])


def found(*cells: str, **options: Any) -> tuple[Violation, ...]:
    """What the source of cells shows that is sure."""
    return tuple(b for b in read(*cells, **options).violations if not b.unclear)
