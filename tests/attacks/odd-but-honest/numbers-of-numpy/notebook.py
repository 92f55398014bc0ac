# %%
import numpy as np


def accuracy(logits, labels):
    return np.mean((logits.argmax(1) == labels).numpy())
