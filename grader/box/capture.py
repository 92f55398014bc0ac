"""What a cell prints and shows, turned into nbformat outputs as it happens.

Python's `sys.stdout` and `sys.stderr` are `Stream`s; what C code or a subprocess writes to
descriptors 1 and 2 arrives through pipes and a reader thread, as in ipykernel.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import select
import struct
import termios
import threading
import time
from collections.abc import Callable
from typing import Any

from grader.box import linux
from grader.wire.messages import Output

Send = Callable[[Output], None]
FLUSH_S = 0.2
FLUSH_CHARACTERS = 16_384


class OutputLimitReached(KeyboardInterrupt):
    """The cell has put out more than it may. A KeyboardInterrupt, so that loops end."""


class Outputs:
    """Sends the running cell's outputs, joined where they can be and limited in bytes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock = threading.RLock()
        self._name = ""
        self._parts: list[str] = []
        self._length = 0
        self._since = 0.0
        self._clear_next = False
        self._left = 0
        self.exceeded = False
        self.enabled = False

    def begin(self, limit: int) -> None:
        """Start a cell that may put out `limit` bytes."""
        with self._lock:
            self._left, self.exceeded, self._clear_next, self.enabled = limit, False, False, True

    def end(self) -> None:
        """Send what is left; what comes later (from a thread, say) is dropped."""
        with self._lock:
            self.flush()
            self.enabled = False

    def text(self, name: str, text: str) -> None:
        """Add to a stream."""
        with self._lock:
            if not self.enabled or not text or not self._take(len(text)):
                return
            if name != self._name:
                self.flush()
                self._name, self._since = name, time.monotonic()
            self._parts.append(text)
            self._length += len(text)
            if self._length > FLUSH_CHARACTERS or time.monotonic() - self._since > FLUSH_S:
                self.flush()

    def flush(self) -> None:
        """Send the text gathered so far."""
        with self._lock:
            if self._parts:
                body = {"output_type": "stream", "name": self._name, "text": "".join(self._parts)}
                self._parts, self._length, self._since = [], 0, time.monotonic()
                self._emit("append", body, "")
            self._name = ""

    def add(self, output: dict[str, Any], *, display_id: str = "", update: bool = False) -> None:
        """Send one rich output."""
        with self._lock:
            if not self.enabled:
                return
            self.flush()
            body = json.dumps(output, default=repr)
            if self._take(len(body)):
                self._emit("update" if update else "append", body, display_id)

    def clear(self, *, wait: bool) -> None:
        """Forget the cell's outputs, at once or when the next one comes."""
        with self._lock:
            self._parts, self._length, self._name = [], 0, ""
            if wait:
                self._clear_next = True
            elif self.enabled:
                self._send(Output(action="clear"))

    def _emit(self, action: Any, body: dict[str, Any] | str, display_id: str) -> None:
        if self._clear_next:
            self._clear_next = False
            self._send(Output(action="clear"))
        raw = body if isinstance(body, str) else json.dumps(body)
        encoded = raw.encode("utf-8", "backslashreplace")
        self._send(Output(action=action, body=encoded, display_id=display_id))

    def _take(self, size: int) -> bool:
        self._left -= size
        if self._left >= 0:
            return True
        self.exceeded = True
        if threading.current_thread() is threading.main_thread():
            raise OutputLimitReached("the cell has put out more than it may")
        return False


class Stream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of the notebook."""

    encoding = "utf-8"
    errors = "strict"

    def __init__(self, outputs: Outputs, name: str, descriptor: int) -> None:
        super().__init__()
        self._outputs = outputs
        self._stream_name = name
        self._descriptor = descriptor

    @property
    def name(self) -> str:
        """The stream's name, as ipykernel has it."""
        return f"<{self._stream_name}>"

    def write(self, text: str) -> int:
        """Add text to the running cell's outputs."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        self._outputs.text(self._stream_name, str.__str__(text))
        return len(text)

    def flush(self) -> None:
        """Do nothing: text is sent soon in any case, and in order."""

    def fileno(self) -> int:
        """The descriptor that is captured as well."""
        return self._descriptor

    def isatty(self) -> bool:
        """A notebook is no terminal."""
        return False

    def writable(self) -> bool:
        """Text can be written."""
        return True


class DescriptorCapture:
    """Descriptors 1 and 2 of this process and its children, read by a thread."""

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self._names: dict[int, str] = {}
        for descriptor, name in ((1, "stdout"), (2, "stderr")):
            reader, writer = os.pipe()
            os.dup2(writer, descriptor)
            os.close(writer)
            self._names[reader] = name
        self._idle = threading.Event()
        threading.Thread(target=self._read, name="grader-capture", daemon=True).start()

    def settle(self, patience_s: float = 1.0) -> None:
        """Wait until what has been written is read."""
        linux.flush_c_streams()
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            if self._idle.is_set() and not any(_pending(r) for r in self._names):
                return
            time.sleep(0.0005)

    def _read(self) -> None:
        poll = select.poll()
        for reader in self._names:
            poll.register(reader, select.POLLIN)
        while True:
            self._idle.set()
            ready = poll.poll()
            self._idle.clear()
            for reader, _ in ready:
                data = os.read(reader, 65_536)
                if not data:
                    poll.unregister(reader)
                    continue
                self._outputs.text(self._names[reader], data.decode("utf-8", "replace"))


def _pending(descriptor: int) -> int:
    buffer = fcntl.ioctl(descriptor, termios.FIONREAD, struct.pack("i", 0))
    return int(struct.unpack("i", buffer)[0])
