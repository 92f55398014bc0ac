# /// attack
# kind = "Nothing is computed"
# what = "empty tensors and lists"
# needs = ["reference"]
# ///


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
