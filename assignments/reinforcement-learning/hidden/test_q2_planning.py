"""Question 2: planning, against every policy of a small world."""

import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q2")


@pytest.mark.points(2)
def test_action_values(student, and_inputs, draw_world, close):
    """action_values is the expected reward plus γ times the expected value of the next state."""
    hint("Both lie under the sum over next states: P times (R + γ v).")
    for states, actions in ((2, 1), (random.randint(4, 6), random.randint(2, 4))):
        P, R = draw_world(states, actions)
        v, gamma = torch.randn(states, dtype=torch.float64), random.uniform(0.3, 0.99)
        found, after = student.run(and_inputs, student.action_values, P, R, gamma, v)
        expected = torch.zeros(states, actions, dtype=torch.float64)
        for s in range(states):
            for a in range(actions):
                for s2 in range(states):
                    expected[s, a] += P[s, a, s2] * (R[s, a, s2] + gamma * v[s2])
        close(found, expected)
        for given, now in zip((P, R, v), (after[0], after[1], after[3]), strict=True):
            assert_close(now, given)
        u = torch.randn(states, dtype=torch.float64)
        other = student.action_values(P, R, gamma, u)
        shrunk = (found.amax(1) - other.amax(1)).abs().max()
        assert shrunk <= gamma * (u - v).abs().max() + 1e-12
        assert shrunk > 0


@pytest.mark.points(3)
@pytest.mark.parametrize("kind", ["random", "deterministic", "without future"])
def test_policy_values(student, and_inputs, draw_world, close, kind):
    """policy_values solves Bellman's equation of a policy exactly."""
    hint("(I - γ P_π) v = r_π: both averaged over the policy's actions first.")
    for states, actions in ((2, 3), (random.randint(4, 7), random.randint(2, 4))):
        P, R = draw_world(states, actions)
        pi = torch.rand(states, actions, dtype=torch.float64).softmax(1)
        if kind == "deterministic":
            pi = torch.nn.functional.one_hot(torch.randint(actions, (states,)), actions).double()
        gamma = random.uniform(0.5, 0.95)
        if states == 2:  # without an end, and far ahead: hundreds of sweeps would not do
            P[-1], R[-1], gamma = P[0], R[0], 0.999
        gamma = 0.0 if kind == "without future" else gamma
        found, after = student.run(and_inputs, student.policy_values, P, R, gamma, pi)
        # Bellman's equation has one solution: that which it leaves as it is.
        close(found, (pi * torch.einsum("sat,sat->sa", P, R + gamma * found)).sum(1), atol=1e-10)
        for given, now in zip((P, R, pi), (after[0], after[1], after[3]), strict=True):
            assert_close(now, given)


@pytest.mark.points(2)
@pytest.mark.parametrize("gamma", [0.0, 0.6, 0.95])
def test_value_iteration_finds_the_best_values(student, and_inputs, draw_world, best_values, gamma):
    """value_iteration comes to the values that the best of all policies has."""
    hint("The maximum over actions, again and again, from zeros on.")
    for states, actions in ((2, 1), (4, 3), (6, 2)):
        P, R = draw_world(states, actions)
        R = R - 2  # with costs everywhere, a start from anything but the tables would show
        R[-1] = 0
        found, after = student.run(and_inputs, student.value_iteration, P, R, gamma, 1e-8)
        expected = best_values(P, R, gamma)
        assert found.dtype == torch.float64
        assert_close(found, expected, rtol=0, atol=1e-6)
        assert_close(after[0], P)
        assert_close(after[1], R)


@pytest.mark.points(1)
@pytest.mark.needs("test_value_iteration_finds_the_best_values")
def test_value_iteration_keeps_its_promise(student):
    """What value_iteration returns is no further from the best values than tol."""
    hint("A step of length δ may still be γδ/(1 - γ) away from the goal. And tol has a default.")
    for gamma, tol in ((0.999, 0.3), (0.8, 0.05), (random.uniform(0.95, 0.98), 1e-3)):
        P = torch.eye(3, dtype=torch.float64)[:, None].repeat(1, 2, 1)
        gains = torch.rand(3, 2, dtype=torch.float64) + 0.5
        R = gains[:, :, None].repeat(1, 1, 3)
        best = gains.amax(1) / (1 - gamma)
        found = student.value_iteration(P, R, gamma, tol)
        assert (found - best).abs().max() <= tol * (1 + 1e-9)
    found = student.value_iteration(P, R, 0.9)
    assert (found - gains.amax(1) / (1 - 0.9)).abs().max() <= 1e-6


def check_best(actions, v, P, R, gamma, expected):
    """The values are the best ones, and each action is a best one."""
    assert actions.dtype == torch.int64
    assert tuple(actions.shape) == (len(P),)
    assert_close(v, expected, rtol=1e-7, atol=1e-7)
    q = (P * (R + gamma * expected)).sum(2)
    assert (q.gather(1, actions[:, None])[:, 0] >= q.amax(1) - 1e-7).all()


@pytest.mark.points(2)
@pytest.mark.parametrize("gamma", [0.0, 0.6, 0.95])
def test_policy_iteration(student, and_inputs, draw_world, best_values, gamma):
    """policy_iteration finds a best action for each state, and what the states are worth."""
    hint("Go on until no action changes; return the values of the policy that is returned.")
    for states, actions in ((2, 1), (4, 3), (6, 2)):
        P, R = draw_world(states, actions)
        found, after = student.run(and_inputs, student.policy_iteration, P, R, gamma)
        check_best(*found, P, R, gamma, best_values(P, R, gamma))
        assert_close(after[0], P)
        assert_close(after[1], R)


@pytest.mark.points(1)
@pytest.mark.needs("test_policy_iteration")
def test_policy_iteration_ends_where_actions_tie(student, reference):
    """With each action there twice, on slippery grids, it comes to an end all the same."""
    hint("Change an action only if another is better by more than rounding.")
    for number in range(6):
        lines = reference.draw_map(4, 5 + number % 3, random.getrandbits(40))
        P, R, _, terminal = reference.grid_world(lines, slip=0.2)
        # The same actions again, with probabilities that differ in their last digit.
        again = P * (1 + 1e-15 * torch.randn(P.shape[:2], dtype=P.dtype)[..., None])
        P, R = torch.cat([P, again], 1), torch.cat([R, R], 1)
        actions, v = student.policy_iteration(P, R, 0.97)
        check_best(actions, v, P, R, 0.97, reference.value_iteration(P, R, 0.97, 1e-8))
        assert (v[terminal].abs() < 1e-9).all()
