# %% [markdown]
# # Generative adversarial networks and diffusion
#
# Given examples, make more of the same kind. A table of how probable everything is would do it, and
# an autoencoder with a price on its code comes close to that. The two ideas of this notebook do
# without. A **generative adversarial network** (GAN) turns noise into examples in one step, and a
# second network, its adversary, tells it what gives them away. A **diffusion model** destroys
# examples by noise, little by little, learns to undo one small step of it, and then walks back from
# pure noise, a hundred small steps.
#
# Both were made for pictures. Here an example is a point of the plane, so that training takes
# seconds, and you can *see* what goes wrong: a generator that has forgotten half of the data, a
# curve that was never found. Nothing in your code will know about the plane.
#
# | | you build | by tests | by a reader |
# |---|---|---|---|
# | 1 | three answers to "how far apart are two sets of samples?" | 11 | |
# | 2 | the game of two networks | 12 | 4 |
# | 3 | a critic with a slope of one, and a GAN that forgets nothing | 16 | 4 |
# | 4 | from data to noise | 12 | |
# | 5 | guess the noise | 15 | |
# | 6 | the way back | 13 | 4 |
#
# **Rules**
#
# - PyTorch is yours to use: autograd, `torch.nn`, `torch.optim`, `torch.linalg`,
#   `torch.distributions`. Libraries of ready-made GANs or diffusion models are not there.
# - Keep the names and the arguments of functions and classes. You may add helpers and cells of your
#   own.
# - A function must not change what it is given: no tensor, and no list.
# - Work in the precision of the examples that you are given: `float64` in, `float64` out.
# - Draw random numbers from torch's global generator (`torch.rand`, `torch.randn`,
#   `torch.randint`, …), and set no seed inside a function.
#
# **How it is marked.** Hidden tests call your functions with fresh random inputs of many shapes,
# mostly in `float64`. How you wrote a function is up to you. Questions 3 and 5 also train a
# network. The judge takes its weights, puts them into a network of its own and looks at what that
# one draws. The three written answers are read by a person. The cells that begin with
# `@self_check` let you try your work as you go; so do the public tests that came with this
# notebook. Both are easier than the hidden tests. No cell may take longer than 40 seconds; ten are
# plenty.
#
# **Notation.** Examples are rows: a batch has shape $(N, D)$. What is returned "without
# dimensions" is a tensor of shape `()`; "a float" is a number of Python. $\sigma(a) = 1 / (1 +
# e^{-a})$ is the sigmoid of a logit $a$, $\lVert\cdot\rVert$ the Euclidean norm, and all logarithms
# are natural ones.

# %%
import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

# %% active="ipynb"
# import matplotlib.pyplot as plt

# %% [markdown]
# Helpers, given. `self_check` runs a check at once and prints how it went. `ring` and `spiral` draw
# data: eight little clouds on a circle, and a curve. `turn` is an angle that rotates them.


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


def ring(n, turn=0.0, modes=8, radius=2.0, sigma=0.1):
    """Draw (n, 2) points from normal distributions on a circle; also the centres, (modes, 2)."""
    angles = turn + 2 * math.pi * torch.arange(modes) / modes
    centres = radius * torch.stack([angles.cos(), angles.sin()], dim=1)
    return centres[torch.randint(modes, (n,))] + sigma * torch.randn(n, 2), centres


def spiral(n, turn=0.0, mirrored=False, sigma=0.05):
    """Draw (n, 2) points along a spiral of one and a quarter rounds, as it is or mirrored."""
    share = (1 / 16 + 15 / 16 * torch.rand(n)).sqrt()  # as dense inside as outside
    angles = turn + (-1 if mirrored else 1) * 2.5 * math.pi * (share - 0.25) / 0.75
    curve = 2.2 * share[:, None] * torch.stack([angles.cos(), angles.sin()], dim=1)
    return curve + sigma * torch.randn(n, 2)


# %% active="ipynb"
# def unchanged(function, *args, **kwargs):
#     """Call a function, and complain if it changes a tensor that it is given."""
#     tensors = [value for value in args if isinstance(value, torch.Tensor)]
#     before = [value.detach().clone() for value in tensors]
#     result = function(*args, **kwargs)
#     same = all(torch.equal(old, new) for old, new in zip(before, tensors))
#     assert same, f"{function.__name__} changes what it is given"
#     return result
#
#
# def scatter(*panels, size=1.9):
#     """Draw sets of points side by side, each given as a title and an (n, 2) tensor."""
#     figure, axes = plt.subplots(
#         1, len(panels), figsize=(size * len(panels), size + 0.2), layout="constrained"
#     )
#     for axis, (title, points) in zip(axes, panels):
#         axis.scatter(*points[:1000].detach().T, s=1, alpha=0.5)
#         axis.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
#         axis.set_title(title, fontsize=8)
#     plt.show()
#
#
# kept = {}  # what the last figure shows
# torch.manual_seed(0)
# x_ring, centres = ring(4096)
# x_spiral = spiral(4096)
# scatter(("ring", x_ring), ("spiral", x_spiral))

# %% [markdown]
# ## Question 1 (11 points): how far apart are two sets of samples?
#
# A network that draws samples can't say how probable they are. All that is left to compare are two
# sets of samples, $x_1, \dots, x_N$ from the data and $y_1, \dots, y_M$ from the model. Here are
# three ways, and each is blind to something else.
#
# **Maximum mean discrepancy** (Gretton et al., 2012). With the kernel
#
# $$ k(a, b) = \exp\Bigl(-\frac{\lVert a - b \rVert^2}{2 h^2}\Bigr) , $$
#
# points of the same distribution should be as near to each other as to those of the other set:
#
# $$ \operatorname{MMD}^2 = \frac{1}{N (N - 1)} \sum_{i \ne j} k(x_i, x_j)
#    + \frac{1}{M (M - 1)} \sum_{i \ne j} k(y_i, y_j)
#    - \frac{2}{N M} \sum_{i, j} k(x_i, y_j) . $$
#
# This is the unbiased estimator: no point is compared with itself. Its expectation is zero if both
# distributions are the same, and positive otherwise, so by chance it can be a little *below* zero.
# Don't cut that off. Differences of points are to be taken before they are squared: $\lVert a
# \rVert^2 + \lVert b \rVert^2 - 2\, a \cdot b$ loses its digits for points that are far from the
# origin (and so may `torch.cdist`, which uses that formula for more than 25 points).
#
# **Fréchet distance** (Dowson and Landau, 1982; the FID of Heusel et al., 2017, takes it between
# features of a network). Fit a normal distribution to each set, by its mean $m$ and its covariance
# matrix $C$, *divided by the number of examples*:
#
# $$ \lVert m_x - m_y \rVert^2 + \operatorname{tr}\bigl( C_x + C_y - 2\,(C_x C_y)^{1/2} \bigr) ,
#    \qquad \operatorname{tr}\,(C_x C_y)^{1/2} = \sum_i \sqrt{\lambda_i} , $$
#
# where the $\lambda_i \ge 0$ are the eigenvalues of the symmetric matrix $C_x^{1/2}\, C_y\,
# C_x^{1/2}$. The root of a symmetric matrix is $U \operatorname{diag}(\sqrt{ \mu_i})\, U^\top$ for
# its eigenvalues $\mu_i$ and eigenvectors, the columns of $U$. Covariances may be singular (a set
# may be a single point, or lie on a line), and then rounding can make a zero slightly negative:
# clamp eigenvalues at 0 before the root.
#
# **Coverage.** If we know that the data have $K$ equally likely modes, we can count. A sample
# belongs to the nearest centre, if its distance to it is at most $r$, and to none otherwise. Let
# $q_k$ be the share of *all* samples that belong to centre $k$. Then
#
# $$ \text{coverage} = \sum_{k=1}^{K} \min\Bigl( q_k, \frac1K \Bigr) $$
#
# is 1 if every mode gets its share, $1/K$ if all samples are in one mode, however good they are,
# and less by each sample that lies astray.


# %%
def mmd(x, y, width):
    """The unbiased estimate of the squared maximum mean discrepancy.

    Args:
        x: (N, D), N at least 2.
        y: (M, D), M at least 2.
        width: h of the kernel, a float.

    Returns:
        A tensor without dimensions; may be negative.
    """
    # BEGIN SOLUTION
    n, m = len(x), len(y)

    def total(a, b):
        squares = ((a[:, None] - b[None]) ** 2).sum(dim=-1)
        return (-squares / (2 * width**2)).exp().sum()

    within = (total(x, x) - n) / (n * (n - 1)) + (total(y, y) - m) / (m * (m - 1))
    return within - 2 * total(x, y) / (n * m)
    # END SOLUTION


def frechet(x, y):
    """Fréchet distance, as in the formula, between normal distributions fitted to samples.

    Args:
        x: (N, D), N at least 1.
        y: (M, D), M at least 1.

    Returns:
        A tensor without dimensions.
    """

    # BEGIN SOLUTION
    def fit(samples):
        mean = samples.mean(dim=0)
        centred = samples - mean
        return mean, centred.T @ centred / len(samples)

    (mean_x, cov_x), (mean_y, cov_y) = fit(x), fit(y)
    values, vectors = torch.linalg.eigh(cov_x)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    mixed = torch.linalg.eigvalsh(root @ cov_y @ root).clamp(min=0).sqrt().sum()
    return ((mean_x - mean_y) ** 2).sum() + cov_x.trace() + cov_y.trace() - 2 * mixed
    # END SOLUTION


