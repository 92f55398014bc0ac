# %%
import os


def accuracy(logits, labels):
    os.abort()
