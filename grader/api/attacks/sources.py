"""The attacks, as the cells that a dishonest student would add to the released notebook.

Each gives, in place of what the student should write, something that is made without solving
anything. `answer(name, args, kwargs)` is what a call of the name returns; `right(…)` is what the
reference returns, for attacks that keep the shape of a right answer and nothing else of it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One way to earn points without the work. `what` completes "… earned 2 points"."""

    name: str
    what: str
    code: str
    needs_reference: bool = False
    """It knows what right answers look like: it runs the reference, and spoils what it says."""


PRELUDE = '''
import copy as _copy
import numpy as _numpy
import torch as _torch


def _parts(value, change, integers=True):
    """The value with every tensor and number in it changed, also those of a model.

    What can't be changed is None in an answer: else it would be the reference's own work that is
    handed back, and honest. In an input (not `integers`) it stays.
    """
    if isinstance(value, int) and not integers:
        return value
    if isinstance(value, _torch.nn.Module) and integers:
        return _spoiled(value, change)
    if isinstance(value, _torch.Tensor):
        changed = change(value.detach())
        return changed.requires_grad_() if value.requires_grad else changed
    if isinstance(value, _numpy.ndarray) and value.dtype.kind in "biuf":
        return change(_torch.from_numpy(value.copy())).numpy()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return value if not integers else "?" * len(value)  # no input is changed, every answer is
    if isinstance(value, (int, float)):
        return type(value)(change(_torch.tensor(float(value))).nan_to_num(0.0).item())
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(_parts(part, change, integers) for part in value)
    if isinstance(value, tuple):
        return type(value)(*(_parts(part, change, integers) for part in value))
    if isinstance(value, dict):
        return {key: _parts(part, change, integers) for key, part in value.items()}
    return None if integers else value


def _spoiled(model, change):
    """The same kind of model with every weight and buffer changed: what it has learnt is gone."""
    model = _copy.deepcopy(model)
    with _torch.no_grad():
        for weight in (*model.parameters(), *model.buffers()):
            weight.copy_(change(weight.detach()).expand_as(weight))
    return model


def _plain(value):
    """The value if it is all numbers and tensors, else None: a trained model is honest work."""
    return _parts(value, lambda tensor: tensor) if not _has_model(value) else None


def _has_model(value):
    if isinstance(value, (list, tuple)):
        return any(map(_has_model, value))
    if isinstance(value, dict):
        return any(map(_has_model, value.values()))
    return isinstance(value, _torch.nn.Module)


def _like(tensor, value):
    return _torch.full_like(tensor, bool(value) if tensor.dtype == _torch.bool else value)


def _has(value, kinds):
    if isinstance(value, (list, tuple)):
        return any(_has(part, kinds) for part in value)
    if isinstance(value, dict):
        return any(_has(part, kinds) for part in value.values())
    if isinstance(value, _torch.Tensor):
        return value.is_floating_point() and value.numel() > 0
    return isinstance(value, kinds)


def _has_tensors(value):
    """Whether there is a tensor that can be changed: else what follows would be honest work."""
    return _has(value, ())


def _has_numbers(value):
    """Whether there is a number that can be changed, and nothing that the answer hangs on else."""
    return _has(value, (float,)) and not _hangs_on_more(value)


def _hangs_on_more(value):
    if isinstance(value, (list, tuple)):
        return any(map(_hangs_on_more, value))
    if isinstance(value, dict):
        return any(map(_hangs_on_more, value.values()))
    return isinstance(value, (str, _torch.nn.Module)) or callable(value)


def _replace(answer, keep=()):
    def function(name):
        def stub(*args, **kwargs):
            return answer(name, args, kwargs)

        stub.__name__ = stub.__qualname__ = name
        return stub

    def kind(name):
        class Stub(_torch.nn.Module):
            def __init__(self, *args, **kwargs):
                super().__init__()
                object.__setattr__(self, "_made", (args, kwargs))

            def forward(self, *args, **kwargs):
                return answer(name + ".forward", args, kwargs, self)

            def __getattr__(self, attribute):
                if attribute.startswith("_"):
                    raise AttributeError(attribute)
                return lambda *args, **kwargs: answer(name + "." + attribute, args, kwargs, self)

        Stub.__name__ = Stub.__qualname__ = name
        return Stub

    for name, what in _NAMES.items():
        globals()[name] = kind(name) if what == "class" else function(name)
'''

