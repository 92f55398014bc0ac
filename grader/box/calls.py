"""What the judge asks of the student's live objects, done next to them."""

from __future__ import annotations

import difflib
import importlib
import itertools
import linecache
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

import torch

from grader.box.replaced import Ask, Replaced, ask_nobody
from grader.box.trace import Trace
from grader.wire import messages as m
from grader.wire import values
from grader.wire.seeding import seed_everything

MODULES = frozenset(
    {
        "collections",
        "copy",
        "functools",
        "itertools",
        "math",
        "numpy",
        "operator",
        "pandas",
        "random",
        "statistics",
        "string",
        "time",
        "torch",
        "torch.nn",
        "torch.nn.functional",
    }
)
"""What a suite's function may use by name inside the box."""
SUITE_FILE = "<suite>"
MAX_FRAMES = 12
MAX_TEXT = 2_000
MAX_ITEMS = 10_000
_VERBS: dict[str, Callable[..., Any]] = {
    "getattr": lambda target, name: getattr(target, name),
    "setattr": lambda target, name, value: setattr(target, name, value),
    "getitem": lambda target, key: target[key],
    "setitem": lambda target, key, value: target.__setitem__(key, value),
    "len": len,
    "contains": lambda target, item: item in target,
    "hasattr": lambda target, name: hasattr(target, name),
    "repr": lambda target: repr(target)[:MAX_TEXT],
    "iter": lambda target, limit: list(itertools.islice(iter(target), min(limit, MAX_ITEMS))),
    "call": lambda target, *args, **kwargs: target(*args, **kwargs),
}


class Calls:
    """The table of objects that stay here, and the requests on them."""

    def __init__(
        self,
        namespace: dict[str, Any],
        initial: frozenset[str],
        trace: Trace,
        ask: Ask = ask_nobody,
    ) -> None:
        self._replaced = Replaced(namespace, ask)
        self._namespace = namespace
        self._initial = initial
        self._trace = trace
        self._held: dict[int, object] = {}
        self._next = 1

    def answer(self, request: m.Request, blobs: list[memoryview]) -> tuple[m.Reply, list[Any]]:
        """Do what a request asks; what student code raises goes through."""
        out: list[values.Blob] = []
        match request:
            case m.Fetch():
                if request.name not in self._namespace:
                    return self._missing(request.name), out
                result = self._namespace[request.name]
            case m.Act():
                result = self._act(request, blobs)
            case m.RunFunction():
                function = self._take(request.function, blobs)
                args, kwargs = self._args(request, blobs), self._kwargs(request, blobs)
                with self._trace.during([*args, *kwargs.values()]), self._replaced.answering():
                    result = function(*args, **kwargs)
            case m.Seed():
                seed_everything(request.seed)
                result = None
            case m.Watch():
                self._trace.watch(request)
                result = None
            case m.Replace():
                self._replaced.replace(request.names)
                result = None
            case m.Names():
                result = sorted(self._names())[:MAX_ITEMS]
            case m.Forget():
                self._held.clear()
                result = None
            case _:
                raise TypeError(f"no answer to a {type(request).__name__}")
        try:
            tree = values.encode(result, out, other=self._keep)
        except values.Unencodable as error:
            return m.Unsendable(reason=str(error)[:MAX_TEXT]), []
        return m.Value(value=tree), out

    def _act(self, request: m.Act, blobs: list[memoryview]) -> Any:
        target = self._take(request.target, blobs)
        args, kwargs = self._args(request, blobs), self._kwargs(request, blobs)
        with self._trace.during([target]), self._replaced.answering():
            return _VERBS[request.verb](target, *args, **kwargs)

    def _args(self, request: m.Act | m.RunFunction, blobs: list[memoryview]) -> list[Any]:
        return [self._take(tree, blobs) for tree in request.args]

    def _kwargs(self, request: m.Act | m.RunFunction, blobs: list[memoryview]) -> dict[str, Any]:
        return {name: self._take(tree, blobs) for name, tree in request.kwargs.items()}

    def _take(self, tree: values.Tree, blobs: list[memoryview]) -> Any:
        return self._revive(values.decode(tree, blobs, remote=lambda ref: self._held[ref.handle]))

    def _revive(self, value: Any) -> Any:
        """Make functions of sources, also inside the plain containers."""
        if isinstance(value, values.FunctionSource):
            return self._define(value)
        if type(value) in (list, tuple, set):
            return type(value)(self._revive(v) for v in value)
        if type(value) is dict:
            return {k: self._revive(v) for k, v in value.items()}
        return value

    def _define(self, function: values.FunctionSource) -> Callable[..., Any]:
        """Define a suite's function in a module of its own, apart from the student's names."""
        scope: dict[str, Any] = {"__name__": "suite", "__builtins__": __builtins__}
        for name, value in function.globals.items():
            if isinstance(value, str) and value.startswith("module:"):
                module = value.removeprefix("module:")
                if module not in MODULES:
                    raise ImportError(f"a suite's function can't use the module {module}")
                scope[name] = importlib.import_module(module)
            else:
                scope[name] = self._revive(value)
        code = compile(function.source, SUITE_FILE, "exec", dont_inherit=True)
        self._trace.is_of_suite(code)
        exec(code, scope)  # noqa: S102
        made: Callable[..., Any] = scope[function.name]
        return made

    def _keep(self, value: object) -> values.Tree:
        """Hold an object for the judge and send a ref."""
        handle, self._next = self._next, self._next + 1
        self._held[handle] = value
        return ["R", handle, kind_of(value), values.type_name(type(value))]

    def _names(self) -> list[str]:
        return [
            name
            for name in self._namespace
            if isinstance(name, str) and not name.startswith("_") and name not in self._initial
        ]

    def _missing(self, name: str) -> m.Missing:
        similar = difflib.get_close_matches(name, self._names(), n=3)
        return m.Missing(name=name[:200], similar=[_sendable(s)[:200] for s in similar])


