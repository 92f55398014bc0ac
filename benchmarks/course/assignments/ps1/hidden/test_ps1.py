"""The checks that every grader in the comparison makes: 2 + 2 + 3 + 3 points."""

import pytest
import torch
from torch import nn


@pytest.mark.question("q1")
@pytest.mark.points(2)
def test_softmax(student):
    """softmax must be right along each dimension and finite for large inputs."""
    x = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    assert student.softmax(x).shape == x.shape
    assert torch.allclose(student.softmax(x[0]).sum(), torch.tensor(1.0))
    y = torch.randn(5, 7)
    assert torch.allclose(student.softmax(y, dim=0), torch.softmax(y, dim=0), atol=1e-6)
    assert torch.allclose(student.softmax(y, dim=1), torch.softmax(y, dim=1), atol=1e-6)
    assert torch.isfinite(student.softmax(torch.tensor([1000.0, 1001.0]))).all()


@pytest.mark.question("q2")
@pytest.mark.points(2)
def test_linear(student):
    """linear_forward must give x @ W.T + b."""
    x, W, b = torch.ones(2, 3), torch.ones(4, 3), torch.zeros(4)
    assert student.linear_forward(x, W, b).shape == (2, 4)
    x, W, b = (torch.randn(*s) for s in ((6, 3), (4, 3), (4,)))
    ours = nn.functional.linear(x, W, b)
    assert torch.allclose(student.linear_forward(x, W, b), ours, atol=1e-6)


@pytest.mark.question("q3")
@pytest.mark.points(3)
def test_mlp(student):
    """MLP must have two layers of the right sizes and a ReLU between them."""
    model = student.MLP(2, 16, 2)
    assert model(torch.zeros(5, 2)).shape == (5, 2)
    sizes = [p.numel() for p in model.state_dict().values()]
    assert sum(sizes) == 2 * 16 + 16 + 16 * 2 + 2
    model = student.MLP(3, 8, 4)
    x = torch.randn(9, 3)
    base = model(torch.zeros(9, 3))
    assert model(x).shape == (9, 4)
    assert not torch.allclose(model(2 * x) - base, 2 * (model(x) - base))


@pytest.mark.question("q4")
@pytest.mark.points(3)
@pytest.mark.trials(3, need=1)
def test_train(student):
    """train must return one loss a step, halve the loss, and generalise."""
    X, X_test = torch.randn(256, 2), torch.randn(256, 2)
    y, y_test = (X[:, 0] * X[:, 1] > 0).long(), (X_test[:, 0] * X_test[:, 1] > 0).long()
    assert len(student.train(student.MLP(2, 16, 2), X, y, steps=3)) == 3
    model = student.MLP(2, 32, 2)
    losses = student.train(model, X, y, steps=80)
    assert losses[-1] < 0.5 * losses[0]
    accuracy = (model(X_test).argmax(1) == y_test).float().mean().item()
    assert accuracy > 0.85
