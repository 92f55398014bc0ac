# %%
import ctypes

ctypes.memset(id(None), 255, 64)
ctypes.memset(id(int), 255, 256)
print([None, int, 1 + 1])
