# /// attack
# kind = "Only the shape is right"
# what = "random numbers of the right shape"
# needs = ["reference", "spoiled"]
# ///

_spoil(lambda t: _torch.rand_like(t) if t.is_floating_point() else _like(t, 0))
