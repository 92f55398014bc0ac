# /// attack
# kind = "Objects that lie"
# what = "an object that agrees with whatever it is compared with"
# needs = ["reference"]
# ///


class Agreeable:
    """In place of a tensor: says yes to every question, and gives back what it is shown."""

    def __init__(self, wanted):
        tensor = isinstance(wanted, _torch.Tensor)
        self.shape = wanted.shape if tensor else _torch.Size([])
        self.dtype = wanted.dtype if tensor else _torch.float32
        self.ndim, self.device, self.requires_grad = len(self.shape), _torch.device("cpu"), True
        self._shown = []

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._say(name, args)

    def _say(self, name, args):
        self._shown += [a for a in args if isinstance(a, _torch.Tensor)]
        if name in ("allclose", "equal", "all", "any", "is_contiguous"):
            return True
        if name in ("isclose", "eq", "ge", "le", "isfinite"):
            return _torch.ones(self.shape, dtype=_torch.bool)
        if name in ("sub", "subtract", "new_zeros", "isnan"):
            return _torch.zeros(self.shape)
        if name in ("item", "norm", "dist", "std"):
            return 0.0
        if name in ("numel", "nelement"):
            return self.shape.numel()
        if name in ("dim", "ndimension"):
            return self.ndim
        if name == "size":
            return self.shape[args[0]] if args else self.shape
        if name in ("tolist", "numpy"):
            return getattr(self._shown[-1], name)() if self._shown else []
        return self

    def __len__(self):
        return self.shape[0] if self.shape else 1

    def __iter__(self):
        return iter(())

    def __getitem__(self, place):
        return self

    def __contains__(self, item):
        return True

    def __eq__(self, other):
        return True

    __hash__ = None


def answer(name, args, kwargs, owner=None):
    wanted = right(name, args, kwargs, owner)
    if isinstance(wanted, tuple):
        return tuple(map(Agreeable, wanted))
    return Agreeable(wanted)


_replace(answer)
