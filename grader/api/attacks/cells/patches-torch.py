# /// attack
# kind = "Patched libraries"
# what = "comparisons of torch, numpy and pytest that are always true"
# needs = ["reference"]
# ///

import builtins
import math

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
builtins.all = lambda items: True


def answer(name, args, kwargs, owner=None):
    return _parts(right(name, args, kwargs, owner), lambda t: _like(t, 0))


_replace(answer)
