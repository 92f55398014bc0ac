"""The checks that you can run yourself: `grader check reinforcement-learning.ipynb`.

They look at small cases only. The tests that give marks use other inputs and look closer.
"""

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint


@pytest.mark.question("q1")
def test_update_mean(student):
    """The second pull of an arm that gave 4 gives 2: a mean of 3."""
    tables = torch.tensor([[0.0, 4.0]]), torch.tensor([[0, 1]])
    values, counts = student.update_mean(*tables, torch.tensor([1]), torch.tensor([2.0]))
    assert_close(values, torch.tensor([[0.0, 3.0]]))
    assert counts.tolist() == [[0, 2]]


@pytest.mark.question("q1")
def test_epsilon_greedy(student):
    """Without exploration only the best are taken, each of them now and then."""
    found = student.epsilon_greedy(torch.tensor([[1.0, 0.0, 1.0]]).expand(200, 3), 0.0)
    assert set(found.tolist()) == {0, 2}


@pytest.mark.question("q1")
def test_ucb(student):
    """An arm that was never pulled comes first; a wide bound prefers what is little known."""
    values, counts = torch.tensor([[2.0, 0.0], [1.0, 0.5]]), torch.tensor([[3, 0], [90, 10]])
    assert student.ucb(values, counts, 0.1).tolist() == [1, 0]
    assert student.ucb(values, counts, 2.0).tolist() == [1, 1]


@pytest.mark.question("q1")
def test_cumulative_regret(student):
    """The worse arm costs 1, the better one nothing."""
    found = student.cumulative_regret(torch.tensor([[3.0, 2.0]]), torch.tensor([[1, 0, 1]]))
    assert_close(found, torch.tensor([[1.0, 1.0, 2.0]]))


