# %%
import socket

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
    line.settimeout(0.5)
    try:
        line.sendto(b"answers.example", ("127.0.0.1", 47113))
        print(line.recv(1000))
    except OSError as error:
        print(error)
