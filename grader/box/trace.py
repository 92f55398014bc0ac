"""What torch runs while student code is called: functions by name, operators below them.

Only what the judge watches for is noted, and only while it watches. The student owns this process:
a trace is evidence of what ran, and its silence proves nothing.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from grader.wire import messages as m

MAX_RAN = 100
MAX_EVENTS = 20_000
"""Torch functions and operators of one call that are looked at, at up to 40 us each. A training has
more, and does the same again and again; a count, unlike a time, is the same in every run."""
MAX_FRAMES = 200
MAX_NAMES = 20
MAX_NAME = 200

_BOX = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - compared as text
_LIBRARIES = tuple(
    {os.path.dirname(os.path.dirname(torch.__file__)) + os.sep}  # noqa: PTH120
    | {f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "purelib", "platlib")}
)
_HANDLERS = frozenset({"torch.overrides", "torch.utils._python_dispatch"})
_MODULE_CALLS = frozenset({"_call_impl", "_wrapped_call_impl"})

CellName = Callable[[str], str]


@dataclass
class _Stack:
    """Who called: library functions, then the student's; `suite` if the suite did it itself."""

    through: list[str] = field(default_factory=list)
    by: list[str] = field(default_factory=list)
    cell: int = 0
    line: int = 0
    suite: bool = False


class Trace:
    """Notes what is watched for, while a call is under way."""

    def __init__(self, cell_name: CellName) -> None:
        self._cell_name = cell_name
        self._names: frozenset[str] = frozenset()
        self._prefixes: tuple[str, ...] = ()
        self._suite: set[types.CodeType] = set()
        self._students: set[int] = set()
        self._known: dict[types.CodeType, bool] = {}
        self._ran: dict[tuple[object, ...], m.Ran] = {}
        self._events = 0
        self._active = False

    def watch(self, wanted: m.Watch) -> None:
        """Watch for these from now on."""
        self._names = frozenset(wanted.names)
        self._prefixes = tuple(wanted.prefixes)
        self._known.clear()

    def take(self) -> list[m.Ran]:
        """What ran since it was last asked."""
        ran = list(self._ran.values())
        self._ran.clear()
        self._events = 0
        return ran

    def is_of_suite(self, code: types.CodeType) -> None:
        """Take note of code that is the suite's own: what it calls itself breaks no rule."""
        if code not in self._suite:
            self._suite.add(code)
            for constant in code.co_consts:
                if isinstance(constant, types.CodeType):
                    self.is_of_suite(constant)

    def during(self, given: Iterable[object]) -> AbstractContextManager[None]:
        """Note what runs meanwhile; `given` are the objects that the suite's code works on."""
        if self._names or self._prefixes:
            return self._noting(given)
        return nullcontext()

    @contextmanager
    def _noting(self, given: Iterable[object]) -> Iterator[None]:
        modules = [value for value in given if isinstance(value, torch.nn.Module)]
        self._students = {id(part) for module in modules for part in module.modules()}
        modes: tuple[Any, ...] = (_Functions(self), _Operators(self))
        for mode in modes:
            mode.__enter__()
        self._active = True
        try:
            yield
        finally:
            self._active = False
            for mode in reversed(modes):
                # The student may have taken it off already.
                with suppress(Exception):
                    mode.__exit__(None, None, None)

    def note(self, name: str, short: str) -> None:
        """Note an event, if it is watched for; `short` is the name's last part."""
        if not self._active or self._events >= MAX_EVENTS or len(self._ran) >= MAX_RAN:
            return
        self._events += 1
        watched = short in self._names
        frame = sys._getframe(2)
        if not watched and not (self._prefixes and self._is_below_watched(frame)):
            return
        stack = self._stack(frame)
        if stack.suite or not (watched or any(map(self._is_watched, stack.through))):
            return
        through = stack.through[::-1][:MAX_NAMES]
        key = (name, *through, "", *stack.by, stack.cell, stack.line)
        self._ran[key] = m.Ran(
            name=name[:MAX_NAME], through=through, by=stack.by, cell=stack.cell, line=stack.line
        )

    def _is_below_watched(self, frame: types.FrameType | None) -> bool:
        """Whether any function of a library on the stack is watched for.

        It is asked of every operator of a training, so each function's answer is kept.
        """
        for _ in range(MAX_FRAMES):
            if frame is None:
                return False
            code = frame.f_code
            watched = self._known.get(code)
            if watched is None:
                watched = self._known[code] = self._is_watched_library(frame)
            if watched:
                return True
            frame = frame.f_back
        return False

    def _is_watched_library(self, frame: types.FrameType) -> bool:
        if not frame.f_code.co_filename.startswith(_LIBRARIES):
            return False
        found = _Stack()
        self._note_library(found, frame)
        return any(map(self._is_watched, found.through))

    def _is_watched(self, name: str) -> bool:
        return any(name == p or name.startswith(f"{p}.") for p in self._prefixes)

    def _stack(self, start: types.FrameType | None) -> _Stack:
        """Read the stack outwards, until the box that called the student's object."""
        found, frame = _Stack(), start
        inside, students_module = False, False
        for _ in range(MAX_FRAMES):
            if frame is None:
                break
            code = frame.f_code
            if code in self._suite:
                found.suite = not inside and not students_module
                break
            if code.co_filename.startswith(_BOX):
                if code.co_name not in _OWN:
                    break
            elif code.co_filename.startswith((*_LIBRARIES, "<frozen ")):
                if not inside:
                    self._note_library(found, frame)
                    students_module = students_module or self._is_students(frame)
            else:
                inside = True
                if not found.cell:  # text that a cell evaluates is of the line that does
                    self._note_place(found, frame)
                if len(found.by) < MAX_NAMES:
                    found.by.append(_sendable(code.co_qualname))
            frame = frame.f_back
        return found

    def _note_library(self, found: _Stack, frame: types.FrameType) -> None:
        module = frame.f_globals.get("__name__", "")
        if module in _HANDLERS or type(module) is not str or len(found.through) >= MAX_FRAMES:
            return
        name = frame.f_code.co_qualname.replace(".<locals>", "")
        found.through.append(_sendable(f"{module}.{name}"))

    def _note_place(self, found: _Stack, frame: types.FrameType) -> None:
        cell = self._cell_name(frame.f_code.co_filename).removeprefix("cell ")
        if cell.isdecimal():
            found.cell, found.line = int(cell), frame.f_lineno or 0

    def _is_students(self, frame: types.FrameType) -> bool:
        """Whether it is the call of a module that the student made or defined."""
        if frame.f_code.co_name not in _MODULE_CALLS:
            return False
        module = frame.f_locals.get("self")
        return id(module) in self._students or type(module).__module__ == "__main__"


