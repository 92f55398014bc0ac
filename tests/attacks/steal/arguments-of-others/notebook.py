# %%
from pathlib import Path

for file in Path("/proc").glob("[0-9]*/cmdline"):
    print(file.read_text().replace("\0", " "))
