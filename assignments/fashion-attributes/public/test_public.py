"""The checks that you can run yourself: `grader check fashion-attributes.ipynb`.

They look at the form of your predictions. How right they are is for your validation images to say.
"""

import numpy as np
import pytest
import torch

from grader.suite.hints import hint

SIZES = torch.tensor([7, 3, 3, 4, 6, 3])


@pytest.fixture
def predictions(student):
    """What the notebook left, as a tensor."""
    hint("Leave the labels of the 600 images in `predictions`: a tensor, an array or a list.")
    found = student.predictions
    assert isinstance(found, torch.Tensor | np.ndarray | list | tuple)
    return torch.as_tensor(found)


@pytest.mark.question("q1")
def test_form(predictions):
    """There are 600 rows of 6 integers."""
    hint(f"The shape is {tuple(predictions.shape)}, the type {predictions.dtype}.")
    assert predictions.shape == (600, 6)
    assert not predictions.is_floating_point()


@pytest.mark.question("q1")
def test_range(predictions):
    """Each is the number of a class: 0 to 6 for the pattern, 0 to 2 for the sleeve, and so on."""
    assert (predictions >= 0).all()
    assert (predictions < SIZES).all()


@pytest.mark.question("q1")
def test_every_class_is_named(predictions):
    """Each of the 26 classes is named for some image: every one of them is there."""
    hint("A network that never names a class has not learnt it yet.")
    named = [len(set(column.tolist())) for column in predictions.T]
    assert named == SIZES.tolist()
