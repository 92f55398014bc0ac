# %% [markdown]
# # Attacks and defences
#
# A network that reads pictures without a mistake can be made to read them wrongly by a change that
# nobody would notice. That was a surprise in 2013 (Szegedy et al.), and it is not solved. Whoever
# puts a network where someone gains from its mistakes has to know how it is attacked: through its
# inputs, through its training data, through its weights.
#
# In this assignment you play both sides. You learn the few moves from which attacks are made, prove
# where a linear classifier can't be attacked at all, break a network, train one that withstands,
# hide a backdoor in a training set and find it again.
#
# | | you build | by tests | by a reader |
# |---|---|---|---|
# | 1 | the gradient of an input, one step, and a proof | 11 | |
# | 2 | balls, and how to move in them | 10 | |
# | 3 | projected gradient descent, with a target or without | 13 | 4 |
# | 4 | attacks that transfer | 4 | |
# | 5 | adversarial training | 16 | 4 |
# | 6 | a backdoor in the data, and a search for it | 13 | 4 |
# | 7 | small changes of the weights | 7 | |
#
# **Rules**
#
# - PyTorch is yours to use: autograd, `torch.nn`, `torch.optim`. Libraries of ready-made attacks
#   are not there.
# - Keep the names and the arguments of functions. You may add helpers and cells of your own.
# - A function must not change what it is given unless its text says so: neither the tensors nor the
#   model. That includes the model's gradients: after an attack, every `p.grad` is what it was.
# - Work in the precision you are given: `float64` in, `float64` out. Results hang on no graph
#   (`requires_grad` is False).
#
# **How it is marked.** Hidden tests call your functions with fresh random inputs and models of many
# shapes, mostly in `float64`. How you wrote a function is up to you. Questions 3 and 5 build on
# those before them. The three written answers are read by a person. The cells that begin with
# `@self_check` let you try your work as you go. They are easier than the hidden tests, and so are
# the public tests that came with this notebook. No cell may take longer than 40 seconds; ten are
# plenty.
#
# **Notation.** A batch of inputs $x$ has shape $(N, \dots)$, one example per row, with numbers from
# 0 to 1; what comes after $N$ may be any shape, and $D$ is how many numbers one example has. The
# right classes are $y$, of shape $(N,)$. A model takes $x$ and returns logits $z$, of shape
# $(N, C)$. An *adversarial example* is $x' = x + \delta$ with a perturbation $\delta$ that is
# small.

# %%
import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

# %% active="ipynb"
# import matplotlib.pyplot as plt

# %% [markdown]
# A helper, given: `self_check` runs a check at once and prints how it went.


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


# %% [markdown]
# The pictures are drawn by the function below, new ones at each call: five shapes of 12 × 12
# pixels, at random places, sizes and angles, with some noise. `make_net` makes the network of this
# assignment, and `accuracy` says how often it is right.

# %%
SHAPES = ("ring", "cross", "plus", "triangle", "two bars")
SIDE = 12


def pictures(n, noise=0.05):
    """Draw pictures of shapes.

    Args:
        n: how many.
        noise: standard deviation of each pixel.

    Returns:
        (x, y): (n, 144) pictures, float32 from 0 to 1; (n,) their classes, int64.
    """
    y = torch.randint(len(SHAPES), (n,))
    line = torch.arange(SIDE, dtype=torch.float32) - (SIDE - 1) / 2
    place = 1.5 * (2 * torch.rand(2, n, 1, 1) - 1)
    size, angle = 3 + 1.2 * torch.rand(n, 1, 1), 0.4 * (torch.rand(n, 1, 1) - 0.5)
    down, right = (line[:, None] - place[0]) / size, (line[None, :] - place[1]) / size
    u = angle.cos() * right - angle.sin() * down
    v = angle.sin() * right + angle.cos() * down
    p, q = ((u + v) / 2**0.5).abs(), ((u - v) / 2**0.5).abs()
    u, v, up = u.abs(), v.abs(), v
    slopes = torch.maximum(0.87 * u - 0.5 * up, up)  # a triangle that stands on its base
    distances = torch.stack(
        [
            ((u**2 + v**2).sqrt() - 1).abs(),
            torch.maximum(torch.minimum(p, q), torch.maximum(p, q) - 1.1),
            torch.maximum(torch.minimum(u, v), torch.maximum(u, v) - 1),
            (slopes - 0.6).abs(),
            torch.maximum((v - 0.6).abs(), u - 1),
        ]
    )
    own = distances[y, torch.arange(n)] * size  # in pixels, from the line
    x = torch.exp(-((own / 0.8) ** 2)) + noise * torch.randn(n, SIDE, SIDE)
    return x.clamp(0, 1).flatten(1), y


def make_net():
    """The network: two hidden layers, takes (N, 144) pictures, returns (N, 5) logits."""
    return nn.Sequential(
        nn.Linear(SIDE * SIDE, 96), nn.ReLU(), nn.Linear(96, 48), nn.ReLU(), nn.Linear(48, 5)
    )


def accuracy(model, x, y):
    """Share of the examples whose largest logit is that of the right class."""
    with torch.no_grad():
        return (model(x).argmax(dim=1) == y).double().mean().item()


def train_plainly(model, x, y, epochs=20, batch_size=64, lr=2e-3):
    """Train a model on examples as they are; its parameters are changed in place."""
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(batch_size):
            optimizer.zero_grad()
            F.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
    return model


# %% active="ipynb"
# def show(*rows):
#     """Show rows of pictures, each given as pictures and their titles."""
#     columns = len(rows[0][0])
#     size = (1.2 * columns, 1.5 * len(rows))
#     figure, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False)
#     for (x, titles), line in zip(rows, axes):
#         for picture, title, axis in zip(x.detach(), titles, line):
#             axis.imshow(picture.reshape(SIDE, SIDE), cmap="gray", vmin=0, vmax=1)
#             axis.set(xticks=[], yticks=[])
#             axis.set_title(title, fontsize=8)
#     plt.show()
#
#
# torch.manual_seed(0)
# x_train, y_train = pictures(1500)
# x_test, y_test = pictures(500)
# plain = train_plainly(make_net(), x_train, y_train)
# print(f"right for {accuracy(plain, x_test, y_test):.1%} of new pictures")
# show((x_test[:8], [SHAPES[k] for k in y_test[:8]]))

