# %% [markdown]
# # Multilayer perceptrons and backpropagation
#
# Every network you will train in this course, up to the largest, learns by the same two moves:
# compute a loss from the inputs, then walk the same computation backwards to find out how each
# parameter should change. Frameworks do the second move for you. In this assignment you do it
# yourself, once, so that it never is magic again.
#
# You start with the chain rule on five numbers and end with a network that reads handwritten
# digits. Every line between the two is yours:
#
# | | you build | by tests | by a reader |
# |---|---|---|---|
# | 1 | the chain rule on a graph, and a gradient checker | 6 | |
# | 2 | a linear layer, forward and backward | 7 | |
# | 3 | ReLU, forward and backward | 4 | |
# | 4 | softmax and cross-entropy that survive large numbers | 7 | 4 |
# | 5 | initialisation that keeps a signal alive | 6 | 4 |
# | 6 | a multilayer perceptron of any depth | 9 | |
# | 7 | gradient descent with momentum | 5 | |
# | 8 | a training loop, and digits it has never seen | 8 | |
#
# **Rules**
#
# - Use PyTorch's tensors as you would use numpy's arrays: indexing, broadcasting, `@`, `sum`,
#   `exp` and so on. Autograd (`backward`, `torch.autograd`, `torch.func`), `torch.nn`,
#   `torch.optim` and ready-made softmaxes (`torch.softmax`, `torch.log_softmax`,
#   `torch.logsumexp`) are what you are building here, so your answers may not use them. The
#   cells that check your work do.
# - Keep the names and the arguments of the functions. You may add helpers and cells of your own.
# - A function must not change the tensors it is given, unless its text says so.
# - Work in the precision you are given: `float64` in, `float64` out.
#
# **How it is marked.** Hidden tests call your functions with fresh random inputs of many shapes.
# How you wrote a function is up to you, within the rules. Questions 6 and 8 build on those before
# them. The two written answers are read by a person. The cells that begin with `@self_check` let
# you try your work as you go: they say what holds and what does not yet. They are easier than the
# hidden tests, and so are the public tests that came with this notebook.

# %%
import itertools
import math

import numpy as np
import torch

# %% active="ipynb"
# import matplotlib.pyplot as plt

# %% [markdown]
# Two helpers, given. `self_check` runs a check at once and prints how it went. `autograd_gradients`
# asks PyTorch for gradients, so that you can compare yours with them.


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


def autograd_gradients(function, *inputs):
    """Return the gradients of the scalar function(*inputs) with respect to each input."""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in inputs]
    return torch.autograd.grad(function(*leaves), leaves)


# %% [markdown]
# ## Question 1 (6 points): the chain rule on a graph
#
# A single neuron with a squared loss and weight decay is a graph of five numbers:
#
# $$ z = w x + b, \qquad a = \sigma(z) = \frac{1}{1 + e^{-z}}, \qquad
#    L = (a - t)^2 + \lambda w^2 . $$
#
# To differentiate $L$, walk the graph backwards. Each node receives
# $\frac{\partial L}{\partial\,\text{output}}$ from above, multiplies it by its local derivative and
# passes the product on. Where a variable feeds **several** nodes, what comes back along those
# paths is **added**: that is all there is to backpropagation. (It helps to know that
# $\sigma'(z) = \sigma(z)\,(1 - \sigma(z))$.)


# %%
def neuron(w, b, x, t, lam):
    """Loss of one sigmoid neuron with weight decay, and its gradients by hand.

    Args:
        w, b, x, t, lam: Python floats: weight, bias, input, target, strength of the decay.

    Returns:
        (loss, grads): the loss as a float; grads is a dict of floats with the keys
        "w", "b" and "x", the derivatives of the loss.
    """
    # BEGIN SOLUTION
    z = w * x + b
    a = 1 / (1 + math.exp(-z))
    loss = (a - t) ** 2 + lam * w**2
    grad_z = 2 * (a - t) * a * (1 - a)
    return loss, {"w": grad_z * x + 2 * lam * w, "b": grad_z, "x": grad_z * w}
    # END SOLUTION


# %% [markdown]
# How do you know that a gradient is right? Ask the definition. For a function $f$ of a tensor
# $\mathbf{x}$, the **central difference**
#
# $$ \frac{\partial f}{\partial x_i} \approx
#    \frac{f(\mathbf{x} + h\,\mathbf{e}_i) - f(\mathbf{x} - h\,\mathbf{e}_i)}{2h} $$
#
# has an error of order $h^2$ (the one-sided difference: of order $h$). It costs two evaluations
# for each element, far too slow for training and just right for checking.


