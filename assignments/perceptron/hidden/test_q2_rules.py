"""Question 2: Hebb's rule and the perceptron's."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q2")


def whole_numbers(n, d):
    """Draw inputs and labels whose sums are exact, so that many examples lie on the line itself."""
    x = torch.randint(-2, 3, (n, d)).double()
    y = torch.randint(2, (n,)).double() * 2 - 1
    return x, y


def weights_afterwards(perceptron_epoch, w, x, y):
    """Return what an epoch gives, and its arguments as they are afterwards."""
    found, mistakes = perceptron_epoch(w, x, y)
    return found, mistakes, [w, x, y]


@pytest.mark.points(2)
@pytest.mark.parametrize("n", [1, 9])
def test_hebb(student, close, labelled, n):
    """hebb gives the average of label times input, for one example or many."""
    hint("Every example counts, also those that are right already. And it is an average.")
    x, y = labelled(n, 4)
    close(student.hebb(x, y), torch.einsum("n,nd->d", y, x) / n)
    x, y = labelled(7, 3)
    close(student.hebb(x, y), torch.einsum("n,nd->d", y, x) / 7)


@pytest.mark.points(2)
def test_epoch(student, reference, close, labelled):
    """perceptron_epoch gives the weights after the last example, from any weights before."""
    hint(
        "The second example meets the weights that the first one left. In which order do they come?"
    )
    for n, d in ((25, 3), (6, 8), (1, 2)):
        x, y = labelled(n, d)
        w = torch.randn(d, dtype=torch.float64)
        found, _ = student.perceptron_epoch(w, x, y)
        close(found, reference.perceptron_epoch(w, x, y)[0])


@pytest.mark.points(1)
def test_epoch_counts_mistakes(student, reference, close, labelled):
    """perceptron_epoch counts the mistakes, each when its example is shown."""
    hint("Count where you change the weights, not when the epoch is over.")
    # A count of one epoch may be guessed: one in ten is right by luck.
    for n, d in ((40, 3), (60, 5), (80, 2), (100, 9)):
        x, y = labelled(n, d)
        w = torch.randn(d, dtype=torch.float64)
        _, mistakes = student.perceptron_epoch(w, x, y)
        close(mistakes, reference.perceptron_epoch(w, x, y)[1])


@pytest.mark.points(1)
def test_on_the_line_is_a_mistake(student, reference, close):
    """An example for which the sum is exactly zero is a mistake too."""
    hint("Weights of zero decide for nobody. Compare ≤ in the text with your condition.")
    x, y = whole_numbers(40, 3)
    w = torch.zeros(3, dtype=torch.float64)
    found, mistakes = student.perceptron_epoch(w, x, y)
    expected = reference.perceptron_epoch(w, x, y)
    close(found, expected[0])
    close(mistakes, expected[1])


@pytest.mark.points(1)
def test_epoch_leaves_its_arguments_alone(student, reference, close, labelled):
    """perceptron_epoch returns new weights and leaves those that it was given as they were."""
    hint("w += … writes into the tensor of whoever called you.")
    x, y = labelled(20, 3)
    w = torch.randn(3, dtype=torch.float64)
    found, _, after = student.run(weights_afterwards, student.perceptron_epoch, w, x, y)
    close(found, reference.perceptron_epoch(w, x, y)[0])
    for now, before in zip(after, (w, x, y), strict=True):
        assert torch.equal(now, before)


@pytest.mark.points(2)
@pytest.mark.parametrize("d", [2, 6])
def test_training_separates(student, reference, close, separable, d):
    """train_perceptron ends with weights that separate, and with the mistakes of every epoch."""
    hint(
        "Begin at zero, carry the weights from epoch to epoch, and stop after one without mistakes."
    )
    x, y, _ = separable(random.randint(15, 30), d)
    w, history = student.train_perceptron(x, y, max_epochs=5000)
    assert (y * (x @ w.detach().double())).min() > 0
    expected_w, expected = reference.train_perceptron(x, y, max_epochs=5000)
    assert list(history) == expected
    close(w, expected_w)


@pytest.mark.points(2)
def test_training_gives_up(student, reference, close):
    """train_perceptron stops after max_epochs where no weights separate the examples."""
    hint("Is the list as long as the epochs that were run?")
    x, y = whole_numbers(12, 3)
    x[1], y[1] = x[0], -y[0]  # the same input with both labels
    epochs = random.randint(4, 9)
    w, history = student.train_perceptron(x, y, max_epochs=epochs)
    expected_w, expected = reference.train_perceptron(x, y, max_epochs=epochs)
    assert list(history) == expected
    assert len(history) == epochs
    close(w, expected_w)


@pytest.mark.points(1)
def test_training_in_single_precision_and_on_nothing(student, reference):
    """train_perceptron works in the precision of x, and on no examples it makes no mistake."""
    hint("Make the first weights of the dtype and the width of x, also where x has no rows.")
    for n in (15, 0):
        x, y = whole_numbers(n, 4)
        w, history = student.train_perceptron(x.float(), y.float(), max_epochs=3)
        expected_w, expected = reference.train_perceptron(x.float(), y.float(), max_epochs=3)
        torch.testing.assert_close(w, expected_w)
        assert list(history) == expected
