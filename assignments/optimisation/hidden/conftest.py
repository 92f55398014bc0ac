"""What the tests of this suite share."""

import random
from types import SimpleNamespace

import pytest
import torch
from torch.testing import assert_close

SHAPES = ((4, 3), (5,), ())


def several_steps(make, params, settings, all_grads, rates):
    """Parameters after each step, one behind the other, and the gradients as they are then.

    The parameters are read from the tensors that the optimiser was given.
    """
    params = [param.clone() for param in params]
    optimiser = make(params, rates[0], **settings)
    found = []
    for grads, lr in zip(all_grads, rates, strict=True):
        optimiser.lr = lr
        optimiser.step(grads)
        found.append(torch.cat([param.detach().flatten() for param in params]))
    return torch.stack(found), all_grads


def torch_steps(make, params, settings, all_grads, rates):
    """The same with an optimiser of torch."""
    params = [param.clone().requires_grad_() for param in params]
    optimiser = make(params, lr=rates[0], **settings)
    found = []
    for grads, lr in zip(all_grads, rates, strict=True):
        optimiser.param_groups[0]["lr"] = lr
        for param, grad in zip(params, grads, strict=True):
            param.grad = None if grad is None else grad.clone()
        optimiser.step()
        found.append(torch.cat([param.detach().flatten() for param in params]))
    return torch.stack(found)


@pytest.fixture
def close():
    """Return a check that numbers agree to nearly the precision of float64, whatever holds them."""

    def check(actual, expected, rtol=1e-8, atol=1e-9):
        # Made float64 here, a number computed in float32 keeps its error and is found out.
        actual, expected = (torch.as_tensor(x, dtype=torch.float64) for x in (actual, expected))
        assert_close(actual.detach(), expected.detach(), rtol=rtol, atol=atol)

    return check


@pytest.fixture
def draw_hessian():
    """Return a function that draws a symmetric matrix with given eigenvalues."""

    def draw(eigenvalues):
        values = torch.as_tensor(eigenvalues, dtype=torch.float64)
        basis, _ = torch.linalg.qr(torch.randn(len(values), len(values), dtype=torch.float64))
        hessian = basis * values @ basis.T
        return (hessian + hessian.T) / 2

    return draw


@pytest.fixture
def steps(student, close):
    """Return functions that take steps with the notebook's optimisers, and with those of torch."""

    def draw():
        return [torch.randn(shape, dtype=torch.float64) for shape in SHAPES]

    def of_student(name, params, settings, all_grads, rates):
        """The parameters after each step; the gradients must be what they were before."""
        args = params, settings, all_grads, rates
        found, after = student.run(several_steps, student[name], *args)
        for one, given in zip(after, all_grads, strict=True):
            for now, before in zip(one, given, strict=True):
                assert (now is None) == (before is None)
                assert now is None or torch.equal(now, before)
        return found

    def check(name, in_torch, settings, *, params=None, grads=None, theirs=None):
        """The parameters after each step are those of an optimiser of torch."""
        params, grads = params or draw(), grads or [draw() for _ in range(7)]
        rates = [random.uniform(0.01, 0.3) for _ in grads]
        found = of_student(name, params, settings, grads, rates)
        theirs = settings if theirs is None else theirs
        close(found, torch_steps(in_torch, params, theirs, grads, rates))

    return SimpleNamespace(draw=draw, of_student=of_student, check=check)
