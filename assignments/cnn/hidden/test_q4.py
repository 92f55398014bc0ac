"""Question 4: max pooling."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q4")

FORWARD = "test_pooling_is_written_by_hand"
BACKWARD = "test_pooling_backward_is_written_by_hand"


def agree(ours, theirs):
    assert_close(theirs, ours, rtol=1e-5, atol=1e-5, check_dtype=False)


def make_case(shape, kernel_size, stride=None, dtype=torch.float32):
    """Make an input with a random upstream gradient, and the gradient that autograd finds."""
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    y = F.max_pool2d(x, kernel_size, stride)
    dout = torch.randn_like(y)
    return (dout, x.detach(), kernel_size, stride), torch.autograd.grad(y, x, dout)[0]


@pytest.mark.points(2)
def test_pooling_is_written_by_hand(student, by_hand):
    """max_pool_forward takes maxima of 2x2 windows, of negative numbers too, without torch's."""
    x = torch.randn(2, 3, 8, 6)
    agree(F.max_pool2d(x, 2), by_hand(student.max_pool_forward, x, 2))
    hint("The largest of four negative numbers is not zero.")
    agree(F.max_pool2d(-x.abs(), 2), student.max_pool_forward(-x.abs(), 2))


@pytest.mark.points(1)
@pytest.mark.needs(FORWARD)
def test_pooling_of_sizes_that_do_not_divide(student):
    """Windows of 3x3 lie side by side, and rows or columns that are left over are skipped."""
    hint("Without a stride, the stride is the kernel size; round the output size down.")
    for size in ((9, 7), (8, 11)):
        x = torch.randn(2, 3, *size)
        agree(F.max_pool2d(x, 3), student.max_pool_forward(x, 3))


@pytest.mark.points(1)
@pytest.mark.needs(FORWARD)
@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 2), (2, 3)])
def test_pooling_with_a_stride_of_its_own(student, kernel_size, stride):
    """The stride may be smaller or larger than the kernel."""
    hint("Window (h, w) starts at (hS, wS) and is K wide, whatever S is.")
    x = torch.randn(2, 3, 9, 8)
    agree(F.max_pool2d(x, kernel_size, stride), student.max_pool_forward(x, kernel_size, stride))


@pytest.mark.points(2)
def test_pooling_backward_is_written_by_hand(student, by_hand):
    """max_pool_backward hands each window's gradient to its largest pixel, without autograd."""
    hint("dx has the shape of x; the value that a winner gets comes from dout, not from x.")
    for shape in ((2, 3, 6, 6), (2, 3, 8, 5)):
        inputs, expected = make_case(shape, 2)
        agree(expected, by_hand(student.max_pool_backward, *inputs))


@pytest.mark.points(2)
@pytest.mark.needs(BACKWARD)
@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 1), (3, 2)])
def test_pooling_backward_of_overlapping_windows(student, kernel_size, stride):
    """A pixel that wins several windows collects the sum of their gradients."""
    hint("Add to dx; an assignment forgets what other windows have given.")
    inputs, expected = make_case((2, 3, 8, 7), kernel_size, stride)
    agree(expected, student.max_pool_backward(*inputs))


@pytest.mark.points(1)
@pytest.mark.needs(BACKWARD)
def test_pooling_backward_gives_ties_to_the_first(student, reference):
    """Of several equally large pixels the first alone gets the gradient."""
    hint("Read each window row by row; torch.argmax returns the first of equal values.")
    x = torch.randint(2, (2, 3, 6, 8)).float()
    for value in (x, torch.zeros_like(x)):
        dout = torch.randn(2, 3, 3, 4)
        ours = reference.max_pool_backward(dout, value, 2)
        agree(ours, student.max_pool_backward(dout, value, 2))


@pytest.mark.points(1)
@pytest.mark.needs(FORWARD, BACKWARD)
def test_pooling_keeps_precision_and_inputs(student, leaves_inputs_alone):
    """A single float64 image is pooled in float64, and the arguments stay as they were."""
    hint("Make new tensors with the dtype of x: torch.zeros_like and x.new_zeros do.")
    (dout, x, *rest), expected = make_case((1, 2, 7, 6), 3, 2, torch.float64)
    assert_close(student.max_pool_forward(x, *rest), F.max_pool2d(x, *rest), rtol=0, atol=0)
    theirs = student.max_pool_backward(dout, x, *rest)
    assert_close(theirs, expected, rtol=1e-12, atol=1e-12)
    assert leaves_inputs_alone(student.max_pool_forward, x, *rest)
    assert leaves_inputs_alone(student.max_pool_backward, dout, x, *rest)
