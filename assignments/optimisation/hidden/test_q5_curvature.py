"""Question 5: Newton's method, Gauss–Newton and Levenberg–Marquardt."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q5")


def soft_path(newton, a, b, x, settings):
    """Newton's path on Σ log cosh (A x - b) + ½ |x|²/10, which is strictly convex."""

    def f(z):
        return (a @ z - b).cosh().log().sum() + z @ z / 20

    def gradient(z):
        return a.T @ (a @ z - b).tanh() + z / 10

    def hessian(z):
        identity = torch.eye(len(z), dtype=z.dtype)
        return a.T @ ((1 - (a @ z - b).tanh() ** 2)[:, None] * a) + identity / 10

    return newton(f, gradient, hessian, x, **settings)


def quadratic_path(newton, a, x, settings):
    """Newton's path on ½ xᵀ A x."""
    return newton(lambda z: 0.5 * z @ a @ z, lambda z: a @ z, lambda z: a, x, **settings)


def opposite_path(newton, a, x, settings):
    """Newton's path on ½ xᵀ A x, along a direction that is half of the negative gradient."""
    return newton(
        lambda z: 0.5 * z @ a @ z,
        lambda z: a @ z,
        lambda z: a,
        x,
        direction=lambda grad, hessian: -hessian @ grad / 2,
        **settings,
    )


def curve_path(levenberg_marquardt, t, y, x, settings):
    """Path of a fit of a·exp(-b t) + c, whose Jacobian is known."""

    def residuals(z):
        return z[0] * (-z[1] * t).exp() + z[2] - y

    def jacobian(z):
        decay = (-z[1] * t).exp()
        return torch.stack([decay, -z[0] * t * decay, torch.ones_like(t)], dim=1)

    return levenberg_marquardt(residuals, jacobian, x, **settings)


def border_path(levenberg_marquardt, y, x, settings):
    """Path of a fit of log x, which is NaN for negative x."""

    def jacobian(z):
        return torch.diag(1 / z)

    return levenberg_marquardt(lambda z: z.log() - y, jacobian, x, **settings)


def level_path(levenberg_marquardt, x, settings):
    """Path of a step that leads from x to -x, where the residual |x| is exactly as large."""
    half = torch.tensor([[0.5]], dtype=torch.float64)
    return levenberg_marquardt(torch.abs, lambda z: half, x, **settings)


@pytest.mark.points(2)
def test_newton_direction(student, draw_hessian, close):
    """newton_direction solves H p = -g."""
    hint("A sign, or the wrong side? Multiply H by what you return: it must give -g.")
    for eigenvalues in ([5.0], [1.0, 4.0], [0.5, 3.0, 7.0, 20.0], [-2.0, 1.0, 6.0]):
        hessian = draw_hessian(eigenvalues)
        grad = torch.randn(len(eigenvalues), dtype=torch.float64)
        p = student.newton_direction(grad, hessian)
        assert p.shape == grad.shape
        close(hessian @ p, -grad)


@pytest.mark.points(2)
def test_newton_path(student, reference, draw_hessian, close):
    """newton visits the right points, along the direction that it is given."""
    hint("Backtracking starts from 1 at each step, along the direction and not along -g.")
    for _ in range(3):
        d, n = random.randint(1, 4), random.randint(5, 8)
        a, b = torch.randn(n, d, dtype=torch.float64), torch.randn(n, dtype=torch.float64)
        x, settings = 4 * torch.randn(d, dtype=torch.float64), {"steps": 3}
        found = student.run(soft_path, student.newton, a, b, x, settings)
        close(found, soft_path(reference.newton, a, b, x, settings), rtol=1e-6, atol=1e-7)
    hint("Use the argument `direction`; newton_direction is only its default.")
    a, x = draw_hessian([0.7, 2.0, 5.0]), 1 + torch.rand(3, dtype=torch.float64)
    found = student.run(opposite_path, student.newton, a, x, {"steps": 4})
    close(found, opposite_path(reference.newton, a, x, {"steps": 4}))


@pytest.mark.points(1)
def test_newton_stops_when_it_has_arrived(student, draw_hessian, close):
    """On a quadratic, newton arrives after one step and stops; from the minimum it takes none."""
    hint("Look at the gradient before each step, and stop at the first that is small enough.")
    d = random.randint(2, 6)
    a, x = draw_hessian(1 + 20 * torch.rand(d)), 1 + torch.rand(d, dtype=torch.float64)
    path = student.run(quadratic_path, student.newton, a, x, {"steps": 10})
    close(path, torch.stack([x, torch.zeros_like(x)]), atol=1e-7)
    near = 1e-3 * x
    path = student.run(quadratic_path, student.newton, a, near, {"steps": 5, "tol": 1.0})
    close(path, near[None])
    one = torch.eye(1, dtype=torch.float64)
    path = student.run(quadratic_path, student.newton, one, one[0], {"steps": 3, "tol": 1.0})
    close(path, one)


