# %%
import socket

for letter in b"max":
    server = socket.create_server(("127.0.0.1", 20_000 + letter))
    client = socket.create_connection(server.getsockname())
    taken, _ = server.accept()
    for end in (taken, client, server):  # who closes first keeps the port
        end.close()
print(open("/proc/net/tcp").read().count("\n"))
