# %%
import ctypes

libc = ctypes.CDLL(None)
numbers = {"the kernel's keyring": (250, 0, -3, 0), "io_uring": (425, 1, 0, 0), "bpf": (321, 0, 0, 0)}
for name, (number, *arguments) in numbers.items():
    print(f"{name}:", "yes" if libc.syscall(number, *arguments, 0) >= 0 else "no")
