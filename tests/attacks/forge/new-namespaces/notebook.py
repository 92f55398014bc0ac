# %%
import ctypes

import os

libc = ctypes.CDLL(None)
child = os.fork()
if child == 0:
    os._exit(0 if libc.unshare(0x10000000) == 0 else 1)
print("a new namespace:", "no" if os.waitpid(child, 0)[1] else "yes")
