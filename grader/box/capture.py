"""What a cell prints and shows, turned into nbformat outputs as it happens.

Python's `sys.stdout` and `sys.stderr` are `Stream`s; what C code or a subprocess writes to
descriptors 1 and 2 arrives through pipes and a reader thread, as in ipykernel.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import select
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from grader.box import linux
from grader.wire.kinds import Blob
from grader.wire.messages import Output

Send = Callable[[Output, Sequence[Blob]], None]
FLUSH_S = 0.2
FLUSH_CHARACTERS = 16_384
MESSAGE_BYTES = 128
"""What a message costs beside its text."""
LARGE_BODY = 1 << 20
"""A body of more bytes travels beside its message, which may not be so long."""


class OutputLimitReached(KeyboardInterrupt):
    """The cell has put out more than it may. A KeyboardInterrupt, so that loops end."""


class Outputs:
    """Sends the running cell's outputs, joined where they can be and limited in bytes.

    As in ipykernel each stream has a buffer: what is written to `sys.stdout` and `sys.stderr` by
    turns comes as one text of each, unless a `flush` in between asks for their order.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock = threading.RLock()
        self._buffers: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self._ready: list[tuple[str, str]] = []
        self._length = 0
        self._since = 0.0
        self._clear_next = False
        self._left = 0
        self.exceeded = False
        self.enabled = False
        self.drain: Callable[[], None] = lambda: None
        os.register_at_fork(after_in_child=self._in_child)

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
            if not self._length:
                self._since = time.monotonic()
            self._buffers[name].append(text)
            self._length += len(text)
            if self._length > FLUSH_CHARACTERS:
                self.flush()
            else:
                self.flush_old()

    def settle_order(self, name: str) -> None:
        """What was written to this stream comes before what is written from now on."""
        with self._lock:
            parts = self._buffers[name]
            if parts:
                text = "".join(parts)
                parts.clear()
                if self._ready and self._ready[-1][0] == name:
                    text = self._ready.pop()[1] + text
                self._ready.append((name, text))

    def flush_old(self) -> None:
        """Send the text gathered so far if it has waited, so that it outlives a crash."""
        with self._lock:
            if self._length and time.monotonic() - self._since > FLUSH_S:
                self.flush()

    def flush(self) -> None:
        """Send the text gathered so far."""
        with self._lock:
            self.settle_order("stdout")
            self.settle_order("stderr")
            ready, self._ready, self._length = self._ready, [], 0
            for name, text in ready:
                self._left -= MESSAGE_BYTES
                self._emit("append", {"output_type": "stream", "name": name, "text": text}, "")

    def add(self, output: dict[str, Any], *, display_id: str = "", update: bool = False) -> None:
        """Send one rich output, after what was written before it."""
        self.drain()
        with self._lock:
            if not self.enabled:
                return
            self.flush()
            body = _json(output)
            if self._take(len(body)):
                self._emit("update" if update else "append", body, display_id)

    def clear(self, *, wait: bool) -> None:
        """Forget the cell's outputs, at once or when the next one comes."""
        self.drain()
        with self._lock:
            self.flush()
            if wait:
                self._clear_next = True
            elif self.enabled:
                self._clear_next = False
                self._send(Output(action="clear"), ())

    def _emit(self, action: Any, body: dict[str, Any] | bytes, display_id: str) -> None:
        if self._clear_next and action == "append":
            self._clear_next = False
            self._send(Output(action="clear"), ())
        encoded = body if isinstance(body, bytes) else _json(body)
        name = display_id.encode("utf-8", "replace").decode()
        if len(encoded) > LARGE_BODY:
            self._send(Output(action=action, display_id=name), [encoded])
        else:
            self._send(Output(action=action, body=encoded, display_id=name), ())

    def _take(self, size: int) -> bool:
        self._left -= size
        if self._left >= 0:
            return True
        self.exceeded = True
        if threading.current_thread() is threading.main_thread():
            raise OutputLimitReached("the cell has put out more than it may")
        return False

    def _in_child(self) -> None:
        """After a fork a thread that isn't here may hold the lock, and the text is not ours."""
        self._lock = threading.RLock()
        for parts in self._buffers.values():
            parts.clear()
        self._ready, self._length, self.enabled = [], 0, False


