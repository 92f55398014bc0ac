# %% [markdown]
# # Automatic differentiation
#
# Every framework of deep learning rests on one small machine. You write a program that computes a
# number; the machine hands you the derivative of that number with respect to everything that went
# in, exact to rounding and, for a function with one output, at the price of a few runs of your
# program. It is neither the symbolic differentiation of a calculus course (no formula is ever
# written down) nor finite differences (no step size, no cancellation). It is the chain rule,
# applied to the *running* program, one elementary operation at a time. The idea is old: Wengert
# (1964) for the forward mode, Linnainmaa (1970) for the reverse mode, which the field later met
# again as backpropagation. A. Griewank and A. Walther, *Evaluating Derivatives* (SIAM, 2008), is
# the book on it.
#
# In this assignment you build that machine from NumPy arrays, and then use it for what
# `loss.backward()` alone does not show: Jacobians, curvature, and training in less memory.
#
# | | you build | by tests | by a reader |
# |---|---|---|---|
# | 1 | forward mode: numbers that carry a derivative | 10 | |
# | 2 | the graph of a computation, and one walk back through it | 8 | |
# | 3 | operations on arrays, with broadcasting | 18 | |
# | 4 | a network that learns with your engine alone | 8 | |
# | 5 | Jacobians, by columns and by rows | 8 | 4 |
# | 6 | curvature without a Hessian | 8 | |
# | 7 | checkpoints: memory against time | 10 | 4 |
#
# **Rules**
#
# - Arrays are NumPy's, in `float64`. PyTorch serves to *check* your work; your own functions may
#   not use its autograd (`torch.autograd`, `torch.func`, `backward`).
# - Keep the names and the arguments of functions, classes and methods. You may add helpers and
#   cells of your own.
# - A function must not change the arrays that it is given.
#
# **How it is marked.** Hidden tests call your functions with fresh random inputs of many shapes.
# Questions 4 to 6 build on Questions 1 to 3. The two written answers are read by a person. The
# cells that begin with `@self_check` let you try your work as you go; they are easier than the
# hidden tests.

# %%
import numpy as np

# %% active="ipynb"
# import matplotlib.pyplot as plt
# import torch

# %% [markdown]
# Given: `self_check` runs a check at once and prints how it went. `slope` is the central difference
# along a direction, for comparing.


# %%
def self_check(check):
    """Run `check()` now and print how it went. Used as a decorator."""
    try:
        check()
    except NotImplementedError as missing:
        print(f"{check.__name__}: not implemented yet: {missing}")
    except Exception as e:
        print(f"{check.__name__}: NOT RIGHT YET: {type(e).__name__}: {e}")
    else:
        print(f"{check.__name__}: ok")


def slope(f, x, v, h=1e-5):
    """How fast f changes at x in the direction v: (f(x + h v) - f(x - h v)) / 2h."""
    return (f(x + h * v) - f(x - h * v)) / (2 * h)


# %% [markdown]
# ## Question 1 (10 points): forward mode
#
# Let every number carry, beside its **value** $a$, a **tangent** $\dot a$: how fast it changes when
# the inputs move. An elementary operation knows how to compute both. For a product $c = a\,b$,
#
# $$ c = a b, \qquad \dot c = \dot a\, b + a\, \dot b, $$
#
# and for a function $c = \varphi(a)$ of one variable $\dot c = \varphi'(a)\,\dot a$. Run a program
# on such *dual numbers*, with tangents $v$ on its inputs $x$, and what comes out carries
#
# $$ f(x) \quad\text{and}\quad J_f(x)\,v = \lim_{h \to 0} \frac{f(x + h v) - f(x)}{h} , $$
#
# the **Jacobian-vector product** (JVP): the derivative of $f$ in the direction $v$, in one run.
#
# Here values and tangents are arrays of the same shape, and operations work element by element,
# with NumPy's broadcasting; `@` is the product of two matrices, for which the product rule holds as
# it stands, in this order: $\dot C = \dot A B + A \dot B$.
#
# Write the methods. `as_dual` turns a constant into a dual number whose tangent is zero; the other
# operators are given in terms of yours. In `x ** n` the exponent is a constant number, which may be
# negative or a fraction (for $n = 0$ the derivative is zero).


# %%
def as_dual(x):
    """Return x if it is a Dual, else a constant: a Dual whose tangent is zero."""
    return x if isinstance(x, Dual) else Dual(x, np.zeros(np.shape(x)))


