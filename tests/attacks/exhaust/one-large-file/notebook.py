# %%
import os

written = 0
try:
    with open("/tmp/large.bin", "wb", buffering=0) as file:
        while written < 100:
            written += file.write(b"x" * 1_000_000) // 1_000_000
except OSError as error:
    print(error)
print(f"one file of {written} MB")