def _json(output: dict[str, Any]) -> bytes:
    """As JSON; a lone surrogate, which has no bytes, as a question mark."""
    return json.dumps(output, default=repr, ensure_ascii=False).encode("utf-8", "replace")


class Stream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of the notebook.

    In a process that the notebook forked (a worker of a DataLoader) it writes to the descriptor,
    which this process captures: the channel to the judge has one writer only.
    """

    encoding = "UTF-8"
    errors = "strict"

    def __init__(self, capture: DescriptorCapture, name: str, descriptor: int) -> None:
        super().__init__()
        self._capture = capture
        self._stream_name = name
        self._descriptor = descriptor
        self._owner = os.getpid()

    @property
    def name(self) -> str:
        """The stream's name, as ipykernel has it."""
        return self._stream_name

    def write(self, text: str) -> int:
        """Add text to the running cell's outputs."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        plain = str.__str__(text)
        if os.getpid() == self._owner:
            self._capture.write(self._stream_name, plain)
        else:
            os.write(self._descriptor, plain.encode("utf-8", "replace"))
        return str.__len__(text)

    def flush(self) -> None:
        """Keep the order of what was written so far; it is sent soon in any case."""
        if os.getpid() == self._owner:
            self._capture.outputs.settle_order(self._stream_name)

    def fileno(self) -> int:
        """The descriptor that is captured as well."""
        return self._descriptor

    def isatty(self) -> bool:
        """A notebook is no terminal."""
        return False

    def close(self) -> None:
        """Keep open: the cells after this one print too."""
        self.flush()

    def writable(self) -> bool:
        """Text can be written."""
        return True


class DescriptorCapture:
    """Descriptors 1 and 2 of this process and its children, read by a thread."""

    def __init__(self, outputs: Outputs) -> None:
        self.outputs = outputs
        # Held over a read and what is done with it, so that two threads keep the order.
        self._lock = threading.RLock()
        self._owner = os.getpid()
        self._names: dict[int, str] = {}
        self._decoders: dict[int, codecs.IncrementalDecoder] = {}
        self._waiting = select.poll()
        for descriptor, name in ((1, "stdout"), (2, "stderr")):
            reader, writer = os.pipe()
            os.set_blocking(reader, False)
            os.dup2(writer, descriptor)
            os.close(writer)
            self._names[reader] = name
            self._decoders[reader] = codecs.getincrementaldecoder("utf-8")("replace")
            self._waiting.register(reader, select.POLLIN)
        outputs.drain = self.drain
        threading.Thread(target=self._read, name="grader-capture", daemon=True).start()

    def write(self, name: str, text: str) -> None:
        """Add text of Python's stream, after what a child or C code wrote before it."""
        self.drain()
        self.outputs.text(name, text)

    def settle(self) -> None:
        """Take what has been written by now."""
        linux.flush_c_streams()
        self.drain()

    def drain(self) -> None:
        """Take what the pipes hold."""
        if os.getpid() != self._owner:  # a fork's part in the pipes is to write
            return
        with self._lock:
            while self._waiting.poll(0):
                for reader, _ in self._waiting.poll(0):
                    self._take(reader)

    def _take(self, reader: int) -> bool:
        """Read once and say whether there was something."""
        with self._lock:
            try:
                data = os.read(reader, 65_536)
            except BlockingIOError:
                return False
            if not data:  # the notebook has closed it everywhere
                with suppress(KeyError):
                    self._waiting.unregister(reader)
                return False
            name = self._names[reader]
            self.outputs.text(name, self._decoders[reader].decode(data))
            self.outputs.settle_order(name)
            return True

    def _read(self) -> None:
        poll = select.poll()
        for reader in self._names:
            poll.register(reader, select.POLLIN)
        while True:
            for reader, event in poll.poll(FLUSH_S * 1000):
                if not self._take(reader) and event & ~select.POLLIN:
                    poll.unregister(reader)
            self.outputs.flush_old()