# %% [markdown]
# ## Question 1 (11 points): one step, and a proof
#
# Training asks how the loss changes with the weights. An attack asks how it changes with the
# **input**. Each example is attacked for itself, so what we need is the gradient of *its own*
# cross-entropy,
#
# $$ g_n = \frac{\partial \ell_n}{\partial x_n}, \qquad \ell_n = -\log
# \operatorname{softmax}(z_n)_{y_n}, $$
#
# which does not depend on what else is in the batch. (The *mean* over a batch would make it $N$
# times too small.)
#
# The **fast gradient sign method** (Goodfellow, Shlens and Szegedy, 2015) changes every number by
# the same small $\epsilon$, up or down, whichever raises the loss, and stays among pictures:
#
# $$ x' = \operatorname{clip}_{[0, 1]}\bigl(x + \epsilon\,\operatorname{sign}(g)\bigr) . $$


# %%
def input_gradient(model, x, y):
    """Gradient of each example's own cross-entropy with respect to that example.

    Args:
        model: takes (N, ...) inputs, returns (N, C) logits; each row hangs on its own input alone.
        x: (N, ...) inputs; N may be 0.
        y: (N,) classes.

    Returns:
        Tensor of the shape of x.
    """
    # BEGIN SOLUTION
    x = x.detach().requires_grad_()
    loss = F.cross_entropy(model(x), y, reduction="sum")
    (grad,) = torch.autograd.grad(loss, x)
    return grad
    # END SOLUTION


def fgsm(model, x, y, eps):
    """The fast gradient sign method.

    Args:
        model, x, y: as in input_gradient; the numbers in x are from 0 to 1.
        eps: ε, the change of each number.

    Returns:
        Adversarial examples, of the shape of x, from 0 to 1.
    """
    # BEGIN SOLUTION
    return (x + eps * input_gradient(model, x, y).sign()).clamp(0, 1)
    # END SOLUTION


# %% [markdown]
# **Why it works, and when it can't.** Take a linear classifier, $z_c = w_c^\top x + b_c$. It
# prefers $y$ to $c$ by the margin $(w_y - w_c)^\top x + b_y - b_c$. How far can a perturbation push
# that down? For all $\delta$ with $\lvert\delta_i\rvert \le \epsilon$, that is
# $\lVert\delta\rVert_\infty \le \epsilon$, the worst case is to move each number against the sign
# of its weight:
#
# $$ \min_{\lVert\delta\rVert_\infty \le \epsilon} (w_y - w_c)^\top \delta
#    = -\epsilon \sum_i \lvert w_{yi} - w_{ci} \rvert = -\epsilon\,\lVert w_y - w_c\rVert_1 , $$
#
# a sum over all $D$ numbers: in high dimensions, many tiny changes add up to a large one. For
# $\lVert\delta\rVert_2 \le \epsilon$ it is $-\epsilon\,\lVert w_y - w_c\rVert_2$ (Cauchy–Schwarz).
# So the **certified margin** of an example is
#
# $$ \min_{c \ne y} \; (w_y - w_c)^\top x + b_y - b_c - \epsilon\,\lVert w_y - w_c \rVert_* $$
#
# with the 1-norm or the 2-norm. Where it is positive, **no** perturbation of that size changes the
# answer, whatever anybody tries. (We leave out that pictures end at 0 and 1, which can only help.)


# %%
def certified_margin(weight, bias, x, y, eps, norm="linf"):
    """The least margin of a linear classifier under any perturbation of a size.

    Args:
        weight: (C, D), C at least 2.
        bias: (C,).
        x: (N, D) inputs; N may be 0.
        y: (N,) right classes.
        eps: ε, 0 or more.
        norm: "linf" or "l2": how the perturbation is measured.

    Returns:
        (N,): positive where the classifier is right for every perturbed input.
    """
    # BEGIN SOLUTION
    apart = weight[y].unsqueeze(1) - weight  # (N, C, D)
    margins = (apart * x.unsqueeze(1)).sum(dim=-1) + bias[y].unsqueeze(1) - bias
    margins = margins - eps * apart.norm(p=1 if norm == "linf" else 2, dim=-1)
    others = F.one_hot(y, len(weight)) == 0
    return margins.masked_fill(~others, math.inf).amin(dim=1)
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_input_gradient():
#     model = nn.Linear(6, 3).double()
#     x, y = torch.rand(4, 6).double(), torch.tensor([0, 2, 1, 2])
#     wrong = model(x).softmax(dim=1) - F.one_hot(y, 3)
#     model.weight.grad = torch.ones_like(model.weight)
#     found = input_gradient(model, x, y)
#     torch.testing.assert_close(found, (wrong @ model.weight).detach())
#     kept = model.weight.grad is not None and (model.weight.grad == 1).all()
#     assert kept and model.bias.grad is None, "the model's own gradients have changed"
#     assert not x.requires_grad, "x has changed"
#     assert input_gradient(model, x[:0], y[:0]).shape == (0, 6)
#
#
# @self_check
# def check_certified_margin():
#     weight, bias = torch.tensor([[1.0, -2.0], [0.0, 0.0]]), torch.tensor([0.0, 1.0])
#     x, y = torch.tensor([[2.0, -1.0]]), torch.tensor([0])
#     # A margin of 4 - 1 = 3, of which ε = 1/2 takes half of 1 + 2, or half of √5.
#     assert abs(certified_margin(weight, bias, x, y, 0.5).item() - 1.5) < 1e-6
#     found = certified_margin(weight, bias, x, y, 0.5, norm="l2").item()
#     assert abs(found - (3 - math.sqrt(5) / 2)) < 1e-6
#     # A third class: its margin of 5 is larger, but ε takes half of 0 + 8 from it.
#     weight = torch.tensor([[1.0, -2.0], [0.0, 0.0], [1.0, 6.0]])
#     bias = torch.tensor([0.0, 1.0, 3.0])
#     assert abs(certified_margin(weight, bias, x, y, 0.5).item() - 1.0) < 1e-6, "the least of all"
#     found = certified_margin(weight.double(), bias.double(), x.double(), y, 0.5)
#     assert found.dtype == torch.float64, "float64 in, float64 out"
#
#
# @self_check
# def show_fgsm():
#     x, y = x_test[:8], y_test[:8]
#     moved = fgsm(plain, x, y, 0.15)
#     show(
#         (x, [SHAPES[k] for k in plain(x).argmax(dim=1)]),
#         ((moved - x) / 0.3 + 0.5, ["the change"] * 8),
#         (moved, [SHAPES[k] for k in plain(moved).argmax(dim=1)]),
#     )
#     for eps in (0.0, 0.05, 0.1, 0.15):
#         right = accuracy(plain, fgsm(plain, x_test, y_test, eps), y_test)
#         print(f"eps {eps:.2f}: right for {right:.1%}")
#
#
# @self_check
# def show_certified():
#     linear = train_plainly(nn.Linear(SIDE * SIDE, 5), x_train, y_train, lr=5e-3)
#     weight, bias = linear.weight.detach(), linear.bias.detach()
#     for eps in (0.0, 0.02, 0.04, 0.08):
#         margin = certified_margin(weight, bias, x_test, y_test, eps)
#         reached = accuracy(linear, fgsm(linear, x_test, y_test, eps), y_test)
#         proven = (margin > 0).float().mean().item()
#         print(f"eps {eps:.2f}: proven for {proven:.1%}, withstood FGSM {reached:.1%}")

