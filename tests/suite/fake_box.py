"""A box in this process, for tests: a namespace behind the wire's own encoding."""

from __future__ import annotations

import difflib
import importlib
import itertools
import random
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from grader.errors import BoxFailure
from grader.wire import messages as m
from grader.wire import values

Step = Callable[[], None]


class Slow(Exception):
    """Raised in a namespace to stand for a call that was interrupted at its limit."""


class FakeBox:
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

    def ready(self) -> None:
        """Nothing to wait for: what ends is started again at once."""

    def _start(self) -> None:
        self.namespace: dict[str, Any] = {"Slow": Slow, "torch": torch, "np": np}
        self.hidden = {*self.namespace, "__builtins__"}
        self.held: list[object] = []
        exec(compile(self.source, "cell 1", "exec"), self.namespace)

    def request(
        self, request: m.Request, blobs: Sequence[values.Blob] = ()
    ) -> tuple[m.Reply, list[memoryview]]:
        self.requests.append(request)
        self.sent += [bytes(blob) for blob in blobs]
        out: list[values.Blob] = []
        try:
            reply = self._answer(request, [memoryview(bytes(b)) for b in blobs], out)
        except BoxFailure:
            self.generation += 1
            self._start()
            raise
        return reply, [memoryview(bytes(blob)) for blob in out]

    def _answer(
        self, request: m.Request, blobs: list[memoryview], out: list[values.Blob]
    ) -> m.Reply:
        if isinstance(request, m.Fetch) and request.name not in self.namespace:
            near = difflib.get_close_matches(request.name, self._names())
            return m.Missing(name=request.name, similar=near)
        try:
            result = self._do(request, blobs)
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

    def _do(self, request: m.Request, blobs: list[memoryview]) -> Any:
        match request:
            case m.Fetch():
                return self.namespace[request.name]
            case m.Act():
                args, kwargs = self._arguments(request, blobs)
                return _VERBS[request.verb](self._take(request.target, blobs), *args, **kwargs)
            case m.RunFunction():
                args, kwargs = self._arguments(request, blobs)
                return self._take(request.function, blobs)(*args, **kwargs)
            case m.Seed():
                random.seed(request.seed)
                np.random.seed(request.seed % 2**32)
                torch.manual_seed(request.seed)
                return None
            case m.Replace():
                return None  # here the notebook's own function goes on answering
            case m.Names():
                return self._names()
        raise AssertionError(request)

    def _arguments(
        self, request: m.Act | m.RunFunction, blobs: list[memoryview]
    ) -> tuple[list[Any], dict[str, Any]]:
        kwargs = {name: self._take(tree, blobs) for name, tree in request.kwargs.items()}
        return [self._take(tree, blobs) for tree in request.args], kwargs

    def _names(self) -> list[str]:
        return [name for name in self.namespace if name not in self.hidden]

    def _keep(self, value: object) -> values.Tree:
        self.held.append(value)
        kind = "generator" if hasattr(value, "gi_frame") else "instance"
        kind = "class" if isinstance(value, type) else kind
        kind = "function" if callable(value) and hasattr(value, "__code__") else kind
        return ["R", len(self.held), kind, f"{type(value).__module__}.{type(value).__qualname__}"]

    def _take(self, tree: values.Tree, blobs: list[memoryview]) -> Any:
        return _revive(values.decode(tree, blobs, remote=lambda ref: self.held[ref.handle - 1]))


def _revive(value: Any) -> Any:
    if isinstance(value, values.FunctionSource):
        scope: dict[str, Any] = {}
        for name, part in value.globals.items():
            if isinstance(part, str) and part.startswith("module:"):
                scope[name] = importlib.import_module(part.removeprefix("module:"))
            else:
                scope[name] = _revive(part)
        exec(compile(value.source, "<suite>", "exec"), scope)
        return scope[value.name]
    if type(value) in (list, tuple):
        return type(value)(_revive(part) for part in value)
    return value


def _frames(error: BaseException) -> list[m.TracebackLine]:
    return [
        m.TracebackLine(file=frame.filename, line=frame.lineno or 0, function=frame.name, text="")
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith("cell ")
    ]


_VERBS: dict[str, Callable[..., Any]] = {
    "call": lambda target, *args, **kwargs: target(*args, **kwargs),
    "getattr": getattr,
    "setattr": setattr,
    "getitem": lambda target, key: target[key],
    "setitem": lambda target, key, value: target.__setitem__(key, value),
    "len": len,
    "contains": lambda target, item: item in target,
    "hasattr": hasattr,
    "repr": lambda target: repr(target)[:2000],
    "iter": lambda target, limit: list(itertools.islice(iter(target), limit)),
}
