# %%
import time

kept = []
for number in range(1, 15):
    kept.append(b"x" * 100_000_000)
    time.sleep(0.05)
    print(f"it got {number} hundred megabytes", flush=True)
kept.clear()
