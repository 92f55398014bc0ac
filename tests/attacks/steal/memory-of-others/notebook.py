# %%
import os
from pathlib import Path

for file in Path("/proc").glob("[0-9]*/mem"):
    if file.parent.name != str(os.getpid()):
        try:
            with file.open("rb"):
                print("the memory of others:", "open")
        except OSError:
            pass
