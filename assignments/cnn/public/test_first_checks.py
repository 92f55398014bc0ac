"""The self-check of this assignment: a few easy tests of each question.

`grader check cnn.ipynb` runs them on your notebook. The hidden tests look closer.
"""

import math

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint


@pytest.mark.question("q1")
def test_output_size_of_a_row(student):
    """Seven pixels hold five kernels of three, or three with stride 2."""
    hint("Count by hand: where does the kernel start, and where can it start last?")
    assert student.conv_output_size(7, 3) == 5
    assert student.conv_output_size(7, 3, stride=2) == 3


@pytest.mark.question("q1")
def test_receptive_field_of_one_layer(student):
    """After one layer the receptive field is its kernel."""
    hint("Start from a pixel, which sees itself, and add what the layer adds.")
    assert student.receptive_field([(7, 2)]) == 7


@pytest.mark.question("q2")
def test_a_kernel_of_one_pixel_scales(student):
    """A 1x1 kernel multiplies the image."""
    x = torch.randn(2, 1, 4, 5)
    assert_close(student.conv2d_forward(x, torch.full((1, 1, 1, 1), 3.0)), 3 * x)


@pytest.mark.question("q2")
def test_shape_of_a_convolution(student):
    """The output has the shape that question 1 predicts."""
    hint("(N, F, H_out, W_out), with F kernels.")
    y = student.conv2d_forward(torch.randn(2, 3, 8, 5), torch.randn(6, 3, 3, 3), torch.randn(6))
    assert y.shape == (2, 6, 6, 3)


@pytest.mark.question("q3")
def test_shapes_of_the_gradients(student):
    """Each gradient has the shape of what it is the gradient of."""
    x, w = torch.randn(2, 3, 8, 5), torch.randn(6, 3, 3, 3)
    dx, dw, db = student.conv2d_backward(torch.randn(2, 6, 6, 3), x, w)
    assert (dx.shape, dw.shape, db.shape) == (x.shape, w.shape, (6,))


@pytest.mark.question("q3")
def test_gradients_of_a_kernel_of_one_pixel(student):
    """For y = w x + b with a single weight, the three gradients are those of a product."""
    hint("dx = w dout, dw = the sum of x dout, db = the sum of dout.")
    x, dout = torch.randn(2, 2, 1, 4, 5)
    dx, dw, db = student.conv2d_backward(dout, x, torch.full((1, 1, 1, 1), 3.0))
    assert_close(dx, 3 * dout)
    assert_close(dw.flatten(), (x * dout).sum()[None], rtol=1e-4, atol=1e-5)
    assert_close(db, dout.sum()[None], rtol=1e-4, atol=1e-5)


@pytest.mark.question("q4")
def test_pooling_of_four_pixels(student):
    """The largest of four pixels comes out, and the gradient goes back to it."""
    x = torch.tensor([[[[-3.0, -4.0], [-1.0, -2.0]]]])
    assert_close(student.max_pool_forward(x, 2), torch.tensor([[[[-1.0]]]]))
    dx = student.max_pool_backward(torch.full((1, 1, 1, 1), 5.0), x, 2)
    assert_close(dx, torch.tensor([[[[0.0, 0.0], [5.0, 0.0]]]]))


@pytest.mark.question("q5")
def test_batch_norm_normalises_each_channel(student):
    """In training mode each channel comes out with mean zero and variance one."""
    hint("Reduce over dims 0, 2 and 3.")
    y = student.BatchNorm2d(3)(4 + 3 * torch.randn(6, 3, 5, 4))
    assert_close(y.mean(dim=(0, 2, 3)), torch.zeros(3), rtol=0, atol=1e-4)
    assert_close(y.var(dim=(0, 2, 3), correction=0), torch.ones(3), rtol=0, atol=1e-3)


@pytest.mark.question("q5")
def test_batch_norm_takes_a_single_image_at_test_time(student):
    """A new layer in evaluation mode hardly changes a single image."""
    layer = student.BatchNorm2d(2)
    layer.eval()
    x = torch.randn(1, 2, 3, 4)
    assert_close(layer(x), x, rtol=1e-3, atol=1e-3)


@pytest.mark.question("q5")
def test_batch_norm_backward_of_a_constant_gradient(student):
    """A gradient that is the same everywhere is swallowed by the mean: dx is zero."""
    x = torch.randn(4, 2, 3, 5)
    dx, dweight, dbias = student.batch_norm_backward(torch.ones_like(x), x, torch.ones(2))
    assert_close(dx, torch.zeros_like(x), rtol=0, atol=1e-5)
    assert_close(dweight, torch.zeros(2), rtol=0, atol=1e-3)
    assert_close(dbias, torch.full((2,), 60.0))


@pytest.mark.question("q6")
def test_dropout_leaves_zeros_and_scaled_values(student):
    """With p = 0.75, ones become zeros and fours."""
    hint("Inverted dropout: what survives is divided by the probability to survive.")
    y = student.Dropout(0.75)(torch.ones(50, 40))
    assert set(y.flatten().tolist()) == {0.0, 4.0}


@pytest.mark.question("q7")
def test_lenet_gives_ten_logits(student):
    """LeNet gives ten logits for each image."""
    assert student.LeNet()(torch.rand(4, 1, 8, 8)).shape == (4, 10)


@pytest.mark.question("q7")
def test_predict_gives_a_class_for_each_image(student):
    """predict returns one class between 0 and 9 for each image."""
    classes = student.predict(student.LeNet(), torch.rand(6, 1, 8, 8))
    assert classes.shape == (6,)
    assert classes.min() >= 0
    assert classes.max() <= 9


@pytest.mark.question("q7")
def test_fit_returns_falling_losses(student):
    """On 64 images that are black or white, the loss falls."""
    y = torch.arange(64) % 2
    x = y[:, None, None, None] + 0.1 * torch.randn(64, 1, 8, 8)
    losses = student.fit(student.LeNet(), x, y)
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0]