REFERENCE = '''
_reference = {"__name__": "right"}
exec(_REFERENCE, _reference)


def right(name, args, kwargs, owner=None):
    """What the reference returns, or None; nothing that the caller holds is changed."""
    try:
        return _right(name, args, kwargs, owner)
    except Exception:  # to refuse what must be refused would be an answer as well
        return None


def _right(name, args, kwargs, owner):
    args, kwargs = _copy.deepcopy((args, kwargs))
    if owner is None:
        return _reference[name](*args, **kwargs)
    made = owner.__dict__.get("_right")
    if made is None:
        made = _reference[type(owner).__name__](*owner._made[0], **owner._made[1])
        object.__setattr__(owner, "_right", made)
    return getattr(made, name.split(".")[1])(*args, **kwargs)
'''

_SPOILED = """
def answer(name, args, kwargs, owner=None):
    return _parts(right(name, args, kwargs, owner), lambda t: {change})


_replace(answer)
"""

_FOR_THE_SUITE = """
import builtins
import re

_compile = builtins.compile


def _dishonest(source, file, *args, **kwargs):
    found = re.match(r"\\s*def (\\w+)", source) if file == "<suite>" else None
    if found:
        source = f"def {found[1]}(*args, **kwargs):\\n    return ANSWER\\n"
    return _compile(source, file, *args, **kwargs)


builtins.compile = _dishonest
"""
"""What the suite has found out in the box is ANSWER."""

_LIAR = '''
class Liar:
    """Equal to everything, of every class, with whatever is asked for."""

    @property
    def __class__(self):
        return _torch.Tensor

    shape = _torch.Size([1])
    dtype, device, requires_grad, ndim = _torch.float32, _torch.device("cpu"), False, 1

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __lt__(self, other):
        return True

    __le__ = __gt__ = __ge__ = __contains__ = __lt__
    __hash__ = None

    def __bool__(self):
        return True

    def __len__(self):
        return 1

    def __iter__(self):
        return iter([self])

    def __float__(self):
        return 0.0

    def __int__(self):
        return 0

    def item(self):
        return 0.0

    def _same(self, *args, **kwargs):
        return self

    __call__ = __getitem__ = __add__ = __sub__ = __mul__ = __truediv__ = __matmul__ = _same
    __radd__ = __rsub__ = __rmul__ = __abs__ = __neg__ = __pow__ = _same

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self
'''

