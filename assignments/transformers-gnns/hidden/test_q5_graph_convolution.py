"""Question 5: graph convolution."""

import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q5")


def draw_graph():
    """Draw a graph whose last node has no neighbours: each edge once, in a random direction."""
    n = random.randint(7, 10)
    pairs = [(i, j) for i in range(n - 1) for j in range(i)]
    edges = random.sample(pairs, random.randint(n, 2 * n))
    return torch.tensor([random.sample(edge, 2) for edge in edges]), n


def spelt_out(edges, n):
    """The normalised adjacency matrix, entry by entry."""
    neighbours = [{i} for i in range(n)]
    for i, j in edges.tolist():
        neighbours[i].add(j)
        neighbours[j].add(i)
    degrees = [len(group) for group in neighbours]
    return torch.tensor(
        [
            [(j in neighbours[i]) / (degrees[i] * degrees[j]) ** 0.5 for j in range(n)]
            for i in range(n)
        ]
    )


def draw_layer():
    """Draw weights, features and a matrix that is not symmetric."""
    n, d, m = random.sample(range(3, 9), 3)
    shapes = [(d, m), (m,), (n, d), (n, n)]
    return [torch.randn(shape, dtype=torch.float64) for shape in shapes]


def apply(layer_class, weight, bias, x, a_hat):
    """Make a layer with these parameters; its output and the gradients of its sine's sum."""
    layer = layer_class(*weight.shape).double()
    layer.load_state_dict({"weight": weight, "bias": bias}, strict=False)
    x = x.clone().requires_grad_()
    out = layer(x, a_hat)
    out.sin().sum().backward()
    return out.detach(), [x.grad, layer.weight.grad, layer.bias.grad]


def by_formula(weight, bias, x, a_hat):
    """What apply should return."""
    leaves = [tensor.clone().requires_grad_() for tensor in (x, weight, bias)]
    out = torch.einsum("ij,jd,dm->im", a_hat, leaves[0], leaves[1]) + leaves[2]
    return out.detach(), torch.autograd.grad(out.sin().sum(), leaves)


@pytest.mark.points(2)
def test_normalised_adjacency(student):
    """normalised_adjacency agrees with the formula, for nodes without neighbours as well."""
    hint("Are the degrees counted with the self-loops? Is each edge there in both directions?")
    edges, n = draw_graph()
    found = student.normalised_adjacency(edges, n)
    assert_close(found.float(), spelt_out(edges, n), rtol=1e-5, atol=1e-6)


@pytest.mark.points(1)
def test_repeated_edges_count_once(student):
    """Repeated edges, reversed ones and listed self-loops count once; a graph may have none."""
    hint("Set entries to one instead of adding to them, or clip them before you count degrees.")
    edges, n = draw_graph()
    more = torch.cat([edges, edges[:3], edges[2:5].flip(1), torch.tensor([[0, 0], [n - 1, n - 1]])])
    found = student.normalised_adjacency(more, n)
    assert_close(found.float(), spelt_out(edges, n), rtol=1e-5, atol=1e-6)
    found = student.normalised_adjacency(torch.empty(0, 2, dtype=torch.long), 3)
    assert_close(found.float(), torch.eye(3))


@pytest.mark.points(2)
def test_layer(student, close):
    """The layer gathers with the rows of its matrix, and adds the bias at the end."""
    hint("Row i belongs to the one who listens. Is your bias averaged along with the features?")
    case = draw_layer()
    found, _ = student.run(apply, student.GraphConvolution, *case)
    close(found, by_formula(*case)[0])


@pytest.mark.points(1)
def test_layer_gradients(student, close):
    """The gradients by features, weight and bias are right."""
    hint("weight and bias are nn.Parameter, and nothing cuts them off from the output.")
    case = draw_layer()
    _, found = student.run(apply, student.GraphConvolution, *case)
    for theirs, ours in zip(found, by_formula(*case)[1], strict=True):
        close(theirs, ours)


@pytest.mark.points(1)
def test_layer_is_equivariant(student, close):
    """Renumbering the nodes renumbers the output, and neighbours do have an influence."""
    weight, bias, x, _ = draw_layer()
    a_hat = torch.rand(len(x), len(x), dtype=torch.float64) + 0.1
    a_hat = a_hat + a_hat.T
    order = torch.arange(len(x)).roll(1)
    case = student.GraphConvolution, weight, bias
    out, _ = student.run(apply, *case, x, a_hat)
    shuffled, _ = student.run(apply, *case, x[order], a_hat[order][:, order])
    close(shuffled, out[order])
    alone, _ = student.run(apply, *case, x, a_hat.diag().diag())
    assert not torch.allclose(alone, out)
