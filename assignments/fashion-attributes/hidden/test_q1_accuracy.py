"""Question 1: the labels of images that students get without labels."""

from pathlib import Path

import numpy as np
import pytest
import torch

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q1")

with np.load(Path(__file__).parent / "labels.npz") as data:
    LABELS = torch.from_numpy(data["labels"]).long()
SHARE = bands((0.5, 0), (0.6, 0.5), (0.7, 1))
INTEGERS = {torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64}


@pytest.fixture
def predictions(student):
    """What the notebook left, as a tensor of integers, (600, 6)."""
    found = student.predictions
    hint("`predictions` is still None: leave the labels of the 600 images there.")
    assert found is not None
    hint("`predictions` must be a tensor, an array or a list of 600 rows of 6 integers.")
    assert isinstance(found, torch.Tensor | np.ndarray | list | tuple)
    try:
        found = torch.as_tensor(found)
    except (RuntimeError, TypeError, ValueError):  # words, rows of different lengths
        pytest.fail("no numbers", pytrace=False)
    hint(f"`predictions` has the shape {tuple(found.shape)}; it must be {tuple(LABELS.shape)}.")
    assert found.shape == LABELS.shape
    hint(f"`predictions` must hold integers, the numbers of classes; it is {found.dtype}.")
    assert found.dtype in INTEGERS
    return found.long()


@pytest.mark.points(0)
def test_predictions_have_the_right_form(predictions, reference):
    """`predictions` holds 600 × 6 integers, each the number of a class of its group."""
    for group, (name, kinds) in enumerate(reference.GROUPS.items()):
        hint(f"The classes of {name}, column {group}, are numbered 0 to {len(kinds) - 1}.")
        assert predictions[:, group].min() >= 0
        assert predictions[:, group].max() < len(kinds)


@pytest.mark.points(30)
@pytest.mark.needs("test_predictions_have_the_right_form")
def test_accuracy(predictions, reference):
    """Points for the mean accuracy of the predictions: 15 for 60 %, all 30 for 70 %."""
    reached = reference.mean_accuracy(predictions, LABELS)
    credit(SHARE(reached), f"Mean accuracy {reached:.1%}.", measured=round(reached, 4))
