# %%
import os

for number in range(4_000):
    os.write(1, b"x" * 1_000 + f" the last of the flood: {number}\n".encode())
