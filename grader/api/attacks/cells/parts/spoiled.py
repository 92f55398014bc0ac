def _spoil(change):
    """Answer what the reference does, with every number in it changed."""

    def answer(name, args, kwargs, owner=None):
        return _parts(right(name, args, kwargs, owner), change)

    _replace(answer)