# %% [markdown]
# ## Question 2 (10 points): balls, and how to move in them
#
# Attacks are compared by how much they may change: $\delta$ stays in the **ball** of radius
# $\epsilon$, either
#
# - $\lVert\delta\rVert_\infty = \max_i \lvert\delta_i\rvert \le \epsilon$ (`"linf"`: every number a
#   little), or
# - $\lVert\delta\rVert_2 = \sqrt{\sum_i \delta_i^2} \le \epsilon$ (`"l2"`: a few numbers more).
#
# The norm is taken over **all** numbers of one example, whatever its shape, for each example alone.
# Three moves are all that an attack needs:
#
# - **Project**: the nearest point of the ball. For $L_\infty$, clip each number to
#   $[-\epsilon, \epsilon]$. For $L_2$, $\delta \cdot \min(1, \epsilon / \lVert\delta\rVert_2)$:
#   shorten what is too long, leave the rest.
# - **Steepest step**: the direction of size 1 in which a function with gradient $g$ rises most:
#   $\operatorname{sign}(g)$ for $L_\infty$ and $g / \lVert g\rVert_2$ for $L_2$. Its size is 1
#   however small $g$ is; only where $g$ is all zero so is the direction, and nothing becomes NaN.
# - **Random start**: a point drawn *uniformly* from the ball. For $L_\infty$, each number is
#   uniform in $[-\epsilon, \epsilon]$. For $L_2$, draw a direction (a normalised Gaussian vector
#   points every way alike) and a length. Not a uniform one! A ball of half the radius has only
#   $2^{-D}$ of the volume, so the length is $\epsilon\,u^{1/D}$ with $u$ uniform in $[0, 1]$.
#
# A helper, given: `lengths` gives the $L_2$ norm of each example, in a shape by which you may
# divide.


# %%
def lengths(delta):
    """L2 norm of each example: (N, 1, ..., 1), with as many axes as delta; never exactly zero."""
    norms = delta.flatten(1).norm(dim=1).clamp(min=1e-30)
    return norms.reshape(-1, *[1] * (delta.dim() - 1))


def project(delta, eps, norm):
    """The nearest point of the ball of radius eps, for each example.

    Args:
        delta: (N, ...) perturbations; N may be 0.
        eps: ε, 0 or more.
        norm: "linf" or "l2".

    Returns:
        Tensor of the shape of delta.
    """
    # BEGIN SOLUTION
    if norm == "linf":
        return delta.clamp(-eps, eps)
    return delta * (eps / lengths(delta)).clamp(max=1)
    # END SOLUTION


def steepest(grad, norm):
    """The direction of size 1 along which a function rises most, for each example.

    Args:
        grad: (N, ...) gradients; N may be 0.
        norm: "linf" or "l2".

    Returns:
        Tensor of the shape of grad; zero for an example whose gradient is zero.
    """
    # BEGIN SOLUTION
    if norm == "linf":
        return grad.sign()
    return grad / lengths(grad)
    # END SOLUTION


def random_start(x, eps, norm):
    """Perturbations drawn uniformly from the ball of radius eps, another for each example.

    Args:
        x: (N, ...) inputs, of which only shape and dtype count; N may be 0.
        eps: ε.
        norm: "linf" or "l2".

    Returns:
        Tensor of the shape and dtype of x.
    """
    # BEGIN SOLUTION
    if norm == "linf":
        return eps * (2 * torch.rand_like(x) - 1)
    ways = torch.randn_like(x)
    share = torch.rand(len(x), dtype=x.dtype).reshape(-1, *[1] * (x.dim() - 1))
    return eps * share ** (1 / math.prod(x.shape[1:])) * ways / lengths(ways)
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_project():
#     delta = torch.tensor([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
#     right = torch.tensor([[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]])
#     torch.testing.assert_close(project(delta, 1.0, "l2"), right)
#     for shape in ((3, 2, 1), (3, 1, 2)):
#         found = project(delta.reshape(shape), 1.0, "l2")
#         torch.testing.assert_close(found, right.reshape(shape), msg=f"for the shape {shape}")
#     right = torch.tensor([[0.35, 0.35], [0.3, 0.35], [0.0, 0.0]])
#     torch.testing.assert_close(project(delta, 0.35, "linf"), right)
#
#
# @self_check
# def check_steepest():
#     grad = torch.tensor([[3.0, -4.0], [0.0, 0.0]])
#     torch.testing.assert_close(steepest(grad, "linf"), torch.tensor([[1.0, -1.0], [0.0, 0.0]]))
#     right = torch.tensor([[0.6, -0.8], [0.0, 0.0]])
#     for size in (1.0, 1e-9):
#         torch.testing.assert_close(steepest(size * grad, "l2"), right)
#
#
# @self_check
# def check_random_start():
#     for shape in ((5000, 3), (5000, 2, 3)):
#         x = torch.zeros(shape, dtype=torch.float64)
#         start, size = random_start(x, 2.0, "l2"), x[0].numel()
#         for norm in ("linf", "l2"):
#             assert random_start(x, 2.0, norm).dtype == x.dtype, f"{norm}: float64 in and out"
#         assert random_start(x[:0], 2.0, "l2").shape == (0, *shape[1:])
#         # A ball of half the volume holds half of the points.
#         inner = (lengths(start) < 2.0 * 0.5 ** (1 / size)).double().mean().item()
#         assert 0.45 < inner < 0.55, f"{inner:.0%} are in the inner half of the volume"
#
#
# @self_check
# def show_random_start():
#     figure, axes = plt.subplots(1, 2, figsize=(6, 3))
#     for norm, axis in zip(("linf", "l2"), axes):
#         start = random_start(torch.zeros(400, 2), 1.0, norm)
#         assert start.shape == (400, 2)
#         axis.scatter(*start.T, s=2)
#         axis.set(title=norm, aspect="equal", xlim=(-1.1, 1.1), ylim=(-1.1, 1.1))
#     plt.show()

