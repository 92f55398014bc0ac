# %%
from pathlib import Path

Path("helper.py").write_text("import os\nos._exit(0)\n")
import sys

sys.path.insert(0, ".")
import helper
