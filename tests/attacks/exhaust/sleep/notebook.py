# %%
import time

time.sleep(7 * 86_400)