class Dual:
    """An array with the tangent that it carries, of the same shape."""

    __array_ufunc__ = None  # array * dual calls Dual.__rmul__, and not NumPy

    def __init__(self, value, tangent):
        """Hold two arrays of one shape, as float64."""
        self.value = np.asarray(value, dtype=np.float64)
        self.tangent = np.asarray(tangent, dtype=np.float64)

    def __add__(self, other):
        """Return self + other, a Dual; other may be a constant, as in all operators."""
        other = as_dual(other)
        # BEGIN SOLUTION
        return Dual(self.value + other.value, self.tangent + other.tangent)
        # END SOLUTION

    def __mul__(self, other):
        """Return self * other, element by element."""
        other = as_dual(other)
        # BEGIN SOLUTION
        tangent = self.tangent * other.value + self.value * other.tangent
        return Dual(self.value * other.value, tangent)
        # END SOLUTION

    def __pow__(self, n):
        """Return self ** n for a constant number n."""
        # BEGIN SOLUTION
        return Dual(self.value**n, n * self.value ** (n - 1) * self.tangent)
        # END SOLUTION

    def __matmul__(self, other):
        """Return the product of two matrices."""
        other = as_dual(other)
        # BEGIN SOLUTION
        tangent = self.tangent @ other.value + self.value @ other.tangent
        return Dual(self.value @ other.value, tangent)
        # END SOLUTION

    def exp(self):
        """Return e to the power of self."""
        # BEGIN SOLUTION
        value = np.exp(self.value)
        return Dual(value, value * self.tangent)
        # END SOLUTION

    def log(self):
        """Return the natural logarithm."""
        # BEGIN SOLUTION
        return Dual(np.log(self.value), self.tangent / self.value)
        # END SOLUTION

    def tanh(self):
        """Return the hyperbolic tangent, whose derivative is 1 - tanh²."""
        # BEGIN SOLUTION
        value = np.tanh(self.value)
        return Dual(value, (1 - value**2) * self.tangent)
        # END SOLUTION

    def sum(self):
        """Return the sum of all elements, a Dual of shape ()."""
        # BEGIN SOLUTION
        return Dual(self.value.sum(), self.tangent.sum())
        # END SOLUTION

    # Given, in terms of the methods above.

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + as_dual(other) * -1.0

    def __truediv__(self, other):
        return self * as_dual(other) ** -1.0

    def __radd__(self, other):
        return as_dual(other) + self

    def __rsub__(self, other):
        return as_dual(other) - self

    def __rmul__(self, other):
        return as_dual(other) * self

    def __rtruediv__(self, other):
        return as_dual(other) / self

    def __rmatmul__(self, other):
        return as_dual(other) @ self


# %%
def jvp(f, xs, vs):
    """Jacobian-vector product of f at xs in the direction vs.

    Args:
        f: takes as many Duals as there are xs; returns a Dual, or a constant that does not depend
            on them (a number or an array).
        xs: list of arrays, the inputs.
        vs: list of arrays of the same shapes, their tangents.

    Returns:
        (value, tangent): two arrays of the shape of f's result.
    """
    # BEGIN SOLUTION
    out = as_dual(f(*map(Dual, xs, vs)))
    return out.value, out.tangent
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_dual_numbers():
#     x, v = np.array([0.5, 1.0, 2.0]), np.array([1.0, -1.0, 0.5])
#     for name, f in {
#         "add": lambda x: x + 3.0 + x,
#         "mul": lambda x: 2.0 * x * x,
#         "pow": lambda x: x**3,
#         "exp": lambda x: np.exp(x) if isinstance(x, np.ndarray) else x.exp(),
#         "log": lambda x: np.log(x) if isinstance(x, np.ndarray) else x.log(),
#         "tanh": lambda x: np.tanh(x) if isinstance(x, np.ndarray) else x.tanh(),
#         "div": lambda x: 1.0 / x,
#     }.items():
#         value, tangent = jvp(f, [x], [v])
#         assert np.allclose(value, f(x)), f"the value of {name}"
#         assert np.allclose(tangent, slope(f, x, v), atol=1e-7), f"the tangent of {name}"
#
#
# @self_check
# def check_matrices():
#     a, v = np.random.randn(2, 2, 3)
#     b, w = np.random.randn(2, 3, 4)
#     value, tangent = jvp(lambda a, b: (a @ b).sum(), [a, b], [v, w])
#     assert np.isclose(value, (a @ b).sum()), "the value of @"
#     assert np.isclose(tangent, (v @ b + a @ w).sum()), "the tangent of @"

# %% [markdown]
# ## Question 2 (8 points): the graph, and one walk back
#
# Forward mode needs a run for each direction. A loss has a million inputs and *one* output: there
# it pays to walk the other way. For each variable $u$ of the computation let its **adjoint** be
#
# $$ \bar u = \frac{\partial L}{\partial u} , $$
#
# an array of the shape of $u$. The adjoint of the result is 1 (or whatever *seed* one starts with).
# If $c$ was computed from parents $a, b, \dots$, then $c$ passes on to each parent its own
# contribution, a linear function of $\bar c$: the **vector-Jacobian product** (VJP) of that
# operation. For $c = a\,b$ these are $\bar c\, b$ for $a$ and $\bar c\, a$ for $b$. A variable that
# was used several times receives several contributions, and they are **added**.
#
# So each variable remembers its parents and, for each of them, the function that turns $\bar c$
# into the contribution. That is all that the class `Var` does. Note one thing about it: the VJPs
# take and return `Var`s, and compute with the same operations. A gradient is then a computation
# like any other and can be differentiated again. You will need that in Question 6.


# %%
def as_var(x):
    """Return x if it is a Var, else a constant: a Var without parents."""
    return x if isinstance(x, Var) else Var(x)


