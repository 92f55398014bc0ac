"""The checks that you can run yourself: `grader check autodiff.ipynb`.

They look at small cases only. The tests that give marks use other inputs and look closer.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grader.suite.hints import hint


def square(x):
    """A function for numbers of any kind."""
    return (x * x).sum()


@pytest.mark.question("q1")
def test_jvp(student):
    """The derivative of the sum of squares at (1, 2) in the direction (1, 0) is 2."""
    value, tangent = student.jvp(square, [np.array([1.0, 2.0])], [np.array([1.0, 0.0])])
    assert float(value) == pytest.approx(5)
    assert float(tangent) == pytest.approx(2)


def length_of_order(topological_order, Var):
    """How many variables a diamond has in its order."""
    a = Var(1.0)
    b, c = Var(1.0, [a], [None]), Var(1.0, [a], [None])
    order = topological_order(Var(1.0, [b, c], [None, None]))
    return len(order), order[0] is a


@pytest.mark.question("q2")
def test_topological_order(student):
    """A diamond has four variables, and the one at its root comes first."""
    hint("Each variable once, after its parents.")
    assert student.run(length_of_order, student.topological_order, student.Var) == (4, True)


def gradients_of_product(gradients, Var, a, b):
    """The gradients of the sum of a * b, which may be broadcast."""
    a, b = Var(a), Var(b)
    return [g.value for g in gradients((a * b).sum(), [a, b])]


@pytest.mark.question("q3")
def test_product(student):
    """The gradient of a sum of products by one factor is the other, in its own shape."""
    hint("What was broadcast is summed back.")
    a, b = np.array([[1.0], [2.0]]), np.array([3.0, 4.0, 5.0])
    found = student.run(gradients_of_product, student.gradients, student.Var, a, b)
    assert_allclose(found[0], [[12.0], [12.0]])
    assert_allclose(found[1], [3.0, 3.0, 3.0])


@pytest.mark.question("q4")
def test_training_lowers_the_loss(student):
    """Ten steps bring the loss down."""
    x = np.array([[-1.0, 0.0], [1.0, 0.0], [-2.0, 1.0], [2.0, 1.0]])
    y = np.array([-1.0, 1.0, -1.0, 1.0])
    rng = np.random.default_rng(0)
    params = {
        "w1": rng.standard_normal((2, 3)),
        "b1": np.zeros(3),
        "w2": rng.standard_normal((3, 1)),
        "b2": np.zeros(1),
    }
    _, losses = student.train(params, x, y, 10, 0.1)
    assert len(losses) == 10
    assert losses[-1] < losses[0]


@pytest.mark.question("q5")
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobian(student, mode):
    """The Jacobian of the sum of squares at (1, 2) is (2, 4)."""
    found = student[f"jacobian_{mode}"](square, np.array([1.0, 2.0]))
    assert_allclose(found, [2.0, 4.0])


@pytest.mark.question("q6")
def test_hvp(student):
    """The Hessian of the sum of squares is twice the identity."""
    hint("Differentiate the gradient times v.")
    found = student.hvp(square, np.array([1.0, 2.0]), np.array([3.0, -1.0]))
    assert_allclose(found, [6.0, -2.0])


def double_twice(checkpointed_gradient):
    """Output and gradient of two layers that double a number."""

    class Double:
        def forward(self, x):
            return 2 * x

        def backward(self, x, grad):
            return 2 * grad

    return checkpointed_gradient([Double(), Double()], 1.0, 1.0, 1)


@pytest.mark.question("q7")
def test_checkpoints(student):
    """Two layers that double: the output is 4, and the gradient is 4."""
    assert student.run(double_twice, student.checkpointed_gradient) == (4.0, 4.0)
