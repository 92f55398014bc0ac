"""What the tests of this suite share."""

import random

import pytest
import torch
from torch.testing import assert_close


@pytest.fixture
def close():
    """Return a check that numbers have the same dtype and shape, and agree to its precision."""

    def check(actual, expected, rtol=1e-7, atol=1e-9):
        assert actual.dtype == expected.dtype
        assert_close(actual, expected.detach(), rtol=rtol, atol=atol)

    return check


@pytest.fixture
def draw():
    """Return a function that draws weights for `network`, pictures and the classes asked about.

    Args of it: N, C, H, W.
    """

    def case(n, channels, rows, columns):
        a, b, classes = random.randint(3, 4), random.randint(4, 5), random.randint(3, 5)

        def normal(*shape):
            return torch.randn(shape, dtype=torch.float64)

        weights = [normal(a, channels, 3, 3), normal(a), 1 + 0.3 * normal(a), 0.3 * normal(a)]
        weights += [0.3 * normal(a), 0.5 + torch.rand(a, dtype=torch.float64)]
        weights += [
            normal(b, a, 3, 2) / 2,
            0.3 * normal(b),
            normal(classes, 2 * b),
            normal(classes),
        ]
        x = torch.rand(n, channels, rows, columns, dtype=torch.float64)
        return weights, x, torch.randint(classes, (n,))

    return case


@pytest.fixture(scope="session")
def judged(reference):
    """The judge's own network, trained on the judge's own pictures, and new pictures to ask about.

    Returns (state in double precision, x, y, region).
    """
    x, y, _ = reference.pictures(1500)
    net = reference.train(reference.make_net(), x, y)
    x, y, region = reference.pictures(200)
    right = net(x).argmax(dim=1) == y  # what it gets wrong it may have seen in another place
    x, y, region = x[right][:24].double(), y[right][:24], region[right][:24]
    state = {
        name: value.double() if value.is_floating_point() else value
        for name, value in net.state_dict().items()
    }
    return state, x, y, region
