"""What several files of this suite share: calling a function and seeing what it used of torch."""

import pytest

from grader.suite.hints import hint


def with_torch_calls(function, args):
    """Call a function; return its result and the names of the torch functions it called."""
    from torch.overrides import TorchFunctionMode

    names = set()

    class Recorder(TorchFunctionMode):
        def __torch_function__(self, called, types, arguments=(), keywords=None):
            names.add(getattr(called, "__name__", ""))
            return called(*arguments, **(keywords or {}))

    with Recorder():
        result = function(*args)
    return result, sorted(names)


@pytest.fixture
def by_hand(student):
    """Call a student's function that must do without some functions of torch."""

    def call(function, *args, without):
        result, used = student.run(with_torch_calls, function, args)
        forbidden = sorted(without & set(used))
        if forbidden:
            hint(f"This function must be your own mathematics; it used torch's {forbidden[0]}.")
        assert not forbidden
        return result

    return call
