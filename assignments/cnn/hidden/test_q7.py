"""Question 7: a small LeNet reads digits."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from grader.suite.credit import at_least, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q7")

HERE = Path(__file__).parent
ACCURACY = at_least((0.90, 1))


def load_digits(path):
    """Read images (N, 1, 8, 8) between 0 and 1, and their labels (N,)."""
    with np.load(path, allow_pickle=False) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    return torch.from_numpy(images).float()[:, None] / 16, torch.from_numpy(labels).long()


def unseen_digits():
    return load_digits(HERE / "digits_test.npz")


def classify(model, x):
    """Run in the box: the most likely classes in evaluation mode."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        classes = model(x).argmax(dim=1)
    model.train(was_training)
    return classes


def describe(model):
    """Run in the box: the number of convolutional layers and of parameters."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    return len(layers), sum(parameter.numel() for parameter in model.parameters())


def train_linear(train_epoch, state, x, y, batch_size, lr, epochs):
    """Run on both sides: train a linear model, with gradients left over from before."""
    model = nn.Linear(*reversed(state["weight"].shape))
    model.load_state_dict(state)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    losses = [train_epoch(model, optimizer, x, y, batch_size) for _ in range(epochs)]
    return losses, model.weight.detach(), model.bias.detach()


def watch_training(train_epoch, count, batch_size, epochs):
    """Run in the box: which examples the model was shown, batch by batch, and in which mode."""

    class Spy(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(1, 3)
            self.shown = []

        def forward(self, x):
            self.shown.append((self.training, [int(number) for number in x[:, 0]]))
            return self.layer(x / count)

    model = Spy().eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = torch.arange(count).float()[:, None], torch.arange(count) % 3
    seen = []
    for _ in range(epochs):
        model.shown = []
        train_epoch(model, optimizer, x, y, batch_size)
        seen.append(model.shown)
    return seen


def predict_with_dropout(predict, state, x, training):
    """Run in the box: predictions of all inputs, of each alone, and the mode after each call."""
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10))
    model[2].load_state_dict(state)
    model.train(training)
    found, modes = [], []
    for batch in (x, *x.split(1)):
        found.append(predict(model, batch))
        modes.append(model.training)
    return found[0], torch.cat(found[1:]), modes


def fit_and_classify(model_class, fit, x, y, unseen):
    """Run in the box: train a new model; return its classes for unseen images, and fit's losses."""
    model = model_class()
    losses = fit(model, x, y)
    model.eval()
    with torch.no_grad():
        return model(unseen).argmax(dim=1), losses


def linear_case(count=50, features=6, classes=4):
    state = {"weight": torch.randn(classes, features), "bias": torch.randn(classes)}
    return state, 2 * torch.randn(count, features), torch.randint(classes, (count,))


@pytest.mark.points(1)
def test_lenet_maps_images_to_logits(student):
    """LeNet maps any number of 8x8 images to ten logits each."""
    hint("Keep the batch dimension when you flatten: a batch of one has shape (1, 10).")
    model = student.LeNet()
    for count in (7, 2):
        assert model(torch.rand(count, 1, 8, 8)).shape == (count, 10)
    model.eval()
    assert model(torch.rand(1, 1, 8, 8)).shape == (1, 10)
    hint("Logits, please: the cross-entropy does the softmax.")
    logits = model(10 * torch.rand(5, 1, 8, 8))
    assert not torch.allclose(logits.exp().sum(1), torch.ones(5), atol=1e-3)
    assert not torch.allclose(logits.sum(1), torch.ones(5), atol=1e-3)
    hint("Each image's logits come from that image alone, and from all of it.")
    x = torch.rand(6, 1, 8, 8)
    together = model(x)
    assert_close(model(x[2:3]), together[2:3], rtol=1e-3, atol=1e-4)
    assert (together.std(dim=0) > 0).any()


@pytest.mark.points(1)
def test_lenet_keeps_to_the_bounds(student):
    """LeNet has at least two convolutional layers and at most 100,000 parameters."""
    layers, parameters = student.run(describe, student.LeNet())
    assert layers >= 2
    assert 0 < parameters <= 100_000


