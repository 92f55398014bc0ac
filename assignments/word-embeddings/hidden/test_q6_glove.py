"""Question 6: GloVe. The bounds of what is trained are explained in the note for instructors."""

import random

import pytest
import torch

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q6")

solved_share = bands((0.5, 0), (0.65, 0.5), (0.8, 1))
fit_share = bands((0.55, 1), (0.58, 0))


def apply_and_look_back(function, values, settings):
    """What a function returns, and what it was given as it is afterwards."""
    return function(*values, **settings), values


def loss_of(counts, w, c, b, e, x_max=100.0, alpha=0.75):
    """The loss as the text says it, one pair after the other."""
    loss = 0 * w.sum()
    for i, row in enumerate(counts.tolist()):
        for j, x in enumerate(row):
            if x > 0:
                error = w[i] @ c[j] + b[i] + e[j] - torch.tensor(x, dtype=w.dtype).log()
                loss = loss + min(1, x / x_max) ** alpha * error**2
    return loss


def right_answer(counts, tables, settings):
    """Loss and gradients by autograd."""
    tables = [table.clone().requires_grad_() for table in tables]
    loss = loss_of(counts, *tables, **settings)
    return loss.detach(), torch.autograd.grad(loss, tables)


def draw(n, m, d):
    """Counts with zeros, and four tables."""
    counts = torch.rand(n, m, dtype=torch.float64) * 10.0 ** torch.randint(-1, 4, (n, m)).double()
    counts = torch.where(torch.rand(n, m) < 0.6, counts, 0.0)
    counts[0, 0] = 0.0
    counts[-1, -1] = random.uniform(5, 50)
    shapes = (n, d), (m, d), (n,), (m,)
    return counts, [torch.randn(shape, dtype=torch.float64) for shape in shapes]


CASES = ((4, 6, {}), (5, 3, {"x_max": 20.0}), (3, 7, {"x_max": 300.0, "alpha": 0.4}))


@pytest.mark.points(2)
def test_loss(student, close):
    """The loss is the weighted sum of squared errors of logarithms, where X is more than 0."""
    hint("min(1, x / x_max) to the power α; a sum, without ½; no NaN from pairs that never met.")
    for n, m, settings in (*CASES, (6, 4, {"alpha": 0.0})):
        counts, tables = draw(n, m, random.randint(1, 4))
        values = [counts, *tables]
        found, after = student.run(apply_and_look_back, student.glove, values, settings)
        close(found[0], right_answer(counts, tables, settings)[0])
        for given, left in zip(values, after, strict=True):
            close(left, given, atol=0)


@pytest.mark.points(3)
@pytest.mark.parametrize("tables", ["vectors", "biases"])
def test_gradients(student, close, tables):
    """The gradients are those of the loss, for vectors and for biases."""
    hint("d/ds (s - t)² has a factor 2. Biases of words sum over contexts, and the reverse.")
    which = slice(0, 2) if tables == "vectors" else slice(2, 4)
    for n, m, settings in (*CASES, (1, 1, {})):
        counts, given = draw(n, m, random.randint(2, 4))
        found = student.run(apply_and_look_back, student.glove, [counts, *given], settings)[0][1]
        assert len(found) == 4
        right = right_answer(counts, given, settings)[1]
        for one, other in zip(found[which], right[which], strict=True):
            close(one, other)


def solved(reference, world, vectors):
    """Share of a language's analogies that vectors solve."""
    asked = reference.analogy_questions(world)
    found = reference.solve_analogies(vectors.double(), asked[:, :3])
    return (found == asked[:, 3]).double().mean().item()


def error_on(reference, counts, tables):
    """Root of the weighted mean squared error of the logarithms of counts."""
    weights = (counts / 100).clamp(max=1) ** 0.75
    loss, _ = reference.glove(counts, *(table.double() for table in tables))
    return (loss / weights.sum()).sqrt().item()


@pytest.mark.points(5)
@pytest.mark.trials(3, need=2)
def test_train_glove(student, reference, invent_language):
    """train_glove learns a language from its counts: analogies, and the counts of another text."""
    hint("Do the gradients pass? Then small random vectors, zero biases, and some hundred steps.")
    world = invent_language()
    n_words, dim = len(world["words"]), random.choice([20, 22, 26])
    counts, others = (
        reference.co_occurrences(*reference.write_text(world, 20_000), n_words, 5) for _ in range(2)
    )
    tables = student.train_glove(counts, dim)
    assert [tuple(table.shape) for table in tables] == [(n_words, dim)] * 2 + [(n_words,)] * 2
    assert all(table.isfinite().all() for table in tables)
    assert all(table.any() for table in tables), "Biases are learnt too."
    right = solved(reference, world, tables[0])
    error = error_on(reference, others, tables)
    # Vectors that were not made by GloVe are no answer, however good they are.
    of_glove = fit_share(error)
    share = 0.7 * float(solved_share(right)) + 0.3 * float(of_glove) if of_glove else 0
    credit(
        round(share, 4),
        f"Analogies solved: {right:.1%}. Error of logarithms on unseen text: {error:.3f}.",
        measured=right,
    )
