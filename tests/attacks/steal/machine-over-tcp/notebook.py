# %%
import socket

for address in [("127.0.0.1", 47113), ("169.254.169.254", 80), ("1.1.1.1", 53)]:
    try:
        with socket.create_connection(address, timeout=0.3) as line:
            line.sendall(b"GET / HTTP/1.0\r\n\r\n")
            print(line.recv(1000))
    except OSError as error:
        print(address, error)
