"""Question 1: backtracking by Armijo's rule, and gradient descent with it.

The functions to be minimised have the least value 0, so that a descent is not lost in rounding.
"""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q1")


def quadratic_step(backtracking, a, x, direction, settings):
    """Step length for ½ xᵀ A x from x along a direction."""
    return backtracking(lambda z: 0.5 * z @ a @ z, x, a @ x, direction, **settings)


def barrier_step(backtracking, w, x, direction, step):
    """Step length for w·x - Σ log x, which is NaN beyond the border and infinite on it."""
    return backtracking(lambda z: w @ z - z.log().sum(), x, w - 1 / x, direction, step=step)


def quadratic_path(gradient_descent, a, x, settings):
    """Path on ½ xᵀ A x, and x as it is afterwards."""
    path = gradient_descent(lambda z: 0.5 * z @ a @ z, lambda z: a @ z, x, **settings)
    return path, x


def bowl_path(gradient_descent, x, settings):
    """Path on Σ log cosh x, far from quadratic."""
    return gradient_descent(lambda z: z.cosh().log().sum(), torch.tanh, x, **settings)


def draw_x(d):
    """Draw a point none of whose entries is near zero."""
    x = torch.randn(d, dtype=torch.float64)
    return x + x.sign()


@pytest.mark.points(3)
@pytest.mark.parametrize("case", ["steep", "strict", "defaults"])
def test_backtracking(student, reference, draw_hessian, close, case):
    """backtracking gives the first length that satisfies Armijo's rule, along any direction."""
    hint("Try the first length itself too. The slope is the product of gradient and direction.")
    hint("If only strict settings fail: the promise is c · t · slope, and t is what you try.")
    d = random.randint(2, 7)
    for _ in range(6):
        a, x = draw_hessian(0.2 + 40 * torch.rand(d) ** 3), draw_x(d)
        direction = -draw_hessian(0.3 + torch.rand(d)) @ (a @ x)
        settings = {
            "steep": {"step": random.uniform(5, 50), "shrink": random.uniform(0.3, 0.8)},
            "strict": {"step": 8.0, "shrink": 0.93, "c": random.uniform(0.3, 0.95)},
            "defaults": {},
        }[case]
        if case == "defaults":
            direction = direction * random.choice([0.3, 1.0, 5.0])
        found = student.run(quadratic_step, student.backtracking, a, x, direction, settings)
        close(found, quadratic_step(reference.backtracking, a, x, direction, settings))
    if case == "strict":
        hint("A length that falls exactly as far as the rule demands is far enough.")
        one = torch.eye(1, dtype=torch.float64)  # numbers without any rounding: 1/2 - 1/2 · 1 · 1
        args = one, one[0], -one[0], {"c": 0.5}
        close(student.run(quadratic_step, student.backtracking, *args), 1.0)


@pytest.mark.points(1)
def test_backtracking_refuses_what_is_not_finite(student, reference, close):
    """A trial at which f is NaN or infinite is refused, and a shorter one taken."""
    hint("Every comparison with NaN is False. What does your loop do then?")
    for _ in range(4):
        d = random.randint(1, 4)
        x, w = 0.1 + torch.rand(d, dtype=torch.float64), 3 + torch.rand(d, dtype=torch.float64)
        direction = -(w - 1 / x) / x
        step = random.choice([8.0, 40.0, (x / -direction).abs().min().item()])
        found = student.run(barrier_step, student.backtracking, w, x, direction, step)
        close(found, barrier_step(reference.backtracking, w, x, direction, step))


@pytest.mark.points(1)
@pytest.mark.needs("test_backtracking")
def test_backtracking_refuses_other_directions(student, draw_hessian):
    """backtracking raises ValueError for a direction along which f does not fall."""
    hint("Uphill, but level too: with a slope of zero no length can do.")
    a, x = draw_hessian([1.0, 3.0, 9.0]), draw_x(3)
    level = torch.linalg.cross(a @ x, torch.randn(3, dtype=torch.float64))
    for direction in (a @ x, torch.zeros(3, dtype=torch.float64), 1e-3 * level):
        slope = (a @ x @ direction).item()
        if abs(slope) < 1e-12:  # level, but for rounding: make it so without
            direction = torch.zeros(3, dtype=torch.float64)
        with pytest.raises(ValueError):
            student.run(quadratic_step, student.backtracking, a, x, direction, {})


@pytest.mark.points(2)
def test_gradient_descent_path(student, reference, draw_hessian, close):
    """gradient_descent visits the right points, and leaves the first one as it was."""
    hint("Each step begins anew from the first length. The path begins with x itself.")
    for _ in range(3):
        d = random.randint(1, 6)
        a, x = draw_hessian(0.5 + 10 * torch.rand(d)), draw_x(d)
        settings = {"steps": random.randint(3, 7), "step": random.uniform(0.5, 3)}
        path, after = student.run(quadratic_path, student.gradient_descent, a, x, settings)
        close(path, quadratic_path(reference.gradient_descent, a, x, settings)[0])
        close(after, x)
    x = 3 * draw_x(4)
    found = student.run(bowl_path, student.gradient_descent, x, {"steps": 6})
    close(found, bowl_path(reference.gradient_descent, x, {"steps": 6}))


@pytest.mark.points(2)
def test_gradient_descent_arrives_and_stops(student, reference, draw_hessian, close):
    """The walk ends at the first point with a small gradient, or after the last step."""
    hint("Look at the gradient before each step: no step at all from a point that is good enough.")
    d = random.randint(2, 5)
    # Curvatures that differ, so that it takes some steps, and not near 4: there half a step, which
    # the rule lets pass, hardly comes nearer, and 500 are too few.
    a, x = draw_hessian([1.0, 3.7, *(1 + 2.7 * torch.rand(d - 2)).tolist()]), draw_x(d)
    tol = 10 ** random.uniform(-5, -3)
    for settings in ({"steps": 500, "tol": tol}, {"steps": 500}):
        path, _ = student.run(quadratic_path, student.gradient_descent, a, x, settings)
        norms = (path @ a).norm(dim=1)
        assert 3 < len(norms) < 500
        assert (norms[:-1] > settings.get("tol", 1e-6)).all()
        assert norms[-1] <= settings.get("tol", 1e-6)
        expected, _ = quadratic_path(reference.gradient_descent, a, x, settings)
        close(path, expected, rtol=1e-5)
    hint("From a point whose gradient is small enough, and with no steps, the path is x alone.")
    near, zeros = 1e-9 * x, torch.zeros(d, dtype=torch.float64)
    for start, steps in ((near, 5), (x, 0), (zeros, 3)):
        path, _ = student.run(quadratic_path, student.gradient_descent, a, start, {"steps": steps})
        close(path, start[None])
    hint("A gradient whose norm is exactly `tol` is small enough.")
    one = torch.eye(1, dtype=torch.float64)
    settings = {"steps": 3, "tol": 1.0}
    path, _ = student.run(quadratic_path, student.gradient_descent, one, one[0], settings)
    close(path, one)
