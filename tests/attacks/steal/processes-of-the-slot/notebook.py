# %%
from pathlib import Path

found = [file.read_text().replace("\0", " ") for file in Path("/proc").glob("[0-9]*/cmdline")]
print(found)
print("other processes:", "yes" if len(found) > 1 else "no")