# %%
def numerical_gradient(f, x, h=1e-5):
    """Gradient of f at x by central differences.

    Args:
        f: takes a tensor of the shape of x, returns a scalar (a float or a 0-d tensor).
        x: tensor of any shape, float64. It must hold the same values afterwards.
        h: the step.

    Returns:
        Tensor of the shape of x: the derivative of f with respect to each element.
    """
    # BEGIN SOLUTION
    grad = torch.zeros_like(x)
    for index in np.ndindex(*x.shape):
        step = torch.zeros_like(x)
        step[index] = h
        grad[index] = (f(x + step) - f(x - step)) / (2 * h)
    return grad
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_neuron():
#     loss, grads = neuron(w=0.5, b=-1.0, x=2.0, t=1.0, lam=0.1)
#     assert abs(loss - 0.275) < 1e-9, "the loss of this neuron is 0.275"
#     for name in ("w", "b", "x"):
#         at = dict(w=0.5, b=-1.0, x=2.0)
#         up, _ = neuron(**{**at, name: at[name] + 1e-6}, t=1.0, lam=0.1)
#         down, _ = neuron(**{**at, name: at[name] - 1e-6}, t=1.0, lam=0.1)
#         assert abs(grads[name] - (up - down) / 2e-6) < 1e-6, f"the derivative by {name}"
#
#
# @self_check
# def check_numerical_gradient():
#     x = torch.rand(2, 3, dtype=torch.float64)
#     torch.testing.assert_close(
#         numerical_gradient(lambda x: x.sin().sum(), x), x.cos(), atol=1e-8, rtol=0
#     )

# %% [markdown]
# ## Question 2 (7 points): a linear layer
#
# For a batch $X \in \mathbb{R}^{N \times D}$, one example per row, weights
# $W \in \mathbb{R}^{D \times M}$ and biases $\mathbf{b} \in \mathbb{R}^{M}$, the layer computes
#
# $$ Y = X W + \mathbf{1}\,\mathbf{b}^\top, \qquad Y_{nm} = \sum_d X_{nd} W_{dm} + b_m . $$
#
# From here on, layers come in pairs. The forward function returns its output and a **cache**: what
# its backward function will need, in any form you like. The backward function receives the
# upstream gradient $G = \partial L / \partial Y$, of the shape of $Y$, and returns the gradient
# with respect to each input. Write one element of each with the chain rule, for instance
#
# $$ \frac{\partial L}{\partial W_{dm}}
#    = \sum_{n} \frac{\partial L}{\partial Y_{nm}} \frac{\partial Y_{nm}}{\partial W_{dm}} , $$
#
# and then find the matrix product that computes them all. Every gradient has the shape of the
# tensor it belongs to; let that guide you, and do not let it convince you.


# %%
def linear_forward(x, w, b):
    """Apply a linear layer to a batch.

    Args:
        x: (N, D) inputs.
        w: (D, M) weights.
        b: (M,) biases.

    Returns:
        (out, cache): out is (N, M); cache is what linear_backward needs.
    """
    # BEGIN SOLUTION
    return x @ w + b, (x, w)
    # END SOLUTION


def linear_backward(grad_out, cache):
    """Backward pass of linear_forward.

    Args:
        grad_out: (N, M) gradient of the loss with respect to the layer's output.
        cache: from the forward call that this backward call belongs to.

    Returns:
        (grad_x, grad_w, grad_b) of shapes (N, D), (D, M), (M,).
    """
    # BEGIN SOLUTION
    x, w = cache
    return grad_out @ w.T, x.T @ grad_out, grad_out.sum(dim=0)
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_linear():
#     x, w, b, grad_out = (
#         torch.randn(shape, dtype=torch.float64) for shape in [(5, 3), (3, 4), (4,), (5, 4)]
#     )
#     out, cache = linear_forward(x, w, b)
#     torch.testing.assert_close(out, torch.einsum("nd,dm->nm", x, w) + b)
#     expected = autograd_gradients(
#         lambda x, w, b: (torch.nn.functional.linear(x, w.T, b) * grad_out).sum(), x, w, b
#     )
#     for name, yours, right in zip(
#         ["grad_x", "grad_w", "grad_b"], linear_backward(grad_out, cache), expected
#     ):
#         torch.testing.assert_close(yours, right, msg=lambda text: f"{name}: {text}")

