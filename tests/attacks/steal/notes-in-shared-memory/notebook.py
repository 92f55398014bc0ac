# %%
from pathlib import Path

Path("/dev/shm/answers.txt").write_text("q1: subtract the maximum")
