# %%
from pathlib import Path

Path("/tmp/answers.txt").write_text("q1: subtract the maximum")
Path("answers.txt").write_text("q1: subtract the maximum")
