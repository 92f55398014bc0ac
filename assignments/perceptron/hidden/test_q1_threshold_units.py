"""Question 1: threshold units, gates, and truth tables."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q1")


def truth(n):
    """Every input of n bits, in the order of a truth table."""
    return torch.tensor([[r >> i & 1 for i in reversed(range(n))] for r in range(2**n)]).double()


def fires(x, w, b):
    """What a threshold unit says, or a layer."""
    return (x @ w + b >= 0).double()


def outputs(network, n):
    """What two layers say to every input of n bits."""
    # As numbers of our own: a layer without units is rightly empty.
    own = [torch.tensor(torch.as_tensor(t).tolist(), dtype=torch.float64) for t in network]
    w1, b1, w2, b2 = own
    return fires(fires(truth(n), w1, b1), w2, b2)


def arguments_afterwards(threshold, x, w, b):
    """Return the outputs, and the arguments as they are after them."""
    out = threshold(x, w, b)
    return out, x, w, b


@pytest.mark.points(1)
def test_one_unit(student):
    """threshold gives zeros and ones for one unit, of the dtype of x, and leaves its arguments."""
    hint("Which dtype does a comparison give, and which does the text ask for?")
    for dtype in (torch.float64, torch.float32):
        x, w = torch.randn(40, 3, dtype=dtype), torch.randn(3, dtype=dtype)
        b = torch.randn((), dtype=dtype)
        b = b + b.sign()  # one that is nearly zero could be left out
        out, *after = student.run(arguments_afterwards, student.threshold, x, w, b)
        torch.testing.assert_close(out, (x @ w + b >= 0).to(dtype))
        for now, before in zip(after, (x, w, b), strict=True):
            assert torch.equal(now, before)


@pytest.mark.points(1)
def test_a_layer(student):
    """threshold gives the outputs of a layer of units, for any number of examples."""
    hint("Column h of W and entry h of b belong to unit h. Is an empty batch a batch?")
    d, h = random.sample(range(2, 9), 2)
    w, b = torch.randn(d, h, dtype=torch.float64), torch.randn(h, dtype=torch.float64)
    for n in (11, 1, 0):
        x = torch.randn(n, d, dtype=torch.float64)
        torch.testing.assert_close(student.threshold(x, w, b), (x @ w + b >= 0).double())


@pytest.mark.points(1)
def test_reaching_the_threshold_is_enough(student):
    """A unit fires at exactly zero."""
    hint("Compare the formula's ≥ with yours.")
    x = torch.randint(-2, 3, (60, 4)).double()
    w = torch.tensor([1.0, -1.0, 2.0, 1.0], dtype=torch.float64)
    x[0] = torch.tensor([1.0, 1.0, 0.0, 1.0])
    torch.testing.assert_close(student.threshold(x, w, -1.0), (x @ w >= 1).double())


@pytest.mark.points(2)
@pytest.mark.parametrize("n", [1, 3, 6])
def test_at_least(student, n):
    """at_least(k, n) fires when k of n inputs are 1, for every k from 0 to n + 1."""
    hint("Each 1 adds its weight. Which sum do k of them reach, and k - 1 not?")
    for k in range(n + 2):
        w, b = student.at_least(k, n)
        assert tuple(w.shape) == (n,)
        assert fires(truth(n), w, b).tolist() == (truth(n).sum(1) >= k).double().tolist()


@pytest.mark.points(2)
def test_recognise(student):
    """recognise(p) fires for the pattern p and for no other input."""
    hint("What is the largest sum that any input can reach, and what is the second largest?")
    for n in (1, 4, 5):
        rows = random.sample(range(2**n), min(5, 2**n))
        for row in {0, 2**n - 1, *rows}:
            w, b = student.recognise(truth(n)[row])
            assert tuple(w.shape) == (n,)
            expected = [float(r == row) for r in range(2**n)]
            assert fires(truth(n), w, b).tolist() == expected


@pytest.mark.points(3)
@pytest.mark.parametrize("n", [2, 3, 5])
def test_two_layers(student, n):
    """two_layers computes any truth table of n bits."""
    hint("Does the unit on top fire as soon as one of those below does?")
    if n == 2:  # there are so few that all are asked for
        tables = truth(4)[1:]
    else:
        tables = torch.randint(2, (4, 2**n)).double()
        tables[0] = truth(n).sum(1) % 2
        tables[range(4), torch.randint(2**n, (4,))] = 1.0
    for table in tables:
        found = outputs(student.two_layers(table), n)
        assert found.tolist() == table.tolist()


@pytest.mark.points(1)
def test_two_layers_of_constant_tables(student):
    """two_layers also computes tables that are all 1, and all 0, where there is no unit below."""
    hint("Which shapes have W1, b1 and w2 with no units? And a sum over nothing is zero.")
    for n in (1, 3):
        ones, zeros = torch.ones(2**n).double(), torch.zeros(2**n).double()
        assert outputs(student.two_layers(ones), n).tolist() == ones.tolist()
        w1, b1, w2, b2 = student.two_layers(zeros)
        assert w1.shape[0] == n
        assert outputs((w1, b1, w2, b2), n).tolist() == zeros.tolist()
