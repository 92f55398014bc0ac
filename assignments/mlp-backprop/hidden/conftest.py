"""What the tests of this suite share."""

import re

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

# What the rules of the assignment rule out; one_hot is only a way to index. A method `backward` may
# be the student's own: a tensor's fails where the suite switches autograd off.
READY_MADE = re.compile(
    r"torch\.(nn\.(?!functional\.one_hot$)|autograd\.|func\.|optim\.|enable_grad|set_grad_enabled)"
    r"|.+\.(softmax|log_softmax|logsumexp)$"
)


@pytest.fixture
def by_hand(notebook):
    """Return a check that a function of the notebook uses nothing that it should build.

    What the functions `besides` use is left out: it costs its own question, and only that.
    """

    def check(name, *, besides=()):
        of_others = [notebook.uses(other) for other in besides if notebook.defines(other)]
        own = notebook.uses(name).difference(*of_others)
        found = sorted(filter(READY_MADE.match, own))
        if found:
            hint(f"{name} uses {', '.join(found)}. The rules ask you to write this yourself.")
        assert not found

    return check


@pytest.fixture
def close():
    """Return a check that numbers agree to the precision of float64, whatever holds them."""

    def check(actual, expected):
        # Made float64 here, a number computed in float32 keeps its error and is found out.
        actual, expected = (torch.as_tensor(x, dtype=torch.float64) for x in (actual, expected))
        assert_close(actual.detach(), expected.detach(), rtol=1e-9, atol=1e-10)

    return check