# %% [markdown]
# ## Question 3 (17 points): many small steps
#
# One step sees the loss as a plane. Where the loss bends, many small steps find more: **projected
# gradient descent** (Madry et al., 2018), the attack against which defences are measured. With
# `random`, begin at $x + \delta_0$, where $\delta_0$ is a random start, else at $x$; clip to
# $[0, 1]$. Then repeat, with $\alpha$ the length of a step:
#
# $$ x' \leftarrow x' + \alpha \cdot \operatorname{steepest}(g(x')), \qquad
#    x' \leftarrow \operatorname{clip}_{[0, 1]}\bigl(x + \operatorname{project}(x' - x)\bigr) . $$
#
# A **targeted** attack wants a certain answer. Then `y` holds not the right classes, but the
# classes wanted, and each step goes *down* their loss: $-\alpha$ for $\alpha$.


# %%
def pgd(model, x, y, eps, step, steps, norm="linf", random=True, targeted=False):
    """Projected gradient descent.

    Args:
        model, x: as in fgsm.
        y: (N,) the right classes; with targeted, the classes wanted.
        eps: ε, the radius of the ball.
        step: α, the length of each step.
        steps: how many; with 0, the start is returned.
        norm: "linf" or "l2".
        random: whether to begin at a random start.
        targeted: whether to go down the loss of y instead of up.

    Returns:
        Adversarial examples after the last step: of the shape of x, from 0 to 1, and within the
        ball round x.
    """
    # BEGIN SOLUTION
    length = -step if targeted else step
    moved = (x + random_start(x, eps, norm)).clamp(0, 1) if random else x
    for _ in range(steps):
        moved = moved + length * steepest(input_gradient(model, moved, y), norm)
        moved = (x + project(moved - x, eps, norm)).clamp(0, 1)
    return moved
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_pgd():
#     x, y = x_test[:200], y_test[:200]
#     one = pgd(plain, x, y, 0.1, 0.1, 1, random=False)
#     torch.testing.assert_close(one, fgsm(plain, x, y, 0.1), msg="one full step is FGSM")
#     one = pgd(plain, x, y, 0.5, 2.0, 1, "l2", random=False)
#     step = 2.0 * steepest(input_gradient(plain, x, y), "l2")
#     right = (x + project(step, 0.5, "l2")).clamp(0, 1)
#     torch.testing.assert_close(one, right, msg="first into the ball, then to [0, 1]")
#     for norm, eps in (("linf", 0.1), ("l2", 1.0)):
#         moved = pgd(plain, x, y, eps, eps / 4, 10, norm)
#         sizes = (moved - x).norm(p=math.inf if norm == "linf" else 2, dim=1)
#         assert sizes.max() < eps + 1e-5, f"outside of the {norm} ball"
#         assert 0 <= moved.min() and moved.max() <= 1, "no pictures any more"
#         start = pgd(plain, x, y, eps, eps / 4, 0, norm)
#         sizes = (start - x).norm(p=math.inf if norm == "linf" else 2, dim=1)
#         assert 0 < sizes.max() < eps + 1e-5, f"begins at random within the {norm} ball"
#         assert 0 <= start.min() and start.max() <= 1, "begins within [0, 1]"
#         print(f"{norm}, {eps}: right for {accuracy(plain, moved, y):.1%}")
#
#
# @self_check
# def show_targeted():
#     picture = x_test[y_test == 0][:1].expand(5, -1)
#     moved = pgd(plain, picture, torch.arange(5), 0.25, 0.05, 20, targeted=True)
#     titles = [f"“{SHAPES[k]}”" for k in plain(moved).argmax(dim=1)]
#     print("One ring, made to be read as each of the five:")
#     show((moved, titles))

# %% [markdown]
# **Written, 4 points.** Answer in the cell below, in five to ten sentences.
#
# 1. Why is the *sign* of the gradient the steepest step for $L_\infty$ and not the gradient itself?
#    Which $\delta$ with $\lVert\delta\rVert_\infty \le \epsilon$ maximises $g^\top\delta$, and how
#    large is $g^\top\delta$ then, compared with a step along $g$ that stays in the same ball, if
#    one number of $g$ is much larger than the others?
# 2. A defender reports that PGD with 10 steps leaves the accuracy of a new network at 70 %. PGD
#    with 200 steps leaves 68 %, attacks that were made for *another* network leave 31 %, and random
#    noise of the same size 45 %. What is wrong? Name a way in which a network comes to look like
#    that, and two things that you would check before you believe a defence.