def coverage(samples, centres, radius):
    """How well samples cover the modes of a distribution.

    Args:
        samples: (N, D).
        centres: (K, D), of modes that are equally likely.
        radius: r; a sample at exactly this distance still belongs to the centre.

    Returns:
        A float from 0 to 1.
    """
    # BEGIN SOLUTION
    distances = (samples[:, None] - centres[None]).norm(dim=-1)
    least, nearest = distances.min(dim=1)
    modes = len(centres)
    counts = torch.bincount(nearest[least <= radius], minlength=modes)
    return (counts.double() / len(samples)).clamp(max=1 / modes).sum().item()
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_mmd():
#     x, y = torch.tensor([[0.0], [1.0]]).double(), torch.tensor([[0.0], [0.0], [2.0]]).double()
#     one, two = math.exp(-1 / 8), math.exp(-4 / 8)
#     expected = one + (1 + 2 * two) / 3 - 2 * (2 + 3 * one + two) / 6
#     found = unchanged(mmd, x, y, 2.0)
#     torch.testing.assert_close(found, torch.tensor(expected).double(), msg="the formula")
#     many = torch.randn(60, 3).double()
#     other = torch.randn(40, 3).double()
#     near, far = mmd(many, other, 1.0), mmd(many + 1e7, other + 1e7, 1.0)
#     assert abs(near - far) < 1e-6, "digits are lost far from the origin"
#     values = torch.stack([mmd(torch.randn(9, 2), torch.randn(9, 2), 1.0) for _ in range(200)])
#     assert values.min() < 0, "an unbiased estimate is negative now and then"
#     assert abs(values.mean()) < 0.03, "the mean is not zero for equal distributions"
#
#
# @self_check
# def check_frechet():
#     x = torch.randn(50, 3).double()
#     shift = torch.tensor([3.0, 0.0, 4.0]).double()
#     torch.testing.assert_close(unchanged(frechet, x, x + shift), torch.tensor(25.0).double())
#     found = frechet(x - x.mean(0), 2 * (x - x.mean(0)))
#     torch.testing.assert_close(found, x.var(dim=0, correction=0).sum(), msg="roots, and by N")
#     a, b = torch.randn(30, 2).double(), torch.randn(40, 2).double() * torch.tensor([1.0, 4.0])
#     a = a @ torch.tensor([[1.0, 2.0], [0.0, 1.0]]).double()
#     torch.testing.assert_close(frechet(a, b), frechet(b, a), msg="it is symmetric")
#     line = torch.tensor([[1.0], [2.0], [4.0]]).double() @ torch.tensor([[1.0, 1.0]]).double()
#     assert abs(frechet(line, line)) < 1e-6, "singular covariances are allowed"
#     across = line - line.mean(dim=0)
#     across = line.mean(dim=0) + torch.stack([across[:, 0], -across[:, 1]], dim=1)
#     expected = 2 * line.var(dim=0, correction=0).sum()
#     torch.testing.assert_close(frechet(line, across), expected, msg="a root of a whole matrix")
#     assert abs(frechet(line[:1], line[:1] + 1) - 2) < 1e-6, "so is a single point"
#     for _ in range(20):  # rounding makes a zero negative now and then
#         flat = torch.randn(9, 1).double() @ torch.randn(1, 4).double()
#         assert abs(frechet(flat, flat)) < 1e-5, "singular covariances are allowed"
#
#
# @self_check
# def check_coverage():
#     middle = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
#     samples = torch.tensor([[0.0, 1.0], [0.0, 0.5], [10.0, 1.5], [0.5, 0.0]])
#     assert unchanged(coverage, samples, middle, 1.0) == 0.5, "one is astray, one has too many"
#     assert coverage(samples, middle, 2.0) == 0.75
#     assert coverage(samples[:1], middle, 1.0) == 0.5, "one mode of two, at exactly the radius"
#     astray = torch.tensor([[0.0, 0.0], [10.0, 0.0], [5.0, 0.0], [5.0, 9.0]])
#     assert coverage(astray, middle, 1.0) == 0.5, "shares are of all samples"
#     both = torch.tensor([[0.0, 0.0], [10.0, 0.0], [4.0, 0.0], [3.0, 0.0]])
#     assert coverage(both, middle, 9.0) == 0.75, "a sample belongs to one centre"
#     assert isinstance(coverage(both, middle, 9.0), float), "a float"
#
#
# @self_check
# def show_distances():
#     fresh, _ = ring(2000)
#     normal = torch.randn(2000, 2) @ torch.linalg.cholesky(x_ring.T.cov()).T + x_ring.mean(0)
#     one_side = centres[torch.randint(3, (2000,))] + 0.1 * torch.randn(2000, 2)
#     blurred, _ = ring(2000, sigma=0.3)
#     panels = []
#     for name, y in (("fresh", fresh), ("blurred", blurred), ("three modes", one_side),
#                     ("one normal", normal)):
#         numbers = mmd(x_ring[:2000], y, 0.3), frechet(x_ring, y), coverage(y, centres, 0.3)
#         panels.append((f"{name}: MMD² {numbers[0]:.3f}\n"
#                        f"Fréchet {numbers[1]:.2f}, coverage {numbers[2]:.2f}", y))
#     scatter(*panels, size=2.1)

# %% [markdown]
# ## Question 2 (16 points): the game
#
# The **generator** $G$ turns noise $z$ into an example $G(z)$. The **discriminator** $D$ looks at
# an example and says, by a logit $a(x)$, how sure it is that this one is real:
# $D(x) = \sigma(a(x))$. Goodfellow et al. (2014) let them play
#
# $$ \min_G \max_D \; \mathbb E_{x \sim \text{data}} \bigl[ \log D(x) \bigr]
#    + \mathbb E_z \bigl[ \log\bigl(1 - D(G(z))\bigr) \bigr] . $$
#
# So the discriminator minimises
#
# $$ \ell_D = - \frac1N \sum_i \log \sigma(a(x_i)) - \frac1M \sum_j \log\bigl(1 -
#    \sigma(a(G(z_j)))\bigr) , $$
#
# the sum of two means. The generator has the choice between the game as it is (**minimax**, which
# *saturates*) and another loss with the same aim (**non-saturating**):
#
# $$ \ell_G^{\text{minimax}} = \frac1M \sum_j \log\bigl(1 - \sigma(a(G(z_j)))\bigr) , \qquad
#    \ell_G = - \frac1M \sum_j \log \sigma(a(G(z_j))) . $$
#
# Logits may be $\pm 1000$: losses must be right and finite.
#
# **What a perfect discriminator knows.** Let only $K$ different examples exist, with the
# probabilities $p_k$ in the data and $q_k$ from the generator. The best discriminator says
# $D_k = p_k / (p_k + q_k)$, and $\tfrac12$ for what never occurs. With it, the value of the game is
# $2 \operatorname{JS}(p, q) - 2 \log 2$, where
#
# $$ \operatorname{JS}(p, q) = \frac12 \sum_k p_k \log \frac{p_k}{m_k}
#    + \frac12 \sum_k q_k \log \frac{q_k}{m_k} , \qquad m_k = \tfrac12 (p_k + q_k) , $$
#
# is the Jensen–Shannon divergence. Terms with $p_k = 0$ or $q_k = 0$ count as 0.


# %%
def discriminator_loss(real, fake):
    """The discriminator's loss.

    Args:
        real: (N,) logits of real examples, of any size.
        fake: (M,) logits of generated ones.

    Returns:
        A tensor without dimensions.
    """
    # BEGIN SOLUTION
    return F.softplus(-real).mean() + F.softplus(fake).mean()
    # END SOLUTION


def generator_loss(fake, saturating=False):
    """The generator's loss.

    Args:
        fake: (M,) logits of generated examples, of any size.
        saturating: True: the minimax loss; False: the non-saturating one.

    Returns:
        A tensor without dimensions.
    """
    # BEGIN SOLUTION
    return -F.softplus(fake).mean() if saturating else F.softplus(-fake).mean()
    # END SOLUTION


def best_discriminator(p, q):
    """What the best discriminator says of each of K examples.

    Args:
        p: (K,), probabilities in the data; some may be 0.
        q: (K,), probabilities from the generator; some may be 0.

    Returns:
        (K,), from 0 to 1; one half where p and q are both 0.
    """
    # BEGIN SOLUTION
    both = p + q
    return torch.where(both > 0, p / both, 0.5)
    # END SOLUTION


def jensen_shannon(p, q):
    """Jensen–Shannon divergence, in nats.

    Args:
        p: (K,), probabilities; some may be 0.
        q: (K,), probabilities; some may be 0.

    Returns:
        A tensor without dimensions, from 0 to log 2.
    """
    # BEGIN SOLUTION
    middle = (p + q) / 2
    return (torch.xlogy(p, p) + torch.xlogy(q, q) - 2 * torch.xlogy(middle, middle)).sum() / 2
    # END SOLUTION


# %% [markdown]
# **One step of the game.** `gan_step` does this, in this order:
#
# 1. The discriminator takes one step of its optimiser on `discriminator_loss`, for the real
#    examples and for fakes from `z_d`.
# 2. The generator takes one step of its optimiser on the non-saturating `generator_loss`, for fakes
#    from `z_g` and the discriminator *as it is now*.
#
# Each step may use the gradients of its own loss only. Beware of gradients that were left behind:
# the second step's run through the discriminator, and what is in `.grad` when `gan_step` is called
# may be anything. Afterwards all parameters must still ask for gradients, as they did before.


# %%
def gan_step(generator, discriminator, g_optimizer, d_optimizer, real, z_d, z_g):
    """Let the discriminator, then the generator, take one step.

    Args:
        generator: a module, takes (M, Z) noise, returns (M, D).
        discriminator: a module, takes (N, D), returns (N,) logits.
        g_optimizer: has the generator's parameters.
        d_optimizer: has the discriminator's parameters.
        real: (N, D).
        z_d: (M, Z), noise for the discriminator's step.
        z_g: (L, Z), noise for the generator's step.

    Returns:
        (d_loss, g_loss): two floats, each as it was before its own step.
    """
    # BEGIN SOLUTION
    with torch.no_grad():
        fake = generator(z_d)
    d_loss = discriminator_loss(discriminator(real), discriminator(fake))
    d_optimizer.zero_grad()
    d_loss.backward()
    d_optimizer.step()

    g_loss = generator_loss(discriminator(generator(z_g)))
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()
    return d_loss.item(), g_loss.item()
    # END SOLUTION


