"""What the suite shares: a look at which of torch's operators a function of the student's uses."""

import pytest
import torch

from grader.suite.hints import hint

LIBRARY_LAYERS = ("conv", "pool", "batch_norm", "instance_norm", "group_norm", "dropout")


def call_without_autograd(function, *args):
    """Run in the box: return what the function returns, and the torch operators that it used."""
    from torch.utils._python_dispatch import TorchDispatchMode

    used = set()

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
            used.add(str(operator))
            return operator(*args, **(kwargs or {}))

    with torch.inference_mode(), Recorder():
        returned = function(*args)
    if isinstance(returned, torch.Tensor):
        return returned.clone(), used
    return [part.clone() for part in returned], used


@pytest.fixture
def by_hand(student):
    """Call a student's function with autograd switched off; fail if torch has such a layer done."""

    def call(function, *args):
        hint(
            "Write the layer yourself: torch's own layer is not allowed, autograd is switched off."
        )
        returned, used = student.run(call_without_autograd, function, *args)
        assert not [name for name in used if any(layer in name for layer in LIBRARY_LAYERS)]
        return returned

    return call


def changes_to_inputs(function, *args):
    """Run in the box: say for each tensor among the arguments whether the function changed it."""
    tensors = [value for value in args if isinstance(value, torch.Tensor)]
    before = [tensor.clone() for tensor in tensors]
    function(*args)
    return [not torch.equal(old, new) for old, new in zip(before, tensors, strict=True)]


@pytest.fixture
def leaves_inputs_alone(student):
    """Say whether a student's function leaves all tensors that it is given as they were."""

    def call(function, *args):
        hint("Work on copies: `+=` and friends on an argument change the caller's tensor.")
        changed = student.run(changes_to_inputs, function, *args)
        tensors = [value for value in args if isinstance(value, torch.Tensor)]
        return len(changed) == len(tensors) and not any(changed)

    return call
