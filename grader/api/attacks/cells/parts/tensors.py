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
