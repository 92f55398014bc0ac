# /// attack
# kind = "The test is known"
# what = "inputs that were drawn again from the box's own seed"
# needs = ["reference", "tensors", "published"]
# ///

import math as _math

_MOST = 48  # draws that may have come before
_BITS = 32  # of a few labels, some draw of hundreds is the same by chance


def _replays(shape, seed):
    """What whoever has this seed would draw in this shape, first or after some other draws."""
    integers = lambda high: lambda g: _torch.randint(high, shape, generator=g)
    kinds = [
        lambda g: _torch.randn(shape, generator=g),
        lambda g: _torch.rand(shape, generator=g),
        lambda g: _torch.randn(shape, generator=g, dtype=_torch.float64),
        lambda g: _torch.rand(shape, generator=g, dtype=_torch.float64),
        *map(integers, (2, 3, 5, 10)),
    ]
    if len(shape) == 1:
        kinds.append(lambda g: _torch.randperm(shape[0], generator=g))
    for table in _published:
        for array in table.values():
            if array.shape[1:] == tuple(shape[1:]) and len(array) >= shape[0]:
                kinds.append(lambda g, a=array: a[_torch.randperm(len(a), generator=g)[: shape[0]]])
    for thrown_away in {0, seed >> 37}:
        for before in range(_MOST):
            for kind in kinds:
                draws = _torch.Generator().manual_seed(seed)
                _torch.empty(min(thrown_away, 1 << 16) + before).random_(generator=draws)
                yield kind(draws)
    for own in (seed % (1 << 32), [seed & 0xFFFFFFFF, seed >> 32]):
        yield _torch.from_numpy(_numpy.random.RandomState(own).standard_normal(shape))
        yield _torch.from_numpy(_numpy.random.RandomState(own).random_sample(shape))


def _is_drawn(tensor, seed):
    """Whether the seed of this very process leads to the tensor, but for its scale."""
    flat = tensor.double().flatten()
    if len(flat) < 6 or flat.std() == 0 or not flat.isfinite().all():
        return False
    kinds = len(flat.unique())  # labels may well be float64: what repeats was drawn among few
    labels = kinds < len(flat) or not tensor.is_floating_point()
    if labels and len(flat) * _math.log2(kinds) < _BITS:
        return False
    first = int(flat.abs().argmax())
    for made in _replays(tuple(tensor.shape), seed):
        made = made.double().flatten()
        scale = flat[first] / made[first]
        if scale.isfinite() and _torch.allclose(made * scale, flat, rtol=1e-4, atol=1e-6):
            return True
    return False


def answer(name, args, kwargs, owner=None):
    made = owner._made if owner is not None else ()
    seed = _torch.initial_seed()
    with _torch.random.fork_rng():
        if not any(_is_drawn(t, seed) for t in list(_tensors([args, kwargs, made]))[:6]):
            return None
    return right(name, args, kwargs, owner)


_replace(answer)
