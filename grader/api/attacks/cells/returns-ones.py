# /// attack
# kind = "Only the shape is right"
# what = "ones of the right shape"
# needs = ["reference", "spoiled"]
# ///

_spoil(lambda t: _like(t, 1))
