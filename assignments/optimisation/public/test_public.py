"""The checks that you can run yourself: `grader check optimisation.ipynb`.

They look at small cases only. The tests that give marks use other inputs and look closer.
"""

import math

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint


def steps_of(make, params, settings, all_grads):
    """Parameters after each step, one behind the other."""
    optimiser = make(params, 0.1, **settings)
    found = []
    for grads in all_grads:
        optimiser.step(grads)
        found.append(torch.cat([param.flatten() for param in params]))
    return torch.stack(found)


def square(x):
    return x.square().sum()


def gradient_of_square(x):
    return 2 * x


def hessian_of_square(x):
    return 2 * torch.eye(len(x), dtype=x.dtype)


@pytest.mark.question("q1")
def test_backtracking(student):
    """On x², from 3 along -12: 1 and 1/2 land too high, 1/4 at the minimum."""
    hint("From 3, the step 1/2 lands at -3: as high as before, which is not enough.")
    x = torch.tensor([3.0])
    assert float(student.backtracking(square, x, 2 * x, -4 * x)) == pytest.approx(0.25)


@pytest.mark.question("q1")
def test_gradient_descent(student):
    """On a sum of squares the path begins at x and ends at zero."""
    hint("The path begins with x as it was: a step makes a new point and leaves x alone.")
    hint("Each step is `backtracking` times the negative gradient, until the gradient is small.")
    x = torch.tensor([3.0, -1.0], dtype=torch.float64)
    path = student.gradient_descent(square, gradient_of_square, x, 20)
    assert_close(path[0], x)
    assert_close(path[-1], torch.zeros(2, dtype=torch.float64), atol=1e-5, rtol=0)


@pytest.mark.question("q2")
def test_momentum(student):
    """Two steps of one number with momentum, worked out by hand, with μ = 0.5."""
    hint("The gradient is 1 in both steps: the velocities are 1 and 1.5.")
    grads = [[torch.tensor([1.0])], [torch.tensor([1.0])]]
    found = student.run(steps_of, student.Momentum, [torch.zeros(1)], {"momentum": 0.5}, grads)
    assert_close(found, torch.tensor([[-0.1], [-0.25]]))


@pytest.mark.question("q2")
def test_nesterov(student):
    """The same two steps with Nesterov's variant."""
    hint("The gradient is 1 in both steps: it moves along 1.5 and 1.75.")
    grads = [[torch.tensor([1.0])], [torch.tensor([1.0])]]
    settings = {"momentum": 0.5, "nesterov": True}
    found = student.run(steps_of, student.Momentum, [torch.zeros(1)], settings, grads)
    assert_close(found, torch.tensor([[-0.15], [-0.325]]))


@pytest.mark.question("q2")
def test_best_rate(student):
    """With curvatures 1 and 3 the best rate is 1/2, and halves the distance at each step."""
    rate, factor = student.best_rate(torch.diag(torch.tensor([1.0, 3.0])))
    assert (float(rate), float(factor)) == pytest.approx((0.5, 0.5))


@pytest.mark.question("q2")
def test_best_momentum(student):
    """A round bowl needs no momentum."""
    _, momentum = student.best_momentum(2 * torch.eye(3))
    assert float(momentum) == pytest.approx(0, abs=1e-6)


@pytest.mark.question("q3")
def test_first_step_of_adagrad(student):
    """The first step of AdaGrad goes η against the sign of the gradient."""
    grads = [[torch.tensor([5.0, -0.01])]]
    found = student.run(steps_of, student.AdaGrad, [torch.zeros(2)], {}, grads)
    assert_close(found[0], torch.tensor([-0.1, 0.1]))


@pytest.mark.question("q3")
def test_first_step_of_adam(student):
    """The first step of Adam goes η against the sign of the gradient."""
    grads = [[torch.tensor([5.0, -0.01])]]
    found = student.run(steps_of, student.Adam, [torch.zeros(2)], {}, grads)
    assert_close(found[0], torch.tensor([-0.1, 0.1]))


@pytest.mark.question("q3")
def test_first_step_of_rmsprop(student):
    """The average of squares starts at zero, so that the first step is η / √(1 - ρ) long."""
    grads = [[torch.tensor([5.0, -2.0])]]
    found = student.run(steps_of, student.RMSProp, [torch.zeros(2)], {"rho": 0.75}, grads)
    assert_close(found[0], torch.tensor([-0.2, 0.2]))


