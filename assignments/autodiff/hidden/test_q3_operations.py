"""Question 3: operations on arrays, each with its first and second derivatives.

What comes back is gathered by a walk of this suite, so that Question 2 is not asked again; PyTorch
says what is right.
"""

import numpy as np
import pytest
import torch
from walks import walk

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q3")

ORDERS = pytest.mark.parametrize("order", [1, 2], ids=["first", "second"])


def value_and_derivatives(Var, operation, arrays, more, upstream, weights, order):
    """The value, and the derivatives by the arrays: of <out, upstream>, or of <those, weights>."""
    inputs = [Var(array) for array in arrays]
    out, seed = operation(*inputs, *more), Var(upstream)
    adjoints = walk(Var, out, seed)
    first = [adjoints[id(x)] for x in inputs]
    if order == 1:
        return out.value, [part.value for part in first]
    sums = [np.zeros(np.shape(array)) for array in [*arrays, upstream]]
    for part, weight in zip(first, weights, strict=True):
        again = walk(Var, part, Var(weight))
        for i, x in enumerate([*inputs, seed]):
            if id(x) in again:
                sums[i] = sums[i] + again[id(x)].value
    return out.value, sums


def right_ones(operation, arrays, upstream, weights, order):
    """The same by PyTorch."""
    inputs = [torch.tensor(array, requires_grad=True) for array in arrays]
    seed = torch.tensor(upstream, requires_grad=True)
    out = operation(*inputs)
    first = torch.autograd.grad(out, inputs, seed, create_graph=True)
    if order == 1:
        return out.detach(), [part.detach() for part in first]
    total = sum((part * torch.tensor(w)).sum() for part, w in zip(first, weights, strict=True))
    second = torch.autograd.grad(total, [*inputs, seed], allow_unused=True, materialize_grads=True)
    return out.detach(), list(second)


@pytest.fixture
def check(student, close):
    """Return a check of an operation against PyTorch's, for one order of derivatives."""

    def check(operation, shapes, right, order, more=(), low=-2.0):
        arrays = [np.random.uniform(low, 2.0, shape) for shape in shapes]
        out = right(*map(torch.tensor, arrays))
        upstream = np.random.standard_normal(tuple(out.shape))
        weights = [np.random.standard_normal(shape) for shape in shapes]
        settings = arrays, list(more), upstream, weights, order
        found = student.run(value_and_derivatives, student.Var, operation, *settings)
        expected = right_ones(right, arrays, upstream, weights, order)
        close(found[0], expected[0])
        assert len(found[1]) == len(expected[1])
        for mine, wanted in zip(found[1], expected[1], strict=True):
            close(mine, wanted)

    return check


@pytest.mark.points(2)
@ORDERS
def test_broadcast_to(student, check, order):
    """broadcast_to copies, and what comes back is summed to the shape it came from."""
    for shape, larger in [((3, 1), (3, 4)), ((2,), (4, 3, 2)), ((), (2, 3)), ((1, 2), (1, 2))]:
        check(student.broadcast_to, [shape], lambda x, s=larger: x.expand(s), order, [larger])


@pytest.mark.points(3)
@pytest.mark.parametrize(
    ("shape", "smaller"),
    [
        ((4, 3), (3,)),
        ((4, 3), (4, 1)),
        ((5, 2, 3), (2, 1)),
        ((2, 3), ()),
        ((1, 3), (1, 3)),
        ((4, 1, 2), (1, 2)),
    ],
    ids=["axis gone", "axis kept", "both", "all", "none", "of length one"],
)
def test_sum_to(student, check, shape, smaller):
    """sum_to sums over the axes that broadcasting would add or stretch, and over no others."""
    hint("Shapes are aligned at the right. Which axes are new, and which have length 1?")
    cases = [(shape, smaller)]
    if shape == smaller:  # which by itself whoever hands back the argument would get right
        cases.append(((4, 3), (3,)))
    for larger, target in cases:
        for order in (1, 2):
            right = lambda x, t=target: x.sum_to_size(t)  # noqa: E731
            check(student.sum_to, [larger], right, order, [target])


@pytest.mark.points(3)
@pytest.mark.parametrize(
    ("shapes", "order"),
    [([(3, 4), (3, 4)], 1), ([(3, 4), (3, 4)], 2), ([(3, 1), (4,)], 1)],
    ids=["first", "second", "broadcasting"],
)
def test_mul(student, check, shapes, order):
    """mul has the right derivatives by both factors, broadcast or not."""
    hint("The adjoint of a factor has the shape of that factor.")
    check(student.mul, shapes, lambda a, b: a * b, order)


@pytest.mark.points(2)
@ORDERS
def test_power(student, check, order):
    """power has the right derivatives for whole, fractional and negative exponents."""
    hint("The VJP must compute with Vars, or its own derivative is lost.")
    for n in (2, 3.0, -1.0, 0.5):
        check(student.power, [(3, 2)], lambda x, n=n: x**n, order, [n], low=0.5)


@pytest.mark.points(1)
@ORDERS
def test_log(student, check, order):
    """log has the right derivatives."""
    check(student.log, [(2, 3)], torch.log, order, low=0.5)


@pytest.mark.points(2)
@ORDERS
def test_tanh(student, check, order):
    """tanh has the right derivatives."""
    hint("1 - tanh² depends on x as well: keep it a Var.")
    check(student.tanh, [(2, 3)], torch.tanh, order)


@pytest.mark.points(2)
@ORDERS
def test_matmul(student, check, order):
    """matmul has the right derivatives by both matrices."""
    hint("Which elements of the product does A[i, k] reach, and with which factors?")
    check(student.matmul, [(2, 3), (3, 4)], lambda a, b: a @ b, order)


@pytest.mark.points(1)
@ORDERS
def test_reshape(student, check, order):
    """reshape keeps the order of the elements, back and forth."""
    check(student.reshape, [(2, 6)], lambda x: x.reshape(3, 4), order, [(3, 4)])


@pytest.mark.points(2)
@pytest.mark.parametrize("axis", [None, 0, -2, 2])
def test_reduce_sum(student, check, axis):
    """reduce_sum sums over one axis, or over all; each element gets what its sum gets."""
    hint("The axis that was summed over is gone: where must the adjoint be stretched again?")
    right = (lambda x: x.sum()) if axis is None else (lambda x: x.sum(axis))
    for order in (1, 2):
        check(student.reduce_sum, [(2, 3, 4)], right, order, [axis])
