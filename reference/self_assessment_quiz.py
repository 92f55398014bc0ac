# %% [markdown]
# # Self-assessment quiz
#
# The course takes some mathematics and some Python for granted. This quiz tells you, and us,
# whether you have what you need; everybody has to pass it. Work alone, with pen and paper. The best
# of three tries counts.
#
# Answer in the code cells: give each name the value of your answer in place of `None`. Numbers are
# Python numbers (`0.5`, `3 / 7` and `math.sqrt(2)` are fine) and need three correct digits;
# vectors are lists of numbers; a choice is one letter, such as `"b"`. 88 points are for these
# answers and for the functions at the end. Two short derivations, 12 points, are read by a person.

# %%
import math

import torch

# %% [markdown]
# ## Question 1 (12 points): two vectors
#
# Let $\mathbf{a} = (2, -1, 2)$ and $\mathbf{b} = (1, 2, 2)$.
#
# - `q1_inner`: their inner product.
# - `q1_angle`: the angle between them, in degrees.
# - `q1_choice`: What follows from $\mathbf{a}^\top \mathbf{b} = 0$ for vectors that are not zero?
#   **a** they are parallel, **b** they are orthogonal, **c** they are linearly dependent,
#   **d** they have the same length.

# %%
# BEGIN SOLUTION
q1_inner = 4
q1_angle = math.degrees(math.acos(4 / 9))
q1_choice = "b"
# BEGIN STARTER
# q1_inner = None
# q1_angle = None
# q1_choice = None
# END SOLUTION

# %% [markdown]
# ## Question 2 (10 points): a point and a hyperplane
#
# The hyperplane $\mathbf{w}^\top \mathbf{x} + b = 0$ has $\mathbf{w} = (3, 4, 12)$ and $b = -6$.
#
# - `q2_distance`: the signed distance of $\mathbf{x} = (1, 2, 3)$ to it, positive on the side to
#   which $\mathbf{w}$ points.
# - `q2_origin`: the signed distance of the origin.

# %%
# BEGIN SOLUTION
q2_distance = 41 / 13
q2_origin = -6 / 13
# BEGIN STARTER
# q2_distance = None
# q2_origin = None
# END SOLUTION

# %% [markdown]
# ## Question 3 (16 points): a matrix equation
#
# $\mathbf{A}$ is a matrix of $n$ rows and $m$ linearly independent columns.
# Which $\mathbf{x}$ makes $\lVert \mathbf{A}\mathbf{x} - \mathbf{y} \rVert^2$ smallest?
#
# - `q3_choice`: **a** $\mathbf{A}^{-1}\mathbf{y}$,
#   **b** $\mathbf{A}^\top(\mathbf{A}\mathbf{A}^\top)^{-1}\mathbf{y}$,
#   **c** $(\mathbf{A}^\top\mathbf{A})^{-1}\mathbf{A}^\top\mathbf{y}$,
#   **d** $\mathbf{A}^\top\mathbf{y}$.
# - `q3_solution`: this $\mathbf{x}$, two numbers, for
#   $\mathbf{A} = \begin{pmatrix} 1 & 0 \\ 1 & 1 \\ 1 & 2 \end{pmatrix}$ and
#   $\mathbf{y} = (1, 2, 5)$.

# %%
# BEGIN SOLUTION
q3_choice = "c"
q3_solution = [2 / 3, 2]
# BEGIN STARTER
# q3_choice = None
# q3_solution = None
# END SOLUTION

# %% [markdown]
# **Written, 6 points.** Derive your answer to `q3_choice`: differentiate, set to zero, and say
# where you use that the columns are linearly independent.

# %% [markdown]
# **Answer q3.**
#
# <!-- BEGIN SOLUTION -->
# The gradient of $(Ax - y)^\top (Ax - y)$ by $x$ is $2 A^\top (Ax - y)$. It is zero where
# $A^\top A x = A^\top y$. For every $v \neq 0$, $v^\top A^\top A v = \lVert Av \rVert^2 > 0$, since
# the columns are linearly independent: $A^\top A$ is positive definite, so it can be inverted, and
# the only stationary point is a minimum, $x = (A^\top A)^{-1} A^\top y$.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 4 (14 points): eigenvalues and eigenvectors
#
# Let $\mathbf{M} = \begin{pmatrix} 13 & 5 \\ 2 & 4 \end{pmatrix}$.
#
# - `q4_eigenvalues`: its two eigenvalues, the larger one first.
# - `q4_vector_large`, `q4_vector_small`: an eigenvector of each, of any length.

