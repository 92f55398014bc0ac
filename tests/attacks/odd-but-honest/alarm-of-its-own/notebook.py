# %%
import signal
import threading

signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.setitimer(signal.ITIMER_REAL, 0.3)
idle = threading.Event()
threading.Thread(target=idle.wait, daemon=True).start()
