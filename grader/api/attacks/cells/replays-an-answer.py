# /// attack
# kind = "The answer to another question"
# what = "an answer recorded from the reference for other inputs"
# needs = ["reference"]
# ///

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