# %% [markdown]
# Networks, given. The judge uses the same ones. `make_generator()` takes four random normal numbers
# and returns a point of the plane; `make_critic()` takes points, and returns one number for each.


# %%
def make_generator():
    """A generator: takes (N, 4) standard normal noise, returns (N, 2)."""
    return nn.Sequential(
        nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)
    )


def make_critic():
    """A discriminator or critic: takes (N, 2), returns (N,)."""
    return nn.Sequential(
        nn.Linear(2, 64),
        nn.LeakyReLU(0.2),
        nn.Linear(64, 64),
        nn.LeakyReLU(0.2),
        nn.Linear(64, 1),
        nn.Flatten(0),
    )


# %% active="ipynb"
# @self_check
# def check_losses():
#     real = torch.tensor([0.0, math.log(3.0)]).double()
#     fake = torch.tensor([0.0, -math.log(3.0), math.log(3.0)]).double()
#     half, sure, unsure = math.log(2), math.log(4 / 3), math.log(4)
#     expected = (half + sure) / 2 + (half + sure + unsure) / 3
#     found = unchanged(discriminator_loss, real, fake)
#     torch.testing.assert_close(found, torch.tensor(expected).double(), msg="discriminator")
#     third = torch.tensor((half + sure + unsure) / 3).double()
#     torch.testing.assert_close(unchanged(generator_loss, fake), third, msg="non-saturating")
#     torch.testing.assert_close(generator_loss(fake, saturating=True), -third, msg="minimax")
#     assert abs(generator_loss(fake[:2]).item() - (half + unsure) / 2) < 1e-6, "non-saturating"
#     found = generator_loss(fake[:2], saturating=True).item()
#     assert abs(found + (half + sure) / 2) < 1e-6, "minimax"
#     far = torch.tensor([-1000.0, 1000.0])
#     assert discriminator_loss(far, far).item() == 1000, "logits of any size"
#     assert generator_loss(far).item() == 500, "logits of any size"
#     assert generator_loss(far, saturating=True).item() == -500, "logits of any size"
#
#
# @self_check
# def check_best_discriminator():
#     p = torch.tensor([0.5, 0.5, 0.0, 0.0]).double()
#     q = torch.tensor([0.25, 0.0, 0.75, 0.0]).double()
#     best = unchanged(best_discriminator, p, q)
#     torch.testing.assert_close(best, torch.tensor([2 / 3, 1.0, 0.0, 0.5]).double())
#     assert best[1:].tolist() == [1.0, 0.0, 0.5], "certain is certain: nothing is added"
#     js = unchanged(jensen_shannon, p, q)
#     value = 0.5 * math.log(2 / 3) + 0.25 * math.log(1 / 3)
#     assert abs(2 * js.item() - 2 * math.log(2) - value) < 1e-7, "not the value of the game"
#     apart = jensen_shannon(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
#     assert abs(apart - math.log(2)) < 1e-6, "nothing in common: log 2"
#
#
# @self_check
# def check_gan_step():
#     generator, critic = nn.Linear(1, 1).double(), nn.Sequential(nn.Linear(1, 1), nn.Flatten(0))
#     critic = critic.double()
#     for module in (generator, critic):
#         for param, value in zip(module.parameters(), (2.0, -1.0)):
#             param.data.fill_(value)
#             param.grad = torch.full_like(param, 50.0)  # left behind by somebody
#     optimizers = [torch.optim.SGD(m.parameters(), lr=0.1) for m in (generator, critic)]
#     real, z_d = torch.tensor([[1.0], [3.0]]).double(), torch.tensor([[0.5]]).double()
#     z_g = torch.tensor([[1.0], [-1.0]]).double()
#     losses = unchanged(gan_step, generator, critic, *optimizers, real, z_d, z_g)
#     w, b = (torch.tensor(v).double().requires_grad_() for v in (2.0, -1.0))
#     fake = 2 * z_d - 1
#     loss = discriminator_loss((w * real + b)[:, 0], (w * fake + b)[:, 0])
#     slopes = torch.autograd.grad(loss, [w, b])
#     after = [2.0 - 0.1 * slopes[0].item(), -1.0 - 0.1 * slopes[1].item()]
#     found = [param.item() for param in critic.parameters()]
#     assert max(abs(a - f) for a, f in zip(after, found)) < 1e-9, "the discriminator's step"
#     v, c = (torch.tensor(s).double().requires_grad_() for s in (2.0, -1.0))
#     second = generator_loss((after[0] * (v * z_g + c) + after[1])[:, 0])
#     slopes = torch.autograd.grad(second, [v, c])
#     right = [2.0 - 0.1 * slopes[0].item(), -1.0 - 0.1 * slopes[1].item()]
#     found = [param.item() for param in generator.parameters()]
#     assert max(abs(a - f) for a, f in zip(right, found)) < 1e-9, "the generator's step"
#     assert losses == tuple(losses) and all(isinstance(value, float) for value in losses)
#     assert abs(losses[0] - loss.item()) + abs(losses[1] - second.item()) < 1e-9, "the losses"
#     assert all(p.requires_grad for m in (generator, critic) for p in m.parameters())
#
#
# @self_check
# def show_game():
#     generator, critic = make_generator(), make_critic()
#     optimizers = [torch.optim.Adam(m.parameters(), lr=1e-3, betas=(0.5, 0.9))
#                   for m in (generator, critic)]
#     panels = []
#     for step in range(1, 1801):
#         real = x_ring[torch.randint(len(x_ring), (256,))]
#         z_d, z_g = torch.randn(256, 4), torch.randn(256, 4)
#         gan_step(generator, critic, *optimizers, real, z_d, z_g)
#         if step in (300, 600, 900, 1200, 1800):
#             y = generator(torch.randn(2000, 4)).detach()
#             panels.append((f"after {step} steps\ncoverage {coverage(y, centres, 0.3):.2f}", y))
#     scatter(*panels)

# %% [markdown]
# **Written, 4 points.** Answer in the cell below, in five to ten sentences.
#
# 1. Show that $D_k = p_k / (p_k + q_k)$ is best for every $k$, and that the value of the game is
#    then $2 \operatorname{JS} - 2 \log 2$. How do the two losses of the generator change with the
#    logit $a$ of a fake, and why does it matter at the beginning of training?
# 2. The generator of the last figure runs from cloud to cloud, and may end without some of them
#    (run the cell again). Why does nothing in its loss tell it about a cloud that it has left? What
#    does a generator do in $\max_D \min_G$ that it would not do in $\min_G \max_D$, and what has
#    `gan_step` to do with it?

# %% [markdown]
# **Answer q2.**
#
# <!-- BEGIN SOLUTION -->
# 1. For one $k$ the value is $p \log D + q \log(1 - D)$, with the derivative $p / D - q / (1 - D)$,
# which is zero only at $D = p / (p + q)$; the second derivative is negative, so it is the maximum.
# Put in, it is $\sum_k p_k \log \frac{p_k}{2 m_k} + q_k \log \frac{q_k}{2 m_k}$, which is $2
# \operatorname{JS}(p, q) - 2 \log 2$. The derivative of the minimax loss in $a$ is $-\sigma(a)$,
# that of the non-saturating one $-(1 - \sigma(a))$. At the beginning the discriminator sees through
# every fake, $a \ll 0$: the first slope is nearly zero, so that the generator learns nothing just
# where it is worst, and the second is nearly -1.
#
# 2. The loss is a mean over the generator's own samples. It asks whether each of them looks real;
# where it draws no samples nothing is asked, and no gradient comes from there. In $\min_G \max_D$
# the generator must be good against the best discriminator there is for it, which would notice the
# missing mode and call all samples of a mode that is drawn too often fakes. In $\max_D \min_G$ the
# discriminator moves first, and the generator's best answer is to put everything on the point that
# this discriminator finds most real. `gan_step` takes turns with one step each and knows neither of
# the two orders; the longer the generator moves against a discriminator that stands still, the more
# it is the second one, and samples run from mode to mode.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 3 (20 points): a critic with a slope of one
#
# Data and fakes that don't overlap are $\log 2$ apart by Jensen–Shannon, one millimetre away or a
# mile. The **Wasserstein distance** says how far: it is the least work that turns one heap of sand
# into the other. In one dimension it is the area between the two distribution functions,
#
# $$ W_1 = \int_{-\infty}^{\infty} \lvert F_x(s) - F_y(s) \rvert \, ds , \qquad
#    F_x(s) = \frac1N \sum_i [\, x_i \le s \,] . $$
#
# In more dimensions there is a dual form (Kantorovich and Rubinstein): the largest difference of
# means that a function $f$ with slope 1 at most can make,
#
# $$ W_1 = \max_{\lVert f \rVert_L \le 1} \; \mathbb E_{x \sim \text{data}} [f(x)] -
#    \mathbb E_z [f(G(z))] . $$
#
# So take the discriminator's sigmoid away and call it a **critic** $f$ (Arjovsky et al., 2017). How
# is its slope held? Gulrajani et al. (2017) pay a **gradient penalty** for slopes that differ from
# 1, at random points between real examples and fakes:
#
# $$ \hat x_i = u_i x_i + (1 - u_i)\, y_i , \qquad u_i \sim U(0, 1) , \qquad
#    P = \frac1N \sum_i \bigl( \lVert \nabla f(\hat x_i) \rVert - 1 \bigr)^2 , $$
#
# where $x_i$ is real, $y_i$ fake, and each example has one $u_i$, the same for all its numbers. The
# critic minimises
#
# $$ \ell_f = \frac1N \sum_i f(y_i) - \frac1N \sum_i f(x_i) + \lambda P , $$
#
# and the generator $-\frac1M \sum_j f(G(z_j))$.
#
# The penalty has to be differentiated once more, with respect to the critic's parameters
# (`create_graph=True`). Gradients must not reach what made `real` and `fake`: the penalty is about
# the critic alone. `gradient_penalty` itself leaves nothing in any `.grad`. And where the critic is
# flat, the norm has a kink: penalty 1, and no `nan` in any gradient. (`torch.linalg.vector_norm`
# and `Tensor.norm` know that; a root of a sum of squares doesn't.)


