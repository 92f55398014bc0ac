"""What the tests of this suite share."""

import pytest
import torch
from torch.testing import assert_close


@pytest.fixture
def close():
    """Return a check that numbers agree to the precision of float64, whatever holds them."""

    def check(actual, expected):
        # Made float64 here, a number computed in float32 keeps its error and is found out.
        actual, expected = (torch.as_tensor(x, dtype=torch.float64) for x in (actual, expected))
        assert_close(actual.detach(), expected.detach(), rtol=1e-9, atol=1e-10)

    return check


@pytest.fixture
def labelled():
    """Return a function that draws inputs (n, d) and labels of both kinds, as float64."""

    def draw(n, d):
        x = torch.randn(n, d, dtype=torch.float64)
        y = torch.randint(2, (n,)).double() * 2 - 1
        if n > 1:
            y[0], y[1] = 1.0, -1.0
        return x, y

    return draw


@pytest.fixture
def separable(labelled):
    """Return a function that draws separable inputs (n, d), labels, and weights that separate."""

    def draw(n, d, gap=0.3):
        w = torch.randn(d, dtype=torch.float64)
        x, y = labelled(n, d)
        side = y * (x @ w) / w.norm()
        # Points of the wrong side are mirrored, and all are moved away from the plane.
        x = x + (((side.abs() - side) + gap) * y)[:, None] * w / w.norm()
        return x, y, w

    return draw
