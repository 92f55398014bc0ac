"""Fingerprints of code: winnowed runs of tokens, and the syntax trees of statements.

Winnowing is that of Schleimer, Wilkerson and Aiken, "Winnowing: local algorithms for document
fingerprinting", SIGMOD 2003: of every WINDOW hashes in a row the least is kept (the rightmost of
equals), so that a run of RUN + WINDOW - 1 tokens that two notebooks share is always found.
Trees find what runs miss: a statement is the same wherever it stands and whatever is put between.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from grader.similarity.code import (
    CodeCell,
    Token,
    names_of,
    normal_name,
    read_cells,
    tokens_of,
)

RUN = 12
WINDOW = 5
SMALLEST_TREE = 12
"""Nodes: `x = x + 1` is nobody's idea."""

_BASE = np.uint64(0x9E3779B97F4A7C15)
_IGNORED = frozenset({"ctx", "type_comment", "kind", "annotation", "returns", "type_ignores"})

Kind = Literal["run", "tree"]


@dataclass(frozen=True)
class SourcePlace:
    """Lines of one cell of a notebook, both ends counted."""

    cell: int
    first: int
    last: int


@dataclass(frozen=True)
class Fingerprint:
    """One hash of 64 bits, where it comes from, and how many tokens or nodes it stands for."""

    kind: Kind
    value: int
    place: SourcePlace


@dataclass(frozen=True)
class ComparedCode:
    """A notebook's code: the cells to show, and all its fingerprints."""

    cells: tuple[CodeCell, ...]
    fingerprints: tuple[Fingerprint, ...]


def fingerprinted(sources: Iterable[tuple[int, str]], *, every_run: bool = False) -> ComparedCode:
    """Return the fingerprints of a notebook's code cells.

    Args:
        sources: number and text of each cell.
        every_run: keep the hash of every run, as the starter code needs: which of a run's
            neighbours is kept depends on what stands beside it.
    """
    cells = read_cells(sources)
    bound, imported = names_of(cells)
    runs = _runs(tokens_of(cells, bound, imported), every=every_run)
    trees = [f for cell in cells for f in _Trees(cell.number, bound, imported).of(cell.tree)]
    return ComparedCode(cells, (*runs, *trees))


def winnow(hashes: np.ndarray) -> list[int]:
    """Return the positions of the hashes that winnowing keeps."""
    if len(hashes) == 0:
        return []
    if len(hashes) < WINDOW:
        return [len(hashes) - 1 - int(np.argmin(hashes[::-1]))]
    views = np.lib.stride_tricks.sliding_window_view(hashes, WINDOW)
    rightmost = WINDOW - 1 - np.argmin(views[:, ::-1], axis=1)
    return sorted({int(i) for i in np.arange(len(views)) + rightmost})


def _runs(tokens: Sequence[Token], *, every: bool) -> list[Fingerprint]:
    if len(tokens) < RUN:
        return []
    values = np.array([_token_hash(token.text) for token in tokens], dtype=np.uint64)
    count = len(tokens) - RUN + 1
    hashes = np.zeros(count, dtype=np.uint64)
    for offset in range(RUN):  # arithmetic modulo 2**64
        hashes = hashes * _BASE + values[offset : offset + count]
    hashes ^= hashes >> np.uint64(29)
    kept = range(count) if every else winnow(hashes)
    found = []
    for start in kept:
        first, last = tokens[start], tokens[start + RUN - 1]
        if first.cell == last.cell:  # a passage ends where its cell does
            place = SourcePlace(first.cell, first.line, last.line)
            found.append(Fingerprint("run", int(hashes[start]), place))
    return found


class _Trees:
    """The hashes of the statements of one cell."""

    def __init__(self, cell: int, bound: frozenset[str], imported: dict[str, str]) -> None:
        self._cell = cell
        self._bound = bound
        self._imported = imported
        self._found: list[Fingerprint] = []

    def of(self, tree: ast.Module | None) -> list[Fingerprint]:
        """Return what was found; a tree that is deeper than Python can walk gives what it can."""
        try:
            for statement in tree.body if tree is not None else ():
                self._walk(statement)
        except RecursionError:
            pass
        return self._found

    def _walk(self, node: ast.AST) -> tuple[int, int]:
        """Return hash and number of nodes; hashes of ints and tuples are the same in every run."""
        parts: list[int] = [_token_hash(type(node).__name__)]
        size = 1
        for name, value in ast.iter_fields(node):
            if name in _IGNORED:
                continue
            for item in value if isinstance(value, list) else (value,):
                if isinstance(item, ast.Import | ast.ImportFrom) or _is_text(item):
                    continue
                if isinstance(item, ast.AST):
                    child, count = self._walk(item)
                    parts.append(child)
                    size += count
                elif isinstance(node, ast.Constant):
                    parts.append(_token_hash(_constant(item)))
                else:
                    parts.append(self._leaf(item))
        value = hash(tuple(parts))
        if isinstance(node, ast.stmt) and size >= SMALLEST_TREE:
            place = SourcePlace(self._cell, node.lineno, node.end_lineno or node.lineno)
            self._found.append(Fingerprint("tree", value, place))
        return value, size

    def _leaf(self, value: object) -> int:
        if isinstance(value, str):
            return _token_hash(normal_name(value, self._bound, self._imported))
        return _token_hash(_constant(value))


def _constant(value: object) -> str:
    """Return what stands for a literal: numbers and texts only keep their kind."""
    return repr(value) if value is None or isinstance(value, bool) else type(value).__name__


def _is_text(node: object) -> bool:
    """Say whether a statement is a docstring or another text that does nothing."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


@lru_cache(maxsize=100_000)
def _token_hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