@pytest.mark.points(3)
def test_train_epoch_takes_the_right_steps(student, reference):
    """train_epoch moves the parameters as gradient descent on the mean loss does."""
    hint("Old gradients must be cleared before each step; the loss is a mean over the batch.")
    state, x, y = linear_case()
    # One batch holds all examples, so that their order does not matter.
    case = (state, x, y, len(x), 0.3, 3)
    _, *ours = train_linear(reference.train_epoch, *case)
    _, *theirs = student.run(train_linear, student.train_epoch, *case)
    for our, their in zip(ours, theirs, strict=True):
        assert_close(their, our, rtol=1e-3, atol=1e-4)


@pytest.mark.points(2)
def test_train_epoch_shows_every_example_once_in_random_order(student):
    """In training mode every example is used once an epoch, in an order that is new each time."""
    hint("The last batch may be smaller; torch.randperm gives an order; mind the model's mode.")
    epochs = student.run(watch_training, student.train_epoch, 50, 16, 2)
    orders = []
    for batches in epochs:
        assert all(training for training, _ in batches)
        assert sorted(len(batch) for _, batch in batches) == [2, 16, 16, 16]
        orders.append([number for _, batch in batches for number in batch])
        assert sorted(orders[-1]) == list(range(50))
    assert orders[0] != orders[1]
    assert list(range(50)) not in orders


@pytest.mark.points(1)
def test_train_epoch_returns_the_mean_loss_per_example(student):
    """The loss returned counts every example alike, also those of a smaller last batch."""
    hint("A mean of the batches' means weighs a small batch too much.")
    state, x, y = linear_case()
    losses, *_ = student.run(train_linear, student.train_epoch, state, x, y, 16, 0.0, 1)
    expected = F.cross_entropy(F.linear(x, **state), y).item()
    # An empty tensor is approximately everything.
    assert not isinstance(losses[0], torch.Tensor) or losses[0].numel() == 1
    assert losses[0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.points(2)
def test_predict_is_free_of_chance(student):
    """predict gives the most likely classes, the same for an image alone and among others."""
    hint("Dropout and batch normalisation must be at rest: model.eval().")
    state = {"weight": torch.randn(10, 64), "bias": torch.randn(10)}
    x = torch.randn(40, 1, 8, 8)
    expected = F.linear(x.flatten(1), **state).argmax(dim=1)
    together, alone, _ = student.run(predict_with_dropout, student.predict, state, x, True)
    assert_close(together, expected, check_dtype=False)
    assert_close(alone, expected, check_dtype=False)


@pytest.mark.points(1)
@pytest.mark.needs("test_predict_is_free_of_chance")
def test_predict_leaves_the_mode_as_it_was(student):
    """After predict the model is in the mode in which it was before."""
    hint("model.training tells the mode; remember it before you change it.")
    state, x = {"weight": torch.randn(10, 64), "bias": torch.randn(10)}, torch.randn(3, 1, 8, 8)
    for training in (True, False):
        _, _, modes = student.run(predict_with_dropout, student.predict, state, x, training)
        assert modes == [training] * 4


@pytest.mark.points(3)
@pytest.mark.parametrize("accuracy", [0.90, 0.96])
def test_trained_model_reads_unseen_digits(student, accuracy):
    """The notebook's trained model reads digits that it has never seen."""
    hint("Compare training and validation accuracy: does it learn too little, or by heart?")
    x, y = unseen_digits()
    classes = student.run(classify, student.model, x)
    assert (classes == y).double().mean() >= accuracy


@pytest.mark.points(2)
@pytest.mark.trials(3)
def test_fit_trains_a_new_model(student):
    """fit trains a new LeNet on another part of the data to 90 % on unseen digits."""
    hint("Does fit use the x and y that it is given, and the model that it is given?")
    x, y = load_digits(HERE.parent / "data" / "digits.npz")
    part = torch.randperm(len(x))[:900]
    unseen, labels = unseen_digits()
    model, fit = student.LeNet, student.fit
    classes, losses = student.run(fit_and_classify, model, fit, x[part], y[part], unseen)
    assert classes.shape == labels.shape
    right = (classes == labels).double().mean().item()
    credit(ACCURACY(right), f"Right for {right:.1%} of the unseen digits.", curve=losses)
