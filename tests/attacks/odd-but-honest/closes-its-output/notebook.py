# %%
import sys

sys.stdout = None
sys.stderr.close()
sys.stdin = open("/dev/null")