# %% [markdown]
# ## Question 3 (4 points): ReLU
#
# Without something nonlinear between them, a stack of linear layers is one linear layer. The
# rectifier does this with very little:
#
# $$ \operatorname{relu}(x) = \max(0, x), \qquad
#    \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} \cdot
#    \begin{cases} 1 & x > 0 \\ 0 & x \le 0 \end{cases} $$
#
# At $x = 0$ there is no derivative; like everyone else, we take zero.


# %%
def relu_forward(x):
    """Rectify each element.

    Args:
        x: tensor of any shape.

    Returns:
        (out, cache): out has the shape of x; cache is what relu_backward needs.
    """
    # BEGIN SOLUTION
    return x.clamp(min=0), x
    # END SOLUTION


def relu_backward(grad_out, cache):
    """Backward pass of relu_forward.

    Args:
        grad_out: gradient of the loss with respect to the output, of its shape.
        cache: from the forward call that this backward call belongs to.

    Returns:
        Gradient with respect to the input, of the same shape.
    """
    # BEGIN SOLUTION
    return grad_out * (cache > 0)
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_relu():
#     x, grad_out = torch.randn(4, 3), torch.randn(4, 3)
#     out, cache = relu_forward(x)
#     torch.testing.assert_close(out, torch.nn.functional.relu(x))
#     (expected,) = autograd_gradients(lambda x: (x.relu() * grad_out).sum(), x)
#     torch.testing.assert_close(relu_backward(grad_out, cache), expected)

# %% [markdown]
# ## Question 4 (11 points): softmax and cross-entropy
#
# The network's last layer gives $C$ numbers for each example, the *logits* $z_{n1}, \dots, z_{nC}$.
# Softmax turns them into probabilities, and the loss is the average surprise at the right class
# $y_n$:
#
# $$ \log p_{nc} = z_{nc} - \log \sum_{k} e^{z_{nk}}, \qquad
#    L = -\frac{1}{N} \sum_{n} \log p_{n y_n} . $$
#
# Written like this it does not survive contact with a real network: $e^{z}$ overflows `float32`
# above $z \approx 88.7$, and $\log 0$ waits on the other side. Use the identity
#
# $$ \log \sum_k e^{z_k} = m + \log \sum_k e^{z_k - m} \quad \text{for every } m $$
#
# with a wise choice of $m$, and stay with logarithms of probabilities from beginning to end.
#
# Then derive $\partial L / \partial z_{nc}$ on paper. It is one of the most pleasant results of the
# field: short, without a single logarithm.


# %%
def log_softmax(logits):
    """Logarithms of the softmax probabilities of each row, for logits of any size.

    Args:
        logits: (N, C).

    Returns:
        (N, C): log p, finite wherever the logits are.
    """
    # BEGIN SOLUTION
    shifted = logits - logits.max(dim=1, keepdim=True).values
    return shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    # END SOLUTION


def softmax_cross_entropy(logits, targets):
    """Mean cross-entropy of a batch, and its gradient.

    Args:
        logits: (N, C).
        targets: (N,) integers from 0 to C - 1, the right classes.

    Returns:
        (loss, grad_logits): a scalar, the mean over the batch; and its gradient, (N, C).
    """
    # BEGIN SOLUTION
    rows = torch.arange(len(targets))
    log_p = log_softmax(logits)
    grad = log_p.exp()
    grad[rows, targets] -= 1
    return -log_p[rows, targets].mean(), grad / len(targets)
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_softmax_cross_entropy():
#     logits, targets = torch.randn(6, 4, dtype=torch.float64), torch.randint(4, (6,))
#     loss, grad = softmax_cross_entropy(logits, targets)
#     right = torch.nn.functional.cross_entropy(logits, targets)
#     torch.testing.assert_close(torch.as_tensor(loss, dtype=torch.float64), right)
#     (expected,) = autograd_gradients(
#         lambda logits: torch.nn.functional.cross_entropy(logits, targets), logits
#     )
#     torch.testing.assert_close(grad, expected)
#     assert log_softmax(torch.tensor([[0.0, 1000.0]])).isfinite().all(), "too large for exp"

