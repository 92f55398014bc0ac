"""The self-check of the attacks' assignment."""

import torch


def test_softmax_keeps_the_shape(student):
    """softmax(x) must have the shape of x."""
    assert student.softmax(torch.zeros(2, 3)).shape == (2, 3)
