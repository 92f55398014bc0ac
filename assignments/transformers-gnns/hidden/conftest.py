"""What the files of this suite share."""

import re

import pytest
from torch.testing import assert_close

from grader.suite.hints import hint

# What the rules of the assignment rule out.
READY_MADE = re.compile(
    r"(.+\.)?(scaled_dot_product_attention|multi_head_attention_forward"
    r"|MultiheadAttention|Transformer\w*)$"
)


@pytest.fixture
def by_hand(notebook):
    """Return a check that a function or class of the notebook uses nothing that it should build."""

    def check(name):
        found = sorted(filter(READY_MADE.match, notebook.uses(name)))
        if found:
            hint(f"{name} uses {', '.join(found)}. The rules ask you to write this yourself.")
        assert not found

    return check


@pytest.fixture
def close():
    """Return a check that tensors agree to nearly the precision of float64."""

    def check(actual, expected):
        # Made float64 here, a number computed in float32 keeps its error and is found out.
        assert_close(actual.detach().double(), expected.detach(), rtol=1e-8, atol=1e-9)

    return check
