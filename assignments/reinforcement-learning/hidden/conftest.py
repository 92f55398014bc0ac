"""What the tests of this suite share."""

import itertools
import random

import pytest
import torch
from torch.testing import assert_close


def called(function, *args):
    """What a function returns, and what it was given as it is afterwards."""
    return function(*args), args


@pytest.fixture
def and_inputs():
    """Return a function to run there: it calls another, and returns its arguments as well."""
    return called


@pytest.fixture
def close():
    """Return a check that numbers have the same dtype, and agree up to rounding.

    `gamma * (1 - terminated.float())` rounds γ to seven digits, and GAE adds up what that does.
    """

    def check(actual, expected, rtol=1e-6, atol=1e-5):
        assert actual.dtype == expected.dtype
        assert_close(actual, expected.detach(), rtol=rtol, atol=atol)

    return check


@pytest.fixture
def draw_world():
    """Return a function that draws tables (P, R) of a world; its last state is terminal."""

    def draw(states, actions):
        weights = torch.rand(states, actions, states, dtype=torch.float64)
        weights = weights * (torch.rand_like(weights) < 0.7) + 1e-3
        P = weights / weights.sum(2, keepdim=True)
        R = torch.randn(states, actions, states, dtype=torch.float64)
        P[-1], R[-1] = 0, 0
        P[-1, :, -1] = 1
        return P, R

    return draw


@pytest.fixture
def best_values():
    """Return a function that finds the best values by trying every policy."""

    def search(P, R, gamma):
        states, actions = P.shape[:2]
        policies = torch.tensor(list(itertools.product(range(actions), repeat=states)))
        rows = torch.arange(states)
        moves, rewards = P[rows, policies], (P * R).sum(2)[rows, policies]
        unit = torch.eye(states, dtype=P.dtype)
        return torch.linalg.solve(unit - gamma * moves, rewards[..., None])[..., 0].amax(0)

    return search


def trained_weights(train, world, n, mix, seed):
    """Weights of the network that is trained on poles with these sensors."""
    return [param.detach() for param in train(world(n, mix, seed)).parameters()]


@pytest.fixture
def steps_held(student, reference):
    """Return a function that trains an agent twice, and says how long it holds the judge's poles.

    It takes the student's training function and the number of poles to train with, and returns the
    lower of two means, of 200 steps. The sensors of the second world have the signs of the first
    turned round: what holds one of them without having learned, by luck or by rules that somebody
    has written down, pushes the other pole over. The judge makes networks and poles itself.
    """

    def hold(train, n):
        mix = torch.linalg.qr(torch.randn(4, 4)).Q
        held = []
        for sensors in (mix, -mix):
            args = train, student.Poles, n, sensors, random.getrandbits(30)
            weights = student.run(trained_weights, *args)
            network = reference.make_net(2)
            parameters = list(network.parameters())
            assert [tuple(w.shape) for w in weights] == [tuple(p.shape) for p in parameters]
            with torch.no_grad():
                for param, value in zip(parameters, weights, strict=True):
                    assert value.isfinite().all()
                    param.copy_(value)
            world = reference.Poles(100, sensors, seed=random.getrandbits(30))
            held.append(reference.mean_steps(network, world))
        return min(held)

    return hold
