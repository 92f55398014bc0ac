"""The checks that you can run yourself: `grader check self-assessment-quiz.ipynb`.

They say whether your answers can be read, and try the functions on small cases.
"""

import math

import pytest
import torch

from grader.suite.hints import hint

NUMBERS = [
    "q1_inner",
    "q1_angle",
    "q2_distance",
    "q2_origin",
    "q5_scalar",
    "q5_plane",
    "q6_mle",
    "q6_likelihood",
    "q6_posterior",
    "q6_map",
]


@pytest.mark.parametrize("name", NUMBERS)
def test_is_a_number(student, name):
    """The answer is a finite number."""
    hint(f"`{name}` must be a number such as 0.5 or 3 / 7, not a text and not None.")
    value = student[name]
    assert isinstance(value, int | float) and math.isfinite(value)


@pytest.mark.parametrize("name", ["q1_choice", "q3_choice"])
def test_is_a_letter(student, name):
    """The answer is one letter, a to d."""
    assert student[name] in ("a", "b", "c", "d")


@pytest.mark.parametrize(
    "name", ["q3_solution", "q4_eigenvalues", "q4_vector_large", "q4_vector_small"]
)
def test_is_a_pair(student, name):
    """The answer is a list of two numbers."""
    value = student[name]
    assert len(value) == 2
    assert all(math.isfinite(part) for part in value)


def test_angle(student):
    """The axes of the plane are at a right angle."""
    axes = torch.eye(2, dtype=torch.float64)
    assert float(student.angle(axes[0], axes[1])) == pytest.approx(math.pi / 2)


def test_signed_distances(student):
    """The origin is one unit behind the line x = 1."""
    x, w = torch.zeros(1, 2, dtype=torch.float64), torch.tensor([2.0, 0.0], dtype=torch.float64)
    assert student.signed_distances(x, w, -2.0).tolist() == pytest.approx([-1.0])


def test_posterior(student):
    """Without a flip nothing is learnt."""
    assert list(student.posterior([], [0.3, 0.6], [0.8, 0.2])) == pytest.approx([0.8, 0.2])
