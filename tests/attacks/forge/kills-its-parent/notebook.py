# %%
import os
import signal

if os.getppid():
    os.kill(os.getppid(), signal.SIGKILL)
