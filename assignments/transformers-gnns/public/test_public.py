"""The checks that you can run yourself: `grader check transformers-gnns.ipynb`.

They look at small cases only. The tests that give marks use other inputs and look closer.
"""

import math

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint


@pytest.mark.question("q1")
def test_masks(student):
    """Masks are boolean and True where a position may be listened to."""
    assert student.causal_mask(2).tolist() == [[True, False], [True, True]]
    mask = student.padding_mask(torch.tensor([2, 0]), 3)
    assert mask.tolist() == [[[True, True, False]], [[False, False, False]]]


@pytest.mark.question("q1")
def test_equal_keys_share_the_attention(student):
    """If all keys are equal, the output is the mean of the values that are visible."""
    hint("Equal scores, equal weights: 1/3 each, and 1/2 each with one key hidden.")
    q, k = torch.randn(2, 5), torch.ones(3, 5)
    v = torch.tensor([[0.0, 3.0], [3.0, 0.0], [6.0, 6.0]])
    out, weights = student.attention(q, k, v)
    assert_close(weights, torch.full((2, 3), 1 / 3))
    assert_close(out, torch.tensor([[3.0, 3.0]]).expand(2, -1))
    out, _ = student.attention(q, k, v, torch.tensor([[True, True, False]]))
    assert_close(out, torch.tensor([[1.5, 1.5]]).expand(2, -1))


@pytest.mark.question("q1")
def test_nobody_to_listen_to(student):
    """A query that may listen to no key gets zero, not NaN."""
    hint("What does softmax make of a row in which every score is -inf?")
    out, _ = student.attention(*torch.randn(3, 2, 4), torch.zeros(2, 2, dtype=torch.bool))
    assert_close(out, torch.zeros(2, 4))


@pytest.mark.question("q2")
def test_multi_head_attention_keeps_the_shape_of_x(student):
    """The output has the shape of x, also when the context has another length."""
    layer = student.MultiHeadAttention(12, 3)
    x, context = torch.randn(2, 5, 12), torch.randn(2, 7, 12)
    assert layer(x).shape == x.shape
    assert layer(x, context=context).shape == x.shape
    assert layer(x, mask=torch.ones(5, 5, dtype=torch.bool)).shape == x.shape
    assert layer.q_proj.weight.shape == (12, 12)


@pytest.mark.question("q3")
def test_positional_encoding(student):
    """Every position starts with the sine and the cosine of its number."""
    hint("Column 0 holds sin p, column 1 cos p.")
    encoding = student.positional_encoding(10, 6)
    assert encoding.shape == (10, 6)
    numbers = torch.arange(10.0)
    assert_close(encoding[:, 0], numbers.sin(), rtol=1e-4, atol=1e-4)
    assert_close(encoding[:, 1], numbers.cos(), rtol=1e-4, atol=1e-4)


@pytest.mark.question("q3")
def test_block_keeps_the_shape(student):
    """A block gives an output of the shape of its input, with a mask and without."""
    block, x = student.Block(8, 2, 20), torch.randn(3, 4, 8)
    assert block(x).shape == x.shape
    assert block(x, mask=torch.ones(4, 4, dtype=torch.bool).tril()).shape == x.shape


@pytest.mark.question("q4")
def test_language_model_does_not_see_the_future(student):
    """The first logits stay the same when the last token changes."""
    hint("Every block needs the causal mask.")
    model, tokens = student.LanguageModel(6, 8, 2, 16, 2), torch.tensor([[1, 2, 3]])
    logits = model(tokens)
    assert logits.shape == (1, 3, 6)
    changed = model(torch.tensor([[1, 2, 4]]))
    assert_close(changed[:, :2], logits[:, :2], rtol=1e-4, atol=1e-5)


@pytest.mark.question("q4")
def test_loss_of_a_clueless_model(student):
    """A model that finds all of eight tokens equally likely has a loss of log 8."""
    loss = student.next_token_loss(
        torch.zeros(2, 5, 8), torch.randint(8, (2, 5)), torch.ones(2, 5, dtype=torch.bool)
    )
    assert float(loss) == pytest.approx(math.log(8), rel=1e-5)


def one_up(tokens):
    """A model that always expects the next number, modulo four."""
    return torch.nn.functional.one_hot((tokens + 1) % 4, 4).float()


@pytest.mark.question("q4")
def test_generate(student):
    """generate returns the prompt and what follows it."""
    assert student.generate(one_up, torch.tensor([[2]]), 3).tolist() == [[2, 3, 0, 1]]


@pytest.mark.question("q5")
def test_normalised_adjacency(student):
    """Two nodes with an edge between them share everything; a third keeps to itself."""
    hint("With its self-loop each of the two has degree 2, and the third has degree 1.")
    a_hat = student.normalised_adjacency(torch.tensor([[1, 0]]), 3)
    assert_close(a_hat, torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]))


@pytest.mark.question("q5")
def test_graph_convolution(student):
    """The layer has a weight and a bias, and gives one row for each node."""
    layer = student.GraphConvolution(3, 2)
    assert layer.weight.shape == (3, 2)
    assert layer.bias.shape == (2,)
    assert layer(torch.randn(4, 3), torch.eye(4)).shape == (4, 2)


@pytest.mark.question("q6")
def test_lonely_nodes_listen_to_themselves(student):
    """In a graph without edges every node gives itself the whole weight."""
    hint("The node itself belongs to its neighbourhood, whatever the matrix says.")
    layer = student.GraphAttention(3, 2, n_heads=2)
    out, weights = layer(torch.randn(4, 3), torch.zeros(4, 4, dtype=torch.bool))
    assert out.shape == (4, 4)
    assert_close(weights, torch.eye(4).expand(2, 4, 4))


@pytest.mark.question("q7")
def test_two_triangles(student):
    """With one label in each of two triangles, the others follow their neighbours."""
    hint("Only the labelled nodes enter the loss; the edges do the rest.")
    edges = torch.tensor([[0, 1], [1, 2], [0, 2], [3, 4], [4, 5], [3, 5]])
    labels = torch.tensor([1, -1, -1, 0, -1, -1])
    guesses = student.classify_nodes(edges, labels, labels >= 0, 2)
    assert guesses.tolist() == [1, 1, 1, 0, 0, 0]
