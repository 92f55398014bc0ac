"""Question 7: gradient descent with momentum."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q7")

SHAPES = {"w1": (4, 3), "b1": (3,), "w2": (3, 2), "b2": (2,)}


def draw():
    """Draw a tensor for each parameter."""
    return {name: torch.randn(shape, dtype=torch.float64) for name, shape in SHAPES.items()}


def zeros():
    """The velocity of a first step."""
    return {name: torch.zeros(shape, dtype=torch.float64) for name, shape in SHAPES.items()}


def several_steps(sgd_step, params, velocity, all_grads, rates, momentum):
    """Return parameters and velocity after one step for each of the gradients and rates."""
    for grads, lr in zip(all_grads, rates, strict=True):
        params, velocity = sgd_step(params, grads, velocity, lr, momentum)
    return params, velocity


def arguments_afterwards(sgd_step, params, grads, velocity):
    """Return the new parameters, and the arguments as they are after the step."""
    new_params, _ = sgd_step(params, grads, velocity, 0.1, 0.9)
    return new_params, [params, grads, velocity]


def assert_same(theirs, ours, close):
    """The same keys and values."""
    assert sorted(theirs) == sorted(ours)
    for name in ours:
        close(theirs[name], ours[name])


def five_steps(student, reference):
    """Parameters and velocity after five steps whose rate changes: the student's, ours."""
    rates = [random.uniform(0.01, 0.5) for _ in range(5)]
    args = draw(), zeros(), [draw() for _ in rates], rates, random.uniform(0.5, 0.95)
    return (
        student.run(several_steps, student.sgd_step, *args),
        several_steps(reference.sgd_step, *args),
    )


@pytest.mark.points(1)
def test_first_step(student, by_hand, close):
    """The first step, from velocity zero, goes against the gradient by the learning rate."""
    by_hand("sgd_step")
    hint("Downhill, or uphill? And does the first gradient count in full?")
    params, grads, lr = draw(), draw(), random.uniform(0.01, 0.5)
    found, _ = student.sgd_step(params, grads, zeros(), lr, 0.9)
    assert_same(found, {name: params[name] - lr * grads[name] for name in params}, close)


@pytest.mark.points(2)
def test_several_steps(student, reference, close):
    """The parameters are right after several steps with a learning rate that changes."""
    hint("Is the velocity of one step handed to the next? Where exactly does η enter?")
    theirs, ours = five_steps(student, reference)
    assert_same(theirs[0], ours[0], close)


@pytest.mark.points(1)
def test_velocity(student, reference, close):
    """The velocity that sgd_step returns is that of the formula."""
    hint("Compare with the two formulas, in their order: the learning rate is in one of them.")
    theirs, ours = five_steps(student, reference)
    assert_same(theirs[1], ours[1], close)


@pytest.mark.points(1)
def test_arguments_are_left_alone(student, reference, close):
    """sgd_step returns new dicts of new tensors, and leaves its arguments as they were."""
    hint("params[name] -= … writes into the tensor of whoever called you.")
    args = draw(), draw(), zeros()
    new_params, after = student.run(arguments_afterwards, student.sgd_step, *args)
    assert_same(new_params, reference.sgd_step(*args, 0.1, 0.9)[0], close)
    for now, before in zip(after, args, strict=True):
        for name in before:
            assert torch.equal(now[name], before[name])
