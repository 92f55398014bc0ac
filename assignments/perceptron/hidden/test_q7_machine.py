"""Question 7: Rosenblatt's machine.

The thresholds, of 360 held-out digits, with 20 seeds each. The reference: mean 97.7 %, standard
deviation 0.5, worst 96.9, which is five deviations above full marks. With 1000 units: 97.8, 0.7,
worst 96.4. The weaker baseline, a plane through the pixels: 92.2 % at best (hinge or logistic loss,
400 to 20,000 steps), 87 to 90 % by the perceptron's rule. Between them, 400 steps of descent on the
logistic loss of 1000 units: 94.1 %, deviation 0.5.
"""

import random
from pathlib import Path

import pytest
import torch

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q7")

HELD_OUT = Path(__file__).parent / "held_out.npz"  # digits that students do not have
MOST_UNITS = 2000
SHARE = bands((0.925, 0), (0.945, 1))


def draw(n, d, units):
    """Draw inputs and a machine."""
    shapes = (n, d), (d, units), (units,), (units + 1,)
    x, w, b, r = (torch.randn(shape, dtype=torch.float64) for shape in shapes)
    return x, (w, b, r)


def features(x, w, b):
    """Association units, and a one."""
    return torch.nn.functional.pad((x @ w + b).relu(), (0, 1), value=1.0)


@pytest.mark.points(2)
def test_association(student, close):
    """association gives the rectified sums, and a one for each example."""
    hint("Is the one there after the rectifier, in the last column?")
    for n in (7, 1, 0):
        x, (w, b, _) = draw(n, *random.sample(range(2, 9), 2))
        close(student.association(x, w, b), features(x, w, b))


@pytest.mark.points(2)
def test_answers(student):
    """answers gives 1 or -1 for every example, and 1 where the response is undecided."""
    hint("Two answers, and no third: what does torch.sign say of zero?")
    for n, dtype in ((30, torch.float64), (1, torch.float32), (0, torch.float64)):
        x, machine = draw(n, *random.sample(range(2, 9), 2))
        w, b, r = (tensor.to(dtype) for tensor in machine)
        for turned in (r, -r):  # features are never negative: one response may be all of one sign
            decided = features(x.to(dtype), w, b) @ turned
            expected = torch.where(decided >= 0, 1.0, -1.0).to(dtype)
            torch.testing.assert_close(student.answers((w, b, turned), x.to(dtype)), expected)
    x, (w, b, _) = draw(5, 3, 4)
    undecided = torch.zeros(5, dtype=torch.float64)
    found = student.answers((w, b, undecided), x)
    torch.testing.assert_close(found, torch.ones(5, dtype=torch.float64))


@pytest.mark.points(6)
def test_machine_reads(student, reference):
    """The machine tells odd digits from even ones that it has never seen."""
    hint("`machine` must hold three tensors: w (64, U), b (U,), r (U + 1,), with U at most 2000.")
    w, b, r = (torch.as_tensor(t, dtype=torch.float64) for t in student.machine)
    units = len(b)
    assert 1 <= units <= MOST_UNITS
    assert (w.shape, b.shape, r.shape) == ((64, units), (units,), (units + 1,))
    assert all(tensor.isfinite().all() for tensor in (w, b, r))
    x, y = reference.load_digits(HELD_OUT)
    right = (reference.answers((w, b, r), x.double()) == y).double().mean().item()
    hint("Are the units unlike each other, and does the loss still fall at the end?")
    credit(SHARE(right), f"Right for {right:.1%} of the digits.", measured=round(right, 4))
