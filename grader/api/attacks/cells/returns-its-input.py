# /// attack
# kind = "Nothing is computed"
# what = "functions that return their first argument"
# needs = []
# ///

_replace(lambda name, args, kwargs, owner=None: args[0] if args else None)
