# %%
import sys
import warnings

warnings.warn("this is fine")
print("so is this", file=sys.stderr)
