"""Question 1: forward mode."""

import numpy as np
import pytest

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q1")


def draw(*shape):
    """Positive numbers, so that logarithms and roots exist; none of them near 1."""
    return np.random.uniform(0.2, 0.8, shape) + np.random.randint(0, 2, shape)


def apply(Dual, f, pairs):
    """Run f on dual numbers with these values and tangents: its value and its tangent."""
    out = f(*[Dual(value, tangent) for value, tangent in pairs])
    return out.value, out.tangent


def apply_twice(Dual, f, pairs):
    """The arrays of the arguments as they are after f was run."""
    duals = [Dual(value, tangent) for value, tangent in pairs]
    f(*duals)
    return [(dual.value, dual.tangent) for dual in duals]


def on_both(student, reference, f, pairs):
    return student.run(apply, student.Dual, f, pairs), apply(reference.Dual, f, pairs)


def add(a, b):
    return a + b


def mul(a, b):
    return a * b


def with_constants(a):
    return 2.5 - 3.0 * a + a * 0.5


def quotient(a, b):
    return a / b + 1.0 / b


def product(a, b):
    return a @ b


def with_constant_matrix(a):
    left = np.array([[1.0, -2.0], [0.5, 3.0], [1.5, 0.25]])
    return left @ a


def exp(a):
    return a.exp()


def log(a):
    return a.log()


def tanh(a):
    return a.tanh()


def total(a):
    return a.sum()


def program(a, b):
    """Several steps, in which one variable is used more than once."""
    c = a * b + a.exp()
    return (c.tanh() * c / b).sum()


def two_inputs(a, b):
    return a * b.exp()


def constant(a):
    return np.array([[1.0, 2.0, 3.0]])


@pytest.mark.points(2)
@pytest.mark.parametrize("f", [add, mul], ids=["sum", "product"])
def test_arithmetic(student, reference, close, f):
    """Sums and products of dual numbers have the right values and tangents, with broadcasting."""
    hint("The product rule has two terms: each factor's tangent, times the other factor.")
    for shapes in ([(3, 4), (3, 4)], [(3, 1), (4,)], [(2,), ()]):
        pairs = [(draw(*shape), np.random.randn(*shape)) for shape in shapes]
        (value, tangent), (right, slope) = on_both(student, reference, f, pairs)
        close(value, right)
        close(tangent, slope)


@pytest.mark.points(1)
@pytest.mark.parametrize("f", [with_constants, quotient])
def test_constants_and_quotients(student, reference, close, f):
    """Constants have the tangent zero, and quotients come from products and powers."""
    hint("Differentiate x ** n for n = -1.")
    pairs = [(draw(5), np.random.randn(5)) for _ in range(2 if f is quotient else 1)]
    (value, tangent), (right, slope) = on_both(student, reference, f, pairs)
    close(value, right)
    close(tangent, slope)


def power(n):
    return {3: cube, 0.5: root, -2: inverse_square}[n]


def cube(a):
    return a**3


def root(a):
    return a**0.5


def inverse_square(a):
    return a**-2.0


@pytest.mark.points(1)
@pytest.mark.parametrize("n", [3, 0.5, -2])
def test_powers(student, close, n):
    """x ** n has the tangent n x ** (n - 1), for whole, fractional and negative n."""
    a, v = draw(4, 2), np.random.randn(4, 2)
    value, tangent = student.run(apply, student.Dual, power(n), [(a, v)])
    close(value, a**n)
    close(tangent, n * a ** (n - 1) * v)


@pytest.mark.points(2)
@pytest.mark.parametrize("f", [product, with_constant_matrix])
def test_matrix_products(student, reference, close, f):
    """The product rule of matrices keeps their order; it holds for a constant factor, too."""
    hint("Matrices do not commute: Ȧ B + A Ḃ.")
    shapes = [(3, 2), (2, 4)] if f is product else [(2, 4)]
    pairs = [(draw(*shape), np.random.randn(*shape)) for shape in shapes]
    (value, tangent), (right, slope) = on_both(student, reference, f, pairs)
    close(value, right)
    close(tangent, slope)


@pytest.mark.points(2)
@pytest.mark.parametrize("f", [exp, log, tanh, total])
def test_functions(student, reference, close, f):
    """exp, log, tanh and sum have the right values and tangents."""
    hint("φ'(a) times the tangent of a. What is φ' of each?")
    a, v = draw(2, 3), np.random.randn(2, 3)
    (value, tangent), (right, slope) = on_both(student, reference, f, [(a, v)])
    close(value, right)
    close(tangent, slope)


@pytest.mark.points(1)
@pytest.mark.parametrize("f", [two_inputs, constant])
def test_jvp(student, reference, close, f):
    """jvp seeds every input with its tangent; what does not depend on them has the tangent zero."""
    hint("What if f returns a plain number or array? as_dual knows.")
    count = 2 if f is two_inputs else 1
    xs, vs = ([np.random.randn(1, 3) for _ in range(count)] for _ in range(2))
    value, tangent = student.jvp(f, xs, vs)
    right, slope = reference.jvp(f, xs, vs)
    close(value, right)
    close(tangent, slope)


@pytest.mark.points(1)
def test_a_program_of_several_steps(student, reference, close):
    """A program that uses a variable several times has the right derivative; inputs stay."""
    pairs = [(draw(3, 2), np.random.randn(3, 2)) for _ in range(2)]
    (value, tangent), (right, slope) = on_both(student, reference, program, pairs)
    close(value, right)
    close(tangent, slope)
    after = student.run(apply_twice, student.Dual, program, pairs)
    for (now, speed), (before, v) in zip(after, pairs, strict=True):
        close(now, before, rtol=0, atol=0)
        close(speed, v, rtol=0, atol=0)