# %%
def wasserstein_1d(x, y):
    """The Wasserstein distance between two samples of numbers.

    Args:
        x: (N,), in any order, N at least 1.
        y: (M,), in any order, M at least 1; M need not be N.

    Returns:
        A tensor without dimensions.
    """
    # BEGIN SOLUTION
    x, y = x.sort().values, y.sort().values
    places = torch.cat([x, y]).sort().values
    below_x = torch.searchsorted(x, places[:-1], right=True).to(x.dtype) / len(x)
    below_y = torch.searchsorted(y, places[:-1], right=True).to(x.dtype) / len(y)
    return ((below_x - below_y).abs() * places.diff()).sum()
    # END SOLUTION


def gradient_penalty(critic, real, fake, mix=None):
    """The penalty P for slopes of a critic that are not 1.

    Args:
        critic: a module or function, takes (N, D), returns (N,), each number from its own row.
        real: (N, D).
        fake: (N, D). Both may hang on a graph, as a generator's examples do.
        mix: (N, 1), the shares u of the real examples; if None, drawn from U(0, 1).

    Returns:
        A tensor without dimensions, which can be differentiated with respect to the critic's
        parameters.
    """
    # BEGIN SOLUTION
    if mix is None:
        mix = torch.rand(len(real), 1, dtype=real.dtype)
    between = (mix * real + (1 - mix) * fake).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return ((torch.linalg.vector_norm(slopes, dim=1) - 1) ** 2).mean()
    # END SOLUTION


def critic_loss(critic, real, fake, weight, mix=None):
    """The critic's loss, with its penalty.

    Args:
        critic, real, fake, mix: as for gradient_penalty.
        weight: λ, 0 or more.

    Returns:
        A tensor without dimensions; no gradient reaches what made `real` and `fake`.
    """
    # BEGIN SOLUTION
    real, fake = real.detach(), fake.detach()
    penalty = gradient_penalty(critic, real, fake, mix)
    return critic(fake).mean() - critic(real).mean() + weight * penalty
    # END SOLUTION


# %% [markdown]
# **The goal.** `train_gan` gets points from a ring of eight clouds and returns a
# trained `make_generator()`. The judge draws a ring of its own, turned by any angle, with a radius
# from 1.7 to 2.3 and $\sigma = 0.1$, takes the *weights* of your generator, draws 4000 points from
# it with its own noise and computes the **coverage** with $r = 0.3$. One cloud alone is worth 0.12,
# and samples of the ring itself reach 0.97. From **0.45** on the points grow evenly, to all 7 at
# **0.75**; the reference reaches about 0.87 with a critic as above.
#
# How you train is yours: which loss, how many steps of the critic for each step of the generator,
# optimiser (momentum is harmful in a game: Adam with $\beta_1 = 0.5$ or 0 is usual), a learning
# rate that falls at the end. $\lambda = 10$ is usual for pictures; for these points, a tenth of it
# leaves the critic more freedom. What you return may also be a generator whose weights are a
# *running average* of those of the one that plays ($\bar w \leftarrow 0.99\,\bar w + 0.01\,w$ after
# each step), which does not go round in circles with its adversary. `train_gan` may take 15
# seconds; five are plenty.


# %%
def train_gan(x):
    """Train a generator that draws points like the ones given.

    Args:
        x: (N, 2), float32.

    Returns:
        A make_generator(), trained.
    """
    # BEGIN SOLUTION
    generator, critic = make_generator(), make_critic()
    average = copy.deepcopy(generator)
    rate, steps, batch = 4e-3, 1200, 128
    g_optimizer, d_optimizer = (
        torch.optim.Adam(module.parameters(), lr=rate, betas=(0.5, 0.9))
        for module in (generator, critic)
    )
    for step in range(steps):
        for optimizer in (g_optimizer, d_optimizer):
            optimizer.param_groups[0]["lr"] = rate * min(1, 2 * (1 - step / steps))
        for _ in range(3):
            real = x[torch.randint(len(x), (batch,))]
            with torch.no_grad():
                fake = generator(torch.randn(batch, 4))
            d_optimizer.zero_grad()
            critic_loss(critic, real, fake, 1.0).backward()
            d_optimizer.step()
        g_optimizer.zero_grad()
        (-critic(generator(torch.randn(batch, 4))).mean()).backward()
        g_optimizer.step()
        with torch.no_grad():
            for kept_weight, weight in zip(
                average.parameters(), generator.parameters(), strict=True
            ):
                kept_weight.lerp_(weight, 0.01)
    return average
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_wasserstein_1d():
#     x, y = torch.tensor([3.0, 0.0, 1.0]).double(), torch.tensor([6.0, 2.0, 1.0]).double()
#     found = unchanged(wasserstein_1d, x, y)
#     torch.testing.assert_close(found, torch.tensor(5 / 3).double(), msg="sorted, then matched")
#     x, y = torch.tensor([0.0, 4.0]).double(), torch.tensor([1.0, 1.0, 4.0, 4.0, 4.0]).double()
#     expected = 0.5 * 1 + 0.1 * 3
#     found = wasserstein_1d(x, y)
#     torch.testing.assert_close(found, torch.tensor(expected).double(), msg="of different sizes")
#     x, y = torch.tensor([5.0, 0.0, 2.0, 4.0]).double(), torch.tensor([3.0, 1.0, 2.0]).double()
#     expected = (1 / 4 + 1 / 12 + 1 / 6 + 1 / 2 + 1 / 4) * 1
#     found = wasserstein_1d(x, y)
#     torch.testing.assert_close(found, torch.tensor(expected).double(), msg="all work is work")
#
#
# @self_check
# def check_gradient_penalty():
#     w = torch.tensor([3.0, 4.0]).double().requires_grad_()
#     real, fake = torch.randn(5, 2).double(), torch.randn(5, 2).double().requires_grad_()
#     penalty = unchanged(gradient_penalty, lambda x: x @ w, real, fake)
#     assert abs(penalty.item() - 16) < 1e-9, "the slope is 5 everywhere"
#     (slope,) = torch.autograd.grad(penalty, w)
#     torch.testing.assert_close(slope, 8 * w.detach() / 5, msg="the gradient of the penalty")
#     mix = torch.tensor([[0.0], [0.25], [1.0], [0.5], [0.5]]).double()
#     square = lambda x: (x**2).sum(dim=1) / 2  # its slope at x is x
#     between = mix * real + (1 - mix) * fake.detach()
#     expected = ((between.norm(dim=1) - 1) ** 2).mean()
#     penalty = gradient_penalty(square, real, fake, mix)
#     torch.testing.assert_close(penalty.detach(), expected, msg="at the points between")
#     places, ones = [], torch.ones(50, 2).double()
#     for _ in range(2):
#         gradient_penalty(lambda x: places.append(x.detach()) or square(x), 0 * ones, ones)
#     asked = torch.cat(places)
#     assert asked[:50].std() > 0.01, "each example has its own share"
#     torch.testing.assert_close(asked[:, 0], asked[:, 1], msg="one share per example")
#     assert 0 <= asked.min() and asked.max() <= 1, "points between, no others"
#     assert not torch.equal(asked[:50], asked[50:]), "new shares at each call"
#     sources = [torch.randn(5, 2).double().requires_grad_() for _ in range(2)]
#     made = [source * 1.0 for source in sources]
#     curved = lambda x: (x**2 * w).sum(dim=1)
#     both = gradient_penalty(curved, *made)
#     assert all(v.grad is None for v in (w, *sources)), "the call leaves nothing in .grad"
#     (both + critic_loss(curved, *made, 1.0)).backward()
#     assert all(v.grad is None for v in sources), "no gradient reaches what made the examples"
#     flat = torch.zeros(2).double().requires_grad_()
#     penalty = gradient_penalty(lambda x: x @ flat, real, fake)
#     (slope,) = torch.autograd.grad(penalty, flat)
#     assert penalty.item() == 1 and slope.isfinite().all(), "a flat critic"
#
#
# @self_check
# def check_critic_loss():
#     real, fake = torch.tensor([[3.0], [5.0]]).double(), torch.tensor([[1.0], [2.0]]).double()
#     slope = torch.tensor(3.0).double().requires_grad_()
#     loss = unchanged(critic_loss, lambda x: slope * x[:, 0], real, fake, 0.5)
#     assert abs(loss.item() - (4.5 - 12 + 0.5 * 4)) < 1e-9, "low for fakes, high for real ones"
#     (found,) = torch.autograd.grad(loss, slope)
#     assert abs(found.item() - (1.5 - 4 + 0.5 * 4)) < 1e-9, "its gradient, the penalty's included"
#     square, mix = lambda x: x[:, 0] ** 2, torch.tensor([[0.25], [0.5]]).double()
#     penalty = gradient_penalty(square, real, fake, mix)
#     found = critic_loss(square, real, fake, 2.0, mix)
#     torch.testing.assert_close(found, 2.5 - 17 + 2 * penalty, msg="with the given shares")
#
#
# @self_check
# def show_gan():
#     turned, middle = ring(4096, turn=0.3)
#     generator = train_gan(turned)
#     y = generator(torch.randn(4000, 4)).detach()
#     found = coverage(y, middle, 0.3)
#     print(f"coverage {found:.3f}, MMD² {mmd(turned[:2000], y[:2000], 0.3):.4f}, "
#           f"Fréchet {frechet(turned, y):.4f}")
#     kept.update({"ring": turned, "from your GAN": y})
#     scatter(("ring", turned), (f"from your GAN\ncoverage {found:.2f}", y))
#     shapes = [tuple(p.shape) for p in make_generator().parameters()]
#     assert [tuple(p.shape) for p in generator.parameters()] == shapes, "a make_generator()"
#     assert found > 0.77, "there is more to gain"

