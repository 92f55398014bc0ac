"""A solution in the student's place, in this process: for code that the course itself wrote.

It answers what a box answers, by value and in the same encoding, and has random numbers of its own,
as a box has: a test draws the same with it as with a student's notebook. It protects from nothing.
"""

from __future__ import annotations

import importlib
import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from grader.suite.function_source import MODULE_MARK
from grader.suite.strictness import not_looking
from grader.wire import messages as m
from grader.wire import values
from grader.wire.seeding import seed_everything
from grader.wire.values import Blob

_CALL_S = 10.0
_VERBS: dict[str, Callable[..., Any]] = {
    "call": lambda target, *args, **kwargs: target(*args, **kwargs),
    "getattr": getattr,
    "setattr": setattr,
    "getitem": lambda target, key: target[key],
    "setitem": lambda target, key, value: target.__setitem__(key, value),
    "len": len,
    "contains": lambda target, item: item in target,
    "hasattr": hasattr,
    "repr": repr,
    "iter": lambda target, limit: list(itertools.islice(iter(target), limit)),
}


class LocalBox:
    """The names of a solution as a suite asks for them: a `suite.box_link.BoxClient`."""

    generation = 0
    call_timeout_s = _CALL_S

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._held: list[object] = []
        self._draws: tuple[Any, ...] | None = None

    def ready(self) -> None:
        """It never ends."""

    def request(
        self, request: m.Request, blobs: Sequence[Blob] = ()
    ) -> tuple[m.Reply, list[memoryview]]:
        """Do what a box does on a request; what the solution raises is its reply."""
        out: list[Blob] = []
        with not_looking(), self._own_draws():
            reply = self._reply(request, [memoryview(bytearray(b)) for b in blobs], out)
        return reply, [memoryview(bytearray(blob)) for blob in out]

    def _reply(self, request: m.Request, blobs: list[memoryview], out: list[Blob]) -> m.Reply:
        if isinstance(request, m.Fetch) and request.name not in self._namespace:
            return m.Missing(name=request.name)
        try:
            result = self._done(request, blobs)
        except Exception as error:  # noqa: BLE001 - a solution with a mistake in it raises anything
            return m.Raised(type=type(error).__name__, text=str(error)[:200])
        try:
            return m.Value(value=values.encode(result, out, other=self._keep))
        except values.Unencodable as error:
            return m.Unsendable(reason=str(error))

    def _done(self, request: m.Request, blobs: list[memoryview]) -> Any:
        match request:
            case m.Fetch():
                return self._namespace[request.name]
            case m.Act():
                args, kwargs = self._arguments(request, blobs)
                return _VERBS[request.verb](self._take(request.target, blobs), *args, **kwargs)
            case m.RunFunction():
                args, kwargs = self._arguments(request, blobs)
                return self._take(request.function, blobs)(*args, **kwargs)
            case m.Seed():
                seed_everything(request.seed)
                return None
            case m.Names():
                return sorted(n for n in self._namespace if not n.startswith("_"))
        return None  # nothing is watched here, nor answered for

    def _arguments(
        self, request: m.Act | m.RunFunction, blobs: list[memoryview]
    ) -> tuple[list[Any], dict[str, Any]]:
        kwargs = {name: self._take(tree, blobs) for name, tree in request.kwargs.items()}
        return [self._take(tree, blobs) for tree in request.args], kwargs

    def _take(self, tree: values.Tree, blobs: list[memoryview]) -> Any:
        return _revived(values.decode(tree, blobs, remote=lambda ref: self._held[ref.handle - 1]))

    def _keep(self, value: object) -> values.Tree:
        self._held.append(value)
        return ["R", len(self._held), _kind_of(value), values.type_name(type(value))]

    @contextmanager
    def _own_draws(self) -> Iterator[None]:
        """Draw from generators of its own in this block, which go on where they were."""
        of_judge = _states()
        if self._draws is not None:
            _set_states(self._draws)
        try:
            yield
        finally:
            self._draws = _states()
            _set_states(of_judge)


def _states() -> tuple[Any, ...]:
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def _set_states(states: tuple[Any, ...]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])


def _revived(value: Any) -> Any:
    """Make functions of their sources, also inside the plain containers."""
    if isinstance(value, values.FunctionSource):
        scope: dict[str, Any] = {"__name__": "suite"}
        for name, part in value.globals.items():
            is_module = isinstance(part, str) and part.startswith(MODULE_MARK)
            scope[name] = (
                importlib.import_module(part.removeprefix(MODULE_MARK))
                if is_module
                else _revived(part)
            )
        exec(compile(value.source, "<suite>", "exec", dont_inherit=True), scope)  # noqa: S102
        return scope[value.name]
    if type(value) in (list, tuple, set):
        return type(value)(_revived(part) for part in value)
    if type(value) is dict:
        return {key: _revived(part) for key, part in value.items()}
    return value


def _kind_of(value: object) -> str:
    if isinstance(value, type):
        return "class"
    if isinstance(value, torch.nn.Module):
        return "network"
    if hasattr(value, "gi_frame"):
        return "generator"
    return "function" if callable(value) and hasattr(value, "__code__") else "instance"