class Var:
    """An array that remembers how it was computed.

    Attributes:
        value: the array, float64.
        parents: the Vars from which it was computed; none for an input or a constant.
        vjps: for each parent a function that maps the adjoint of this Var to that parent's
            contribution: from a Var of the shape of this one to a Var of the shape of the parent.
    """

    __array_ufunc__ = None  # array * var calls Var.__rmul__, and not NumPy

    def __init__(self, value, parents=(), vjps=()):
        self.value = np.asarray(value, dtype=np.float64)
        self.parents = tuple(parents)
        self.vjps = tuple(vjps)

    @property
    def shape(self):
        """The shape of the array."""
        return self.value.shape

    # `add` and `exp` are given below. You write `mul`, `power`, `matmul`, `log`, `tanh` and
    # `reduce_sum` in Question 3, and `softplus` in Question 4.

    def __add__(self, other):
        return add(self, as_var(other))

    def __mul__(self, other):
        return mul(self, as_var(other))

    def __pow__(self, n):
        return power(self, n)

    def __matmul__(self, other):
        return matmul(self, as_var(other))

    def exp(self):
        return exp(self)

    def log(self):
        return log(self)

    def tanh(self):
        return tanh(self)

    def softplus(self):
        return softplus(self)

    def sum(self, axis=None):
        return reduce_sum(self, axis)

    @property
    def T(self):
        return transpose(self)

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + as_var(other) * -1.0

    def __truediv__(self, other):
        return self * as_var(other) ** -1.0

    def __radd__(self, other):
        return as_var(other) + self

    def __rsub__(self, other):
        return as_var(other) - self

    def __rmul__(self, other):
        return as_var(other) * self

    def __rtruediv__(self, other):
        return as_var(other) / self

    def __rmatmul__(self, other):
        return as_var(other) @ self


# %% [markdown]
# Two operations are given, to show how one is written. `add` works with broadcasting: what comes
# back is summed to the shape of each parent, by your `sum_to` of Question 3. As long as all shapes
# are equal, `unbroadcast` does without it.


# %%
def unbroadcast(g, shape):
    """Bring an adjoint back to the shape of a parent that may have been broadcast."""
    return g if g.shape == shape else sum_to(g, shape)


def add(a, b):
    """a + b, with broadcasting."""
    return Var(
        a.value + b.value,
        [a, b],
        [lambda g: unbroadcast(g, a.shape), lambda g: unbroadcast(g, b.shape)],
    )


def exp(x):
    """e to the power of x, element by element."""
    out = Var(np.exp(x.value), [x], [lambda g: g * out])
    return out


# %% [markdown]
# A variable may pass its adjoint on only when it has received *all* contributions. So the graph is
# put into a **topological order**: every variable after its parents. Walked backwards, each one
# comes after everything that was computed from it. A recurrent network unrolled over many steps
# makes a graph that is tens of thousands of operations deep, where a recursive function runs into
# Python's limit: use a loop and a stack of your own. And visit each variable once: the number of
# *paths* through a graph can be astronomical.


# %%
def topological_order(root):
    """Sort everything that root was computed from.

    Args:
        root: a Var.

    Returns:
        list of Vars: root and all its ancestors (parents, parents of parents, …), each exactly
        once, every one after its own parents; root comes last. The graph may be very deep.
    """
    # BEGIN SOLUTION
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(parent, False) for parent in node.parents]
    return order
    # END SOLUTION


def gradients(root, inputs, seed=None):
    """Reverse mode: the adjoints of some inputs.

    Args:
        root: a Var, the result.
        inputs: list of Vars; some of them may not have been used for root.
        seed: the adjoint of root, an array or a Var of its shape; by default ones.

    Returns:
        list of Vars, the adjoint of each input, of its shape; zeros for an input that root does
        not depend on. No Var of the graph is changed.
    """
    # BEGIN SOLUTION
    adjoints = {root: as_var(np.ones(root.shape) if seed is None else seed)}
    for node in reversed(topological_order(root)):
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            part = vjp(adjoints[node])
            adjoints[parent] = adjoints[parent] + part if parent in adjoints else part
    return [adjoints[x] if x in adjoints else Var(np.zeros(x.shape)) for x in inputs]
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_topological_order():
#     a = Var(2.0)
#     b, c = Var(3.0, [a], [None]), Var(4.0, [a], [None])
#     d = Var(5.0, [b, c], [None, None])
#     order = topological_order(d)
#     assert len(order) == 4 and order[0] is a and order[-1] is d
#
#
# @self_check
# def check_gradients():
#     x = Var(3.0)
#     double = Var(6.0, [x], [lambda g: Var(2 * g.value)])  # 2 x
#     total = Var(9.0, [double, x], [lambda g: g, lambda g: g])  # 2 x + x
#     (found,) = gradients(total, [x])
#     assert found.value == 3.0, "two paths lead to x; what comes back along them is added"

# %% [markdown]
# ## Question 3 (18 points): operations on arrays
#
# What is the adjoint of broadcasting? `broadcast_to` copies an element to many places, so what
# comes back from these places is added up: its VJP is a sum, back to the shape that it came from.
# And the VJP of such a sum copies. The two are each other's adjoints:
#
# $$ y = \operatorname{broadcast}(x) \;\Rightarrow\; \bar x = \operatorname{sum\_to}(\bar y), \qquad
#    y = \operatorname{sum\_to}(x) \;\Rightarrow\; \bar x = \operatorname{broadcast}(\bar y). $$
#
# NumPy aligns shapes at the right and stretches axes of length 1. So $(4, 1)$ and $(3,)$ give
# $(4, 3)$, and to come back to $(3,)$ one sums over the first axis and lets it go; to come back to
# $(4, 1)$ one sums over the second and keeps it with length 1.
#
# Write each operation like `add` and `exp` above: the value by NumPy, the VJPs with `Var`s, so that
# they can be differentiated again. The check below looks at first derivatives only; the check of
# Question 6 looks at second ones. All arguments are Vars unless it says otherwise.