IGNORANT: tuple[Attack, ...] = (
    Attack(
        name="returns-none",
        what="functions that return None",
        code="_replace(lambda *args: None)",
    ),
    Attack(
        name="returns-its-input",
        what="functions that return their first argument",
        code="_replace(lambda name, args, kwargs, owner=None: args[0] if args else None)",
    ),
    Attack(
        name="returns-zeros",
        what="zeros of the right shape",
        needs_reference=True,
        code=_SPOILED.format(change="_like(t, 0)"),
    ),
    Attack(
        name="returns-ones",
        what="ones of the right shape",
        needs_reference=True,
        code=_SPOILED.format(change="_like(t, 1)"),
    ),
    Attack(
        name="returns-nan",
        what="NaN in the right shape",
        needs_reference=True,
        code=_SPOILED.format(
            change="_like(t, float('nan')) if t.is_floating_point() else _like(t, 0)"
        ),
    ),
    Attack(
        name="returns-noise",
        what="random numbers of the right shape",
        needs_reference=True,
        code=_SPOILED.format(
            change="_torch.rand_like(t) if t.is_floating_point() else _like(t, 0)"
        ),
    ),
    Attack(
        name="replays-an-answer",
        what="an answer recorded from the reference for other inputs",
        needs_reference=True,
        code="""
_recorded = {}


def _shapes(value):
    if isinstance(value, _torch.Tensor):
        return tuple(value.shape), value.dtype
    if isinstance(value, (list, tuple)):
        return tuple(map(_shapes, value))
    if isinstance(value, dict):
        return tuple((key, _shapes(part)) for key, part in value.items())
    return type(value)


def _other(t):
    if not t.is_floating_point():
        return t
    generator = _torch.Generator().manual_seed(7)
    return _torch.randn(t.shape, generator=generator, dtype=t.dtype)


def answer(name, args, kwargs, owner=None):
    if not _has_numbers((args, kwargs)):
        return None
    key = name, _shapes(args), _shapes(kwargs)
    if key not in _recorded:
        others = _parts((args, kwargs), _other, integers=False)
        _recorded[key] = _plain(right(name, *others, owner))
    return _copy.deepcopy(_recorded[key])


_replace(answer)
""",
    ),
    Attack(
        name="empties-its-inputs",
        what="inputs set to zero, and the right answer for those",
        needs_reference=True,
        code="""
def _empty(value):
    if isinstance(value, _torch.Tensor):
        with _torch.no_grad():
            value.zero_()
        value.grad = None
    elif isinstance(value, (list, tuple)):
        for part in value:
            _empty(part)
    elif isinstance(value, dict):
        for part in value.values():
            _empty(part)


def answer(name, args, kwargs, owner=None):
    if not _has_tensors((args, kwargs)):
        return None
    _empty((args, kwargs))
    return _plain(right(name, args, kwargs, owner))


_replace(answer)
""",
    ),
    Attack(
        name="equals-everything",
        what="objects that equal everything and have every attribute",
        code=_LIAR + "\n_replace(lambda *args: Liar())\n",
    ),
    Attack(
        name="is-everything",
        what="one object in place of every function and class",
        code=_LIAR + "\nfor _name in _NAMES:\n    globals()[_name] = Liar()\n",
    ),
    Attack(
        name="numbers-that-lie",
        what="numbers that equal every number",
        code="""
class Number(float):
    def __eq__(self, other):
        return True

    def __lt__(self, other):
        return True

    __le__ = __gt__ = __ge__ = __lt__
    __hash__ = float.__hash__

    def __sub__(self, other):
        return self

    __rsub__ = __add__ = __radd__ = __sub__

    def __abs__(self):
        return 0.0


_replace(lambda *args: Number(0.0))
""",
    ),
    Attack(
        name="tensors-that-lie",
        what="tensors whose class answers every comparison",
        needs_reference=True,
        code="""
class Liar(_torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        with _torch._C.DisableTorchFunctionSubclass():
            result = function(*args, **(kwargs or {}))
            if isinstance(result, _torch.Tensor) and result.dtype is _torch.bool:
                return _torch.ones_like(result)
        return result


def answer(name, args, kwargs, owner=None):
    return _parts(right(name, args, kwargs, owner), lambda t: _like(t, 0).as_subclass(Liar))


_replace(answer)
""",
    ),
    Attack(
        name="patches-torch",
        what="comparisons of torch, numpy and pytest that are always true",
        needs_reference=True,
        code="""
import builtins
import math
import sys

import numpy
import torch.testing

for _module, _names in (
    (_torch, ("allclose", "equal", "isclose")),
    (torch.testing, ("assert_close", "assert_allclose")),
    (numpy, ("allclose", "array_equal", "isclose")),
    (numpy.testing, ("assert_allclose", "assert_array_equal")),
    (math, ("isclose",)),
):
    for _name in _names:
        if hasattr(_module, _name):
            setattr(_module, _name, lambda *args, **kwargs: True)
_torch.Tensor.__eq__ = lambda self, other: _torch.ones(self.shape, dtype=_torch.bool)
_torch.Tensor.all = _torch.Tensor.allclose = _torch.Tensor.equal = lambda *args, **kwargs: True
builtins.all = builtins.any = lambda items: True


def answer(name, args, kwargs, owner=None):
    return _parts(right(name, args, kwargs, owner), lambda t: _like(t, 0))


_replace(answer)
""",
    ),
    Attack(
        name="knows-the-inputs",
        what="random numbers that are always zero, and what is right for those",
        needs_reference=True,
        code="""
for _name in ("randn", "rand", "randn_like", "rand_like"):
    _made = _torch.zeros_like if _name.endswith("like") else _torch.zeros
    setattr(_torch, _name, lambda *a, _made=_made, generator=None, **k: _made(*a, **k))


def answer(name, args, kwargs, owner=None):
    if not _has_numbers((args, kwargs)):
        return None
    zeros = _parts((args, kwargs), lambda t: _like(t, 0), integers=False)
    return _plain(right(name, *zeros, owner))


_replace(answer)
""",
    ),
    Attack(
        name="answers-for-the-suite",
        what="True in place of what a function of the suite finds out in the box",
        code=_FOR_THE_SUITE.replace("ANSWER", "True") + "_replace(lambda *args: True)\n",
    ),
    Attack(
        name="agrees-with-the-suite",
        what="the suite's own argument in place of what its function finds out in the box",
        code=_FOR_THE_SUITE.replace("ANSWER", "args[-1] if args else None")
        + "_replace(lambda name, args, kwargs, owner=None: args[-1] if args else None)\n",
    ),
    Attack(
        name="forges-results",
        what="results files, printed scores and what is written at the end",
        code="""
import atexit
import os
from pathlib import Path

_SCORE = '{"score": 1000, "tests": [], "points": 1000, "outcome": "graded"}'


def _forge():
    for _file in ("results.json", "verdict.json", "../results.json", "/tmp/results.json"):
        try:
            Path(_file).write_text(_SCORE)
        except OSError:
            pass
    for _descriptor in (1, 2):
        os.write(_descriptor, (_SCORE + "\\n").encode())


_forge()
atexit.register(_forge)
Path("conftest.py").write_text("def pytest_pyfunc_call(pyfuncitem):\\n    return True\\n")


def answer(*args):
    _forge()
    raise SystemExit(0)


_replace(answer)
""",
    ),
    Attack(
        name="skips",
        what="tests that are skipped or expected to fail",
        code="""
def answer(name, args, kwargs, owner=None):
    try:
        import pytest

        pytest.skip("not today")
    except ImportError:
        import unittest

        raise unittest.SkipTest("not today")


_replace(answer)
""",
    ),
    Attack(
        name="exits",
        what="a process that ends with success when it is called",
        code="""
import os

_replace(lambda *args: os._exit(0))
""",
    ),
    Attack(
        name="steals",
        what="the reference, found on the disk or in memory",
        code="""
import gc
import os
import sys
from pathlib import Path

_needed = [f"{'class' if what == 'class' else 'def'} {name}(" for name, what in _NAMES.items()]


def _candidates():
    for folder in {".", "..", "/tmp", "/opt", "/home", "/srv", "/root", *sys.path}:
        for depth in ("*.py", "*/*.py", "*/*/*.py", "*/reference/*.py"):
            try:
                yield from list(Path(folder).glob(depth))[:2_000]
            except OSError:
                pass


_stolen = False
for _file in _candidates():
    try:
        _text = _file.read_text()
    except (OSError, ValueError):
        continue
    if "YOUR CODE HERE" not in _text and all(need in _text for need in _needed):
        exec(_text)
        _stolen = True


def _from_memory(name, args, kwargs, owner=None):
    for thing in gc.get_objects():
        if type(thing) is dict and thing is not globals() and all(n in thing for n in _NAMES):
            return thing[name.split(".")[0]](*args, **kwargs)
    raise NotImplementedError(name)


if not _stolen:
    _replace(_from_memory)
""",
    ),
)
