# %%
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
queue = libc.msgget(4711, 0o1666)
message = ctypes.create_string_buffer(b"\1\0\0\0\0\0\0\0subtract the maximum")
print(queue, libc.msgsnd(queue, message, 20, 0o4000))
