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
