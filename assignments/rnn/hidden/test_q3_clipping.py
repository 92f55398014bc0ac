"""Question 3: gradient clipping."""

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q3")


def random_gradients():
    """Gradients of three tensors of different shapes and sizes, and their global norm."""
    grads = [scale * torch.randn(n, n + 1) for n, scale in ((2, 5.0), (3, 0.1), (4, 1.0))]
    return grads, torch.cat([grad.flatten() for grad in grads]).norm().item()


def clip_in_box(clip, grads, max_norm, once):
    """Give tensors their gradients, clip; return what came back and the gradients after."""
    parameters = []
    for grad in grads:
        parameter = torch.zeros(2) if grad is None else torch.zeros_like(grad)
        parameter.requires_grad_()
        parameter.grad = None if grad is None else grad.clone()
        parameters.append(parameter)
    norm = clip(iter(parameters) if once else parameters, max_norm)
    return norm, [parameter.grad for parameter in parameters]


def clipped(student, notebook, grads, max_norm, once=False):
    """Clip in the student's way, which may not be torch's own."""
    calls = {name.rpartition(".")[2] for name in notebook.calls("clip_gradients")}
    forbidden = calls & {"clip_grad_norm_", "clip_grads_with_norm_", "clip_grad_norm"}
    if forbidden:
        hint("clip_gradients must be your own: torch.nn.utils is not allowed here.")
    assert not forbidden
    return student.run(clip_in_box, student.clip_gradients, grads, max_norm, once)


def shortens(student, notebook):
    """Whether a long gradient comes out shorter: who does nothing leaves short ones alone too.

    The longest of three is longer than a third of all: it is shortened tensor by tensor, too.
    """
    grads, norm = random_gradients()
    _, after = clipped(student, notebook, grads, norm / 3)
    return any(0 < a.norm() < g.norm() for a, g in zip(after, grads, strict=True))


@pytest.mark.points(1)
def test_norm_before_clipping_is_returned(student, notebook):
    """clip_gradients returns the norm of all gradients together, as it was before."""
    grads, norm = random_gradients()
    hint("One norm of all entries of all gradients; norms of parts do not simply add up.")
    returned, _ = clipped(student, notebook, grads, norm / 3)
    assert_close(float(returned), norm, rtol=1e-4, atol=0)


@pytest.mark.points(2)
def test_long_gradients_are_scaled_together(student, notebook):
    """All gradients are scaled by one factor, to the norm allowed."""
    grads, norm = random_gradients()
    hint("Every tensor is multiplied by the same number, so that the direction stays.")
    _, after = clipped(student, notebook, grads, norm / 3)
    assert_close(after, [grad / 3 for grad in grads], rtol=1e-4, atol=1e-6)


@pytest.mark.points(1)
def test_short_gradients_stay(student, notebook):
    """Gradients that are short enough stay exactly as they are."""
    grads, norm = random_gradients()
    hint("Clipping only ever shortens.")
    _, after = clipped(student, notebook, grads, 2.5 * norm)
    assert_close(after, grads, rtol=0, atol=0)
    assert shortens(student, notebook)


@pytest.mark.points(1)
def test_iterator_with_parameters_without_gradient(student, notebook):
    """model.parameters() can be read only once, and some parameters have no gradient."""
    grads, norm = random_gradients()
    hint("An iterator is empty after the first loop over it. Which parameters take part?")
    returned, after = clipped(student, notebook, [None, *grads, None], norm / 2, once=True)
    assert after[0] is None and after[-1] is None
    assert_close(float(returned), norm, rtol=1e-4, atol=0)
    assert_close(after[1:-1], [grad / 2 for grad in grads], rtol=1e-4, atol=1e-6)


@pytest.mark.points(1)
def test_zero_gradients_stay_zero(student, notebook):
    """Gradients that are all zero have norm zero and stay zero."""
    hint("Is there a division that can be 0 / 0?")
    returned, after = clipped(student, notebook, [torch.zeros(3), torch.zeros(2, 2)], 1.0)
    assert float(returned) == 0
    assert_close(after, [torch.zeros(3), torch.zeros(2, 2)], rtol=0, atol=0)
    assert shortens(student, notebook)
