"""Frozen values with some fields changed, and exact points: what a class needs by the thousand."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeVar

Value = TypeVar("Value")


def changed(value: Value, **fields: Any) -> Value:
    """Return a dataclass's value with other fields, as `dataclasses.replace` does.

    A fifth of its time, since nothing is initialised again: for one without slots, whose fields
    are plain.
    """
    new = object.__new__(type(value))
    new.__dict__.update(value.__dict__, **fields)
    return new


@lru_cache(maxsize=4096)
def exact(points: Decimal) -> Fraction:
    """Return points as a fraction; of a class's points most are the same."""
    return Fraction(points)
