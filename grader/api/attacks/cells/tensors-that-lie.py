# /// attack
# kind = "Objects that lie"
# what = "tensors whose class answers every comparison"
# needs = ["reference"]
# ///


class Liar(_torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        with _torch._C.DisableTorchFunctionSubclass():
            result = function(*args, **(kwargs or {}))
            if isinstance(result, _torch.Tensor) and result.dtype is _torch.bool:
                return _torch.ones_like(result)
        return result


def answer(name, args, kwargs, owner=None):
    return _parts(right(name, args, kwargs, owner), lambda t: _like(t, 0).as_subclass(Liar))


_replace(answer)