@pytest.mark.points(3)
def test_gauss_newton_direction(student, close):
    """gauss_newton_direction solves the damped normal equations, for tall and wide Jacobians."""
    hint("JᵀJ has the shape (D, D). Damping is added to its diagonal alone.")
    for n, d in ((7, 3), (2, 5), (1, 1), (4, 4)):
        jacobian = torch.randn(n, d, dtype=torch.float64)
        residuals = torch.randn(n, dtype=torch.float64)
        damping = random.uniform(0.2, 2)
        p = student.gauss_newton_direction(residuals, jacobian, damping)
        # The same as the least squares solution of a taller system.
        rows = torch.cat([jacobian, damping**0.5 * torch.eye(d, dtype=torch.float64)])
        target = torch.cat([-residuals, torch.zeros(d, dtype=torch.float64)])
        expected = torch.linalg.lstsq(rows, target[:, None]).solution[:, 0]
        close(p, expected, rtol=1e-10, atol=1e-11)
    hint("Without damping it is plain least squares.")
    jacobian = torch.cat([torch.eye(3), torch.randn(4, 3)]).double()
    residuals = torch.randn(7, dtype=torch.float64)
    p = student.gauss_newton_direction(residuals, jacobian)
    expected = torch.linalg.lstsq(jacobian, -residuals[:, None]).solution[:, 0]
    close(p, expected, rtol=1e-6, atol=1e-7)


def draw_curve(noise):
    """Draw measurements of a decay, and a point to start from."""
    t = torch.linspace(0, 4, random.randint(20, 30), dtype=torch.float64)
    a, b, c = random.uniform(1, 3), random.uniform(0.5, 2), random.uniform(-1, 1)
    y = a * (-b * t).exp() + c + noise * torch.randn(len(t), dtype=torch.float64)
    return t, y, torch.tensor([a, b, c], dtype=torch.float64)


@pytest.mark.points(3)
def test_levenberg_marquardt_path(student, reference, close):
    """levenberg_marquardt visits the right points, whether steps are accepted or not."""
    hint("Accepted: μ / 3. Not accepted: the same point again, and 2 μ.")
    for damping in ({}, {"damping": 1.0}, {"damping": 1e-6}):
        t, y, truth = draw_curve(noise=0.05)
        x = truth * torch.tensor([0.3, 3.0, -1.0], dtype=torch.float64)
        settings = {"steps": 6, **damping}
        found = student.run(curve_path, student.levenberg_marquardt, t, y, x, settings)
        expected = curve_path(reference.levenberg_marquardt, t, y, x, settings)
        close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.points(2)
def test_levenberg_marquardt_refuses_bad_steps(student, reference, close):
    """Steps that lead uphill, or where the residuals are not finite, are not taken."""
    hint("Every comparison with NaN is False. Which of your two branches does that lead to?")
    hint("(Or are the factors of μ not 1/3 and 2?)")
    for d in (1, 3):
        y = 0.2 * torch.randn(d, dtype=torch.float64)
        x = (y + 3 + torch.rand(d, dtype=torch.float64)).exp()
        # The first steps go beyond zero; with more damping the later ones do not.
        settings = {"steps": 14, "damping": 0.25 / x.max().item() ** 2}
        found = student.run(border_path, student.levenberg_marquardt, y, x, settings)
        expected = border_path(reference.levenberg_marquardt, y, x, settings)
        assert torch.equal(expected[1], x) and (expected[-1] < x).all()
        close(found, expected, rtol=1e-5, atol=1e-6)
    hint("A step that leads no lower is not taken either.")
    one = torch.ones(1, dtype=torch.float64)
    settings = {"steps": 2, "damping": 0.0}
    path = student.run(level_path, student.levenberg_marquardt, one, settings)
    close(path, torch.ones(3, 1, dtype=torch.float64))


@pytest.mark.points(1)
def test_levenberg_marquardt_finds_the_curve(student):
    """From measurements without noise, levenberg_marquardt finds the curve that they come from."""
    hint("Does the damping fall while steps are accepted?")
    t, y, truth = draw_curve(noise=0.0)
    x = truth * torch.tensor([0.7, 1.5, 1.0], dtype=torch.float64)
    path = student.run(curve_path, student.levenberg_marquardt, t, y, x, {"steps": 40})
    assert len(path) == 41
    torch.testing.assert_close(path[0], x)
    torch.testing.assert_close(path[-1], truth, rtol=1e-4, atol=1e-4)