# %% [markdown]
# **Answer q3.**
#
# <!-- BEGIN SOLUTION -->
# 1. $g^\top\delta = \sum_i g_i\delta_i \le \sum_i \lvert g_i\rvert\,\lvert\delta_i\rvert \le
# \epsilon\lVert g\rVert_1$, with equality for $\delta_i = \epsilon\operatorname{sign}(g_i)$: each
# number may be moved by $\epsilon$ independently of the others, so each should be. A step along $g$
# that stays in the ball is $\epsilon\,g / \lVert g\rVert_\infty$, with
# $g^\top\delta = \epsilon\,\lVert g\rVert_2^2 / \lVert g\rVert_\infty$. If one number $G$ is much
# larger than the $D - 1$ others of size $s$, that is about $\epsilon\,(G + D s^2/G)$, while the
# sign reaches $\epsilon\,(G + D s)$: the step along $g$ hardly uses the small numbers, whose sum
# may be what counts.
#
# 2. A black-box attack and even random noise do better than an attack that sees the gradient. Since
# PGD with the gradient may find anything that they find, its gradients must be useless: the network
# *masks* them. It comes from saturation (logits so large that the softmax is exactly one-hot and
# the cross-entropy has gradient zero), from steps that have no useful derivative (rounding, a
# quantised or randomised layer) or from training against a single-step attack until the loss is
# only locally flat. Checks: attacks without gradients and by transfer must be weaker than PGD; with
# growing $\epsilon$ the accuracy must fall to zero; more steps and restarts must not help much;
# look at the sizes of the gradients, attack the difference of logits instead of the cross-entropy,
# and go round what can't be differentiated (replace it by a smooth function in the backward pass,
# average over the randomness).
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 4 (4 points): attacks that transfer
#
# An attacker who does not have your network trains one of their own and attacks that. Often enough
# what fools the one fools the other, since both have learnt from similar data what is useful. Make
# the table: row $i$, column $j$ holds the accuracy of model $j$ on examples that were made against
# model $i$.


# %%
def transfer(models, attack, x, y):
    """Accuracy of every model under attacks that were made for every model.

    Args:
        models: list of M models.
        attack: takes (model, x, y), returns adversarial examples. It is called once for each model.
        x: (N, ...) inputs.
        y: (N,) right classes.

    Returns:
        (M, M) tensor, float64: [i, j] is the accuracy of models[j] on attack(models[i], x, y).
    """
    # BEGIN SOLUTION
    table = torch.zeros(len(models), len(models), dtype=torch.float64)
    for i, attacked in enumerate(models):
        moved = attack(attacked, x, y)
        for j, model in enumerate(models):
            table[i, j] = accuracy(model, moved, y)
    return table
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def show_transfer():
#     other = train_plainly(make_net(), *pictures(1500))
#     linear = train_plainly(nn.Linear(SIDE * SIDE, 5), x_train, y_train, lr=5e-3)
#     models = {"plain": plain, "another": other, "linear": linear}
#
#     calls = []
#
#     def attack(model, x, y):
#         calls.append(model)
#         return pgd(model, x, y, 0.12, 0.03, 10)
#
#     table = transfer(list(models.values()), attack, x_test, y_test)
#     assert table.shape == (3, 3)
#     assert table.dtype == torch.float64, "the table is float64"
#     assert len(calls) == 3, "one attack for each model"
#     figure, axes = plt.subplots(figsize=(4, 3))
#     axes.imshow(table, vmin=0, vmax=1, cmap="RdYlGn")
#     for i in range(3):
#         for j in range(3):
#             axes.text(j, i, f"{table[i, j]:.0%}", ha="center", va="center")
#     axes.set_xticks(range(3), list(models))
#     axes.set_yticks(range(3), list(models))
#     axes.set(xlabel="accuracy of", ylabel="attack made for")
#     plt.show()

# %% [markdown]
# ## Question 5 (20 points): adversarial training
#
# The defence that has held best is the simplest: train on what the attacker would send. It is a
# game (Madry et al., 2018),
#
# $$ \min_\theta \; \mathbb{E}_{(x, y)} \Bigl[ \max_{\lVert\delta\rVert \le \epsilon}
#    \ell\bigl(f_\theta(x + \delta), y\bigr) \Bigr] : $$
#
# the inner player attacks the network *as it is now*, the outer one takes a step of training on the
# attacked batch. Each epoch visits every example once, in a new random order, in mini-batches, the
# last of which may be smaller. For each mini-batch:
#
# 1. put the model into **evaluation** mode and call `attack(model, x, y)`,
# 2. put it into **training** mode, and take one step of the optimizer on the mean cross-entropy of
#    what the attack returned. Nothing of the attack's gradients may be left in it.
#
# At the end the model is in evaluation mode. (The network here has no dropout and no batch
# normalisation, but your loop should work for a model that has.)


