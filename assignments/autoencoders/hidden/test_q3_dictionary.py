"""Question 3: sparse codes, and a dictionary that is learnt.

The mean of |cos| between the atoms that are there and those found, with 20 seeds: see the
reference's note for instructors.
"""

import random

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q3")

FOUND = bands((0.80, 0), (0.93, 1))


def draw(n=6, d=5, k=8):
    """Draw examples and a dictionary whose atoms have different lengths."""
    lengths = torch.linspace(0.5, 3, k, dtype=torch.float64)[:, None]
    return (
        2 * torch.randn(n, d, dtype=torch.float64),
        lengths * F.normalize(torch.randn(k, d, dtype=torch.float64), dim=1),
    )


@pytest.mark.points(2)
def test_soft_threshold(call, student, close):
    """soft_threshold pulls towards zero, and what is smaller than t becomes exactly 0."""
    hint("Both signs. max(|v| - t, 0), with the sign of v.")
    for shape in ((9,), (4, 3), (2, 3, 4)):
        v = 2 * torch.randn(shape, dtype=torch.float64)
        for t in (0.0, random.uniform(0.3, 1.5)):
            expected = torch.where(v > t, v - t, torch.where(v < -t, v + t, 0.0))
            close(call(student.soft_threshold, v, t), expected, atol=1e-15)


@pytest.mark.points(1)
def test_sparse_objective(call, student, close):
    """sparse_objective is half the squared error plus λ times the 1-norm, averaged."""
    hint("A sum within each example, a mean over examples, and ½ for the error alone.")
    for n in (1, 5):
        x, dictionary = draw(n)
        codes, lam = torch.randn(n, 8, dtype=torch.float64), random.uniform(0.1, 2)
        expected = sum(
            0.5 * (row - code @ dictionary).square().sum() + lam * code.abs().sum()
            for row, code in zip(x, codes, strict=True)
        )
        close(call(student.sparse_objective, x, codes, dictionary, lam), expected / n)


@pytest.mark.points(2)
@pytest.mark.parametrize("steps", [1, 6])
def test_ista_takes_its_steps(call, student, reference, close, steps):
    """ista takes steps of 1/L from zero, or from where it is told to start."""
    hint("L is the square of the largest singular value; the threshold is λ / L.")
    for n, k in ((1, 3), (6, 8)):
        x, dictionary = draw(n, k=k)
        lam = random.uniform(0.2, 1)
        found = call(student.ista, x, dictionary, lam, steps)
        close(found, reference.ista(x, dictionary, lam, steps))
        start = torch.randn(n, k, dtype=torch.float64)
        found = call(student.ista, x, dictionary, lam, steps, start)
        close(found, reference.ista(x, dictionary, lam, steps, start))


@pytest.mark.points(2)
def test_ista_finds_sparse_codes(student, close):
    """After many steps the codes are optimal: used atoms pull with λ, unused ones with less."""
    hint("Check the conditions of the self-check on your own codes.")
    x, _ = draw(5, 9)
    # Directions that are nearly orthogonal: steps of 1/L then settle soon, whatever is drawn.
    axes = torch.linalg.qr(torch.randn(9, 6, dtype=torch.float64)).Q.T
    noise = torch.randn(6, 9, dtype=torch.float64)
    dictionary = torch.linspace(1, 2, 6).double()[:, None] * (axes + 0.1 * noise)
    lam = random.uniform(0.4, 1)
    codes = student.ista(x, dictionary, lam, 1500)
    assert tuple(codes.shape) == (5, 6)
    pull = (x - codes @ dictionary) @ dictionary.T
    used = codes != 0
    assert used.any()
    close(pull[used], lam * codes[used].sign(), atol=1e-5)
    assert bool((pull[~used].abs() <= lam + 1e-5).all())
    # Where no atom pulls with more than λ, nothing is used; without λ, least squares.
    too_high = (x @ dictionary.T).abs().max().item() * 1.01
    assert_close(student.ista(x, dictionary, too_high, 50), torch.zeros_like(codes))
    least = torch.linalg.lstsq(dictionary.T, x.T).solution.T
    close(student.ista(x, dictionary, 0.0, 1500), least, atol=1e-5)


def by_the_formula(x, codes, dictionary):
    """One update of each atom, from what the other atoms leave of the examples."""
    dictionary = dictionary.clone()
    for k, code in enumerate(codes.T):
        if code.any():
            others = codes @ dictionary - code[:, None] * dictionary[k]
            u = code @ (x - others) / (code @ code)
            dictionary[k] = u / max(1.0, u.norm().item())
    return dictionary


@pytest.mark.points(3)
@pytest.mark.parametrize("size", [0.05, 0.5, 5.0])
def test_update_dictionary(call, student, close, size):
    """update_dictionary improves one atom after the other, and cuts those longer than 1."""
    hint("Later atoms must see the new earlier ones. Only what is longer than 1 is shortened.")
    x, dictionary = draw(20, 4, 6)
    codes = torch.randn(20, 6, dtype=torch.float64)
    codes = codes * (torch.rand(20, 6) < 0.5)
    found = call(student.update_dictionary, size * x, codes, dictionary)
    close(found, by_the_formula(size * x, codes, dictionary))


@pytest.mark.points(1)
def test_unused_atoms_stay(call, student, close):
    """An atom that no code uses stays as it is; all others are updated, one used a little too."""
    hint("Don't divide by P_kk where it is 0: NaN spreads. Leave nothing out but these atoms.")
    x, dictionary = draw(1, 4, 5)
    codes = torch.randn(1, 5, dtype=torch.float64).sign() + torch.rand(1, 5) / 2
    codes[:, [0, 3]] = 0
    codes[:, 2] *= 1e-3
    found = call(student.update_dictionary, x, codes, dictionary)
    close(found, by_the_formula(x, codes, dictionary))
    close(found[[0, 3]], dictionary[[0, 3]], rtol=0, atol=0)


def planted(n=1500, d=16, k=20, used=3):
    """Draw a dictionary, and examples that are made of a few of its atoms."""
    dictionary = F.normalize(torch.randn(k, d), dim=1)
    chosen = torch.rand(n, k).argsort(dim=1)[:, :used]
    sizes = (1 + torch.rand(n, used)) * (2 * torch.randint(2, (n, used)) - 1)
    codes = torch.zeros(n, k).scatter(1, chosen, sizes)
    return dictionary, codes @ dictionary + 0.02 * torch.randn(n, d)


@pytest.mark.points(4)
@pytest.mark.trials(3, need=2)
def test_learn_dictionary_finds_what_is_there(call, student):
    """learn_dictionary finds the atoms of which examples were made."""
    hint("Do the codes of a round fit its dictionary? Are there enough steps of ista?")
    dictionary, x = planted()
    found = call(student.learn_dictionary, x, 20, 0.2, 40)
    assert tuple(found.shape) == (20, 16)
    assert bool(found.isfinite().all())
    near = (dictionary @ F.normalize(found, dim=1).T).abs().amax(dim=1).mean().item()
    credit(FOUND(near), f"The mean of |cos| to the nearest atom is {near:.3f}.", measured=near)