# %%
def broadcast_to(x, shape):
    """Stretch x to a larger shape, as np.broadcast_to does."""
    # BEGIN SOLUTION
    return Var(np.broadcast_to(x.value, shape), [x], [lambda g: sum_to(g, x.shape)])
    # END SOLUTION


def sum_to(x, shape):
    """Sum x to a shape that could be broadcast to x's: the adjoint of broadcast_to.

    Args:
        x: a Var.
        shape: tuple; np.broadcast_to(array of this shape, x.shape) would work.

    Returns:
        A Var of that shape: each element is the sum of those that it would be copied to.
    """
    # BEGIN SOLUTION
    extra = x.value.ndim - len(shape)
    stretched = [i + extra for i, n in enumerate(shape) if n == 1]
    value = x.value.sum(axis=(*range(extra), *stretched), keepdims=True)
    return Var(value.reshape(shape), [x], [lambda g: broadcast_to(g, x.shape)])
    # END SOLUTION


# %%
def mul(a, b):
    """a * b, element by element, with broadcasting."""
    # BEGIN SOLUTION
    return Var(
        a.value * b.value,
        [a, b],
        [lambda g: unbroadcast(g * b, a.shape), lambda g: unbroadcast(g * a, b.shape)],
    )
    # END SOLUTION


def power(x, n):
    """x ** n, element by element, for a constant number n."""
    # BEGIN SOLUTION
    return Var(x.value**n, [x], [lambda g: g * (n * x ** (n - 1))])
    # END SOLUTION


def log(x):
    """Natural logarithm, element by element."""
    # BEGIN SOLUTION
    return Var(np.log(x.value), [x], [lambda g: g / x])
    # END SOLUTION


def tanh(x):
    """Hyperbolic tangent, element by element."""
    # BEGIN SOLUTION
    out = Var(np.tanh(x.value), [x], [lambda g: g * (1.0 - out * out)])
    return out
    # END SOLUTION


# %% [markdown]
# For matrices, write one element of $C = A B$, $C_{ij} = \sum_k A_{ik} B_{kj}$, and find out which
# elements of $\bar C$ reach $A_{ik}$. `transpose` is given: its adjoint is itself.


# %%
def transpose(x):
    """Swap rows and columns of a matrix."""
    return Var(x.value.T, [x], [lambda g: transpose(g)])


def matmul(a, b):
    """The product of two matrices, (n, k) and (k, m)."""
    # BEGIN SOLUTION
    return Var(a.value @ b.value, [a, b], [lambda g: g @ b.T, lambda g: a.T @ g])
    # END SOLUTION


def reshape(x, shape):
    """The same elements in the same order, in another shape."""
    # BEGIN SOLUTION
    return Var(x.value.reshape(shape), [x], [lambda g: reshape(g, x.shape)])
    # END SOLUTION


def reduce_sum(x, axis=None):
    """Sum over one axis, which is then gone; over all of them if axis is None.

    Args:
        x: a Var.
        axis: a whole number, which may be negative, or None.

    Returns:
        A Var with one axis less; of shape () if axis is None.
    """
    # BEGIN SOLUTION
    kept = x.value.sum(axis=axis, keepdims=True).shape
    return Var(x.value.sum(axis=axis), [x], [lambda g: broadcast_to(reshape(g, kept), x.shape)])
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_operations():
#     for name, f, shapes in [
#         ("mul", lambda a, b: a * b, [(4, 1), (3,)]),
#         ("power", lambda a: a**3, [(3, 2)]),
#         ("tanh", lambda a: a.tanh(), [(3, 2)]),
#         ("log", lambda a: a.log(), [(3, 2)]),
#         ("matmul", lambda a, b: a @ b, [(2, 3), (3, 4)]),
#         ("sum", lambda a: a.sum(1), [(3, 2)]),
#     ]:
#         arrays = [np.random.rand(*shape) + 0.5 for shape in shapes]
#         inputs = [Var(array) for array in arrays]
#         out = f(*inputs)
#         seed = np.random.randn(*out.shape)
#         leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
#         expected = torch.autograd.grad(f(*leaves), leaves, torch.tensor(seed))
#         for yours, right in zip(gradients(out, inputs, seed), expected):
#             assert yours.shape == tuple(right.shape), f"{name}: shape {yours.shape}"
#             assert np.allclose(yours.value, right), name

