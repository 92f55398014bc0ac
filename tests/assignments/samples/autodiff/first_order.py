"""The VJPs compute with arrays: right once, and constant to the second derivative."""

# %% mul
def mul(a, b):
    return Var(
        a.value * b.value,
        [a, b],
        [
            lambda g: unbroadcast(Var(g.value * b.value), a.shape),
            lambda g: unbroadcast(Var(g.value * a.value), b.shape),
        ],
    )


# %% power
def power(x, n):
    return Var(x.value**n, [x], [lambda g: Var(g.value * n * x.value ** (n - 1))])


# %% log
def log(x):
    return Var(np.log(x.value), [x], [lambda g: Var(g.value / x.value)])


# %% tanh
def tanh(x):
    value = np.tanh(x.value)
    return Var(value, [x], [lambda g: Var(g.value * (1 - value**2))])


# %% matmul
def matmul(a, b):
    return Var(
        a.value @ b.value,
        [a, b],
        [lambda g: Var(g.value @ b.value.T), lambda g: Var(a.value.T @ g.value)],
    )


# %% softplus
def softplus(x):
    sigma = 0.5 * (1 + np.tanh(x.value / 2))
    return Var(np.logaddexp(0, x.value), [x], [lambda g: Var(g.value * sigma)])
