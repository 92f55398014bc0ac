"""Question 3: convolution, backward."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q3")

BY_HAND = "test_convolution_backward_is_written_by_hand"
GRADIENTS = ("dx", "dw", "db")


def make_case(size, kernel, stride=1, padding=0, batch=3, dtype=torch.float32):
    """Make inputs with a random upstream gradient, and the gradients that autograd finds."""
    x = torch.randn(batch, 2, *size, dtype=dtype, requires_grad=True)
    w = torch.randn(4, 2, *kernel, dtype=dtype, requires_grad=True)
    b = torch.randn(4, dtype=dtype, requires_grad=True)
    y = F.conv2d(x, w, b, stride=stride, padding=padding)
    dout = torch.randn_like(y)
    expected = torch.autograd.grad(y, (x, w, b), dout)
    inputs = (dout, x.detach(), w.detach(), stride, padding)
    return inputs, dict(zip(GRADIENTS, expected, strict=True))


def gradients(returned):
    assert len(returned) == len(GRADIENTS)
    return dict(zip(GRADIENTS, returned, strict=True))


def agree(ours, theirs):
    assert_close(theirs, ours, rtol=1e-4, atol=1e-4, check_dtype=False)


@pytest.mark.points(2)
def test_convolution_backward_is_written_by_hand(student, by_hand):
    """conv2d_backward returns three gradients of the right shapes without autograd; db is right."""
    inputs, expected = make_case((6, 6), (3, 3))
    found = gradients(by_hand(student.conv2d_backward, *inputs))
    hint("db has the shape of b: sum the upstream gradient over everything but the kernels.")
    assert [found[name].shape for name in GRADIENTS] == [expected[name].shape for name in GRADIENTS]
    agree(expected["db"], found["db"])


@pytest.mark.points(4)
@pytest.mark.needs(BY_HAND)
@pytest.mark.parametrize("name", ["dx", "dw"])
def test_convolution_gradient(student, name):
    """The gradients of images and kernels are right with stride 1 and no padding."""
    hint("Windows overlap: add to what is there. Sum dw over the batch, do not average.")
    for size, kernel in (((6, 6), (3, 3)), ((5, 8), (2, 3)), ((8, 5), (3, 1))):
        inputs, expected = make_case(size, kernel)
        agree(expected[name], gradients(student.conv2d_backward(*inputs))[name])


@pytest.mark.points(3)
@pytest.mark.needs(BY_HAND)
@pytest.mark.parametrize("name", ["dx", "dw"])
def test_convolution_gradient_with_stride_and_padding(student, name):
    """The gradients are right with strides and padding, in shapes that are not square."""
    hint("Use the windows of the forward pass on the padded image; then cut the padding off dx.")
    for stride, padding in ((1, 1), (2, 0), (2, 1), (3, 2)):
        size = 4 * stride + 3 - 2 * padding, 2 * stride + 2 - 2 * padding + 2 * stride
        inputs, expected = make_case(size, (3, 2), stride, padding)
        agree(expected[name], gradients(student.conv2d_backward(*inputs))[name])


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
def test_convolution_gradient_of_pixels_that_no_window_reaches(student):
    """Where the steps do not come out even, dx still has the shape of x, with zeros at the end."""
    hint("Start from zeros of the shape of the padded x; no output depends on the last pixels.")
    inputs, expected = make_case((9, 10), (3, 3), stride=4)
    agree(expected["dx"], gradients(student.conv2d_backward(*inputs))["dx"])
    inputs, expected = make_case((8, 9), (2, 3), stride=3, padding=1)
    agree(expected["dx"], gradients(student.conv2d_backward(*inputs))["dx"])


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
def test_convolution_gradient_in_double_precision(student):
    """Gradients of a single float64 image are right to ten digits."""
    hint("Make new tensors with torch.zeros_like, so that they have the dtype of x and w.")
    inputs, expected = make_case((7, 5), (3, 2), 2, 1, batch=1, dtype=torch.float64)
    found = gradients(student.conv2d_backward(*inputs))
    for name in GRADIENTS:
        assert_close(found[name], expected[name], rtol=1e-10, atol=1e-10)


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
def test_convolution_backward_leaves_its_inputs_alone(student, leaves_inputs_alone):
    """dx belongs to this image, and the arguments stay as they were."""
    inputs, expected = make_case((6, 5), (3, 2), padding=0)
    assert leaves_inputs_alone(student.conv2d_backward, *inputs)
    agree(expected["dx"], gradients(student.conv2d_backward(*inputs))["dx"])