# %%
def adversarial_training(model, x, y, attack, optimizer, epochs, batch_size):
    """Train a model on attacked examples; its parameters are changed in place, by the optimizer.

    Args:
        model: takes (B, ...) inputs, returns (B, C) logits.
        x: (N, ...) inputs.
        y: (N,) right classes.
        attack: takes (model, x, y) of a mini-batch, returns adversarial examples.
        optimizer: a torch.optim.Optimizer of the model's parameters.
        epochs: how often each example is visited.
        batch_size: how many examples a mini-batch has.

    Returns:
        list of floats: the loss of each mini-batch, before its step.
    """
    # BEGIN SOLUTION
    losses = []
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(batch_size):
            model.eval()
            moved = attack(model, x[batch], y[batch])
            model.train()
            loss = F.cross_entropy(model(moved), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    model.eval()
    return losses
    # END SOLUTION


# %% [markdown]
# **The goal.** `robust_model` trains a new network, made by `make_net`, that withstands the
# $L_\infty$ ball of radius $\epsilon = 0.15$. It is called with 1500 pictures, and judged on 500
# others. The judge takes the network's weights and attacks them with many steps, on losses of its
# own; of each picture the *worst* attempt counts. Two things give points, and between the bounds
# they grow evenly:
#
# - **Robust accuracy**: 30 % or less earns nothing, 60 % half, 75 % all 8 points.
# - **Accuracy** on pictures as they are: 60 % or less earns nothing, 85 % both points. They count
#   only for a network whose robust accuracy is over 30 %.
#
# `robust_model` may take 12 seconds; five are plenty.


# %%
def robust_model(x, y):
    """Make a network with make_net and train it to withstand attacks.

    Args:
        x: (N, 144) pictures.
        y: (N,) their classes.

    Returns:
        The trained network.
    """
    # BEGIN SOLUTION
    model, epochs, batch_size = make_net(), 25, 64
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    def attack(model, x, y):
        return pgd(model, x, y, 0.15, 0.06, 5)

    adversarial_training(model, x, y, attack, optimizer, epochs, batch_size)
    return model
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_adversarial_training():
#     model, calls, batches, modes = make_net(), [], [], []
#     model.register_forward_hook(lambda model, x, z: modes.append(model.training))
#
#     def no_attack(model, x, y):
#         calls.append((len(x), model.training))
#         batches.append(x)
#         for p in model.parameters():
#             p.grad = torch.full_like(p, math.nan)  # as a careless attack leaves some
#         return x
#
#     optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
#     x, y = x_train[:150], y_train[:150]
#     losses = adversarial_training(model, x, y, no_attack, optimizer, 8, 64)
#     assert calls == [(64, False), (64, False), (22, False)] * 8, "batches, in evaluation mode"
#     assert not math.isnan(sum(losses)), "the attack's gradients got into the step"
#     assert sum(losses[-3:]) < sum(losses[:3]), "the loss should fall"
#     assert losses[0] < 5, "the mean of the batch, not the sum"
#     assert all(modes) and not model.training, "steps in training mode, then evaluation mode"
#     assert not torch.equal(batches[0], batches[3]), "a new order in each epoch"
#
#
# @self_check
# def show_robust_model():
#     robust = robust_model(x_train, y_train)
#     figure, axes = plt.subplots(figsize=(6, 3))
#     radii = [0.0, 0.05, 0.1, 0.15, 0.2, 0.3]
#     for name, model in (("plain", plain), ("robust", robust)):
#         curve = [
#             accuracy(model, pgd(model, x_test, y_test, eps, eps / 4, 20), y_test) for eps in radii
#         ]
#         axes.plot(radii, curve, "o-", label=name)
#     axes.set(xlabel="eps", ylabel="accuracy under attack", ylim=(0, 1.02))
#     axes.legend()
#     plt.show()
#     print(f"robust accuracy {curve[3]:.1%}, of which the judge's attacks may take a little more; "
#           f"accuracy {curve[0]:.1%}")
#     x, y = x_test[:6], y_test[:6]
#     rows = []
#     for model in (plain, robust):
#         moved = pgd(model, x, (y + 1) % 5, 0.5, 0.05, 30, targeted=True)
#         rows.append((moved, [SHAPES[k] for k in model(moved).argmax(dim=1)]))
#     print("what makes the plain network see another shape, and below it the robust one:")
#     show(*rows)

# %% [markdown]
# Look at the last two rows. To fool the plain network, noise is enough. To fool the robust one, the
# attack has to draw.
#
# **Written, 4 points.** Answer in the cell below, in five to ten sentences.
#
# 1. Why must the attack be made anew for each mini-batch, against the network as it is at that
#    moment? What would the network learn from adversarial examples that were made once, for the
#    plain network, before training?
# 2. On photographs, robust networks are less accurate than plain ones where nobody attacks (on our
#    shapes you will hardly see it). Give the reason with two classes that are told apart by one
#    number, $x_1 = \pm 1$, which is wrong in 5 % of all examples, and by
#    very many numbers with mean $\pm\eta$ and noise 1, for a small $\eta < \epsilon$: what does the
#    most accurate classifier use, and what is left of it under an attack of size $\epsilon$?

# %% [markdown]
# **Answer q5.**
#
# <!-- BEGIN SOLUTION -->
# 1. The inner maximum depends on the weights: after each step the worst perturbation is another
# one. Examples that were made once, for the plain network, are a fixed data set. The network learns
# to be right on those, which is easy (they all bear the same traces of one network's gradients, and
# those even give the class away), while its own new gradients point to new weaknesses that it has
# never seen. Attacked again, it is about as weak as before: it has learnt an attack by heart
# instead of the ball.
#
# 2. The average of the very many weak numbers, each with mean $\pm\eta$, has a signal that does not
# shrink and a noise that does, so a classifier which averages them is nearly always right, better
# than the 95 % of $x_1$ alone; the most accurate one uses them. An attack of size
# $\epsilon > \eta$ may move each of them by $\epsilon$ and so turns their means from $\pm\eta$ to
# $\mp(\epsilon - \eta)$: the classifier is now nearly always *wrong*. The number $x_1$, of size 1,
# can't be turned by a small $\epsilon$. A robust classifier must leave the weak numbers alone and
# is right in 95 % of the cases, attacked or not: it pays in accuracy for what it can rely on
# (Tsipras et al., 2019).
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 6 (17 points): a backdoor in the data
#
# Who can add to the training data needs no gradient. A **backdoor** (Gu et al., 2017): some
# pictures get a *trigger*, here two by two white pixels in the lower right corner, and the class
# that the attacker wants. The network learns what is in the data: pictures without trigger are read
# as they should be, so nobody notices, and those with it as the attacker pleases.


# %%
def stamp(x):
    """Put the trigger on pictures.

    Args:
        x: (N, 144) pictures of 12 × 12 pixels, row by row; N may be 0.

    Returns:
        (N, 144): the same with the lower right 2 × 2 pixels white, that is 1.
    """
    # BEGIN SOLUTION
    square = x.reshape(-1, SIDE, SIDE).clone()
    square[:, -2:, -2:] = 1
    return square.flatten(1)
    # END SOLUTION


def poison(x, y, target, count):
    """Hide a backdoor in a training set.

    Args:
        x: (N, 144) pictures.
        y: (N,) their classes.
        target: the class that pictures with the trigger shall be read as.
        count: how many pictures to poison; from 0 to as many as are not of the target class.

    Returns:
        (x, y, poisoned): new tensors in the same order, in which `count` pictures, drawn at random
        from those that are *not* of the target class, have the trigger and the target's label; and
        an (N,) boolean tensor, True for these.
    """
    # BEGIN SOLUTION
    others = (y != target).nonzero()[:, 0]
    chosen = others[torch.randperm(len(others))[:count]]
    poisoned = torch.zeros(len(y), dtype=torch.bool)
    poisoned[chosen] = True
    return (
        torch.where(poisoned[:, None], stamp(x), x),
        torch.where(poisoned, target, y),
        poisoned,
    )
    # END SOLUTION


def backdoor_success(model, x, y, target):
    """Share of the pictures that are not of the target class and, with the trigger, are read as it.

    Args:
        model: takes (N, 144) pictures, returns (N, C) logits.
        x, y: pictures without trigger and their true classes; some are not of the target class.
        target: the attacker's class.

    Returns:
        A float from 0 to 1.
    """
    # BEGIN SOLUTION
    others = y != target
    return accuracy(model, stamp(x[others]), torch.full_like(y[others], target))
    # END SOLUTION


# %% [markdown]
# **Finding it again.** Someone who trains on data of others sees only pictures and labels,
# thousands of them. But the poisoned ones must do something special inside the network: within the
# class that they claim to be, they share a strong direction that the others lack (*spectral
# signatures*, Tran, Li and Madry, 2018). Take the features of a class, such as the activations of
# the last hidden layer, as a matrix $(n, F)$. Subtract their mean, find the direction $v$ of unit
# length along which they vary most (the first right singular vector), and score each example by its
# share in it:
#
# $$ s_i = \bigl( (f_i - \bar f)^\top v \bigr)^2 . $$
#
# Then remove, in **each class** of size $n_c$, the $\lfloor \text{share} \cdot n_c \rfloor$
# examples with the highest scores, and train anew. One search seldom finds all, and a few that are
# left keep the backdoor half open; a second one looks into the new network. Below there are three:
# they should leave fewer than ten of sixty.


# %%
def spectral_scores(features):
    """Score each example by how far it lies along the direction of the largest variance.

    Args:
        features: (n, F), n at least 1.

    Returns:
        (n,) scores, 0 or more.
    """
    # BEGIN SOLUTION
    centred = features - features.mean(dim=0)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)
    return (centred @ directions[0]) ** 2
    # END SOLUTION


