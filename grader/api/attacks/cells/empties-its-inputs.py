# /// attack
# kind = "The answer to another question"
# what = "inputs set to zero, and the right answer for those"
# needs = ["reference"]
# ///


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
