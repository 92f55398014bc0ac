"""Texts that a notebook puts together of fixed pieces, to name what it does not want to name."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Sequence

MAX_TEXTS = 16
MAX_TEXT = 2_000

Texts = frozenset[str]
"""What an expression may be, as far as it is text."""


def joined(left: Texts, right: Texts, operator: ast.operator) -> Texts:
    """`left + right`, or `left % right`."""
    if isinstance(operator, ast.Add):
        return product([left, right])
    return _bounded(text.replace("%s", part, 1) for text, part in itertools.product(left, right))


def product(parts: Sequence[Texts]) -> Texts:
    """One text of each part after the other."""
    if not parts or any(not part for part in parts):
        return frozenset()
    some = itertools.islice(itertools.product(*(sorted(part) for part in parts)), MAX_TEXTS)
    return _bounded("".join(pieces) for pieces in some)


def sliced(texts: Texts, node: ast.Slice) -> Texts:
    """`texts[a:b:c]` with fixed numbers."""
    parts = (node.lower, node.upper, node.step)
    numbers = [_integer(part) for part in parts]
    fixed = all(n is not None for n, part in zip(numbers, parts, strict=True) if part is not None)
    if not fixed or numbers[2] == 0:
        return frozenset()
    return _bounded(text[slice(*numbers)] for text in texts)


def _integer(node: ast.expr | None) -> int | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _integer(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and type(node.value) is int and abs(node.value) < 1 << 31:
        return node.value
    return None


def character(node: ast.Call) -> Texts:
    """`chr(115)`."""
    number = _integer(node.args[0]) if len(node.args) == 1 else None
    fits = number is not None and 0 <= number <= 0x10FFFF
    return frozenset({chr(number)}) if fits and number is not None else frozenset()


_TEXT_METHODS = frozenset({"lower", "upper", "strip", "title", "swapcase", "casefold"})


def text_method(name: str, texts: Texts, arguments: Sequence[Texts]) -> Texts:
    """What a method of a text may give."""
    if name in _TEXT_METHODS and not arguments:
        return _bounded(getattr(text, name)() for text in texts)
    if name in ("decode", "encode"):
        return texts
    if name == "replace" and len(arguments) == 2 and all(arguments):
        swaps = itertools.product(texts, *arguments)
        return _bounded(text.replace(old, new) for text, old, new in swaps)
    if name == "join":
        filled = itertools.product(texts, *arguments)
        return _bounded(glue.join(parts) for glue, *parts in filled if parts)
    if name == "format" and arguments and all(arguments):
        fillings = itertools.product(texts, *arguments)
        return _bounded(_filled(text, parts) for text, *parts in fillings)
    return frozenset()


def _filled(text: str, parts: Sequence[str]) -> str:
    for part in parts:
        text = text.replace("{}", part, 1)
    return text


def _bounded(texts: Iterable[str]) -> Texts:
    short = (text for text in texts if len(text) <= MAX_TEXT)
    return frozenset(itertools.islice(short, MAX_TEXTS))