_OWN = frozenset({"__torch_function__", "__torch_dispatch__", "note", "_stack"})


class _Functions(TorchFunctionMode):
    """Sees what is called by a name: `torch.softmax`, `x.softmax`, `F.softmax`."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self._trace = trace

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = _function_name(func)
        self._trace.note(name, name.rpartition(".")[2])
        return func(*args, **(kwargs or {}))


class _Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees what torch runs for it, whatever it was called by: `aten::_softmax`."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._trace = trace

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name
        self._trace.note(name, name.rpartition("::")[2])
        return func(*args, **(kwargs or {}))


def _function_name(func: Any) -> str:
    """The full name of a torch function; a getter is named by its attribute."""
    owner = getattr(func, "__self__", None)
    if type(owner) is types.GetSetDescriptorType or isinstance(owner, property):
        return f"torch.Tensor.{getattr(owner, '__name__', '')}"
    name = getattr(func, "__name__", "")
    if type(func) in (types.MethodDescriptorType, types.WrapperDescriptorType):
        return f"torch.Tensor.{name}"
    if isinstance(owner, type):
        return f"torch.{name}"
    module = owner.__name__ if isinstance(owner, types.ModuleType) else None
    qualified = getattr(func, "__qualname__", name)
    if "<locals>" in qualified:  # one of several that a function made, such as `max_pool2d`
        qualified = name
    return f"{module or getattr(func, '__module__', None) or 'torch'}.{qualified}"


def _sendable(text: str) -> str:
    return text[:MAX_NAME].encode("utf-8", "replace").decode()
