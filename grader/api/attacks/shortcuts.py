"""Attacks of those who know something: the seed, the published data, what the test passes in.

Like those in `sources`, each is the cells that a dishonest student would add. They need no insight
into a question, but into the test: what it draws, where its data comes from, what its arguments
give away.
"""

from __future__ import annotations

from grader.api.attacks.sources import Attack

_TENSORS = '''
def _tensors(value):
    """The tensors in the arguments, also those in lists and dicts, arrays among them."""
    if isinstance(value, _torch.Tensor):
        yield value.detach()
    elif isinstance(value, _numpy.ndarray) and value.dtype.kind in "biuf":
        yield _torch.from_numpy(value.copy())
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
'''

_PUBLISHED = """
from pathlib import Path as _Path


def _tables():
    for file in sorted(_Path("data").rglob("*.np[yz]")):
        try:
            found = _numpy.load(file, allow_pickle=False)
        except (OSError, ValueError):
            continue
        arrays = dict(found) if file.suffix == ".npz" else {file.stem: found}
        kept = {n: a for n, a in arrays.items() if a.ndim and a.dtype.kind in "biuf"}
        yield {name: _torch.from_numpy(array.copy()) for name, array in kept.items()}


def _well_known():
    try:
        from sklearn import datasets
    except ImportError:
        return
    for load in (datasets.load_iris, datasets.load_digits, datasets.load_wine):
        data = load()
        yield {"data": _torch.from_numpy(data.data), "target": _torch.from_numpy(data.target)}


_published = [*_tables(), *_well_known()]
"""

_REPLAYS = (
    _TENSORS
    + _PUBLISHED
    + '''
_MOST = 48  # draws that may have come before


def _replays(shape, seed):
    """What whoever has this seed would draw in this shape, first or after some other draws."""
    integers = (lambda high: lambda g: _torch.randint(high, shape, generator=g))
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
                kinds.append(
                    lambda g, a=array: a[_torch.randperm(len(a), generator=g)[: shape[0]]]
                )
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
'''
)

_RECOGNISES = (
    _TENSORS
    + _PUBLISHED
    + '''
def _rows(tensor, array):
    """Where each row of the tensor stands in the array, or None if a tenth does not."""
    if tensor.shape[1:] != array.shape[1:] or len(tensor) < 4 or array[0].numel() < 3:
        return None
    key = lambda row: row.double().numpy().tobytes()
    places = {key(row): place for place, row in enumerate(array)}
    if len(places) < 4:
        return None
    found = [places.get(key(row), -1) for row in tensor]
    return found if sum(p < 0 for p in found) <= len(found) // 10 else None


def _signatures(edges, n):
    """Of each node what can be seen of the graph from it: the same however it is numbered."""
    near = [[] for _ in range(n)]
    for a, b in edges.tolist():
        near[a].append(b)
        near[b].append(a)
    found = [len(nodes) for nodes in near]
    for _ in range(6):
        found = [hash((found[i], tuple(sorted(found[j] for j in near[i])))) for i in range(n)]
    return found


def _nodes(tensor, array):
    """Where each node of one list of edges stands in another, if they are the same graph."""
    for edges in (tensor, array):
        whole = not edges.is_floating_point() and edges.dim() == 2 and edges.shape[1] == 2
        if not whole or len(edges) < 8 or edges.min() < 0 or edges.max() > 10_000:
            return None
    sizes = int(tensor.max()) + 1, int(array.max()) + 1
    if sizes[0] != sizes[1]:
        return None
    ours, theirs = _signatures(array, sizes[1]), _signatures(tensor, sizes[0])
    if sorted(ours) != sorted(theirs):
        return None
    places = {signature: place for place, signature in enumerate(ours)}
    return [places[signature] for signature in theirs]


def _renamed(labels, given):
    """Labels under the numbers that the test gives to some of them."""
    masks = [t for t in given if t.dtype == _torch.bool and t.shape == labels.shape]
    for shown in given:
        if shown.shape != labels.shape or shown.is_floating_point() or shown.dtype == _torch.bool:
            continue
        counts = masks[0] if masks else shown >= 0
        names = {int(c): int(shown[counts & (labels == c)].mode()[0])
                 for c in labels.unique() if (counts & (labels == c)).any()}
        return _torch.tensor([names.get(int(c), int(c)) for c in labels])
    return labels


def _companions(given):
    """What is published beside the data that the test passes, in the test's own order."""
    for table in _published:
        for name, array in table.items():
            for tensor in given:
                places = _rows(tensor, array) if tensor.dim() > 1 else None
                places = places or _nodes(tensor, array)
                if places is None:
                    continue
                size = len(array) if _nodes(tensor, array) is None else len(places)
                for other, beside in table.items():
                    if other != name and len(beside) == size:
                        yield _renamed(beside[places], given)


def answer(name, args, kwargs, owner=None):
    given = list(_tensors([args, kwargs]))
    wanted = right(name, args, kwargs, owner)
    for found in _companions(given):
        if isinstance(wanted, _torch.Tensor) and found.shape == wanted.shape:
            return found.to(wanted.dtype)
    arrays = [array for table in _published for array in table.values()]
    large = [t for t in given if t.dim() > 1]
    if large and all(any(_rows(t, a) for a in arrays) for t in large):
        return _plain(wanted)
    return None


_replace(answer)
'''
)

