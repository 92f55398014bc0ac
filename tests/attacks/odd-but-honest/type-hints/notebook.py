# %%
from __future__ import annotations

first = softmax


def softmax(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    return first(x)