_KINDS: dict[str, tuple[type, ...]] = {
    "class": (type,),
    "module": (types.ModuleType,),
    "generator": (types.GeneratorType,),
    "coroutine": (types.CoroutineType,),
    "network": (torch.nn.Module,),
}


def kind_of(value: object) -> str:
    """What an object that can't be sent is, in one word; its type says so, not its `__class__`."""
    kind = type(value)
    for name, bases in _KINDS.items():
        if issubclass(kind, bases):
            return name
    # What binds to an instance is a function: Python's, C's, Cython's, or one that is cached.
    names = {name for base in type.__dict__["__mro__"].__get__(kind) for name in vars(base)}
    binds = "__get__" in names and "__set__" not in names
    return "function" if binds or kind is types.BuiltinFunctionType else "instance"


CellName = Callable[[str], str]
"""From a compiled file name to "cell 7", or to nothing for what is no cell."""


def raised(error: BaseException, cell_name: CellName) -> m.Raised:
    """An exception of student code as plain text; asking it for its text may itself raise."""
    try:
        text = str.__str__(str(error))[:MAX_TEXT]
    except Exception as second:  # noqa: BLE001 - a student's __str__
        text = f"<its text can't be shown: {values.type_name(type(second))}>"
    return m.Raised(
        type=values.type_name(type(error)).rsplit(".", 1)[-1][:200],
        text=_sendable(text),
        frames=frames(error.__traceback__, cell_name),
    )


def frames(trace: types.TracebackType | None, cell_name: CellName) -> list[m.TracebackLine]:
    """The lines of a traceback that lie in the student's cells, and the last one of a library."""
    kept: list[m.TracebackLine] = []
    library: m.TracebackLine | None = None
    for frame, line in itertools.islice(traceback.walk_tb(trace), 1_000):
        code = frame.f_code
        name = cell_name(code.co_filename)
        text = linecache.getline(code.co_filename, line).strip()[:300]
        entry = m.TracebackLine(
            file=name or _sendable(_short(code.co_filename)),
            line=line or 0,
            function=_sendable(code.co_name[:200]),
            text=_sendable(text),
        )
        if name:
            kept.append(entry)
            library = None
        elif code.co_filename != SUITE_FILE and "grader/box" not in code.co_filename:
            library = entry
    kept = kept[-MAX_FRAMES:]
    return [*kept, library] if library is not None and kept else kept


def _sendable(text: str) -> str:
    """A lone surrogate has no bytes to be sent as."""
    return text.encode("utf-8", "replace").decode()


def _short(path: str) -> str:
    for folder in sorted(sys.path, key=len, reverse=True):
        if folder and path.startswith(folder + "/"):
            return path[len(folder) + 1 :][:200]
    return path.rsplit("/", 1)[-1][:200]
