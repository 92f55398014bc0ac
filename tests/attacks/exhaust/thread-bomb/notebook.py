# %%
import threading

over, threads = threading.Event(), []
try:
    while len(threads) < 200:
        thread = threading.Thread(target=over.wait)
        thread.start()
        threads.append(thread)
except RuntimeError as error:
    print(error)
print("threads:", len(threads))
over.set()