# %% [markdown]
# **Written, 4 points.** Answer in the cell below, in five to ten sentences.
#
# 1. Which choice of $m$ is safe for *all* logits, and why can neither an overflow nor the logarithm
#    of zero happen with it? Name what happens to the terms that underflow.
# 2. A classmate computes `p = softmax(z)` with that same $m$ and then `-log(p[y])`. Find logits of
#    two classes for which this fails in `float32` although the softmax itself is fine, and say what
#    it does to the loss and to training.

# %% [markdown]
# **Answer q4.**
#
# <!-- BEGIN SOLUTION -->
# 1. Take $m = \max_k z_k$. The identity holds for every $m$, since
# $\sum_k e^{z_k} = e^{m} \sum_k e^{z_k - m}$. With the maximum, all exponents $z_k - m$ are at most
# zero, so every term lies in $[0, 1]$ and the sum is at most $C$: nothing overflows. The largest
# term is exactly $e^0 = 1$, so the sum is at least 1 and its logarithm at least 0: there is no
# $\log 0$. Terms far below the maximum underflow to zero, which is harmless: next to a sum of at
# least 1 they are smaller than the rounding error.
#
# 2. With $z = (0, 200)$ and $y = 0$ the softmax is $(e^{-200}, 1)$, whose first entry is below the
# smallest `float32` and becomes exactly 0. Then $-\log 0 = \infty$ where the right loss is 200. The
# loss is infinite, and a backward pass through the logarithm meets $1/0$ and hands $\infty$ or NaN
# to every parameter: one confident mistake ends the training. Adding an $\varepsilon$ hides this
# but caps the loss and kills the gradient just where the network is most wrong. Subtracting in log
# space, $z_y - m - \log\sum_k e^{z_k - m} = 0 - 200 - 0$, loses nothing.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 5 (10 points): initialisation
#
# Take $z = \sum_{i=1}^{D} w_i x_i$ with independent weights of mean zero, independent of the
# inputs. Then $\operatorname{Var}(z) = D \cdot \operatorname{Var}(w) \cdot \mathbb{E}[x^2]$: each
# layer multiplies the size of the signal by a factor, and twenty layers do so twenty times. Two
# rules keep the factor near one. In them *fan-in* is $D$, the number of inputs of a layer, and
# *fan-out* is $M$, the number of its outputs.
#
# - **Xavier (Glorot), uniform.** To be fair to the signal on its way forward (factor
#   $D \operatorname{Var}(w)$) and to the gradient on its way back ($M \operatorname{Var}(w)$), take
#   $$ \operatorname{Var}(w) = \frac{2}{\text{fan-in} + \text{fan-out}}, \qquad
#      w \sim \mathcal{U}(-a, a) . $$
#   Which $a$ has this variance? (A uniform variable on $(-a, a)$ has the variance $a^2/3$.)
# - **Kaiming (He), normal.** ReLU throws half of a symmetric signal away:
#   $\mathbb{E}[\operatorname{relu}(z)^2] = \tfrac12 \operatorname{Var}(z)$. To make up for it, take
#   $$ w \sim \mathcal{N}\!\left(0, \frac{2}{\text{fan-in}}\right), $$
#   where the second argument is the variance, not the standard deviation.


# %%
def xavier_uniform(fan_in, fan_out):
    """Draw weights by Xavier's rule, uniformly distributed.

    Returns:
        (fan_in, fan_out) tensor, float32; new random numbers at each call.
    """
    # BEGIN SOLUTION
    limit = math.sqrt(6 / (fan_in + fan_out))
    return (2 * torch.rand(fan_in, fan_out) - 1) * limit
    # END SOLUTION


def kaiming_normal(fan_in, fan_out):
    """Draw weights by Kaiming's rule, normally distributed.

    Returns:
        (fan_in, fan_out) tensor, float32; new random numbers at each call.
    """
    # BEGIN SOLUTION
    return torch.randn(fan_in, fan_out) * math.sqrt(2 / fan_in)
    # END SOLUTION


# %% [markdown]
# A network of $K$ linear layers keeps its parameters in one dict with the keys `"w1"`, `"b1"`,
# `"w2"`, …, `"bK"`. Draw the weights by Kaiming's rule and start the biases at zero.


