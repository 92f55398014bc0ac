"""One mistake: what stands in the place of which node, and what the field calls it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from grader.mutation.code import Code


@dataclass(frozen=True)
class SourceChange:
    """A node, and what a mistake puts in its place.

    Attributes:
        node: of the tree of a `Code`.
        other: another node, or its source.
        kind: the operator that makes it, such as "axis".
        mistake: how a student reads it, without a value of the answer: "the sum is taken over
            another axis". Empty where the change is no mistake that has a name.
    """

    node: ast.expr | ast.stmt
    other: ast.AST | str
    kind: str
    mistake: str = ""
    until: ast.stmt | None = None


Operator = Callable[[ast.AST, Code], Iterator[SourceChange]]


def changed(node: Any, **fields: Any) -> Any:
    """Return a copy of a node in which some fields are others; the rest is shared."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other
