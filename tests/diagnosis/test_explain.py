"""Each kind of mistake is told from the two values alone, and nothing else is told."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.diagnosis.explain import explain
from grader.diagnosis.kinds import KINDS, OF_VALUES

RNG = np.random.default_rng(7)
X = RNG.normal(size=(5, 4))
Y = RNG.normal(size=(4, 4))
Z = RNG.normal(size=(2, 3, 4))
V = RNG.normal(size=7)
P = np.exp(X) / np.exp(X).sum(1, keepdims=True)
WHOLE = np.arange(12.0).reshape(3, 4) ** 2
LABELS = np.array([3, 0, 2, 1, 4])


def with_part(value: np.ndarray, where: Any) -> np.ndarray:
    other = value.copy()
    other[where] = other[where] * 3 + 0.7
    return other


EXAMPLES = [
    ("no-number", None, X),
    ("no-number", "text", X),
    ("empty", X[:0], X),
    ("empty", np.zeros((5, 0)), X),
    ("nan-everywhere", X * np.nan, X),
    ("nan-somewhere", np.where(X > 0, X, np.nan), X),
    ("infinite", np.where(X > 0, X, np.inf), X),
    ("transposed", X.T, X),
    ("transposed", Y.T, Y),
    ("transposed", np.ones((4, 5)), X),
    ("axes-permuted", Z.transpose(1, 0, 2), Z),
    ("other-shape", X.ravel(), X),
    ("axis-of-one-missing", V, V[:, None]),
    ("axis-too-many", V[None], V),
    ("batch-axis-missing", RNG.normal(size=4), X),
    ("axis-too-many", RNG.normal(size=(2, 5, 4)), X),
    ("not-broadcast", np.ones((5, 1)), X),
    ("summed-too-far", X.sum(1), X),
    ("summed-too-far", X.sum(), X),
    ("averaged-too-far", X.mean(0), X),
    ("averaged-too-far", X.mean(1, keepdims=True), X),
    ("reduced-too-far", RNG.normal(size=5), X),
    ("not-reduced", X, X.sum(0)),
    ("not-reduced", V, V.mean()),
    ("one-too-few", X[:-1], X),
    ("one-too-many", np.vstack([X, X[:1]]), X),
    ("wrong-shape", np.ones((9, 2, 2)), X),
    ("all-zero", np.zeros_like(X), X),
    ("constant", np.full_like(X, 0.3), X),
    ("same-rows", np.repeat(X[:1], 5, axis=0), X),
    ("sign", -X, X),
    ("absolute", np.abs(X), X),
    ("single-precision", X.astype(np.float32).astype(np.float64), X),
    ("half-precision", X.astype(np.float16).astype(np.float64), X),
    ("rounded", np.round(10 * X), 10 * X),
    ("rounded", np.floor(10 * X), 10 * X),
    ("not-averaged", X * 5, X),
    ("not-averaged", X * 20, X),
    ("averaged", X / 5, X),
    ("square-root-factor", RNG.normal(size=(5, 7)) * 0 + 1, None),
    ("factor-two", X * 2, X),
    ("factor-two", 6.0, 3.0),
    ("bessel", V * 7 / 6, V),
    ("logarithm-base", X / math.log(2), X),
    ("logarithm-base", 0.7 / math.log(2), 0.7),
    ("factor", X * 0.37, X),
    ("factor-by-row", X * np.array([2.0, 3, 5, 7, 9])[:, None], X),
    ("factor-by-column", X * np.array([2.0, 3, 5, 7]), X),
    ("off-by-one", LABELS + 1, LABELS),
    ("not-centred", X + 3.3, X - X.mean() + 0.0),
    ("offset", X + 0.3, X),
    ("offset-by-row", X + np.array([2.0, 3, 5, 7, 9])[:, None], X),
    ("offset-by-column", X + np.array([2.0, 3, 5, 7]), X),
    ("squared", X**2, X),
    ("rooted", np.sqrt(X**2 + 0.1), X**2 + 0.1),
    ("exponential", np.exp(X), X),
    ("logarithm", np.log(P), P),
    ("reciprocal", 1 / X, X),
    ("complement", 1 - P, P),
    ("inverted", X > 0, X <= 0),
    ("negatives-cut-off", np.maximum(X, 0), X),
    ("other-axis", np.exp(X) / np.exp(X).sum(0), P),
    ("accumulated", np.cumsum(V), V),
    ("differences", np.diff(V, prepend=0.0), V),
    ("reversed", V[::-1], V),
    ("reversed", X[:, ::-1], X),
    ("shifted", np.roll(V, 1), V),
    ("rows-reordered", X[[2, 0, 4, 1, 3]], X),
    ("other-order", V[[2, 0, 4, 1, 3, 6, 5]], V),
    ("first-only", with_part(X, slice(1, None)), X),
    ("all-but-first", with_part(X, 0), X),
    ("all-but-last", with_part(X, -1), X),
    ("one-column", with_part(X, (slice(None), 2)), X),
    ("one-row", with_part(X, 2), X),
    ("upper-triangle", with_part(Y, np.triu_indices(4, 1)), Y),
    ("lower-triangle", with_part(Y, np.tril_indices(4, -1)), Y),
    ("diagonal", with_part(Y, np.diag_indices(4)), Y),
    ("negative-inputs", np.where(Z > 0, Z, 0.1 * Z), Z),
    ("nearly", X * (1 + 0.005 * RNG.normal(size=X.shape)), X),
]
WIDE = RNG.normal(size=(6, 11))
EXAMPLES[[kind for kind, *_ in EXAMPLES].index("square-root-factor")] = (
    "square-root-factor",
    WIDE * math.sqrt(11),
    WIDE,
)


def test_a_column_of_an_image_is_no_kind_of_mistake() -> None:
    """As where windows overlap; a column of a table may be a feature, or a class."""
    images = RNG.normal(size=(2, 3, 5, 4))
    assert explain(with_part(images, (..., 2)), images) == ""


@pytest.mark.parametrize(
    ("kind", "mine", "other"), EXAMPLES, ids=[f"{i}-{e[0]}" for i, e in enumerate(EXAMPLES)]
)
def test_a_mistake_is_named_by_its_kind(kind: str, mine: Any, other: Any) -> None:
    assert explain(mine, other, rtol=1e-9, atol=1e-10) == kind


def test_every_kind_that_a_value_shows_has_an_example() -> None:
    assert {kind for kind, *_ in EXAMPLES} == set(OF_VALUES)


def test_tensors_are_read_whatever_their_dtype() -> None:
    x = torch.tensor(X)
    assert explain(-x.float(), x.double()) == "sign"
    assert explain(x.requires_grad_().T, x) == "transposed"
    assert explain(torch.tensor([True, False]), torch.tensor([False, True])) == "inverted"


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        (X, X),
        (3.0, 7.1),
        (RNG.normal(size=(5, 4)), X),
        (RNG.normal(size=7), V),
        (np.zeros(0), np.zeros(0)),
        (np.ones(1), np.zeros(1)),
        (object(), object()),
    ],
)
def test_what_nothing_explains_is_not_explained(mine: Any, other: Any) -> None:
    assert explain(mine, other) == ""


def test_a_large_value_costs_no_time() -> None:
    assert explain(np.zeros(10**6), np.ones(10**6)) == ""


ARRAYS = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int64, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)


@settings(max_examples=200, deadline=None)
@given(ARRAYS, ARRAYS)
def test_any_two_values_get_a_known_kind_or_none(mine: Any, other: Any) -> None:
    assert explain(mine, other) in {"", *KINDS}


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["sign", "factor", "offset", "transposed"]))
def test_what_is_said_does_not_depend_on_the_expected_values(seed: int, kind: str) -> None:
    """The same mistake with other expected values is told in the same words."""
    drawn = np.random.default_rng(seed).normal(size=(5, 4))
    mistakes = {
        "sign": -drawn,
        "factor": drawn * 0.37,
        "offset": drawn + 0.3,
        "transposed": drawn.T,
    }
    assert explain(mistakes[kind], drawn, rtol=1e-9, atol=1e-10) == kind


def test_what_is_nearly_right_is_not_explained_by_what_does_nothing_to_it() -> None:
    """An `eps` that is missing is no sign that was lost, no factor, and nothing of float32."""
    expected = X**2 + 0.5
    found = expected + 1e-6
    assert explain(found, expected, rtol=1e-7, atol=1e-9) in ("offset", "nearly")
    found = expected / (1 + 1e-6 / expected)
    assert explain(found, expected, rtol=1e-7, atol=1e-9) == "offset"
    found = np.sqrt(expected) * (1 + 1e-6 * RNG.normal(size=X.shape))
    assert explain(found, np.sqrt(expected), rtol=1e-7, atol=1e-9) == "nearly"