# %% [markdown]
# ## Question 4 (8 points): a network that learns with your engine
#
# Two interlocking half moons: no straight line separates them. A network with one hidden layer
# does,
#
# $$ H = \tanh(X W_1 + b_1), \qquad z = H w_2 + b_2, \qquad
#    L = \frac{1}{N} \sum_{n=1}^{N} \log\left(1 + e^{-y_n z_n}\right), $$
#
# with labels $y_n \in \{-1, 1\}$. Mind the shapes: $H w_2 + b_2$ has shape $(N, 1)$, and $y$ has
# shape $(N,)$.
#
# The function $\operatorname{softplus}(x) = \log(1 + e^x)$ overflows if it is computed as it is
# written; `np.logaddexp` helps. Its derivative is the logistic function, which you can write with
# `tanh`:
#
# $$ \sigma(x) = \frac{1}{1 + e^{-x}} = \frac{1 + \tanh(x/2)}{2} . $$


# %%
def softplus(x):
    """log(1 + e^x), element by element; finite and right for any x."""
    # BEGIN SOLUTION
    return Var(np.logaddexp(0.0, x.value), [x], [lambda g: g * (0.5 * (1.0 + (0.5 * x).tanh()))])
    # END SOLUTION


def two_moons(n, rng):
    """Draw n points (n, 2) on two half moons, and their labels (n,), -1 or 1."""
    y = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    angle = rng.uniform(0, np.pi, n)
    x = np.stack([y * np.cos(angle) + 0.5 * (1 - y), y * np.sin(angle) + 0.25 * (1 - y)], axis=1)
    return x + 0.15 * rng.standard_normal((n, 2)), y


def new_network(hidden, rng):
    """Draw parameters: a dict of arrays w1 (2, H), b1 (H,), w2 (H, 1), b2 (1,)."""
    return {
        "w1": rng.standard_normal((2, hidden)),
        "b1": rng.standard_normal(hidden),
        "w2": rng.standard_normal((hidden, 1)) / np.sqrt(hidden),
        "b2": np.zeros(1),
    }


# %%
def network_loss(params, x, y):
    """The loss L of the network, built from your operations.

    Args:
        params: dict of Vars with the keys and shapes of new_network.
        x: (N, 2) array.
        y: (N,) array of -1 and 1.

    Returns:
        A Var of shape (): the mean over the N examples.
    """
    # BEGIN SOLUTION
    hidden = (x @ params["w1"] + params["b1"]).tanh()
    scores = hidden @ params["w2"] + params["b2"]
    return (scores * -y[:, None]).softplus().sum() / len(y)
    # END SOLUTION


def train(params, x, y, steps, lr):
    """Plain gradient descent on all examples at once.

    Args:
        params: dict of arrays as from new_network; they keep their values.
        x, y: as above.
        steps: how many steps.
        lr: learning rate; each step subtracts lr times the gradient.

    Returns:
        (params, losses): a new dict of arrays; and a list of `steps` floats, the loss before each
        step.
    """
    # BEGIN SOLUTION
    losses = []
    for _ in range(steps):
        leaves = {name: Var(value) for name, value in params.items()}
        loss = network_loss(leaves, x, y)
        grads = gradients(loss, list(leaves.values()))
        params = {
            name: value - lr * grad.value
            for (name, value), grad in zip(params.items(), grads, strict=True)
        }
        losses.append(float(loss.value))
    return params, losses
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_softplus():
#     x = Var(np.array([-1000.0, 0.0, 1000.0]))
#     y = softplus(x)
#     assert np.allclose(y.value, [0, np.log(2), 1000])
#     assert np.allclose(gradients(y, [x])[0].value, [0, 0.5, 1])
#
#
# @self_check
# def check_network_loss():
#     rng = np.random.default_rng()
#     params, x = new_network(3, rng), rng.standard_normal((4, 2))
#     y = np.array([1.0, -1.0, -1.0, -1.0])
#     loss = network_loss({name: Var(value) for name, value in params.items()}, x, y)
#     z = np.tanh(x @ params["w1"] + params["b1"]) @ params["w2"] + params["b2"]
#     expected = np.mean([np.log(1 + np.exp(-y[n] * z[n, 0])) for n in range(4)])
#     assert loss.shape == () and np.isclose(loss.value, expected), (
#         "the mean over the examples; mind the shape of z"
#     )
#
#
# @self_check
# def show_what_is_learned():
#     rng = np.random.default_rng()
#     moons, labels = two_moons(200, rng)
#     trained, losses = train(new_network(16, rng), moons, labels, steps=400, lr=1.0)
#     side = np.linspace(-2, 3, 120)
#     plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
#     height = np.tanh(plane @ trained["w1"] + trained["b1"]) @ trained["w2"] + trained["b2"]
#     figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
#     left.plot(losses)
#     left.set(xlabel="step", ylabel="loss", yscale="log")
#     right.contourf(side, side, height.reshape(120, 120), [-1e9, 0, 1e9], colors=["C0", "C1"],
#                    alpha=0.25)
#     right.scatter(*moons.T, c=np.where(labels > 0, "C1", "C0"), s=9)
#     right.set(title="what your engine has learned", xlim=(-2, 3), ylim=(-1.5, 2))
#     plt.show()

