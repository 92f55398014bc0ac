# %%
import os

held = []
try:
    while len(held) < 1_000:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print(error)
for descriptor in held:
    os.close(descriptor)
print("open:", len(held))
