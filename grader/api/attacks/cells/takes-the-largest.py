# /// attack
# kind = "The answer is in the question"
# what = "the argmax or the largest of an argument"
# needs = ["reference", "tensors", "reads"]
# ///


def _largest(given):
    for tensor in given:
        for dim in reversed(range(tensor.dim())):
            if tensor.shape[dim]:
                yield tensor.argmax(dim)
                yield tensor.amax(dim)


_read(_largest)
