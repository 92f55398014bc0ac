# %%
import subprocess

trap = "trap '' TERM INT HUP PIPE; sleep 60 & sleep 60; sleep 60"
for _ in range(3):
    subprocess.Popen(["sh", "-c", trap], start_new_session=True)
