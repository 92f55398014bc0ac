"""Questions 1 to 6: numbers, vectors and choices."""

import math

import pytest

from grader.suite.hints import hint

NUMBERS = [
    ("q1", "q1_inner", 4),
    ("q1", "q1_angle", 4),
    ("q2", "q2_distance", 5),
    ("q2", "q2_origin", 5),
    ("q5", "q5_scalar", 4),
    ("q5", "q5_plane", 4),
    ("q6", "q6_mle", 4),
    ("q6", "q6_likelihood", 4),
    ("q6", "q6_posterior", 4),
    ("q6", "q6_map", 4),
]
CHOICES = [("q1", "q1_choice", 4), ("q3", "q3_choice", 5)]


def cases(table):
    """A case for each answer, with its question and points."""
    return [
        pytest.param(name, marks=[pytest.mark.question(question), pytest.mark.points(points)])
        for question, name, points in table
    ]


@pytest.mark.parametrize("name", cases(NUMBERS))
def test_number(number, reference, close, name):
    """The number asked for, to three digits."""
    close(number(name), getattr(reference, name))


@pytest.mark.parametrize("name", cases(CHOICES))
def test_choice(choice, reference, name):
    """The right one of four statements."""
    given = choice(name)
    hint("Try the statement on a small example.")
    assert given == getattr(reference, name)


@pytest.mark.question("q3")
@pytest.mark.points(5)
def test_solution(vector, reference, close):
    """The least-squares solution, two numbers."""
    for actual, expected in zip(vector("q3_solution", 2), reference.q3_solution, strict=True):
        close(actual, expected)


@pytest.mark.question("q4")
@pytest.mark.points(6)
def test_eigenvalues(vector, reference, close):
    """Both eigenvalues, the larger one first."""
    values = vector("q4_eigenvalues", 2)
    hint("The larger one comes first.")
    for actual, expected in zip(values, reference.q4_eigenvalues, strict=True):
        close(actual, expected)


@pytest.mark.question("q4")
@pytest.mark.points(8)
@pytest.mark.parametrize("name", ["q4_vector_large", "q4_vector_small"])
def test_eigenvector(vector, reference, name):
    """An eigenvector, of any length but zero."""
    (a, b), (x, y) = vector(name, 2), getattr(reference, name)
    length = math.hypot(a, b)
    hint("The zero vector is no eigenvector.")
    assert length > 0
    hint("Multiply the matrix with your vector: is the product a multiple of the vector?")
    assert abs(a * y - b * x) <= 1e-3 * length * math.hypot(x, y)