# %% [markdown]
# **Written, 4 points.** Answer in the cell below, in five to ten sentences.
#
# 1. All data are at 0, and all samples of the generator at $\theta$, on a line. What are
#    $\operatorname{JS}$ and $W_1$ as functions of $\theta$, and what do their slopes tell the
#    generator? Which $f$ is the best critic, and what is its slope between 0 and $\theta$?
# 2. Look at the figure of Question 1. Which of the three measures is blind to what, and why? Name a
#    set of samples that all three like, although it is worthless.

# %% [markdown]
# **Answer q3.**
#
# <!-- BEGIN SOLUTION -->
# 1. JS is $\log 2$ for every $\theta \ne 0$ and 0 at 0: its slope is zero wherever it exists, so
# the generator is told nothing. $W_1 = \lvert \theta \rvert$, with the slope $\pm 1$: it always
# says in which direction to go. The best critic has $f(0) - f(\theta) = \lvert \theta \rvert$ and
# no slope above 1, for example $f(s) = -\operatorname{sign}(\theta)\, s$; between 0 and $\theta$
# its slope must be of size 1 everywhere, which is why the penalty asks for 1, not for at most 1,
# and why it asks on the lines between data and fakes.
#
# 2. The Fréchet distance sees means and covariances alone: a single normal distribution with those
# of the ring is at distance 0, though nearly none of its samples is near any mode. The MMD sees
# what happens at the scale of its kernel: differences much finer than $h$ are smoothed away, and
# with an $h$ far too small all points are strangers to each other, the data included. Coverage
# needs to know the modes, and does not see the shape of a cloud (all samples at the centre, or on a
# circle of radius $r$, are as good as any). All three like a copy of the training examples, which
# is worthless: no new example is made. To notice, compare with held-out data, or look for nearest
# neighbours in the training set.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 4 (12 points): from data to noise
#
# A diffusion model (Sohl-Dickstein et al., 2015; Ho, Jain and Abbeel, 2020) has no adversary. It
# begins with a way of destroying examples that needs no learning at all. Take $T$ steps. Each
# shrinks the example a little and adds a little noise:
#
# $$ x_t = \sqrt{1 - \beta_t}\; x_{t-1} + \sqrt{\beta_t}\; \varepsilon_t , \qquad
#    \varepsilon_t \sim \mathcal N(0, I) . $$
#
# Mind how steps are counted here, **from 0 as in Python**: the clean example $x$ is turned into
# $x_0$ by $\beta_0$, and $x_{T-1}$ is the last and noisiest. With $\alpha_t = 1 - \beta_t$ and
#
# $$ \bar\alpha_t = \prod_{s=0}^{t} \alpha_s , \qquad \bar\alpha_{-1} = 1 , $$
#
# all steps up to $t$ can be taken at once:
#
# $$ x_t = \sqrt{\bar\alpha_t}\; x + \sqrt{1 - \bar\alpha_t}\; \varepsilon , \qquad
#    \varepsilon \sim \mathcal N(0, I) . $$
#
# **Schedules.** Ho et al. let $\beta_t$ grow evenly from a first to a last value. Nichol and
# Dhariwal (2021) choose $\bar\alpha$ instead, a cosine that leaves neither end in a hurry: with
# $s = 0.008$ and
#
# $$ g(u) = \cos^2\Bigl( \frac{u / T + s}{1 + s} \cdot \frac{\pi}{2} \Bigr) , \qquad
#    \beta_t = \min\Bigl( 1 - \frac{g(t + 1)}{g(t)} , \; 0.999 \Bigr) , \qquad t = 0, \dots, T - 1 .
# $$
#
# Schedules are computed in `float64`, whatever the examples are.
#
# **One step back, if we knew the clean example.** Given $x_t$ and $x$, what was $x_{t-1}$? By
# Bayes' rule it is normal again, with
#
# $$ \text{mean} \; \frac{\sqrt{\bar\alpha_{t-1}}\, \beta_t}{1 - \bar\alpha_t}\, x
#    + \frac{\sqrt{\alpha_t}\, (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t}\, x_t
#    \qquad \text{and variance} \quad
#    \tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t}\, \beta_t $$
#
# for each of its numbers. For $t = 0$ this is the clean example itself, with variance 0.


# %%
def linear_betas(steps, first=1e-4, last=0.02):
    """A schedule that grows evenly.

    Args:
        steps: T, at least 1.
        first: β of the first step.
        last: β of the last step; a schedule of one step has `first`.

    Returns:
        (T,), float64.
    """
    # BEGIN SOLUTION
    return torch.linspace(first, last, steps, dtype=torch.float64)
    # END SOLUTION


def cosine_betas(steps, s=0.008):
    """The schedule of Nichol and Dhariwal.

    Args:
        steps: T, at least 1.
        s: the offset.

    Returns:
        (T,), float64, at most 0.999.
    """
    # BEGIN SOLUTION
    u = torch.arange(steps + 1, dtype=torch.float64) / steps
    g = ((u + s) / (1 + s) * math.pi / 2).cos() ** 2
    return (1 - g[1:] / g[:-1]).clamp(max=0.999)
    # END SOLUTION


def products(betas):
    """ᾱ of each step.

    Args:
        betas: (T,).

    Returns:
        (T,), of the dtype of betas.
    """
    # BEGIN SOLUTION
    return (1 - betas).cumprod(dim=0)
    # END SOLUTION


def add_noise(x, t, alpha_bars, noise=None):
    """Take all steps from clean examples to step t at once.

    Args:
        x: (N, ...), clean examples, with one or more dimensions after the first.
        t: (N,), int64, from 0 to T - 1: the step of each example.
        alpha_bars: (T,), float64, whatever the dtype of x.
        noise: ε, of the shape of x; if None, drawn from the standard normal distribution.

    Returns:
        x_t, of the shape and the dtype of x.
    """
    # BEGIN SOLUTION
    noise = torch.randn_like(x) if noise is None else noise
    kept_share = alpha_bars[t].reshape(-1, *[1] * (x.dim() - 1))
    return kept_share.sqrt().to(x.dtype) * x + (1 - kept_share).sqrt().to(x.dtype) * noise
    # END SOLUTION


def posterior(x, x_t, t, betas):
    """Where x_{t-1} was, given the clean example and x_t.

    Args:
        x: (N, ...), clean examples, with one or more dimensions after the first.
        x_t: of the shape of x.
        t: (N,), int64, from 0 to T - 1.
        betas: (T,), float64, whatever the dtype of x.

    Returns:
        (mean, variance): of the shape of x, and (N,); both of the dtype of x.
    """
    # BEGIN SOLUTION
    after = products(betas)
    before = torch.cat([after.new_ones(1), after[:-1]])[t]
    beta, after = betas[t], after[t]
    of_x = before.sqrt() * beta / (1 - after)
    of_x_t = (1 - beta).sqrt() * (1 - before) / (1 - after)
    variance = (1 - before) / (1 - after) * beta
    shape = (-1, *[1] * (x.dim() - 1))
    of_x, of_x_t = of_x.to(x.dtype).reshape(shape), of_x_t.to(x.dtype).reshape(shape)
    return of_x * x + of_x_t * x_t, variance.to(x.dtype)
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_schedules():
#     torch.testing.assert_close(linear_betas(3, 0.1, 0.5), torch.tensor([0.1, 0.3, 0.5]).double())
#     assert linear_betas(1, 0.1, 0.5).tolist() == [0.1], "one step: the first value"
#     first, *_, last = linear_betas(1000).tolist()
#     assert abs(first - 1e-4) + abs(last - 0.02) < 1e-12, "in float64 throughout"
#     betas = cosine_betas(50)
#     assert betas.shape == (50,) and betas.dtype == torch.float64
#     assert betas[-1] == 0.999, "the last step would end in β = 1"
#     assert 3e-5 < cosine_betas(1000)[0] < 5e-5, "there is no other cap"
#     assert 4e-3 < cosine_betas(100, 0.1)[0] < 5e-3, "s is an argument"
#     middle = torch.cos(torch.tensor((0.5 + 0.008) / 1.008 * math.pi / 2)) ** 2
#     start = torch.cos(torch.tensor(0.008 / 1.008 * math.pi / 2)) ** 2
#     found = unchanged(products, betas)
#     assert abs(found[24] - middle / start) < 1e-6, "half of the steps: g(T/2) / g(0)"
#     torch.testing.assert_close(products(torch.tensor([0.5, 0.2])), torch.tensor([0.5, 0.4]))
#
#
# @self_check
# def check_add_noise():
#     alpha_bars = torch.tensor([0.64, 0.36], dtype=torch.float64)
#     x, noise = torch.ones(2, 3), torch.tensor([[1.0] * 3, [2.0] * 3])
#     found = unchanged(add_noise, x, torch.tensor([1, 0]), alpha_bars, noise)
#     assert found.dtype == torch.float32, "float32 in, float32 out"
#     expected = torch.tensor([[0.6 + 0.8] * 3, [0.8 + 1.2] * 3])
#     torch.testing.assert_close(found, expected)
#     found = add_noise(x.double(), torch.tensor([1, 0]), alpha_bars, noise.double())
#     exact = torch.tensor([[1.4] * 3, [2.0] * 3], dtype=torch.float64)
#     torch.testing.assert_close(found, exact, rtol=0, atol=1e-12, msg="float64 in, float64 out")
#     many = add_noise(torch.ones(5000, 2, 1), torch.ones(5000).long(), alpha_bars)
#     assert many.shape == (5000, 2, 1), "pictures have more dimensions"
#     assert abs(many.mean() - 0.6) < 0.06 and abs(many.std() - 0.8) < 0.05
#
#
# @self_check
# def check_posterior():
#     betas = torch.tensor([0.1, 0.3, 0.5]).double()
#     x, x_t = torch.randn(3, 2).double(), torch.randn(3, 2).double()
#     mean, variance = unchanged(posterior, x, x_t, torch.tensor([0, 1, 2]), betas)
#     assert mean.shape == (3, 2) and variance.shape == (3,)
#     torch.testing.assert_close(mean[0], x[0], msg="t = 0: the clean example")
#     assert abs(variance[0]) < 1e-9, "t = 0: no doubt"
#     # Two opinions on x_1, from x and from x_2: each counts by one over its variance.
#     of_x, of_x_t = 1 / (1 - 0.9 * 0.7), 0.5 / 0.5
#     both = of_x + of_x_t
#     expected = (of_x * 0.63**0.5 * x[2] + of_x_t * x_t[2] / 0.5**0.5) / both
#     torch.testing.assert_close(mean[2], expected, rtol=0, atol=1e-6, msg="the mean")
#     assert abs(variance[2] - 1 / both) < 1e-6, "the variance"
#     single = posterior(x.float(), x_t.float(), torch.tensor([0, 1, 2]), betas)
#     assert all(part.dtype == torch.float32 for part in single), "float32 in, float32 out"
#     pictures, variance = posterior(x[..., None], x_t[..., None], torch.tensor([0, 1, 2]), betas)
#     torch.testing.assert_close(pictures, mean[..., None], msg="pictures have more dimensions")
#     assert variance.shape == (3,)
#
#
# @self_check
# def show_destruction():
#     times = (0, 5, 15, 30, 99)
#     betas = {"linear": linear_betas(100, 5e-4, 0.08), "cosine": cosine_betas(100)}
#     panels = []
#     for t in times:
#         steps = torch.full((len(x_spiral),), t)
#         row = add_noise(x_spiral, steps, products(betas["linear"]))
#         assert row.shape == x_spiral.shape
#         panels.append((f"t = {t}", row))
#     kept.update(panels)
#     scatter(*panels)
#     figure, axis = plt.subplots(figsize=(3.5, 2.2), layout="constrained")
#     for name, schedule in betas.items():
#         axis.plot(products(schedule), label=name)
#     axis.set(xlabel="t", ylabel="ᾱ")
#     axis.legend()
#     plt.show()

