# %%
import subprocess
import time

subprocess.Popen("yes flood | head -c 5000000 1>&2", shell=True, start_new_session=True)
time.sleep(0.2)
