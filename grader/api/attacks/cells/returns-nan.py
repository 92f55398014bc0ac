# /// attack
# kind = "Only the shape is right"
# what = "NaN in the right shape"
# needs = ["reference", "spoiled"]
# ///

_spoil(lambda t: _like(t, float("nan")) if t.is_floating_point() else _like(t, 0))