# %% [markdown]
# ## Question 5 (15 points): guess the noise
#
# On the way back nobody knows the clean example, so a network has to guess. It could guess $x$, or
# $x_{t-1}$; what works best is to guess the noise. A network $\hat\varepsilon(x_t, t)$ that sees
# the noisy example and the step minimises
#
# $$ \mathbb E_{x,\, t,\, \varepsilon} \; \bigl\lVert \hat\varepsilon\bigl( \sqrt{\bar\alpha_t}\, x
#    + \sqrt{1 - \bar\alpha_t}\, \varepsilon, \; t \bigr) - \varepsilon \bigr\rVert^2 , $$
#
# with $t$ drawn evenly from $0, \dots, T - 1$, for each example on its own. As a loss, take the
# *mean* of the squared errors over all numbers of the batch. Whoever knows the noise knows the
# clean example:
#
# $$ \hat x = \frac{x_t - \sqrt{1 - \bar\alpha_t}\; \hat\varepsilon}{\sqrt{\bar\alpha_t}} . $$
#
# **The best guess there is.** If the data are just $M$ points $d_1, \dots, d_M$, equally likely,
# the best network can be written down. Given $x_t$, the point $d_m$ has the weight
#
# $$ w_m \propto \exp\Bigl( - \frac{\lVert x_t - \sqrt{\bar\alpha_t}\, d_m \rVert^2}
#    {2\, (1 - \bar\alpha_t)} \Bigr) , \qquad \sum_m w_m = 1 , $$
#
# so the expected clean example is $\sum_m w_m d_m$, and the expected noise follows from it by the
# formula above, solved for $\hat\varepsilon$. For small $t$ the exponents are huge. The weights
# must still add up to 1.


# %%
def estimate_clean(x_t, t, noise, alpha_bars):
    """The clean examples, from noisy ones and a guess of the noise.

    Args:
        x_t: (N, ...), with one or more dimensions after the first.
        t: (N,), int64, from 0 to T - 1.
        noise: ε̂, of the shape of x_t.
        alpha_bars: (T,), float64, whatever the dtype of x_t.

    Returns:
        x̂, of the shape and the dtype of x_t.
    """
    # BEGIN SOLUTION
    kept_share = alpha_bars[t].reshape(-1, *[1] * (x_t.dim() - 1))
    clean = x_t - (1 - kept_share).sqrt().to(x_t.dtype) * noise
    return clean / kept_share.sqrt().to(x_t.dtype)
    # END SOLUTION


def ddpm_loss(model, x, alpha_bars, t=None, noise=None):
    """The mean squared error of a guess of the noise.

    Args:
        model: takes (x_t, t), of the shapes (N, ...) and (N,), and returns the shape of x_t.
        x: (N, ...), clean examples, with one or more dimensions after the first.
        alpha_bars: (T,), float64, whatever the dtype of x.
        t: (N,), int64; if None, drawn evenly from 0 to T - 1 for each example.
        noise: ε, of the shape of x; if None, drawn from the standard normal distribution.

    Returns:
        A tensor without dimensions.
    """
    # BEGIN SOLUTION
    t = torch.randint(len(alpha_bars), (len(x),)) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    return ((model(add_noise(x, t, alpha_bars, noise), t) - noise) ** 2).mean()
    # END SOLUTION


def ideal_noise(x_t, t, data, alpha_bars):
    """The expected noise in x_t if the data are M points, equally likely.

    Args:
        x_t: (N, D).
        t: (N,), int64, from 0 to T - 1.
        data: (M, D).
        alpha_bars: (T,), float64, whatever the dtype of x_t; all below 1.

    Returns:
        (N, D), of the dtype of x_t.
    """
    # BEGIN SOLUTION
    kept_share = alpha_bars[t][:, None].to(x_t.dtype)
    gaps = x_t[:, None] - kept_share[..., None].sqrt() * data[None]
    weights = (-(gaps**2).sum(dim=-1) / (2 * (1 - kept_share))).softmax(dim=1)
    return (x_t - kept_share.sqrt() * (weights @ data)) / (1 - kept_share).sqrt()
    # END SOLUTION


# %% [markdown]
# A network, given; the judge uses the same one. It sees the step through sines and cosines of
# many frequencies, as a transformer sees positions.


# %%
class Denoiser(nn.Module):
    """Guesses the noise in points of the plane: takes (N, 2) and (N,) int64, returns (N, 2)."""

    def __init__(self):
        super().__init__()
        self.register_buffer("rates", 1e4 ** (-torch.arange(8) / 8), persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(2 + 16, 128),
            nn.SiLU(),
            nn.Linear(128, 128),
            nn.SiLU(),
            nn.Linear(128, 128),
            nn.SiLU(),
            nn.Linear(128, 2),
        )

    def forward(self, x, t):
        angles = t[:, None] * self.rates
        return self.layers(torch.cat([x, angles.sin(), angles.cos()], dim=1))


# %% [markdown]
# **The goal.** `train_diffusion` gets points of a spiral and a schedule, and returns
# a trained `Denoiser()`. The judge draws a spiral as `spiral` does, turned by any angle, perhaps
# mirrored, and calls `train_diffusion(x, alpha_bars)` with 4096 points and the $\bar\alpha$ of
# `linear_betas(100, 5e-4, 0.08)`. It takes the *weights*, walks back from noise by itself, all 100
# steps as in Question 6, draws 2000 points and computes $\operatorname{MMD}^2$ with $h = 0.15$ to
# 2000 points of the spiral that you have never seen. Points of the spiral itself have about 0.0000,
# a normal distribution with its mean and covariance 0.025. From **0.02** on the points grow evenly
# as the number falls, to all 6 at **0.004**; the reference reaches about 0.0007.
#
# How you train is yours: optimiser, batches, a learning rate that begins high and falls to zero,
# how long. There is no adversary and nothing to balance; the loss just goes down, though not to
# zero. `train_diffusion` may take 15 seconds; four are plenty.


