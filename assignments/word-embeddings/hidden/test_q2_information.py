"""Question 2: positive pointwise mutual information, and a factorisation."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q2")


def apply_and_look_back(function, value, *args):
    """What a function returns, and what it was given as it is afterwards."""
    return function(value, *args), value


def draw_counts(n, m):
    """Counts with many zeros, of frequent words and of rare ones."""
    counts = torch.randint(1, 30, (n, m)).double() * 10 ** (5 * torch.rand(n, 1).double() - 2)
    return torch.where(torch.rand(n, m) < 0.6, counts, 0.0)


def information(counts, alpha):
    """PPMI, one pair after the other."""
    total, smoothed = counts.sum(), counts.sum(0) ** alpha
    found = torch.zeros_like(counts)
    for i, row in enumerate(counts):
        for j, x in enumerate(row):
            if x > 0:
                chance = row.sum() / total * smoothed[j] / smoothed.sum()
                found[i, j] = max(0.0, (x / total / chance).log().item())
    return found


@pytest.mark.points(4)
@pytest.mark.parametrize("alpha", [1.0, 0.75])
def test_ppmi(student, close, alpha):
    """ppmi is the logarithm of how much more often two words meet than by chance, if positive."""
    hint("The power is for sums of columns alone, and these must add up to 1 again.")
    for n, m in ((3, 5), (8, 4), (random.randint(5, 9), 6)):
        counts = draw_counts(n, m)
        given = 1.0 if alpha == 1.0 else random.uniform(0.5, 0.8)
        found, after = student.run(apply_and_look_back, student.ppmi, counts, given)
        close(found, information(counts, given))
        close(after, counts, atol=0)
        if alpha == 1.0:
            close(student.ppmi(counts), information(counts, 1.0))


@pytest.mark.points(1)
def test_ppmi_of_empty_rows(student, close):
    """Words and contexts that never occur have zeros, and no NaN; so does a table of zeros."""
    hint("0 / 0 is NaN, and so is 0 times infinity. Decide by X > 0.")
    for alpha in (1.0, 0.6):
        counts = draw_counts(6, 5) + torch.eye(6, 5, dtype=torch.float64)
        counts[2], counts[:, 3] = 0, 0
        found = student.ppmi(counts, alpha)
        close(found, information(counts, alpha))
        close(student.ppmi(0 * counts, alpha), torch.zeros_like(counts))


@pytest.mark.points(3)
def test_factorise(student, close):
    """factorise shares the d largest singular values between words and contexts."""
    hint("The power belongs to the singular values; the right vectors come transposed.")
    for (n, m), dim in (((6, 4), 2), ((3, 7), 3), ((8, 8), 1)):
        matrix = torch.randn(n, m, dtype=torch.float64)
        left, values, right = torch.linalg.svd(matrix, full_matrices=False)
        left, values, right = left[:, :dim], values[:dim], right[:dim].T
        for power in (0.0, 0.5, 1.0, random.uniform(0.1, 0.4)):
            (w, c), after = student.run(apply_and_look_back, student.factorise, matrix, dim, power)
            # Signs of singular vectors are free: products with themselves are not.
            close(w @ w.T, left @ (values ** (2 * power)).diag() @ left.T)
            close(c @ c.T, right @ (values ** (2 - 2 * power)).diag() @ right.T)
            close(w @ c.T, left @ values.diag() @ right.T)
            assert tuple(w.shape) == (n, dim)
            close(after, matrix, atol=0)
        w, _ = student.factorise(matrix, dim)
        close(w @ w.T, left @ values.diag() @ left.T)
