"""Question 2: convolution, forward."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = [pytest.mark.question("q2")]

BY_HAND = "test_convolution_is_written_by_hand"


def agree(ours, theirs):
    assert_close(theirs, ours, rtol=1e-4, atol=1e-4, check_dtype=False)


@pytest.mark.points(2)
def test_convolution_is_written_by_hand(student, by_hand):
    """conv2d_forward convolves square images with square kernels, without torch's convolution."""
    x, w = torch.randn(2, 3, 6, 6), torch.randn(4, 3, 3, 3)
    agree(F.conv2d(x, w), by_hand(student.conv2d_forward, x, w))


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
def test_convolution_adds_the_bias(student):
    """Each kernel's bias is added to all of its outputs."""
    hint("One bias for each kernel: along which dimension of the output do the kernels lie?")
    x, w, b = torch.randn(2, 3, 6, 4), torch.randn(4, 3, 3, 3), torch.randn(4)
    agree(F.conv2d(x, w, b), student.conv2d_forward(x, w, b))


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
@pytest.mark.parametrize("padding", [1, 2])
def test_convolution_pads_with_zeros(student, padding):
    """Padding adds zeros on all four sides."""
    hint("P rows and columns of zeros on every side: the padded height is H + 2P.")
    x, w, b = torch.randn(2, 3, 6, 5), torch.randn(2, 3, 3, 3), torch.randn(2)
    agree(F.conv2d(x, w, b, padding=padding), student.conv2d_forward(x, w, b, padding=padding))


@pytest.mark.points(2)
@pytest.mark.needs(BY_HAND)
@pytest.mark.parametrize("stride", [2, 3])
def test_convolution_strides(student, stride):
    """A stride moves the kernel in larger steps, also where they do not come out even."""
    hint("Output (h, w) sees the window that starts at (hS, wS). Is the output size right?")
    for height in (9, 10, 11):
        x, w = torch.randn(2, 3, height, 8), torch.randn(4, 3, 3, 3)
        agree(F.conv2d(x, w, stride=stride), student.conv2d_forward(x, w, None, stride))


@pytest.mark.points(2)
@pytest.mark.needs(BY_HAND)
@pytest.mark.parametrize("kernel", [(2, 3), (3, 1)], ids=["2x3", "3x1"])
def test_convolution_of_shapes_that_are_not_square(student, kernel):
    """Height and width are kept apart, in images and in kernels."""
    hint("Try an image of 5x9 pixels and a kernel of 2x3: are rows and columns ever mixed up?")
    for size in ((5, 9), (9, 5)):
        x, w, b = torch.randn(3, 2, *size), torch.randn(5, 2, *kernel), torch.randn(5)
        expected = F.conv2d(x, w, b, stride=2, padding=1)
        agree(expected, student.conv2d_forward(x, w, b, stride=2, padding=1))


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
def test_convolution_at_the_limits(student):
    """One image, one channel, one kernel, of one pixel or as large as the image, work as well."""
    hint("Beware of squeeze() and of broadcasting: dimensions of size one must stay.")
    for kernel in ((1, 1), (5, 7)):
        x, w = torch.randn(1, 1, 5, 7), torch.randn(1, 1, *kernel)
        agree(F.conv2d(x, w), student.conv2d_forward(x, w))


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
def test_convolution_keeps_precision_and_inputs(student, leaves_inputs_alone):
    """float64 images are convolved in float64, and the arguments stay as they were."""
    hint("Make new tensors with the dtype of x: x.new_zeros(shape) does.")
    x, w, b = torch.randn(2, 3, 7, 5).double(), torch.randn(4, 3, 3, 2).double(), torch.rand(4)
    case = (x, w, b.double(), 2, 1)
    theirs = student.conv2d_forward(*case)
    assert_close(theirs, F.conv2d(*case), rtol=1e-10, atol=1e-10)
    assert leaves_inputs_alone(student.conv2d_forward, *case)
