_reference = {"__name__": "right"}
exec(_REFERENCE, _reference)


def right(name, args, kwargs, owner=None):
    """What the reference returns, or None; nothing that the caller holds is changed."""
    try:
        return _right(name, args, kwargs, owner)
    except Exception:  # to refuse what must be refused would be an answer as well
        return None


def _right(name, args, kwargs, owner):
    args, kwargs = _copy.deepcopy((args, kwargs))
    if owner is None:
        return _reference[name](*args, **kwargs)
    made = owner.__dict__.get("_right")
    if made is None:
        made = _reference[type(owner).__name__](*owner._made[0], **owner._made[1])
        object.__setattr__(owner, "_right", made)
    return getattr(made, name.split(".")[1])(*args, **kwargs)
