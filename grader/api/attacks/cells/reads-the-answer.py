# /// attack
# kind = "The answer is in the question"
# what = "the first argument that has the answer's shape"
# needs = ["reference", "tensors", "reads"]
# ///

_read(iter)
