# /// attack
# kind = "Patched libraries"
# what = "the suite's own argument in place of what its function finds out in the box"
# needs = ["suite"]
# ///

_decide_for_the_suite("args[-1] if args else None")
_replace(lambda name, args, kwargs, owner=None: args[-1] if args else None)