@pytest.mark.question("q3")
def test_adamw_shrinks(student):
    """Without a gradient to follow, AdamW only shrinks the parameters: by η λ of themselves."""
    grads = [[torch.zeros(2)]]
    start = [torch.tensor([2.0, -4.0])]
    found = student.run(steps_of, student.AdamW, start, {"weight_decay": 0.5}, grads)
    assert_close(found[0], torch.tensor([1.9, -3.8]))


@pytest.mark.question("q4")
def test_warmup_cosine(student):
    """Half-way up, at the top, half-way down, at the end."""
    rates = [student.warmup_cosine(t, 12, 4, 2.0) for t in (1, 3, 4, 8, 12)]
    assert rates == pytest.approx([1.0, 2.0, 2.0, 1.0, 0.0])


@pytest.mark.question("q4")
def test_inverse_root(student):
    """The rate is at its peak in the last step of the warm-up, and a third of it 8 w later."""
    rates = [student.inverse_root(t, 2, 3.0) for t in (0, 1, 17)]
    assert rates == pytest.approx([1.5, 3.0, 1.0])


@pytest.mark.question("q5")
def test_newton(student):
    """On a sum of squares Newton's method arrives in one step, and stops there."""
    x = torch.tensor([3.0, -1.0], dtype=torch.float64)
    path = student.newton(square, gradient_of_square, hessian_of_square, x, 10)
    assert_close(path, torch.stack([x, torch.zeros_like(x)]))


@pytest.mark.question("q5")
def test_gauss_newton_direction(student):
    """With J = 1 the direction is -r / (1 + μ)."""
    residuals = torch.tensor([3.0, -6.0])
    found = student.gauss_newton_direction(residuals, torch.eye(2), 2.0)
    assert_close(found, torch.tensor([-1.0, 2.0]))


@pytest.mark.question("q5")
def test_levenberg_marquardt(student):
    """For linear residuals it arrives within a few steps; the path has all of them."""

    def residuals(x):
        return x - torch.tensor([1.0, 2.0], dtype=torch.float64)

    def jacobian(x):
        return torch.eye(2, dtype=torch.float64)

    x = torch.zeros(2, dtype=torch.float64)
    path = student.levenberg_marquardt(residuals, jacobian, x, 12)
    assert tuple(path.shape) == (13, 2)
    assert_close(path[-1], torch.tensor([1.0, 2.0], dtype=torch.float64), atol=1e-4, rtol=0)


@pytest.mark.question("q6")
def test_kind_of_point(student):
    """One curvature up, one down."""
    assert student.kind_of_point(torch.diag(torch.tensor([1.0, -1.0]))) == "saddle"
    assert student.kind_of_point(torch.eye(2)) == "minimum"


@pytest.mark.question("q6")
def test_saddle_free_direction(student):
    """Downhill along both axes, each as far as its curvature says."""
    hessian = torch.diag(torch.tensor([2.0, -4.0]))
    found = student.saddle_free_direction(torch.tensor([2.0, 2.0]), hessian)
    assert_close(found, torch.tensor([-1.0, -0.5]))


def losses_of_training(train, make):
    """Losses of a linear model on two clouds of points."""
    model = torch.nn.Linear(2, 2)
    x = torch.cat([torch.randn(20, 2) + 3, torch.randn(20, 2) - 3])
    y = torch.arange(40) // 20
    optimiser = make(model.parameters(), 0.0)
    return train(model, x, y, optimiser, lambda t: 0.1, 5, 16)


@pytest.mark.question("q7")
def test_training_lowers_the_loss(student):
    """Five epochs of three mini-batches give fifteen losses, and the last ones are small."""
    hint("Is the learning rate that of the schedule? The optimiser is made with a rate of 0.")
    losses = student.run(losses_of_training, student.train, student.Optimiser)
    assert len(losses) == 15
    assert sum(losses[-3:]) < sum(losses[:3])


def shape_of_logits(fit, x, y):
    return tuple(fit(x, y, 2)(x[:7]).shape)


@pytest.mark.question("q7")
def test_fit_gives_a_model(student):
    """fit gives a model with a logit for each class."""
    angle = 2 * math.pi * torch.rand(60)
    x = torch.stack([angle.cos(), angle.sin()], dim=1)
    assert student.run(shape_of_logits, student.fit, x, (x[:, 0] > 0).long()) == (7, 2)
