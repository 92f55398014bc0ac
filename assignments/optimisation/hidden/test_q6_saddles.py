"""Question 6: saddle points, and a way off them."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q6")


def basin_path(newton, direction, a, x, settings):
    """Path on Σ (zᵢ⁴/4 - aᵢ zᵢ²/2): a saddle or maximum at 0, minima where zᵢ² = aᵢ or zᵢ = 0."""
    return newton(
        lambda z: (z**4 / 4 - a * z**2 / 2).sum(),
        lambda z: z**3 - a * z,
        lambda z: torch.diag(3 * z**2 - a),
        x,
        direction=direction,
        **settings,
    )


@pytest.mark.points(3)
def test_kind_of_point(student, draw_hessian):
    """kind_of_point tells minimum, maximum, saddle and degenerate apart."""
    hint("One eigenvalue of each sign is enough for a saddle, whatever the others are.")
    hint("What counts as zero is neither positive nor negative.")
    cases = [
        ([2.0], "minimum"),
        ([-3.0], "maximum"),
        ([0.0], "degenerate"),
        ([0.5, 1.0, 4.0], "minimum"),
        ([-0.5, -1.0, -4.0], "maximum"),
        ([-1e-3, 5.0, 9.0, 2.0], "saddle"),
        ([1e-3, -5.0, -9.0], "saddle"),
        ([-1.0, 0.0, 1.0], "saddle"),
        ([0.0, 1.0, 3.0], "degenerate"),
        ([0.0, -1.0, -3.0], "degenerate"),
        ([1e-9, 2.0], "degenerate"),
        ([-1e-9, -2.0], "degenerate"),
        ([-1e-9, 2.0], "degenerate"),
        ([1e-5, 2.0], "minimum"),
        ([-1e-5, -2.0], "maximum"),
    ]
    random.shuffle(cases)
    for eigenvalues, kind in cases:
        assert student.kind_of_point(draw_hessian(eigenvalues)) == kind
    hint("`tol` says what counts as zero; its own size still does.")
    assert student.kind_of_point(draw_hessian([0.1, 1.0]), 0.3) == "degenerate"
    assert student.kind_of_point(draw_hessian([-0.1, 1.0]), 0.3) == "degenerate"
    assert student.kind_of_point(draw_hessian([-0.5, 1.0]), 0.3) == "saddle"
    assert student.kind_of_point(torch.diag(torch.tensor([0.25, 1.0])), 0.25) == "degenerate"
    assert student.kind_of_point(torch.diag(torch.tensor([-0.25, -1.0])), 0.25) == "degenerate"


@pytest.mark.points(3)
@pytest.mark.parametrize("case", ["curved", "flat"])
def test_saddle_free_direction(student, reference, draw_hessian, close, case):
    """saddle_free_direction divides by the size of each curvature, by no less than the floor."""
    hint("In the basis of the eigenvectors each component stands alone. Q or Qᵀ first?")
    for d in (1, 3, random.randint(4, 7)):
        signs = torch.randint(2, (d,)) * 2.0 - 1
        eigenvalues = signs * torch.linspace(0.5, 3, d) if case == "curved" else signs * 1e-5
        settings = {} if random.random() < 0.5 else {"floor": random.uniform(0.6, 2)}
        if case == "flat":
            eigenvalues[0] = 2.0 if d > 1 else 0.0
        hessian, grad = draw_hessian(eigenvalues), torch.randn(d, dtype=torch.float64)
        found = student.saddle_free_direction(grad, hessian, **settings)
        expected = reference.saddle_free_direction(grad, hessian, **settings)
        close(found, expected, rtol=1e-6, atol=1e-7)
        assert (found @ grad).item() < 0


@pytest.mark.points(2)
def test_saddle_free_steps_find_a_minimum(student):
    """From close to a saddle, newton with saddle_free_direction reaches a minimum in few steps."""
    hint("Questions 1 and 5 must be right too: newton calls backtracking along this direction.")
    # Newton's own direction, turned where it leads uphill, arrives from every second start.
    for d in (2, *random.choices(range(2, 7), k=11)):
        a = 0.5 + torch.rand(d, dtype=torch.float64)
        a[-1] = -a[-1]
        x = 0.02 * (torch.randint(2, (d,)) * 2 - 1) * (1 + torch.rand(d, dtype=torch.float64))
        args = student.newton, student.saddle_free_direction, a, x, {"steps": 60}
        path = student.run(basin_path, *args)
        assert 3 <= len(path) <= 40
        expected = torch.where(a > 0, a.abs().sqrt() * x.sign(), 0.0)
        torch.testing.assert_close(path[0], x)
        torch.testing.assert_close(path[-1], expected, rtol=1e-4, atol=1e-4)