# %% [markdown]
# ## Question 5 (8 points + 4 written): Jacobians
#
# For $f: \mathbb{R}^n \to \mathbb{R}^m$ the Jacobian has $m$ rows and $n$ columns,
# $J_{ij} = \partial f_i / \partial x_j$. A JVP with the unit vector $e_j$ gives column $j$; a VJP
# with the unit vector $e_i$ as its seed gives row $i$. For arrays of any shape the Jacobian has the
# shape of the output followed by that of the input: `jacobian[i, j, k]` is the derivative of output
# `i` by input `j, k` if the output is a vector and the input a matrix.
#
# The functions $f$ here use only what `Dual` and `Var` have in common: `+ - * / **`, `@` of two
# matrices, `exp`, `log`, `tanh` and `sum()`.


# %%
def jacobian_forward(f, x):
    """The Jacobian of f at x, column by column, in forward mode: f runs once for each column.

    Args:
        f: maps a Dual of x's shape to a Dual.
        x: an array of any shape, with at least one element.

    Returns:
        Array of shape (*shape of f's result, *shape of x).
    """
    # BEGIN SOLUTION
    columns = []
    for unit in np.eye(x.size):
        _, tangent = jvp(f, [x], [unit.reshape(x.shape)])
        columns.append(tangent)
    return np.stack(columns, axis=-1).reshape(columns[0].shape + x.shape)
    # END SOLUTION


def jacobian_reverse(f, x):
    """The Jacobian of f at x, row by row, in reverse mode: f runs once, the walk back for each row.

    Args:
        f: maps a Var of x's shape to a Var.
        x: an array of any shape.

    Returns:
        Array of shape (*shape of f's result, *shape of x).
    """
    # BEGIN SOLUTION
    leaf = Var(x)
    out = f(leaf)
    rows = []
    for unit in np.eye(out.value.size):
        (row,) = gradients(out, [leaf], unit.reshape(out.shape))
        rows.append(row.value)
    return np.stack(rows).reshape(out.shape + leaf.shape)
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_jacobians():
#     w, x = np.random.randn(4, 3), np.random.randn(3, 2)
#
#     def f(x):
#         return (w @ x).tanh()
#
#     expected = np.einsum("aj,ab,bk->abjk", w, 1 - np.tanh(w @ x) ** 2, np.eye(2))
#     assert np.allclose(jacobian_forward(f, x), expected), "forward"
#     assert np.allclose(jacobian_reverse(f, x), expected), "reverse"

# %% [markdown]
# **Written, 4 points.** In five to ten sentences: (a) A function has $n$ inputs and $m$ outputs and
# costs one unit to run. Roughly what does its Jacobian cost with either of your functions, in runs
# and in memory, and when do you take which? (b) Why is reverse mode the one for training networks,
# and what is its price? Name one use in deep learning for which forward mode is the better one.

# %% [markdown]
# **Answer q5.**
#
# <!-- BEGIN SOLUTION -->
# (a) A run with dual numbers costs a small constant (two to three) times a plain run, and gives one
# column: the Jacobian costs about $n$ runs. It keeps nothing: a tangent lives as long as its value,
# so memory is about twice that of a plain run. A walk back costs a small constant times a plain
# run, too, and gives one row: about $m$ walks, after a single run forward. But the run must keep
# every intermediate value until it has been used on the way back, so that memory grows with the
# length of the computation. So forward for few inputs and many outputs ($n \ll m$), reverse for
# many inputs and few outputs ($m \ll n$); for about as many, forward is cheaper by its constants.
#
# (b) A loss is one number, and the parameters are millions: $m = 1$, so one walk back gives the
# whole gradient for the price of a few runs, where forward mode would need a run for every
# parameter. The price is memory: all activations are kept (Question 7 trades some of it back).
# Forward mode is better where one direction is all that is asked: the derivative of a network by
# time in a physics-informed network, a Hessian-vector product as a JVP of the gradient, the
# sensitivity of everything to a single hyperparameter.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 6 (8 points): curvature without a Hessian
#
# The Hessian $\nabla^2 f$ of a network with a million parameters has $10^{12}$ entries. Its product
# with a vector costs hardly more than a gradient, since
#
# $$ \nabla^2 f(x)\, v = \nabla \left( \nabla f(x)^\top v \right) \qquad (v \text{ constant}) $$
#
# (Pearlmutter, 1994): take the gradient, multiply it by $v$, element by element, sum, and
# differentiate the result. That is why the VJPs of Question 3 return `Var`s.
#
# With that product, the eigenvalue of largest absolute value follows by **power iteration**: from a
# start vector $v_0$, repeat
#
# $$ v_{t+1} = \frac{H v_t}{\lVert H v_t \rVert}, \qquad \lambda = v^\top H v
#    \;\text{ for the last, normalised } v . $$
#
# What is it good for? On a convex quadratic function (one with a minimum) gradient descent
# converges from every start if and only if its learning rate is positive and below
# $2/\lambda_{\max}$. The plot below shows it.


# %%
def hvp(f, x, v):
    """Hessian-vector product of a scalar function, without the Hessian; f runs once.

    Args:
        f: maps a Var of x's shape to a Var of shape ().
        x: array of any shape.
        v: array of the same shape.

    Returns:
        Array of the same shape: the Hessian of f at x times v.
    """
    # BEGIN SOLUTION
    leaf = Var(x)
    (gradient,) = gradients(f(leaf), [leaf])
    (product,) = gradients((gradient * v).sum(), [leaf])
    return product.value
    # END SOLUTION


