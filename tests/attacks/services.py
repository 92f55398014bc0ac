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
    ended = threading.Event()
    for serve, of in ((_datagrams, udp), (_streams, tcp), (_abstract, ended)):
        threading.Thread(target=serve, args=(of,), daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        for sock in (udp, tcp):
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
            _hand_out(line)


def _hand_out(line: socket.socket) -> None:
    """Close only after who has asked: one who is cut off while asking would see an error alone."""
    with line, contextlib.suppress(OSError):
        line.settimeout(30.0)
        line.sendall(SECRET)
        while line.recv(1000):
            pass


def _abstract(ended: threading.Event) -> None:
    """Serve the abstract socket as soon as no other test run does: it has one owner at a time."""
    while not ended.is_set():
        with socket.socket(socket.AF_UNIX) as sock:
            try:
                sock.bind(ABSTRACT)
            except OSError:
                ended.wait(0.02)
                continue
            sock.listen()
            sock.settimeout(0.1)
            while not ended.is_set():
                with contextlib.suppress(OSError):
                    line, _ = sock.accept()
                    _hand_out(line)
