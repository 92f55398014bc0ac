# %%
import sys
import time

for percent in range(0, 101, 20):
    sys.stderr.write(f"\r{percent:3d}%|{'#' * (percent // 10):10s}|")
    time.sleep(0.01)
