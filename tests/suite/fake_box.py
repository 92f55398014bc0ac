"""A box in this process, for tests: a namespace behind the wire's own encoding."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from grader.errors import BoxFailure
from grader.suite.local_box import LocalBox
from grader.wire import messages as m
from grader.wire import values

Step = Callable[[], None]


class Slow(Exception):
    """Raised in a namespace to stand for a call that was interrupted at its limit."""


class FakeBox(LocalBox):
    """Runs a notebook's source and answers requests; everything crosses by value.

    Student code raises a `BoxFailure` or an `InfrastructureError` to end its session.
    """

    def __init__(self, source: str = "", *, call_timeout_s: float = 10.0) -> None:
        self.source = source
        self.call_timeout_s = call_timeout_s
        self.generation = 0
        self.requests: list[m.Request] = []
        self.sent: list[bytes] = []
        self._start()

    def _start(self) -> None:
        self.namespace: dict[str, Any] = {"Slow": Slow, "torch": torch, "np": np}
        super().__init__(self.namespace)
        self.hidden = {*self.namespace, "__builtins__"}
        exec(compile(self.source, "cell 1", "exec"), self.namespace)

    def request(
        self, request: m.Request, blobs: Sequence[values.Blob] = ()
    ) -> tuple[m.Reply, list[memoryview]]:
        self.requests.append(request)
        self.sent += [bytes(blob) for blob in blobs]
        out: list[values.Blob] = []
        try:
            reply = self._reply(request, [memoryview(bytes(b)) for b in blobs], out)
        except BoxFailure:
            self.generation += 1
            self._start()
            raise
        return reply, [memoryview(bytes(blob)) for blob in out]

    def _reply(
        self, request: m.Request, blobs: list[memoryview], out: list[values.Blob]
    ) -> m.Reply:
        if isinstance(request, m.Fetch) and request.name not in self.namespace:
            near = difflib.get_close_matches(request.name, self._names())
            return m.Missing(name=request.name, similar=near)
        try:
            result = self._done(request, blobs)
        except Slow:
            return m.OutOfTime(seconds=self.call_timeout_s)
        except Exception as error:
            from grader.errors import GraderError

            if isinstance(error, GraderError):
                raise
            return m.Raised(type=type(error).__name__, text=str(error), frames=_frames(error))
        if isinstance(result, m.Reply):
            return result
        try:
            return m.Value(value=values.encode(result, out, other=self._keep))
        except values.Unencodable as error:
            return m.Unsendable(reason=str(error))

    def _done(self, request: m.Request, blobs: list[memoryview]) -> Any:
        if isinstance(request, m.Replace):
            return None  # here the notebook's own function goes on answering
        if isinstance(request, m.Names):
            return self._names()
        if not isinstance(request, m.Fetch | m.Act | m.RunFunction | m.Seed):
            raise AssertionError(request)
        return super()._done(request, blobs)

    def _names(self) -> list[str]:
        return [name for name in self.namespace if name not in self.hidden]


def _frames(error: BaseException) -> list[m.TracebackLine]:
    return [
        m.TracebackLine(file=frame.filename, line=frame.lineno or 0, function=frame.name, text="")
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith("cell ")
    ]