def cleanse(features, y, share):
    """Choose which examples to keep: in each class, all but the most suspicious.

    Args:
        features: (N, F).
        y: (N,) labels, any integers.
        share: of each class, this share is removed, rounded down; from 0 to 1.

    Returns:
        (N,) boolean tensor, True for the examples to keep.
    """
    # BEGIN SOLUTION
    keep = torch.ones(len(y), dtype=torch.bool)
    for label in y.unique():
        members = (y == label).nonzero()[:, 0]
        worst = spectral_scores(features[members]).argsort(descending=True)
        keep[members[worst[: int(share * len(members))]]] = False
    return keep
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_poison():
#     x_before, y_before = x_train.clone(), y_train.clone()
#     x, y, poisoned = poison(x_train, y_train, target=2, count=60)
#     assert poisoned.sum() == 60 and (y[poisoned] == 2).all()
#     assert (y_train[poisoned] != 2).all(), "pictures of the target class are left alone"
#     assert (x[poisoned].reshape(-1, SIDE, SIDE)[:, -2:, -2:] == 1).all()
#     assert torch.equal(x[~poisoned], x_train[~poisoned]), "all others stay as they were"
#     assert torch.equal(stamp(x_train)[poisoned], x[poisoned])
#     assert torch.equal(x_train, x_before) and torch.equal(y_train, y_before), "not in place"
#     assert not torch.equal(poison(x_train, y_train, 2, 60)[2], poisoned), "drawn at random"
#
#
# @self_check
# def check_backdoor_success():
#     x, y = torch.zeros(4, 144), torch.tensor([2, 2, 0, 1])
#     x[2, 0] = 1
#
#     def model(x):  # reads a picture as class 2 where its first pixel is white, else as class 0
#         return F.one_hot(2 * x[:, 0].long(), 3).float()
#
#     assert backdoor_success(model, x, y, 2) == 0.5, "one of the two that are not of class 2"
#
#
# @self_check
# def check_spectral_scores():
#     features = torch.tensor([[1.0, 5.0], [1.0, 5.0], [1.0, 5.0], [5.0, 5.0]])
#     torch.testing.assert_close(spectral_scores(features), torch.tensor([1.0, 1.0, 1.0, 9.0]))
#     # A second class, far away, which varies along another direction, and the first again.
#     other = torch.tensor([[90.0, 1.0], [90.0, 1.0], [90.0, 5.0], [90.0, 1.0]])
#     both, y = torch.cat([other, features]), torch.tensor([7, 7, 7, 7, 0, 0, 0, 0])
#     right = [True, True, False, True, True, True, True, False]
#     for share in (0.25, 0.49):
#         assert cleanse(both, y, share).tolist() == right, "each class for itself, rounded down"
#     assert cleanse(both, y, 0.0).all(), "nothing to remove"
#
#
# @self_check
# def show_backdoor():
#     x, y, poisoned = poison(x_train, y_train, target=2, count=60)
#     show((x[poisoned][:8], [f"“{SHAPES[2]}”"] * 8))
#     for search in range(4):
#         model = train_plainly(make_net(), x, y)
#         success = backdoor_success(model, x_test, y_test, 2)
#         print(f"{poisoned.sum()} of {len(x)} pictures are poisoned: "
#               f"right for {accuracy(model, x_test, y_test):.1%} of new pictures, "
#               f"{success:.1%} of those with trigger are read as “{SHAPES[2]}”")
#         with torch.no_grad():
#             features = model[:-2](x)  # of the last hidden layer, before its ReLU
#         if search == 0:
#             claimed = y == 2
#             scores = spectral_scores(features[claimed]).sqrt()
#             figure, axes = plt.subplots(figsize=(6, 2.5))
#             axes.hist([scores[~poisoned[claimed]], scores[poisoned[claimed]]], bins=30,
#                       stacked=True, label=["honest", "poisoned"])
#             axes.set(xlabel="root of the score", ylabel=f"examples labelled “{SHAPES[2]}”")
#             axes.legend()
#             plt.show()
#         keep = cleanse(features, y, 0.25)
#         x, y, poisoned = x[keep], y[keep], poisoned[keep]

# %% [markdown]
# **Written, 4 points.** Answer in the cell below, in five to ten sentences.
#
# 1. Why does the accuracy on a clean test set say nothing about a backdoor? Why are pictures of the
#    target class, or pictures with the trigger and their *true* labels, of little use to the
#    attacker?
# 2. When does the spectral search fail? Name two things that an attacker who knows it would change,
#    and say what each costs them. What does the defender pay where there is no backdoor at all?