# %%
def init_mlp(sizes):
    """Make the parameters of a multilayer perceptron.

    Args:
        sizes: list of layer widths, inputs first: [64, 32, 10] has two linear layers.

    Returns:
        dict of tensors, float32: "w1" of shape (64, 32), "b1" (32,), "w2" (32, 10), "b2" (10,).
    """
    # BEGIN SOLUTION
    params = {}
    for k, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes), start=1):
        params[f"w{k}"] = kaiming_normal(fan_in, fan_out)
        params[f"b{k}"] = torch.zeros(fan_out)
    return params
    # END SOLUTION


# %% [markdown]
# Watch the signal: a random batch goes through twenty ReLU layers of 256 units. The curve shows the
# root mean square of the activations after each.

# %% active="ipynb"
# def signal(draw, depth=20, width=256):
#     """Root mean square of the activations after each of `depth` ReLU layers."""
#     x = torch.randn(100, width)
#     sizes = []
#     for _ in range(depth):
#         x = (x @ draw(width, width)).clamp(min=0)
#         sizes.append(x.square().mean().sqrt().item())
#     return sizes
#
#
# @self_check
# def show_signal():
#     rules = {
#         "normal, deviation 0.01": lambda i, o: 0.01 * torch.randn(i, o),
#         "Xavier": xavier_uniform,
#         "Kaiming": kaiming_normal,
#     }
#     curves = {name: signal(draw) for name, draw in rules.items()}
#     figure, axes = plt.subplots(figsize=(6, 3))
#     for name, curve in curves.items():
#         axes.semilogy(range(1, len(curve) + 1), curve, label=name)
#     axes.set(xlabel="layer", ylabel="size of the activations")
#     axes.legend()
#     plt.show()

# %% [markdown]
# **Written, 4 points.** Answer in the cell below, in five to ten sentences. Consider a network with
# one hidden ReLU layer, trained by gradient descent on softmax cross-entropy.
#
# 1. *All* weights and biases start at zero. Which parameters receive a gradient that is not zero
#    in the first step, and what does the network become in the long run?
# 2. All weights start at the same constant $c > 0$ instead. What stays true of the hidden units,
#    step after step, and how many of them does the network really have?

# %% [markdown]
# **Answer q5.**
#
# <!-- BEGIN SOLUTION -->
# 1. With all parameters zero, the hidden pre-activations and activations are zero. The gradient of
# $W_2$ is the hidden activations times the output gradient: zero. The gradient that reaches the
# hidden layer is the output gradient times $W_2^\top$: zero, so $W_1$ and $\mathbf{b}_1$ get none
# either. Only $\mathbf{b}_2$ receives $\frac1N\sum_n (p_n - \text{onehot}(y_n))$. After that step
# nothing about this argument has changed, so only $\mathbf{b}_2$ ever learns: in the long run the
# network predicts the frequencies of the classes, whatever the input.
#
# 2. All columns of $W_1$ are equal, so all hidden units compute the same value; all rows of $W_2$
# are equal, so they all receive the same gradient (and it is the same for every unit, though it
# does depend on the class and the input). Hence they are equal after the step too, by induction for
# ever: however wide the layer is, the network has one hidden unit, counted many times. Random
# weights are what breaks the symmetry; biases may start at zero.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 6 (9 points): a multilayer perceptron
#
# Put the layers together: linear, ReLU, linear, ReLU, …, linear. There is **no** ReLU after the
# last linear layer; its outputs are the logits. The number of layers follows from `params`, and a
# single one is allowed.
#
# The backward pass is the forward pass in reverse: start with the gradient of the logits, hand to
# each layer what came back from the layer above, and collect the gradients of the parameters under
# the keys of the parameters.


# %%
def mlp_forward(params, x):
    """Logits of a batch.

    Args:
        params: dict as init_mlp makes it, for any number of layers.
        x: (N, D) inputs.

    Returns:
        (logits, cache): logits is (N, C); cache is what mlp_backward needs.
    """
    # BEGIN SOLUTION
    depth = len(params) // 2
    caches = []
    for k in range(1, depth + 1):
        x, linear_cache = linear_forward(x, params[f"w{k}"], params[f"b{k}"])
        relu_cache = None
        if k < depth:
            x, relu_cache = relu_forward(x)
        caches.append((linear_cache, relu_cache))
    return x, caches
    # END SOLUTION


