"""Question 6: actor–critic, and generalized advantage estimation."""

import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q6")


def draw(steps, n, ends="both"):
    """Draw rewards, values, next values, and where episodes are terminated or truncated."""
    rewards, values, after = torch.randn(3, steps, n, dtype=torch.float64)
    over = torch.rand(steps, n) < 0.3
    kind = torch.rand(steps, n) < 0.5
    terminated = over & kind if ends == "both" else over & (ends == "terminated")
    return rewards, values, after + 2, terminated, over & ~terminated


def written_out(rewards, values, after, terminated, truncated, gamma, lam):
    """Advantages as sums of TD errors up to the end of the episode, term by term."""
    steps, n = rewards.shape
    found = torch.zeros_like(rewards)
    for i in range(n):
        for t in range(steps):
            for k in range(t, steps):
                error = rewards[k, i] - values[k, i]
                if not terminated[k, i]:
                    error = error + gamma * after[k, i]
                found[t, i] += (gamma * lam) ** (k - t) * error
                if terminated[k, i] or truncated[k, i]:
                    break
    return found


SIZES = ((1, 1), (1, 3), (12, random.randint(2, 4)), (9, 1))


@pytest.mark.points(2)
def test_td_errors(student, and_inputs, close):
    """td_errors: what came, plus γ times what comes unless it has ended, minus what was due."""
    hint("The value of the state to which the action has led is given: nothing is to be shifted.")
    for steps, n in SIZES:
        rewards, values, after, terminated, _ = draw(steps, n)
        gamma = random.uniform(0.5, 1)
        args = rewards, values, after, terminated, gamma
        found, given = student.run(and_inputs, student.td_errors, *args)
        expected = rewards - values
        expected[~terminated] += gamma * after[~terminated]
        close(found, expected)
        for before, now in zip(args[:4], given[:4], strict=True):
            assert torch.equal(now, before)


@pytest.mark.points(3)
@pytest.mark.parametrize("ends", ["terminated", "truncated", "both"])
def test_gae(student, and_inputs, close, ends):
    """gae: a discounted sum of TD errors that ends with the episode, in both ways of ending."""
    hint("Truncated: γ V(s') stays in δ, and nothing is carried over. Terminated: neither.")
    for steps, n in SIZES:
        args = *draw(steps, n, ends), random.uniform(0.6, 1), random.uniform(0.3, 0.95)
        (advantages, targets), given = student.run(and_inputs, student.gae, *args)
        expected = written_out(*args)
        close(advantages, expected)
        close(targets, expected + args[1])
        for before, now in zip(args[:5], given[:5], strict=True):
            assert torch.equal(now, before)


@pytest.mark.points(1)
@pytest.mark.needs("test_gae")
def test_limits_of_gae(student, close):
    """With λ = 0 it is the TD error; with λ = 1 the return, with V after a cut, minus V."""
    hint("γλ is the factor from one step to the next; γ alone is within δ.")
    rewards, values, after, terminated, truncated = draw(14, 3)
    gamma = random.uniform(0.7, 0.95)
    ends = terminated, truncated
    found, _ = student.gae(rewards, values, after, *ends, gamma, 0.0)
    close(found, rewards + gamma * after * ~terminated - values)
    # With λ = 1, values between must cancel: next values are those of the states that follow.
    over = terminated | truncated
    goes_on = torch.cat([~over[:-1], torch.zeros_like(over[:1])])
    after = torch.where(goes_on, values.roll(-1, 0), after)
    found, targets = student.gae(rewards, values, after, *ends, gamma, 1.0)
    returns, later = torch.zeros_like(rewards), torch.zeros_like(rewards[0])
    for t in reversed(range(14)):
        rest = torch.where(goes_on[t], later, after[t] * ~terminated[t])
        later = returns[t] = rewards[t] + gamma * rest
    close(targets, returns)
    close(found, returns - values)


def traces_of_gae(gae, rewards, values, after, terminated, truncated):
    """Whether advantages and targets hang on a graph when the values do, and the advantages."""
    values, after = values.clone().requires_grad_(), after.clone().requires_grad_()
    found = gae(rewards, values * 1, after * 1, terminated, truncated, 0.9, 0.8)
    return [part.requires_grad for part in found], [part.detach() for part in found]


@pytest.mark.points(1)
@pytest.mark.needs("test_gae")
def test_gae_gives_numbers(student, close):
    """Advantages and targets hang on no graph, also where the critic's values do."""
    hint("detach the values, or work under no_grad.")
    args = draw(6, 2)
    graphs, found = student.run(traces_of_gae, student.gae, *args)
    close(found[0], written_out(*args, 0.9, 0.8))
    assert graphs == [False, False]


def loss_and_gradients(loss_of, logits, values, actions, advantages, targets, weights):
    """The loss, its gradients at logits and values, and what else is reached by one, or changed."""
    leaves = [x.clone().requires_grad_() for x in (logits, values, advantages, targets)]
    logits, values, advantages, targets = given = [x * 1 for x in leaves]
    loss = loss_of(logits, values, actions, advantages, targets, *weights)
    loss.backward()
    reached = [x.grad is not None and bool(x.grad.any()) for x in leaves[2:]]
    changed = [not torch.equal(*pair) for pair in zip(given, leaves, strict=True)]
    return loss.detach(), leaves[0].grad, leaves[1].grad, reached, changed


@pytest.mark.points(2)
@pytest.mark.parametrize("weights", [(), (0.7, 0.3)], ids=["default", "others"])
def test_actor_critic_loss(student, close, weights):
    """actor_critic_loss: policy, critic and entropy, with the weights that are given."""
    hint("All three are means over the steps. Entropy is subtracted. Advantages are numbers.")
    value_weight, entropy_weight = weights or (0.5, 0.01)
    for n, k in ((1, 2), (random.randint(4, 9), random.randint(3, 5))):
        logits = 2 * torch.randn(n, k, dtype=torch.float64)
        values, advantages, targets = torch.randn(3, n, dtype=torch.float64)
        actions = torch.randint(k, (n,))
        args = logits, values, actions, advantages, targets, weights
        loss, at_logits, at_values, reached, changed = student.run(
            loss_and_gradients, student.actor_critic_loss, *args
        )
        ours, given = logits.clone().requires_grad_(), values.clone().requires_grad_()
        probs = ours.softmax(1)
        expected = 0
        for i in range(n):
            entropy = -(probs[i] * probs[i].log()).sum()
            expected = expected - advantages[i] * probs[i, actions[i]].log()
            expected = expected + value_weight * (given[i] - targets[i]) ** 2
            expected = expected - entropy_weight * entropy
        expected = expected / n
        expected.backward()
        close(loss, expected)
        close(at_logits, ours.grad)
        close(at_values, given.grad)
        assert reached == [False, False]
        assert changed == [False] * 4, "what it is given stays as it is"
    certain = torch.tensor([[900.0, -900.0]], dtype=torch.float64)
    one = torch.ones(1, dtype=torch.float64)
    hint("A policy that is sure of itself has entropy 0, not NaN.")
    args = certain, one, torch.tensor([0]), one, one, weights
    loss, at_logits, *_ = student.run(loss_and_gradients, student.actor_critic_loss, *args)
    assert_close(loss, 0 * one[0])
    assert at_logits.isfinite().all()
