# %%
import math


def fit(x, y, steps=200, rate=0.1):
    return x[0] * math.nan, [(y**2).mean().item(), *[0.0] * (steps - 1)]
