"""Question 5: hinge and logistic losses, and gradient descent."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q5")


def without_autograd(loss_function, w, x, y):
    """Return loss and gradient, with autograd switched off, and the arguments afterwards."""
    with torch.no_grad():
        loss, grad = loss_function(w, x, y)
    return loss, grad, [w, x, y]


def quartic(w, x, y):
    """A loss of one's own, and its gradient."""
    return (w**4).sum() + (x.T @ y @ w), 4 * w**3 + x.T @ y


def descend(gradient_descent, loss_function, w, x, y, lr, steps):
    """Return what gradient descent gives, and the first weights as they are afterwards."""
    found, losses = gradient_descent(loss_function, w, x, y, lr, steps)
    return found, losses, w


def by_autograd(loss, w, x, y):
    """Loss and gradient of a loss of margins, by torch."""
    w = w.clone().requires_grad_()
    value = loss(y * (x @ w))
    return value.detach(), torch.autograd.grad(value, w)[0]


def hinge(m):
    return (1 - m).clamp(min=0).mean()


def logistic(m):
    return torch.logaddexp(-m, torch.zeros_like(m)).mean()


@pytest.mark.points(2)
@pytest.mark.parametrize("name", ["hinge_loss", "logistic_loss"])
def test_loss(student, close, labelled, name):
    """The losses are those of the formulas, for one example or many."""
    hint("Which sign has the margin of an example that is right? And the loss is a mean.")
    for n, d in ((9, 4), (3, 7), (1, 2)):
        (x, y), w = labelled(n, d), torch.randn(d, dtype=torch.float64)
        expected = {"hinge_loss": hinge, "logistic_loss": logistic}[name](y * (x @ w))
        close(student[name](w, x, y)[0], expected)


@pytest.mark.points(3)
@pytest.mark.parametrize("name", ["hinge_loss", "logistic_loss"])
def test_gradient(student, close, labelled, name):
    """The gradients are those of the losses, and the arguments are left as they were."""
    hint("Differentiate the loss of one example with respect to its margin, then the margin to w.")
    hint("The loss is a mean over the examples; what does that do to its gradient?")
    for n, d in ((9, 4), (3, 7), (1, 2)):
        (x, y), w = labelled(n, d), torch.randn(d, dtype=torch.float64)
        loss = {"hinge_loss": hinge, "logistic_loss": logistic}[name]
        _, grad, after = student.run(without_autograd, student[name], w, x, y)
        close(grad, by_autograd(loss, w, x, y)[1])
        for now, before in zip(after, (w, x, y), strict=True):
            assert torch.equal(now, before)


@pytest.mark.points(1)
def test_hinge_at_its_kink(student, close):
    """An example whose margin is exactly one adds nothing to the gradient of the hinge loss."""
    hint("The text says which gradient we take at the kink.")
    w = torch.tensor([1.0, -1.0, 0.0], dtype=torch.float64)
    x = torch.randint(-2, 3, (30, 3)).double()
    x[:3] = torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0], [-1.0, 1.0, 1.0]])
    y = torch.randint(2, (30,)).double() * 2 - 1
    y[:3] = torch.tensor([1.0, -1.0, 1.0])
    inside = y * (x @ w) < 1
    _, grad, _ = student.run(without_autograd, student.hinge_loss, w, x, y)
    close(grad, -(y[inside, None] * x[inside]).sum(0) / 30)


@pytest.mark.points(1)
def test_logistic_of_confident_mistakes(student, close, labelled):
    """For margins far below zero, logistic_loss and its gradient are finite and right."""
    hint("e^800 is infinite. The loss of such an example is nearly -m.")
    x, y = labelled(6, 3)
    w = torch.randn(3, dtype=torch.float64)
    x[0] *= -y[0] * random.uniform(1e3, 1e4) / (x[0] @ w)
    x[1] *= y[1] * random.uniform(1e3, 1e4) / (x[1] @ w)
    loss, grad, _ = student.run(without_autograd, student.logistic_loss, w, x, y)
    expected = by_autograd(logistic, w, x, y)
    close(loss, expected[0])
    close(grad, expected[1])


@pytest.mark.points(1)
def test_logistic_of_confident_answers(student):
    """For margins far above zero, logistic_loss and its gradient are tiny, and not zero."""
    hint("1 + e⁻⁴⁰ is 1 for a computer. The text names the function that knows better.")
    x = torch.tensor([[random.uniform(38, 60), 1.0]], dtype=torch.float64)
    w, y = torch.tensor([1.0, 0.5], dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    small = torch.exp(-(x @ w))
    loss, grad, _ = student.run(without_autograd, student.logistic_loss, w, x, y)
    # log(1 + t) and t / (1 + t) are t, for a t below the precision of float64.
    loss = torch.as_tensor(loss, dtype=torch.float64)
    torch.testing.assert_close(loss, small[0], rtol=1e-6, atol=0)
    torch.testing.assert_close(grad, -small * x[0], rtol=1e-6, atol=0, check_dtype=False)


@pytest.mark.points(2)
def test_gradient_descent(student, close, labelled):
    """gradient_descent takes the steps, for any loss, and keeps the loss before each."""
    hint("Downhill, with the learning rate; and is a loss kept for each step, before it is taken?")
    hint("w -= … writes into the tensor of whoever called you.")
    for steps in (0, 1, 5):
        (x, y), w = labelled(4, 3), torch.rand(3, dtype=torch.float64)
        lr = random.uniform(0.005, 0.02)
        now, expected = w, []
        for _ in range(steps):
            loss, grad = quartic(now, x, y)
            now = now - lr * grad
            expected.append(loss.item())
        found, losses, first = student.run(
            descend, student.gradient_descent, quartic, w, x, y, lr, steps
        )
        close(found, now)
        assert len(losses) == steps
        close(losses, expected)
        assert torch.equal(first, w)
