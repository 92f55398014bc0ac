"""Question 1: attention and its masks."""

import random

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q1")

SHAPES = [(), (3,), (2, 4)]


def draw(*leading):
    """Draw q, k and v; T, S, d_k and d_v differ."""
    t, s, d_k, d_v = random.sample(range(2, 9), 4)
    shapes = [(*leading, t, d_k), (*leading, s, d_k), (*leading, s, d_v)]
    return [torch.randn(shape, dtype=torch.float64) for shape in shapes]


def random_mask(q, k):
    """Hide about half of the keys, but leave each query one, and hide one from somebody."""
    mask = torch.rand(*q.shape[:-1], k.shape[-2]) < 0.5
    mask[..., -1] = False
    mask.scatter_(-1, torch.randint(k.shape[-2] - 1, (*q.shape[:-1], 1)), True)
    return mask


def with_a_blind_query():
    """Draw q, k, v and a mask with which some queries, among them the first, see no key."""
    q, k, v = draw(3)
    mask = random_mask(q, k)
    mask[:, 0] = False
    mask[1] = False
    return q, k, v, mask


def gradients(attention, q, k, v, mask, upstream):
    """Return the output, and the gradients by q, k and v for an upstream gradient."""
    leaves = [tensor.clone().requires_grad_() for tensor in (q, k, v)]
    out, _ = attention(*leaves, mask)
    return out, torch.autograd.grad((out * upstream).sum(), leaves)


@pytest.mark.points(1)
@pytest.mark.parametrize("length", ["one", "some"])
def test_causal_mask(student, length):
    """causal_mask lets each position listen to itself and to what came before."""
    hint("True means 'may listen'. Which row may listen to everyone: the first or the last?")
    for n in (1, 2) if length == "one" else (random.randint(3, 9),):
        mask = student.causal_mask(n)
        assert mask.dtype == torch.bool
        assert mask.tolist() == [[s <= t for s in range(n)] for t in range(n)]


@pytest.mark.points(1)
def test_padding_mask(student):
    """padding_mask is True on the true positions of each sequence, for lengths from 0 to S."""
    hint("A sequence of length 3 has the positions 0, 1 and 2.")
    size = random.randint(4, 8)
    lengths = torch.cat([torch.tensor([0, size]), torch.randint(size + 1, (3,))])
    mask = student.padding_mask(lengths, size)
    assert mask.dtype == torch.bool
    assert mask.shape == (5, 1, size)
    assert mask[:, 0].tolist() == [[s < length for s in range(size)] for length in lengths]


@pytest.mark.points(2)
@pytest.mark.parametrize("leading", SHAPES, ids=str)
def test_attention_without_mask(student, by_hand, close, leading):
    """attention gives the weighted averages of the values, and the weights."""
    by_hand("attention")
    hint("Which axis do the weights of one query lie along? Which length is under the root?")
    q, k, v = draw(*leading)
    out, weights = student.attention(q, k, v)
    close(out, scaled_dot_product_attention(q, k, v))
    close(weights @ v, out)
    close(weights.sum(-1), torch.ones(q.shape[:-1], dtype=torch.float64))


@pytest.mark.points(2)
@pytest.mark.parametrize("leading", SHAPES, ids=str)
def test_attention_with_mask(student, by_hand, close, leading):
    """With a mask, hidden keys have weight exactly zero and the others still sum to one."""
    by_hand("attention")
    hint("Does True in your mask mean 'may listen'? Is it applied before the softmax?")
    q, k, v = draw(*leading)
    mask = random_mask(q, k)
    out, weights = student.attention(q, k, v, mask)
    assert (weights[~mask] == 0).all()
    close(weights.sum(-1), torch.ones(q.shape[:-1], dtype=torch.float64))
    close(out, scaled_dot_product_attention(q, k, v, attn_mask=mask))


@pytest.mark.points(1)
def test_mask_holds_for_scores_of_any_size(student, close):
    """A hidden key stays hidden however low the scores of the others are."""
    hint("What must a hidden score be, so that no other score is ever below it?")
    q, k, v = draw(2)
    mask = random_mask(q, k)
    mask[:, :, -1] = False
    # Every key but the last, hidden one has a score of about -1e12.
    q, k = q.abs() + 0.1, -1e12 * (k.abs() + 0.1)
    k[:, -1] = 0.0
    out, weights = student.attention(q, k, v, mask)
    assert (weights[~mask] == 0).all()
    close(out, scaled_dot_product_attention(q, k, v, attn_mask=mask))


@pytest.mark.points(1)
def test_mask_is_broadcast(student, close):
    """One mask may serve all queries, as a padding mask does, or all sequences."""
    q, k, v = draw(3)
    for shape in [(3, 1, k.shape[1]), (q.shape[1], k.shape[1])]:
        mask = torch.rand(shape) < 0.5
        mask[..., 0] = True
        out, weights = student.attention(q, k, v, mask)
        assert (weights[~mask.expand_as(weights)] == 0).all()
        close(out, scaled_dot_product_attention(q, k, v, attn_mask=mask))


@pytest.mark.points(1)
def test_query_without_keys_gets_zero(student, close):
    """A query that may listen to no key has weights and an output of zero; others are right."""
    hint("What is the softmax of a row of -inf? Find such rows before or after it.")
    q, k, v, mask = with_a_blind_query()
    out, weights = student.attention(q, k, v, mask)
    assert (weights[~mask] == 0).all()
    assert (out[:, 0] == 0).all()
    assert (out[1] == 0).all()
    close(out, scaled_dot_product_attention(q, k, v, attn_mask=mask).nan_to_num())


@pytest.mark.points(1)
def test_query_without_keys_spoils_no_gradient(student, close):
    """Gradients are finite and right when some query may listen to no key."""
    hint("Fix the row before the softmax: a NaN in there may come back in the gradient.")
    q, k, v, mask = with_a_blind_query()
    upstream = torch.randn(*q.shape[:-1], v.shape[-1], dtype=torch.float64)
    _, found = student.run(gradients, student.attention, q, k, v, mask, upstream)
    # The blind queries add nothing, so they may as well not be counted.
    sees = mask.any(-1, keepdim=True)
    leaves = [tensor.clone().requires_grad_() for tensor in (q, k, v)]
    out = scaled_dot_product_attention(*leaves, attn_mask=mask | ~sees)
    expected = torch.autograd.grad((out * upstream * sees).sum(), leaves)
    for theirs, ours in zip(found, expected, strict=True):
        close(theirs, ours)
