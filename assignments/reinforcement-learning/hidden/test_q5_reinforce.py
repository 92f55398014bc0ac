"""Question 5: REINFORCE and baselines."""

import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q5")


@pytest.mark.points(2)
@pytest.mark.parametrize("discount", ["some", "none"])
def test_returns_to_go(student, and_inputs, close, discount):
    """returns_to_go adds up what comes from each step on, each episode for itself."""
    hint("From the last step to the first. Time is the first dimension. The rewards stay.")
    for gamma in (1.0,) if discount == "none" else (random.uniform(0.3, 0.95), 0.0):
        for steps, n in ((1, 4), (random.randint(5, 9), random.randint(2, 4)), (6, 1)):
            rewards = torch.randn(steps, n, dtype=torch.float64)
            found, after = student.run(and_inputs, student.returns_to_go, rewards, gamma)
            expected = torch.zeros_like(rewards)
            for t in range(steps):
                for later in range(t, steps):
                    expected[t] += gamma ** (later - t) * rewards[later]
            close(found, expected)
            assert_close(after[0], rewards)


@pytest.mark.points(1)
def test_leave_one_out(student, and_inputs, close):
    """leave_one_out: the mean of all other returns, for each of them."""
    hint("Of N returns there are N - 1 others.")
    for n in (2, random.randint(3, 9)):
        returns = torch.randn(n, dtype=torch.float64)
        found, after = student.run(and_inputs, student.leave_one_out, returns)
        others = [torch.cat([returns[:i], returns[i + 1 :]]).mean() for i in range(n)]
        close(found, torch.stack(others))
        assert_close(after[0], returns)


def loss_and_gradients(reinforce_loss, logits, actions, returns, baseline):
    """The loss, its gradient at the logits, and what else is reached by one, or changed."""
    leaves = [x.clone().requires_grad_() for x in (logits, returns, baseline)]
    # Through products, so that a gradient would be seen whatever is done to the leaves.
    logits, returns, baseline = given = [x * 1 for x in leaves]
    loss = reinforce_loss(logits, actions, returns, baseline)
    loss.backward()
    reached = [x.grad is not None and bool(x.grad.any()) for x in leaves[1:]]
    changed = [not torch.equal(*pair) for pair in zip(given, leaves, strict=True)]
    return loss.detach(), leaves[0].grad, reached, changed


def draw(n, actions, scale=2.0):
    logits = scale * torch.randn(n, actions, dtype=torch.float64)
    returns, baseline = torch.randn(2, n, dtype=torch.float64) + 1
    return logits, torch.randint(actions, (n,)), returns, baseline


@pytest.mark.points(2)
@pytest.mark.parametrize("kind", ["one step", "many steps", "sure policy"])
def test_reinforce_loss(student, close, kind):
    """reinforce_loss and its gradient: (G - b) times (π - taken action), a mean over the steps."""
    hint("log_softmax, not log of softmax; minus sign; mean over the steps.")
    n = 1 if kind == "one step" else random.randint(5, 12)
    args = draw(n, random.randint(2, 5), 300.0 if kind == "sure policy" else 2.0)
    loss, grad, _, changed = student.run(loss_and_gradients, student.reinforce_loss, *args)
    logits, actions, returns, baseline = args
    gains, rows = returns - baseline, torch.arange(n)
    log_probs = logits - torch.logsumexp(logits, 1, keepdim=True)
    close(loss, -(gains * log_probs[rows, actions]).sum() / n)
    taken = torch.nn.functional.one_hot(actions, logits.shape[1])
    close(grad, gains[:, None] * (log_probs.exp() - taken) / n)
    assert changed == [False] * 3, "what it is given stays as it is"


@pytest.mark.points(1)
@pytest.mark.needs("test_reinforce_loss")
def test_baseline_is_a_number(student):
    """No gradient flows through the baseline, nor through the returns."""
    hint("Detach both.")
    args = draw(7, 3)
    loss, grad, reached, _ = student.run(loss_and_gradients, student.reinforce_loss, *args)
    assert loss.isfinite()
    assert grad.abs().sum() > 0
    assert reached == [False, False]


@pytest.mark.points(1)
@pytest.mark.needs("test_reinforce_loss")
def test_baseline_leaves_the_mean(student):
    """Averaged over all actions, the gradient is that of the expected return, whatever b is."""
    hint("The baseline is subtracted from the return, and multiplies nothing else.")
    k = random.randint(3, 5)
    logits, worth = torch.randn(k, dtype=torch.float64), torch.randn(k, dtype=torch.float64)
    probs = logits.softmax(0)
    uphill = probs * (worth - probs @ worth)
    for b in (0.0, random.uniform(5, 50)):
        mean = torch.zeros_like(logits)
        for a in range(k):
            args = logits[None], torch.tensor([a]), worth[a : a + 1], torch.full_like(worth[:1], b)
            _, grad, *_ = student.run(loss_and_gradients, student.reinforce_loss, *args)
            mean += probs[a] * grad[0]
        assert_close(mean, -uphill, rtol=1e-7, atol=1e-9)
