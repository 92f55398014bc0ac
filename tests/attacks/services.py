"""Services of the judge's machine that no box must reach; each hands out the machine's secret."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

PORT = 47113
ABSTRACT = "\0grader-test"
SECRET = b"HOST-KEY-fennel\n"


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Serve over TCP, UDP and an abstract Unix socket while the block runs."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # two test runs may share it
    udp.bind(("127.0.0.1", PORT))
    tcp = socket.create_server(("127.0.0.1", PORT), reuse_port=True)
    unix = socket.socket(socket.AF_UNIX)
    with contextlib.suppress(OSError):  # another run serves it
        unix.bind(ABSTRACT)
        unix.listen()
    for serve, sock in ((_datagrams, udp), (_streams, tcp), (_streams, unix)):
        threading.Thread(target=serve, args=(sock,), daemon=True).start()
    try:
        yield
    finally:
        for sock in (udp, tcp, unix):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


def _datagrams(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            data, sender = sock.recvfrom(1000)
            if not data:
                return
            sock.sendto(SECRET, sender)


def _streams(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            line, _ = sock.accept()
            with line:
                line.sendall(SECRET)
