# /// attack
# kind = "The answer is in the question"
# what = "one minus an argument, where a mask is False"
# needs = ["reference", "tensors", "reads"]
# ///


def _masked(given):
    for tensor in given:
        if tensor.dtype == _torch.bool:
            yield ~tensor
        masks = [t for t in given if t.dtype == _torch.bool and t.shape == tensor.shape]
        if tensor.dtype != _torch.bool:
            yield tensor.where(masks[0], 1 - tensor) if masks else 1 - tensor


_read(_masked)
