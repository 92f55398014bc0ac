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
