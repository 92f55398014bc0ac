"""The checks that you can run yourself: `grader check mlp-backprop.ipynb`.

They look at small cases only. The tests that give marks use other inputs and look closer.
"""

import math

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint


def there_and_back(forward, backward, inputs, grad_out):
    """Run both passes of a layer, with autograd switched off."""
    with torch.no_grad():
        out, cache = forward(*inputs)
        return out, backward(grad_out, cache)


@pytest.mark.question("q1")
def test_neuron(student):
    """A neuron that is exactly right, without decay, has no loss and nothing to change."""
    hint("With w = x = 0 and b = 0 the neuron says 1/2. What are loss and gradients for t = 1/2?")
    loss, grads = student.neuron(w=0.0, b=0.0, x=0.0, t=0.5, lam=0.0)
    assert loss == pytest.approx(0)
    assert [grads[name] for name in ("w", "b", "x")] == pytest.approx([0, 0, 0])


def sum_of_squares(x):
    """A function whose gradient is easy."""
    return (x**2).sum()


@pytest.mark.question("q1")
def test_numerical_gradient(student):
    """The gradient of a sum of squares at 1, 2, 3 is 2, 4, 6."""
    hint("Change one element at a time, and divide by the distance of the two points.")
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    assert_close(student.numerical_gradient(sum_of_squares, x), 2 * x, rtol=1e-6, atol=1e-6)


@pytest.mark.question("q2")
def test_linear_forward(student):
    """One example, two inputs, one output."""
    hint("(1, 2) times (3, 4), plus 5.")
    x, w, b = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]]), torch.tensor([5.0])
    assert_close(student.linear_forward(x, w, b)[0], torch.tensor([[16.0]]))


@pytest.mark.question("q2")
def test_linear_backward_shapes(student):
    """Every gradient has the shape of the tensor it belongs to."""
    hint("Right shapes do not make right values, but wrong shapes make wrong ones.")
    x, w, b = torch.randn(4, 3), torch.randn(3, 2), torch.randn(2)
    functions = student.linear_forward, student.linear_backward
    _, grads = student.run(there_and_back, *functions, [x, w, b], torch.randn(4, 2))
    assert [tuple(grad.shape) for grad in grads] == [(4, 3), (3, 2), (2,)]


@pytest.mark.question("q3")
def test_relu(student):
    """ReLU passes numbers and gradients where the input is positive, and only there."""
    x, grad_out = torch.tensor([-2.0, 3.0]), torch.tensor([10.0, 20.0])
    functions = student.relu_forward, student.relu_backward
    out, grad = student.run(there_and_back, *functions, [x], grad_out)
    assert_close(out, torch.tensor([0.0, 3.0]))
    assert_close(grad, torch.tensor([0.0, 20.0]))


@pytest.mark.question("q4")
def test_log_softmax_of_equal_logits(student):
    """Among four equal logits, each class has a quarter of the probability."""
    hint("The probabilities of a row sum to one, also for logits of 1000.")
    found = student.log_softmax(torch.full((2, 4), 1000.0))
    assert_close(found, torch.full((2, 4), -math.log(4)))


@pytest.mark.question("q4")
def test_cross_entropy_of_equal_logits(student):
    """Without an opinion the loss is log C, and each row of the gradient sums to zero."""
    hint("Raising all logits of a row alike changes nothing. What does that say of the gradient?")
    loss, grad = student.softmax_cross_entropy(torch.zeros(3, 5), torch.tensor([0, 2, 4]))
    assert float(loss) == pytest.approx(math.log(5), rel=1e-5)
    assert_close(grad.sum(dim=1), torch.zeros(3), rtol=0, atol=1e-6)


@pytest.mark.question("q5")
@pytest.mark.parametrize("rule", ["xavier_uniform", "kaiming_normal"])
def test_initial_weights(student, rule):
    """The weights have the right shape and are centred round zero."""
    w = student[rule](200, 100)
    assert tuple(w.shape) == (200, 100)
    assert abs(w.mean().item()) < 0.1 * w.std().item()


@pytest.mark.question("q5")
def test_init_mlp(student):
    """init_mlp([4, 3, 2]) makes two weights and two biases, named as in the text."""
    params = student.init_mlp([4, 3, 2])
    shapes = {name: tuple(value.shape) for name, value in params.items()}
    assert shapes == {"w1": (4, 3), "b1": (3,), "w2": (3, 2), "b2": (2,)}


@pytest.mark.question("q6")
def test_mlp_keeps_keys_and_shapes(student):
    """The gradients have the keys and shapes of the parameters."""
    params = {
        "w1": torch.randn(4, 3),
        "b1": torch.randn(3),
        "w2": torch.randn(3, 2),
        "b2": torch.randn(2),
    }
    _, grads = student.mlp_loss(params, torch.randn(5, 4), torch.randint(2, (5,)))
    assert {name: grad.shape for name, grad in grads.items()} == {
        name: value.shape for name, value in params.items()
    }


@pytest.mark.question("q6")
def test_logits_may_be_negative(student):
    """The last layer has no ReLU."""
    params = {"w1": torch.tensor([[1.0]]), "b1": torch.tensor([-5.0])}
    logits = student.mlp_forward(params, torch.tensor([[2.0]]))[0]
    assert_close(logits, torch.tensor([[-3.0]]))


@pytest.mark.question("q7")
def test_step_without_momentum(student):
    """Without momentum a step is plain gradient descent."""
    params, grads = {"w1": torch.tensor([1.0])}, {"w1": torch.tensor([2.0])}
    found, _ = student.sgd_step(params, grads, {"w1": torch.zeros(1)}, 0.25, 0.0)
    assert_close(found["w1"], torch.tensor([0.5]))


@pytest.mark.question("q8")
def test_minibatches(student):
    """Ten examples in batches of four: 4, 4 and 2."""
    assert [len(batch) for batch in student.minibatches(10, 4)] == [4, 4, 2]


@pytest.mark.question("q8")
def test_training_lowers_the_loss(student):
    """Training gives a loss for each epoch, and the last is lower than the first."""
    hint("Is the step taken downhill, and are the new parameters used for the next batch?")
    x = torch.cat([torch.randn(20, 2) + 3, torch.randn(20, 2) - 3])
    y = torch.arange(40) // 20
    params = {"w1": 0.1 * torch.randn(2, 2), "b1": torch.zeros(2)}
    _, losses = student.train(params, x, y, epochs=5, batch_size=8, lr=0.05)
    assert len(losses) == 5
    assert losses[-1] < losses[0]


@pytest.mark.question("q8")
def test_trained_network_is_there(student):
    """The name `trained` holds the parameters of a network for 64 pixels and 10 digits."""
    hint("trained, losses = train(init_mlp([64, …, 10]), …)")
    trained = student.trained
    assert isinstance(trained, dict)
    assert trained["w1"].shape[0] == 64
    assert trained[f"b{len(trained) // 2}"].shape[0] == 10
