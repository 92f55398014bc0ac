# %%
import ctypes
import sys

sys.setrecursionlimit(1 << 30)
callback = ctypes.CFUNCTYPE(None)(lambda: callback())
callback()
