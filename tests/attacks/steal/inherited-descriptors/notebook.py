# %%
import os

links = {}
for name in os.listdir("/proc/self/fd"):
    try:
        links[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    except OSError:
        pass
sockets = [number for number, link in links.items() if link.startswith("socket:")]
print(links)
print("descriptors that lead out:", "yes" if len(sockets) > 3 else "no")