# %%
def train_diffusion(x, alpha_bars):
    """Train a network that guesses the noise.

    Args:
        x: (N, 2), float32, clean examples.
        alpha_bars: (T,), float64.

    Returns:
        A Denoiser(), trained.
    """
    # BEGIN SOLUTION
    model, steps = Denoiser(), 2000
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        batch = x[torch.randint(len(x), (256,))]
        optimizer.zero_grad()
        ddpm_loss(model, batch, alpha_bars).backward()
        optimizer.step()
        schedule.step()
    return model
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_estimate_clean():
#     alpha_bars = torch.tensor([0.9, 0.25, 0.04]).double()
#     x, noise = torch.randn(3, 2, 4), torch.randn(3, 2, 4)
#     t = torch.tensor([2, 0, 1])
#     x_t = add_noise(x, t, alpha_bars, noise)
#     found = unchanged(estimate_clean, x_t, t, noise, alpha_bars)
#     torch.testing.assert_close(found, x, atol=1e-4, rtol=1e-4)
#
#
# @self_check
# def check_ddpm_loss():
#     alpha_bars = torch.tensor([0.9, 0.5, 0.1]).double()
#     x, t = torch.randn(4, 3).double(), torch.tensor([0, 2, 1, 0])
#     noise = torch.randn(4, 3).double()
#     seen = []
#     model = lambda x_t, t: seen.append((x_t, t)) or 0.5 * x_t
#     found = unchanged(ddpm_loss, model, x, alpha_bars, t, noise)
#     x_t = add_noise(x, t, alpha_bars, noise)
#     expected = ((0.5 * x_t - noise) ** 2).mean()
#     torch.testing.assert_close(found, expected, msg="the mean over all numbers")
#     assert torch.equal(seen[0][1], t), "the model sees t"
#     torch.testing.assert_close(seen[0][0], x_t, msg="the model sees x_t")
#     weight = torch.tensor(0.5).double().requires_grad_()
#     loss = ddpm_loss(lambda x_t, t: weight * x_t, x, alpha_bars, t, noise)
#     (slope,) = torch.autograd.grad(loss, weight, allow_unused=True)
#     assert slope is not None, "the model is to learn from it"
#     torch.testing.assert_close(slope, (2 * (0.5 * x_t - noise) * x_t).mean(), msg="its gradient")
#     nothing = lambda x_t, t: seen.append((x_t, t)) or 0 * x_t
#     found = ddpm_loss(nothing, torch.zeros(3000, 2), alpha_bars)
#     assert abs(found - 1) < 0.1, "guessing nothing costs 1"
#     x_t, t = seen[-1]
#     assert t.shape == (3000,) and t.dtype == torch.int64
#     counts = t.bincount(minlength=3)
#     assert len(counts) == 3 and counts.min() > 800, "each step is as likely as the others"
#     size = x_t.square().mean(dim=1)
#     assert abs(size[t == 0].mean() - 0.1) < 0.03, "each example has its own step"
#
#
# @self_check
# def check_ideal_noise():
#     alpha_bars = torch.tensor([0.999999, 0.5]).double()
#     data = torch.tensor([[1.0, 0.0], [-1.0, 0.0]]).double()
#     x_t = torch.tensor([[0.3, 0.2], [9.0, 7.0]]).double()
#     found = unchanged(ideal_noise, x_t, torch.tensor([1, 0]), data, alpha_bars)
#     clean = math.tanh(0.3 * 0.5**0.5 / 0.5)
#     expected = (x_t[0] - 0.5**0.5 * torch.tensor([clean, 0.0])) / 0.5**0.5
#     torch.testing.assert_close(found[0], expected.double(), msg="weights of the two points")
#     back = estimate_clean(x_t, torch.tensor([1, 0]), found, alpha_bars)
#     torch.testing.assert_close(back[1], data[0], msg="the nearest point takes it all")
#     single = ideal_noise(x_t.float(), torch.tensor([1, 0]), data.float(), alpha_bars)
#     assert single.dtype == torch.float32, "float32 in, float32 out"
#
#
# @self_check
# def check_train_diffusion():
#     alpha_bars = products(linear_betas(100, 5e-4, 0.08))
#     x = spiral(4096, turn=1.0)
#     model = train_diffusion(x, alpha_bars)
#     kept["model"] = model
#     unseen = spiral(20000, turn=1.0)
#     with torch.no_grad():
#         loss = ddpm_loss(model, unseen, alpha_bars).item()
#         t, noise = torch.randint(100, (2000,)), torch.randn(2000, 2)
#         x_t = add_noise(unseen[:2000], t, alpha_bars, noise)
#         best = (ideal_noise(x_t, t, x, alpha_bars) - noise).square().mean().item()
#     print(f"loss {loss:.3f} for new points; ideal_noise of your 4096 points: about {best:.3f}")
#     assert isinstance(model, Denoiser), "a Denoiser"
#     assert loss < 0.385, "there is more to gain"

# %% [markdown]
# ## Question 6 (17 points): the way back
#
# Begin with pure noise $x_{T-1} \sim \mathcal N(0, I)$, and take one step back after the other. If
# the guess of the noise were the truth, $x_{t-1}$ would be normal, as in Question 4. Putting
# $\hat x$ into that mean and tidying up gives the **ancestral step** of Ho et al.,
#
# $$ x_{t-1} = \frac{1}{\sqrt{\alpha_t}} \Bigl( x_t - \frac{\beta_t}{\sqrt{1 - \bar\alpha_t}}\,
#    \hat\varepsilon(x_t, t) \Bigr) + \sqrt{\tilde\beta_t}\; \varepsilon , \qquad
#    \tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t}\, \beta_t . $$
#
# For $t = 0$ no noise is added, and the result is the new example. A hundred steps for one point:
# that is what a GAN does in one.
#
# **DDIM** (Song, Meng and Ermon, 2021) takes fewer. From step $t$ it goes to *any* earlier step
# $t'$, by guessing the clean example and adding noise to it again; but most of that noise is the
# one it has just guessed:
#
# $$ x_{t'} = \sqrt{\bar\alpha_{t'}}\; \hat x + \sqrt{1 - \bar\alpha_{t'} - \sigma^2}\;
#    \hat\varepsilon + \sigma\, \varepsilon , \qquad
#    \sigma = \eta \sqrt{\frac{1 - \bar\alpha_{t'}}{1 - \bar\alpha_t}}
#    \sqrt{1 - \frac{\bar\alpha_t}{\bar\alpha_{t'}}} . $$
#
# With $\eta = 0$ nothing is drawn on the way: an example is a function of the noise that it came
# from. With $\eta = 1$ and $t' = t - 1$ it is the ancestral step. The last step leads to $t' = -1$,
# where $\bar\alpha_{-1} = 1$.
#
# All examples of a batch are at the same step here, so `t` is a Python `int` in the two step
# functions. The model still wants one step for each example.


# %%
def ddpm_step(x_t, t, noise_guess, betas, noise=None):
    """One ancestral step, from x_t to x_{t-1}.

    Args:
        x_t: (N, ...).
        t: an int from 0 to T - 1.
        noise_guess: ε̂, of the shape of x_t.
        betas: (T,), float64, whatever the dtype of x_t.
        noise: ε, of the shape of x_t; if None, drawn. For t = 0 it is not used.

    Returns:
        x_{t-1}, of the shape and the dtype of x_t.
    """
    # BEGIN SOLUTION
    alpha_bars = products(betas)
    beta, after = betas[t].item(), alpha_bars[t].item()
    mean = (x_t - beta / math.sqrt(1 - after) * noise_guess) / math.sqrt(1 - beta)
    if t == 0:
        return mean
    noise = torch.randn_like(x_t) if noise is None else noise
    return mean + math.sqrt((1 - alpha_bars[t - 1].item()) / (1 - after) * beta) * noise
    # END SOLUTION


def ddpm_sample(model, n, size, betas):
    """Draw new examples by all T steps.

    Args:
        model: takes (x_t, t), of the shapes (n, D) float32 and (n,) int64; returns (n, D).
        n: how many.
        size: D.
        betas: (T,), float64.

    Returns:
        (n, D), float32, without a graph.
    """
    # BEGIN SOLUTION
    x = torch.randn(n, size)
    with torch.no_grad():
        for t in reversed(range(len(betas))):
            x = ddpm_step(x, t, model(x, torch.full((n,), t)), betas)
    return x
    # END SOLUTION


def ddim_step(x_t, t, earlier, noise_guess, alpha_bars, eta=0.0, noise=None):
    """One step of DDIM, from step t to an earlier one.

    Args:
        x_t: (N, ...).
        t: an int from 0 to T - 1.
        earlier: t', an int from -1 to t - 1; -1 is the clean example.
        noise_guess: ε̂, of the shape of x_t.
        alpha_bars: (T,), float64, whatever the dtype of x_t.
        eta: η, from 0 to 1.
        noise: ε, of the shape of x_t; if None, drawn.

    Returns:
        x_{t'}, of the shape and the dtype of x_t.
    """
    # BEGIN SOLUTION
    now = alpha_bars[t].item()
    then = 1.0 if earlier < 0 else alpha_bars[earlier].item()
    clean = (x_t - math.sqrt(1 - now) * noise_guess) / math.sqrt(now)
    sigma = eta * math.sqrt((1 - then) / (1 - now) * (1 - now / then))
    noise = torch.randn_like(x_t) if noise is None else noise
    known = math.sqrt(1 - then - sigma**2) * noise_guess
    return math.sqrt(then) * clean + known + sigma * noise
    # END SOLUTION


