"""Tests that take a function away, to see whether another one needs it, read as a question."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from grader.conversion.scope import DraftNames
from grader.conversion.source_text import Chunk
from grader.source.names import taken_names


def as_use_checks(chunks: Sequence[Chunk], scope: DraftNames) -> list[Chunk]:
    """Ask whether `g` uses `f` where a test deletes `f`, and has `g` raise a NameError.

    So nbgrader's documentation tests that one function relies on another. What a notebook's text
    says of it can't be forged, and nothing of the notebook has to be changed.
    """
    found = list(chunks)
    for index in range(len(found) - 2):
        keep, delete, tried = (chunk.statement for chunk in found[index : index + 3])
        check = _use_check(keep, delete, tried, scope)
        if check:
            new = Chunk.of(check, found[index].first, finished=True)
            rest = as_use_checks(found[index + 3 :], scope)
            return [*found[:index], new, *rest]
    return found


def _use_check(keep: ast.stmt, delete: ast.stmt, tried: ast.stmt, scope: DraftNames) -> str | None:
    match keep, delete, tried:
        case (
            ast.Assign(targets=[ast.Name(id=kept)], value=ast.Name(id=helper)),
            ast.Delete(targets=[ast.Name(id=deleted)]),
            ast.Try(
                handlers=[ast.ExceptHandler(type=ast.Name(id="NameError"), body=[ast.Pass()])],
                orelse=[ast.Raise(exc=raised)],
                finalbody=[ast.Assign(targets=[ast.Name(id=back)], value=ast.Name(id=restored))],
            ),
        ) if helper == deleted == back and kept == restored and scope.is_defined(helper):
            used = set().union(*map(taken_names, tried.body))
            users = {name for name in used if scope.is_defined(name)}
            if len(users) == 1 and helper not in used:
                return _assertion(helper, users.pop(), raised)
    return None


def _assertion(helper: str, user: str, raised: ast.expr | None) -> str:
    match raised:
        case ast.Call(args=[ast.Constant(value=str(said))]):
            message = said
        case _:
            message = f"{user} does not use {helper}"
    return (
        f'assert student.has("{helper}") and student.has("{user}")\n'
        f'assert "{helper}" in notebook.uses("{user}"), {message!r}'
    )