def mlp_backward(grad_logits, cache):
    """Backward pass of mlp_forward.

    Args:
        grad_logits: (N, C) gradient of the loss with respect to the logits.
        cache: from the forward call that this backward call belongs to.

    Returns:
        dict of gradients with the keys and shapes of params.
    """
    # BEGIN SOLUTION
    grads = {}
    grad = grad_logits
    for k in range(len(cache), 0, -1):
        linear_cache, relu_cache = cache[k - 1]
        if relu_cache is not None:
            grad = relu_backward(grad, relu_cache)
        grad, grads[f"w{k}"], grads[f"b{k}"] = linear_backward(grad, linear_cache)
    return grads
    # END SOLUTION


# %% [markdown]
# The loss of the whole network, with weight decay $\lambda$ on the weights but not on the biases:
#
# $$ L = \frac1N \sum_n -\log p_{n y_n}
#    + \frac{\lambda}{2} \sum_{k} \lVert W_k \rVert_F^2 . $$


# %%
def mlp_loss(params, x, y, weight_decay=0.0):
    """Loss of the network on a batch, and its gradients.

    Args:
        params: dict as init_mlp makes it.
        x: (N, D) inputs.
        y: (N,) integers, the right classes.
        weight_decay: the λ of the formula above.

    Returns:
        (loss, grads): a scalar, and a dict of gradients with the keys and shapes of params.
    """
    # BEGIN SOLUTION
    logits, cache = mlp_forward(params, x)
    loss, grad_logits = softmax_cross_entropy(logits, y)
    grads = mlp_backward(grad_logits, cache)
    for name, value in params.items():
        if name.startswith("w"):
            loss = loss + weight_decay / 2 * value.square().sum()
            grads[name] = grads[name] + weight_decay * value
    return loss, grads
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_mlp():
#     params = {name: value.double() for name, value in init_mlp([4, 8, 3]).items()}
#     x, y = torch.randn(5, 4, dtype=torch.float64), torch.randint(3, (5,))
#     loss, grads = mlp_loss(params, x, y, weight_decay=0.1)
#
#     def by_torch(w1, b1, w2, b2):
#         logits = (x @ w1 + b1).relu() @ w2 + b2
#         decay = 0.05 * (w1.square().sum() + w2.square().sum())
#         return torch.nn.functional.cross_entropy(logits, y) + decay
#
#     names = ["w1", "b1", "w2", "b2"]
#     values = [params[name] for name in names]
#     torch.testing.assert_close(torch.as_tensor(loss, dtype=torch.float64), by_torch(*values))
#     for name, right in zip(names, autograd_gradients(by_torch, *values)):
#         torch.testing.assert_close(grads[name], right, msg=lambda text: f"{name}: {text}")

# %% [markdown]
# ## Question 7 (5 points): gradient descent with momentum
#
# Plain gradient descent zigzags across a valley. Momentum remembers where it was going: for every
# parameter $\theta$ with gradient $g$ and velocity $v$,
#
# $$ v \leftarrow \mu\, v + g, \qquad \theta \leftarrow \theta - \eta\, v , $$
#
# with the momentum $\mu$ and the learning rate $\eta$. Note where $\eta$ stands: it does not go
# into the velocity.


# %%
def sgd_step(params, grads, velocity, lr, momentum):
    """One step of gradient descent with momentum.

    Args:
        params, grads, velocity: dicts of tensors with the same keys and shapes. The velocity
            of a first step holds zeros.
        lr: learning rate η.
        momentum: μ.

    Returns:
        (params, velocity): new dicts of new tensors. The arguments keep their values.
    """
    # BEGIN SOLUTION
    velocity = {name: momentum * velocity[name] + grads[name] for name in params}
    return {name: params[name] - lr * velocity[name] for name in params}, velocity
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_sgd_step():
#     params, velocity = {"w1": torch.tensor([1.0])}, {"w1": torch.tensor([0.0])}
#     for expected in (0.8, 0.44):
#         grads = {"w1": 2 * torch.ones(1)}
#         params, velocity = sgd_step(params, grads, velocity, lr=0.1, momentum=0.8)
#         torch.testing.assert_close(params["w1"], torch.tensor([expected]))

# %% [markdown]
# ## Question 8 (8 points): learn to read digits
#
# `data/digits.npz` holds 1437 handwritten digits of 8 × 8 pixels, in random order. The loader
# scales them to $[0, 1]$ and flattens them to 64 numbers. The last 287 are for validation: choose
# your settings by them, and do not train on them until you have chosen.


# %%
def load_digits(path="data/digits.npz"):
    """Read images as (N, 64) float32 in [0, 1], and labels as (N,) int64."""
    with np.load(path) as data:
        images = torch.from_numpy(data["images"]).float().reshape(-1, 64) / 16
        return images, torch.from_numpy(data["labels"]).long()


