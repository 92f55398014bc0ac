"""What the tests of this suite share."""

from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

HERE = Path(__file__).parent


def apply_and_look_back(function, *args):
    """Run in the box: what a function returns, and its arguments as they are afterwards."""
    return function(*args), args


@pytest.fixture
def close():
    """Return a check that numbers have the same dtype, and agree to nearly its precision."""

    def check(actual, expected, rtol=1e-7, atol=1e-9):
        assert isinstance(actual, torch.Tensor)
        assert actual.dtype == expected.dtype
        assert_close(actual, expected.detach(), rtol=rtol, atol=atol)

    return check


@pytest.fixture
def call(student):
    """Return a way to call a student's function that must leave its arguments as they were."""

    def run(function, *args):
        found, after = student.run(apply_and_look_back, function, *args)
        assert len(after) == len(args)
        for given, left in zip(args, after, strict=True):
            if isinstance(given, torch.Tensor):
                assert_close(left, given, rtol=0, atol=0, msg="An argument was changed.")
        return found

    return run


@pytest.fixture
def digits(reference):
    """Return the digits that students have and those that they don't, with pixels in a new order.

    In another order, weights that were trained before are of no use, and data that are published
    can't simply be looked up.
    """
    order = torch.randperm(64)
    train, _ = reference.load_digits(HERE.parent / "data" / "digits.npz")
    unseen, _ = reference.load_digits(HERE / "held_out.npz")
    return train[:, order], unseen[:, order]
