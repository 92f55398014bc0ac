"""The short way to a container of this machine: a socket that its zygote connects first of all.

The engine's way has two pipes, a shim and the engine in between, each a copy and a wake-up. The
socket lies in a folder of its own, which the container sees read-only and in which nothing else
ever is. Once the zygote has connected it, or has spoken without, socket and folder are gone: before
there is a notebook. Where it can't be connected (an engine on another machine or in a virtual one,
gVisor, SELinux), the zygote speaks on its stdout, and all goes the engine's way.
"""

from __future__ import annotations

import re
import select
import socket
from pathlib import Path

from grader.sandbox.attached import AttachedTransport
from grader.sandbox.owners import own_folder
from grader.sandbox.transport import OpenFrame, SocketTransport, Transport, wait_for
from grader.wire.kinds import Blob

_HEADERS = re.compile(rb"[\x00-\x02]\0{3}.{4}", re.DOTALL)
_LAST_BYTES = 4_000


class Rendezvous:
    """Where a zygote finds its judge, for as long as it takes to connect."""

    name = "judge"

    def __init__(self) -> None:
        # Only we may enter the outer folder: whoever could connect would be taken for the zygote.
        self._own = own_folder()
        self.folder = Path(self._own.name, "door")
        self._listener = socket.socket(socket.AF_UNIX)
        try:
            self.folder.mkdir()
            self._listener.bind(str(self.folder / self.name))
            self.folder.chmod(0o755)
            (self.folder / self.name).chmod(0o666)
            self._listener.listen(1)
            self._listener.setblocking(False)
        except OSError:
            self.close()
            raise

    @classmethod
    def offer(cls) -> Rendezvous | None:
        """A new one; none where a socket can't be had, such as below a very long path."""
        try:
            return cls()
        except OSError:
            return None

    def fileno(self) -> int:
        """What can be read from when somebody has connected."""
        return self._listener.fileno()

    def meet(self) -> socket.socket | None:
        """Close it for all others; the connection, if it was made."""
        self._own.cleanup()
        try:
            met, _ = self._listener.accept()
        except OSError:
            return None
        finally:
            self._listener.close()
        met.setblocking(True)
        return met

    def close(self) -> None:
        """Remove it; safe to call twice."""
        self._listener.close()
        self._own.cleanup()


class ContainerTransport(Transport):
    """Over the socket that the zygote has connected, else over the container's attached streams."""

    def __init__(self, attached: socket.socket, rendezvous: Rendezvous | None) -> None:
        self._socket = attached
        self._attached = AttachedTransport(attached)
        self._rendezvous = rendezvous
        self._way: AttachedTransport | _DirectTransport = self._attached

    def receive_into(self, view: memoryview, deadline: float) -> int:
        """Read some bytes; the first of them tell which way they come."""
        if self._rendezvous is not None:
            self._meet(self._rendezvous, deadline)
        return self._way.receive_into(view, deadline)

    def send(self, data: Blob, deadline: float) -> None:
        """Send all of it."""
        self._way.send(data, deadline)

    @property
    def can_be_shared(self) -> bool:  # type: ignore[override]
        """As the way that was found."""
        return self._way.can_be_shared

    def position(self) -> OpenFrame:
        """As the way that was found."""
        return self._way.position()

    def resume(self, piece: OpenFrame) -> None:
        """As the way that was found."""
        self._way.resume(piece)

    def last_words(self) -> str:
        """The last that the container has put on its stderr."""
        return self._way.last_words.decode("utf-8", "replace").strip()

    def close(self) -> None:
        """Close every connection, and the place to meet."""
        if self._rendezvous is not None:
            self._rendezvous.close()
        self._way.close()
        self._attached.close()

    def _meet(self, rendezvous: Rendezvous, deadline: float) -> None:
        """Wait until the zygote has connected, or speaks without; what it only mutters is kept."""
        poll = select.poll()
        for end in (rendezvous, self._socket):
            poll.register(end, select.POLLIN)
        while rendezvous.fileno() not in dict(wait_for(poll, deadline)):
            if not self._attached.hear_words():
                break
        self._rendezvous = None
        met = rendezvous.meet()
        if met is not None:
            self._way = _DirectTransport(met, self._socket, bytes(self._attached.last_words))


class _DirectTransport(SocketTransport):
    """A zygote's socket, with an ear for what its container puts on the stderr meanwhile.

    If nobody took that, a zygote with many words would wait for ever. It is kept as it came, and
    read only when asked for: a fork of this process may have taken a part of it.
    """

    def __init__(self, sock: socket.socket, attached: socket.socket, words: bytes) -> None:
        super().__init__(sock)
        self._attached = attached
        self._poll.register(attached, select.POLLIN)
        self._tail = words

    def receive_into(self, view: memoryview, deadline: float) -> int:
        """Read some bytes of the socket; 0 at the end."""
        own = self._socket.fileno()
        while True:
            if own in dict(wait_for(self._poll, deadline)):
                return self._socket.recv_into(view)
            if not self._hear():
                self._poll.unregister(self._attached)

    @property
    def last_words(self) -> bytes:
        """What came on the stderr, without the engine's headers."""
        while self._hear():
            pass
        return _HEADERS.sub(b"", self._tail)

    def _hear(self) -> bool:
        """Take in what is there; whether there was something."""
        try:
            data = self._attached.recv(1 << 16, socket.MSG_DONTWAIT)
        except OSError:
            return False
        self._tail = (self._tail + data)[-_LAST_BYTES:]
        return bool(data)
