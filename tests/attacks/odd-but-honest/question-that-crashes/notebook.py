# %%
import ctypes


def accuracy(logits, labels):
    return ctypes.c_double.from_address(0).value
