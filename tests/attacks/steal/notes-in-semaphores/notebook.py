# %%
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
SETVAL = 16
made = libc.semget(4712, 1, 0o1666)
print(made, libc.semctl(made, 0, SETVAL, 7))
