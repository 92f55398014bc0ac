"""Question 6: one hidden layer draws any curve."""

import math
import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q6")


def output(x, network):
    """The network of the formula, unit by unit; the student's numbers, our network."""
    u, c, v, b2 = (torch.as_tensor(t, dtype=torch.float64) for t in network)
    assert u.shape == c.shape == v.shape
    total = torch.zeros_like(x) + b2
    for weight, bias, out in zip(u.tolist(), c.tolist(), v.tolist(), strict=True):
        total = total + out * (weight * x + bias).clamp(min=0)
    return total


def straight_pieces(x, knots, values):
    """Linear interpolation, by looking up the piece of each x."""
    right = torch.searchsorted(knots, x).clamp(1, len(knots) - 1)
    share = (x - knots[right - 1]) / (knots[right] - knots[right - 1])
    return (1 - share) * values[right - 1] + share * values[right]


def draw_knots(pieces):
    """Unevenly spaced knots on both sides of zero, and values."""
    gaps = torch.rand(pieces + 1, dtype=torch.float64) + 0.2
    return gaps.cumsum(0) - random.uniform(0.5, 2), torch.randn(pieces + 1, dtype=torch.float64)


def valley(x):
    """A function that lies below its chords."""
    return x**4 + 0.5 * x


def hill(x):
    """A function that lies above its chords."""
    return 3 * x - x**4


def errors_of_both(largest_errors, a, b, widths, points):
    """Return the errors for both functions, whose source goes into the box."""
    return [largest_errors(f, a, b, widths, points) for f in (valley, hill)]


@pytest.mark.points(2)
def test_relu_network(student, close):
    """relu_network gives the outputs of the formula, for any number of inputs and units."""
    hint("Each input meets each unit: (N, 1) times (H,). And is b₂ added once?")
    for n, h in ((9, 4), (3, 7), (1, 1), (0, 3), (5, 0)):
        x, u, c, v = (torch.randn(size, dtype=torch.float64) for size in (n, h, h, h))
        b2 = random.uniform(1, 2)
        close(student.relu_network(x, u, c, v, b2), output(x, (u, c, v, b2)))


@pytest.mark.points(2)
def test_hat(student, close):
    """hat is zero outside, one at its peak and straight between, with three units."""
    hint("After the peak the slope must fall by the slope of the climb and that of the descent.")
    for _ in range(4):
        left, peak, right = draw_knots(2)[0].tolist()
        network = student.hat(left, peak, right)
        assert len(network[0]) == 3
        places = torch.tensor([left, peak, right], dtype=torch.float64)
        x = torch.empty(50, dtype=torch.float64).uniform_(left, right)
        hat = straight_pieces(x, places, torch.tensor([0.0, 1.0, 0.0]).double())
        close(output(x, network), hat)
        outside = torch.tensor([left - 5, left, right, right + 5], dtype=torch.float64)
        close(output(outside, network), torch.zeros(4))


@pytest.mark.parametrize(
    "pieces",
    [pytest.param(n, marks=pytest.mark.points(points)) for n, points in ((1, 1), (2, 1), (9, 2))],
)
def test_interpolate(student, close, pieces):
    """interpolate goes straight from value to value, with one hidden unit for each piece."""
    hint("A unit that starts at a knot adds its slope to everything on the right of it.")
    hint("Are the knots as far from each other as you think? They are not evenly spaced.")
    knots, values = draw_knots(pieces)
    network = student.interpolate(knots, values)
    assert len(network[0]) == pieces
    close(output(knots, network), values)
    x = torch.empty(80, dtype=torch.float64).uniform_(knots[0].item(), knots[-1].item())
    close(output(x, network), straight_pieces(x, knots, values))


@pytest.mark.points(2)
def test_largest_errors(student, close):
    """largest_errors gives the largest error of each width, on the grid that was asked for."""
    hint("width + 1 knots, both ends included. The largest error, not the mean, whatever its sign.")
    hint("A linspace that is made float64 afterwards has float32's ends and knots.")
    a, b = random.uniform(-1, 0), random.uniform(1, 2)
    widths, points = random.sample(range(1, 30), 4), random.randint(50, 300)
    both = student.run(errors_of_both, student.largest_errors, a, b, widths, points)
    x = torch.linspace(a, b, points, dtype=torch.float64)
    for found, f in zip(both, (valley, hill), strict=True):
        assert len(found) == len(widths)
        for error, width in zip(found, widths, strict=True):
            knots = torch.linspace(a, b, width + 1, dtype=torch.float64)
            close(error, (straight_pieces(x, knots, f(knots)) - f(x)).abs().max())


@pytest.mark.points(2)
@pytest.mark.parametrize("noisy", [False, True], ids=["a power", "with noise"])
def test_order(student, close, noisy):
    """order gives the least-squares slope in the logarithms."""
    hint("Both axes are logarithmic. Is it a fit to all points, or the line of first and last?")
    widths = sorted(random.sample(range(2, 200), 5))
    slope, scale = -random.uniform(0.4, 3), random.uniform(0.1, 5)
    errors = [scale * w**slope * math.exp(noisy * random.gauss(0, 0.3)) for w in widths]
    table = torch.tensor([[1.0, math.log(w)] for w in widths], dtype=torch.float64)
    logs = torch.tensor([[math.log(e)] for e in errors], dtype=torch.float64)
    close(student.order(widths, errors), torch.linalg.lstsq(table, logs).solution[1, 0])
