"""A session from inside: read a request, do it, reply; until the judge closes or kills it."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import torch

from grader.box import calls, cuda_as_cpu, gpu, shell
from grader.box.alarm import Alarm
from grader.box.capture import DescriptorCapture, Outputs, Stream
from grader.box.trace import Trace
from grader.box.working_directory import import_from_here, put_file
from grader.wire import frames, values
from grader.wire import messages as m
from grader.wire.seeding import seed_everything
from grader.wire.waiting import waited_s

MAX_REQUEST = 1 << 30


class Channel:
    """The session's end of the socket to the zygote."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(True)
        self._lock = threading.RLock()
        self._owner = os.getpid()

    def receive(self) -> tuple[m.Request, list[memoryview]]:
        """Wait for the next request."""
        request, blobs, _ = frames.read_message(self._exactly, m.Request, limit=MAX_REQUEST)
        return request, blobs

    def send(self, tree: Any, blobs: Sequence[values.Blob] = ()) -> None:
        """Send an event or a reply, whole.

        A process that the notebook forked ends here: after an `os.fork()` in a cell both would
        answer the judge's request.
        """
        parts = frames.message(tree, blobs)
        if os.getpid() != self._owner:
            os._exit(0)
        with self._lock, Alarm.held():
            for part in parts:
                self._socket.sendall(part)

    def _exactly(self, size: int) -> memoryview:
        buffer = frames.empty(size)
        got = 0
        while got < size:
            count = self._socket.recv_into(buffer[got:])
            if not count:
                raise EOFError
            got += count
        return buffer


class Server:
    """Serves one session with the shell that the zygote built."""

    def __init__(self, channel: Channel, ready: shell.Shell) -> None:
        self._channel = channel
        self._shell = ready
        self._outputs = Outputs(channel.send)
        self._initial = frozenset(ready.user_ns)
        self._trace = Trace(self._cell_name)
        self._calls = calls.Calls(ready.user_ns, self._initial, self._trace, self._ask)
        shell.attach(ready, self._outputs)
        self._capture = DescriptorCapture(self._outputs)
        self._streams = {
            "stdout": Stream(self._capture, "stdout", 1),
            "stderr": Stream(self._capture, "stderr", 2),
        }
        sys.stdout, sys.stderr = self._streams.values()

    def serve(self) -> None:
        """Answer requests until the judge says close or the channel ends."""
        while True:
            try:
                request, blobs = self._channel.receive()
            except EOFError:
                return
            if isinstance(request, m.Close):
                return
            if isinstance(request, m.RunCell):
                self._channel.send(self._run_cell(request))
            elif isinstance(request, m.PutFile):
                self._channel.send(self._put_file(request, blobs))
            else:
                self._answer(request, blobs)

    def _ask(self, wanted: m.Wanted, blobs: list[values.Blob]) -> tuple[m.Give, list[memoryview]]:
        """Ask the judge, who waits for a reply, for something in the middle of a call."""
        with Alarm.held():  # a ring between the two messages would leave them out of step
            self._channel.send(wanted, blobs)
            try:
                request, received = self._channel.receive()
            except EOFError:
                os._exit(0)
            if not isinstance(request, m.Give):  # the judge has given up on the call
                os._exit(0)
        return request, received

    def _put_file(self, request: m.PutFile, blobs: list[memoryview]) -> m.Reply:
        try:
            put_file(request.path, blobs[0] if blobs else b"")
        except (OSError, ValueError) as error:
            return calls.raised(error, self._cell_name)
        return m.Value(value=None)

    def _run_cell(self, request: m.RunCell) -> m.CellDone:
        self._mend_streams()
        self._outputs.begin(request.stop_output_at)
        self._shell.execution_count = request.index  # so that In[7] is the seventh cell
        with Alarm(request.timeout_s, shell.CellTimeout, during=shell.run_in_loop):
            done = shell.run_cell(self._shell, request.source, settle=self._capture.settle)
        self._outputs.end()
        return done

    def _mend_streams(self) -> None:
        """Put back a stream that a cell took away: IPython runs none without them."""
        for name, stream in self._streams.items():
            current = getattr(sys, name, None)
            if current is None or getattr(current, "closed", False) is True:
                setattr(sys, name, stream)

    def _cell_name(self, file: str) -> str:
        known = self._shell.compile.format_code_name(file)
        return f"cell {known[1].removeprefix('In[').removesuffix(']')}" if known else ""

    def _answer(self, request: m.Request, blobs: list[memoryview]) -> None:
        limit = getattr(request, "timeout_s", 10.0)
        waited = waited_s()
        out: list[Any] = []
        reply: m.Reply
        try:
            with Alarm(limit, shell.CellTimeout, during=calls.Calls.answer):
                reply, out = self._calls.answer(request, blobs)
        except shell.CellTimeout as error:
            reply = m.OutOfTime(
                seconds=limit, frames=calls.frames(error.__traceback__, self._cell_name)
            )
        except BaseException as error:  # noqa: BLE001 - whatever student code raises
            reply = calls.raised(error, self._cell_name)
        ran = self._trace.take()
        if isinstance(reply, m.Value | m.Raised | m.Unsendable | m.OutOfTime):
            reply = msgspec.structs.replace(reply, ran=ran, waited_s=waited_s() - waited)
        try:
            self._channel.send(reply, out)
        except frames.Malformed as error:
            self._channel.send(m.Unsendable(reason=str(error)))


def server(ready: shell.Shell) -> Callable[[int, int, m.Limits], None]:
    """What a freshly jailed child runs."""

    def serve(channel: int, seed: int, limits: m.Limits) -> None:
        torch.set_num_threads(limits.threads)
        os.environ["OMP_NUM_THREADS"] = str(limits.threads)
        seed_everything(seed)
        if limits.gpu_memory_bytes:
            gpu.cap(limits.gpu_memory_bytes)
        if limits.cuda_as_cpu:
            cuda_as_cpu.begin()
        import_from_here()
        Server(Channel(channel), ready).serve()

    return serve