# %%
# BEGIN SOLUTION
q4_eigenvalues = [14, 3]
q4_vector_large = [5, 1]
q4_vector_small = [1, -2]
# BEGIN STARTER
# q4_eigenvalues = None
# q4_vector_large = None
# q4_vector_small = None
# END SOLUTION

# %% [markdown]
# ## Question 5 (14 points): Gaussians
#
# Each of these is a probability density of $x$ (or of $\mathbf{x} \in \mathbb{R}^2$) once it is
# multiplied with a constant $c$. Which?
#
# - `q5_scalar`: $c \exp(-x^2 / 8)$ on $\mathbb{R}$.
# - `q5_plane`: $c \exp\left(-\tfrac12 \mathbf{x}^\top \Sigma^{-1} \mathbf{x}\right)$ on
#   $\mathbb{R}^2$ with $\Sigma = \begin{pmatrix} 2 & 1 \\ 1 & 5 \end{pmatrix}$.

# %%
# BEGIN SOLUTION
q5_scalar = 1 / math.sqrt(8 * math.pi)
q5_plane = 1 / (6 * math.pi)
# BEGIN STARTER
# q5_scalar = None
# q5_plane = None
# END SOLUTION

# %% [markdown]
# **Written, 6 points.** Show that $\int_{-\infty}^{\infty} e^{-x^2} dx = \sqrt{\pi}$.

# %% [markdown]
# **Answer q5.**
#
# <!-- BEGIN SOLUTION -->
# Let $I$ be the integral; it is positive. Then
# $I^2 = \int\!\!\int e^{-(x^2 + y^2)}\, dx\, dy = \int_0^{2\pi}\!\int_0^\infty
# e^{-r^2} r\, dr\, d\varphi = 2\pi \cdot \tfrac12 = \pi$ in polar coordinates, so $I = \sqrt\pi$.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 6 (16 points): a coin
#
# A coin shows heads with a probability $p$ that is either 0.3 or 0.6. It is flipped three times:
# heads, tails, heads.
#
# - `q6_mle`: the maximum-likelihood estimate of $p$, of these two values.
# - `q6_likelihood`: the probability of exactly this sequence for that $p$.
# - `q6_posterior`: the probability of $p = 0.3$ after the flips, if it was 0.8 before them.
# - `q6_map`: the maximum-a-posteriori estimate of $p$ under that prior.

# %%
# BEGIN SOLUTION
q6_mle = 0.6
q6_likelihood = 0.6 * 0.4 * 0.6
q6_posterior = 0.8 * 0.063 / (0.8 * 0.063 + 0.2 * 0.144)
q6_map = 0.3
# BEGIN STARTER
# q6_mle = None
# q6_likelihood = None
# q6_posterior = None
# q6_map = None
# END SOLUTION

# %% [markdown]
# ## Question 7 (18 points): a little code
#
# Three functions of tensors, each a line or two. Hidden tests call them with random inputs.


# %%
def angle(a, b):
    """Angle between two vectors.

    Args:
        a, b: (n,) float64 tensors, not zero.

    Returns:
        float, in radians, 0 to π.
    """
    # BEGIN SOLUTION
    cosine = a @ b / (a.norm() * b.norm())
    return math.acos(min(1.0, max(-1.0, float(cosine))))
    # END SOLUTION


def signed_distances(x, w, b):
    """Signed distance of each row of x to the hyperplane w·x + b = 0.

    Args:
        x: (N, n) float64.
        w: (n,) float64, not zero.
        b: a number.

    Returns:
        (N,) tensor, positive on the side to which w points.
    """
    # BEGIN SOLUTION
    return (x @ w + b) / torch.linalg.vector_norm(w)
    # END SOLUTION


def posterior(flips, biases, prior):
    """Probability of each bias of a coin after some flips.

    Args:
        flips: list of 0 (tails) and 1 (heads); it may be empty.
        biases: list of K probabilities of heads.
        prior: list of K probabilities that add up to one.

    Returns:
        list of K floats that add up to one.
    """
    # BEGIN SOLUTION
    heads = sum(flips)
    tails = len(flips) - heads
    weights = [q * p**heads * (1 - p) ** tails for p, q in zip(biases, prior, strict=True)]
    return [weight / sum(weights) for weight in weights]
    # END SOLUTION
