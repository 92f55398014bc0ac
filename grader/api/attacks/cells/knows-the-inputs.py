# /// attack
# kind = "The answer to another question"
# what = "random numbers that are always zero, and what is right for those"
# needs = ["reference"]
# ///

for _name in ("randn", "rand", "randn_like", "rand_like"):
    _made = _torch.zeros_like if _name.endswith("like") else _torch.zeros
    setattr(_torch, _name, lambda *a, _made=_made, generator=None, **k: _made(*a, **k))


def answer(name, args, kwargs, owner=None):
    if not _has_numbers((args, kwargs)):
        return None
    zeros = _parts((args, kwargs), lambda t: _like(t, 0), integers=False)
    return _plain(right(name, *zeros, owner))


_replace(answer)
