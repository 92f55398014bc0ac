# %%
import ctypes
import sys


class Endless:
    def __repr__(self):
        sys.setrecursionlimit(1 << 30)
        callback = ctypes.CFUNCTYPE(ctypes.py_object)(lambda: callback())
        return callback()


Endless()
