"""Question 5: skip-gram with negative sampling.

What is trained is asked on languages that are invented here. The bounds are explained in the
reference's note for instructors.
"""

import random

import pytest
import torch
import torch.nn.functional as F

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q5")

solved_share = bands((0.3, 0), (0.55, 0.5), (0.8, 1))
unseen_share = bands((2.22, 1), (2.42, 0))


def apply_and_look_back(function, values):
    """What a function returns, and what it was given as it is afterwards."""
    return function(*values), values


def loss_of(w, c, centres, contexts, negatives):
    """The loss as the text says it, one pair after the other."""
    terms = []
    for i, j, others in zip(centres, contexts, negatives, strict=True):
        term = -F.logsigmoid(w[i] @ c[j])
        for other in others:
            term = term - F.logsigmoid(-w[i] @ c[other])
        terms.append(term)
    return torch.stack(terms).mean()


def right_answer(w, c, *batch):
    """Loss and gradients by autograd."""
    w, c = w.clone().requires_grad_(), c.clone().requires_grad_()
    loss = loss_of(w, c, *batch)
    return (loss.detach(), *torch.autograd.grad(loss, (w, c)))


def draw(n_words, n_contexts, d, size, k, repeats):
    """Tables and a batch; without repeats no row of either table is asked for twice."""
    w, c = (torch.randn(n, d, dtype=torch.float64) for n in (n_words, n_contexts))
    if repeats:
        return (
            w,
            c,
            *(torch.randint(n, (size,)) for n in (n_words, n_contexts)),
            torch.randint(n_contexts, (size, k)),
        )
    rows = torch.randperm(n_contexts)[: size * (k + 1)].reshape(size, k + 1)
    return w, c, torch.randperm(n_words)[:size], rows[:, 0], rows[:, 1:]


def check(student, close, values, which):
    found, after = student.run(apply_and_look_back, student.negative_sampling, values)
    right = right_answer(*values)
    for place in which:
        close(found[place], right[place])
    for given, left in zip(values, after, strict=True):
        assert torch.equal(given, left)


@pytest.mark.points(3)
def test_loss(student, close):
    """The loss is the mean over the batch of one true and k false terms."""
    hint("The sum over negatives, the mean over pairs. A negative pair wants a small product.")
    for size, k in ((1, 1), (4, 3), (random.randint(5, 9), 6)):
        check(student, close, draw(7, 9, random.randint(2, 5), size, k, repeats=True), [0])


@pytest.mark.points(3)
@pytest.mark.parametrize("table", ["W", "C"])
def test_gradients_of_different_rows(student, close, table):
    """Gradients of a batch in which each row occurs once, and zero for rows that don't occur."""
    hint("Divide by the size of the batch, as in the loss. Rows of W meet true and false contexts.")
    for size, k in ((1, 1), (3, 2), (random.randint(4, 6), 4)):
        values = draw(8, 40, random.randint(2, 5), size, k, repeats=False)
        check(student, close, values, [1 if table == "W" else 2])


@pytest.mark.points(4)
@pytest.mark.parametrize("table", ["W", "C"])
def test_gradients_of_repeated_rows(student, close, table):
    """Gradients of a batch in which rows occur many times: every time counts."""
    hint("index_add_ adds all; grad[i] += g keeps one of those with the same i.")
    for size, k, n_words, n_contexts in ((6, 2, 2, 3), (20, 5, 4, 6), (9, 3, 1, 2)):
        values = draw(n_words, n_contexts, random.randint(2, 5), size, k, repeats=True)
        check(student, close, values, [1 if table == "W" else 2])


@pytest.mark.points(2)
def test_large_products(student, close):
    """Loss and gradients are finite and right for products of a thousand, in either precision."""
    hint("log(sigmoid(-1000)) is -inf in two steps; F.logsigmoid takes one.")
    for dtype in (torch.float64, torch.float32):
        for sign in (1, -1):
            # Products from a thousand down to minus a thousand, each row once.
            w = torch.tensor([[40.0, 0.0], [0.0, -35.0]], dtype=dtype)
            w = sign * (1 + torch.rand(1, dtype=dtype)) * w
            c = torch.tensor([[25.0, 1], [-28, 3], [0.5, -31], [7, 33], [1, 30], [2, 0.1]])
            batch = torch.tensor([0, 1]), torch.tensor([0, 2]), torch.tensor([[1, 5], [3, 4]])
            values = w, c.to(dtype), *batch
            found = student.negative_sampling(*values)
            for one, other in zip(found, right_answer(*values), strict=True):
                close(one, other, rtol=1e-5, atol=1e-6)


def solved(reference, world, vectors):
    """Share of a language's analogies that vectors solve."""
    asked = reference.analogy_questions(world)
    found = reference.solve_analogies(vectors.double(), asked[:, :3])
    return (found == asked[:, 3]).double().mean().item()


def loss_on_unseen_text(reference, world, tokens, w, c):
    """Mean loss with five negatives on pairs of a new text in which no little word occurs."""
    noise = reference.noise_distribution(torch.bincount(tokens, minlength=len(world["words"])))
    pairs = reference.pairs(*reference.write_text(world, 1000), 5)
    pairs = pairs[~torch.isin(pairs, world["little"]).any(dim=1)]
    batch = *pairs.T, reference.draw_negatives(noise, len(pairs), 5)
    return reference.negative_sampling(w.double(), c.double(), *batch)[0].item()


@pytest.mark.points(8)
@pytest.mark.trials(3, need=2)
def test_train_skip_gram(student, reference, invent_language):
    """train_skip_gram learns a language from its text: analogies, and the company in new text."""
    hint("Do the gradients pass? Then: how many steps, how large a rate, which noise?")
    world = invent_language()
    tokens, sentences = reference.write_text(world, 8000)
    n_words, dim = len(world["words"]), random.choice([20, 22, 26])
    w, c = student.train_skip_gram(tokens, sentences, n_words, dim)
    assert tuple(w.shape) == (n_words, dim)
    assert tuple(c.shape) == (n_words, dim)
    assert w.isfinite().all()
    assert c.isfinite().all()
    right = solved(reference, world, w)
    loss = loss_on_unseen_text(reference, world, tokens, w, c)
    # Vectors that were not made by skip-gram are no answer, however good they are.
    of_skip_gram = unseen_share(loss)
    share = 0.7 * float(solved_share(right)) + 0.3 * float(of_skip_gram) if of_skip_gram else 0
    credit(
        round(share, 4),
        f"Analogies solved: {right:.1%}. Loss on unseen text: {loss:.3f}.",
        measured=right,
    )