def chain():
    """From state 0 action 0 stays, action 1 goes to the end and earns 1."""
    P = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]], dtype=torch.float64)
    R = torch.tensor([[[0.2, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]], dtype=torch.float64)
    return P, R


@pytest.mark.question("q2")
def test_action_values(student):
    """To stay earns 0.2 and half of what state 0 is worth."""
    found = student.action_values(*chain(), 0.5, torch.tensor([3.0, 0.0]).double())
    assert_close(found, torch.tensor([[1.7, 1.0], [0.0, 0.0]]).double())


@pytest.mark.question("q2")
def test_policy_values(student):
    """Who always stays has 0.2 + 0.1 + 0.05 + …"""
    found = student.policy_values(*chain(), 0.5, torch.tensor([[1.0, 0.0], [1.0, 0.0]]).double())
    assert_close(found, torch.tensor([0.4, 0.0]).double())


@pytest.mark.question("q2")
def test_best_values(student):
    """With γ = 1/2 it is best to go, with γ = 0.9 to stay."""
    for gamma, best, action in ((0.5, 1.0, 1), (0.9, 2.0, 0)):
        found = student.value_iteration(*chain(), gamma)
        assert abs(found[0].item() - best) <= 1e-6
        actions, v = student.policy_iteration(*chain(), gamma)
        assert int(actions[0]) == action
        assert_close(v, torch.tensor([best, 0.0]).double())


def updated(q_update, q, *args):
    return q_update(q, *args), q


@pytest.mark.question("q3")
def test_q_update(student):
    """One step, in the middle of an episode."""
    q = torch.tensor([[0.0, 1.0], [2.0, 0.0]]).double()
    error, q = student.run(updated, student.q_update, q, 0, 1, 0.5, 1, False, 0.1, 0.5)
    assert abs(float(error) - 0.5) < 1e-9
    assert_close(q, torch.tensor([[0.0, 1.05], [2.0, 0.0]]).double())


def learned(q_learning, world):
    """A corridor of four cells, whose end is the goal."""
    P, R = torch.zeros(2, 4, 2, 4, dtype=torch.float64)
    for s in range(4):
        for a, to in ((0, max(s - 1, 0)), (1, min(s + 1, 3))):
            P[s, a, 3 if s == 3 else to] = 1
    R[2, 1, 3] = 1
    terminal = torch.tensor([False, False, False, True])
    return q_learning(world(P, R, 0, terminal, limit=30), 200, 0.3, 0.9, 0.5)


@pytest.mark.question("q3")
def test_q_learning(student):
    """In a corridor it learns to go right, and what that is worth."""
    hint("From the last cell but one the goal is worth 1, from the cells before it 0.9 and 0.81.")
    q = student.run(learned, student.q_learning, student.Tabular)
    assert_close(q[:3, 1], torch.tensor([0.81, 0.9, 1.0]).double(), rtol=0, atol=0.02)


def pushed(make):
    buffer = make(3)
    for k in range(5):
        one = torch.tensor([k])
        buffer.push(one[:, None] * 1.0, one, one * 2.0, one[:, None] + 1.0, one > 3)
    return len(buffer), buffer.sample(3)


@pytest.mark.question("q4")
def test_replay_buffer(student):
    """Of five transitions a buffer of three holds the newest."""
    length, (states, actions, rewards, _, terminated) = student.run(pushed, student.ReplayBuffer)
    assert length == 3
    assert sorted(actions.tolist()) == [2, 3, 4]
    assert_close(rewards, 2 * states[:, 0])
    assert torch.equal(terminated, actions > 3)


def linear(weight):
    """A linear network without bias."""
    model = torch.nn.Linear(len(weight[0]), len(weight), bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor(weight))
    return model


def targets(dqn_targets, double):
    online, target = linear([[0.0], [1.0]]), linear([[5.0], [2.0]])
    ends = torch.tensor([False, True])
    return dqn_targets(online, target, torch.zeros(2), torch.ones(2, 1), ends, 1.0, double=double)


@pytest.mark.question("q4")
def test_dqn_targets(student):
    """The target network would take action 0, the online network takes action 1."""
    found = student.run(targets, student.dqn_targets, False)
    assert_close(found, torch.tensor([5.0, 0.0]))
    assert_close(student.run(targets, student.dqn_targets, True), torch.tensor([2.0, 0.0]))


def moved(update_target):
    online, target = linear([[1.0]]), linear([[0.0]])
    update_target(online, target, 0.25)
    return target.weight.detach()


@pytest.mark.question("q4")
def test_update_target(student):
    """A quarter of the way from 0 to 1."""
    assert_close(student.run(moved, student.update_target), torch.tensor([[0.25]]))


@pytest.mark.question("q5")
def test_returns_to_go(student):
    """A reward in the last of three steps counts a quarter in the first."""
    found = student.returns_to_go(torch.tensor([[0.0], [0.0], [4.0]]), 0.5)
    assert_close(found, torch.tensor([[1.0], [2.0], [4.0]]))


@pytest.mark.question("q5")
def test_leave_one_out(student):
    """Of two, the other one."""
    found = student.leave_one_out(torch.tensor([1.0, 5.0]))
    assert_close(found, torch.tensor([5.0, 1.0]))


@pytest.mark.question("q5")
def test_reinforce_loss(student):
    """Two equally likely actions: log ½ each, times 3 and -1, in the mean 1."""
    actions, returns, baseline = torch.tensor([0, 1]), torch.tensor([4.0, 0.0]), torch.ones(2)
    found = student.reinforce_loss(torch.zeros(2, 2), actions, returns, baseline)
    assert_close(found, torch.tensor(2.0).log())


@pytest.mark.question("q6")
def test_gae(student):
    """Two steps of one episode that then terminates: δ is 1 and 2, the first sees half of it."""
    rewards, values = torch.tensor([[1.0], [3.0]]), torch.tensor([[1.0], [1.0]])
    after = torch.tensor([[1.0], [7.0]])
    ends = torch.tensor([[False], [True]]), torch.tensor([[False], [False]])
    advantages, aims = student.gae(rewards, values, after, *ends, 1.0, 0.5)
    assert_close(advantages, torch.tensor([[2.0], [2.0]]))
    assert_close(aims, torch.tensor([[3.0], [3.0]]))


@pytest.mark.question("q6")
def test_actor_critic_loss(student):
    """Without advantage and without entropy the critic's error is left, halved."""
    numbers = torch.tensor([0]), torch.tensor([0.0]), torch.tensor([3.0])
    found = student.actor_critic_loss(torch.zeros(1, 2), torch.tensor([1.0]), *numbers, 0.5, 0.0)
    assert_close(found, torch.tensor(2.0))


@pytest.mark.question("q7")
def test_ppo_loss(student):
    """An action that is twice as likely as before: 1.2 counts if it was good, 2 if it was bad."""
    old = torch.tensor([0.25, 0.25]).log()
    for gain, expected in ((1.0, -1.2), (-1.0, 2.0)):
        gains = torch.tensor([gain, gain])
        found = student.ppo_loss(torch.zeros(2, 2), torch.tensor([0, 1]), old, gains)
        assert_close(found, torch.tensor(expected))


@pytest.mark.question("q7")
def test_ppo_diagnostics(student):
    """A policy that has not changed is not far away."""
    old = torch.tensor([0.25, 0.5]).log()
    kl, share = student.ppo_diagnostics(old, old)
    assert abs(float(kl)) < 1e-6
    assert float(share) == 0