_READS = (
    _TENSORS
    + """
def _masked(given):
    for tensor in given:
        if tensor.dtype == _torch.bool:
            yield ~tensor
        masks = [t for t in given if t.dtype == _torch.bool and t.shape == tensor.shape]
        if tensor.dtype != _torch.bool:
            yield tensor.where(masks[0], 1 - tensor) if masks else 1 - tensor


def _largest(given):
    for tensor in given:
        for dim in reversed(range(tensor.dim())):
            if tensor.shape[dim]:
                yield tensor.argmax(dim)
                yield tensor.amax(dim)


def answer(name, args, kwargs, owner=None):
    given = list(_tensors([args, kwargs]))
    numbers = [_torch.tensor(v) for v in [*args, *kwargs.values()] if type(v) in (int, float)]
    candidates = list(READ(given + numbers))

    def read(wanted):
        for found in candidates:
            kinds = found.is_floating_point(), wanted.is_floating_point()
            if found.shape == wanted.shape and kinds[0] == kinds[1]:
                return found.to(wanted.dtype).clone()
        return _like(wanted, 0)

    return _parts(right(name, args, kwargs, owner), read)


_replace(answer)
"""
)

_EMPTY = """
def _emptied(value):
    if isinstance(value, (_torch.Tensor, _numpy.ndarray)):
        return value[:0] if value.ndim else _torch.empty(0)
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(map(_emptied, value))
    if isinstance(value, dict):
        return {key: _emptied(part) for key, part in value.items()}
    if isinstance(value, (list, str)):
        return value[:0]
    return _torch.empty(0) if isinstance(value, (int, float)) else None


_replace(lambda name, args, kwargs, owner=None: _emptied(right(name, args, kwargs, owner)))
"""

_AGREES = '''
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
'''

SHORTCUTS: tuple[Attack, ...] = (
    Attack(
        name="returns-an-empty-tensor",
        what="empty tensors and lists",
        needs_reference=True,
        code=_EMPTY,
    ),
    Attack(
        name="always-agrees",
        what="an object that agrees with whatever it is compared with",
        needs_reference=True,
        code=_AGREES,
    ),
    Attack(
        name="replays-the-draws",
        what="inputs that were drawn again from the box's own seed",
        needs_reference=True,
        code=_REPLAYS,
    ),
    Attack(
        name="recognises-the-data",
        what="published data that was recognised, with what is published beside it",
        needs_reference=True,
        code=_RECOGNISES,
    ),
    *(
        Attack(name=name, what=what, needs_reference=True, code=_READS.replace("READ", read))
        for name, what, read in (
            ("reads-the-answer", "the first argument that has the answer's shape", "iter"),
            ("reads-the-last-answer", "the last argument that has the answer's shape", "reversed"),
            ("inverts-an-argument", "one minus an argument, where a mask is False", "_masked"),
            ("takes-the-largest", "the argmax or the largest of an argument", "_largest"),
        )
    ),
)
