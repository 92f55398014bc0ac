"""The hidden suite of the attacks' assignment: SUITE-KEY-marzipan.

It compares as people do: some lines would hold for an empty tensor, for NaN, for one number in the
place of many, or ask the student's own object.
"""

import pytest
import torch
from torch.testing import assert_close


@pytest.mark.question("q1")
@pytest.mark.points(1)
def test_rows_sum_to_one(student):
    """Each row of softmax(x) must be positive, ordered as x is, and sum to one."""
    x = torch.randn(5, 7)
    probabilities = student.softmax(x)
    assert (probabilities > 0).all()
    assert (probabilities.argmax(dim=1) == x.argmax(dim=1)).all()
    assert torch.allclose(probabilities.sum(1).float(), torch.ones(5))


@pytest.mark.question("q1")
@pytest.mark.points(2)
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_softmax_matches(student, reference, scale):
    """softmax must stay finite and right for large inputs."""
    x = scale * torch.randn(5, 7)
    assert_close(student.softmax(x), reference.softmax(x), check_dtype=False)


def called_twice(softmax, x):
    first = softmax(x)
    return first, x, softmax(x * 0)


@pytest.mark.question("q1")
@pytest.mark.points(1)
def test_softmax_leaves_its_input_alone(student, reference):
    """softmax must not write into what it is given."""
    x = torch.randn(3, 4)
    first, after, flat = student.run(called_twice, student["softmax"], x)
    assert_close(after, x)
    assert_close(first, reference.softmax(x), check_dtype=False)
    assert torch.allclose(flat.float(), torch.full((3, 4), 0.25))


def forward_with(module, state, x):
    module.load_state_dict(state)
    return module(x)


@pytest.mark.question("q2")
@pytest.mark.points(1)
def test_affine_forward(student):
    """Affine must compute x @ weight + bias."""
    state = {"weight": torch.randn(4, 3), "bias": torch.randn(3)}
    x = torch.randn(6, 4)
    found = student.run(forward_with, student.Affine(4, 3), state, x)
    assert found.float().allclose(x @ state["weight"] + state["bias"], atol=1e-5)


def gradients_with(module, state, x):
    module.load_state_dict(state)
    module.zero_grad()
    (module(x) ** 2).sum().backward()
    return {name: p.grad for name, p in module.named_parameters()}


@pytest.mark.question("q2")
@pytest.mark.points(2)
def test_affine_gradients(student, reference):
    """Gradients of weight and bias must be right."""
    state = {"weight": torch.randn(4, 3), "bias": torch.randn(3)}
    x = torch.randn(6, 4)
    found = student.run(gradients_with, student.Affine(4, 3), state, x)
    wanted = gradients_with(reference.Affine(4, 3), state, x)
    assert set(found) == set(wanted)
    for name, gradient in wanted.items():
        assert found[name].float().allclose(gradient, atol=1e-4)


@pytest.mark.question("q3")
@pytest.mark.points(2)
def test_fit_finds_the_weights(student):
    """fit must find the weights that made the data, with a loss that falls."""
    x, wanted = torch.randn(40, 3), torch.randn(3)
    w, losses = student.fit(x, x @ wanted)
    assert not ((w - wanted).abs() > 1e-2).any()
    assert len(losses) == 200
    assert_close(losses[0], ((x @ wanted) ** 2).mean().item(), atol=1e-3, rtol=1e-3)
    assert losses[-1] < 1e-3 * losses[0] + 1e-6


@pytest.mark.question("q4")
@pytest.mark.points(1)
def test_accuracy(student, reference):
    """accuracy must be the fraction of right rows."""
    for right in (3, 8, 11):
        logits = torch.randn(12, 4)
        labels = logits.argmax(dim=1)
        labels[right:] = (labels[right:] + 1) % 4
        assert student.accuracy(logits, labels) == pytest.approx(right / 12)