def largest_curvature(f, x, start, steps):
    """The eigenvalue of f's Hessian at x of largest absolute value, by power iteration.

    Args:
        f, x: as above.
        start: array of x's shape, not zero; it need not be normalised.
        steps: how often v is multiplied by the Hessian and normalised, at least 1.

    Returns:
        A float, v^T H v for the normalised v after these steps (with its sign); 0.0 if the Hessian
        maps v to zero on the way.
    """
    # BEGIN SOLUTION
    v = start
    for _ in range(steps):
        product = hvp(f, x, v)
        size = np.linalg.norm(product)
        if size == 0:
            return 0.0
        v = product / size
    return float((v * hvp(f, x, v)).sum())
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_hvp():
#     a = np.array([[3.0, 1.0], [1.0, 2.0]])
#     x, v = np.array([[1.0], [2.0]]), np.array([[1.0], [-1.0]])
#
#     def f(x):
#         return 0.5 * (x * (a @ x)).sum()
#
#     assert np.allclose(hvp(f, x, v), a @ v), "the Hessian of a quadratic form is its matrix"
#     assert np.isclose(largest_curvature(f, x, v, 50), np.linalg.eigvalsh(a)[-1])
#
#
# @self_check
# def check_sign_of_curvature():
#     a = np.array([[-3.0, 1.0], [1.0, 2.0]])
#     x, start = np.array([[1.0], [2.0]]), np.array([[1.0], [-1.0]])
#     found = largest_curvature(lambda x: 0.5 * (x * (a @ x)).sum(), x, start, 50)
#     assert np.isclose(found, np.linalg.eigvalsh(a)[0]), "of largest absolute value, with its sign"
#
#
# @self_check
# def check_second_derivatives():
#     for name, f in {
#         "mul": lambda x: (x * x * x).sum(),
#         "power": lambda x: (x**-0.5).sum(),
#         "exp": lambda x: x.exp().sum(),
#         "log": lambda x: x.log().sum(),
#         "tanh": lambda x: x.tanh().sum(),
#         "softplus": lambda x: x.softplus().sum(),
#         "matmul": lambda x: (x.T @ x).tanh().sum(),
#         "sum": lambda x: (x.sum(-2) ** 3).sum(),
#         "broadcasting": lambda x: (x * x * x.sum(0)).sum(),
#     }.items():
#
#         def gradient(x):
#             leaf = Var(x)
#             return gradients(f(leaf), [leaf])[0].value
#
#         x, v = 0.5 + 0.5 * np.random.rand(3, 2), np.random.randn(3, 2)
#         right = np.allclose(hvp(f, x, v), slope(gradient, x, v), atol=1e-6)
#         assert right, f"the second derivative of {name}"
#
#
# @self_check
# def show_learning_rates():
#     rng = np.random.default_rng(0)
#     points = rng.standard_normal((60, 2)) * [3.0, 0.5]
#
#     def bowl(w):
#         return ((points @ w) ** 2.0).sum() / 60
#
#     curvature = largest_curvature(bowl, np.zeros((2, 1)), np.ones((2, 1)), 100)
#     assert curvature > 0, f"a bowl is curved upwards, but its largest curvature is {curvature}"
#     limit = 2 / curvature
#     for factor in (0.9, 0.99, 1.01):
#         w, heights = np.array([[1.0], [1.0]]), []
#         for _ in range(60):
#             leaf = Var(w)
#             height = bowl(leaf)
#             heights.append(float(height.value))
#             w = w - factor * limit * gradients(height, [leaf])[0].value
#         plt.semilogy(heights, label=f"{factor} · 2/λ")
#     plt.xlabel("step")
#     plt.ylabel("loss")
#     plt.title("the learning rate and the largest curvature")
#     plt.legend()
#     plt.show()

# %% [markdown]
# ## Question 7 (10 points + 4 written): checkpoints
#
# A chain of $n$ layers, $x_{i+1} = \text{layer}_i(x_i)$. The walk back through layer $i$ needs its
# input $x_i$, so a plain reverse mode keeps all $n$ of them. **Checkpointing** keeps only every
# $k$-th, $x_0, x_k, x_{2k}, \dots$, lets the others go, and computes those of a segment anew from
# its checkpoint when the walk back arrives there. A layer's forward function runs at most twice,
# and only about $n/k + k$ inputs are alive at a time.
#
# A layer here is any object with two methods:
#
# - `layer.forward(x)` returns the layer's output for the input `x`;
# - `layer.backward(x, grad)` returns the gradient by its input, from that *input* `x` and the
#   gradient `grad` by its output.
#
# What the layers pass to each other can be any object: only hand it on, and drop it in time (a list
# that still holds it keeps it alive). In particular, hold no more than
# $\lceil n/k \rceil + k + 2$ inputs and outputs of layers at any time, the input `x` of the whole
# chain and its output among them. Gradients don't count. No layer runs forward more than twice, and
# the last layer of each segment only once, since nobody needs its output again. (The inputs of the
# last segment may be kept from the first pass, so that it runs only once; this is allowed, not
# required.)


