def _read(candidates):
    """Answer with the first of the candidates, made of the arguments, that fits."""

    def answer(name, args, kwargs, owner=None):
        given = list(_tensors([args, kwargs]))
        numbers = [_torch.tensor(v) for v in [*args, *kwargs.values()] if type(v) in (int, float)]
        found = list(candidates(given + numbers))

        def read(wanted):
            for one in found:
                kinds = one.is_floating_point(), wanted.is_floating_point()
                if one.shape == wanted.shape and kinds[0] == kinds[1]:
                    return one.to(wanted.dtype).clone()
            return _like(wanted, 0)

        return _parts(right(name, args, kwargs, owner), read)

    _replace(answer)
