"""Question 7: PPO.

The judge makes the policy from the weights alone and lets it act on poles of its own. The bounds
are explained in the reference\'s note for instructors.
"""

import math
import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q7")

share_of_steps = bands((40, 0), (120, 1))


def loss_and_gradients(ppo_loss, logits, actions, old, advantages, clip):
    """The loss, its gradient at the logits, and what else is reached by one, or changed."""
    leaves = [x.clone().requires_grad_() for x in (logits, old, advantages)]
    logits, old, advantages = given = [x * 1 for x in leaves]
    loss = ppo_loss(logits, actions, old, advantages, *clip)
    loss.backward()
    reached = [x.grad is not None and bool(x.grad.any()) for x in leaves[1:]]
    changed = [not torch.equal(*pair) for pair in zip(given, leaves, strict=True)]
    return loss.detach(), leaves[0].grad, reached, changed


def draw(n, k, clip):
    """Draw a policy, actions, and old probabilities such that ratios lie on all sides."""
    logits = torch.randn(n, k, dtype=torch.float64)
    actions = torch.randint(k, (n,))
    now = logits.log_softmax(1)[torch.arange(n), actions]
    ratios = torch.tensor([1 - 2 * clip, 1 - clip / 2, 1 + clip / 2, 1 + 2 * clip]).double()
    old = now - ratios.clamp(min=0.05)[torch.randint(4, (n,))].log()
    return logits, actions, old, torch.randn(n, dtype=torch.float64)


def written_out(logits, actions, old, advantages, clip):
    """The loss and its gradient by cases."""
    n, loss, grad = len(actions), 0.0, torch.zeros_like(logits)
    probs = logits.softmax(1)
    for i in range(n):
        a, gain = actions[i], advantages[i]
        ratio = probs[i, a] / old[i].exp()
        limit = 1 + clip if gain > 0 else 1 - clip
        beyond = ratio > limit if gain > 0 else ratio < limit
        loss = loss - (limit if beyond else ratio) * gain / n
        if not beyond:
            taken = torch.zeros(logits.shape[1], dtype=logits.dtype)
            taken[a] = 1
            grad[i] = -gain * ratio * (taken - probs[i]) / n
    return loss, grad


@pytest.mark.points(3)
@pytest.mark.parametrize("clip", [0.1, 0.4, None], ids=str)
def test_ppo_loss(student, close, clip):
    """ppo_loss and its gradient, for ratios and advantages on all sides."""
    hint("The minimum of both products, then the mean, then the sign. The clip is 0.2 by default.")
    for n, k in ((1, 2), (1, 3), (random.randint(30, 40), random.randint(2, 5))):
        args = draw(n, k, clip or 0.2)
        given = () if clip is None else (clip,)
        loss, grad, _, changed = student.run(loss_and_gradients, student.ppo_loss, *args, given)
        expected, slope = written_out(*args, clip or 0.2)
        close(loss, expected)
        close(grad, slope)
        assert changed == [False] * 3, "what it is given stays as it is"


@pytest.mark.points(1)
@pytest.mark.needs("test_ppo_loss")
def test_only_the_policy_is_trained(student):
    """No gradient flows through the old probabilities, nor through the advantages."""
    hint("Detach both.")
    args = draw(20, 3, 0.2)
    _, grad, reached, _ = student.run(loss_and_gradients, student.ppo_loss, *args, (0.2,))
    assert grad.abs().sum() > 0
    assert reached == [False, False]


@pytest.mark.points(1)
@pytest.mark.needs("test_ppo_loss")
def test_first_step_is_that_of_actor_critic(student, close):
    """Where the policy is still the old one, the gradient is the plain policy gradient."""
    hint("At ρ = 1 nothing is clipped. Log-probabilities of -800 have ratios, too.")
    for scale in (1.0, 400.0):
        n, k = random.randint(5, 9), 3
        logits = scale * torch.randn(n, k, dtype=torch.float64)
        actions, gains = torch.randint(k, (n,)), torch.randn(n, dtype=torch.float64)
        log_probs = logits - torch.logsumexp(logits, 1, keepdim=True)
        args = logits, actions, log_probs[torch.arange(n), actions], gains, (0.2,)
        loss, grad, *_ = student.run(loss_and_gradients, student.ppo_loss, *args)
        taken = torch.nn.functional.one_hot(actions, k)
        close(loss, -gains.mean())
        close(grad, gains[:, None] * (log_probs.exp() - taken) / n)


@pytest.mark.points(1)
def test_diagnostics(student, and_inputs):
    """ppo_diagnostics: an estimate of KL that is never negative, and the share that is clipped."""
    hint("(ρ - 1) - log ρ with ρ = new / old. Outside of the interval means on either side.")
    for n in (1, random.randint(20, 40)):
        for clip in (None, random.uniform(0.1, 0.5)):
            old = -3 * torch.rand(n, dtype=torch.float64)
            change = torch.randn(n, dtype=torch.float64) * 0.4
            given = () if clip is None else (clip,)
            args = old + change, old, *given
            (kl, share), after = student.run(and_inputs, student.ppo_diagnostics, *args)
            ratios = [math.exp(c) for c in change.tolist()]
            expected = sum(r - 1 - math.log(r) for r in ratios) / n
            outside = sum(not 1 - (clip or 0.2) <= r <= 1 + (clip or 0.2) for r in ratios) / n
            assert abs(float(kl) - expected) < 1e-9
            assert abs(float(share) - outside) < 1e-6
            assert_close(after, args)


@pytest.mark.points(6)
@pytest.mark.trials(3, need=2)
def test_ppo_agent_holds_poles(student, steps_held):
    """train_ppo trains a policy that holds the judge's poles, with sensors drawn anew."""
    hint("Return make_net(2), trained. Are actions drawn, and their old log-probabilities kept?")
    held = steps_held(student.train_ppo, 32)
    credit(share_of_steps(held), f"The poles stay up for {held:.0f} of 200 steps.", measured=held)