def ddim_sample(model, start, times, alpha_bars):
    """Turn noise into examples by DDIM with η = 0.

    Args:
        model: takes (x_t, t), of the shapes (N, D) and (N,) int64; returns (N, D).
        start: (N, D), the noise at step times[0].
        times: a list of ints, falling, at least one: the steps at which the model is asked. From
            the last of them the way leads to the clean example.
        alpha_bars: (T,), float64, whatever the dtype of start.

    Returns:
        (N, D), of the dtype of start, without a graph.
    """
    # BEGIN SOLUTION
    x = start
    with torch.no_grad():
        for t, earlier in zip(times, [*times[1:], -1], strict=True):
            guess = model(x, torch.full((len(x),), t))
            x = ddim_step(x, t, earlier, guess, alpha_bars)
    return x
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_ddpm_step():
#     betas = torch.tensor([0.1, 0.3, 0.5]).double()
#     x_t, guess = torch.randn(4, 2).double(), torch.randn(4, 2).double()
#     for t in range(3):
#         noise = torch.randn(4, 2).double()
#         found = unchanged(ddpm_step, x_t, t, guess, betas, noise)
#         steps = torch.full((4,), t)
#         clean = estimate_clean(x_t, steps, guess, products(betas))
#         mean, variance = posterior(clean, x_t, steps, betas)
#         right = mean + variance[:, None].sqrt() * noise
#         torch.testing.assert_close(found, right, msg=f"t = {t}: see Question 4")
#     assert ddpm_step(x_t.float(), 1, guess.float(), betas).dtype == torch.float32
#     assert not torch.equal(ddpm_step(x_t, 1, guess, betas), ddpm_step(x_t, 1, guess, betas))
#     same = torch.zeros(4, 2).double()
#     assert len(ddpm_step(same, 1, same, betas).unique()) == 8, "noise for each number of its own"
#
#
# @self_check
# def check_ddim_step():
#     betas = torch.tensor([0.1, 0.3, 0.5]).double()
#     alpha_bars = products(betas)
#     x_t, guess = torch.randn(4, 2).double(), torch.randn(4, 2).double()
#     for t in range(3):
#         noise = torch.randn(4, 2).double()
#         found = unchanged(ddim_step, x_t, t, t - 1, guess, alpha_bars, 1.0, noise)
#         right = ddpm_step(x_t, t, guess, betas, noise)
#         torch.testing.assert_close(found, right, msg=f"η = 1 and t = {t}: the ancestral step")
#     clean = torch.randn(4, 2).double()
#     x_t = add_noise(clean, torch.full((4,), 2), alpha_bars, guess)
#     found = ddim_step(x_t, 2, 0, guess, alpha_bars)
#     right = add_noise(clean, torch.full((4,), 0), alpha_bars, guess)
#     torch.testing.assert_close(found, right, msg="η = 0: the same noise, less of it")
#     torch.testing.assert_close(ddim_step(x_t, 2, -1, guess, alpha_bars), clean, msg="to the end")
#     nothing, noise = torch.zeros(4, 2).double(), torch.randn(4, 2).double()
#     half, full = (ddim_step(nothing, 2, 0, nothing, alpha_bars, eta, noise) for eta in (0.5, 1.0))
#     torch.testing.assert_close(2 * half, full, msg="half of η, half of σ")
#     drawn = [ddim_step(x_t, 2, 0, guess, alpha_bars, 1.0) for _ in range(2)]
#     assert not torch.equal(*drawn), "noise that is not given is drawn"
#     single = ddim_step(x_t.float(), 2, 0, guess.float(), alpha_bars)
#     assert single.dtype == torch.float32, "float32 in, float32 out"
#
#
# @self_check
# def check_samplers():
#     alpha_bars = products(cosine_betas(20))
#     weight = torch.ones((), requires_grad=True)
#     asked, inputs = [], []
#
#     def model(x, t):  # the best guess if the data are normal, with mean 3 and deviation 0.5
#         asked.append(t.tolist())
#         inputs.append(x.detach().clone())
#         a = alpha_bars[t][:, None].to(x.dtype)
#         return weight * (1 - a).sqrt() * (x - 3 * a.sqrt()) / (0.25 * a + 1 - a)
#
#     found = ddpm_sample(model, 4000, 2, cosine_betas(20))
#     assert found.shape == (4000, 2) and found.dtype == torch.float32
#     assert not found.requires_grad, "a sample hangs on no graph"
#     assert asked == [[t] * 4000 for t in reversed(range(20))], "each step once, for all examples"
#     assert abs(found.mean() - 3) < 0.1 and 0.35 < found.std() < 0.55
#     assert abs(inputs[0].mean()) < 0.1 and abs(inputs[0].std() - 1) < 0.1, "from normal noise"
#     assert not torch.equal(ddpm_sample(model, 4000, 2, cosine_betas(20)), found), "new ones"
#     asked.clear()
#     start = torch.randn(4000, 2)
#     found = unchanged(ddim_sample, model, start, [19, 12, 5], alpha_bars)
#     assert asked == [[19] * 4000, [12] * 4000, [5] * 4000], "these steps, and no other"
#     assert not found.requires_grad, "a sample hangs on no graph"
#     assert torch.equal(ddim_sample(model, start, [19, 12, 5], alpha_bars), found), "no dice"
#     assert abs(found.mean() - 3) < 0.1 and found.std() < 0.8
#     three = torch.tensor(3.0).double()  # all data are there: this model knows the noise
#     knows = lambda x, t: (x - three * alpha_bars[t[0]].sqrt()) / (1 - alpha_bars[t[0]]).sqrt()
#     times = [19, 12, 5]
#     found = ddim_sample(knows, start.double(), times, alpha_bars)
#     torch.testing.assert_close(found, three.expand(4000, 2), msg="to the clean example")
#     assert times == [19, 12, 5], "ddim_sample changes what it is given"
#
#
# @self_check
# def show_way_back():
#     betas = linear_betas(100, 5e-4, 0.08)
#     alpha_bars = products(betas)
#     model = kept["model"]
#     y = ddpm_sample(model, 2000, 2, betas)
#     unseen = spiral(2000, turn=1.0)
#     far = mmd(y, unseen, 0.15).item()
#     print(f"MMD² of 2000 new points: {far:.4f}; of points of the spiral itself: "
#           f"{mmd(spiral(2000, turn=1.0), unseen, 0.15).item():.4f}")
#     walk, x = [], torch.randn(2000, 2)
#     with torch.no_grad():
#         for t in reversed(range(100)):
#             if t in (99, 30, 15, 5):
#                 walk.append((f"back to t = {t}", x))
#             x = ddpm_step(x, t, model(x, torch.full((2000,), t)), betas)
#     walk.append(("new points", y))
#     few = []
#     for steps in (20, 10, 5):
#         times = torch.linspace(99, 0, steps).round().long().tolist()
#         points = ddim_sample(model, torch.randn(2000, 2), times, alpha_bars)
#         few.append((f"DDIM, {steps} steps", points))
#     gan = [(name, kept[name]) for name in ("ring", "from your GAN") if name in kept]
#     forth = [(name, points) for name, points in kept.items() if name.startswith("t = ")]
#     figure, axes = plt.subplots(3, 5, figsize=(7.5, 4.9), layout="constrained")
#     for axis in axes.flat:
#         axis.axis("off")
#     for line, row in zip(axes, (forth, walk, few + gan)):
#         for axis, (title, points) in zip(line, row):
#             axis.axis("on")
#             axis.scatter(*points[:600].detach().T, s=0.6)
#             axis.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
#             axis.set_title(title, fontsize=8)
#     plt.show()
#     assert far < 0.0035, "there is more to gain: is it the training, or the way back?"

# %% [markdown]
# **Written, 4 points.** Answer in the cell below, in five to ten sentences.
#
# 1. Why is it allowed to leave out steps in DDIM, without training again? What must be true of
#    $x_{t'}$ in the formula, given the clean example, and is it? What can you do with a sampler
#    that is a *function* of its noise which you can't do with the ancestral one?
# 2. `ideal_noise` has the least loss that any function can have on the training points. What does
#    `ddpm_sample` draw with it, at the end? Why does a trained network draw something else, and is
#    that good? Compare both models of this notebook: what of the training, the samples and the cost
#    of drawing one speaks for a GAN, and what for diffusion?

# %% [markdown]
# **Answer q6.**
#
# <!-- BEGIN SOLUTION -->
# 1. The loss only ever used $x_t$ given $x$, one $t$ at a time, and never two steps together. So
# any process that has the same distribution of $x_t$ given $x$ for each $t$ has the same loss, and
# the same network serves it. Given $x$, the formula makes $x_{t'}$ normal with mean
# $\sqrt{\bar\alpha_{t'}}\, x$; its variance is $(1 - \bar\alpha_{t'} - \sigma^2) + \sigma^2 = 1 -
# \bar\alpha_{t'}$, because $\hat\varepsilon$ (the true noise, given $x$) and $\varepsilon$ are
# independent. So it has the right distribution for every $\sigma$, and for every choice of steps.
# As a function of its noise, the sampler can be run again with the same result, between two noises
# examples change smoothly into each other, and it can be run in the other direction, to find the
# noise (a code) of a given example.
#
# 2. With the ideal guess for $M$ training points, the walk back ends at one of these points, as the
# weights for small $t$ are all on the nearest one: it draws copies of the training data. A network
# with a limited size and time of training can't have such a sharp function with $M$ corners; it
# learns a smooth one, which is near the ideal guess of the *whole* distribution, and draws new
# points along the curve. So part of its error is just what makes it useful. A GAN draws an example
# with one evaluation, diffusion needs as many as there are steps. A GAN's training is a game
# without a loss that says how far it has come, may forget modes and depends on many settings. A
# diffusion model has a plain regression loss, which falls steadily, and is asked about every
# training example, so no mode is forgotten.
# <!-- END SOLUTION -->

# %% [markdown] tags=["instructor"]
# **For instructors.** The bands were set with 20 seeds of the reference and of weaker trainings (20
# where nothing else is said), all measured as the hidden tests do.
#
# | what is learnt | mean | standard deviation | worst and best |
# |---|---|---|---|
# | ring (coverage): reference | 0.873 | 0.019 | 0.828 to 0.910 |
# | its training with 400 steps for 1200 | 0.474 | 0.048 | 0.355 to 0.568 |
# | the game of Question 2, rate 0.002, 2000 steps (10 seeds) | 0.885 | 0.038 | 0.823 to 0.938 |
# | the same, rate 0.001 | 0.614 | 0.250 | 0.047 to 0.917 |
# | the critic, with a weight of 10 (10 seeds) | 0.133 | 0.130 | 0.013 to 0.462 |
# | the critic, with a penalty that is detached (8 seeds) | 0.053 | 0.033 | 0.020 to 0.127 |
# | spiral ($\operatorname{MMD}^2$): reference | 0.0007 | 0.0003 | 0.0013 to 0.0004 |
# | one step for the whole batch (8 seeds) | 0.0037 | 0.0008 | 0.0047 to 0.0026 |
# | 1000 steps, constant rate of 0.003 | 0.0065 | 0.0012 | 0.0095 to 0.0049 |
# | 600 steps, rate of 0.003 that falls | 0.0199 | 0.0013 | 0.0233 to 0.0180 |
# | a normal distribution | 0.0249 | 0.0008 | 0.0271 to 0.0236 |
# | other points of the spiral | -0.0001 | 0.0003 | 0.0005 to -0.0005 |
#
# Full marks begin five or more standard deviations away from the reference's mean.
#
# The judge gets weights and draws from networks of its own, so neither a generator that returns
# what it was trained with nor a measure that praises it gains anything. The ring and the spiral are
# turned by an angle that is new in each test, so weights that were trained before are of no use. A
# generator may well be trained in another way, even by the MMD itself: it has to draw from all
# clouds, and that is what was asked. The plain game of Question 2 reaches as much as the critic
# does, with the right rate; with half of it all is luck. On so small a problem the penalty buys
# robustness, not quality.
#
# The usual mistakes: the diagonal left in the MMD; a root of each number for a matrix root; the
# logarithm of a rounded probability; gradients that were left behind in `gan_step`; one share or
# one step for a whole batch; a penalty without `create_graph`, or one that trains the generator; an
# index of -1 for the step before the first; $\beta$ for $\tilde\beta$; noise in the last step; the
# last step of DDIM left out.
