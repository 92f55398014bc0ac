"""What the tests of this suite share."""

import pytest
import torch
from torch.testing import assert_close


@pytest.fixture
def close():
    """Return a check that numbers have the same dtype, and agree to nearly its precision."""

    def check(actual, expected, rtol=1e-7, atol=1e-9):
        assert actual.dtype == expected.dtype
        assert_close(actual, expected.detach(), rtol=rtol, atol=atol)

    return check


@pytest.fixture
def draw_model():
    """Return a function that draws the weights of a small smooth network of two layers.

    Args of it: the shape of one example, and the number of classes. `network` makes the network.
    """

    def draw(shape, classes=4):
        size = torch.Size(shape).numel()
        width = 6
        return [
            torch.randn(size, width, dtype=torch.float64),
            torch.randn(width, dtype=torch.float64),
            torch.randn(width, classes, dtype=torch.float64),
            torch.randn(classes, dtype=torch.float64),
        ]

    return draw
