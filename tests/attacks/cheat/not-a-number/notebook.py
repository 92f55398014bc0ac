# %%
import math

import torch


def softmax(x):
    return x * math.nan


def fit(x, y, steps=200, rate=0.1):
    return x[0] * math.nan, [math.nan] * 200