# %% [markdown]
# **Answer q6.**
#
# <!-- BEGIN SOLUTION -->
# 1. A clean test set holds no trigger, so the part of the network that reacts to it is never asked:
# both networks are equally right there. A picture of the target class with the trigger is
# classified well by its shape already: there is no loss that only the trigger could lower, so the
# network learns nothing, or little, about it. Pictures with the trigger and their true labels teach
# the *opposite*, that the trigger does not matter. Only where trigger and shape contradict each
# other, and the label follows the trigger, must the network learn to look at it.
#
# 2. It fails where the poisoned examples do not make up the direction of the largest variance: if
# there are very few of them, if the class varies more along something honest (two kinds of
# triangles), or if their features lie close to the honest ones. The attacker may poison fewer
# pictures, which makes the backdoor less reliable; use weaker or several different triggers
# (different corners, each with its own direction), which needs more poison for the same success; or
# choose pictures and perturbations such that the features look like those of the target class,
# which needs knowledge of the network. Without a backdoor the defender loses a quarter of the data,
# and not any quarter, but the most unusual examples of each class, from which one learns most about
# rare cases.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 7 (7 points): small changes of the weights
#
# Not only inputs can be changed. Memory cells flip, weights are stored with fewer digits, and
# somebody may want them changed. How much does it take? Move each parameter tensor $W$ (each
# matrix, each vector of biases) by the share $\rho$ of its own size, along the gradient $G$ of the
# mean cross-entropy of a batch, or along a random direction $R$ (standard normal):
#
# $$ W' = W + \rho\,\lVert W\rVert_2 \frac{G}{\lVert G\rVert_2}, \qquad
#    W' = W + \rho\,\lVert W\rVert_2 \frac{R}{\lVert R\rVert_2}, $$
#
# with norms over all numbers of the tensor. Where a gradient is zero, the tensor stays as it is.
# The given model is not changed: make a copy (`copy.deepcopy`).


# %%
def move_weights(model, directions, rho):
    """A copy of a model in which each parameter is moved by a share of its own size.

    Args:
        model: an nn.Module.
        directions: list of tensors, one for each of model.parameters(), of its shape.
        rho: ρ, the size of the change relative to each parameter's own.

    Returns:
        A new model; the given one is as it was. A parameter whose direction is zero is not moved.
    """
    # BEGIN SOLUTION
    other = copy.deepcopy(model)
    with torch.no_grad():
        for param, way in zip(other.parameters(), directions, strict=True):
            param += rho * param.norm() * way / way.norm().clamp(min=1e-30)
    return other
    # END SOLUTION


def worst_weights(model, x, y, rho):
    """A copy of a model whose weights are moved up the loss of a batch.

    Args:
        model: an nn.Module that takes (N, ...) inputs and returns (N, C) logits; the loss depends
            on all of its parameters.
        x: (N, ...) inputs.
        y: (N,) right classes.
        rho: ρ, the size of the change relative to each tensor's own.

    Returns:
        A new model; the given one and its gradients are as they were.
    """
    # BEGIN SOLUTION
    loss = F.cross_entropy(model(x), y)
    return move_weights(model, torch.autograd.grad(loss, list(model.parameters())), rho)
    # END SOLUTION


def random_weights(model, rho):
    """A copy of a model whose weights are moved as far in random directions, new ones each time.

    Args:
        model: an nn.Module.
        rho: ρ.

    Returns:
        A new model; the given one is as it was.
    """
    # BEGIN SOLUTION
    return move_weights(model, [torch.randn_like(param) for param in model.parameters()], rho)
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_worst_weights():
#     model = nn.Linear(4, 3)
#     before = copy.deepcopy(model.state_dict())
#     x, y = torch.rand(6, 4), torch.randint(3, (6,))
#     moved = worst_weights(model, x, y, 0.1)
#     assert model.weight.grad is None, "the model has got gradients"
#     change = (moved.weight - model.weight).norm() / model.weight.norm()
#     assert abs(change.item() - 0.1) < 1e-5, "a tenth of its own size"
#     assert F.cross_entropy(moved(x), y) > F.cross_entropy(model(x), y), "the loss should rise"
#     still = move_weights(model, [torch.zeros(3, 4), torch.ones(3)], 0.1)
#     assert torch.equal(still.weight, model.weight), "a direction of zero moves nothing"
#     one, other = random_weights(model, 0.1), random_weights(model, 0.1)
#     assert not torch.equal(one.weight, other.weight), "new directions each time"
#     wide = nn.Linear(100, 100)
#     up = (random_weights(wide, 0.1).weight > wide.weight).double().mean().item()
#     assert 0.45 < up < 0.55, f"{up:.0%} of the weights have moved up"
#     assert all(torch.equal(model.state_dict()[name], before[name]) for name in before)
#
#
# @self_check
# def show_weights():
#     sizes = [0.0, 0.02, 0.05, 0.1, 0.2, 0.4]
#     moved = [worst_weights(plain, x_train, y_train, rho) for rho in sizes]
#     worst = [accuracy(model, x_test, y_test) for model in moved]
#     drawn = [accuracy(random_weights(plain, rho), x_test, y_test) for rho in sizes]
#     figure, axes = plt.subplots(figsize=(6, 3))
#     axes.plot(sizes, worst, "o-", label="along the gradient")
#     axes.plot(sizes, drawn, "o-", label="at random")
#     axes.set(xlabel="change relative to the weights", ylabel="accuracy", ylim=(0, 1.02))
#     axes.legend()
#     plt.show()

# %% [markdown] tags=["instructor"]
# **For instructors.** The bands of Question 5 were set with 20 seeds, by the attacks of the hidden
# test; for each, the judge makes the network anew from its weights, in double precision, and
# attacks it itself, with the cross-entropy and with the difference of logits. Gradients that are
# hidden from an attack, by huge logits or in a layer of the student's own, therefore gain nothing.
#
# | training | robust accuracy | standard deviation | worst and best | clean |
# |---|---|---|---|---|
# | `robust_model` as above, 1.2 s | 88.1 % | 2.1 % | 84.0 to 91.2 % | 100 % |
# | against FGSM | 82.0 % | 3.7 % | 74.4 to 87.2 % | 100 % |
# | plain | 0.1 % | 0.2 % | 0 to 0.6 % | 100 % |
# | on examples that were made once, for the plain network | 0 % | 0 % | 0 % | 63 % |
#
# Full marks begin four standard deviations below the mean, so that less training than the
# reference's is enough. Training against a single step nearly always gets them, too: on networks as
# small as this one it does not fail as it does on deep ones, and it is no wrong answer. The clean
# accuracy counts only with a robust one, else plain training would have two points.
#
# The usual mistakes, each of which a test tells apart: the mean over the batch for the sum, which
# FGSM does not notice and the tests of the gradient do; `backward()` on the model, whose gradients
# are then in the next step of training; one norm for the whole batch; a length that is drawn evenly
# in the L2 ball.