# %%
def checkpointed_gradient(layers, x, grad_out, every):
    """Forward and backward through a chain of layers, keeping every `every`-th input.

    Args:
        layers: list of n layers, n >= 0.
        x: the input of the first.
        grad_out: the gradient by the output of the last.
        every: k >= 1; it may be larger than n.

    Returns:
        (out, grad): the output of the last layer, and the gradient by x. Without layers these are
        x and grad_out.
    """
    # BEGIN SOLUTION
    kept, out = {}, x
    for i, layer in enumerate(layers):
        if i % every == 0:
            kept[i] = out
        out = layer.forward(out)
    grad = grad_out
    for first in reversed(range(0, len(layers), every)):
        segment = layers[first : first + every]
        inputs = [kept.pop(first)]
        for layer in segment[:-1]:
            inputs.append(layer.forward(inputs[-1]))
        for layer in reversed(segment):
            grad = layer.backward(inputs.pop(), grad)
    return out, grad
    # END SOLUTION


# %% [markdown]
# Given, to see it: a layer $x \mapsto \tanh(a x)$ that counts how often it runs, and activations
# that count how many of them are alive.


# %%
class Activation:
    """A number that knows how many of its kind are alive, and how many there were at most."""

    alive = most = 0

    def __init__(self, value):
        self.value = value
        Activation.alive += 1
        Activation.most = max(Activation.most, Activation.alive)

    def __del__(self):
        Activation.alive -= 1


class TanhLayer:
    """x -> tanh(a x), for Activations."""

    runs = 0

    def __init__(self, a):
        self.a = a

    def forward(self, x):
        TanhLayer.runs += 1
        return Activation(np.tanh(self.a * x.value))

    def backward(self, x, grad):
        return grad * self.a * (1 - np.tanh(self.a * x.value) ** 2)


# %% active="ipynb"
# def measure(every, n=64):
#     """How many activations were alive at most, and how often layers ran forward."""
#     layers = [TanhLayer(a) for a in np.linspace(0.8, 1.3, n)]
#     Activation.alive = Activation.most = TanhLayer.runs = 0
#     _, grad = checkpointed_gradient(layers, Activation(0.3), 1.0, every)
#     segments = -(-n // every)
#     for what, count, limit in (
#         ("activations alive at a time", Activation.most, segments + every + 2),
#         ("runs of layers", TanhLayer.runs, 2 * n - segments),
#     ):
#         assert count <= limit, f"k = {every}: {count} {what}, where {limit} are enough"
#     return Activation.most, TanhLayer.runs, grad
#
#
# @self_check
# def show_checkpoints():
#     sizes = [1, 2, 4, 6, 8, 12, 16, 32, 64]
#     memory, runs, grads = zip(*map(measure, sizes))
#     assert np.allclose(grads, grads[0]), "the gradient must not depend on the checkpoints"
#     figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), sharex=True)
#     left.plot(sizes, memory, "o-", label="yours")
#     left.plot(sizes, [64 / k + k for k in sizes], ":", label="n/k + k")
#     left.set(xscale="log", xlabel="k: a checkpoint every k layers")
#     left.set(title="activations alive at most")
#     left.legend()
#     right.plot(sizes, runs, "o-")
#     right.set(title="layers run forward, of 64", xlabel="k", ylim=(0, 130))
#     plt.show()

# %% [markdown]
# **Written, 4 points.** (a) For which $k$ is $n/k + k$ smallest, how much memory is that, and what
# does it cost in time, compared with keeping everything? (b) A segment can be checkpointed itself,
# and so on: keep its input, compute its middle anew from it, and treat the two halves in the same
# way, the second first. How do memory and time then grow with $n$? (c) A layer with dropout draws
# random numbers. What goes wrong when it is run a second time, and how does one mend it?

# %% [markdown]
# **Answer q7.**
#
# <!-- BEGIN SOLUTION -->
# (a) The derivative $1 - n/k^2$ vanishes at $k = \sqrt n$; then about $2\sqrt n$ inputs are alive
# instead of $n$. All layers but the last of each segment run forward twice: nearly one forward pass
# more. If a backward pass costs as much as two forward passes, a step takes about $4/3$ of the
# time.
#
# (b) With halves of halves, one input is kept for each level of the recursion, and there are
# $\log_2 n$ levels: memory grows as $\log n$. On each level every layer is run once more, so time
# grows as $n \log n$. (Griewank's binomial schedule is the best for a given memory.)
#
# (c) The second run draws other numbers, so the inputs that it computes are not those of the first
# run: the mask in the backward pass differs from the one that made the output, and the gradient is
# that of no function that was ever evaluated. One keeps the state of the random number generator
# with each checkpoint and restores it before the second run (and puts the outer state back after
# it), as `torch.utils.checkpoint` does; or keeps the mask. Batch normalisation's running statistics
# must not be updated twice either.
# <!-- END SOLUTION -->

# %% [markdown] tags=["instructor"]
# **For instructors.** Questions 1, 2 and 7 stand alone; Question 3 is tested by the VJPs of each
# operation and not through `gradients`. What goes wrong most often: a product rule with one term,
# contributions that overwrite each other, an adjoint handed on before it is complete (a walk in the
# order of discovery), a recursive sort, `sum_to` that forgets axes of length 1, VJPs that compute
# with arrays (right once, and constant to the second derivative), and a chain that keeps its list.
