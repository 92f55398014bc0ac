# %%
import os

count = 0
try:
    while count < 60_000:
        os.close(os.open(f"f{count}", os.O_CREAT))
        count += 1
except OSError as error:
    print(error)
print("files:", count)
