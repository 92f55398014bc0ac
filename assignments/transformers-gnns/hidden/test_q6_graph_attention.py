"""Question 6: graph attention."""

import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q6")


def draw(heads=1):
    """Draw parameters, features and a directed graph, with some of its self-loops listed."""
    n, d, m = random.sample(range(4, 10), 3)
    state = {
        "weight": torch.randn(heads, d, m, dtype=torch.float64),
        "a_target": torch.randn(heads, m, dtype=torch.float64),
        "a_source": torch.randn(heads, m, dtype=torch.float64),
    }
    adjacency = torch.rand(n, n) < 0.4
    adjacency[0, 0], adjacency[1, 1] = True, False
    adjacency[0, 1:3], adjacency[1:3, 0] = True, False  # certainly not symmetric
    adjacency[n - 1] = False  # somebody who listens to nobody else
    return state, torch.randn(n, d, dtype=torch.float64), adjacency


def apply(layer_class, state, x, adjacency):
    """Make a layer with these parameters; its outputs, and the inputs as they are afterwards."""
    heads, n_in, n_out = state["weight"].shape
    layer = layer_class(n_in, n_out, n_heads=heads).double()
    layer.load_state_dict(state, strict=False)
    with torch.no_grad():
        out, weights = layer(x, adjacency)
    return out, weights, x, adjacency


def spelt_out(state, x, adjacency):
    """Outputs and weights, node by node."""
    n, heads = len(x), len(state["weight"])
    weights = torch.zeros(heads, n, n, dtype=torch.float64)
    outs = []
    for head in range(heads):
        h = x @ state["weight"][head]
        for i in range(n):
            group = sorted({i, *adjacency[i].nonzero().flatten().tolist()})
            scores = h[i] @ state["a_target"][head] + h[group] @ state["a_source"][head]
            weights[head, i, group] = torch.where(scores > 0, scores, 0.2 * scores).softmax(0)
        outs.append(weights[head] @ h)
    return torch.cat(outs, dim=1), weights


@pytest.mark.points(2)
def test_weights_stay_within_the_neighbourhood(student, close):
    """Each node's weights sum to one over its neighbours and itself, and are zero elsewhere."""
    hint("adjacency[i, j] lets i listen to j, and i always listens to itself.")
    state, x, adjacency = draw(heads=2)
    _, weights, *_ = student.run(apply, student.GraphAttention, state, x, adjacency)
    heard = adjacency | torch.eye(len(x), dtype=torch.bool)
    assert weights.shape == (2, *adjacency.shape)
    assert (weights[:, ~heard] == 0).all()
    assert (weights[:, heard] > 0).any()
    close(weights.sum(-1), torch.ones(2, len(x), dtype=torch.float64))


@pytest.mark.points(2)
def test_one_head(student, close):
    """With one head, outputs and weights agree with the formula."""
    hint("Who listens, and who speaks: a_target goes with i, a_source with j. Where is the ReLU?")
    state, x, adjacency = draw()
    out, weights, *_ = student.run(apply, student.GraphAttention, state, x, adjacency)
    expected, expected_weights = spelt_out(state, x, adjacency)
    close(weights, expected_weights)
    close(out, expected)


@pytest.mark.points(2)
def test_several_heads(student, close):
    """With several heads, the outputs stand side by side, head 0 first."""
    hint("A head's M outputs stay together. Which axes must be swapped before you flatten?")
    state, x, adjacency = draw(heads=3)
    out, weights, *_ = student.run(apply, student.GraphAttention, state, x, adjacency)
    expected, expected_weights = spelt_out(state, x, adjacency)
    close(weights, expected_weights)
    close(out, expected)


@pytest.mark.points(1)
def test_large_scores(student):
    """Large features give finite and right results."""
    hint("exp overflows; softmax over the masked scores does not.")
    for _ in range(4):
        state, x, adjacency = draw()
        out, *_ = student.run(apply, student.GraphAttention, state, 1e4 * x, adjacency)
        expected, _ = spelt_out(state, 1e4 * x, adjacency)
        assert_close(out.double(), expected, rtol=1e-6, atol=1e-3)


@pytest.mark.points(1)
def test_layer_is_equivariant(student, close):
    """Renumbering the nodes renumbers the output, and neighbours do have an influence."""
    state, x, adjacency = draw(heads=2)
    order = torch.arange(len(x)).roll(1)
    layer = student.GraphAttention
    out, *_ = student.run(apply, layer, state, x, adjacency)
    shuffled, *_ = student.run(apply, layer, state, x[order], adjacency[order][:, order])
    close(shuffled, out[order])
    alone, *_ = student.run(apply, layer, state, x, torch.zeros_like(adjacency))
    assert not torch.allclose(alone, out)


@pytest.mark.points(1)
def test_layer_leaves_its_inputs_alone(student):
    """The layer leaves features and adjacency as they were, self-loops included."""
    hint("fill_diagonal_ and |= change the matrix of whoever called you.")
    state, x, adjacency = draw()
    out, _, x_after, adjacency_after = student.run(
        apply, student.GraphAttention, state, x, adjacency
    )
    assert out.shape == (len(x), state["weight"].shape[-1])
    assert torch.equal(x_after, x)
    assert torch.equal(adjacency_after, adjacency)