def accuracy(params, x, y):
    """Share of the examples whose largest logit is that of the right class."""
    logits, _ = mlp_forward(params, x)
    return (logits.argmax(dim=1) == y).float().mean().item()


# %% active="ipynb"
# x_all, y_all = load_digits()
# x_train, y_train = x_all[:-287], y_all[:-287]
# x_valid, y_valid = x_all[-287:], y_all[-287:]
#
# figure, axes = plt.subplots(1, 10, figsize=(8, 1.2))
# for image, label, axis in zip(x_train, y_train, axes):
#     axis.imshow(image.reshape(8, 8).numpy(), cmap="gray_r")
#     axis.set(title=label.item(), xticks=[], yticks=[])
# plt.show()

# %% [markdown]
# An **epoch** visits every example once, in a random order that is new each time, in mini-batches.
# The last batch holds what is left; it may be smaller, and it is used like the others.


# %%
def minibatches(n, batch_size):
    """Split the indices 0 … n - 1, in random order, into mini-batches.

    Returns:
        list of 1-d integer tensors: all of length batch_size but the last, which may be shorter.
        Together they hold every index exactly once.
    """
    # BEGIN SOLUTION
    return list(torch.randperm(n).split(batch_size))
    # END SOLUTION


# %% [markdown]
# Now the loop: for each mini-batch of each epoch, loss and gradients, then one step. The velocity
# starts at zero and lives as long as the training.


# %%
def train(params, x, y, *, epochs, batch_size, lr, momentum=0.9, weight_decay=0.0):
    """Train a network by mini-batch gradient descent with momentum.

    Args:
        params: dict as init_mlp makes it; it keeps its values.
        x: (N, D) inputs.
        y: (N,) integers, the right classes.
        epochs: how often each example is visited.
        batch_size, lr, momentum, weight_decay: as above.

    Returns:
        (params, losses): the trained parameters, a new dict; and a list of floats, for each
        epoch the plain average of the losses of its mini-batches, each taken before its step.
    """
    # BEGIN SOLUTION
    velocity = {name: torch.zeros_like(value) for name, value in params.items()}
    losses = []
    for _ in range(epochs):
        batch_losses = []
        for batch in minibatches(len(x), batch_size):
            loss, grads = mlp_loss(params, x[batch], y[batch], weight_decay)
            params, velocity = sgd_step(params, grads, velocity, lr, momentum)
            batch_losses.append(float(loss))
        losses.append(sum(batch_losses) / len(batch_losses))
    return params, losses
    # END SOLUTION


# %% [markdown]
# Train a network with at least one hidden layer and leave its parameters in **`trained`**. Depth,
# widths and settings are yours to choose. It is judged on 360 digits that are not in your file,
# prepared by the loader above: reading **85 %** of them earns one point, **95 %** all three. The
# judge computes the logits from your parameters itself. No cell may take longer than 20 seconds.

# %% active="ipynb"
# # BEGIN SOLUTION
# trained, losses = train(
#     init_mlp([64, 64, 10]),
#     x_train,
#     y_train,
#     epochs=30,
#     batch_size=32,
#     lr=0.05,
#     momentum=0.9,
#     weight_decay=1e-4,
# )
# # BEGIN STARTER
# # trained, losses = None, []  # call init_mlp and train here
# # END SOLUTION

# %% active="ipynb"
# if trained is None:
#     print("nothing is trained yet")
# else:
#     print(f"accuracy: training {accuracy(trained, x_train, y_train):.1%}, "
#           f"validation {accuracy(trained, x_valid, y_valid):.1%}")
#     figure, axes = plt.subplots(figsize=(6, 3))
#     axes.plot(range(1, len(losses) + 1), losses)
#     axes.set(xlabel="epoch", ylabel="loss")
#     plt.show()

# %% [markdown] tags=["instructor"]
# **For instructors.** With the settings above, accuracy is 97–98 % on the validation digits and on
# the held-out ones, for nearly every seed, within a second of training. Softmax regression reaches
# 96–97 %, so the threshold asks for working code rather than for tuning; that is why the hidden
# layer is asked for by name. The other ideas of the suite are in its docstrings.
# In Question 6, most wrong answers come from a ReLU after the last layer, from caches read in
# the wrong order and from decayed biases; the hidden tests tell these apart.
