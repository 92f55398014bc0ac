"""Reads answers that students gave as plain Python values."""

import math
import numbers

import pytest
import torch

from grader.suite.hints import hint


def read_number(name, value, *, what="a number"):
    """One finite real number, or a failed check that says what was found."""
    hint(f"`{name}` is still None: put your answer there.")
    assert value is not None
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        value = value.item()
    hint(f"`{name}` must be {what}, such as 0.5 or 3 / 7. It is of type {type(value).__name__}.")
    assert isinstance(value, numbers.Real) and not isinstance(value, bool)
    hint(f"`{name}` must be a finite number; it is {value!r:.40}.")
    assert math.isfinite(value)
    return float(value)


@pytest.fixture
def number(student):
    """Return what reads one number."""
    return lambda name: read_number(name, student[name])


@pytest.fixture
def vector(student):
    """Return what reads a list of numbers of a given length."""

    def read(name, length):
        value = student[name]
        hint(f"`{name}` is still None: put your answer there.")
        assert value is not None
        hint(f"`{name}` must be a list of {length} numbers, such as [1, -2].")
        if hasattr(value, "tolist"):
            value = value.tolist()
        assert isinstance(value, list | tuple) and len(value) == length
        return [read_number(name, part, what="a list of numbers") for part in value]

    return read


@pytest.fixture
def choice(student):
    """Return what reads one of the letters a to d."""

    def read(name):
        value = student[name]
        hint(f"`{name}` is still None: put your answer there.")
        assert value is not None
        hint(f'`{name}` must be one letter in quotes, "a" to "d".')
        assert isinstance(value, str) and value.strip().lower() in tuple("abcd")
        return value.strip().lower()

    return read


@pytest.fixture
def close():
    """Return a check that a number has three correct digits."""

    def check(actual, expected):
        hint("The answer is a number, as it must be, and another one: check your steps.")
        assert actual == pytest.approx(expected, rel=1e-3, abs=1e-6)

    return check
