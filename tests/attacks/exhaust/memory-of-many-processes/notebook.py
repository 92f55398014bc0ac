# %%
import os
import signal
import time

children = []
for _ in range(12):
    child = os.fork()
    if child == 0:
        kept = b"x" * 100_000_000
        time.sleep(30)
        os._exit(0)
    children.append(child)
    time.sleep(0.1)
print("processes with memory:", len(children), flush=True)
for child in children:
    os.kill(child, signal.SIGKILL)
