# %%
import signal

signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
signal.signal(signal.SIGALRM, signal.SIG_IGN)
while True:
    pass
