"""What the tests of this suite share."""

import random

import pytest
import torch
from torch.testing import assert_close


def apply_and_look_back(function, *args):
    """Run in the box: what a function returns, and its arguments as they are afterwards."""
    return function(*args), args


@pytest.fixture
def close():
    """Return a check that numbers have the same dtype and shape, and agree to its precision."""

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
def draw_betas():
    """Return a function that draws a schedule of some steps, none of which is like another."""

    def draw(steps=None):
        steps = steps or random.randint(5, 9)
        return 0.05 + 0.5 * torch.rand(steps, dtype=torch.float64)

    return draw


def trained_weights(train, *args):
    """Run in the box: the weights of the network that is trained, by name."""
    return {name: value.detach() for name, value in train(*args).state_dict().items()}


@pytest.fixture
def trained(student):
    """Return a function that puts the weights of a trained network into one of the judge's."""

    def put(model, train, *args):
        weights = student.run(trained_weights, train, *args)
        wanted = model.state_dict()
        assert sorted(weights) == sorted(wanted)
        for name, value in wanted.items():
            assert weights[name].shape == value.shape, f"{name} has another shape"
            assert bool(weights[name].isfinite().all())
        model.load_state_dict(weights)
        return model

    return put
