# %%
import datetime
import os
import time


def broken(*args):
    os._exit(0)


time.time = time.perf_counter = time.monotonic = broken
