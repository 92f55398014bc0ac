# %%
import sys

print('<script>' + 'warned()</script>', file=sys.stderr)
