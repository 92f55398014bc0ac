"""A small solution, its disguises, and classes made of random code."""

from __future__ import annotations

import random

from grader.similarity.fingerprints import ComparedCode, fingerprinted

RIGHT = '''\
import torch


def softmax(scores):
    """Softmax of each row."""
    shifted = scores - scores.max(dim=1, keepdim=True).values
    powers = torch.exp(shifted)
    return powers / powers.sum(dim=1, keepdim=True)


def cross_entropy(scores, labels):
    probabilities = softmax(scores)
    picked = probabilities[torch.arange(len(labels)), labels]
    return -torch.log(picked.clamp(min=1e-12)).mean()


def step(weights, gradients, velocity, rate, momentum):
    for name in weights:
        velocity[name] = momentum * velocity[name] - rate * gradients[name]
        weights[name] = weights[name] + velocity[name]
    return weights, velocity


def accuracy(scores, labels):
    # how many of them are right
    hits = (scores.argmax(dim=1) == labels).float()
    return float(hits.sum() / max(len(labels), 1))
'''

RENAMED = RIGHT
for _old, _new in {
    "scores": "x_in",
    "shifted": "d",
    "powers": "ee",
    "probabilities": "probs",
    "picked": "right_ones",
    "weights": "theta",
    "velocity": "v2",
    "gradients": "gs",
    "momentum": "beta",
    "hits": "matches",
}.items():
    RENAMED = RENAMED.replace(_old, _new)

_FUNCTIONS = RIGHT.split("\n\n\n")
REORDERED = "\n\n\n".join([_FUNCTIONS[0], *reversed(_FUNCTIONS[1:])])

REFORMATTED = '''\
import torch as T
def softmax(
    scores,
):
    # first the largest one goes,
    # for the sake of the exponentials
    shifted = (scores -
        scores.max(dim = 1, keepdim = True).values)
    powers = T.exp( shifted )
    return (powers
        / powers.sum(dim = 1, keepdim = True))
def cross_entropy(scores, labels):
    """Another docstring, which says much about nothing."""
    probabilities = softmax(scores)
    picked = probabilities[
        T.arange(len(labels)),
        labels
    ]
    return -T.log(picked.clamp(min = 1e-12)).mean()
def step(weights, gradients, velocity, rate, momentum):
    for name in weights:
        velocity[name] = momentum*velocity[name] - rate*gradients[name]
        weights[name] = weights[name]+velocity[name]
    return weights,velocity
def accuracy(scores, labels):
    hits = (scores.argmax(dim=1)==labels).float()
    return float(hits.sum()/max(len(labels),1))
'''

DEAD_CODE = (
    "".join(
        f"{line}\n"
        if not (line.startswith("    ") and " = " in line)
        else f"{line}\n{line[: len(line) - len(line.lstrip())]}unused_{number} = [{number}][0]\n"
        for number, line in enumerate(RIGHT.splitlines())
    )
    + """

def helper(a):
    while a > 3:
        a -= 1
    return {"a": a}
"""
)

INDEPENDENT = """\
import numpy as np
import torch
from torch.nn.functional import one_hot


def softmax(z):
    return torch.stack([torch.exp(r - torch.logsumexp(r, 0)) for r in z])


def cross_entropy(z, y):
    total = 0.0
    targets = one_hot(y, z.shape[1])
    for row, target in zip(z, targets):
        total += torch.logsumexp(row, 0) - (row * target).sum()
    return total / len(z)


class Step:
    def __init__(self, lr, mu):
        self.lr, self.mu = lr, mu

    def __call__(self, params, grads, state):
        state = {k: self.mu * m - self.lr * grads[k] for k, m in state.items()}
        return {k: p + state[k] for k, p in params.items()}, state


def step(params, grads, state, lr, mu):
    return Step(lr, mu)(params, grads, state)


def accuracy(z, y):
    right = 0
    for row, label in zip(z.tolist(), y.tolist()):
        best = max(range(len(row)), key=row.__getitem__)
        if best == label:
            right += 1
    return right / len(y) if len(y) else 0.0
"""


def code(*sources: str) -> ComparedCode:
    """Return the fingerprints of a notebook with these cells."""
    return fingerprinted(enumerate(sources, start=1))


def random_solution(seed: int, statements: int = 60) -> str:
    """Write code that no other seed writes: calls of a library in random nestings."""
    dice = random.Random(seed)
    methods = ["sum", "mean", "exp", "log", "clamp", "view", "matmul", "norm", "relu", "abs"]

    def expression(depth: int) -> str:
        if depth == 0:
            return dice.choice(["x", "y", "1.5", "w[0]", "len(y)"])
        kind = dice.randrange(4)
        if kind == 0:
            return f"torch.{dice.choice(methods)}({expression(depth - 1)})"
        if kind == 1:
            return f"({expression(depth - 1)} {dice.choice('+-*/@')} {expression(depth - 1)})"
        if kind == 2:
            return f"{expression(0)}.{dice.choice(methods)}({expression(depth - 1)})"
        return f"[{expression(depth - 1)} for i in range({expression(0)})][{expression(0)}]"

    lines = ["import torch", "x = y = w = torch.ones(3)"]
    for number in range(statements):
        if number % 12 == 0:
            lines.append(f"def f{number}(x, y, w):")
        lines.append(f"    {dice.choice('xyw')} = {expression(3)}")
    return "\n".join(lines)
